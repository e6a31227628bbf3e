"""Bearer tokens of people and agents: create, show once, rotate with an overlap, revoke."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from mission_control.accounts.log import record_account
from mission_control.accounts.models import Token, User
from mission_control.authn import freshness
from mission_control.commands.command import command
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.ids import fingerprint, new_secret
from mission_control.core.token_scopes import PersonScope

PREFIX_LENGTH = 10
EVERYTHING: PersonScope = "admin"  # what a personal token without scopes may
USUAL_LIFE = timedelta(days=90)  # of a personal token, unless another end is named


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made; `secret` is never readable again."""

    row: Token
    secret: str
    replaced_until: datetime | None = None


@command("token.create_personal")
async def create_personal_token(
    actor: Actor, user: User, name: str, expires_at: datetime | None = None, scopes: list[str] | None = None
) -> NewToken:
    """Create a token that acts as the person, within the scopes; without any it may all that the person may."""
    made = await _make("mcu", name=name, expires_at=expires_at, user_id=user.id, scopes=scopes)
    await record_account("token.created", user.id, token_id=made.row.id, name=name, scopes=scopes or [EVERYTHING])
    return made


@command("token.revoke_personal")
async def revoke_personal_token(actor: Actor, token: Token) -> None:
    """End a token at once."""
    await Token.filter(id=token.id, revoked_at=None).update(revoked_at=clock.now())
    await record_account("token.revoked", token.user_id, token_id=token.id)
    freshness.recheck_streams()


async def make_agent_token(
    agent_id: UUID,
    *,
    overlap_seconds: int = 0,
    scopes: list[str] | None = None,
    expires_at: datetime | None = None,
    requests_per_minute: int | None = None,
    name: str = "",
) -> NewToken:
    """Inside a command: create a token for an agent; its active ones end after the overlap (0: at once)."""
    until = clock.now() + timedelta(seconds=overlap_seconds)
    replaced = await end_agent_tokens(agent_id, until)
    made = await _make(
        "mca",
        name=name,
        scopes=scopes,
        expires_at=expires_at,
        requests_per_minute=requests_per_minute,
        agent_id=agent_id,
    )
    return NewToken(made.row, made.secret, until if replaced else None)


async def end_agent_tokens(agent_id: UUID, moment: datetime) -> int:
    """End an agent's active tokens at a time, never later than they would expire. Return how many."""
    count = 0
    now = clock.now()
    for token in await Token.filter(agent_id=agent_id, revoked_at=None):
        if token.expires_at is not None and token.expires_at <= min(now, moment):
            continue
        if moment <= now:
            await Token.filter(id=token.id).update(revoked_at=now)
        elif token.expires_at is None or token.expires_at > moment:
            await Token.filter(id=token.id).update(expires_at=moment)
        count += 1
    freshness.recheck_streams()
    return count


async def _make(
    prefix: str,
    *,
    name: str,
    expires_at: datetime | None,
    user_id: UUID | None = None,
    agent_id: UUID | None = None,
    scopes: list[str] | None = None,
    requests_per_minute: int | None = None,
) -> NewToken:
    secret = new_secret(prefix)
    row = await Token.create(
        user_id=user_id,
        agent_id=agent_id,
        name=name,
        prefix=secret[:PREFIX_LENGTH],
        fingerprint=fingerprint(secret),
        scopes=scopes,
        requests_per_minute=requests_per_minute,
        expires_at=expires_at,
    )
    return NewToken(row, secret)
