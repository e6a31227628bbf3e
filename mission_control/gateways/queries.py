"""Read gateways: who may, their rows, what people read of a connection, and the shapes of the API."""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from pydantic import AfterValidator, Field
from tortoise.queryset import QuerySet

from mission_control.core.actor import Actor, OnlySystem, rule
from mission_control.core.errors import ErrorCode, NotFound, existing
from mission_control.core.times import clock_now as now
from mission_control.core.values import BlankToNone, JsonObject, NonEmptyStr, NotNull, Paging, Schema, example
from mission_control.database.records import find
from mission_control.database.sql import Row, as_id, held, rows
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol import heartbeats
from mission_control.gateways.protocol.errors import (
    DETAIL_KINDS,
    TOKEN_COMMANDS,
    AccessDenied,
    GatewayError,
    MissingScopes,
    PairingRefused,
    PairingRequired,
    TokenRefused,
    TooNew,
    TooOld,
    Unreachable,
    approve_command,
)
from mission_control.gateways.protocol.handshake import NEEDED_SCOPES, Hello, grants
from mission_control.gateways.protocol.heartbeats import SharedHeartbeat
from mission_control.gateways.protocol.identity import sealed
from mission_control.gateways.protocol.target import url_problem
from mission_control.http.registry import lookup


@rule("gateway.manage", "gateway.create")
def may_manage_gateways(actor: Actor, organization_id: UUID | None) -> bool:
    """Owners and admins."""
    return actor.is_user and actor.administers(organization_id or actor.organization_id)


@rule("gateway.read", "gateway.update", "gateway.delete", "gateway.check")
def may_manage_gateway(actor: Actor, gateway: Gateway) -> bool:
    """Owners and admins of the organization."""
    return actor.is_user and actor.administers(gateway.organization_id)


ONLY_SYSTEM = OnlySystem("gateway.report")


def visible_gateways(actor: Actor) -> QuerySet[Gateway]:
    """The gateways of the active organization, for its owners and admins."""
    gateways = Gateway.filter(organization_id=actor.organization_id)
    return gateways if actor.is_user and actor.administers(actor.organization_id) else gateways.filter(id=None)


@lookup
async def visible_gateway(actor: Actor, gateway_id: UUID) -> Gateway:
    return await existing(visible_gateways(actor).get_or_none(id=gateway_id))


async def reachable_gateway(actor: Actor, gateway_id: UUID) -> Gateway:
    """Find a gateway of any organization that the person administers. Raise NotFound otherwise."""
    gateway = await Gateway.get_or_none(id=gateway_id)
    if gateway is None or not (actor.is_user and actor.administers(gateway.organization_id)):
        raise NotFound()
    return gateway


async def list_gateways(actor: Actor, paging: Paging) -> tuple[list[Gateway], int]:
    """List a page of the active organization's gateways, newest first, and their number."""
    gateways = visible_gateways(actor)
    newest = gateways.order_by("-created_at", "-id").limit(paging.limit).offset(paging.offset)
    return await newest, await gateways.count()


async def removals(organization_id: UUID, gateway_id: UUID | None = None) -> set[UUID]:
    """Find which gateways are being deleted with their agents now, of all or of one."""
    only, values = ("", []) if gateway_id is None else (" AND about_id = ?", [gateway_id])
    running = "SELECT about_id FROM jobs WHERE organization_id = ? AND kind = 'gateway_removal' AND state = 'running'"
    jobs = await rows(f"{running}{only}", organization_id, *values)
    return {about_id for job in jobs if (about_id := as_id(job["about_id"]))}


async def boards_using(gateway_id: UUID) -> list[str]:
    """Boards in the trash do not count."""
    sql = "SELECT name FROM boards WHERE gateway_id = ? AND deleted_at IS NULL ORDER BY created_at"
    return [board["name"] for board in await rows(sql, gateway_id)]


