"""Reads of accounts."""

from uuid import UUID

from mission_control.accounts.access_schemas import SessionRead
from mission_control.accounts.devices import device
from mission_control.accounts.models import Session, User
from mission_control.accounts.schemas import UserRead
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.database.sql import rows

PROFILE = f"SELECT {', '.join(UserRead.model_fields)} FROM users WHERE id = ?"


async def profile(user_id: UUID | None) -> UserRead:
    """Return a person as they see themselves; NotFound when the account is gone."""
    found = await rows(PROFILE, user_id)
    if not found:
        raise NotFound()
    return UserRead(**found[0])


async def own_account(actor: Actor) -> User:
    """Return the account of the person who calls."""
    return await User.get(id=actor.id)


async def sessions_of(actor: Actor, user: User) -> list[SessionRead]:
    """Return the signed-in browsers of a person, the one used last first."""
    kind, mine = actor.credential
    found = await Session.filter(user_id=user.id, expires_at__gt=clock.now()).order_by("-last_seen_at", "-created_at")
    return [
        SessionRead(
            id=one.id,
            device=device(one.user_agent),
            user_agent=one.user_agent,
            address=one.address,
            created_at=one.created_at,
            last_used_at=one.last_seen_at,
            expires_at=one.expires_at,
            is_this=kind == "session" and one.id == mine,
        )
        for one in found
    ]
