"""Send messages: the deliveries of each channel, looked at once more right before the request."""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from quart import Quart

from mission_control.config import ConfigError
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.database.records import find, find_all, update
from mission_control.log.commands import command
from mission_control.log.leases import Delivery
from mission_control.log.unit_of_work import notify, signal
from mission_control.people.models import User
from mission_control.reach import installation
from mission_control.reach.channel import CHANNELS, Channel, Client, Gone, Later, Line, Message, Refused
from mission_control.reach.choices import WAKES
from mission_control.reach.keeping import one_at_a_time
from mission_control.reach.messages import OF_MESSAGE, SENDING, edit_messages
from mission_control.reach.models import Device, ReachChannel, ReachMessage, ReachMessageNeed, ReachNeed
from mission_control.reach.plan import quiet_until
from mission_control.reach.reading import MAIL, link_of, readers_of
from mission_control.reach.writing import Written, answers_of, ended, fingerprint_of, is_over, reader_of, written
from mission_control.work import loop
from mission_control.work.loop import MOST_ATTEMPTS, GiveUp, NotNow, Sender

SHARE = 5  # of the deliveries at once, so that a slow provider holds up nobody else
PATIENCE_SECONDS = 2.0  # a delivery waits for its turn, before it makes room for those of other channels
NOT_YET_SECONDS = 1.0
LONGEST_SECONDS = 25.0  # of one attempt; with what comes before it, less than SENDING_SECONDS of the loop
PRESSED = "/reach/pressed"  # takes tokens from where nobody vouches for who pressed: from a topic of ntfy
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 10.0, 600.0

_log = logging.getLogger(__name__)
_turns: dict[tuple[int, str], asyncio.Semaphore] = {}
_at_work: set[str] = set()  # messages: one edit at a time, so that the last one shows how it ended


@loop.senders
def senders(app: Quart) -> Sequence[Sender]:
    """Send the messages of every channel that is installed."""
    return [Sender(f"{SENDING}{kind}", send, is_able=partial(_is_free, kind)) for kind in CHANNELS]


def _turn(kind: str) -> asyncio.Semaphore:
    return _turns.setdefault((id(asyncio.get_running_loop()), kind), asyncio.Semaphore(SHARE))


def _is_free(kind: str) -> bool:
    return not _turn(kind).locked()


async def send(delivery: Delivery) -> None:
    """Send a message, or show what was sent as it is now."""
    kind, about = delivery.kind.removeprefix(SENDING), delivery.data["message"]
    turn = _turn(kind)
    try:
        await asyncio.wait_for(turn.acquire(), PATIENCE_SECONDS)
    except TimeoutError:
        raise NotNow("Others are on their way.", NOT_YET_SECONDS) from None
    try:
        if about in _at_work:
            raise NotNow("It is on its way.", NOT_YET_SECONDS)
        _at_work.add(about)
        try:
            await _send_or_edit(delivery, UUID(about))
        finally:
            _at_work.discard(about)
    finally:
        turn.release()


async def _send_or_edit(delivery: Delivery, message_id: UUID) -> None:
    async with installation.inside():
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
    line = await line_to(message, device)
    ready = await written(message, device, channel, actor, takes=channel.takes_answers(line))
    if message.why in ("first", "unseen") and await _all_seen(message):  # while the provider did not take it
        await end(who, message, "withdrawn", "It was seen elsewhere.", was_tried=True)
        return
    if message.why != "test" and not await _is_wanted(message, ready):
        await end(who, message, "withdrawn", "It no longer waits.")
        return
    await shown(who, ready)
    try:
        name = await _sent_by(channel, line, ready.message)
    except Gone as error:
        await gone(who, message, device, str(error))
        raise GiveUp(str(error)) from error
    except Refused as error:
        await refused(who, message, device, str(error))
        raise GiveUp(str(error)) from error
    except Later as error:
        await later(who, message, device, str(error))
        raise NotNow(str(error), error.seconds or _pause(message)) from error
    await sent(who, message, device, name, ready)


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
    if not ready.has_open and message.why != "digest":
        return False
    if not ready.needs:
        return False
    if message.user_id is None or message.organization_id is None:
        return True
    return not await _is_quiet(message)


