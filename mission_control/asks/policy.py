"""Rules for needs."""

from mission_control.asks.kinds import Asked, Key
from mission_control.core.actor import Actor
from mission_control.core.policy import Rules

rules = Rules()


@rules.rule("need.snooze")
@rules.rule("need.answer")
def may_answer_need(actor: Actor, asked: Key | Asked) -> bool:
    """People, whose need it is: they found it. Its answers ask the rules of their operations."""
    return actor.is_user
