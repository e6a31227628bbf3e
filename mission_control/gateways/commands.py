"""Commands that add, change and delete gateways, and trying one before it is saved."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode, Invalid, existing
from mission_control.core.outbound import address_of
from mission_control.core.values import JsonObject
from mission_control.database.records import find
from mission_control.database.sql import Row, rows
from mission_control.events import wakeup_channels
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import notify, react, record
from mission_control.gateways import queries
from mission_control.gateways.connections import connector
from mission_control.gateways.connections.checked_connection import connect, instance_id
from mission_control.gateways.connections.link import channel
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol import identity
from mission_control.gateways.protocol.errors import GatewayError, TokenRefused, TooNew, TooOld, Unreachable
from mission_control.gateways.protocol.identity import discreet, opened, sealed
from mission_control.gateways.protocol.target import Target

EVENTS = (
    Kind.named("gateway.created", "A gateway was added.", "added the gateway"),
    Kind.named("gateway.updated", "A gateway's fields changed.", "changed the gateway"),
    Kind.named("gateway.deleted", "A gateway was deleted.", "deleted the gateway"),
)

# A change of one of these needs another connection.
CONNECTION = ("url", "token", "allow_insecure_tls")
# What was known of the connection before.
UNKNOWN: Row = {"state": queries.CONNECTING} | dict.fromkeys(
    ("state_code", "last_error", "pairing_request_id", "pairing_device_id", "same_as_id")
)


@command("gateway.create")
async def create_gateway(
    actor: Actor, organization_id: UUID, new: queries.GatewayCreate, report: queries.Report
) -> Gateway:
    """Add a gateway with what a check found; the main agent's row is made by a reaction."""
    values = {**new.model_dump(), "token": sealed(new.token)} | queries.stored(report)
    gateway = Gateway(organization_id=organization_id, **values)
    await _save_once(gateway)
    record("gateway.created", gateway, f"Gateway added: {gateway.name}.", **visible_fields(gateway))
    notify(connector.CHANNEL)
    return gateway


@command("gateway.update")
async def update_gateway(
    actor: Actor, gateway: Gateway, sent: queries.GatewayUpdate, report: queries.Report | None
) -> Gateway:
    """Change a gateway, with what a check of another connection found. Setting a field to its value is a no-op."""
    gateway = await existing(find(Gateway, "id = ?", gateway.id, lock=True))
    changes = changed_fields(gateway, sent)
    if not changes:
        return gateway
    before, connects = visible_fields(gateway), not changes.keys().isdisjoint(CONNECTION)
    if "url" in changes:
        await _try_duplicates(gateway)
    values = changes | (_forgotten(changes, report) if connects else {})
    if "token" in changes:
        values["token"] = sealed(None if sent.clear_token else sent.token)
    gateway.update_from_dict(values)
    gateway.updated_at = times.clock_now()
    await _save_once(gateway, [*values, "updated_at"])
    after = {name: value for name, value in visible_fields(gateway).items() if value != before[name]}
    record(
        "gateway.updated", gateway, f"Gateway changed: {gateway.name}.", has_new_token="token" in changes,
        before={name: before[name] for name in after}, after=after,
    )  # fmt: skip
    if connects:
        notify(connector.CHANNEL)
    return gateway


def _forgotten(changes: Row, report: queries.Report | None) -> Row:
    """Return what becomes of what was known of the connection before, which was perhaps of another gateway."""
    values = UNKNOWN | ({"state_at": times.clock_now()} if report is None else queries.stored(report))
    if "url" not in changes:
        return values
    has_device_token = report is not None and report.device_token is not None
    return {"instance_id": None} | values | ({} if has_device_token else {"device_token": None})


async def _save_once(gateway: Gateway, fields: list[str] | None = None) -> None:
    """Save a gateway. Raise Conflict with the other one where the organization has it already, at another address."""
    first = await queries.instance_in(gateway.organization_id, gateway.instance_id)
    if first is None or first.id == gateway.id:
        try:
            async with in_transaction():
                await gateway.save(update_fields=fields, force_create=fields is None)
            return
        except IntegrityError:  # somebody else added it at this moment
            first = await queries.instance_in(gateway.organization_id, gateway.instance_id)
            if first is None:
                raise
    message = queries.same_gateway(first)
    raise Conflict({"message": message, "code": ErrorCode.SAME_GATEWAY, "gateway_id": str(first.id)})


async def _try_duplicates(gateway: Gateway) -> None:
    """Let those connect that were refused because of a gateway which is no longer there, or at another address."""
    for duplicate in await rows("SELECT id FROM gateways WHERE same_as_id = ?", gateway.id):
        notify(f"{connector.RETRY}:{duplicate['id']}")