async def _all_seen(message: ReachMessage) -> bool:
    found = await find_all(ReachNeed, OF_MESSAGE, message.user_id, message.id)
    return bool(found) and all(one.seen_at is not None and one.seen_at > message.created_at for one in found)


async def _is_quiet(message: ReachMessage) -> bool:
    """Whether quiet hours began since a message was planned; those that were planned in them are meant to be sent."""
    assert message.organization_id is not None
    reader = next(iter(await readers_of(message.organization_id, only=message.user_id)), None)
    if reader is None:
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


async def device_of(message: ReachMessage, *, ended: bool = False) -> Device | None:
    """Return the device of a message, unless it has ended."""
    if message.device_id is None:
        return None
    return await find(Device, f"id = ?{'' if ended else ' AND ended_at IS NULL'}", message.device_id)


async def line_to(message: ReachMessage, device: Device | None) -> Line:
    """Return the way to the reader of a message."""
    if device is not None:
        return await line_of(device)
    rows_of = await user_mail(message.user_id) if message.user_id is not None else ""
    return Line(client(), installation.settings(), {}, rows_of, "")


async def line_of(device: Device) -> Line:
    channel = await ReachChannel.get_or_none(id=device.channel_id) if device.channel_id is not None else None
    own = installation.opened_values(device.settings)
    return line_with(channel, installation.opened(device.address), own)


def line_with(channel: ReachChannel | None, to: str = "", own: dict[str, str] | None = None) -> Line:
    """Return the way to an address by a channel of an organization, or by none."""
    values = {} if channel is None else {**channel.settings, **installation.opened_values(channel.secrets)}
    address = installation.reachable_address()
    path = PRESSED if channel is None else f"/reach/in/{channel.id}"
    answers_at = f"{address}{path}" if address else ""
    return Line(client(), installation.settings(), values | (own or {}), to, answers_at)


def client() -> Client:
    return Client(installation.settings().outbound_allow_private)


async def user_mail(user_id: UUID) -> str:
    user = await User.get_or_none(id=user_id)
    return "" if user is None else user.email or ""


async def _alone(message: ReachMessage) -> None:
    """Inside a command, before it locks a row: let the loop that ends messages wait, which locks in this order too."""
    if message.organization_id is not None:
        await one_at_a_time(message.organization_id)


@command("reach.keep")
async def sent(actor: Actor, message: ReachMessage, device: Device | None, name: str, ready: Written) -> None:
    """Record that a message left, and what was shown of each need."""
    await _alone(message)
    now = times.clock_now()
    if device is not None:
        device.last_ok_at, device.last_error, device.failed_at = now, None, None
        await update(device, "last_ok_at", "last_error", "failed_at")
        if device.channel_id is not None:
            await ReachChannel.filter(id=device.channel_id, state="failing").update(
                state="on", last_error=None, failing_since=None
            )
    fresh = await find(ReachMessage, "id = ?", message.id, lock=True)
    if fresh is None:
        return
    if fresh.state in ("queued", "failed"):
        fresh.state = "sent"
    fresh.sent_at, fresh.provider_name, fresh.title, fresh.error = now, name, ready.message.title, None
    fresh.edited = fingerprint_of(ready.message)
    await update(fresh, "state", "sent_at", "provider_name", "title", "error", "edited")
    if fresh.state in ("withdrawn", "elsewhere"):  # it ended while it was on its way
        fresh.state = "elsewhere"
        await update(fresh, "state")
        await edit_messages([fresh])
    _signal(fresh)


@command("reach.keep")
async def shown(actor: Actor, ready: Written) -> None:
    """Record what is about to be shown of each need: its buttons are bound to that."""
    for part, need in ready.needs:
        if need is None:
            continue
        if part.substance != need.substance:  # words that are awaited were for what was shown before
            await ReachMessage.filter(id=part.message_id).exclude(awaits=None).update(awaits=None, awaits_until=None)
        part.substance = need.substance
        part.answers = [one.id for one in answers_of(need, with_words=ready.with_words)]
        await update(part, "substance", "answers")


@command("reach.keep")
async def edited(actor: Actor, message: ReachMessage, ready: Written) -> None:
    """Record how a message is shown there since it was edited."""
    message.edited = fingerprint_of(ready.message)
    await update(message, "edited")


