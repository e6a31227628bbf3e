"""Who a text mentions."""

import re
from collections.abc import Iterable

from mission_control.agents.models import Agent

MENTION = re.compile(r"(?<!\w)@([A-Za-z][\w-]{0,31})")


def mentioned_names(text: str) -> set[str]:
    """Lower-cased names after `@`; an e-mail address mentions nobody."""
    return {found.lower() for found in MENTION.findall(text)}


def mentions(text: str, agent: Agent) -> bool:
    """Whether a text mentions an agent: `@lead` for the lead, else its full name or its first word."""
    names = mentioned_names(text)
    if "lead" in names and agent.is_board_lead:
        return True
    own = agent.name.lower()
    first_word = own.split()[0] if own.split() else own
    return bool((names - {"lead"}) & {own, first_word})


def mentioned(text: str, agents: Iterable[Agent]) -> list[Agent]:
    """The agents that a text mentions."""
    return [agent for agent in agents if mentions(text, agent)]
