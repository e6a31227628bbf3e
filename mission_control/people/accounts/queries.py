"""Read accounts, and the shapes of the operations on them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import existing
from mission_control.core.limits import PersonScope
from mission_control.core.values import Body, FromRow, Moment, Schema, example
from mission_control.database.sql import rows, select_one
from mission_control.events.commands import command
from mission_control.http.registry import lookup
from mission_control.people.accounts.credentials import MAXIMUM_LENGTH, MINIMUM_LENGTH, uncommon
from mission_control.people.accounts.names import device, person_name
from mission_control.people.models import Session, User


class UserUpdate(Schema):
    """Which fields of one's own profile to change; null clears, absent leaves."""

    name: str | None = None
    preferred_name: str | None = None
    pronouns: str | None = None
    timezone: str | None = None
    notes: str | None = None
    context: str | None = None
    away_until: Annotated[Moment | None, Field(description="Until when you are away; null when you are there")] = None
    stand_in_id: Annotated[
        UUID | None, Field(description="Who is asked meanwhile when you are asked by name; null: nobody")
    ] = None


class UserRead(FromRow):
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
    away_until: datetime | None
    stand_in_id: UUID | None


PROFILE = f"SELECT {', '.join(UserRead.model_fields)} FROM users WHERE id = ?"

TokenName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
NewPassword = Annotated[str, Field(min_length=MINIMUM_LENGTH, max_length=MAXIMUM_LENGTH), AfterValidator(uncommon)]
TypedPassword = Annotated[str, Field(min_length=1, max_length=MAXIMUM_LENGTH)]


class PasswordChange(Body):
    """A new password, proved by the current one."""

    model_config = Body.model_config | example(current="correct horse battery", password="seven blue wooden doors")

    current: TypedPassword
    password: NewPassword
    ends_tokens: Annotated[
        bool, Field(description="Revoke the personal tokens, and end devices and chats that reach the caller, too")
    ] = False


class PersonalTokenCreate(Body):
    """A personal token to create. Without `expires_at` it ends in 90 days; null: it does not end by itself.

    `read` only reads; `work` also changes tasks and memory, answers and decides; `admin` may all that you may.
    """

    model_config = Body.model_config | example(name="Release script", scopes=["work"])

    name: TokenName
    expires_at: Moment | None = None
    scopes: Annotated[list[PersonScope], Field(min_length=1, max_length=3)] = ["work"]


class PersonalTokenRead(FromRow):
    """A personal token without its secret."""

    id: UUID
    name: str
    prefix: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    scopes: list[PersonScope]


class PersonalTokenCreated(PersonalTokenRead):
    """A personal token just created; `token` is shown here and never again."""

    token: str


class SessionRead(FromRow):
    """A signed-in browser. `address` is where it signed in from; `is_this` marks the one that calls."""

    id: UUID
    device: str
    user_agent: str | None
    address: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    is_this: bool


class ResetLink(Schema):
    """A link for a new password, shown this once."""

    url: str


async def colleagues_of(actor: Actor) -> list[tuple[UUID, str]]:
    people = await rows(
        f"SELECT u.id, {person_name('u', 'User')} AS name FROM organization_members m JOIN users u ON u.id = m.user_id"
        " WHERE m.organization_id = ? AND u.id <> ? ORDER BY name, u.id LIMIT 500",
        actor.organization_id,
        actor.user_id,
    )
    return [(UUID(str(row["id"])), row["name"]) for row in people]


async def profile(user_id: UUID | None) -> UserRead:
    """Return a person as they see themselves; NotFound when the account is gone."""
    return await existing(select_one(UserRead, PROFILE, user_id))


@lookup
async def own_account(actor: Actor) -> User:
    return await User.get(id=actor.id)


async def sessions_of(actor: Actor, user: User) -> list[SessionRead]:
    """Return the signed-in browsers of a person, the one used last first."""
    kind, mine = actor.credential
    live = Session.filter(user_id=user.id, expires_at__gt=times.clock_now())
    return [
        SessionRead.of(
            session,
            device=device(session.user_agent),
            last_used_at=session.last_seen_at,
            is_this=(kind, mine) == ("session", session.id),
        )
        for session in await live.order_by("-last_seen_at", "-created_at")
    ]


@command("account.sign_in")
async def welcome(actor: Actor, user: User) -> bool:
    """Note that somebody is asked now; False when they were asked before."""
    return bool(await User.filter(id=user.id, welcomed_at=None).update(welcomed_at=times.clock_now()))
