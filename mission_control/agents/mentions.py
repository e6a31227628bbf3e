"""Find the agents that a text mentions."""

import re
from collections.abc import Iterable

from mission_control.agents.models import Agent

MENTION = re.compile(r"(?<!\w)@([A-Za-z][\w-]{0,31})")


def mentioned_names(text: str) -> set[str]:
    """Return the lower-cased names after `@`, without those in e-mail addresses."""
    return {found.lower() for found in MENTION.findall(text)}


def mentions(text: str, agent: Agent) -> bool:
    """Return whether a text mentions an agent: `@lead` for the lead, else its name or the first word of it."""
    names = mentioned_names(text)
    if "lead" in names and agent.is_board_lead:
        return True
    own = agent.name.lower()
    first_word = own.split()[0] if own.split() else own
    return bool((names - {"lead"}) & {own, first_word})


def mentioned(text: str, agents: Iterable[Agent]) -> list[Agent]:
    """Return the agents that a text mentions; `@Vega Two` is Vega Two and not also another Vega."""
    every = list(agents)
    return [agent for agent in every if mentions(_without_whole_names(text, agent, every), agent)]


def _without_whole_names(text: str, agent: Agent, every: list[Agent]) -> str:
    """Remove the whole names of other agents from a text."""
    names = sorted({one.name for one in every if " " in one.name}, key=len, reverse=True)
    if not names:
        return text
    own = agent.name.lower()
    whole = re.compile(rf"(?<!\w)@({'|'.join(map(re.escape, names))})(?!\w)", re.I)
    return whole.sub(lambda found: found[0] if found[1].lower() == own else "", text)
