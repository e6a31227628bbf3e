"""Reactions: changes in the same transaction because of what was recorded."""

from collections.abc import Awaitable, Callable

from mission_control.commands.unit_of_work import unit_of_work
from mission_control.core.actor import Actor
from mission_control.live.log import NewEvent

REACTIONS: dict[str, list[Callable[[Actor, NewEvent], Awaitable[None]]]] = {}


async def react() -> None:
    """Run the reactions to everything recorded so far; a command calls it before it removes what they need."""
    unit = unit_of_work()
    while unit.reacted < len(unit.events):
        event = unit.events[unit.reacted]
        unit.reacted += 1
        for reaction in REACTIONS.get(event.kind, ()):
            await reaction(unit.actor, event)


def reacts_to(
    *kinds: str,
) -> Callable[[Callable[[Actor, NewEvent], Awaitable[None]]], Callable[..., Awaitable[None]]]:
    """Call a function in the same transaction whenever an event of one of these kinds was recorded."""

    def register(function: Callable[[Actor, NewEvent], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        for kind in kinds:
            REACTIONS.setdefault(kind, []).append(function)
        return function

    return register
