"""Link accounts to people of the identity provider: one's own after signing in, or by an invitation."""

from datetime import datetime, timedelta
from uuid import UUID

from itsdangerous import BadData, URLSafeTimedSerializer

from mission_control.accounts.commands import require_account_admin
from mission_control.accounts.log import record_account
from mission_control.accounts.models import InstanceSetting, PasswordReset, Session, Token, User
from mission_control.authn import lookups
from mission_control.commands.command import command
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.ids import parse_id
from mission_control.database.sql import rows

TICKET_SECONDS = 3600
INVITATION_LIFE = timedelta(days=14)
LOCAL = "local-"


def link_ticket(session_id: UUID, key: str) -> str:
    """Return a value that only this session's page shows, so that no other site can start linking."""
    return str(_serializer(key).dumps(str(session_id)))


def session_of_ticket(ticket: str, key: str) -> UUID | None:
    """Return the session that showed the ticket within the last hour."""
    try:
        return parse_id(_serializer(key).loads(ticket, max_age=TICKET_SECONDS))
    except BadData:
        return None


def _serializer(key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key, salt="mission control provider link")


def is_linked(user: User) -> bool:
    """Return whether the account is linked to a person of the identity provider."""
    return not user.clerk_user_id.startswith(LOCAL)


async def is_in_use(user: User) -> bool:
    """Return whether the account has a password, a session or a token."""
    if user.password_hash:
        return True
    found = await rows(
        "SELECT 1 AS found FROM sessions WHERE user_id = ? AND expires_at > ? UNION ALL"
        " SELECT 1 FROM tokens WHERE user_id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)"
        " LIMIT 1",
        user.id,
        clock.now(),
        user.id,
        clock.now(),
    )
    return bool(found)


@command("account.invite_link")
async def invite_to_link(actor: Actor, user: User) -> None:
    """Allow the verified owner of the account's address to link the account within 14 days."""
    if actor.is_user:
        await require_account_admin(actor, user)
    until = (clock.now() + INVITATION_LIFE).isoformat()
    await InstanceSetting.filter(name=_name(user.id)).delete()
    await InstanceSetting.create(name=_name(user.id), value=until)
    await record_account("account.link_invited", user.id)


async def is_invited(user: User) -> bool:
    found = await InstanceSetting.get_or_none(name=_name(user.id))
    return found is not None and datetime.fromisoformat(found.value) > clock.now()


def _name(user_id: UUID) -> str:
    return f"link:{user_id}"


async def take_over(user: User, subject: str) -> None:
    """Inside a command: link the account to the provider's person and end all other access to it."""
    await User.filter(id=user.id).update(clerk_user_id=subject, password_hash=None, updated_at=clock.now())
    sessions = await Session.filter(user_id=user.id).delete()
    tokens = await Token.filter(user_id=user.id, revoked_at=None).update(revoked_at=clock.now())
    await _linked(user, sessions, tokens)


async def link_own(user: User, subject: str, session_id: UUID) -> None:
    """Inside a command: link one's own account to the provider's person; other sessions end."""
    await User.filter(id=user.id).update(clerk_user_id=subject, updated_at=clock.now())
    await _linked(user, await Session.filter(user_id=user.id).exclude(id=session_id).delete(), 0)


async def _linked(user: User, sessions: int, tokens: int) -> None:
    await PasswordReset.filter(user_id=user.id, used_at=None).delete()
    await InstanceSetting.filter(name=_name(user.id)).delete()
    await record_account("account.linked", user.id, sessions_ended=sessions, tokens_ended=tokens)
    lookups.recheck_streams()
