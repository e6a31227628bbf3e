"""What a task has to do with others, in its panel: in which way, with which tasks, and with which it could."""

from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.database.sql import Row, rows
from mission_control.tasks.query import LIVING, STATES, matching, number_in

MOST_FOUND = 20


class Way(NamedTuple):
    """One way: its label, and where people add to it what they are asked (of a number), the button's words, and SQL for
    the tasks `t` that the task has to do with already."""

    label: str
    asks: str = ""
    adds: str = ""
    has: str = ""


_DEPENDS = "SELECT 1 FROM task_dependencies d WHERE d.{} = ? AND d.{} = t.id"
_PART = "SELECT 1 FROM tasks s WHERE s.{} = ? AND s.{} = t.id"
_LINK = "SELECT 1 FROM task_links l WHERE l.kind = '{}' AND l.task_id = ? AND l.other_id = t.id"
WAYS = {
    "parent": Way(
        "Part of", "Of which task is #{} a part?", "Make it a part of another task", _PART.format("id", "parent_id")
    ),
    "part": Way("Parts", "What is a part of #{}?", "Add a part", _PART.format("parent_id", "id")),
    "waits": Way(
        "Waits for", "What does #{} wait for?", "Wait for another task",
        _DEPENDS.format("task_id", "depends_on_task_id"),
    ),
    "needed": Way(
        "Needed by", "Which task waits for #{}?", "Let another task wait for this",
        _DEPENDS.format("depends_on_task_id", "task_id"),
    ),
    "found_in": Way("Found in", "In which task was #{} found?", "Say where it was found", _LINK.format("found_in")),
    "has_found_in": Way("Found here"),
    "duplicate_of": Way(
        "Duplicate of", "Of which task is #{} a duplicate?", "Say of what it is a duplicate",
        _LINK.format("duplicate_of"),
    ),
    "has_duplicate_of": Way("Duplicates"),
}  # fmt: skip
_LINKED = """
    WITH linked AS (
        SELECT 'parent' AS way, parent_id AS other_id, CAST(NULL AS UUID) AS link_id, created_at FROM tasks WHERE id = ?
        UNION ALL SELECT 'part', id, NULL, created_at FROM tasks WHERE parent_id = ?
        UNION ALL SELECT 'waits', depends_on_task_id, NULL, created_at FROM task_dependencies WHERE task_id = ?
        UNION ALL SELECT 'needed', task_id, NULL, created_at FROM task_dependencies WHERE depends_on_task_id = ?
        UNION ALL SELECT kind, other_id, id, created_at FROM task_links WHERE task_id = ?
        UNION ALL SELECT 'has_' || kind, task_id, id, created_at FROM task_links WHERE other_id = ?
    )
    SELECT l.way, l.link_id, p.id, p.number, p.title, p.status, p.blocks_parent, p.deleted_at
    FROM linked l JOIN tasks p ON p.id = l.other_id ORDER BY l.created_at, p.number
"""


@dataclass(frozen=True, slots=True)
class Linked:
    """The tasks with which a task has to do, by the way, and the ids of all of them, of deleted ones too."""

    by_way: dict[str, list[Row]] = field(default_factory=dict)
    ids: set[UUID] = field(default_factory=set)

    @property
    def parts_done(self) -> int:
        return sum(part["status"] == "done" for part in self.by_way.get("part", ()))


async def linked_to(task_id: UUID) -> Linked:
    linked = Linked()
    for row in await rows(_LINKED, *[task_id] * 6):
        linked.ids.add(UUID(str(row["id"])))
        if row["deleted_at"] is None:
            linked.by_way.setdefault(row["way"], []).append(row)
    return linked


async def found_tasks(board: Board, task_id: UUID, text: str, way: str) -> list[Row]:
    """Search by number or words, unfinished and newest first."""
    matches = await matching(text)
    values = [value for _, operands in matches for value in operands]
    exact = number_in(text.strip()) or 0
    part = f"""
        SELECT t.id, t.number, t.title, t.status, {{place}} AS place FROM tasks t
        WHERE t.board_id = ? AND {LIVING} AND t.id <> ? AND NOT EXISTS (
            {WAYS[way].has}
        ){"".join(f" AND {condition}" for condition, _ in matches)} AND {{which}}
        ORDER BY t.number DESC LIMIT {MOST_FOUND}
    """
    # Done tasks grow: of those an index has the newest, and the one with the number.
    parts = ("t.number = ?", f"{STATES['open']} AND t.number <> ?", "t.status = 'done' AND t.number <> ?")
    sql = " UNION ALL ".join(
        f"SELECT * FROM ({part.format(place=place, which=which)}) part" for place, which in enumerate(parts)
    )
    return await rows(
        f"SELECT id, number, title, status FROM ({sql}) every ORDER BY place, number DESC LIMIT {MOST_FOUND}",
        *[board.id, task_id, task_id, *values, exact] * len(parts),
    )
