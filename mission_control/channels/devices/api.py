"""Devices of the calling person, and the codes that link accounts of chats, over HTTP."""

from quart import current_app, request

from mission_control.channels.devices import accounts
from mission_control.channels.devices.commands import add_device, order_devices, remove_device, typed_place
from mission_control.channels.devices.queries import (
    AddressCreate,
    DeviceOrder,
    DeviceRead,
    DeviceTest,
    devices_of,
    read_device,
)
from mission_control.channels.models import Device, ReachChannel, ReachCode
from mission_control.channels.trial_messages import answer_with_test
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict
from mission_control.core.values import OK, JsonObject, OkResponse, Page, Paging, page_of
from mission_control.http.operation_api import Api
from mission_control.people.sign_in.browser_sessions import sends_mail

api = Api(__name__, "users", below="/users/me/reach")


def our_address() -> str:
    return str(current_app.config["SETTINGS"].base_url or request.host_url).rstrip("/")


@api.get("/devices", Page[DeviceRead], rule="reach.choose")
async def list_my_devices(actor: Actor, query: Paging) -> JsonObject:
    """List where you are reached, in your order; what ended by itself in the last 30 days stands at the end."""
    return page_of([read_device(device) for device in await devices_of(actor)], query)


@api.post("/addresses", rule="reach.choose")
async def add_my_address(actor: Actor, data: AddressCreate) -> DeviceRead:
    """Make an address one of your devices, such as a topic of ntfy. One that you have already is brought up to date."""
    place = typed_place(data.kind, data.values, data.label.strip(), our_address())
    return read_device(await add_device(actor, place))


@api.delete("/devices/<device_id>", rule="reach.choose")
async def remove_my_device(actor: Actor, device: Device) -> OkResponse:
    """Remove a device, or unlink an account of a chat; the reason why one has ended is no longer shown."""
    await remove_device(actor, device)
    return OK


@api.put("/devices/order", Page[DeviceRead], rule="reach.choose")
async def order_my_devices(actor: Actor, data: DeviceOrder) -> JsonObject:
    """Put your devices into an order: each is tried only while a need still waits after the one before."""
    await order_devices(actor, data.ids)
    return page_of([read_device(device) for device in await devices_of(actor)])


@api.post("/codes", rule="reach.choose")
async def make_my_reach_code(actor: Actor, data: accounts.LinkCodeCreate) -> accounts.LinkCodeCreated:
    """Make a code that links an account of a chat: send it to the bot in private within 10 minutes, then confirm.

    Each counts once, and you can make five an hour.
    """
    code, channel, text = await accounts.make_code(actor, data.channel_id)
    return accounts.created_code(code, channel, text)


@api.get("/codes/<code_id>", rule="reach.choose")
async def get_my_reach_code(actor: Actor, code: ReachCode) -> accounts.LinkCodeRead:
    """Read whether a code was sent to the bot, and by which account."""
    return accounts.read_code(code, await ReachChannel.get(id=code.channel_id))


@api.post("/codes/<code_id>/confirmations", rule="reach.choose")
async def confirm_my_reach_code(actor: Actor, code: ReachCode) -> DeviceRead:
    """Confirm that the account that sent the code is yours: from now on it reaches you, and answers for you."""
    return read_device(await accounts.confirm_code(actor, code, our_address()))


@api.delete("/codes/<code_id>", rule="reach.choose")
async def drop_my_reach_code(actor: Actor, code: ReachCode) -> OkResponse:
    """Drop a code, for example because the account that sent it is not yours."""
    await accounts.drop_code(actor, code)
    return OK


@api.post("/devices/<device_id>/tests", DeviceTest, rule="reach.choose", is_atomic=False)
async def test_my_device(actor: Actor, device: Device) -> DeviceTest | None:
    """Send a test message to a device, and read how that went in the provider's words."""
    if device.ended_at is not None:
        raise Conflict("This device has ended. Add it again.")
    if device.organization_id not in (None, *actor.memberships):
        raise Conflict("You are no longer a member of the organization whose channel this is.")
    return await answer_with_test(actor, device)


@api.post("/mail/tests", DeviceTest, rule="reach.choose", is_atomic=False)
async def test_my_mail(actor: Actor) -> DeviceTest | None:
    """Send a test message to your mail address."""
    if not sends_mail():
        raise Conflict("This installation sends no mail: SMTP_URL is not set.")
    return await answer_with_test(actor, None)
