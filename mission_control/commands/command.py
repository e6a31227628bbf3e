"""Commands: every change of state is one function, one transaction, and the events it records.

    @command("task.delete")
    async def delete_task(actor: Actor, task: Task) -> None: ...

A caller awaits `delete_task(actor, task)`. The rule of `task.delete` is asked first; 403 when it says no. Then the
function runs in a transaction, together with the reactions to the events that it records. A command that is called by
another one joins the transaction of that one, so several changes commit or fail together.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from types import FunctionType
from typing import Any, Concatenate

from mission_control.commands.transaction import atomically
from mission_control.core.actor import Actor
from mission_control.core.policy import require


def command[**P, R](
    verb: str,
) -> Callable[[Callable[Concatenate[Actor, P], Awaitable[R]]], Callable[Concatenate[Actor, P], Coroutine[Any, Any, R]]]:
    """Make a function a command of `verb`. Its first argument after the actor is the thing that the rule judges."""

    def decorate(
        function: Callable[Concatenate[Actor, P], Awaitable[R]],
    ) -> Callable[Concatenate[Actor, P], Coroutine[object, object, R]]:
        takes_thing = len(inspect.signature(function).parameters) > 1

        @functools.wraps(function)
        async def run(actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
            require(actor, verb, args[0] if takes_thing and args else None)
            return await atomically(actor, lambda: function(actor, *args, **kwargs))

        vars(run)["verb"] = verb  # read by `verb_of`: installing refuses a command whose verb has no rule
        return run

    return decorate


def verb_of(thing: object) -> str | None:
    """Return the verb of a command, None for everything else."""
    # By its exact type: a context-bound proxy of Quart cannot be asked anything outside of a request.
    return vars(thing).get("verb") if type(thing) is FunctionType else None
