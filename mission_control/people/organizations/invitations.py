"""How an invited person comes in: the mail, the link, the account, and where they land."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from quart import current_app

from mission_control.background.sending import GiveUp, retry
from mission_control.core import times
from mission_control.core.actor import Actor, Scope, system
from mission_control.core.errors import Conflict, Forbidden, existing
from mission_control.core.secrets import decrypt
from mission_control.core.values import fingerprint
from mission_control.database.sql import rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.leases import Delivery
from mission_control.events.unit_of_work import deliver, record
from mission_control.people.accounts.commands import user_by_email
from mission_control.people.accounts.credentials import hash_password
from mission_control.people.audit.account_log import record_account
from mission_control.people.models import Invite, Member, Organization, User
from mission_control.people.organizations.access import level, role_of
from mission_control.people.organizations.commands import join
from mission_control.people.organizations.pages import JoinForm
from mission_control.people.organizations.queries import InvitationMail
from mission_control.people.sign_in.browser_sessions import (
    Letter,
    begin_session,
    dead_link,
    mail_senders,
    passwords_are_for_owners,
)

EVENTS = (
    Kind("invite.mail_requested", "An invitation is to be sent by mail.", "sends an invitation by mail"),
    Kind("invite.mailed", "An invitation was sent by mail.", "mailed an invitation"),
    Kind("invite.mail_failed", "The mail of an invitation was given up.", "could not mail an invitation"),
)

DEAD_LINK = "This invitation was revoked, or the link is not complete. Ask whoever invited you for a new one."
USED = "This invitation was used already. Sign in to go on."
EXPIRED = "This invitation has expired. Ask whoever invited you for a new one."
NAMED = 3
HAS_ACCOUNT = "There is an account with this address. Sign in with it to accept the invitation."


@dataclass(frozen=True, slots=True)
class Opened:
    """An invitation as the person with its link sees it."""

    invite: Invite
    organization_name: str
    inviter: User | None
    reach: str
    has_account: bool

    @property
    def state(self) -> Literal["open", "used", "expired"]:
        if self.invite.accepted_at is not None:
            return "used"
        return "expired" if self.invite.is_expired else "open"


async def opened(token: str) -> Opened:
    """Return the invitation behind a link. An unknown one counts against the address, like an unknown token."""
    invite = await Invite.get_or_none(fingerprint=fingerprint(token))
    if invite is None:
        raise dead_link(DEAD_LINK)
    return await described(invite)


async def described(invite: Invite) -> Opened:
    inviter = await User.get_or_none(id=invite.created_by_user_id) if invite.created_by_user_id else None
    name = (await Organization.get(id=invite.organization_id)).name
    return Opened(invite, name, inviter, await _reach(invite), await user_by_email(invite.invited_email) is not None)


async def _reach(invite: Invite) -> str:
    everywhere = "write" if invite.role != "member" else level(invite.all_boards_read, invite.all_boards_write)
    if everywhere != "none":
        return f"You can {'change' if everywhere == 'write' else 'read'} all of its boards."
    boards = await rows(
        "SELECT b.name, x.can_write FROM organization_invite_board_access x JOIN boards b ON b.id = x.board_id"
        " WHERE x.organization_invite_id = ? AND b.deleted_at IS NULL ORDER BY LOWER(b.name), b.id",
        invite.id,
    )
    named = [
        f"{verb} {_named(names)}"
        for verb, writes in (("change", True), ("read", False))
        if (names := [row["name"] for row in boards if bool(row["can_write"]) is writes])
    ]
    return f"You can {' and '.join(named)}." if named else ""


def _named(names: list[str]) -> str:
    if len(names) > NAMED:
        return f"{len(names)} boards"
    return f"the board {names[0]}" if len(names) == 1 else f"the boards {', '.join(names[:-1])} and {names[-1]}"


async def sign_up(form: JoinForm, token: str) -> Member:
    """Make an account for the invited address, accept the invitation, and sign the person in."""
    if passwords_are_for_owners():
        raise Forbidden("Sign in with your organization's account to accept this invitation.")
    await opened(token)  # before the password is hashed, which takes everybody's time
    member, user = await _sign_up(system(), token, form, await hash_password(form.password))
    await begin_session(user)
    return member


@command("account.set_up")
async def _sign_up(actor: Actor, token: str, form: JoinForm, password_hash: str) -> tuple[Member, User]:
    invite = await existing(Invite.select_for_update().get_or_none(fingerprint=fingerprint(token)), DEAD_LINK)
    if not invite.is_open:
        raise Conflict(USED if invite.accepted_at is not None else EXPIRED)
    if await user_by_email(invite.invited_email):
        raise Conflict(HAS_ACCOUNT)
    user = await User.create(
        email=invite.invited_email, name=form.name, timezone=form.timezone, password_hash=password_hash
    )
    await record_account("account.created", user.id, organization_id=invite.organization_id, role=invite.role)
    return await join(user, invite), user


KIND = "invitation_mail"
PAUSE = timedelta(minutes=1)
ROLES = {"owner": "an owner", "admin": "an admin"}
NO_SERVER = "No mail is sent from here: its operator has set no mail server (SMTP_URL). Hand over the link."


async def mails_of(invites: Sequence[Invite]) -> dict[UUID, InvitationMail]:
    invite_ids = {invite.mail_delivery_id: invite.id for invite in invites if invite.mail_delivery_id is not None}
    mails = await Delivery.filter(id__in=list(invite_ids)) if invite_ids else []
    return {
        invite_ids[mail.id]: InvitationMail.model_validate(
            {"state": mail.state, "attempts": mail.attempts, "error": mail.last_error, "sent_at": mail.sent_at}
        )
        for mail in mails
    }


@command("invite.resend")
async def mail_invite(actor: Actor, invite: Invite) -> Invite:
    """Send an invitation by mail. Used or expired, or a mail is on its way or was just sent: Conflict."""
    locked = await existing(Invite.select_for_update().get_or_none(id=invite.id))
    if locked.role == "owner" and role_of(actor, locked.organization_id) != "owner":
        raise Forbidden("Only an owner can send an invitation for an owner.")
    if not locked.is_open or not locked.encrypted_token:
        raise Conflict("This invitation was used or has expired. Invite the person again.")
    if locked.mail_delivery_id is not None:
        _refuse_soon_after(await Delivery.get_or_none(id=locked.mail_delivery_id))
    locked.mail_delivery_id = deliver(
        KIND,
        Scope(locked.organization_id, subject_id=locked.id),
        header="an invitation by mail",
        text="",  # written when it is sent: what is stored holds no link
        invite_id=str(locked.id),
        succeeded="invite.mailed",
        failed="invite.mail_failed",
        event={"invite_id": str(locked.id)},
    ).id
    await locked.save(update_fields=["mail_delivery_id"])
    record("invite.mail_requested", locked, "An invitation is sent by mail.")
    return locked


def _refuse_soon_after(last: Delivery | None) -> None:
    if last is not None and last.state in ("waiting", "sending"):
        raise Conflict("A mail for this invitation is on its way.")
    if last is not None and last.sent_at is not None and last.sent_at > times.clock_now() - PAUSE:
        raise Conflict("A mail was sent a moment ago. Wait a minute before you send another.")


async def mail_again(actor: Actor, invite: Invite) -> None:
    """Send an invitation by mail, also one whose mail was given up: that one is tried again."""
    last = await Delivery.get_or_none(id=invite.mail_delivery_id, state="failed") if invite.mail_delivery_id else None
    if last is None:
        await mail_invite(actor, invite)
    else:
        await retry(actor, last)


async def _letter(delivery: Delivery, base_url: str) -> Letter:
    """Return the mail of an invitation: who invites to what, as what, and until when."""
    invite = await Invite.get_or_none(id=UUID(delivery.data["invite_id"]))
    if invite is None or not invite.is_open:
        raise GiveUp("The invitation was used, was revoked or has expired.")
    token = decrypt(invite.encrypted_token, current_app.config["SECRET_KEY"]) if invite.encrypted_token else ""
    if not token:
        raise GiveUp("The link of this invitation cannot be read any longer. Invite the person again.")
    about = await described(invite)
    place, inviter, role = about.organization_name, about.inviter, ROLES.get(invite.role, "a member")
    who = inviter.display_name if inviter else "Somebody"
    address = f" ({inviter.email})" if inviter and inviter.email and inviter.email != who else ""
    until = f"{invite.expires_at.day} {invite.expires_at:%B %Y}"
    return Letter(
        to=invite.invited_email,
        subject=f"{who} invites you to {place}",
        paragraphs=[
            f"{who}{address} invites you to {place} on Mission Control, as {role}. {about.reach}".strip(),
            "Mission Control is where people and AI agents share boards: agents do tasks, people plan and decide.",
        ],
        link=f"{base_url}/invitations/{token}",
        label=f"Join {place}",
        notes=[
            f"The link works once, for {invite.invited_email}, until {until}.",
            "If you did not expect this, leave it: nothing happens.",
        ],
    )


senders = mail_senders(KIND, _letter)


async def first_place(member: Member) -> str:
    """Return the one board that a new member reaches; the start page where something waits, or none or several are."""
    boards = await rows(
        "SELECT b.id FROM boards b WHERE b.organization_id = ? AND b.deleted_at IS NULL AND (? OR EXISTS ("
        " SELECT 1 FROM organization_board_access x WHERE x.board_id = b.id AND x.organization_member_id = ?"
        " AND (x.can_read OR x.can_write))) ORDER BY LOWER(b.name), b.id LIMIT 2",
        member.organization_id,
        member.all_boards_read or member.all_boards_write,
        member.id,
    )
    if len(boards) != 1:
        return "/"
    asks = await rows("SELECT 1 FROM approvals WHERE board_id = ? AND status = 'pending' LIMIT 1", boards[0]["id"])
    return "/" if asks else f"/boards/{boards[0]['id']}"
