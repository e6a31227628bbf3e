"""An agent's page: its head, its banner and its tabs, to which features add theirs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from quart import Response

from mission_control.agents.holds.needs import HoldAsk, asks_about
from mission_control.agents.models import Agent
from mission_control.agents.queries import reachable_agent, visible_agents
from mission_control.agents.roster import Line, lines_of
from mission_control.agents.work_state import Directive, directive_of
from mission_control.core.actor import Actor, can, require
from mission_control.core.errors import NotFound
from mission_control.core.values import whole_number
from mission_control.events.broker import News
from mission_control.events.models import Event
from mission_control.web.actions import action
from mission_control.web.regions import Concerns, Reads
from mission_control.web.shell import signed_in
from mission_control.web.tabs import TabbedPage

AGENT = "/agents/<uuid:agent_id>"
PAGE = 25
DELETED = "This agent was deleted while the page was open. Nothing was saved."


@dataclass(frozen=True, slots=True)
class Viewed:
    """An agent as somebody sees it now, and what the address of the page asks for."""

    actor: Actor
    agent: Agent
    line: Line
    directive: Directive
    args: Mapping[str, str]
    may_change: bool  # the agent, its tokens and its callback
    may_set_state: bool
    may_limit: bool
    ask: HoldAsk | None

    @property
    def id(self) -> UUID:
        return self.agent.id

    @property
    def url(self) -> str:
        return f"/agents/{self.agent.id}"

    @property
    def offset(self) -> int:
        """How many lines of a list stand on the pages before."""
        return whole_number(self.args.get("from"), 8) or 0


async def on_agent(agent_id: UUID, verb: str = "agent.read", **_: UUID) -> tuple[Actor, Agent]:
    """Return the person who asks, in the organization of an agent that exists for them, and the agent."""
    actor = await signed_in()
    agent = await reachable_agent(actor, agent_id)
    require(actor, verb, agent)
    return replace(actor, organization_id=agent.organization_id), agent


async def agent_of_page(actor: Actor, agent_id: UUID, **ids: UUID) -> Agent:
    """Return the agent that the address of an action names; it may belong to any organization of the person."""
    return await reachable_agent(actor, agent_id)


async def _see(actor: Actor, agent: Agent, args: Mapping[str, str]) -> Viewed:
    line = (await lines_of([agent]))[agent.id]
    asks_of = await asks_about(actor, [line.hold])
    return Viewed(
        actor,
        agent,
        line,
        await directive_of(agent),
        args,
        may_change=can(actor, "agent.update", agent),
        may_set_state=can(actor, "agent.set_work_state", agent),
        may_limit=can(actor, "budget.manage", agent.organization_id),
        ask=next(iter(asks_of.values()), None),
    )


async def _find(viewer: Actor, reads: Reads, agent_id: UUID) -> Agent | None:
    return await visible_agents(viewer).select_related("board").get_or_none(id=agent_id)


def concerns(agent: Agent | None, news: News) -> bool:
    """Return whether news may concern an agent; all concern the page of one that is gone.

    What happens to no board in particular concerns every agent; and each report may draw on a budget that several
    share.
    """
    if agent is None:
        return True
    if isinstance(news, Event):
        return news.board_id in (agent.board_id, None) or news.agent_id == agent.id
    return str(agent.id) in (news.get("agent_id"), news.get("inbox_of")) or "usage" in news


SIGNALS = ("agent_id", "inbox_of", "usage")
AGENT_PAGE = TabbedPage[Agent, Viewed](
    name="agent",
    template="agents/show.html",
    order=("overview", "session", "inbox", "runs", "usage", "tokens", "soul", "activity", "gateway"),
    parts={"head": "agents/head.html", "banner": "agents/banner.html", "tabs": "agents/head.html"},
    gone="banner",
    see=_see,
    find=_find,
    news=Concerns(("",), SIGNALS, lambda view, news: concerns(view.thing, news)),
)


async def stream_of_page(agent_id: UUID) -> Response:
    """Return the stream of the page of an agent that exists, or existed, for an admin."""
    actor = await signed_in()
    agent = await _find(actor, Reads(), agent_id)
    if agent is not None:
        require(actor, "agent.read", agent)
        actor = replace(actor, organization_id=agent.organization_id)
    else:
        was = Event.filter(organization_id=actor.organization_id, agent_id=agent_id, kind="agent.created")
        if not (can(actor, "agent.manage") and await was.exists()):
            raise NotFound()
    return await AGENT_PAGE.stream(actor, agent_id)


changes_agent = partial(action, at=agent_of_page, gone=DELETED)
