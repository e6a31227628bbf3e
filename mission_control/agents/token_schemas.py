"""Shapes of agents' tokens."""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from mission_control.accounts.models import Token
from mission_control.core import clock
from mission_control.core.schemas import Body, Moment, NotNull
from mission_control.core.token_scopes import TokenScope

LONGEST_OVERLAP = 7 * 24 * 3600
SOON = timedelta(seconds=LONGEST_OVERLAP)
Scopes = Annotated[list[TokenScope], Field(min_length=1), AfterValidator(lambda given: list(dict.fromkeys(given)))]
TokenState = Literal["active", "expiring", "expired", "revoked"]
Budget = Annotated[int, Field(ge=1, le=100_000)]
TokenName = Annotated[str, Field(max_length=200)]
ABOUT_SCOPES = "read; work, which implies read; lead, which implies both and lets a lead act as one. null: all."
ABOUT_BUDGETS = "null: as many as the server grants to every agent."


class TokenCreate(Body):
    """A new token that replaces the live ones.

    A name, scopes or budget that is absent stays that of the replaced one.
    """

    overlap_seconds: int = Field(600, ge=0, le=LONGEST_OVERLAP)
    scopes: Scopes | None = Field(default=None, description=ABOUT_SCOPES)
    expires_at: Moment | None = None
    name: TokenName = ""
    requests_per_minute: Budget | None = Field(default=None, description=ABOUT_BUDGETS)


class TokenUpdate(Body):
    """What to change on a token; absent leaves. For `expires_at` null is never."""

    scopes: Scopes | None = Field(default=None, description=ABOUT_SCOPES)
    expires_at: Moment | None = None
    name: Annotated[TokenName | None, NotNull] = None
    requests_per_minute: Budget | None = Field(default=None, description=ABOUT_BUDGETS)


class TokenRenewal(Body):
    """How long the old token stays valid."""

    overlap_seconds: int = Field(600, ge=0, le=LONGEST_OVERLAP)


class TokenRead(BaseModel):
    """A token without its secret.

    `state`: `active`; `expiring`, when it ends within a week, as every replaced one does; `expired`; `revoked`.
    """

    id: UUID
    prefix: str
    scopes: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    name: str
    requests_per_minute: int | None
    state: TokenState

    @classmethod
    def of(cls, token: Token) -> "TokenRead":
        """As it is answered."""
        kept = {name: getattr(token, name) for name in cls.model_fields if name != "state"}
        return cls(**kept, state=state_of(token))


def state_of(token: Token) -> TokenState:
    """Whether a token lets in, and for how long."""
    if token.revoked_at is not None:
        return "revoked"
    if token.expires_at is None:
        return "active"
    left = token.expires_at - clock.now()
    if left <= timedelta(0):
        return "expired"
    return "expiring" if left <= SOON else "active"


class TokenCreated(BaseModel):
    """A token just made; the secret is shown here and never again."""

    id: UUID
    token: str
    prefix: str
    expires_at: datetime | None
    replaced_until: datetime | None
