"""What became of messages: they left, were shown anew, ended before they left, or their provider did not take them."""

from mission_control.channels.channel import plain
from mission_control.channels.delivery.buttons import answers_of
from mission_control.channels.delivery.content import Written, fingerprint_of
from mission_control.channels.delivery.state import PUSH, link_named
from mission_control.channels.delivery.unreached import announce_unreached
from mission_control.channels.messages.rows import OF_MESSAGE, edit_messages, one_at_a_time
from mission_control.channels.models import Device, ReachMessage, ReachNeed
from mission_control.channels.preferences.commands import WAKES
from mission_control.channels.queries import note_failing, note_working
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.database.records import find, find_all, update, update_all
from mission_control.events.commands import command
from mission_control.events.unit_of_work import notify, signal


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
        if device.channel_id is not None:
            await note_working(device.channel_id)
        if device.board_id is not None and device.last_error is not None and message.organization_id is not None:
            announce_unreached(message.organization_id)
        works = {"last_ok_at": now, "last_error": None, "failed_at": None}
        await Device.filter(id=device.id, ended_at=None).update(**works)  # one that has ended says why
    fresh = await find(ReachMessage, "id = ?", message.id, lock=True)
    if fresh is None:
        return
    if fresh.state in ("queued", "failed"):
        fresh.state = "sent"
    fresh.sent_at, fresh.provider_name, fresh.title, fresh.error = now, plain(name), ready.message.title, None
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
        part.answers = [answer.id for answer in answers_of(need, with_words=ready.with_words)]
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
    link = link_named(message.kind, message.device_id)
    if link == PUSH and await find(
        ReachMessage, _OF_SAME_STEP, message.id, message.id, message.user_id, link, message.created_at
    ):
        return
    moment = message.created_at.isoformat()
    needs = await find_all(ReachNeed, OF_MESSAGE, message.user_id or message.device_id, message.id)
    for need in needs:
        need.tried = [one for one in need.tried if not (one[0] == link and one[1] == moment)]
        if failed and link not in need.failed:
            need.failed = [*need.failed, link]
    await update_all(needs, "tried", "failed")


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
        elif message.organization_id is not None:
            announce_unreached(message.organization_id)
        await update(device, "ended_at", "mark", "last_error", "failed_at")
    await _failed(message, words)


@command("reach.keep")
async def refused(actor: Actor, message: ReachMessage, device: Device | None, words: str) -> None:
    """Record that a message was given up, with the provider's words, and go on with the next link at once."""
    await _alone(message)
    if device is not None:
        if device.channel_id is not None:
            await note_failing(device.channel_id, words)
        await _note_failing_device(device, words)
    await _failed(message, words)


@command("reach.keep")
async def later(actor: Actor, message: ReachMessage, device: Device | None, words: str) -> None:
    """Record why a message waits, in the provider's words."""
    if device is not None:
        await _note_failing_device(device, words)
    message.error = words[:2000]
    await update(message, "title", "error")
    _signal(message)


async def _note_failing_device(device: Device, words: str) -> None:
    device.last_error, device.failed_at = words[:2000], device.failed_at or times.clock_now()
    await update(device, "last_error", "failed_at")


async def _failed(message: ReachMessage, words: str) -> None:
    message.state, message.error, message.ended_at = "failed", words[:2000], times.clock_now()
    await update(message, "title", "state", "error", "ended_at")
    await _untry(message, failed=True)
    _signal(message)
    notify(WAKES)


def _signal(message: ReachMessage) -> None:
    if message.organization_id is not None:
        if message.user_id is not None:
            signal(message.organization_id, reach_of=str(message.user_id))
        signal(message.organization_id, reach_message=str(message.id))
