"""Who is calling: a bearer token, an agent's token or a signed-in browser becomes an Actor.

It reads the tables of accounts, organizations and agents by SQL of its own, because nothing here may import
a feature; a request costs one look-up by fingerprint and, for people, one for memberships.
"""

import hmac
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from quart import current_app, g, request
from quart_auth import current_user

from mission_control.core import clock
from mission_control.core.actor import Actor, Membership
from mission_control.core.errors import Forbidden, Invalid, Unauthenticated
from mission_control.core.ids import fingerprint
from mission_control.core.limits import unknown_tokens
from mission_control.database.sql import as_id, as_moment, rows
from mission_control.web.proxies import client_ip

Who = Literal["user", "agent", "actor", "anyone"]
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
SEEN_AGAIN_AFTER = timedelta(seconds=60)
FRESH_SECONDS = 1.0


@dataclass(slots=True)
class Hooks:
    """What features add.

    The owner behind LOCAL_AUTH_TOKEN, a place for somebody who belongs nowhere, the person and the end of a token
    that the identity provider signed, and what an agent's call means for its presence.
    """

    local_owner: Callable[[], Awaitable[UUID]] | None = None
    homeless: Callable[[UUID], Awaitable[None]] | None = None
    provider_token: Callable[[str], Awaitable[tuple[UUID, datetime] | None]] | None = None
    agent_seen: Callable[[Actor, datetime | None], Awaitable[None]] | None = None


hooks = Hooks()
_fresh: dict[tuple[str, UUID | None], tuple[float, Actor | None]] = {}


async def authenticate(who: Who) -> Actor | None:
    """The caller, or None for `anyone` without credentials; 401 or 429 otherwise."""
    if who == "anyone":
        return None
    agent_header = request.headers.get("X-Agent-Token", "").strip()
    bearer = bearer_token()
    actor: Actor | None = None
    if who in ("agent", "actor") and agent_header:
        actor = await agent_by_token(agent_header)
    elif bearer:
        actor = await user_by_token(bearer) if who != "agent" else None
        if actor is None and who != "user":
            actor = await agent_by_token(bearer)
    elif who != "agent":
        actor = await user_by_session()
    if actor is None:
        refuse(presented=bool(bearer or agent_header))
    if actor.is_agent and (fence := _fence()) is not None:
        actor = replace(actor, fence=fence)
    g.actor = actor
    return actor


def refuse(*, presented: bool) -> None:
    """Answer 401, and 429 when the address keeps presenting unknown tokens."""
    if presented:
        unknown_tokens.check(client_ip())
        unknown_tokens.failed(client_ip())
    raise Unauthenticated()


def bearer_token() -> str:
    """The bearer token of the request, or an empty string."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def user_by_token(secret: str) -> Actor | None:
    """The person behind a personal token or the installation's LOCAL_AUTH_TOKEN."""
    settings = current_app.config["SETTINGS"]
    local = settings.local_auth_token if settings.auth_mode == "local" else ""
    if local and hmac.compare_digest(local.encode(), secret.encode("utf-8", "surrogatepass")):
        if hooks.local_owner is None:
            return None
        return await _at_home(await hooks.local_owner(), ("local", None))
    if secret.count(".") == 2:
        return await _user_by_provider(secret)
    found = await rows(
        "SELECT id, user_id, expires_at, last_used_at FROM tokens"
        " WHERE fingerprint = ? AND user_id IS NOT NULL AND revoked_at IS NULL",
        fingerprint(secret),
    )
    if not found or _is_over(found[0]["expires_at"]):
        return None
    await _touch_token(found[0])
    return await _at_home(_id(found[0]["user_id"]), ("token", _id(found[0]["id"])))


async def _user_by_provider(signed: str) -> Actor | None:
    known = await hooks.provider_token(signed) if hooks.provider_token is not None else None
    if known is None:
        return None
    actor = await _at_home(known[0], ("provider", None))
    return replace(actor, expires_at=known[1]) if actor else None


async def _at_home(user_id: UUID, credential: tuple[Any, UUID | None]) -> Actor | None:
    """A person, who is given a place first when they belong nowhere."""
    actor = await user_actor(user_id, credential)
    if actor is None and hooks.homeless is not None:
        await hooks.homeless(user_id)
        actor = await user_actor(user_id, credential)
    return actor


async def agent_by_token(secret: str) -> Actor | None:
    """The agent behind a token."""
    found = await rows(
        "SELECT t.id AS token_id, t.expires_at, t.last_used_at, t.id, a.id AS agent_id, a.name, a.organization_id,"
        " a.board_id, a.is_board_lead, a.last_seen_at FROM tokens t JOIN agents a ON a.id = t.agent_id"
        " LEFT JOIN boards b ON b.id = a.board_id"
        " WHERE t.fingerprint = ? AND t.revoked_at IS NULL AND b.deleted_at IS NULL",
        fingerprint(secret),
    )
    if not found or _is_over(found[0]["expires_at"]):
        return None
    row = found[0]
    await _touch_token(row)
    actor = Actor(
        "agent",
        _id(row["agent_id"]),
        row["name"],
        _id(row["organization_id"]),
        board_id=as_id(row["board_id"]),
        is_lead=bool(row["is_board_lead"]),
        credential=("token", _id(row["token_id"])),
    )
    if hooks.agent_seen is not None:
        await hooks.agent_seen(actor, as_moment(row["last_seen_at"]))
    return actor


