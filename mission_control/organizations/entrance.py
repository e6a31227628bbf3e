"""How an invited person comes in: read an invitation by its link, and make the account that it is for."""

from dataclasses import dataclass
from typing import Literal

from mission_control.accounts.commands import user_by_email
from mission_control.accounts.entrance import begin_session, passwords_are_for_owners
from mission_control.accounts.log import record_account
from mission_control.accounts.models import User
from mission_control.accounts.passwords import hash_password
from mission_control.commands.command import command
from mission_control.core import clock
from mission_control.core.actor import Actor, system
from mission_control.core.errors import Conflict, Forbidden, NotFound
from mission_control.core.ids import fingerprint, new_id
from mission_control.core.limits import unknown_tokens
from mission_control.database.sql import rows
from mission_control.http.proxies import client_ip, rate_limit_key
from mission_control.organizations.commands import NOWHERE
from mission_control.organizations.forms import JoinForm
from mission_control.organizations.invites import join
from mission_control.organizations.levels import level
from mission_control.organizations.models import Invite, Member, Organization

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
    is_over = invite.expires_at <= clock.now()
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
    member, user = await _sign_up(system(NOWHERE), token, form, await hash_password(form.password))
    await begin_session(user)
    return member


@command("account.set_up")
async def _sign_up(actor: Actor, token: str, form: JoinForm, password_hash: str) -> tuple[Member, User]:
    invite = await Invite.select_for_update().get_or_none(fingerprint=fingerprint(token))
    if invite is None:
        raise NotFound(DEAD_LINK)
    if invite.accepted_at is not None or invite.expires_at <= clock.now():
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
