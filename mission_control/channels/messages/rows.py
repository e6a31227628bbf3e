"""The rows of messages: written with their deliveries, ended with what they were about, edited where they stand."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from mission_control.channels.channel import CHANNELS
from mission_control.channels.delivery.plan import Due
from mission_control.channels.delivery.state import MAIL, Reader, link_named
from mission_control.channels.models import Device, ReachMessage, ReachMessageNeed, ReachNeed
from mission_control.core.actor import Scope
from mission_control.core.values import fingerprint
from mission_control.database.records import delete_all, find_all, insert, update_all
from mission_control.database.sql import as_id, in_list, is_postgres, rows
from mission_control.events.unit_of_work import deliver, signal

SENDING = "reach."  # deliveries of messages: `reach.<kind of channel>`
LONGEST = timedelta(days=7)  # so long can a message be answered
OPEN = ("queued", "sent", "seen")
TOPIC = 24  # characters; push services take 32


async def one_at_a_time(organization_id: UUID) -> None:
    """Inside a command: let nobody else write what was tried in an organization until it is over."""
    if is_postgres():  # on SQLite one at a time writes anyway
        await rows("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", f"reach {organization_id}")


async def end_messages(row: ReachNeed, sentence: str, now: datetime) -> None:
    """Inside a command: let what was sent about a need that ended say so."""
    messages = await messages_with(row)
    if not messages:
        return
    listed, ids = in_list([message.id for message in messages])
    await rows(
        f"UPDATE reach_message_needs SET ended_how = ?, ended_at = ? WHERE message_id IN ({listed}) AND kind = ?"
        " AND subject_id = ? AND ended_how IS NULL",
        sentence,
        now,
        *ids,
        row.kind,
        row.subject_id,
    )
    left = await rows(
        f"SELECT DISTINCT message_id FROM reach_message_needs WHERE message_id IN ({listed}) AND ended_how IS NULL",
        *ids,
    )
    waiting = {as_id(one["message_id"]) for one in left}
    listed, ids = in_list([message.id for message in messages if message.id not in waiting])
    if ids:  # not one that was answered there since it was read
        await rows(
            "UPDATE reach_messages SET state = CASE WHEN state = 'queued' THEN 'withdrawn' ELSE 'elsewhere' END,"
            f" ended_at = ?, ended_how = ? WHERE id IN ({listed}) AND state IN {OPEN}",
            now,
            sentence,
            *ids,
        )
    await edit_messages([message for message in messages if message.why != "digest" or message.id not in waiting])


async def messages_with(row: ReachNeed) -> list[ReachMessage]:
    return await find_all(
        ReachMessage,
        "(user_id = ? OR (user_id IS NULL AND device_id = ?)) AND state <> 'withdrawn' AND id IN (SELECT x.message_id"
        " FROM reach_message_needs x WHERE x.kind = ? AND x.subject_id = ?) ORDER BY created_at",
        row.reader_id,
        row.reader_id,
        row.kind,
        row.subject_id,
    )


async def note_tried(message: ReachMessage) -> None:
    """Inside a command: note that the link of a message has it, or will, at each of its needs that still wait."""
    link = link_named(message.kind, message.device_id)
    needs = await find_all(ReachNeed, OF_MESSAGE, message.user_id or message.device_id, message.id)
    for need in needs:
        need.failed = [other for other in need.failed if other != link]
        need.tried = [*need.tried, [link, message.created_at.isoformat(), message.why]]
    await update_all(needs, "tried", "failed")


# The needs of a reader that a message tells of, and that still wait.
OF_MESSAGE = (
    "reader_id = ? AND ended_at IS NULL AND EXISTS (SELECT 1 FROM reach_message_needs x WHERE x.message_id = ?"
    " AND x.kind = reach_needs.kind AND x.subject_id = reach_needs.subject_id)"
)


async def edit_messages(messages: Sequence[ReachMessage]) -> None:
    """Inside a command: let what was sent be shown there as it is now, where the channel can."""
    for message in messages:
        channel = CHANNELS.get(message.kind)
        if (
            channel is not None
            and channel.edits
            and message.provider_name is not None
            and message.organization_id is not None
        ):
            scope = Scope(message.organization_id)
            deliver(f"{SENDING}{message.kind}", scope, header="EDIT", text="", message=str(message.id), edit=True)


async def _note_written(due: Due[ReachNeed], now: datetime) -> None:
    """Note on which link what still waits is told; of what ended, the digest says how."""
    open_needs = [need for need in due.needs if need.ended_at is None]
    await delete_all([need for need in due.needs if need.ended_at is not None])
    for need in open_needs:
        need.next_at, need.tried = None, [*need.tried, [due.link, now.isoformat(), due.why]]
    await update_all(open_needs, "tried", "next_at")


async def write_messages(organization_id: UUID, reader: Reader, due: Due[ReachNeed], now: datetime) -> None:
    """Inside a command: write the messages of one step, one for each device of its link, with their deliveries."""
    alone = due.needs[0] if len(due.needs) == 1 and due.needs[0].ended_at is None else None
    scope = Scope(organization_id, board_id=alone.board_id if alone is not None else None)
    devices: list[Device | None] = [*reader.devices[due.link]] or [None]
    for device in devices:
        message = _new_message(organization_id, reader, due, alone, now)
        if device is not None:
            message.device_id, message.kind = device.id, device.kind
        await insert(message)
        await insert(*(_need_of(message, position, need) for position, need in enumerate(due.needs)))
        deliver(f"{SENDING}{message.kind}", scope, header=due.why.upper(), text="", message=str(message.id))
    await _note_written(due, now)
    if reader.user_id is not None:
        signal(organization_id, reach_of=str(reader.user_id))


def _new_message(
    organization_id: UUID, reader: Reader, due: Due[ReachNeed], alone: ReachNeed | None, now: datetime
) -> ReachMessage:
    """Make a message for no device, which is a mail: of the topic of its need where it is `alone`, else of its own."""
    ends = [need.act_by for need in due.needs if need.ended_at is None and need.act_by is not None]
    message = ReachMessage(
        organization_id=organization_id, user_id=reader.user_id, kind=MAIL, why=due.why, title="",
        expires_at=min([*(end for end in ends if end > now), now + LONGEST]), created_at=now,
    )  # fmt: skip
    message.topic = topic_of(reader.id, alone) if alone is not None else message.id.hex[:TOPIC]
    message.is_first = alone is None or all(link != due.link for link, *_ in alone.tried)
    return message


def _need_of(message: ReachMessage, position: int, need: ReachNeed) -> ReachMessageNeed:
    return ReachMessageNeed(
        message_id=message.id, position=position, kind=need.kind, subject_id=need.subject_id,
        substance=need.substance, ended_how=need.ended_how, ended_at=need.ended_at,
    )  # fmt: skip


def topic_of(reader_id: UUID, need: ReachNeed) -> str:
    return fingerprint(f"{reader_id} {need.kind} {need.subject_id}")[:TOPIC]
