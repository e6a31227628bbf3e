"""Rights: one rule per verb, asked by commands (`require`) and templates (`can`). Rules do no I/O."""

from collections.abc import Callable
from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.errors import Forbidden

Rule = Callable[[Actor, Any], bool]
RULES: dict[str, Rule] = {}


def rule(verb: str) -> Callable[[Rule], Rule]:
    """Register who may do `verb` to a thing."""

    def register(function: Rule) -> Rule:
        if verb in RULES:
            raise RuntimeError(f"The verb {verb} has two rules.")
        RULES[verb] = function
        return function

    return register


def can(actor: Actor, verb: str, thing: Any = None) -> bool:
    """Whether the actor may; an unknown verb is a programming error and raises KeyError."""
    return actor.kind == "system" or RULES[verb](actor, thing)


def require(actor: Actor, verb: str, thing: Any = None) -> None:
    """Refuse with 403 unless the actor may."""
    if not can(actor, verb, thing):
        raise Forbidden()
