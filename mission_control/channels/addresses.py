"""Ways to receivers: the address of a device or a person, and what was set for the channel, with its secrets."""

from mission_control.channels.channel import Client, Line
from mission_control.channels.installation import opened, opened_values, reachable_address
from mission_control.channels.models import Device, ReachChannel, ReachMessage
from mission_control.core.current_app import settings
from mission_control.database.records import find
from mission_control.people.models import User
from mission_control.people.sign_in.first_run import mail_address

PRESSED = "/reach/pressed"  # takes tokens from where nobody vouches for who pressed: from a topic of ntfy


async def device_of(message: ReachMessage, *, ended: bool = False) -> Device | None:
    """Return the device of a message, unless it has ended."""
    if message.device_id is None:
        return None
    return await find(Device, f"id = ?{'' if ended else ' AND ended_at IS NULL'}", message.device_id)


async def line_to(message: ReachMessage, device: Device | None) -> Line:
    if device is not None:
        return await line_of(device)
    user = await User.get_or_none(id=message.user_id) if message.user_id is not None else None
    return Line(_client(), settings(), to=mail_address(user.email) if user is not None else "")


async def line_of(device: Device) -> Line:
    channel = await ReachChannel.get_or_none(id=device.channel_id) if device.channel_id is not None else None
    own = opened_values(device.settings)
    return line_with(channel, opened(device.address), own)


def line_with(channel: ReachChannel | None, to: str = "", own: dict[str, str] | None = None) -> Line:
    values = {} if channel is None else {**channel.settings, **opened_values(channel.secrets)}
    address = reachable_address()
    path = PRESSED if channel is None else f"/reach/in/{channel.id}"
    answers_at = f"{address}{path}" if address else ""
    return Line(_client(), settings(), values | (own or {}), to, answers_at)


def _client() -> Client:
    return Client(settings().outbound_allow_private)
