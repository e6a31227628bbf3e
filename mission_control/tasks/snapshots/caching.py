"""What answers about a board depend on, by which they are kept, and their parts: the bytes of each task and approval.

After a change only the parts that it concerns are read again: those of the tasks and approvals that the events since
then name, and of what shows their state. An event that may concern more drops all parts.
"""

from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.values import to_json
from mission_control.database.sql import Row, in_list, rows
from mission_control.events.position import Position, position_of_board
from mission_control.http.response_cache import Parts, cache, exactly
from mission_control.tasks.models import Task

MOST_LISTS = 100  # of a board
MOST_EVENTS = 100  # since the parts were right; after more all of them are read again
AT_ONCE = 500
# What leaves every task and approval in its place in lists by age, unless a task leaves the archive with it. Lists by
# anything else are not kept.
STILL = (
    "task.updated", "task.status_changed", "task.parked", "task.resumed", "task.comment", "task.checklist",
    "task.linked", "task.unlinked", "task.file_", "task.code_",
)  # fmt: skip
# What neither tasks nor approvals show.
UNSHOWN = ("memory.", "webhook.", "view.", "onboarding.", "proposal.")
_SINCE = (
    "SELECT kind, task_id, subject_id, data LIKE '%\"archived_at\"%' AS is_unarchived"
    f" FROM events WHERE board_id = ? AND seq > ? ORDER BY seq LIMIT {MOST_EVENTS}"
)
# What shows the state of some tasks: those that wait for them, and approvals about them.
_DEPENDENT = (
    "SELECT 'task' AS what, task_id AS id FROM task_dependencies WHERE depends_on_task_id IN ({tasks})"
    " UNION ALL SELECT 'approval', approval_id FROM approval_task_links WHERE task_id IN ({tasks})"
)

type ById = dict[str, Row]
type Read = Callable[[list[str]], Awaitable[ById]]


async def current_parts(board: Board, position: Position) -> Parts:
    parts = cache.parts(("parts", board.id), position)
    while (newest := tuple(map(max, position, known_at := parts.state))) != known_at:
        changed = await _changed_since(board.id, known_at[0]) if position[1:] == known_at[1:] else None
        if parts.state != known_at:  # somebody else was faster
            continue
        parts.generation += 1
        if changed is None:
            parts.clear()
        else:
            for key in changed.parts:
                parts.drop(key)
        if changed is None or changed.moves:
            parts.ids_of.clear()
        parts.state = newest
    return parts


@dataclass(slots=True)
class Changed:
    """What shows another state, as kind of part and id, and whether lists by age may be others."""

    parts: set[tuple[str, str]]
    moves: bool


async def _changed_since(board_id: UUID, seq: int) -> Changed | None:
    """None when everything may have changed."""
    events = await rows(_SINCE, board_id, seq)
    tasks, approvals = set[str](), set[str]()
    for event in events:
        kind = event["kind"]
        if kind.startswith("approval."):
            approvals.add(str(event["subject_id"]))
        if kind == "task.erased":  # its parts have no parent now, and nothing names them
            return None
        if event["task_id"] is not None:
            tasks.add(str(event["task_id"]))
        elif not kind.startswith(("approval.", *UNSHOWN)):
            return None
    if len(events) == MOST_EVENTS:
        return None
    if approvals:
        marks, ids = in_list(approvals)
        linked = await rows(f"SELECT task_id FROM approval_task_links WHERE approval_id IN ({marks})", *ids)
        tasks.update(str(row["task_id"]) for row in linked)
    changed = {(part, task_id) for task_id in tasks for part in ("task", "card")} | {
        ("approval", approval_id) for approval_id in approvals
    }
    if tasks:
        marks, ids = in_list(tasks)
        for row in await rows(_DEPENDENT.format(tasks=marks), *ids, *ids):
            parts = ("task", "card") if row["what"] == "task" else ("approval",)
            changed.update((part, str(row["id"])) for part in parts)
    still = (*STILL, *UNSHOWN)
    return Changed(changed, any(event["is_unarchived"] or not event["kind"].startswith(still) for event in events))


async def listed(
    parts: Parts, key: Hashable, read: Callable[[], Awaitable[tuple[list[str], int]]]
) -> tuple[list[str], int]:
    if (ids := parts.ids_of.get(key)) is not None:
        return ids
    generation = parts.generation
    read_rows = await read()
    if parts.generation == generation:
        while len(parts.ids_of) >= MOST_LISTS:
            del parts.ids_of[next(iter(parts.ids_of))]
        parts.ids_of[key] = read_rows
        cache.recount(parts)
    return read_rows


async def rendered_parts(parts: Parts, what: str, ids: Sequence[str], read: Read) -> list[bytes]:
    """Render in this order what is not cached, without those that are gone."""
    rendered = {key: part for key in ids if (part := parts.get(what, key)) is not None}
    missing, generation = [key for key in ids if key not in rendered], parts.generation
    for start in range(0, len(missing), AT_ONCE):
        made = {key: exactly(to_json(value)) for key, value in (await read(missing[start : start + AT_ONCE])).items()}
        rendered |= made
        if parts.generation == generation:  # else something may have changed before it was read
            parts.store(what, made)
    if missing:
        cache.recount(parts)
    return [rendered[key] for key in ids if key in rendered]


async def array_of(parts: Parts, what: str, ids: Sequence[str], read: Read) -> orjson.Fragment:
    return orjson.Fragment(b"[%b]" % b",".join(await rendered_parts(parts, what, ids, read)))


def by_id(read: Iterable[Row]) -> ById:
    return {str(row["id"]): row for row in read}


async def state_of_board(actor: Actor, thing: Board | Task, query: object) -> Position:
    board = thing if isinstance(thing, Board) else thing.board
    return await position_of_board(board.organization_id, board.id)


def same_for_all(actor: Actor, query: object) -> tuple[()]:
    """Say that everybody who may read it gets the same answer."""
    return ()
