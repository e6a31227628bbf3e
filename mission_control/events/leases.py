"""Leases of rows, and messages to the outside, written with the change that caused them."""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.queryset import QuerySet

from mission_control.core import times
from mission_control.core.values import JsonObject, new_id
from mission_control.database.records import Record, UtcDatetimeField, json_field, nullable, reference
from mission_control.database.sql import as_id, as_moment, is_postgres, placeholders, rows
from mission_control.events.event_log import Head

LONGEST_PAUSE_SECONDS = 600.0

_log = logging.getLogger(__name__)


class Leased(Record):
    """A row that is worked on beside requests: in the state `waiting` from `due_at` on, and under a lease."""

    state = fields.CharField(max_length=16, default="waiting")
    attempts = fields.IntField(default=0)
    due_at = UtcDatetimeField(default=times.clock_now)
    leased_by = nullable(fields.CharField, max_length=64)
    leased_until = UtcDatetimeField(null=True)
    last_error = nullable(fields.TextField)
    created_at = UtcDatetimeField(default=times.clock_now)

    class Meta:
        abstract = True


@dataclass(frozen=True)
class Leases[Row: Leased]:
    """The leases of a table. A row has the state `busy` while it is worked on, and is due again when its lease ends."""

    model: type[Row]
    busy: str
    duration: timedelta

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def due(self) -> str:
        return f"CASE WHEN state = '{self.busy}' THEN leased_until ELSE due_at END"

    async def take(
        self, which: str, values: Sequence[object], most: int, *, changes: str = "", returning: str = "id"
    ) -> list[tuple[Row, JsonObject]]:
        """Lease rows that meet a condition and are due, also those of dead processes; no two calls get the same.

        Each is returned with the columns of `returning`, which takes the values of the condition once more if it is
        more than the id.
        """
        now, again = times.clock_now(), values if returning != "id" else ()
        skip = " FOR UPDATE SKIP LOCKED" if is_postgres() else ""
        leased = await rows(
            f"UPDATE {self.table} SET state = '{self.busy}', leased_by = ?, leased_until = ?{changes} WHERE id IN"
            f" (SELECT id FROM {self.table} WHERE {which} AND {self.due} <= ? ORDER BY due_at, created_at"
            f" LIMIT {most}{skip}) RETURNING {returning}",
            new_id().hex,  # a process that is late finds that the row is no longer its own, even if it took it again
            now + self.duration,
            *values,
            now,
            *again,
        )
        columns = {as_id(row["id"]): row for row in leased}
        taken = await self.model.filter(id__in=list(columns)).order_by("created_at") if columns else []
        return [(row, columns[row.pk]) for row in taken]

    async def seconds_until_due(self, which: str, values: Sequence[object], otherwise: float) -> float:
        """Return the seconds until a row that meets a condition is due, below 0 if one is; at most `otherwise`."""
        earliest = await rows(f"SELECT MIN({self.due}) AS due FROM {self.table} WHERE {which}", *values)
        due = as_moment(earliest[0]["due"])
        return otherwise if due is None else min((due - times.clock_now()).total_seconds(), otherwise)

    def held(self, row: Row) -> QuerySet[Row]:
        """Return a row while the lease under which it was taken lasts."""
        return self.model.filter(id=row.pk, state=self.busy, leased_by=row.leased_by)

    async def settle(self, row: Row, state: str, *, pause: float | None = None, **columns: object) -> bool:
        """End the lease of a row with what became of it, due again after `pause` seconds.

        False, and nothing is written, once another worker holds the lease.
        """
        if pause is not None:
            columns["due_at"] = times.clock_now() + timedelta(seconds=pause)
        return bool(await self.held(row).update(**columns, state=state, leased_by=None, leased_until=None))

    @contextlib.asynccontextmanager
    async def kept(self, row: Row) -> AsyncIterator[None]:
        """Renew a row's lease while it is worked on."""
        renewing = asyncio.create_task(self._renew(row))
        try:
            yield
        finally:
            renewing.cancel()

    async def _renew(self, row: Row) -> None:
        while True:
            await asyncio.sleep(self.duration.total_seconds() / 3)
            try:
                await self.held(row).update(leased_until=times.clock_now() + self.duration)
            except Exception:
                _log.exception("renewing a lease in %s failed", self.table)

    async def end_all(self) -> None:
        """Let everything be taken over now; for the only server of a SQLite file, at its start."""
        await self.model.filter(state=self.busy).update(leased_until=times.clock_now())


