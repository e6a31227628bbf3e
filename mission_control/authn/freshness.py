"""Check whether a caller that was let in still may read: streams ask before every batch.

Many streams of a caller share one look-up (`lookups.py`), which is kept for a second at most and never beyond a change
of rights: when the command that makes one commits, every process drops all look-ups before it receives later
events, and a look-up that began before that moment is done again.
"""

import asyncio
import time
from dataclasses import replace
from uuid import UUID

from mission_control.authn import lookups
from mission_control.authn.lookups import Caller, is_over
from mission_control.commands.unit_of_work import notify_at_commit
from mission_control.core.actor import Actor

FRESH_SECONDS = 1.0
KEPT = 10_000
CHANNEL = "rights"

_fresh: dict[tuple[str, UUID | None], tuple[float, Caller | None]] = {}
_asked: dict[tuple[str, UUID | None], "asyncio.Future[Caller | None]"] = {}
_changes = 0


def channel_of_agent(agent_id: UUID | None) -> str:
    """Return the wake-up channel of changes to an agent, such as its token, its board or its state."""
    return f"agent:{agent_id}"


def channel_of_caller(actor: Actor) -> str:
    """Return the wake-up channel that is notified when what a caller may do has changed."""
    return channel_of_agent(actor.agent_id) if actor.is_agent else CHANNEL


async def fresh(actor: Actor) -> Actor | None:
    """Return the same caller as it is now, or None when the session, token or account has ended.

    A look-up is reused for up to a second, unless rights have changed; concurrent callers wait for it.
    """
    is_signed = actor.credential[0] == "provider"  # only the token itself says when it ends
    if is_signed and is_over(actor.expires_at):
        return None
    caller = await _caller(actor)
    if caller is None or caller.actor is None or is_over(caller.expires_at):
        return None
    ends = actor.expires_at if is_signed else caller.actor.expires_at
    same = (actor.credential, actor.surface, actor.fence, ends)
    current = caller.actor
    if same == (current.credential, current.surface, current.fence, current.expires_at):
        return current
    return replace(current, credential=actor.credential, surface=actor.surface, fence=actor.fence, expires_at=ends)


async def _caller(actor: Actor) -> Caller | None:
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


async def _ask(key: tuple[str, UUID | None], actor: Actor) -> Caller | None:
    while True:
        began = _changes
        current = await lookups.by_credential(actor.credential, actor.id)
        if began == _changes:  # else rights changed during the look-up, which may have read the old ones
            _fresh[key] = (time.monotonic(), current)
            return current


def recheck_streams() -> None:
    """Make streams check rights again: here immediately, in every process when the running command commits."""
    recheck_local_streams()
    notify_at_commit(CHANNEL)


def recheck_local_streams() -> None:
    """Make the streams of this process check rights again; called on every notification of the channel."""
    global _changes
    _changes += 1
    _fresh.clear()
