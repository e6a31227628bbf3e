"""How an invited person comes in: the mail, the link, the account, and where they land."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from quart import Quart

from mission_control.core import times
from mission_control.core.actor import Actor, Scope, system
from mission_control.core.errors import Conflict, Forbidden, NotFound, existing
from mission_control.core.limits import unknown_tokens
from mission_control.core.secrets import decrypt
from mission_control.core.values import fingerprint, new_id
from mission_control.database.sql import rows
from mission_control.http.proxies import client_ip, rate_limit_key
from mission_control.log.commands import command
from mission_control.log.event_log import Kind
from mission_control.log.leases import Delivery
from mission_control.log.unit_of_work import deliver, record
from mission_control.people.access import level, role_of
from mission_control.people.account_commands import user_by_email
from mission_control.people.account_log import record_account
from mission_control.people.credentials import hash_password
from mission_control.people.entrance import Letter, begin_session, passwords_are_for_owners, send_letter
from mission_control.people.models import Invite, Member, Organization, User
from mission_control.people.organization_commands import join
from mission_control.people.organization_pages import JoinForm
from mission_control.people.organization_queries import InvitationMail
from mission_control.work import loop
from mission_control.work.loop import GiveUp, Send, Sender, retry

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

    organization_name: str
    inviter: str
    email: str
    role: str
    reach: str
    state: Literal["open", "used", "expired"]
    has_account: bool


async def opened(token: str) -> Opened:
    """Return the invitation behind a link. An unknown one counts against the address, like an unknown token."""
    invite = await Invite.get_or_none(fingerprint=fingerprint(token))
    if invite is None:
        key = rate_limit_key(client_ip())
        unknown_tokens.check(key)
        unknown_tokens.failed(key)
        raise NotFound(DEAD_LINK)
    return await described(invite)


async def described(invite: Invite) -> Opened:
    """Return an invitation as the person whom it is for reads it."""
    inviter = await User.get_or_none(id=invite.created_by_user_id) if invite.created_by_user_id else None
    is_over = invite.expires_at <= times.clock_now()
    return Opened(
        organization_name=(await Organization.get(id=invite.organization_id)).name,
        inviter=inviter.display_name if inviter else "",
        email=invite.invited_email,
        role=invite.role,
        reach=await _reach(invite),
        state="used" if invite.accepted_at is not None else "expired" if is_over else "open",
        has_account=await user_by_email(invite.invited_email) is not None,
    )


async def _reach(invite: Invite) -> str:
    """Return a sentence about the boards that the invitation shares."""
    everywhere = "write" if invite.role != "member" else level(invite.all_boards_read, invite.all_boards_write)
    if everywhere != "none":
        return f"You can {'change' if everywhere == 'write' else 'read'} all of its boards."
    found = await rows(
        "SELECT b.name, x.can_write FROM organization_invite_board_access x JOIN boards b ON b.id = x.board_id"
        " WHERE x.organization_invite_id = ? AND b.deleted_at IS NULL ORDER BY LOWER(b.name), b.id",
        invite.id,
    )
    said = [
        f"{verb} {_named(names)}"
        for verb, names in (
            ("change", [row["name"] for row in found if row["can_write"]]),
            ("read", [row["name"] for row in found if not row["can_write"]]),
        )
        if names
    ]
    return f"You can {' and '.join(said)}." if said else ""


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
    if invite.accepted_at is not None or invite.expires_at <= times.clock_now():
        raise Conflict(USED if invite.accepted_at is not None else EXPIRED)
    if await user_by_email(invite.invited_email):
        raise Conflict(HAS_ACCOUNT)
    user = await User.create(
        clerk_user_id=f"local-{new_id().hex}",
        email=invite.invited_email,
        name=form.name,
        timezone=form.timezone,
        password_hash=password_hash,
    )
    await record_account("account.created", user.id, organization_id=invite.organization_id, role=invite.role)
    return await join(user, invite), user


KIND = "invitation_mail"
ABOUT = "an invitation by mail"
PAUSE = timedelta(minutes=1)
ROLES = {"owner": "an owner", "admin": "an admin"}
NO_SERVER = "No mail is sent from here: its operator has set no mail server (SMTP_URL). Hand over the link."
OVER = "This invitation was used or has expired. Invite the person again."
ON_ITS_WAY = "A mail for this invitation is on its way."
JUST_SENT = "A mail was sent a moment ago. Wait a minute before you send another."
ONLY_OWNERS = "Only an owner can send an invitation for an owner."


async def mails_of(invites: Sequence[Invite]) -> dict[UUID, InvitationMail]:
    """Return the last mails of some invitations, by invitation."""
    wanted = {one.mail_delivery_id: one.id for one in invites if one.mail_delivery_id is not None}
    found = await Delivery.filter(id__in=list(wanted)) if wanted else []
    return {
        wanted[one.id]: InvitationMail.model_validate(
            {"state": one.state, "attempts": one.attempts, "error": one.last_error, "sent_at": one.sent_at}
        )
        for one in found
    }


@command("invite.mail")
async def mail_invite(actor: Actor, invite: Invite) -> Invite:
    """Send an invitation by mail. Used or expired, or a mail is on its way or was just sent: Conflict."""
    held = await existing(Invite.select_for_update().get_or_none(id=invite.id))
    if held.role == "owner" and role_of(actor, held.organization_id) != "owner":
        raise Forbidden(ONLY_OWNERS)
    if held.accepted_at is not None or held.expires_at <= times.clock_now() or not held.encrypted_token:
        raise Conflict(OVER)
    await _refuse_haste(held)
    held.mail_delivery_id = deliver(
        KIND,
        Scope(held.organization_id, subject_id=held.id),
        header=ABOUT,
        text="",  # written when it is sent: what is stored holds no link
        invite_id=str(held.id),
        succeeded="invite.mailed",
        failed="invite.mail_failed",
        event={"invite_id": str(held.id)},
    ).id
    await held.save(update_fields=["mail_delivery_id"])
    record("invite.mail_requested", held, "An invitation is sent by mail.")
    return held


async def _refuse_haste(invite: Invite) -> None:
    last = await Delivery.get_or_none(id=invite.mail_delivery_id) if invite.mail_delivery_id else None
    if last is not None and last.state in ("waiting", "sending"):
        raise Conflict(ON_ITS_WAY)
    if last is not None and last.sent_at is not None and last.sent_at > times.clock_now() - PAUSE:
        raise Conflict(JUST_SENT)


async def mail_again(actor: Actor, invite: Invite) -> None:
    """Send an invitation by mail, also one whose mail was given up: that one is tried again."""
    last = await Delivery.get_or_none(id=invite.mail_delivery_id, state="failed") if invite.mail_delivery_id else None
    if last is None:
        await mail_invite(actor, invite)
    else:
        await retry(actor, last)


@loop.senders
def senders(app: Quart) -> list[Sender]:
    """Return who sends invitations; nobody where no mail server is set."""
    return [Sender(KIND, _sender(app))] if app.config["SETTINGS"].smtp_url else []


def _sender(app: Quart) -> Send:
    async def send(delivery: Delivery) -> None:
        invite = await Invite.get_or_none(id=UUID(delivery.data["invite_id"]))
        if invite is None or invite.accepted_at is not None or invite.expires_at <= times.clock_now():
            raise GiveUp("The invitation was used, was revoked or has expired.")
        token = decrypt(invite.encrypted_token, app.config["SECRET_KEY"]) if invite.encrypted_token else ""
        if not token:
            raise GiveUp("The link of this invitation cannot be read any longer. Invite the person again.")
        link = f"{app.config['SETTINGS'].base_url}/invitations/{token}"
        await send_letter(app, delivery.id, await letter(invite, link))

    return send


async def letter(invite: Invite, link: str) -> Letter:
    """Return the mail of an invitation: who invites to what, as what, and until when."""
    about = await described(invite)
    inviter = await User.get_or_none(id=invite.created_by_user_id) if invite.created_by_user_id else None
    who = about.inviter or "Somebody"
    address = f" ({inviter.email})" if inviter and inviter.email and inviter.email != who else ""
    place, role = about.organization_name, ROLES.get(invite.role, "a member")
    return Letter(
        to=invite.invited_email,
        subject=f"{who} invites you to {place}",
        paragraphs=[
            f"{who}{address} invites you to {place} on Mission Control, as {role}. {about.reach}".strip(),
            "Mission Control is where people and AI agents share boards: agents do tasks, people plan and decide.",
        ],
        link=link,
        label=f"Join {place}",
        notes=[
            f"The link works once, for {invite.invited_email}, until {day(invite.expires_at)}.",
            "If you did not expect this, leave it: nothing happens.",
        ],
    )


def day(moment: datetime) -> str:
    """Return a day as people read it, such as 10 December 2026."""
    return f"{moment.day} {moment:%B %Y}"


START = "/"


async def first_place(member: Member) -> str:
    """Return the one board that a new member reaches; the start page where something waits, or none or several are."""
    found = await rows(
        "SELECT b.id FROM boards b WHERE b.organization_id = ? AND b.deleted_at IS NULL AND (? OR EXISTS ("
        " SELECT 1 FROM organization_board_access x WHERE x.board_id = b.id AND x.organization_member_id = ?"
        " AND (x.can_read OR x.can_write))) ORDER BY LOWER(b.name), b.id LIMIT 2",
        member.organization_id,
        member.all_boards_read or member.all_boards_write,
        member.id,
    )
    return f"/boards/{found[0]['id']}" if len(found) == 1 and not await _asks(found[0]["id"]) else START


async def _asks(board_id: object) -> bool:
    return bool(await rows("SELECT 1 FROM approvals WHERE board_id = ? AND status = 'pending' LIMIT 1", board_id))
