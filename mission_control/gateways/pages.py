"""The pages of gateways: the list, adding one, and everything about one, with tabs to which other rooms add theirs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from uuid import UUID

from quart import Response
from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor, can, require
from mission_control.core.errors import Conflict, ErrorCode, Invalid
from mission_control.core.values import Paging
from mission_control.events.broker import News
from mission_control.events.models import Event
from mission_control.gateways import queries
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol import heartbeats
from mission_control.gateways.protocol.errors import TOKEN_COMMANDS, approve_command
from mission_control.gateways.queries import REFUSED, TOKEN_CODES, missing_scopes, reachable_gateway
from mission_control.people.organizations.queries import left_on_gateways
from mission_control.web import forms
from mission_control.web.actions import Outcome, Refusal, Typed, action, again
from mission_control.web.forms import FormValues
from mission_control.web.fragments import PageContext, render_macro
from mission_control.web.lists import Asked, LiveList, Order, Pages
from mission_control.web.regions import Concerns, Reads, View
from mission_control.web.shell import PaletteEntry, dialog_or_page, shell_page, signed_in
from mission_control.web.tabs import OVERVIEW, Tab, TabbedPage, TabView

GATEWAY = "/gateways/<uuid:gateway_id>"


@dataclass(frozen=True, slots=True)
class Viewed:
    """A gateway as somebody sees it now, and what the address of the page asks for."""

    actor: Actor
    gateway: Gateway
    args: Mapping[str, str] = field(default_factory=dict)
    removals: frozenset[UUID] | set[UUID] = frozenset()

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

    @property
    def warning(self) -> tuple[str, str]:
        """What is not right with a gateway that is connected, and what to run on its host, where that is known."""
        text = self.gateway.last_error or ""
        sentence, _, command = text.partition(f" {queries.ON_ITS_HOST}")
        return sentence, command if self.gateway.state_code == heartbeats.CODE else ""

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
    return Viewed(actor, gateway, args, await queries.removals(gateway.organization_id, gateway.id))


async def _find(viewer: Actor, reads: Reads, gateway_id: UUID) -> Gateway | None:
    return await reads.get(("gateway", gateway_id), lambda: Gateway.get_or_none(id=gateway_id))


def _concerns(view: TabView[Gateway, Viewed], news: News) -> bool:
    if view.thing is None:
        return False
    if isinstance(news, Event):
        return news.subject_id == view.thing.id
    return "job_id" in news or news.get("gateway_id") == str(view.thing.id)


GATEWAY_PAGE = TabbedPage[Gateway, Viewed](
    name="gateway",
    template="gateways/show.html",
    order=(OVERVIEW, "sessions", "agents"),
    parts={"head": "gateways/head.html", "tabs": "gateways/head.html"},
    gone="head",
    see=_see,
    find=_find,
    news=Concerns(("gateway.",), ("gateway_id", "job_id"), _concerns),
)


async def overview(viewed: Viewed) -> str:
    return render_macro("gateways/overview.html", "overview", viewed=viewed)


TAB = Tab(GATEWAY_PAGE, OVERVIEW, "Connection", overview)


LABELS = {"name": "Name", "url": "Address", "token": "Token", "workspace_root": "Folder for workspaces"}
# Which field a refusal of the gateway is about.
FIELD_OF_CODE: dict[str, str] = {
    ErrorCode.GATEWAY_TOKEN_REFUSED: "token",
    ErrorCode.GATEWAY_VERSION_NOT_SUPPORTED: "url",
    ErrorCode.SAME_GATEWAY: "url",
}
DEFAULT_ROOT = "~/.openclaw"


class NewGatewayForm(forms.Form):
    """A new gateway."""

    name: queries.Name
    url: queries.Url
    token: queries.Token = None
    workspace_root: queries.WorkspaceRoot = DEFAULT_ROOT
    allow_insecure_tls: bool = False


class GatewayForm(forms.VersionedForm, NewGatewayForm):
    """The fields of a gateway. A blank token keeps the saved one."""

    clear_token: bool = False

    def body(self, found: Gateway) -> forms.Fields:
        """Return the change of what was touched: the gateway is not locked while it is tried."""
        return self.model_dump(exclude={"version", *self._untouched})

    @classmethod
    def values_of(cls, gateway: Gateway) -> FormValues:
        return {name: getattr(gateway, name) for name in ("name", "url", "workspace_root", "allow_insecure_tls")}

    @classmethod
    def shown(cls, gateway: Gateway) -> FormValues:
        return super().shown(gateway) | {"token": "", "clear_token": False}


class DeletionForm(forms.TypedName):
    """The deletion of a gateway, although boards use it: the form says what that means."""

    what = "gateway"
    remove_agents: bool = False
    force: Literal[True] = True


pages = Pages("gateways_pages", __name__)


TROUBLED_FIRST = (queries.REFUSED, queries.PAIRING, queries.UNREACHABLE, queries.CONNECTING, queries.CONNECTED)
ORDERS = {
    "newest": Order("newest"),
    "name": Order("by name", lambda gateway: gateway.name.casefold()),
    "state": Order("trouble first", lambda gateway: TROUBLED_FIRST.index(gateway.state)),
}


async def _listed(actor: Actor, asked: Asked) -> PageContext:
    gateways, _ = await queries.list_gateways(actor, Paging(limit=200, offset=0))
    removals = await queries.removals(actor.organization_id)
    return {"gateways": ORDERS[asked.order].sorted(gateways), "removals": removals}


LiveList(
    pages=pages, place="gateways", path="/gateways", template="gateways/index.html", read=_listed, orders=ORDERS,
    blocks=("gateways",), news=Concerns[View](("gateway.",), ("gateway_id", "job_id")), verb="gateway.manage",
    is_shared=True,
)  # fmt: skip


def _refused(refusal: Typed[object]) -> PageContext:
    """Return the reasons by field, and the gateway that this one is: what the gateway refuses stands at its field."""
    error = refusal.error
    if isinstance(error, forms.EditConflict) or not isinstance(error, Invalid | Conflict):
        return {"errors": refusal.errors}
    if not (isinstance(error.detail, dict) and "code" in error.detail):
        return {"errors": refusal.errors}
    errors = {FIELD_OF_CODE.get(str(error.detail["code"]), ""): error.sentence}
    return {"errors": errors, "same_as": error.detail.get("gateway_id")}


@pages.get("/gateways/new")
async def new_gateway() -> str:
    actor = await signed_in()
    require(actor, "gateway.manage")
    return await _form_page(actor, None, values={"workspace_root": DEFAULT_ROOT}, errors={})


async def _form_page(actor: Actor, gateway: Gateway | None, **context: object) -> str:
    context = {"labels": LABELS, "token_commands": TOKEN_COMMANDS, "same_as": None, "gateway": gateway} | context
    return await shell_page(actor, "gateways/form.html", active="gateways", **context)


async def _not_saved(refusal: Refusal[Gateway | None, NewGatewayForm]) -> ResponseReturnValue:
    refusal.only()
    return await _form_page(refusal.actor, refusal.found, values=refusal.values, **_refused(refusal))


@action(pages, "/gateways/new", form=NewGatewayForm, refused=_not_saved)
async def create_gateway(outcome: Outcome[None, NewGatewayForm]) -> ResponseReturnValue:
    return forms.go(f"/gateways/{outcome.answer.id}")


@pages.get(GATEWAY)
@pages.get(f"{GATEWAY}/<string:tab>")
async def one_gateway(gateway_id: UUID, tab: str = OVERVIEW) -> str:
    return await GATEWAY_PAGE.show(*await on_gateway(gateway_id), tab)


@pages.get(f"{GATEWAY}/live")
async def one_live(gateway_id: UUID) -> Response:
    actor, _ = await on_gateway(gateway_id)
    return await GATEWAY_PAGE.stream(actor, gateway_id)


@pages.get(f"{GATEWAY}/edit")
async def edit_form(gateway_id: UUID) -> str:
    actor, gateway = await on_gateway(gateway_id, "gateway.update")
    return await _form_page(actor, gateway, values=GatewayForm.shown(gateway), errors={})


@action(pages, f"{GATEWAY}/edit", form=GatewayForm, at=gateway_of_page, refused=_not_saved)
async def update_gateway(outcome: Outcome[Gateway, GatewayForm]) -> ResponseReturnValue:
    return forms.go(f"/gateways/{outcome.found.id}")


@action(pages, f"{GATEWAY}/checks", at=gateway_of_page)
async def check_gateway(outcome: Outcome[Gateway, None]) -> ResponseReturnValue:
    """Connect to a gateway now; its page shows how that went."""
    words = {"connected": "Connected", "pairing": "Waiting for approval on the gateway"}
    toast = words.get(outcome.answer.state, "Still not connected")
    return forms.done(f"/gateways/{outcome.found.id}", toast=f"{outcome.answer.name}: {toast}")


@pages.get(f"{GATEWAY}/delete")
async def delete_form(gateway_id: UUID) -> str:
    """Ask before a gateway is deleted, and name the consequences."""
    actor, gateway = await on_gateway(gateway_id, "gateway.delete")
    return await _deletion(actor, gateway, {}, {})


async def _deletion(actor: Actor, gateway: Gateway, values: forms.Fields, errors: dict[str, str]) -> str:
    left, boards = await left_on_gateways(gateway.organization_id, gateway.id), await queries.boards_using(gateway.id)
    return await dialog_or_page(
        actor, "gateways/forms.html", "delete_form", f"Delete {gateway.name}?", active="gateways",
        back=(f"/gateways/{gateway.id}", gateway.name), gateway=gateway, boards=boards, left=left, errors=errors,
    )  # fmt: skip


not_deleted = again(_deletion, forms.FormInvalid)


@action(pages, f"{GATEWAY}/deletions", form=DeletionForm, at=gateway_of_page, refused=not_deleted)
async def delete_gateway(outcome: Outcome[Gateway, DeletionForm]) -> ResponseReturnValue:
    return forms.go("/gateways")


ENTRIES = (
    PaletteEntry("Gateways", "/gateways", "radio-tower", "openclaw connection", position=45, verb="gateway.manage"),
    PaletteEntry("Add a gateway", "/gateways/new", "plus", "openclaw", 35, group="Do", verb="gateway.manage"),
)
