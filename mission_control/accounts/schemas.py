"""Schemas of the operations on people."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel

from mission_control.accounts.models import User


class UserUpdate(BaseModel):
    """Which fields of one's own profile to change; null clears, absent leaves."""

    name: str | None = None
    preferred_name: str | None = None
    pronouns: str | None = None
    timezone: str | None = None
    notes: str | None = None
    context: str | None = None


class UserRead(BaseModel):
    """A person, as they see themselves."""

    clerk_user_id: str
    email: str | None
    name: str | None
    preferred_name: str | None
    pronouns: str | None
    timezone: str | None
    notes: str | None
    context: str | None
    id: UUID
    is_super_admin: bool

    @classmethod
    def of(cls, user: User) -> "UserRead":
        """Return the schema of a person."""
        values: dict[str, Any] = {name: getattr(user, name) for name in cls.model_fields}
        return cls(**values)
