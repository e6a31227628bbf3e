"""The tabs of an agent's page. Features above agents add theirs here, and cards to the overview."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from markupsafe import Markup

from mission_control.agents.models import Agent
from mission_control.agents.roster import Line, lines_of
from mission_control.agents.work_state import Directive, directive_of
from mission_control.core.actor import Actor
from mission_control.core.policy import can

ORDER = ("overview", "session", "inbox", "runs", "usage", "tokens", "soul", "activity", "gateway")
PAGE = 25


@dataclass(frozen=True, slots=True)
class Viewed:
    """An agent as somebody sees it now, and what the address of the page asks for."""

    actor: Actor
    agent: Agent
    line: Line
    directive: Directive
    args: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    async def by(cls, actor: Actor, agent: Agent, args: Mapping[str, str]) -> "Viewed":
        """Look at an agent."""
        line = (await lines_of([agent]))[agent.id]
        return cls(actor, agent, line, await directive_of(agent), args)

    @property
    def id(self) -> UUID:
        """The agent's id."""
        return self.agent.id

    @property
    def url(self) -> str:
        """Where the agent's page is."""
        return f"/agents/{self.agent.id}"

    @property
    def may_change(self) -> bool:
        """Whether the reader may change the agent, its tokens and its callback."""
        return can(self.actor, "agent.update", self.agent)

    @property
    def may_set_state(self) -> bool:
        """Whether the reader may pause and stop the agent."""
        return can(self.actor, "agent.set_work_state", self.agent)

    @property
    def may_limit(self) -> bool:
        """Whether the reader sets budgets."""
        return can(self.actor, "budget.manage", self.agent.organization_id)

    @property
    def offset(self) -> int:
        """How many lines of a list stand on the pages before."""
        text = self.args.get("from", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab: the end of its address, its word, its HTML, the card that the overview shows of it, and who has it."""

    key: str
    label: str
    render: Callable[[Viewed], Awaitable[str]]
    card: Callable[[Viewed], Awaitable[str]] | None = None
    applies: Callable[[Viewed], bool] = lambda viewed: True
    # For a tab that is a page of its own: where it is, "" for agents that have none.
    leads_to: Callable[[Viewed], str] | None = None

    def url(self, viewed: Viewed) -> str:
        """Where the tab is, "" when the agent does not have it."""
        if self.leads_to is not None:
            return self.leads_to(viewed)
        if not self.applies(viewed):
            return ""
        return viewed.url if self.key == "overview" else f"{viewed.url}/{self.key}"


# The tabs of the installed features, by key.
TABS: dict[str, Tab] = {}


async def cards_of(viewed: Viewed) -> dict[str, Markup]:
    """Return the cards of the overview, by the keys of their tabs."""
    shown = [tab for tab in TABS.values() if tab.card is not None and tab.applies(viewed)]
    return {tab.key: Markup(await tab.card(viewed)) for tab in shown if tab.card is not None}


def in_order(viewed: Viewed) -> list[Tab]:
    """The tabs that an agent has, from left to right."""
    return [TABS[key] for key in ORDER if key in TABS and TABS[key].url(viewed)]
