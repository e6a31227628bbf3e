"""Send messages: the deliveries of each channel, looked at once more right before the request."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID
from weakref import WeakValueDictionary

from quart import Quart

from mission_control.background import sending
from mission_control.background.sending import MOST_ATTEMPTS, GiveUp, NotNow, Sender
from mission_control.channels.addresses import device_of, line_to
from mission_control.channels.channel import CHANNELS, Channel, Gone, Later, Line, Message, Refused
from mission_control.channels.delivery.content import Written, ended, fingerprint_of, is_over, reader_of, written
from mission_control.channels.delivery.outcomes import edited, end, gone, later, refused, sent, shown
from mission_control.channels.delivery.plan import quiet_until
from mission_control.channels.delivery.state import MAIL, readers_of
from mission_control.channels.messages.rows import OF_MESSAGE, SENDING
from mission_control.channels.models import Device, ReachMessage, ReachNeed
from mission_control.core import times
from mission_control.core.actor import system
from mission_control.core.current_app import inside
from mission_control.core.settings import ConfigError
from mission_control.database.records import find, find_all
from mission_control.events.leases import Delivery

SHARE = 8  # of the deliveries at once, so that a slow provider holds up nobody else
OWN_SHARE = 4  # of them for one organization: its people choose where its messages go, also to servers of their own
PATIENCE_SECONDS = 2.0  # a delivery waits for its turn, before it makes room for those of other channels
NOT_YET_SECONDS = 1.0
LONGEST_SECONDS = 25.0  # of one attempt; with what comes before it, less than SENDING_SECONDS of the loop
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 10.0, 600.0
RESTING_SECONDS = 60.0

_log = logging.getLogger(__name__)
_turns = WeakValueDictionary[tuple[int, str, UUID | None], asyncio.Semaphore]()  # those that somebody has or waits for
_resting: dict[UUID, datetime] = {}  # devices whose receiver took nothing, until when none of their messages is tried
_at_work: set[str] = set()  # messages: one edit at a time, so that the last one shows how it ended


@sending.senders
def senders(app: Quart) -> Sequence[Sender]:
    """Send the messages of every channel that is installed."""
    return [
        Sender(f"{SENDING}{kind}", send, only=partial(_of_others, kind), is_able=partial(_is_free, kind))
        for kind in CHANNELS
    ]


def _turn(kind: str, organization_id: UUID | None = None) -> asyncio.Semaphore:
    made = asyncio.Semaphore(SHARE if organization_id is None else OWN_SHARE)
    return _turns.setdefault((id(asyncio.get_running_loop()), kind, organization_id), made)


def _is_free(kind: str) -> bool:
    return not _turn(kind).locked()


def _of_others(kind: str) -> str:
    """Return SQL for the deliveries of organizations that do not use all of their share now."""
    busy = [f"'{one}'" for (_, its, one), turn in [*_turns.items()] if its == kind and one and turn.locked()]
    return f"(organization_id IS NULL OR organization_id NOT IN ({', '.join(busy)}))" if busy else ""


@asynccontextmanager
async def _in(turn: asyncio.Semaphore) -> AsyncIterator[None]:
    try:
        await asyncio.wait_for(turn.acquire(), PATIENCE_SECONDS)
    except TimeoutError:
        raise NotNow("Others are on their way.", NOT_YET_SECONDS) from None
    try:
        yield
    finally:
        turn.release()


async def send(delivery: Delivery) -> None:
    """Send a message, or show what was sent as it is now."""
    kind, about = delivery.kind.removeprefix(SENDING), delivery.data["message"]
    async with _in(_turn(kind, delivery.organization_id)), _in(_turn(kind)):
        if about in _at_work:
            raise NotNow("It is on its way.", NOT_YET_SECONDS)
        _at_work.add(about)
        try:
            await _send_or_edit(delivery, UUID(about))
        finally:
            _at_work.discard(about)


async def _send_or_edit(delivery: Delivery, message_id: UUID) -> None:
    async with inside():
        message = await find(ReachMessage, "id = ?", message_id)
        if message is not None:
            await (_edit(message) if delivery.data.get("edit") else _tried(message, delivery))


async def _tried(message: ReachMessage, delivery: Delivery) -> None:
    """Send a message; one that fails for a reason of our own is given up with its last try."""
    try:
        await _send(message)
    except (GiveUp, NotNow):
        raise
    except Exception as error:
        if delivery.attempts >= MOST_ATTEMPTS:
            # The words of other errors may hold a token.
            words = str(error) if isinstance(error, ConfigError) else f"It could not be sent: {type(error).__name__}."
            await refused(system(message.organization_id), message, await device_of(message), words)
        raise


async def _send(message: ReachMessage) -> None:
    """Send a message that still waits for its reader. Raise GiveUp or NotNow as its channel says."""
    if message.state != "queued":
        return
    channel, device, now = CHANNELS[message.kind], await device_of(message), times.clock_now()
    who = system(message.organization_id)
    if message.kind != MAIL and device is None:
        await end(who, message, "failed", "This device was removed.")
        return
    if is_over(message, now):
        await end(who, message, "expired", None)
        return
    actor = await reader_of(message, device)
    if actor is None:
        await end(who, message, "withdrawn", "This person is no longer a member.")
        return
    _refuse_resting(device, now)
    line = await line_to(message, device)
    ready = await written(message, device, channel, actor, takes=channel.takes_answers(line))
    if message.why in ("first", "unseen") and await _all_seen(message):  # while the provider did not take it
        await end(who, message, "withdrawn", "It was seen elsewhere.", was_tried=True)
        return
    if message.why != "test" and not await _is_wanted(message, ready):
        await end(who, message, "withdrawn", "It no longer waits.")
        return
    await shown(who, ready)
    message.title = ready.message.title
    name = await _taken_by(channel, line, message, device, ready.message)
    await sent(who, message, device, name, ready)


async def _taken_by(channel: Channel, line: Line, message: ReachMessage, device: Device | None, text: Message) -> str:
    """Send a text; return its name at the provider. Where it is not taken, note why, and raise GiveUp or NotNow."""
    who, now = system(message.organization_id), times.clock_now()
    try:
        return await _sent_by(channel, line, text)
    except Gone as error:
        await gone(who, message, device, str(error))
        raise GiveUp(str(error)) from error
    except Refused as error:
        await refused(who, message, device, str(error))
        raise GiveUp(str(error)) from error
    except Later as error:
        await later(who, message, device, str(error))
        pause = error.seconds or _pause(message)
        _rest(device, now, pause)
        raise NotNow(str(error), pause) from error


def _refuse_resting(device: Device | None, now: datetime) -> None:
    """Raise NotNow for a device whose receiver took nothing a moment ago: one try a minute finds out, not one each."""
    left = (_resting[device.id] - now).total_seconds() if device is not None and device.id in _resting else 0.0
    if 0.0 < left <= RESTING_SECONDS:  # more after a clock was set back
        raise NotNow("Its receiver took nothing a moment ago.", left)


def _rest(device: Device | None, now: datetime, seconds: float) -> None:
    for one in [one for one, until in _resting.items() if until <= now]:
        del _resting[one]
    if device is not None:
        _resting[device.id] = now + timedelta(seconds=min(seconds, RESTING_SECONDS))


async def _sent_by(channel: Channel, line: Line, message: Message) -> str:
    """Send a message. Raise Later for a provider that takes so long that the loop would end the attempt in silence."""
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            return await channel.send(line, message)
    except TimeoutError:
        raise Later("The provider took too long.") from None


def _pause(message: ReachMessage) -> float:
    """Return the seconds until a message is tried again: half as long as it waits already, for as long as it counts.

    Its reader is not kept waiting for it: the next link is used after the usual time.
    """
    age = (times.clock_now() - message.created_at).total_seconds()
    return float(min(max(age / 2, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS))


async def _is_wanted(message: ReachMessage, ready: Written) -> bool:
    """Whether a message is still to be sent: something in it waits, and quiet hours have not begun."""
    if not ready.needs or not (ready.has_open or message.why == "digest"):
        return False
    return message.user_id is None or message.organization_id is None or not await _is_quiet(message)


async def _all_seen(message: ReachMessage) -> bool:
    found = await find_all(ReachNeed, OF_MESSAGE, message.user_id, message.id)
    return bool(found) and all(one.seen_at is not None and one.seen_at > message.created_at for one in found)


async def _is_quiet(message: ReachMessage) -> bool:
    """Whether quiet hours began since a message was planned; those that were planned in them are meant to be sent."""
    assert message.organization_id is not None
    reader = next(iter(await readers_of(message.organization_id, only=message.user_id)), None)
    if reader is None or not reader.person.chain:
        return True  # this person chose to be told of nothing since
    now = times.clock_now()
    return quiet_until(reader.person, now) is not None and quiet_until(reader.person, message.created_at) is None


async def _edit(message: ReachMessage) -> None:
    """Show a message as it is now; a no-op where it is shown so already."""
    channel, device = CHANNELS[message.kind], await device_of(message, ended=True)
    if message.provider_name is None or (device is not None and device.ended_at is not None):
        return
    actor = await reader_of(message, device)
    line = await line_to(message, device)
    if actor is None:
        ready = ended(message)
    else:
        ready = await written(message, device, channel, actor, takes=channel.takes_answers(line))
    if fingerprint_of(ready.message) == message.edited:
        return
    await shown(system(message.organization_id), ready)
    try:
        await channel.edit(line, message.provider_name, ready.message)
    except Refused as error:
        raise GiveUp(str(error)) from error
    except Later as error:
        raise NotNow(str(error), error.seconds or _pause(message)) from error
    await edited(system(message.organization_id), message, ready)
