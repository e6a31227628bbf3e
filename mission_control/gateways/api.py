"""Gateways over HTTP."""

from mission_control.core.actor import Actor
from mission_control.core.errors import ErrorCode, Invalid
from mission_control.core.values import OK, ErrorResponse, JsonObject, OkResponse, Page, Paging, page
from mission_control.database.records import find
from mission_control.events.reader_wakeups import publish_wakeup
from mission_control.gateways import commands
from mission_control.gateways.commands import deadline
from mission_control.gateways.connections import connector
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.errors import GatewayError
from mission_control.gateways.protocol.identity import opened, target_of
from mission_control.gateways.protocol.target import Target
from mission_control.gateways.queries import GatewayCreate, GatewayDeletion, GatewayRead, GatewayUpdate, is_connected
from mission_control.gateways.queries import list_gateways as gateways_page
from mission_control.http.operation_api import Api
from mission_control.http.retries import committed

api = Api(__name__, "gateways", below="/gateways")


@api.get("", Page[GatewayRead], rule="gateway.manage")
async def list_gateways(actor: Actor, query: Paging) -> JsonObject:
    """List the gateways of the active organization, newest first."""
    gateways, total = await gateways_page(actor, query)
    return page([GatewayRead.of(gateway) for gateway in gateways], total, query)


@api.post("", rule="gateway.create", errors={409: ErrorResponse}, is_atomic=False)
async def create_gateway(actor: Actor, data: GatewayCreate) -> GatewayRead:
    """Add a gateway.

    It is tried for at most five seconds. Refused are a wrong token, a version that is too old, and a gateway that the
    organization has already at another address (409 `same_gateway` with its `gateway_id`); otherwise the gateway is
    saved, and `state` says how the connection is. Mission Control keeps trying. One that turns out later to be another
    one is `refused` with `same_as_id`, and is not used.
    """
    until = deadline()
    target = target_of(actor.organization_id, data.url, data.token, allow_insecure_tls=data.allow_insecure_tls)
    report = await commands.check(actor.organization_id, target, until)

    async def create() -> GatewayRead:
        return GatewayRead.of(await commands.create_gateway(actor, actor.organization_id, data, report))

    return await _settled(await committed(actor, create), until)


async def _settled(saved: GatewayRead | None, until: float) -> GatewayRead:
    """Return a saved gateway as soon as its state is known. What a key repeats is the gateway as it was saved."""
    assert saved is not None
    gateway = await commands.settled(saved.id, until)
    return saved if gateway is None else GatewayRead.of(gateway)


@api.get("/<gateway_id>", rule="gateway.read")
async def get_gateway(actor: Actor, gateway: Gateway) -> GatewayRead:
    """Read a gateway."""
    return GatewayRead.of(gateway)


@api.patch("/<gateway_id>", rule="gateway.update", errors={409: ErrorResponse}, is_atomic=False)
async def update_gateway(actor: Actor, gateway: Gateway, data: GatewayUpdate) -> GatewayRead:
    """Change a gateway; only the fields that are sent.

    Another address, token or way of TLS is tried for at most five seconds, as for a new gateway, and used at once. A
    new name leaves the connection alone.
    """
    until = deadline()
    connects = not commands.changed_fields(gateway, data).keys().isdisjoint(commands.CONNECTION)
    report = await commands.check(gateway.organization_id, _target(gateway, data), until) if connects else None

    async def update() -> GatewayRead:
        return GatewayRead.of(await commands.update_gateway(actor, gateway, data, report))

    changed = await committed(actor, update)
    if changed is not None and not connects:
        return changed
    return await _settled(changed, until)


@api.delete("/<gateway_id>", rule="gateway.delete", errors={409: ErrorResponse})
async def delete_gateway(actor: Actor, gateway: Gateway, query: GatewayDeletion) -> OkResponse:
    """Delete a gateway with its main agent.

    While boards use it the answer is 409; with `force=true` they stay, without a gateway. What its agents are on the
    gateway's host stays there.
    """
    await commands.delete_gateway(actor, gateway, force=query.force)
    return OK


@api.post("/<gateway_id>/checks", rule="gateway.check", is_atomic=False)
async def check_gateway(actor: Actor, gateway: Gateway) -> GatewayRead:
    """Connect to a gateway now, instead of at the next attempt, and return how that went after at most five seconds."""
    if is_connected(gateway):
        return GatewayRead.of(gateway)
    until = deadline()
    try:
        report = await commands.check(gateway.organization_id, _target(gateway, GatewayUpdate()), until)
    except (Invalid, GatewayError):
        report = None  # the process that keeps the connection meets the same, and says so in the row
    await publish_wakeup(f"{connector.RETRY}:{gateway.id}")
    if report is None:
        return GatewayRead.of(await find(Gateway, "id = ?", gateway.id) or gateway)
    return GatewayRead.of(await commands.retried(gateway, report, until))


def _target(gateway: Gateway, sent: GatewayUpdate) -> Target:
    """Return where and how to connect after some changes; a device token is for the address before only."""
    url = gateway.url if sent.url is None else sent.url
    try:
        token = None if sent.clear_token else sent.token or opened(gateway.token)
        device_token = opened(gateway.device_token) if url == gateway.url else None
    except GatewayError as error:
        raise Invalid({"message": error.message, "code": ErrorCode.GATEWAY_SECRET_UNREADABLE}) from None
    insecure = gateway.allow_insecure_tls if sent.allow_insecure_tls is None else sent.allow_insecure_tls
    return target_of(gateway.organization_id, url, token, device_token, allow_insecure_tls=insecure)