def changed_fields(gateway: Gateway, sent: queries.GatewayUpdate) -> Row:
    """The token as it is."""
    others = sent.model_dump(exclude_unset=True, exclude={"token", "clear_token"})
    changes = {name: value for name, value in others.items() if getattr(gateway, name) != value}
    token = sent.token
    if sent.clear_token:
        return changes | ({"token": None} if gateway.token is not None else {})
    return changes | ({"token": token} if token is not None and token != _token_of(gateway) else {})


def _token_of(gateway: Gateway) -> str | None:
    try:
        return opened(gateway.token)
    except GatewayError:
        return None  # stored with another SECRET_KEY: any token is a new one


@command("gateway.delete")
async def delete_gateway(actor: Actor, gateway: Gateway, *, force: bool = False) -> None:
    """Delete a gateway. Conflict while boards use it, unless `force`: then they stay, without a gateway."""
    gateway = await existing(Gateway.select_for_update().get_or_none(id=gateway.id))  # against new references too
    await refuse_in_use(gateway, force=force)
    record("gateway.deleted", gateway, f"Gateway deleted: {gateway.name}.", name=gateway.name, gateway_id=gateway.id)
    await react()
    await _try_duplicates(gateway)
    await gateway.delete()
    notify(connector.CHANNEL)


async def refuse_in_use(gateway: Gateway, *, force: bool) -> None:
    """Raise Conflict while boards use a gateway, unless `force`."""
    boards = [] if force else await queries.boards_using(gateway.id)
    if boards:
        names = ", ".join(boards[:5]) + (" and others" if len(boards) > 5 else "")
        message = f"Boards use this gateway: {names}. Give them another one, or delete it with force=true."
        raise Conflict({"message": message, "code": ErrorCode.GATEWAY_IN_USE})


def visible_fields(gateway: Gateway) -> JsonObject:
    names = ("name", "url", "workspace_root", "allow_insecure_tls", "disable_device_pairing")
    return {name: getattr(gateway, name) for name in names} | {"has_token": gateway.token is not None}


def deadline() -> float:
    """Set the moment of the event loop's clock until which all steps of a check are done."""
    return asyncio.get_running_loop().time() + 5.0


def _left(until: float) -> float:
    return max(0.0, until - asyncio.get_running_loop().time())


async def check(organization_id: UUID, target: Target, until: float) -> queries.Report:
    """Connect once for an organization and return how that went.

    Raises Invalid for a wrong token, for a version that is known not to work, and for an address that may not be
    reached.
    """
    try:
        connection = await asyncio.wait_for(
            connect(target, await identity.identity(), on_event=lambda event: None), _left(until)
        )
    except TimeoutError:
        late = Unreachable("TIMEOUT", "The gateway does not answer in time.")
        return queries.of_error(await discreet(organization_id, late))
    except GatewayError as problem:
        # An address that was typed tells nothing of the network, which a name that leads to one would.
        is_typed = problem.code == "ADDRESS_REFUSED" and address_of(urlsplit(target.address).hostname or "") is not None
        error = problem if is_typed else await discreet(organization_id, problem)
        _refuse(error)
        return queries.of_error(error)
    report = queries.of_hello(connection.hello, await instance_id(connection, seconds=_left(until)))
    await connection.close()
    # Connected is what the process says that keeps the connection.
    return replace(report, state=queries.CONNECTING)


def _refuse(error: GatewayError) -> None:
    if isinstance(error, TokenRefused) and error.detail_code != "AUTH_RATE_LIMITED":
        code = ErrorCode.GATEWAY_TOKEN_REFUSED
    elif isinstance(error, TooOld | TooNew):
        code = ErrorCode.GATEWAY_VERSION_NOT_SUPPORTED
    elif error.code == "ADDRESS_REFUSED":
        code = ErrorCode.GATEWAY_ADDRESS_REFUSED
    else:
        return
    raise Invalid({"message": queries.of_error(error).last_error or error.message, "code": code})


async def settled(gateway_id: UUID, until: float) -> Gateway | None:
    """Return a gateway as soon as its state is known, at the latest at the deadline as it is then; None if deleted."""
    return await _awaited(gateway_id, until, lambda gateway: gateway.state != queries.CONNECTING)


async def retried(gateway: Gateway, expected: queries.Report, until: float) -> Gateway:
    """Return a gateway once the process that holds it found what a check expects, or at the deadline."""
    state = queries.CONNECTED if expected.state == queries.CONNECTING else expected.state
    return await _awaited(gateway.id, until, lambda gateway: gateway.state == state) or gateway


async def _awaited(gateway_id: UUID, until: float, is_so: Callable[[Gateway], bool]) -> Gateway | None:
    while True:
        with wakeup_channels.listening(channel(gateway_id)) as notified:
            gateway = await find(Gateway, "id = ?", gateway_id)
            if gateway is None or is_so(gateway) or _left(until) <= 0:
                return gateway
            await wakeup_channels.notified_within(notified, _left(until))
