"""Count what metrics need of the log and of tasks, beside serving: an answer then reads sums and the log's newest end.

`Fold` turns events into facts. The loop adds facts up by hour, day, month and in all (`figure_sums`), up to a number of
the organization's log (`figures_counted`), in one transaction each time. A reader takes the sums and folds what came
after that number. So nothing is written with an event, both always agree, and counting an old log for the first time is
the same work, which goes on where it stopped.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from itertools import batched
from uuid import UUID

import orjson
from tortoise.transactions import in_transaction

from mission_control.background.loops import Loop
from mission_control.core.errors import DomainError
from mission_control.core.values import new_id
from mission_control.database.sql import held, in_list, is_postgres, placeholders, rows, select
from mission_control.events.reader_wakeups import publish_signal
from mission_control.metrics.models import FigureSum

type Amounts = Mapping[str, int]

SUMS = tuple(name for name in FigureSum._meta.fields_db_projection if name not in ("id", "board_id", "period"))
# Events about tasks that count for the error rate, as clients know it.
OUTCOMES = (
    "task.created", "task.updated", "task.status_changed", "task.comment", "task.lead_notified",
    "task.lead_notify_failed", "task.lead_unassigned_notified", "task.lead_unassigned_notify_failed",
    "task.assignee_notified", "task.assignee_notify_failed", "task.rework_notified", "task.rework_notify_failed",
    "approval.lead_notified", "approval.lead_notify_failed",
)  # fmt: skip
MOVES = ("task.created", "task.status_changed", "task.lease_expired", "task.deleted", "task.restored")
IMPORTED = "board.imported"  # its tasks have no events of their own
AT_WORK = ("in_progress", "review")
GONE = "gone"  # the status of a task that was deleted or is not known yet


@dataclass(slots=True)
class Logged:
    """An event that counts."""

    id: str
    seq: int
    kind: str
    board_id: str
    task_id: str | None
    created_at: datetime
    data: str


LOGGED = (
    "SELECT e.id, e.seq, e.kind, e.board_id, e.task_id, e.created_at,"
    f" CASE WHEN e.kind IN ({', '.join(f"'{kind}'" for kind in MOVES)}) THEN e.data ELSE '' END AS data"
    " FROM events e WHERE e.organization_id = ? AND e.seq > ? AND e.board_id IS NOT NULL"
    f" AND (e.task_id IS NOT NULL OR e.kind = '{IMPORTED}')"
)
NEXT = f"{LOGGED} ORDER BY e.seq LIMIT ?"


@dataclass(slots=True)
class TaskState:
    id: str
    board_id: str
    status: str | None = None
    moment: datetime | None = None
    review_micros: int | None = None
    logged: str = GONE
    started_at: datetime | None = None
    entered_at: datetime | None = None

    def enter(self, status: str, moment: datetime) -> None:
        if (status in AT_WORK) != (self.logged in AT_WORK):
            self.entered_at = moment if status in AT_WORK else None
        if status == "in_progress" and self.started_at is None:
            self.started_at = moment
        self.logged = status


STATE = tuple(one.name for one in fields(TaskState))


@dataclass(frozen=True, slots=True)
class Fact:
    """Amounts by the names of sums that belong to a moment on a board; negative where something no longer counts."""

    board_id: str
    moment: datetime
    amounts: Amounts


@dataclass(slots=True)
class Change:
    id: str
    board_id: str
    moment: datetime
    work: int = 0
    finished: int = 0
    moved: int = 0
    cycle_micros: int | None = None

    @property
    def amounts(self) -> Amounts:
        cycle = {} if self.cycle_micros is None else {"cycles": 1, "cycle_micros": self.cycle_micros}
        return {"work": self.work, "finished": self.finished, "moved": self.moved, **cycle}


CHANGE = tuple(one.name for one in fields(Change))


def micros_between(begin: datetime, end: datetime) -> int:
    return (end - begin) // timedelta(microseconds=1)


def amounts_of(status: str, review_micros: int | None) -> Amounts:
    return {status: 1} if review_micros is None else {status: 1, "reviews": 1, "review_micros": review_micros}


def outcome_of(kind: str) -> Amounts:
    if kind not in OUTCOMES:
        return {}
    return {"outcomes": 1, "failures": 1} if kind.endswith("failed") else {"outcomes": 1}


@dataclass(slots=True)
class Fold:
    """What events add: facts, changes, and the states of their tasks afterwards; `states` has those before."""

    states: dict[str, TaskState]
    facts: list[Fact] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def take(self, event: Logged) -> None:
        if outcome := outcome_of(event.kind):
            self.facts.append(Fact(event.board_id, event.created_at, outcome))
        if event.kind in MOVES and event.task_id is not None:
            self._enter(self._state(event.task_id, event.board_id), event)

    def _state(self, task_id: str, board_id: str) -> TaskState:
        return self.states.setdefault(task_id, TaskState(task_id, board_id))

    def _enter(self, state: TaskState, event: Logged) -> None:
        status, before, moment = _status(event), state.logged, event.created_at
        change = Change(event.id, event.board_id, moment)
        change.moved = int(event.kind == "task.status_changed" and status == "done")
        if before != status:
            change.work = (status in AT_WORK) - (before in AT_WORK)
            state.enter(status, moment)
            if status == "done":
                _finish(state, change)
        if change.work or change.finished or change.moved:
            self.changes.append(change)
            self.facts.append(Fact(change.board_id, moment, change.amounts))

    def see(self, tasks: Iterable["TaskRow"], about: Iterable[str]) -> None:
        """Take in the rows of tasks as they are; those of `about` without a row are deleted."""
        living = {one.id: one for one in tasks}
        for task in living.values():
            review = task.status == "review" and task.in_progress_at is not None
            micros = micros_between(task.in_progress_at, task.updated_at) if review and task.in_progress_at else None
            moment = task.created_at if task.status == "inbox" else task.updated_at
            self._count(self._state(task.id, task.board_id), task.status, moment, micros)
        for task_id in about:
            if task_id not in living and task_id in self.states:
                self._count(self.states[task_id], None, None, None)

    def _count(self, state: TaskState, status: str | None, moment: datetime | None, micros: int | None) -> None:
        if (state.status, state.moment, state.review_micros) == (status, moment, micros):
            return
        if state.status is not None and state.moment is not None:
            gone = {name: -amount for name, amount in amounts_of(state.status, state.review_micros).items()}
            self.facts.append(Fact(state.board_id, state.moment, gone))
        if status is not None and moment is not None:
            self.facts.append(Fact(state.board_id, moment, amounts_of(status, micros)))
        state.status, state.moment, state.review_micros = status, moment, micros


def _finish(state: TaskState, change: Change) -> None:
    change.finished = 1
    if state.started_at is not None:
        change.cycle_micros, state.started_at = micros_between(state.started_at, change.moment), None


def _status(event: Logged) -> str:
    if event.kind == "task.deleted":
        return GONE
    data = orjson.loads(event.data)
    return str(data.get("status") or data.get("after", {}).get("status") or "inbox")


@dataclass(slots=True)
class TaskRow:
    """What counts of a living task's row."""

    id: str
    board_id: str
    status: str
    created_at: datetime
    updated_at: datetime
    in_progress_at: datetime | None