async def instance_in(organization_id: UUID, instance_id: str | None) -> Gateway | None:
    if instance_id is None:
        return None
    return await find(Gateway, "organization_id = ? AND instance_id = ?", organization_id, instance_id)


async def hold_for_board(organization_id: UUID, gateway_id: UUID) -> bool:
    """Tell whether a board of the organization may use a gateway, which then stays until the command ends."""
    has_main_agent = "EXISTS (SELECT 1 FROM agents WHERE agents.gateway_id = gateways.id AND agents.board_id IS NULL)"
    where = f"id = ? AND organization_id = ? AND {has_main_agent}"
    return bool(await held("gateways", where, gateway_id, organization_id))


async def gateway_of(organization_id: UUID, gateway_id: UUID) -> Gateway:
    return await existing(Gateway.get_or_none(id=gateway_id, organization_id=organization_id))


async def gateway_names(gateway_ids: Collection[UUID]) -> dict[UUID, str]:
    return dict(await Gateway.filter(id__in=list(gateway_ids)).values_list("id", "name"))


CONNECTING, CONNECTED, PAIRING = "connecting", "connected", "pairing"
UNREACHABLE, REFUSED = "unreachable", "refused"
LONGEST_CODE = 64

PAIRING_TEXTS = {
    "scope-upgrade": "Mission Control needs more rights than this device was approved for. Approve it again.",
    "role-upgrade": "Mission Control needs another role than this device was approved for. Approve it again.",
    "metadata-upgrade": "This device changed since it was approved. Approve it again.",
}
FIRST_PAIRING = "The gateway waits for its owner to approve this device."
EARLIER_IS_OVER = "The request before this one was rejected or is over. Once this one is approved, try again."
EARLIER_EXPIRED = "Nobody approved the request before this one in time."
PAIRING_REFUSED = {
    "PAIRING_REJECTED": "The pairing was rejected on the gateway. Try again to send a new request.",
    "PAIRING_EXPIRED": "Nobody approved the pairing in time. Try again to send a new request.",
}
TOKEN_TEXTS = {
    "AUTH_TOKEN_MISSING": "The gateway asks for a token, and none is saved here.",
    "DEVICE_IDENTITY_REQUIRED": "The gateway asks for a token, and none is saved here.",
    "AUTH_RATE_LIMITED": "The token was refused too often, so the gateway takes no more attempts for a while.",
}
TOKEN_REFUSED = f"The gateway refuses the token. `{TOKEN_COMMANDS[0]}` in a terminal on its host prints the right one."
# As the codes of reports have them.
TOKEN_CODES = frozenset(code.lower() for code, kind in DETAIL_KINDS.items() if kind is TokenRefused)
ACCESS_DENIED = "The gateway knows this device, but its role grants nothing. Give it a role on the gateway."
LESS_THAN_PAIRED = "The gateway grants this device less than it was paired for. Approve it again on the gateway."
TOO_NEW = "The gateway speaks a newer protocol than this Mission Control. Update Mission Control."
OF_REFUSAL = ("version", "protocol")
TOO_OLD = "The gateway speaks only an old protocol. Update it with `openclaw update`."


