"""An agent's page: its tabs, to which features add theirs, and what surrounds them, kept live by one stream."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from markupsafe import Markup
from quart import Response, make_response, request
from quart.typing import ResponseReturnValue

from mission_control.agents.models import Agent
from mission_control.agents.queries import reachable_agent, visible_agents
from mission_control.agents.roster import Line, lines_of
from mission_control.agents.work_state import Directive, directive_of
from mission_control.core.actor import Actor, can, require
from mission_control.core.errors import Conflict, Invalid, NotFound
from mission_control.log.broker import head_of
from mission_control.log.models import Event
from mission_control.web.actions import Refusal
from mission_control.web.forms import EditConflict, Fields, FormInvalid, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.regions import Concerns, Reads, Region, View, live_page, rendered
from mission_control.web.shell import shell_page, signed_in

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
        line = (await lines_of([agent]))[agent.id]
        return cls(actor, agent, line, await directive_of(agent), args)

    @property
    def id(self) -> UUID:
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


PAGE_FRAME_PAGE, HEAD, BANNER = "agent", "agents/head.html", "agents/banner.html"
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
    actor, agent = await on_agent(agent_id)
    seq = await head_of(actor.organization_id)  # before everything that the page shows
    view = AgentView(actor=actor, agent_id=agent.id, agent=agent, key=key, args=request.args)
    viewed = await view.viewed()
    assert viewed is not None
    regions = await rendered(PAGE_FRAME_PAGE, view)
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
            actor=viewer, pages=(PAGE_FRAME_PAGE,), active="agents", reads=reads,
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


def may_concern(view: AgentView, news: Event | dict[str, object]) -> bool:
    """Return whether news may change what the page of an agent shows."""
    return view.agent is None or concerns(view.agent, news)


def concerns(agent: Agent, news: Event | dict[str, object]) -> bool:
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
    Region(PAGE_FRAME_PAGE, "#agent-head", NEWS, _head, name="head"),
    Region(PAGE_FRAME_PAGE, "#agent-banner", NEWS, _banner, name="banner"),
    Region(PAGE_FRAME_PAGE, "#agent-tabs", NEWS, _tabs, name="tabs"),
    Region(PAGE_FRAME_PAGE, "#agent-tab", NEWS, _tab, name="tab"),
)


DIALOG = "agents/dialog.html"


@dataclass(frozen=True, slots=True)
class FormPage:
    """A form: its title, the macro that renders it, the address that it is sent to, and the page to go back to."""

    title: str
    template: str
    macro: str
    url: str
    back: tuple[str, str]
    size: str = ""
    active: str = "agents"
    context: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_dialog(self) -> bool:
        return is_htmx()

    async def render(self, actor: Actor, values: Fields) -> ResponseReturnValue:
        html = self._html(values, {})
        if self.is_dialog:
            return render_macro(DIALOG, "form_dialog", title=self.title, html=html, size=self.size)
        return await self._page(actor, html)

    async def refused(self, refusal: Refusal[object, object], errors: dict[str, str] | None = None) -> str:
        """Return the form with what was typed and the reasons; an error page when nobody may send it."""
        refusal.only(FormInvalid, Invalid, Conflict, NotFound)
        typed = await request.form
        values: dict[str, object] = {
            name: typed.getlist(name) if len(typed.getlist(name)) > 1 else typed[name] for name in typed
        }
        if isinstance(refusal.error, EditConflict):
            values = refusal.values
        html = self._html(values, refusal.errors if errors is None else errors)
        return html if self.is_dialog else await self._page(refusal.actor, html)

    async def instead(self, actor: Actor, html: Markup) -> ResponseReturnValue:
        """Return something in the place of the form, such as a secret that is shown once."""
        response = await make_response(html if self.is_dialog else await self._page(actor, html))
        response.headers["Cache-Control"] = "no-store"
        return response

    def _html(self, values: Fields, errors: dict[str, str]) -> Markup:
        where = {"url": self.url, "back": self.back[0], "in_dialog": self.is_dialog}
        return Markup(render_macro(self.template, self.macro, values=values, errors=errors, **where, **self.context))

    async def _page(self, actor: Actor, html: Markup) -> str:
        return await shell_page(
            actor, "agents/form.html", active=self.active, title=self.title, back=self.back, html=html
        )


def back_to(agent_id: UUID, tab: str, name: str) -> tuple[str, str]:
    return f"/agents/{agent_id}/{tab}".removesuffix("/"), name
