"""The contents of one's own pages of the settings: profile, sessions and tokens."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID
from zoneinfo import available_timezones

from quart import current_app

from mission_control.accounts.forms import ProfileForm
from mission_control.accounts.models import Token, User
from mission_control.accounts.provider_links import is_linked, link_ticket
from mission_control.accounts.queries import sessions_of
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.database.sql import rows


@dataclass(frozen=True, slots=True)
class Browser:
    """A signed-in browser."""

    id: UUID
    name: str
    address: str
    is_this: bool
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


def zones() -> list[str]:
    """Return the time zones that people choose from."""
    return sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")


async def settings_context(actor: Actor) -> dict[str, Any]:
    """Return the context of one's own pages of the settings."""
    user = await User.get(id=actor.id)
    return {
        "user": user,
        "profile": ProfileForm.shown(user),
        "zones": zones(),
        "browsers": await _browsers(actor, user),
        "tokens": await Token.filter(user_id=user.id, revoked_at=None).order_by("-created_at"),
        "now": clock.now(),
        "provider": _provider(actor, user),
    }


def _provider(actor: Actor, user: User) -> dict[str, Any]:
    """Return the identity provider's name (or ""), whether the account is linked, and a ticket to link it."""
    name, (kind, session_id) = current_app.config["SETTINGS"].sign_in_provider, actor.credential
    can_link = name and kind == "session" and session_id is not None and not is_linked(user)
    ticket = link_ticket(session_id, current_app.config["SECRET_KEY"]) if can_link and session_id else ""
    return {"name": name, "is_linked": is_linked(user), "ticket": ticket}


async def _browsers(actor: Actor, user: User) -> list[Browser]:
    found = [
        Browser(
            id=one.id,
            name=one.device,
            address=one.address or "",
            is_this=one.is_this,
            created_at=one.created_at,
            last_used_at=clock.now() if one.is_this else one.last_used_at,
            expires_at=one.expires_at,
        )
        for one in await sessions_of(actor, user)
    ]
    return sorted(found, key=lambda one: not one.is_this)


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of an organization when a person's account is deleted: it is left, it goes too, or it forbids it."""

    name: str
    kind: Literal["left", "deleted", "ownerless"]


async def fates_of(user: User) -> list[Fate]:
    """Return what becomes of a person's organizations with the account, those that forbid it first."""
    found = await rows(
        "SELECT o.name, m.role,"
        " (SELECT COUNT(*) FROM organization_members x WHERE x.organization_id = o.id) AS people,"
        " (SELECT COUNT(*) FROM organization_members x WHERE x.organization_id = o.id AND x.role = 'owner') AS owners"
        " FROM organization_members m JOIN organizations o ON o.id = m.organization_id WHERE m.user_id = ?"
        " ORDER BY LOWER(o.name), o.id",
        user.id,
    )
    fates = [Fate(row["name"], _fate(row["role"], int(row["people"]), int(row["owners"]))) for row in found]
    return sorted(fates, key=lambda one: ("ownerless", "deleted", "left").index(one.kind))


def _fate(role: str, people: int, owners: int) -> Literal["left", "deleted", "ownerless"]:
    if people == 1:
        return "deleted"
    return "ownerless" if role == "owner" and owners == 1 else "left"
