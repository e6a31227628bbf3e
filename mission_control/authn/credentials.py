"""Credentials become Actors: tokens, the installation's own token, a provider's signed tokens, session cookies.

It reads the tables of accounts, organizations and agents by SQL of its own, because nothing here may import
a feature; a token costs one look-up by fingerprint and, for people, one for memberships.
"""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from quart import current_app
from quart_auth import current_user

from mission_control.authn import token_use
from mission_control.core import clock
from mission_control.core.actor import Actor, Membership
from mission_control.core.ids import fingerprint
from mission_control.core.token_scopes import granted
from mission_control.database.sql import as_id, as_json, as_moment, rows


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
    # Deletes an account at the identity provider, by its subject.
    delete_at_provider: Callable[[str], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A live token as the one look-up found it, with the agent that it belongs to, if it is an agent's."""

    id: UUID
    user_id: UUID | None
    agent_id: UUID | None
    requests_per_minute: int | None
    row: dict[str, Any]


hooks = Hooks()


async def known_token(secret: str) -> KnownToken | None:
    """The live token of a person or an agent behind a secret."""
    found = await rows(
        "SELECT t.id, t.user_id, t.agent_id, t.scopes, t.requests_per_minute, t.expires_at, t.last_used_at,"
        " a.name, a.organization_id, a.board_id, a.is_board_lead, a.last_seen_at"
        " FROM tokens t LEFT JOIN agents a ON a.id = t.agent_id LEFT JOIN boards b ON b.id = a.board_id"
        " WHERE t.fingerprint = ? AND t.revoked_at IS NULL AND b.deleted_at IS NULL",
        fingerprint(secret),
    )
    if not found or is_over(found[0]["expires_at"]):
        return None
    row = found[0]
    return KnownToken(_id(row["id"]), as_id(row["user_id"]), as_id(row["agent_id"]), row["requests_per_minute"], row)


async def user_of(token: KnownToken) -> Actor | None:
    """The person whose token it is."""
    if token.user_id is None:
        return None
    token_use.remember(token.id, as_moment(token.row["last_used_at"]))
    actor = await user_at_home(token.user_id, ("token", token.id))
    return replace(actor, scopes=granted(as_json(token.row["scopes"]))) if actor else None


async def agent_of(token: KnownToken, *, touches: bool = True) -> Actor | None:
    """The agent whose token it is, which is present now, as is noted when it `touches`."""
    if token.agent_id is None:
        return None
    token_use.remember(token.id, as_moment(token.row["last_used_at"]))
    scopes = granted(as_json(token.row["scopes"]))
    actor = Actor(
        "agent",
        token.agent_id,
        token.row["name"],
        _id(token.row["organization_id"]),
        board_id=as_id(token.row["board_id"]),
        is_lead=leads(token.row["is_board_lead"], scopes),
        credential=("token", token.id),
        expires_at=as_moment(token.row["expires_at"]),
        scopes=scopes,
    )
    if touches and hooks.agent_seen is not None:
        await hooks.agent_seen(actor, as_moment(token.row["last_seen_at"]))
    return actor


def leads(is_board_lead: Any, scopes: frozenset[str] | None) -> bool:
    """Whether an agent acts as its board's lead: it is the lead, and its token lets it act as one."""
    return bool(is_board_lead) and (scopes is None or "lead" in scopes)


async def agent_by_token(secret: str) -> Actor | None:
    """The agent behind a secret."""
    token = await known_token(secret)
    return await agent_of(token) if token is not None else None


async def user_without_row(secret: str) -> Actor | None:
    """The person behind the installation's LOCAL_AUTH_TOKEN or a token that the provider signed."""
    settings = current_app.config["SETTINGS"]
    local = settings.local_auth_token if settings.auth_mode == "local" else ""
    if local and hmac.compare_digest(local.encode(), secret.encode("utf-8", "surrogatepass")):
        return None if hooks.local_owner is None else await user_at_home(await hooks.local_owner(), ("local", None))
    if secret.count(".") != 2 or hooks.provider_token is None:
        return None
    known = await hooks.provider_token(secret)
    if known is None:
        return None
    actor = await user_at_home(known[0], ("provider", None))
    return replace(actor, expires_at=known[1]) if actor else None


async def live_session() -> tuple[UUID, UUID] | None:
    """The person and the session of the cookie that a browser sent, wherever the request came from."""
    secret = current_user.auth_id
    if not secret:
        return None
    found = await rows("SELECT id, user_id, expires_at FROM sessions WHERE fingerprint = ?", fingerprint(secret))
    if not found or is_over(found[0]["expires_at"]):
        return None
    return _id(found[0]["user_id"]), _id(found[0]["id"])


async def user_at_home(user_id: UUID, credential: tuple[Any, UUID | None]) -> Actor | None:
    """A person, who is given a place first when they belong nowhere."""
    actor = await user_actor(user_id, credential)
    if actor is None and hooks.homeless is not None:
        await hooks.homeless(user_id)
        actor = await user_actor(user_id, credential)
    return actor


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
    access = await _board_access(user_id) if any(not row["all_boards_write"] for row in found) else {}
    memberships = {_id(row["organization_id"]): _membership(row, access.get(_id(row["id"]), {})) for row in found}
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


async def _board_access(user_id: UUID) -> dict[UUID, dict[UUID, tuple[bool, bool]]]:
    """Which single boards a person reads and writes, by membership."""
    found = await rows(
        "SELECT x.organization_member_id, x.board_id, x.can_read, x.can_write FROM organization_board_access x"
        " JOIN organization_members m ON m.id = x.organization_member_id"
        " WHERE m.user_id = ? AND NOT m.all_boards_write",
        user_id,
    )
    access: dict[UUID, dict[UUID, tuple[bool, bool]]] = {}
    for row in found:
        boards = access.setdefault(_id(row["organization_member_id"]), {})
        boards[_id(row["board_id"])] = bool(row["can_read"]), bool(row["can_write"])
    return access


def _membership(row: dict[str, Any], boards: dict[UUID, tuple[bool, bool]]) -> Membership:
    return Membership(
        _id(row["id"]),
        _id(row["organization_id"]),
        row["organization_name"],
        row["role"],
        bool(row["all_boards_read"]),
        bool(row["all_boards_write"]),
        boards,
    )


def is_over(expires_at: Any) -> bool:
    """Whether a moment, given as a column's value, has come."""
    moment = as_moment(expires_at)
    return moment is not None and moment <= clock.now()


def _id(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))
