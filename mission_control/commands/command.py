"""Commands: every change of state is one function, one transaction, and the events it records."""

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate

from mission_control.commands.transaction import atomically
from mission_control.core.actor import Actor
from mission_control.core.policy import RULES, require

COMMANDS: dict[str, str] = {}


def command[**P, R](
    verb: str,
) -> Callable[[Callable[Concatenate[Actor, P], Awaitable[R]]], Callable[Concatenate[Actor, P], Coroutine[Any, Any, R]]]:
    """Make a function a command: ask the verb's rule with the first thing, then run it in a transaction."""
    if verb not in RULES:
        raise RuntimeError(f"The verb {verb} has no rule.")

    def decorate(
        function: Callable[Concatenate[Actor, P], Awaitable[R]],
    ) -> Callable[Concatenate[Actor, P], Coroutine[Any, Any, R]]:
        COMMANDS[f"{function.__module__}.{function.__name__}"] = verb
        takes_thing = len(inspect.signature(function).parameters) > 1

        @functools.wraps(function)
        async def run(actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
            require(actor, verb, args[0] if takes_thing and args else None)
            return await atomically(actor, lambda: function(actor, *args, **kwargs))

        return run

    return decorate
