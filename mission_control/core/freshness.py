"""Whether somebody who was let in still may: streams ask at every batch."""

import time
from dataclasses import replace
from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.credentials import is_over, leads, user_actor
from mission_control.core.token_scopes import granted
from mission_control.database.sql import as_id, as_json, as_moment, rows

FRESH_SECONDS = 1.0
KEPT = 10_000

_fresh: dict[tuple[str, UUID | None], tuple[float, Actor | None]] = {}


async def fresh(actor: Actor) -> Actor | None:
    """The same caller as they are now, or None when the session, token or account has ended.

    An answer is reused for up to a second.
    """
    if actor.credential[0] == "provider" and is_over(actor.expires_at):
        return None
    key = (actor.kind, actor.credential[1] or actor.id)
    known = _fresh.get(key)
    if known is not None and time.monotonic() - known[0] < FRESH_SECONDS:
        return known[1]
    if len(_fresh) > KEPT:
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
    if not found or is_over(found[0]["expires_at"]) or actor.id is None:
        return None
    current = await user_actor(actor.id, actor.credential)
    return replace(current, expires_at=actor.expires_at) if current else None


async def _fresh_agent(actor: Actor) -> Actor | None:
    found = await rows(
        "SELECT t.expires_at, t.scopes, a.board_id, a.is_board_lead FROM tokens t JOIN agents a ON a.id = t.agent_id"
        " LEFT JOIN boards b ON b.id = a.board_id"
        " WHERE t.id = ? AND t.revoked_at IS NULL AND b.deleted_at IS NULL",
        actor.credential[1],
    )
    if not found or is_over(found[0]["expires_at"]):
        return None
    row = found[0]
    scopes = granted(as_json(row["scopes"]))
    is_lead = leads(row["is_board_lead"], scopes)
    return replace(
        actor,
        board_id=as_id(row["board_id"]),
        is_lead=is_lead,
        expires_at=as_moment(row["expires_at"]),
        scopes=scopes,
    )