def pause_after(attempts: int, first: float, longest: float = LONGEST_PAUSE_SECONDS) -> float:
    """Return the seconds until the next attempt: doubled each time, with up to a tenth of jitter."""
    return float(min(first * 2 ** max(attempts - 1, 0), longest) * random.uniform(1.0, 1.1))


# Notified by every commit that wrote deliveries or made some due, on PostgreSQL in every process.
CHANNEL = "deliveries"
# A poll while nothing is due repairs a lost notification, and finds what the command line wrote on SQLite.
IDLE_SECONDS = 15.0
# Something is due, and another worker has it.
BUSY_SECONDS = 1.0
# While nothing is being sent the loop looks at most once in this time: it takes what many commands wrote together.
DEBOUNCE_SECONDS = 0.02

NOTICE = "agent.notice"  # the kind of deliveries to agents
NOTE, CHANGED, STOPPED = "NOTE", "TASK CHANGED", "TASK STOPPED"  # headers of what a person tells an agent in its run
# What an agent should read in the middle of a turn. A message to a gateway would be read only after that.
FOR_ITS_TURN = f"('{NOTE}', '{CHANGED}')"
# What has not reached an agent. `state <> 'sent'` is the condition of a partial index.
NEWS = f"state <> 'sent' AND taken_at IS NULL AND kind = '{NOTICE}'"


class Delivery(Leased):
    """A message on its way: `waiting`, `sending` under a lease, `sent`, or `failed` for good.

    `offered_at` is when it rode on an answer to its agent as news; `taken_at` is when the agent called again, so that
    it had arrived. For a day it can still be read in the inbox, and acknowledged there, which clears `taken_at`.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization = reference("Organization", null=True)
    seq = fields.BigIntField(null=True)
    kind = fields.CharField(max_length=64)
    agent = reference("Agent", null=True)
    board_id = fields.UUIDField(null=True)
    task_id = fields.UUIDField(null=True)
    header = fields.TextField()
    text = fields.TextField()
    data = json_field(default=dict)
    sent_at = UtcDatetimeField(null=True)
    offered_at = UtcDatetimeField(null=True)
    taken_at = UtcDatetimeField(null=True)

    organization_id: UUID | None
    agent_id: UUID | None

    class Meta:
        table = "deliveries"
        indexes = (
            Index(fields=("state", "kind", "due_at")),
            Index(fields=("agent_id", "state", "created_at")),
            Index(fields=("agent_id", "seq", "kind")),
        )


async def lock_recipients(deliveries: list[Delivery]) -> None:
    """Lock the agents that new rows will refer to before the organization's row is locked; PostgreSQL only.

    Otherwise a command that holds an agent and waits for the organization would deadlock with this one. Remove
    deliveries to deleted agents.
    """
    agents = sorted({delivery.agent_id for delivery in deliveries if delivery.agent_id is not None})
    if agents and is_postgres():
        sql = f"SELECT id FROM agents WHERE id IN ({placeholders(len(agents))}) ORDER BY id FOR KEY SHARE"
        present = {row["id"] for row in await rows(sql, *agents)}
        deliveries[:] = [message for message in deliveries if message.agent_id is None or message.agent_id in present]


def number(head: Head, deliveries: Iterable[Delivery]) -> None:
    """Give new deliveries of one organization their numbers under its head, which moves on."""
    for delivery in deliveries:
        head.delivery_seq += 1
        delivery.seq = head.delivery_seq
