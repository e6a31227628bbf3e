"""An agent's page: what surrounds its tabs, and the stream that keeps both live."""

from dataclasses import replace
from uuid import UUID

from markupsafe import Markup
from quart import Response, request

from mission_control.agents.models import Agent
from mission_control.agents.page_tabs import TABS, Viewed, in_order
from mission_control.agents.queries import reachable_agent, visible_agents
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.policy import can, require
from mission_control.live.broker import head_of
from mission_control.live.models import Event
from mission_control.live.stream import Batch
from mission_control.shell import live_page
from mission_control.web.fragments import partial, render_macro
from mission_control.web.shell import shell_page, signed_in

HEAD, BANNER = "agents/head.html", "agents/banner.html"
LEFT = ("after", "tab")
DELETED = "This agent was deleted meanwhile. Nothing was saved."


async def on_agent(agent_id: UUID, verb: str = "agent.read") -> tuple[Actor, Agent]:
    """The person who asks, in the organization of an agent that exists for them."""
    actor = await signed_in()
    agent = await reachable_agent(actor, agent_id)
    require(actor, verb, agent)
    return replace(actor, organization_id=agent.organization_id), agent


async def submitted_to(agent_id: UUID, verb: str) -> tuple[Actor, Agent]:
    """The same for a form that was opened while the agent was there."""
    try:
        return await on_agent(agent_id, verb)
    except NotFound:
        raise NotFound(DELETED) from None


async def tab_page(agent_id: UUID, key: str) -> str:
    """One tab as a page."""
    actor, agent = await on_agent(agent_id)
    seq = await head_of(actor.organization_id)  # before everything that the page shows
    viewed = await Viewed.by(actor, agent, request.args)
    regions = await _regions(viewed, key)
    live_url = f"{viewed.url}/live?{_live_query(key)}&after={seq}"
    return await shell_page(
        actor, "agents/show.html", active="agents", viewed=viewed, regions=regions, live_url=live_url
    )


def _live_query(key: str) -> str:
    kept = "".join(f"&{name}={value}" for name, value in request.args.items() if name not in LEFT and value.isalnum())
    return f"tab={key}{kept}"


async def _regions(viewed: Viewed, key: str) -> dict[str, Markup]:
    """What the page is made of, by the ends of its regions' ids."""
    html = {
        "head": render_macro(HEAD, "head", viewed=viewed),
        "banner": render_macro(BANNER, "banner", viewed=viewed),
        "tabs": render_macro(HEAD, "tabs_of", viewed=viewed, tabs=in_order(), active=key),
        "tab": await TABS[key].render(viewed),
    }
    return {name: Markup(one) for name, one in html.items()}


async def page_stream_of(agent_id: UUID) -> Response:
    """The stream of an agent's page. A page that was open when its agent went away says so, and stays readable."""
    actor = await signed_in()
    key, args = request.args.get("tab", ""), request.args.to_dict()
    organization_id = await _home_of(actor, agent_id)

    async def render(current: Actor, batch: Batch) -> str:
        found = await visible_agents(current).select_related("board").get_or_none(id=agent_id)
        if found is None:
            return partial("#agent-banner", render_macro(BANNER, "gone")) if _says_anything(batch) else ""
        if not can(current, "agent.read", found) or not concerns(found, batch):
            return ""
        viewed = await Viewed.by(current, found, args)
        regions = await _regions(viewed, key if key in TABS else "overview")
        return "".join(partial(f"#agent-{name}", html) for name, html in regions.items())

    async def reaches(current: Actor) -> bool:
        return current.administers(organization_id)

    return await live_page(replace(actor, organization_id=organization_id), "agents", render, reaches)


async def _home_of(actor: Actor, agent_id: UUID) -> UUID:
    """The organization of an agent that exists, or existed, for an admin."""
    agent = await visible_agents(actor).select_related("board").get_or_none(id=agent_id)
    if agent is not None:
        require(actor, "agent.read", agent)
        return agent.organization_id  # type: ignore[no-any-return]
    was = Event.filter(organization_id=actor.organization_id, agent_id=agent_id, kind="agent.created")
    if not (can(actor, "agent.manage") and await was.exists()):
        raise NotFound()
    return actor.organization_id


def _says_anything(batch: Batch) -> bool:
    return bool(batch.events or batch.signals)


def concerns(agent: Agent, batch: Batch) -> bool:
    """Whether a batch may change what the page of an agent shows.

    What happens to no board in particular concerns every agent; and each report may draw on a budget that several
    share.
    """
    mine = str(agent.id)
    if any(mine in (signal.get("agent_id"), signal.get("inbox_of")) or "usage" in signal for signal in batch.signals):
        return True
    return any(event.board_id in (agent.board_id, None) or event.agent_id == agent.id for event in batch.events)
