"""An agent's page: what surrounds its tabs, and the stream that keeps both live."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from quart import Response, request

from mission_control.agents.models import Agent
from mission_control.agents.page_tabs import TABS, Viewed, in_order
from mission_control.agents.queries import reachable_agent, visible_agents
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.policy import can, require
from mission_control.live.broker import head_of
from mission_control.live.models import Event
from mission_control.web.fragments import render_macro
from mission_control.web.regions import Concerns, Reads, Region, View, live_page, rendered
from mission_control.web.shell import shell_page, signed_in

PAGE, HEAD, BANNER = "agent", "agents/head.html", "agents/banner.html"
LEFT = ("after", "tab")
DELETED = "This agent was deleted while the page was open. Nothing was saved."


async def on_agent(agent_id: UUID, verb: str = "agent.read") -> tuple[Actor, Agent]:
    """Return the person who asks, in the organization of an agent that exists for them, and the agent."""
    actor = await signed_in()
    agent = await reachable_agent(actor, agent_id)
    require(actor, verb, agent)
    return replace(actor, organization_id=agent.organization_id), agent


async def agent_of_page(actor: Actor, agent_id: UUID, **ids: UUID) -> Agent:
    """Return the agent that the address of an action names; it may belong to any organization of the person."""
    return await reachable_agent(actor, agent_id)


async def tab_page(agent_id: UUID, key: str) -> str:
    """Show one tab of an agent as a page."""
    actor, agent = await on_agent(agent_id)
    seq = await head_of(actor.organization_id)  # before everything that the page shows
    view = AgentView(actor=actor, agent_id=agent.id, agent=agent, key=key, args=request.args)
    viewed = await view.viewed()
    assert viewed is not None
    regions = await rendered(PAGE, view)
    live_url = f"{viewed.url}/live?{_live_query(key)}&after={seq}"
    return await shell_page(
        actor, "agents/show.html", active="agents", viewed=viewed, regions=regions, live_url=live_url
    )


def _live_query(key: str) -> str:
    kept = "".join(f"&{name}={value}" for name, value in request.args.items() if name not in LEFT and value.isalnum())
    return f"tab={key}{kept}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentView(View):
    """An agent's page with one of its tabs, as somebody sees it. An agent that was deleted since is None."""

    agent_id: UUID
    agent: Agent | None
    key: str
    args: Mapping[str, str]

    async def viewed(self) -> Viewed | None:
        """Return what the regions show; None for an agent that is gone, or no longer for the reader."""
        agent = self.agent
        if agent is None or not can(self.actor, "agent.read", agent):
            return None
        return await self.reads.get(
            ("agent", self.agent_id, self.actor.id, str(self.args)), lambda: Viewed.by(self.actor, agent, self.args)
        )


async def page_stream_of(agent_id: UUID) -> Response:
    """Return the stream of an agent's page. When the agent is deleted, the page says so and stays readable."""
    actor = await signed_in()
    key, args = request.args.get("tab", ""), request.args.to_dict()
    organization_id = await _home_of(actor, agent_id)

    async def look(viewer: Actor, reads: Reads) -> AgentView | None:
        if not viewer.administers(organization_id):
            return None
        found = await visible_agents(viewer).select_related("board").get_or_none(id=agent_id)
        return AgentView(
            actor=viewer, pages=(PAGE,), active="agents", reads=reads,
            agent_id=agent_id, agent=found, key=key if key in TABS else "overview", args=args,
        )  # fmt: skip

    return await live_page(replace(actor, organization_id=organization_id), look)


async def _home_of(actor: Actor, agent_id: UUID) -> UUID:
    """Return the organization of an agent that exists, or existed, for an admin."""
    agent = await visible_agents(actor).select_related("board").get_or_none(id=agent_id)
    if agent is not None:
        require(actor, "agent.read", agent)
        return agent.organization_id
    was = Event.filter(organization_id=actor.organization_id, agent_id=agent_id, kind="agent.created")
    if not (can(actor, "agent.manage") and await was.exists()):
        raise NotFound()
    return actor.organization_id


async def _head(view: AgentView) -> str | None:
    viewed = await view.viewed()
    return None if viewed is None else render_macro(HEAD, "head", viewed=viewed)


async def _banner(view: AgentView) -> str | None:
    if view.agent is None:
        return render_macro(BANNER, "gone")
    viewed = await view.viewed()
    return None if viewed is None else render_macro(BANNER, "banner", viewed=viewed)


async def _tabs(view: AgentView) -> str | None:
    viewed = await view.viewed()
    return (
        None if viewed is None else render_macro(HEAD, "tabs_of", viewed=viewed, tabs=in_order(viewed), active=view.key)
    )


async def _tab(view: AgentView) -> str | None:
    viewed = await view.viewed()
    return None if viewed is None else await TABS[view.key].render(viewed)


def may_concern(view: AgentView, news: Event | dict[str, Any]) -> bool:
    """Return whether news may change what the page of an agent shows."""
    return view.agent is None or concerns(view.agent, news)


def concerns(agent: Agent, news: Event | dict[str, Any]) -> bool:
    """Return whether news may concern an agent.

    What happens to no board in particular concerns every agent; and each report may draw on a budget that several
    share.
    """
    if isinstance(news, Event):
        return news.board_id in (agent.board_id, None) or news.agent_id == agent.id
    return str(agent.id) in (news.get("agent_id"), news.get("inbox_of")) or "usage" in news


SIGNALS = ("agent_id", "inbox_of", "usage")
NEWS = Concerns[AgentView](("",), SIGNALS, may_concern)
REGIONS = (
    Region(PAGE, "#agent-head", NEWS, _head, name="head"),
    Region(PAGE, "#agent-banner", NEWS, _banner, name="banner"),
    Region(PAGE, "#agent-tabs", NEWS, _tabs, name="tabs"),
    Region(PAGE, "#agent-tab", NEWS, _tab, name="tab"),
)
