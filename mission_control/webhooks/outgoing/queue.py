"""From the log to the deliveries of outgoing webhooks, after the commit: no write waits for them.

Each webhook has a position in the log, up to which its deliveries were written. Whatever happens to a process, the next
look goes on there, so nothing that was acknowledged is lost. Organizations without outgoing webhooks cost nothing: each
process knows in memory which have some, and reads that again when one was changed, in any process.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.values import new_id
from mission_control.database.records import find_all, insert
from mission_control.database.sql import as_id, as_json, as_moment, in_list, rows, select
from mission_control.events.broker import head_of
from mission_control.events.commands import command
from mission_control.events.event_log import NewEvent
from mission_control.events.unit_of_work import ALL, notify, reacts_to
from mission_control.events.wakeup_channels import on_notify
from mission_control.webhooks.models import OutgoingDelivery, OutgoingWebhook
from mission_control.webhooks.outgoing.kinds import wants
from mission_control.webhooks.outgoing.queries import OPEN

CHANNEL = "outgoing"  # wakes the loop that sends
CHANGED = "outgoing_webhooks"  # one was made, changed or deleted
AT_ONCE = 500  # events
FEW = 5000  # of them
MOST_WAITING = 1000  # of one webhook; more events stay in the log until some were sent


class Known:
    """What this process remembers: which organizations have outgoing webhooks, and how far it looked in vain.

    `organizations` is None until that was read. `searched` has, for a webhook at a position, the number up to which
    the log has nothing that it wants: so that events which nobody wants cost no write.
    """

    def __init__(self) -> None:
        self.organizations: set[UUID] | None = None
        self.searched: dict[UUID, tuple[int, int]] = {}
        self._changes = 0

    def may_send(self, organization_id: UUID) -> bool:
        return self.organizations is None or organization_id in self.organizations

    def forget(self) -> None:
        """Have all of it read again; what is being read does not count."""
        self.organizations, self.searched, self._changes = None, {}, self._changes + 1

    async def read(self) -> bool:
        while self.organizations is None:
            changes = self._changes
            found = await rows("SELECT DISTINCT organization_id AS id FROM outgoing_webhooks WHERE state <> 'gone'")
            if changes == self._changes:
                self.organizations = {UUID(str(row["id"])) for row in found}
        return bool(self.organizations)

    def begins(self, webhook_id: UUID, position: int) -> int:
        """Return the number after which a webhook's next events are looked for."""
        at, searched = self.searched.get(webhook_id, (position, position))
        return searched if at == position else position


known = Known()


@on_notify(CHANGED)
def forget() -> None:
    """Read again which organizations have outgoing webhooks."""
    known.forget()


@reacts_to(ALL)
async def wake_sending(actor: Actor, event: NewEvent) -> None:
    """Look for what is to be sent once this is committed, where somebody may want it."""
    if known.may_send(event.scope.organization_id):
        notify(CHANNEL)


async def queue(organization_id: UUID, board_id: UUID | None, kind: str, data: Mapping[str, object]) -> None:
    """Inside a command: send something that is not in the log to the webhooks of a board and of its organization.

    One that is paused keeps so much of it, and no more: nobody may ever resume it.
    """
    if not known.may_send(organization_id):
        return
    found = await rows(
        "SELECT id, kinds, not_before FROM outgoing_webhooks WHERE organization_id = ? AND state <> 'gone'"
        " AND (board_id IS NULL OR board_id = ?) AND (state = 'on' OR (SELECT COUNT(*) FROM outgoing_deliveries d"
        f" WHERE d.webhook_id = outgoing_webhooks.id AND d.{OPEN}) < ?)",
        organization_id,
        board_id,
        MOST_WAITING,
    )
    message_id, now = new_id(), times.clock_now()
    made = [
        _delivery(row["id"], as_moment(row["not_before"]), message_id, kind, now, data=dict(data))
        for row in found
        if wants(as_json(row["kinds"]), kind)
    ]
    if made:
        await insert(*made)
        notify(CHANNEL)