TASKS = "SELECT id, board_id, status, created_at, updated_at, in_progress_at FROM tasks WHERE deleted_at IS NULL AND "
IDS_AT_ONCE = 1000


async def folded(events: Sequence[Logged]) -> Fold:
    imported = [event.board_id for event in events if event.kind == IMPORTED]
    about = list({event.task_id: None for event in events if event.task_id and event.kind.startswith("task.")})
    living = list[TaskRow]()
    for board_id in imported:
        living += await select(TaskRow, f"{TASKS}board_id = ?", board_id)
    living += await _by_ids(TaskRow, TASKS, about)
    states = f"SELECT {', '.join(STATE)} FROM figure_tasks WHERE "
    counted = await _by_ids(TaskState, states, {*about, *(task.id for task in living)})
    fold = Fold({state.id: state for state in counted})
    for event in events:
        fold.take(event)
    fold.see(living, about)
    return fold


async def _by_ids[R](kind: type[R], sql: str, ids: Iterable[str]) -> list[R]:
    found = list[R]()
    for some in batched(ids, IDS_AT_ONCE, strict=False):
        listed, values = in_list(some)
        found += await select(kind, f"{sql}id IN ({listed})", *values)
    return found


@dataclass(frozen=True, slots=True)
class Position:
    """The newest number of an organization's log, and the one up to which it is counted."""

    head: int
    counted: int


MOST_UNCOUNTED = 10_000  # events that a reader folds by itself
LONG_TAIL = 20  # events that are counted although nobody reads figures
_asked_for: set[UUID] = set()  # organizations whose figures were read since the last look of the loop


class BeingCounted(DomainError, status=503):
    """The figures are being counted for the first time, or anew."""

    def __init__(self, at: Position) -> None:
        self.share = 100 * max(0, at.counted) // max(1, at.head)
        super().__init__(f"The figures of the past are being counted ({self.share} %). Try again in a few seconds.")
        self.headers["Retry-After"] = "5"


async def position(organization_id: UUID) -> Position:
    [found] = await rows(
        "SELECT o.log_seq AS head, COALESCE(c.seq, 0) AS counted FROM organizations o"
        " LEFT JOIN figures_counted c ON c.organization_id = o.id WHERE o.id = ?",
        organization_id,
    )
    return Position(int(found["head"]), int(found["counted"]))


async def uncounted(organization_id: UUID, at: Position) -> Fold:
    """Return what the newest events add to what is counted; raise BeingCounted when they are too many."""
    number = at.head - at.counted
    if number:
        _asked_for.add(organization_id)
        COUNTING.wake()
    if number > MOST_UNCOUNTED or at.counted < 0:
        raise BeingCounted(at)
    events = await select(Logged, NEXT, organization_id, at.counted, number) if number else []
    return await folded(events) if events else Fold({})


EVENTS_AT_ONCE = 1000
ROWS_AT_ONCE = 100
LEVELS = {"h": 13, "d": 10, "m": 7, "t": 0}  # hour, day, month, in all: letters of a moment that name one


