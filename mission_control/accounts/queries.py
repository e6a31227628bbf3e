"""Reads of accounts."""

from uuid import UUID

from mission_control.accounts.schemas import UserRead
from mission_control.core.errors import NotFound
from mission_control.database.sql import rows

PROFILE = f"SELECT {', '.join(UserRead.model_fields)} FROM users WHERE id = ?"


async def profile(user_id: UUID | None) -> UserRead:
    """Return a person as they see themselves; NotFound when the account is gone."""
    found = await rows(PROFILE, user_id)
    if not found:
        raise NotFound()
    return UserRead(**found[0])
