"""Invitations by mail: asked for, sent by the delivery loop, and how the last one went."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from quart import Quart

from mission_control.accounts.letters import Letter, send_letter
from mission_control.accounts.models import User
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import deliver, record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Forbidden, NotFound
from mission_control.core.scope import Scope
from mission_control.core.secrets import decrypt
from mission_control.delivery.models import Delivery
from mission_control.organizations.entrance import described
from mission_control.organizations.models import Invite
from mission_control.organizations.policy import role_of
from mission_control.organizations.schemas import InvitationMail
from mission_control.sending.loop import GiveUp, Send, Sender
from mission_control.sending.settling import retry

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
    held = await Invite.select_for_update().get_or_none(id=invite.id)
    if held is None:
        raise NotFound()
    if held.role == "owner" and role_of(actor, held.organization_id) != "owner":
        raise Forbidden(ONLY_OWNERS)
    if held.accepted_at is not None or held.expires_at <= clock.now() or not held.encrypted_token:
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
    if last is not None and last.sent_at is not None and last.sent_at > clock.now() - PAUSE:
        raise Conflict(JUST_SENT)


async def mail_again(actor: Actor, invite: Invite) -> None:
    """Send an invitation by mail, also one whose mail was given up: that one is tried again."""
    last = await Delivery.get_or_none(id=invite.mail_delivery_id, state="failed") if invite.mail_delivery_id else None
    if last is None:
        await mail_invite(actor, invite)
    else:
        await retry(actor, last)


def senders(app: Quart) -> list[Sender]:
    """Return who sends invitations; nobody where no mail server is set."""
    return [Sender(KIND, _sender(app))] if app.config["SETTINGS"].smtp_url else []


def _sender(app: Quart) -> Send:
    async def send(delivery: Delivery) -> None:
        invite = await Invite.get_or_none(id=UUID(delivery.data["invite_id"]))
        if invite is None or invite.accepted_at is not None or invite.expires_at <= clock.now():
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