@dataclass(frozen=True, slots=True)
class Report:
    """The columns of a gateway that say how its connection is. Fields that are None clear their column.

    The columns of a hello (`version` to `boot_id`) stay as they were when `hello` is None.
    """

    state: str
    state_code: str | None = None
    last_error: str | None = None
    pairing_request_id: str | None = None
    pairing_device_id: str | None = None
    same_as_id: UUID | None = None
    hello: JsonObject | None = None
    device_token: str | None = None

    def columns(self) -> Row:
        """The device token as it is."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        hello, token = own.pop("hello") or {}, own.pop("device_token")
        return own | hello | ({} if token is None else {"device_token": token})


ON_ITS_HOST = "Run on the gateway's host: "


def of_hello(hello: Hello, instance_id: str | None, shared: SharedHeartbeat | None = None) -> Report:
    lists = {name: sorted(getattr(hello, name)) for name in ("methods", "events", "capabilities")}
    columns = {
        "version": hello.version or None, "protocol": hello.protocol, "role": hello.role, "boot_id": hello.boot_id,
        "scopes": None if hello.scopes is None else sorted(hello.scopes), **lists,
        **({} if instance_id is None else {"instance_id": instance_id}),
    }  # fmt: skip
    code, warnings = None, list(hello.warnings)
    if shared is not None:
        code, warnings = heartbeats.CODE, [*warnings, f"{shared.sentence} {ON_ITS_HOST}{shared.command}"]
    return Report(CONNECTED, code, " ".join(warnings) or None, hello=columns, device_token=hello.device_token)


def of_same_gateway(first: Gateway) -> Report:
    text = f"{same_gateway(first)} So this one is not used: delete it, or the other one."
    return Report(REFUSED, ErrorCode.SAME_GATEWAY, text, same_as_id=first.id)


def same_gateway(first: Gateway) -> str:
    return f"This is the gateway {first.name}, which is here already at {first.url}."


def of_error(error: GatewayError) -> Report:
    code = error.detail_code.lower().replace("-", "_")[:LONGEST_CODE]
    match error:
        case PairingRequired():
            text = PAIRING_TEXTS.get(error.reason, FIRST_PAIRING)
            return Report(PAIRING, error.reason[:LONGEST_CODE], text, error.request_id, error.device_id)
        case PairingRefused():
            decided = pairing_decision(error)
            return Report(REFUSED, decided.lower()[:LONGEST_CODE], PAIRING_REFUSED.get(decided, error.message))
        case TokenRefused():
            return Report(REFUSED, code, TOKEN_TEXTS.get(error.detail_code, TOKEN_REFUSED))
        case MissingScopes():
            return _of_missing_scopes(error)
        case AccessDenied() if error.detail_code == "OPERATOR_ACCESS_DENIED":
            return Report(REFUSED, code, ACCESS_DENIED)
        case TooOld():
            return Report(REFUSED, "too_old", error.message if error.code == "TOO_OLD" else TOO_OLD)
        case TooNew():
            return Report(REFUSED, "too_new", TOO_NEW)
    return Report(UNREACHABLE if isinstance(error, Unreachable) else REFUSED, code, error.message)


def _of_missing_scopes(error: MissingScopes) -> Report:
    listed, granted, hello = ", ".join(error.scopes), error.details.get("granted"), None
    text = f"The gateway grants this device too little. Missing: {listed}." if listed else LESS_THAN_PAIRED
    if isinstance(granted, list):
        hello = {"scopes": sorted(map(str, granted))} | {name: error.details.get(name) for name in OF_REFUSAL}
    return Report(REFUSED, "missing_scopes", text, hello=hello)


def pairing_decision(error: PairingRefused) -> str:
    """The code, or the word in the details of a refused connection."""
    return error.code if error.code in PAIRING_REFUSED else error.detail_code


def after(report: Report, before: Report | None, note: str = "") -> Report:
    """A request to pair says so when it took the place of another one, or a note."""
    was = before.pairing_request_id if before is not None else None
    if before is not None and was == report.pairing_request_id and not note:
        return replace(report, last_error=before.last_error)
    note = note or (EARLIER_IS_OVER if was else "")
    return replace(report, last_error=f"{note} {report.last_error}") if note else report


def stored(report: Report, since: datetime | None = None) -> Row:
    """The device token encrypted."""
    columns = report.columns()
    if "device_token" in columns:
        columns["device_token"] = sealed(report.device_token)
    moment = since or now()
    return columns | {"state_at": moment} | ({"connected_at": moment} if report.state == CONNECTED else {})


State = Literal["connecting", "connected", "pairing", "unreachable", "refused"]
LONGEST_NAME, LONGEST_URL, LONGEST_ROOT, LONGEST_TOKEN = 200, 2000, 1000, 4000


def _gateway_url(value: str) -> str:
    """Cut off what no gateway reads, where people may have left a token."""
    if (problem := url_problem(value)) is not None:
        raise ValueError(problem)
    parts = urlsplit(value.strip())
    return urlunsplit((parts.scheme.lower(), parts.netloc, parts.path, "", ""))


Name = Annotated[NonEmptyStr, Field(max_length=LONGEST_NAME)]
Url = Annotated[str, Field(max_length=LONGEST_URL), AfterValidator(_gateway_url)]
WorkspaceRoot = Annotated[str, Field(max_length=LONGEST_ROOT), AfterValidator(str.strip)]
Token = Annotated[Annotated[str, Field(max_length=LONGEST_TOKEN), AfterValidator(str.strip)] | None, BlankToNone]
NO_EFFECT = "Stored and without effect: gateways stopped accepting connections without a device"


class GatewayCreate(Schema):
    """A gateway to add."""

    model_config = example(
        name="Basement", url="wss://gateway.example.org:18789", workspace_root="~/.openclaw", token="..."
    )

    name: Name
    url: Url
    workspace_root: WorkspaceRoot
    allow_insecure_tls: bool = False
    disable_device_pairing: Annotated[bool, Field(description=NO_EFFECT)] = False
    token: Token = None


class GatewayUpdate(Schema):
    """Changes of a gateway. Absent fields stay; an absent, null or blank token stays too."""

    model_config = example(name="Basement")

    name: Annotated[Name | None, NotNull] = None
    url: Annotated[Url | None, NotNull] = None
    token: Token = None
    workspace_root: Annotated[WorkspaceRoot | None, NotNull] = None
    allow_insecure_tls: Annotated[bool | None, NotNull] = None
    disable_device_pairing: Annotated[bool | None, NotNull] = None
    clear_token: Annotated[bool, Field(description="Remove the saved token")] = False


class GatewayDeletion(Schema):
    """How a gateway is deleted."""

    force: Annotated[bool, Field(description="Delete it although boards use it; they stay, without a gateway")] = False


class GatewayRead(Schema):
    """A gateway and how the connection to it is. Its token is never returned."""

    name: str
    url: str
    workspace_root: str
    allow_insecure_tls: bool = False
    disable_device_pairing: bool = False
    id: UUID
    organization_id: UUID
    token: Annotated[str | None, Field(description="Always null; `has_token` says whether one is saved")] = None
    has_token: bool
    state: State
    state_code: Annotated[str | None, Field(description="The reason for programs")]
    last_error: Annotated[str | None, Field(description="The reason for people, and what to do")]
    state_at: datetime
    connected_at: datetime | None
    same_as_id: Annotated[
        UUID | None, Field(description="The gateway that this one is, which is here already: this one is not used")
    ]
    pairing_request_id: str | None
    pairing_device_id: str | None
    pairing_command: Annotated[str | None, Field(description="What to run on the gateway's host, while it is pairing")]
    version: str | None
    protocol: int | None
    role: str | None
    scopes: list[str] | None
    missing_scopes: list[str]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, gateway: Gateway) -> Self:
        own = {name: getattr(gateway, name) for name in cls.model_fields if name in FROM_ROW}
        command = approve_command(gateway.pairing_request_id) if gateway.state == PAIRING else None
        return cls.model_construct(
            **own, token=None, has_token=gateway.token is not None, pairing_command=command,
            missing_scopes=missing_scopes(gateway),
        )  # fmt: skip


FROM_ROW = set(GatewayRead.model_fields) - {"token", "has_token", "pairing_command", "missing_scopes"}


def missing_scopes(gateway: Gateway) -> list[str]:
    """Nothing while it is not known what a gateway grants."""
    if gateway.scopes is None:
        return []
    return [scope for scope in NEEDED_SCOPES if not grants(tuple(gateway.scopes), scope)]


def is_connected(gateway: Gateway) -> bool:
    return bool(gateway.state == CONNECTED and gateway.holder is not None)
