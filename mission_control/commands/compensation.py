"""Compensating actions: they take a change back when its caller left without the answer.

A server of a call that its client can cancel opens a `Compensations` for it. A command that must not outlive such a
client (a claim: the task would be held by nobody) registers how to take itself back.
"""

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar

from mission_control.commands.transaction import uncancelled

type Action = Callable[[], Awaitable[None]]


class Compensations:
    """The actions of one call. An action that is registered after the client left runs at once."""

    def __init__(self) -> None:
        self._actions: list[Action] = []
        self._is_abandoned = False

    async def register(self, action: Action) -> None:
        """Run an action when the client leaves without the answer."""
        self._actions.append(action)
        if self._is_abandoned:
            await self.run()

    async def run(self) -> None:
        """Take back what was changed for a client that left; each action runs once."""
        self._is_abandoned = True
        while self._actions:
            await uncancelled(_awaited(self._actions.pop()))


async def _awaited(action: Action) -> None:
    await action()


_current: ContextVar[Compensations | None] = ContextVar("compensations", default=None)


@contextlib.contextmanager
def compensated(actions: Compensations) -> Iterator[None]:
    """Let what runs in this context register its actions here."""
    token = _current.set(actions)
    try:
        yield
    finally:
        _current.reset(token)


async def on_abandonment(action: Action) -> None:
    """Run an action when the client of the running call leaves without the answer; a no-op for every other caller."""
    if (actions := _current.get()) is not None:
        await actions.register(action)
