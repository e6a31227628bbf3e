"""A gateway's page: its tabs, to which features add theirs, and what surrounds them, kept live by one stream."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from quart import Response, request

from mission_control.core.actor import Actor, can, require
from mission_control.core.errors import NotFound
from mission_control.gateways.errors import TOKEN_COMMANDS, approve_command
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import REFUSED, TOKEN_CODES, missing_scopes, reachable_gateway
from mission_control.log.broker import head_of
from mission_control.log.models import Event
from mission_control.web.fragments import render_macro
from mission_control.web.regions import Concerns, Reads, Region, View, live_page, rendered
from mission_control.web.shell import shell_page, signed_in

OVERVIEW = "overview"
# From left to right; others follow in the order in which features are installed.
ORDER = (OVERVIEW, "sessions", "agents", "sync")


@dataclass(frozen=True, slots=True)
class Viewed:
    """A gateway as somebody sees it now, and what the address of the page asks for."""

    actor: Actor
    gateway: Gateway
    args: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        return self.gateway.id

    @property
    def url(self) -> str:
        """Where the gateway's page is."""
        return f"/gateways/{self.gateway.id}"

    @property
    def may_change(self) -> bool:
        return can(self.actor, "gateway.update", self.gateway)

    @property
    def missing_scopes(self) -> list[str]:
        return missing_scopes(self.gateway)

    @property
    def pairing_command(self) -> str:
        """What to run on the gateway's host."""
        return approve_command(self.gateway.pairing_request_id)

    @property
    def token_commands(self) -> tuple[str, ...]:
        """What prints the right token, where the gateway refuses the saved one."""
        is_refused = self.gateway.state == REFUSED and self.gateway.state_code in TOKEN_CODES
        return TOKEN_COMMANDS if is_refused else ()

    def has(self, method: str) -> bool:
        """Whether the gateway offers a method; unknown before the first connection."""
        return method in (self.gateway.methods or ())


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab: the end of its address, its word, and its HTML. Without that it leads to a page of its feature."""

    key: str
    label: str
    render: Callable[[Viewed], Awaitable[str]] | None = None


# The tabs of the installed features, by key.
TABS: dict[str, Tab] = {}


def rendered_tab(key: str) -> Tab | None:
    tab = TABS.get(key)
    return tab if tab is not None and tab.render is not None else None


def in_order() -> list[Tab]:
    """The tabs from left to right."""
    known = [TABS[key] for key in ORDER if key in TABS]
    return known + [tab for key, tab in TABS.items() if key not in ORDER]


PAGE = "gateway"
HEAD, OVERVIEW_TEMPLATE = "gateways/head.html", "gateways/overview.html"
LEFT = ("after", "tab")


async def on_gateway(gateway_id: UUID, verb: str = "gateway.read") -> tuple[Actor, Gateway]:
    """Return the person who asks, in the organization of a gateway that exists for them, and the gateway."""
    actor = await signed_in()
    gateway = await reachable_gateway(actor, gateway_id)
    require(actor, verb, gateway)
    return replace(actor, organization_id=gateway.organization_id), gateway


async def gateway_of_page(actor: Actor, gateway_id: UUID, **ids: UUID) -> Gateway:
    """Return the gateway that the address of an action names; it may belong to any organization of the person."""
    return await reachable_gateway(actor, gateway_id)


async def tab_page(gateway_id: UUID, key: str) -> str:
    actor, gateway = await on_gateway(gateway_id)
    if rendered_tab(key) is None:
        raise NotFound()
    seq = await head_of(actor.organization_id)  # before everything that the page shows
    view = GatewayView(actor=actor, gateway=gateway, key=key, args=request.args)
    regions = await rendered(PAGE, view)
    kept = "".join(f"&{name}={value}" for name, value in request.args.items() if name not in LEFT and value.isalnum())
    live_url = f"/gateways/{gateway.id}/live?tab={key}{kept}&after={seq}"
    return await shell_page(
        actor, "gateways/show.html", active="gateways", gateway=gateway, regions=regions, live_url=live_url
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayView(View):
    """A gateway's page with one of its tabs, as somebody sees it. A gateway that was deleted since is None."""

    gateway: Gateway | None
    key: str
    args: Mapping[str, str]

    @property
    def viewed(self) -> Viewed | None:
        """What the regions show; None for a gateway that is gone."""
        return None if self.gateway is None else Viewed(self.actor, self.gateway, self.args)


async def page_stream_of(gateway_id: UUID) -> Response:
    """Return the stream of a gateway's page. When the gateway is deleted, the page says so."""
    actor, _ = await on_gateway(gateway_id)
    key, args = request.args.get("tab", ""), request.args.to_dict()

    async def look(viewer: Actor, reads: Reads) -> GatewayView | None:
        if not can(viewer, "gateway.manage", actor.organization_id):
            return None
        found = await reads.get(("gateway", gateway_id), lambda: Gateway.get_or_none(id=gateway_id))
        return GatewayView(
            actor=viewer, pages=(PAGE,), active="gateways", reads=reads,
            gateway=found, key=key if rendered_tab(key) else OVERVIEW, args=args,
        )  # fmt: skip

    return await live_page(actor, look)


def head_of_gateway(viewed: Viewed) -> str:
    """Return the head of a gateway's page, also for the tabs that are pages of their features."""
    return render_macro(HEAD, "head", viewed=viewed)


def tabs_of_gateway(viewed: Viewed, key: str) -> str:
    """Return the links to the tabs of a gateway; `key` is the one that is open."""
    return render_macro(HEAD, "tabs_of", viewed=viewed, tabs=in_order(), active=key)


async def _head(view: GatewayView) -> str | None:
    return render_macro(HEAD, "gone") if view.viewed is None else head_of_gateway(view.viewed)


async def _tabs(view: GatewayView) -> str | None:
    return None if view.viewed is None else tabs_of_gateway(view.viewed, view.key)


async def _tab(view: GatewayView) -> str | None:
    tab = rendered_tab(view.key)
    return None if view.viewed is None or tab is None or tab.render is None else await tab.render(view.viewed)


async def overview(viewed: Viewed) -> str:
    """Return the tab with what is known of the connection."""
    return render_macro(OVERVIEW_TEMPLATE, "overview", viewed=viewed)


def concerns(view: GatewayView, news: Event | dict[str, object]) -> bool:
    if view.gateway is None:
        return False
    if isinstance(news, Event):
        return news.subject_id == view.gateway.id
    return news.get("gateway_id") == str(view.gateway.id)


NEWS = Concerns[GatewayView](("gateway.",), ("gateway_id",), concerns)
REGIONS = (
    Region(PAGE, "#gateway-head", NEWS, _head, name="head"),
    Region(PAGE, "#gateway-tabs", NEWS, _tabs, name="tabs"),
    Region(PAGE, "#gateway-tab", NEWS, _tab, name="tab"),
)