@command("reach.keep")
async def end(actor: Actor, message: ReachMessage, state: str, how: str | None, *, was_tried: bool = False) -> None:
    """End a message that does not leave; unless it `was_tried`, its step is taken anew where something still waits."""
    await _alone(message)
    message.state, message.ended_at, message.ended_how = state, times.clock_now(), how
    await update(message, "state", "ended_at", "ended_how")
    if not was_tried:
        await _untry(message)
    _signal(message)
    notify(WAKES)


async def _untry(message: ReachMessage, *, failed: bool = False) -> None:
    """Take back that a message was tried, or say that its link failed, at each of its needs that still wait.

    As long as another device of its link has it, or may get it, the link does not fail.
    """
    device = await device_of(message, ended=True)
    link = link_of(device) if device is not None else message.kind
    is_of_many = link == message.kind and device is not None
    if is_of_many and await find(
        ReachMessage, _OF_SAME_STEP, message.id, message.id, message.user_id, link, message.created_at
    ):
        return
    reader_id = message.user_id or message.device_id
    for part in await find_all(ReachMessageNeed, "message_id = ?", message.id):
        need = await find(
            ReachNeed,
            "reader_id = ? AND kind = ? AND subject_id = ? AND ended_at IS NULL",
            reader_id,
            part.kind,
            part.subject_id,
        )
        if need is None:
            continue
        moment = message.created_at.isoformat()
        need.tried = [one for one in need.tried if not (one[0] == link and one[1] == moment)]
        if failed and link not in need.failed:
            need.failed = [*need.failed, link]
        await update(need, "tried", "failed")


# Messages of the same step to other devices of a person.
_OF_SAME_STEP = (
    "id <> ? AND id IN (SELECT y.message_id FROM reach_message_needs x JOIN reach_message_needs y ON y.kind = x.kind"
    " AND y.subject_id = x.subject_id WHERE x.message_id = ?) AND user_id = ? AND kind = ? AND created_at = ?"
    " AND state NOT IN ('failed', 'withdrawn', 'expired') LIMIT 1"
)


@command("reach.keep")
async def gone(actor: Actor, message: ReachMessage, device: Device | None, words: str) -> None:
    """End a device that is no more, and go on with the next link at once.

    The place of a team stays, with the provider's words: nobody else would be told that it reaches nobody.
    """
    await _alone(message)
    if device is not None:
        device.failed_at, device.mark, device.last_error = times.clock_now(), None, words[:2000]
        if device.board_id is None:
            device.ended_at = device.failed_at
        await update(device, "ended_at", "mark", "last_error", "failed_at")
    await _failed(message, words)


@command("reach.keep")
async def refused(actor: Actor, message: ReachMessage, device: Device | None, words: str) -> None:
    """Record that a message was given up, with the provider's words, and go on with the next link at once."""
    await _alone(message)
    now = times.clock_now()
    if device is not None:
        device.last_error, device.failed_at = words[:2000], device.failed_at or now
        await update(device, "last_error", "failed_at")
        if device.channel_id is not None and (channel := await ReachChannel.get_or_none(id=device.channel_id)):
            if channel.state == "on":
                channel.state, channel.failing_since = "failing", now
            channel.last_error = words[:2000]
            await update(channel, "state", "failing_since", "last_error")
            signal(channel.organization_id, reach_channel=str(channel.id))
    await _failed(message, words)


@command("reach.keep")
async def later(actor: Actor, message: ReachMessage, device: Device | None, words: str) -> None:
    """Record why a message waits, in the provider's words."""
    now = times.clock_now()
    if device is not None:
        device.last_error, device.failed_at = words[:2000], device.failed_at or now
        await update(device, "last_error", "failed_at")
    message.error = words[:2000]
    await update(message, "error")
    _signal(message)


async def _failed(message: ReachMessage, words: str) -> None:
    message.state, message.error, message.ended_at = "failed", words[:2000], times.clock_now()
    await update(message, "state", "error", "ended_at")
    await _untry(message, failed=True)
    _signal(message)
    notify(WAKES)


def _signal(message: ReachMessage) -> None:
    if message.organization_id is not None:
        if message.user_id is not None:
            signal(message.organization_id, reach_of=str(message.user_id))
        signal(message.organization_id, reach_message=str(message.id))
