"""Compare what is counted with the log and the tasks, and have it counted anew: `mission-control doctor`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from mission_control.boards.statuses import STATUSES
from mission_control.database.sql import Row, as_id, placeholders, rows, select
from mission_control.metrics.counting import (
    LOGGED,
    OUTCOMES,
    STATE,
    SUMS,
    BeingCounted,
    Fold,
    Logged,
    TaskState,
    position,
    uncounted,
)

type Counts = dict[str, dict[str, int]]  # by board

SAMPLE = 200  # tasks whose events are replayed
TRIES = 3  # a change between two statements is no fault
LEVELS = {"m": "by month", "d": "by day", "h": "by hour"}
CHANGES = ("work", "finished", "moved", "cycles", "cycle_micros")


async def faults() -> tuple[list[str], str]:
    problems: list[str] = []
    behind = ""
    for row in await rows("SELECT id, name FROM organizations ORDER BY created_at, id"):
        organization_id = as_id(row["id"])
        assert organization_id is not None
        try:
            problems += [f"{row['name']}, {fault}" for fault in await _faults(organization_id)]
        except BeingCounted as error:
            behind = f"are being counted while the server runs ({error.share} % so far)"
    return problems, behind


async def recount() -> None:
    """Have everything counted anew: a running server does it beside serving, otherwise the next one."""
    await rows(
        "INSERT INTO figures_counted (organization_id, seq) SELECT id, -1 FROM organizations WHERE 1 = 1"
        " ON CONFLICT (organization_id) DO UPDATE SET seq = -1"
    )


async def _faults(organization_id: UUID) -> list[str]:
    problems: list[str] = []
    for _ in range(TRIES):
        at = await position(organization_id)
        fold = await uncounted(organization_id, at)
        problems = [*await _wrong_sums(organization_id, fold), *await _wrong_tasks(organization_id, at.counted)]
        if not problems:
            break
    return problems


async def _wrong_sums(organization_id: UUID, fold: Fold) -> list[str]:
    boards = {str(row["id"]): row["name"] for row in await rows(
        "SELECT id, name FROM boards WHERE organization_id = ? AND deleted_at IS NULL", organization_id
    )}  # fmt: skip
    of_board = "board_id IN (SELECT id FROM boards WHERE organization_id = ?)"
    sums = ", ".join(f"SUM({name}) AS {name}" for name in SUMS)
    levels: dict[str, Counts] = defaultdict(dict)
    for row in await rows(
        f"SELECT board_id, SUBSTR(period, 1, 1) AS level, {sums} FROM figure_sums WHERE {of_board} GROUP BY 1, 2",
        organization_id,
    ):
        levels[row["level"]][str(row["board_id"])] = {name: int(row[name]) for name in SUMS}
    kinds = placeholders(len(OUTCOMES))
    changes = await rows(
        "SELECT board_id, SUM(work) AS work, SUM(finished) AS finished, SUM(moved) AS moved,"
        " COUNT(cycle_micros) AS cycles, COALESCE(SUM(cycle_micros), 0) AS cycle_micros FROM figure_changes"
        f" WHERE {of_board} GROUP BY 1",
        organization_id,
    )
    events = await rows(
        "SELECT board_id, COUNT(*) AS outcomes, SUM(CASE WHEN kind LIKE '%failed' THEN 1 ELSE 0 END) AS failures"
        f" FROM events WHERE {of_board} AND kind IN ({kinds}) AND task_id IS NOT NULL GROUP BY 1",
        organization_id,
        *OUTCOMES,
    )
    numbers = ", ".join(f"SUM(CASE WHEN status = '{status}' THEN 1 ELSE 0 END) AS {status}" for status in STATUSES)
    tasks = await rows(
        f"SELECT board_id, {numbers} FROM tasks WHERE {of_board} AND deleted_at IS NULL GROUP BY 1", organization_id
    )
    total = levels["t"]
    newest: Counts = {board_id: dict(amounts) for board_id, amounts in total.items()}
    for fact in fold.facts:
        amounts = newest.setdefault(fact.board_id, {})
        for name, amount in fact.amounts.items():
            amounts[name] = amounts.get(name, 0) + amount
    problems = list[str]()
    for level, words in LEVELS.items():
        problems += _differences(boards, SUMS, levels[level], words, total, "in all")
    problems += _differences(boards, CHANGES, total, "in all", _by_board(changes), "by each change")
    problems += _differences(boards, ("outcomes", "failures"), newest, "in all", _by_board(events), "in the log")
    problems += _differences(boards, STATUSES, newest, "in all", _by_board(tasks), "by the tasks")
    return problems


def _by_board(sums: Iterable[Row]) -> Counts:
    return {str(row["board_id"]): {name: int(row[name]) for name in row if name != "board_id"} for row in sums}


def _differences(
    boards: Mapping[str, str], names: Iterable[str], counted: Counts, where: str, right: Counts, by_what: str
) -> list[str]:
    return [
        f"board {board_name}: `{name}` is {is_now} {where}, but {should} {by_what}"
        for board_id, board_name in boards.items()
        for name in names
        if (is_now := counted.get(board_id, {}).get(name, 0)) != (should := right.get(board_id, {}).get(name, 0))
    ]


async def _wrong_tasks(organization_id: UUID, counted: int) -> list[str]:
    """Replay the events of some tasks, chosen at random."""
    columns = ", ".join(f"f.{name}" for name in STATE)
    counted_states = await select(
        TaskState,
        f"SELECT {columns} FROM figure_tasks f JOIN boards b ON b.id = f.board_id"
        f" WHERE b.organization_id = ? AND b.deleted_at IS NULL ORDER BY RANDOM() LIMIT {SAMPLE}",
        organization_id,
    )
    if not counted_states:
        return []
    ids = [stored.id for stored in counted_states]
    sql = f"{LOGGED} AND e.task_id IN ({placeholders(len(ids))}) AND e.seq <= ? ORDER BY e.seq"
    events = await select(Logged, sql, organization_id, 0, *ids, counted)
    fold = Fold({})
    for event in events:
        fold.take(event)
    problems = []
    for stored in counted_states:
        state = fold.states.get(stored.id, TaskState(stored.id, stored.board_id))
        is_as_logged = (stored.logged, stored.started_at, stored.entered_at)
        if is_as_logged != (state.logged, state.started_at, state.entered_at):
            problems.append(f"task {stored.id}: it is counted as {stored.logged}, its events say {state.logged}")
    return problems
