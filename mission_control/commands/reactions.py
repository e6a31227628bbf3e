"""Reactions: changes in the same transaction because of what was recorded."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from mission_control.commands.unit_of_work import unit_of_work
from mission_control.core.actor import Actor
from mission_control.live.log import NewEvent

Reaction = Callable[[Actor, NewEvent], Awaitable[None]]

# The reactions of the installed features by kind, in the order in which they run.
REACTIONS: dict[str, list[Reaction]] = {}
ALL = ""  # the key of those to every kind


class Reactions(dict[str, list[Reaction]]):
    """The reactions of one module, by kind. Its feature names the object, and `install()` makes them run."""

    def to(self, *kinds: str) -> Callable[[Reaction], Reaction]:
        """Call the function in the same transaction whenever an event of one of these kinds is recorded."""

        def declare(function: Reaction) -> Reaction:
            for kind in kinds:
                self.setdefault(kind, []).append(function)
            return function

        return declare

    def to_all(self, function: Reaction) -> Reaction:
        """Call the function whenever anything is recorded, after those to its kind."""
        return self.to(ALL)(function)


def install_reactions(reactions: Mapping[str, Sequence[Reaction]]) -> None:
    """Let a module's reactions run after those installed before."""
    for kind, functions in reactions.items():
        REACTIONS.setdefault(kind, []).extend(functions)


async def react() -> None:
    """Run the reactions to everything recorded so far; a command calls it before it removes what they need."""
    unit = unit_of_work()
    while unit.reacted < len(unit.events):
        event = unit.events[unit.reacted]
        unit.reacted += 1
        for reaction in (*REACTIONS.get(event.kind, ()), *REACTIONS.get(ALL, ())):
            await reaction(unit.actor, event)
