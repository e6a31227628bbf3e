"""A gateway's page: its head and its tabs, to which features add theirs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from mission_control.core.actor import Actor, can, require
from mission_control.gateways.errors import TOKEN_COMMANDS, approve_command
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import REFUSED, TOKEN_CODES, missing_scopes, reachable_gateway
from mission_control.log.models import Event
from mission_control.web.fragments import render_macro
from mission_control.web.regions import Concerns, Reads
from mission_control.web.shell import signed_in
from mission_control.web.tabs import OVERVIEW, Tab, TabbedPage, TabView

GATEWAY = "/gateways/<uuid:gateway_id>"


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


async def on_gateway(gateway_id: UUID, verb: str = "gateway.read", **_: UUID) -> tuple[Actor, Gateway]:
    """Return the person who asks, in the organization of a gateway that exists for them, and the gateway."""
    actor = await signed_in()
    gateway = await reachable_gateway(actor, gateway_id)
    require(actor, verb, gateway)
    return replace(actor, organization_id=gateway.organization_id), gateway


async def gateway_of_page(actor: Actor, gateway_id: UUID, **ids: UUID) -> Gateway:
    """Return the gateway that the address of an action names; it may belong to any organization of the person."""
    return await reachable_gateway(actor, gateway_id)


async def _see(actor: Actor, gateway: Gateway, args: Mapping[str, str]) -> Viewed:
    return Viewed(actor, gateway, args)


async def _find(viewer: Actor, reads: Reads, gateway_id: UUID) -> Gateway | None:
    return await reads.get(("gateway", gateway_id), lambda: Gateway.get_or_none(id=gateway_id))


def _concerns(view: TabView[Gateway, Viewed], news: Event | dict[str, object]) -> bool:
    if view.thing is None:
        return False
    if isinstance(news, Event):
        return news.subject_id == view.thing.id
    return news.get("gateway_id") == str(view.thing.id)


GATEWAY_PAGE = TabbedPage[Gateway, Viewed](
    name="gateway",
    template="gateways/show.html",
    order=(OVERVIEW, "sessions", "agents"),
    parts={"head": "gateways/head.html", "tabs": "gateways/head.html"},
    gone="head",
    see=_see,
    find=_find,
    news=Concerns(("gateway.",), ("gateway_id",), _concerns),
)


async def overview(viewed: Viewed) -> str:
    return render_macro("gateways/overview.html", "overview", viewed=viewed)


TAB = Tab(GATEWAY_PAGE, OVERVIEW, "Connection", overview)
