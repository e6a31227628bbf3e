"""The contents of one's own pages of the settings: profile, sessions and tokens."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from quart import current_app

from mission_control.accounts.models import Session, Token, User
from mission_control.accounts.provider_links import is_linked, link_ticket
from mission_control.core import clock
from mission_control.core.actor import Actor

BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Browser:
    """A signed-in browser."""

    name: str
    is_this: bool
    created_at: datetime
    expires_at: datetime


async def settings_context(actor: Actor) -> dict[str, Any]:
    """Return the context of one's own pages of the settings."""
    user = await User.get(id=actor.id)
    return {
        "user": user,
        "profile": {"name": user.name, "preferred_name": user.preferred_name, "timezone": user.timezone},
        "zones": sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC"),
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
    sessions = await Session.filter(user_id=user.id, expires_at__gt=clock.now()).order_by("-created_at")
    mine = actor.credential[1]
    found = [Browser(device(one.user_agent), one.id == mine, one.created_at, one.expires_at) for one in sessions]
    return sorted(found, key=lambda one: not one.is_this)


def device(user_agent: str | None) -> str:
    """Return a browser's name for people: `Firefox on Linux`."""
    text = user_agent or ""
    browser = next((name for mark, name in BROWSERS if mark in text), "")
    system = next((name for mark, name in SYSTEMS if mark in text), "")
    plain = re.split(r"[/ ]", text, maxsplit=1)[0][:40]
    return " on ".join(part for part in (browser or plain or "Unknown browser", system) if part)
