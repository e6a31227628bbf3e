"""The Test button: a real message by the same code, and the provider's own words when it does not arrive."""

from mission_control.channels.addresses import line_to
from mission_control.channels.channel import CHANNELS, Gone, Later, Refused
from mission_control.channels.delivery.content import written
from mission_control.channels.delivery.outcomes import gone, refused, sent
from mission_control.channels.delivery.state import MAIL
from mission_control.channels.devices.codes import TOO_MANY, admits
from mission_control.channels.devices.queries import DeviceTest
from mission_control.channels.messages.rows import TOPIC
from mission_control.channels.models import Device, ReachMessage
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.limits import FailureLimit
from mission_control.core.times import monotonic
from mission_control.database.records import insert
from mission_control.events.commands import command
from mission_control.http.retries import committed

TESTS = 10  # of a person in a minute: others may read the place, too
_tests = FailureLimit(TESTS, 60.0)


async def send_test(actor: Actor, device: Device | None) -> DeviceTest:
    """Send a test to a device, or by mail for None, and return how that went; it waits for the provider."""
    kind = device.kind if device is not None else MAIL
    channel = CHANNELS.get(kind)
    if channel is None:
        return DeviceTest(ok=False, words="This channel is not installed.", seconds=0.0)
    if not admits(_tests, str(actor.user_id)):
        return DeviceTest(ok=False, words=TOO_MANY, seconds=0.0)
    who = system(actor.organization_id)
    message = await _test_message(actor, device, kind)
    line, began = await line_to(message, device), monotonic()
    ready = await written(message, device, channel, actor, takes=False)
    try:
        name = await channel.send(line, ready.message)
    except Gone as error:
        await gone(who, message, device, str(error))
        return _how(began, str(error))
    except (Refused, Later) as error:
        await refused(who, message, device, str(error))
        return _how(began, str(error))
    except Exception as error:
        await refused(who, message, device, f"It could not be sent: {type(error).__name__}.")
        raise
    await sent(who, message, device, name, ready)
    return _how(began)


def _how(began: float, refusal: str | None = None) -> DeviceTest:
    return DeviceTest(ok=refusal is None, words=refusal or "", seconds=round(monotonic() - began, 2))


async def answer_with_test(actor: Actor, device: Device | None) -> DeviceTest | None:
    """Send a test within an operation that is not atomic, and return its answer."""
    tested = await send_test(actor, device)

    async def answer() -> DeviceTest:
        return tested

    return await committed(actor, answer)


@command("reach.answer")
async def _test_message(actor: Actor, device: Device | None, kind: str) -> ReachMessage:
    message = ReachMessage(
        organization_id=actor.organization_id,
        user_id=device.user_id if device is not None else actor.user_id,
        device_id=device.id if device is not None else None,
        kind=kind,
        why="test",
        title="",
        created_at=times.clock_now(),
    )
    message.topic = message.id.hex[:TOPIC]
    await insert(message)
    return message
