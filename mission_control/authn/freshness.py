"""Whether somebody who was let in still may: streams ask at every batch.

An answer is kept for a second at most, and not beyond a change of rights: when the command that makes one commits,
every process forgets what it knew, and what was read before that moment is read anew.
"""

import asyncio
import time
from dataclasses import replace
from uuid import UUID

from mission_control.authn.credentials import is_over, leads, user_actor
from mission_control.commands.unit_of_work import notify_at_commit
from mission_control.core.actor import Actor
from mission_control.core.token_scopes import granted
from mission_control.database.sql import as_id, as_json, as_moment, rows
from mission_control.live import channels

FRESH_SECONDS = 1.0
KEPT = 10_000
CHANNEL = "rights"

_fresh: dict[tuple[str, UUID | None], tuple[float, Actor | None]] = {}
_asked: dict[tuple[str, UUID | None], "asyncio.Future[Actor | None]"] = {}
_changes = 0


async def fresh(actor: Actor) -> Actor | None:
    """The same caller as they are now, or None when the session, token or account has ended.

    An answer is reused for up to a second, unless rights have changed; who asks meanwhile waits for the same one.
    """
    if actor.credential[0] == "provider" and is_over(actor.expires_at):
        return None
    key = (actor.kind, actor.credential[1] or actor.id)
    known = _fresh.get(key)
    if known is not None and time.monotonic() - known[0] < FRESH_SECONDS:
        return known[1]
    if len(_fresh) > KEPT:
        _fresh.clear()
    if key not in _asked:
        _asked[key] = asyncio.ensure_future(_ask(key, actor))
        _asked[key].add_done_callback(lambda done: _asked.pop(key, None))
    return await asyncio.shield(_asked[key])


async def _ask(key: tuple[str, UUID | None], actor: Actor) -> Actor | None:
    while True:
        began = _changes
        current = await _fresh_agent(actor) if actor.is_agent else await _fresh_user(actor)
        if began == _changes:  # else rights changed while this looked, and it may have seen the old ones
            _fresh[key] = (time.monotonic(), current)
            return current


def forget_rights() -> None:
    """Make streams look again: at once, and in every process when the running command commits."""
    _forget()
    notify_at_commit(CHANNEL)


def _forget() -> None:
    global _changes
    _changes += 1
    _fresh.clear()


channels.on_notify(CHANNEL, _forget)


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