def _delivery(
    webhook_id: UUID, not_before: datetime | None, message_id: UUID, kind: str, happened_at: datetime, **more: object
) -> OutgoingDelivery:
    now = times.clock_now()
    return OutgoingDelivery(
        webhook_id=as_id(webhook_id),
        message_id=message_id,
        kind=kind,
        happened_at=happened_at,
        created_at=now,
        due_at=max(now, not_before or now),
        **more,
    )


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of the log, as far as it decides which webhooks send it."""

    id: UUID
    seq: int
    kind: str
    board_id: UUID | None
    subject_id: UUID | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class _Behind:
    """A webhook whose position is before the end of its log."""

    id: UUID
    organization_id: UUID
    board_id: UUID | None
    kinds: list[str]
    position: int
    log_seq: int


async def queue_next() -> bool:
    """Write deliveries of what the logs have for outgoing webhooks that are on; return whether they have more."""
    found = await select(
        _Behind,
        "SELECT w.id, w.organization_id, w.board_id, w.kinds, w.position, o.log_seq FROM outgoing_webhooks w"
        " JOIN organizations o ON o.id = w.organization_id LEFT JOIN boards b ON b.id = w.board_id"
        " WHERE w.state = 'on' AND w.position < o.log_seq AND b.deleted_at IS NULL"
        f" AND (SELECT COUNT(*) FROM outgoing_deliveries d WHERE d.webhook_id = w.id AND d.{OPEN}) < ?",
        MOST_WAITING,
    )
    behind: dict[UUID, list[_Behind]] = {}
    for one in found:
        if known.begins(one.id, one.position) < one.log_seq:
            behind.setdefault(one.organization_id, []).append(one)
    return any([await _queue_some(organization_id, webhooks) for organization_id, webhooks in behind.items()])


async def _queue_some(organization_id: UUID, webhooks: Sequence[_Behind]) -> bool:
    begin = min(known.begins(webhook.id, webhook.position) for webhook in webhooks)
    events = await _events_after(organization_id, begin)
    if not events:
        return False
    if len(events) == AT_ONCE or any(_is_for(webhook, event) for webhook in webhooks for event in events):
        await queue_events(system(organization_id), [webhook.id for webhook in webhooks], begin, events)
    else:
        known.searched.update({webhook.id: (webhook.position, events[-1].seq) for webhook in webhooks})
    return len(events) == AT_ONCE


async def _events_after(organization_id: UUID, seq: int) -> list[Happened]:
    return await select(
        Happened,
        "SELECT id, seq, kind, board_id, subject_id, created_at FROM events WHERE organization_id = ? AND seq > ?"
        f" ORDER BY seq LIMIT {AT_ONCE}",
        organization_id,
        seq,
    )


def _is_for(webhook: _Behind | OutgoingWebhook, event: Happened) -> bool:
    """Return whether a webhook sends an event: of its board, of a kind that it wants, and not about itself."""
    is_there = webhook.board_id in (None, event.board_id) and event.subject_id != webhook.id
    return is_there and wants(webhook.kinds, event.kind)


@command("outgoing_webhook.queue")
async def queue_events(actor: Actor, webhook_ids: Sequence[UUID], begin: int, events: Sequence[Happened]) -> None:
    """Write the deliveries of some events, which follow each other after a number, and move the positions on.

    A webhook whose position another process moved on gets what comes after that; one that was set back before them
    gets nothing here.
    """
    marks, ids = in_list(webhook_ids)
    webhooks = await find_all(OutgoingWebhook, f"id IN ({marks}) AND state = 'on' ORDER BY id", *ids, lock=True)
    last = events[-1].seq
    for webhook in webhooks:
        after = known.begins(webhook.id, webhook.position)
        if begin <= after < last:
            await _write(webhook, [event for event in events if event.seq > after and _is_for(webhook, event)])
            webhook.position = last
            await webhook.save(update_fields=["position"])


async def catch_up(webhook: OutgoingWebhook) -> None:
    """Inside a command that changes what a webhook, which is locked, wants: queue what happened before.

    Where that is much, because its receiver is slow, it stays in the log.
    """
    if await head_of(webhook.organization_id) - webhook.position > FEW:
        return
    while events := await _events_after(webhook.organization_id, webhook.position):
        await _write(webhook, [event for event in events if _is_for(webhook, event)])
        webhook.position = events[-1].seq


async def _write(webhook: OutgoingWebhook, events: Sequence[Happened]) -> None:
    before = await _sent_before(webhook.id, [event.id for event in events])
    made = [
        _delivery(
            webhook.id, webhook.not_before, event.id, event.kind, event.created_at,
            seq=event.seq, is_replay=event.id in before,
        )
        for event in events
        if before.get(event.id) is not True
    ]  # fmt: skip
    if made:
        await insert(*made)


async def _sent_before(webhook_id: UUID, message_ids: Iterable[UUID]) -> dict[UUID, bool]:
    marks, ids = in_list(list(message_ids))
    if not ids:
        return {}
    found = await rows(
        f"SELECT message_id, MAX(CASE WHEN {OPEN} THEN 1 ELSE 0 END) AS is_open FROM outgoing_deliveries"
        f" WHERE webhook_id = ? AND message_id IN ({marks}) GROUP BY message_id",
        webhook_id,
        *ids,
    )
    return {UUID(str(row["message_id"])): bool(row["is_open"]) for row in found}
