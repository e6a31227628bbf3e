"""Shapes of what leads into accounts: passwords, personal tokens, links."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from mission_control.accounts.models import Token
from mission_control.accounts.passwords import MAXIMUM_LENGTH, MINIMUM_LENGTH
from mission_control.accounts.tokens import EVERYTHING
from mission_control.core.schemas import Body, Moment, example
from mission_control.core.token_scopes import PersonScope

TokenName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
NewPassword = Annotated[str, Field(min_length=MINIMUM_LENGTH, max_length=MAXIMUM_LENGTH)]
TypedPassword = Annotated[str, Field(min_length=1, max_length=MAXIMUM_LENGTH)]


class PasswordChange(Body):
    """A new password, proved by the current one."""

    model_config = Body.model_config | example(current="correct horse battery", password="seven blue wooden doors")

    current: TypedPassword
    password: NewPassword
    ends_tokens: Annotated[bool, Field(description="Revoke the personal tokens, too")] = False


class PersonalTokenCreate(Body):
    """A personal token to create. Without `expires_at` it ends in 90 days; null: it does not end by itself.

    `read` only reads; `work` also changes tasks and memory, answers and decides; `admin` may all that you may.
    """

    model_config = Body.model_config | example(name="Release script", scopes=["work"])

    name: TokenName
    expires_at: Moment | None = None
    scopes: Annotated[list[PersonScope], Field(min_length=1, max_length=3)] = ["work"]


class PersonalTokenRead(BaseModel):
    """A personal token without its secret."""

    id: UUID
    name: str
    prefix: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    scopes: list[PersonScope]

    @classmethod
    def of(cls, token: Token) -> "PersonalTokenRead":
        """Return the answer for a token."""
        known = {name: getattr(token, name) for name in PersonalTokenRead.model_fields}
        return cls.model_construct(**known | {"scopes": token.scopes or [EVERYTHING]})


class PersonalTokenCreated(PersonalTokenRead):
    """A personal token just created; `token` is shown here and never again."""

    token: str

    @classmethod
    def of_new(cls, token: Token, secret: str) -> "PersonalTokenCreated":
        """Return the answer for a new token with its secret."""
        return cls.model_construct(**dict(PersonalTokenRead.of(token)), token=secret)


class SessionRead(BaseModel):
    """A signed-in browser. `address` is where it signed in from; `is_this` marks the one that calls."""

    id: UUID
    device: str
    user_agent: str | None
    address: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    is_this: bool


class ResetLink(BaseModel):
    """A link for a new password, shown this once."""

    url: str