def _fence() -> int | None:
    """The hand-out in whose name an agent writes, from `X-Task-Fence`."""
    text = request.headers.get("X-Task-Fence", "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid("X-Task-Fence is the whole number that the claim answered.")
    return int(text)


async def user_by_session() -> Actor | None:
    """The person whose browser sent a session cookie; unsafe requests must come from our own pages."""
    secret = current_user.auth_id
    if not secret:
        return None
    found = await rows("SELECT id, user_id, expires_at FROM sessions WHERE fingerprint = ?", fingerprint(secret))
    if not found or _is_over(found[0]["expires_at"]):
        return None
    if request.method not in SAFE_METHODS:
        require_same_origin()
    return await _at_home(_id(found[0]["user_id"]), ("session", _id(found[0]["id"])))


def require_same_origin() -> None:
    """Refuse an unsafe request that another site's page made in the name of a signed-in browser."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        allowed = site in ("same-origin", "none")
    else:
        origin = request.headers.get("Origin")
        allowed = origin is not None and urlsplit(origin).netloc == request.host
    if not allowed:
        raise Forbidden("This request did not come from a page of this server.")


async def user_actor(user_id: UUID, credential: tuple[Any, UUID | None]) -> Actor | None:
    """A person with everything they reach, or None when the account is gone or belongs nowhere."""
    found = await rows(
        "SELECT u.name, u.preferred_name, u.email, u.active_organization_id, m.id, m.organization_id, m.role,"
        " m.all_boards_read, m.all_boards_write, o.name AS organization_name FROM users u"
        " JOIN organization_members m ON m.user_id = u.id JOIN organizations o ON o.id = m.organization_id"
        " WHERE u.id = ? ORDER BY m.created_at",
        user_id,
    )
    if not found:
        return None
    memberships = {_id(row["organization_id"]): await _membership(row) for row in found}
    first = found[0]
    active = as_id(first["active_organization_id"])
    return Actor(
        "user",
        user_id,
        first["preferred_name"] or first["name"] or first["email"] or "User",
        active if active in memberships and active else next(iter(memberships)),
        memberships=memberships,
        credential=credential,
    )


async def _membership(row: dict[str, Any]) -> Membership:
    boards: dict[UUID, tuple[bool, bool]] = {}
    if not row["all_boards_write"]:
        access = await rows(
            "SELECT board_id, can_read, can_write FROM organization_board_access WHERE organization_member_id = ?",
            _id(row["id"]),
        )
        boards = {_id(one["board_id"]): (bool(one["can_read"]), bool(one["can_write"])) for one in access}
    return Membership(
        _id(row["id"]),
        _id(row["organization_id"]),
        row["organization_name"],
        row["role"],
        bool(row["all_boards_read"]),
        bool(row["all_boards_write"]),
        boards,
    )


async def fresh(actor: Actor) -> Actor | None:
    """The same caller as they are now, or None when the session, token or account has ended.

    For streams, which ask at every batch: an answer is reused for up to a second.
    """
    if _is_over(actor.expires_at):
        return None
    key = (actor.kind, actor.credential[1] or actor.id)
    known = _fresh.get(key)
    if known is not None and time.monotonic() - known[0] < FRESH_SECONDS:
        return known[1]
    if len(_fresh) > 10_000:
        _fresh.clear()
    current = await _fresh_agent(actor) if actor.is_agent else await _fresh_user(actor)
    _fresh[key] = (time.monotonic(), current)
    return current


def forget_fresh() -> None:
    """Make streams look again at once, after rights or credentials changed in this process."""
    _fresh.clear()


async def _fresh_user(actor: Actor) -> Actor | None:
    kind, credential_id = actor.credential
    if kind == "session":
        found = await rows("SELECT expires_at FROM sessions WHERE id = ?", credential_id)
    elif kind == "token":
        found = await rows("SELECT expires_at FROM tokens WHERE id = ? AND revoked_at IS NULL", credential_id)
    else:
        found = [{"expires_at": None}]
    if not found or _is_over(found[0]["expires_at"]) or actor.id is None:
        return None
    current = await user_actor(actor.id, actor.credential)
    return replace(current, expires_at=actor.expires_at) if current else None


async def _fresh_agent(actor: Actor) -> Actor | None:
    found = await rows(
        "SELECT t.expires_at, a.board_id, a.is_board_lead FROM tokens t JOIN agents a ON a.id = t.agent_id"
        " LEFT JOIN boards b ON b.id = a.board_id"
        " WHERE t.id = ? AND t.revoked_at IS NULL AND b.deleted_at IS NULL",
        actor.credential[1],
    )
    if not found or _is_over(found[0]["expires_at"]):
        return None
    return replace(actor, board_id=as_id(found[0]["board_id"]), is_lead=bool(found[0]["is_board_lead"]))


async def _touch_token(row: dict[str, Any]) -> None:
    used = as_moment(row["last_used_at"])
    if used is None or clock.now() - used > SEEN_AGAIN_AFTER:
        await rows("UPDATE tokens SET last_used_at = ? WHERE id = ?", clock.now(), _id(row["id"]))


def _is_over(expires_at: Any) -> bool:
    moment = as_moment(expires_at)
    return moment is not None and moment <= clock.now()


def _id(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))
