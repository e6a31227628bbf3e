"""Reading the inbox, with a wait that asks the database nothing."""

import asyncio
from typing import Any

from mission_control.authn.freshness import channel_of_agent, fresh
from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Invalid, Unauthenticated
from mission_control.inbox.commands import acknowledge
from mission_control.inbox.queries import delivery_position, unread
from mission_control.live import broker, channels


async def read_inbox(actor: Actor, after: int, limit: int, wait_seconds: float) -> dict[str, Any]:
    """Return the calling agent's notices after a number, and acknowledge those up to it.

    Wait for the first notice up to `wait_seconds`. Raise Unauthenticated when the token ends during the wait, and
    Invalid for a number that does not exist yet. A token that may only read acknowledges nothing.
    """
    if after and (actor.scopes is None or "work" in actor.scopes):
        await _acknowledge(actor, after)
    items = await _waited(actor, after, limit, wait_seconds)
    return {"items": items, "next": items[-1]["seq"] if items else after}


async def _acknowledge(actor: Actor, upto: int) -> None:
    newest, some = await delivery_position(actor, upto)
    if upto > newest:
        raise Invalid(ErrorCode.AFTER_UNKNOWN.detail(newest=newest))
    if some:
        await acknowledge(actor, upto)


async def _waited(actor: Actor, after: int, limit: int, seconds: float) -> list[dict[str, Any]]:
    now, own = asyncio.get_running_loop().time, channel_of_agent(actor.id)
    end = channels.end_of_wait(seconds)
    while True:
        with (
            channels.listening(f"inbox:{actor.id}") as notified,
            channels.listening(own) as changed,
        ):
            items = await unread(actor, after, limit)
            left = end - now()
            if items or left <= 0 or _is_stopping():
                return items
            await channels.notified_within(notified, left, changed)
        if changed.done() and await fresh(actor) is None:
            raise Unauthenticated()


def _is_stopping() -> bool:
    running = broker.current()
    return running is None or running.closing