async def count_more(organization_id: UUID) -> Position | None:
    """Count the next events of an organization, in one transaction; None when another process does, or it is gone."""
    async with in_transaction():
        await rows(
            "INSERT INTO figures_counted (organization_id, seq) SELECT id, 0 FROM organizations WHERE id = ?"
            " ON CONFLICT (organization_id) DO NOTHING",
            organization_id,
        )
        hold = " FOR UPDATE SKIP LOCKED" if is_postgres() else ""
        if not await rows(f"SELECT seq FROM figures_counted WHERE organization_id = ?{hold}", organization_id):
            return None
        at = await position(organization_id)
        if at.counted < 0:
            seq = await _remove_some(organization_id)
        else:
            events = await select(Logged, NEXT, organization_id, at.counted, EVENTS_AT_ONCE)
            seq = events[-1].seq if len(events) == EVENTS_AT_ONCE else at.head
            await _keep(await folded(events))
        await rows("UPDATE figures_counted SET seq = ? WHERE organization_id = ?", seq, organization_id)
        return Position(at.head, seq)


async def _remove_some(organization_id: UUID) -> int:
    """Remove some of what was counted; return -1, or 0 when nothing is left."""
    boards = "SELECT id FROM boards WHERE organization_id = ?"
    for table in ("figure_sums", "figure_changes", "figure_tasks"):
        some = f"SELECT id FROM {table} WHERE board_id IN ({boards}) LIMIT {EVENTS_AT_ONCE}"
        if await rows(f"DELETE FROM {table} WHERE id IN ({some}) RETURNING id", organization_id):
            return -1
    return 0


def sums_of(facts: Iterable[Fact]) -> dict[tuple[str, str], dict[str, int]]:
    hours: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for fact in facts:
        sums = hours[fact.board_id, fact.moment.isoformat()[:13]]
        for name, amount in fact.amounts.items():
            sums[name] += amount
    sums_by_period: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (board_id, hour), amounts in hours.items():
        for level, length in LEVELS.items():
            sums = sums_by_period[board_id, level + hour[:length]]
            for name, amount in amounts.items():
                sums[name] += amount
    return sums_by_period


ADDED = ", ".join(f"{name} = figure_sums.{name} + excluded.{name}" for name in SUMS)
CHANGED = ", ".join(f"{name} = excluded.{name}" for name in STATE[1:])


async def _keep(fold: Fold) -> None:
    """Add what a fold found to what is counted; boards that are no more are left out."""
    listed, ids = in_list({state.board_id for state in fold.states.values()} | {fact.board_id for fact in fold.facts})
    here = set(map(str, await held("boards", f"id IN ({listed})", *ids))) if ids else set()
    sums = sums_of(fact for fact in fold.facts if fact.board_id in here).items()
    lines = [
        [new_id(), *key, *(amounts.get(name, 0) for name in SUMS)] for key, amounts in sums if any(amounts.values())
    ]
    added = f" ON CONFLICT (board_id, period) DO UPDATE SET {ADDED}"
    await _write(("id", "board_id", "period", *SUMS), "figure_sums", lines, added)
    await _write(CHANGE, "figure_changes", _lines(CHANGE, fold.changes, here))
    states = _lines(STATE, fold.states.values(), here)
    await _write(STATE, "figure_tasks", states, f" ON CONFLICT (id) DO UPDATE SET {CHANGED}")


def _lines(names: Sequence[str], items: Iterable[Change | TaskState], here: set[str]) -> list[list[object]]:
    return [[getattr(item, name) for name in names] for item in items if item.board_id in here]


async def _write(columns: Sequence[str], table: str, lines: Sequence[Sequence[object]], conflict: str = "") -> None:
    marks = f"({placeholders(len(columns))})"
    for some in batched(lines, ROWS_AT_ONCE, strict=False):
        values = [value for line in some for value in line]
        insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([marks] * len(some))}{conflict}"
        await rows(insert, *values)


BEHIND = (
    "SELECT o.id FROM organizations o LEFT JOIN figures_counted c ON c.organization_id = o.id"
    f" WHERE o.log_seq - COALESCE(c.seq, 0) >= {LONG_TAIL} OR c.seq < 0"
    " ORDER BY o.log_seq - COALESCE(c.seq, 0)"
)


async def count_all() -> None:
    """Count what is not counted yet; a long log in many small transactions, with as long a rest after each."""
    recently_read = dict.fromkeys(_asked_for)
    _asked_for.clear()
    for organization_id in recently_read | {UUID(str(row["id"])): None for row in await rows(BEHIND)}:
        began, was_long = time.monotonic(), False
        while (at := await count_more(organization_id)) is not None and at.counted < at.head:
            was_long = was_long or at.head - at.counted > MOST_UNCOUNTED or at.counted < 0
            await asyncio.sleep(time.monotonic() - began)
            began = time.monotonic()
        if was_long:  # pages say that figures are being counted
            await publish_signal(organization_id, figures="counted")


COUNTING = Loop(name="counting figures", look=count_all, pause=30.0, debounce=5.0)
