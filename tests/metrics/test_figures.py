"""Counted figures: equal to the whole log at every moment, counted once, resumed after a kill, and checked."""

import asyncio
import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.database.sql import rows
from mission_control.metrics import counting, recounting
from mission_control.metrics.dashboard import metrics_of, overview
from mission_control.metrics.schemas import RANGES, RangeKey
from tests.cast import Cast, each
from tests.figures_oracle import expected, told
from tests.things import bring

pytestmark = pytest.mark.dialect

STATUSES = ("inbox", "in_progress", "review", "done")


@pytest.fixture(autouse=True)
def nothing_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the test counts."""
    monkeypatch.setattr(counting.COUNTING, "when", lambda: False)


async def compare(cast: Cast, boards: list[UUID], actor: Actor, now: datetime, keys: list[RangeKey]) -> None:
    """The counted figures are those of the log."""
    for key in keys:
        answer = await metrics_of(cast.organization.id, boards, key, now)
        with pytest.MonkeyPatch.context() as frozen:
            frozen.setattr(times, "clock_now", lambda: now)
            _, moved = await overview(actor, key)
        right, found = await expected(boards, key, now), told(answer, moved)
        for name, value in right.items():
            assert same(found[name], value), (key, name, found[name], value)


def same(found: Any, right: Any) -> bool:
    """Whether values nested in lists and dicts are equal, numbers but for their last digits."""
    if isinstance(right, dict):
        return found.keys() == right.keys() and all(same(found[key], right[key]) for key in right)
    if isinstance(right, list | tuple):
        return len(found) == len(right) and all(map(same, found, right))
    return bool(found == (pytest.approx(right) if isinstance(right, float) else right))


class Life:
    """Anything that may happen to tasks on two boards, at any time of half a year."""

    def __init__(self, cast: Cast, seed: int) -> None:
        self.cast, self.chance = cast, random.Random(seed)
        self.tasks: list[dict[str, Any]] = []
        self.trash: list[dict[str, Any]] = []
        self.boards = [cast.board.id]

    def some(self, number: int = 1) -> list[dict[str, Any]]:
        """Some tasks, or none."""
        return self.chance.sample(self.tasks, min(number, len(self.tasks)))

    async def step(self) -> None:
        """Do one thing, refused or not."""
        cast, chance = self.cast, self.chance
        ago = timedelta(days=chance.choice((0, 0, 1, 2, 6, 15, 40, 170)), minutes=chance.random() * 3000)
        with times.travelled(-ago):
            match chance.choice((*["add"] * 3, *["status"] * 8, *OTHERS)):
                case "add":
                    new = {"title": f"Task {len(self.tasks)}", "status": chance.choice(STATUSES)}
                    answer = await cast.ada.post(cast.tasks, new)
                    self.tasks += [answer.ok()] if answer.status < 300 else []
                case "status":
                    for task in self.some():
                        await cast.ada.patch(cast.task(task), {"status": chance.choice(STATUSES)})
                case "title":
                    for task in self.some():
                        await cast.ada.patch(cast.task(task), {"title": f"New {chance.random()}"})
                case "comment":
                    for task in self.some():
                        (await cast.ada.post(f"{cast.task(task)}/comments", {"message": "Hm."})).ok()
                case "delete":
                    for task in self.some():
                        (await cast.ada.delete(cast.task(task))).ok()
                        self.tasks.remove(task)
                        self.trash.append(task)
                case "restore" if self.trash:
                    task = self.trash.pop(chance.randrange(len(self.trash)))
                    (await cast.ada.post(f"{cast.task(task)}/restorations")).ok()
                    self.tasks.append(task)
                case "erase" if self.trash:
                    task = self.trash.pop(chance.randrange(len(self.trash)))
                    (await cast.ada.post(f"{cast.task(task)}/erasures")).ok()
                case "archive":
                    for task in self.some():
                        await cast.ada.post(f"{cast.task(task)}/archivals")
                case "bulk":
                    chosen = [task["id"] for task in self.some(4)]
                    if chosen:
                        body = each(chosen, status=chance.choice(STATUSES), atomic=False)
                        await cast.ada.post(f"{cast.tasks}/changes", body)
                case "work":
                    for task in self.some():
                        await cast.vega.patch(cast.task(task), {"status": chance.choice(STATUSES)})
                case "import" if len(self.boards) < 3:
                    file = (await cast.ada.get(f"{cast.home}/export")).ok()
                    brought = (await bring(cast.ada, file))["board"]["id"]
                    self.boards.append(UUID(brought))


OTHERS = ("title", "comment", "delete", "restore", "erase", "archive", "bulk", "work", "import")


@pytest.mark.parametrize("seed", range(4))
async def test_counted_figures_equal_the_log(cast: Cast, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(counting, "EVENTS_AT_ONCE", 7)
    life, actor = Life(cast, seed), await cast.ada.actor()
    for number in range(90):
        await life.step()
        if life.chance.random() < 0.2:
            await counting.count_more(cast.organization.id)
        if number % 15 == 14:
            now = times.clock_now() - timedelta(hours=life.chance.choice((0, 0, 30, 700)))
            await compare(cast, life.boards, actor, now, life.chance.sample(list(RANGES), 3))
    assert await recounting.faults() == ([], "")
    await count_to_end(cast)
    assert await recounting.faults() == ([], "")
    await compare(cast, life.boards, actor, times.clock_now(), list(RANGES))
    await recounting.recount()
    await counting.count_all()
    assert await recounting.faults() == ([], "")
    await compare(cast, life.boards, actor, times.clock_now(), list(RANGES))


async def busy(cast: Cast) -> None:
    """Some tasks that were finished."""
    for _ in range(3):
        task = await cast.add_task(status="in_progress")
        (await cast.ada.patch(cast.task(task), {"status": "done"})).ok()


async def sums() -> list[dict[str, Any]]:
    """Everything that is counted."""
    names = ", ".join(counting.SUMS)
    return await rows(f"SELECT board_id, period, {names} FROM figure_sums ORDER BY board_id, period")


async def test_two_counters_at_once_do_not_double(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    await busy(cast)
    await counting.count_more(cast.organization.id)
    once = await sums()
    await recounting.recount()
    monkeypatch.setattr(counting, "EVENTS_AT_ONCE", 2)
    await asyncio.gather(*(count_to_end(cast) for _ in range(3)))
    assert await sums() == once


async def count_to_end(cast: Cast) -> None:
    """Count until nothing is left, also while others do."""
    while True:
        at = await counting.count_more(cast.organization.id)
        if at is not None and 0 <= at.counted == at.head:
            return
        await asyncio.sleep(0)


async def test_killed_count_goes_on_where_it_stopped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    await busy(cast)
    monkeypatch.setattr(counting, "EVENTS_AT_ONCE", 3)
    first = await counting.count_more(cast.organization.id)
    assert first is not None and 0 < first.counted < first.head

    async def killed(fold: counting.Fold) -> None:
        await keep(fold)
        raise RuntimeError("killed before its commit")

    keep = counting._keep
    with monkeypatch.context() as patched, pytest.raises(RuntimeError):
        patched.setattr(counting, "_keep", killed)
        await counting.count_more(cast.organization.id)
    assert (await counting.position(cast.organization.id)).counted == first.counted
    await count_to_end(cast)
    counted = await sums()
    await recounting.recount()
    monkeypatch.setattr(counting, "EVENTS_AT_ONCE", 1000)
    await count_to_end(cast)
    assert await sums() == counted


async def test_figures_say_that_they_are_being_counted(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    await busy(cast)
    monkeypatch.setattr(counting, "MOST_UNCOUNTED", 3)
    monkeypatch.setattr(counting, "BEHIND", counting.BEHIND.replace(f">= {counting.LONG_TAIL}", ">= 3"))
    refused = await cast.ada.get("/metrics/dashboard")
    assert "are being counted (0 %)" in refused.refused(503) and refused.headers["Retry-After"] == "5"
    async with cast.app.app_context():
        await counting.count_all()
    flow = (await cast.ada.get("/metrics/dashboard")).ok()["flow"]
    assert sum(point["value"] for point in flow["throughput"]["primary"]["points"]) == 3


async def test_reading_costs_the_same_after_many_events(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from mission_control.database import sql

    read: list[int] = []
    fetch = sql.fetch

    async def counted(text: str, values: Any) -> Any:
        columns, found = await fetch(text, values)
        if any(table in text for table in ("figure", "FROM events", "FROM tasks")):
            read.append(len(found))
        return columns, found

    async def cost() -> tuple[int, int]:
        await count_to_end(cast)
        read.clear()
        with monkeypatch.context() as patched:
            for module in ("database.sql", "metrics.series"):
                patched.setattr(f"mission_control.{module}.fetch", counted)
            (await cast.ada.get("/metrics/dashboard?range_key=7d")).ok()
        return len(read), sum(read)

    monkeypatch.setattr(counting.COUNTING, "when", lambda: False)  # what the loop reads is not what a reader costs
    with times.travelled(timedelta(days=-40)):
        await busy(cast)
    statements, lines = await cost()
    for days in (39, 38, 37):
        with times.travelled(timedelta(days=-days)):
            await busy(cast)
    assert await cost() == (statements, lines)
    task = await cast.add_task()
    await cost()
    for _ in range(5):
        (await cast.ada.post(f"{cast.task(task)}/comments", {"message": "Still at it."})).ok()
    few = await cost()
    for _ in range(20):
        (await cast.ada.post(f"{cast.task(task)}/comments", {"message": "Still at it."})).ok()
    assert await cost() == few


@pytest.mark.parametrize(("change", "says"), [
    ("UPDATE figure_sums SET done = done + 1 WHERE period = 't'", "`done` is 4 in all, but 3 by the tasks"),
    (
        "UPDATE figure_sums SET outcomes = outcomes - 1 WHERE period LIKE 'h%'",
        "`outcomes` is 5 by hour, but 6 in all",
    ),
    ("DELETE FROM figure_changes", "`finished` is 3 in all, but 0 by each change"),
    ("UPDATE figure_tasks SET logged = 'review'", "is counted as review, its events say done"),
])  # fmt: skip
async def test_check_finds_what_is_counted_wrongly(cast: Cast, change: str, says: str) -> None:
    await busy(cast)
    await count_to_end(cast)
    assert await recounting.faults() == ([], "")
    await rows(change)
    found, _ = await recounting.faults()
    assert any(says in fault for fault in found), found
    await recounting.recount()
    assert (await recounting.faults())[1] == "are being counted while the server runs (0 % so far)"
    await counting.count_all()
    assert await recounting.faults() == ([], "")


async def test_deleted_board_takes_its_figures_along(cast: Cast) -> None:
    await busy(cast)
    await count_to_end(cast)
    assert await sums()
    await cast.erase(cast.board.id)
    await count_to_end(cast)
    assert await counted_of(cast.board.id) == [[], [], []]


async def counted_of(board_id: UUID) -> list[list[dict[str, Any]]]:
    """Return the rows of a board in the tables of figures."""
    tables = ("figure_sums", "figure_changes", "figure_tasks")
    return [await rows(f"SELECT id FROM {table} WHERE board_id = ?", board_id) for table in tables]


@pytest.mark.postgres
async def test_board_is_deleted_while_it_is_counted(cast: Cast) -> None:
    await busy(cast)
    await asyncio.gather(count_to_end(cast), cast.erase(cast.board.id))
    await count_to_end(cast)
    assert await counted_of(cast.board.id) == [[], [], []]
    assert await recounting.faults() == ([], "")
