"""Rights: one rule per verb, asked by commands (`require`) and templates (`can`). Rules do no I/O."""

from collections.abc import Callable, Mapping
from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.errors import Forbidden

Rule = Callable[[Actor, Any], bool]

# The rules of the installed features, by verb.
RULES: dict[str, Rule] = {}


class Rules(dict[str, Rule]):
    """The rules of one module, by verb. Its feature names the object, and `install()` makes them count."""

    def rule(self, verb: str) -> Callable[[Rule], Rule]:
        """Declare who may do `verb` to a thing."""

        def declare(function: Rule) -> Rule:
            if verb in self:
                raise RuntimeError(f"The verb {verb} has two rules.")
            self[verb] = function
            return function

        return declare


def install_rules(rules: Mapping[str, Rule]) -> None:
    """Make a module's rules count; raises RuntimeError when a verb has a rule already."""
    for verb, function in rules.items():
        if verb in RULES:
            raise RuntimeError(f"The verb {verb} has two rules.")
        RULES[verb] = function


def can(actor: Actor, verb: str, thing: object = None) -> bool:
    """Return whether the actor may; raises KeyError for an unknown verb, which is a programming error."""
    return actor.kind == "system" or RULES[verb](actor, thing)


def require(actor: Actor, verb: str, thing: object = None) -> None:
    """Refuse with 403 unless the actor may."""
    if not can(actor, verb, thing):
        raise Forbidden()
