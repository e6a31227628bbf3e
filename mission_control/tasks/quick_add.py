"""What one line says of a new task: `@name`, `#tag`, `!high`, `due:fri`, `not before fri 22:00`.

What matches nothing is part of the title.
"""

import re
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import Field

from mission_control.boards.models import Board
from mission_control.boards.queries import people_of
from mission_control.boards.statuses import TaskStatus
from mission_control.core.values import Body, JsonObject, NonEmptyStr, example
from mission_control.database.sql import in_list, rows
from mission_control.tasks.fields import BY_NAME, Surface, shown_at
from mission_control.tasks.query import number_in
from mission_control.tasks.schemas import TaskCreate

FIELDS = {field.quick_sign: field for field in shown_at(Surface.QUICK)}
PARENT = BY_NAME["parent_id"].quick_sign
_SIGNS = "|".join(map(re.escape, FIELDS))
_MOMENT = r'(?<=before )(?:next )?[^\s"]+(?: \d{1,2}:\d\d)?'
_WORD = re.compile(rf'(?<!\S)({_SIGNS})("[^"]+"|(?<=due:)next [a-z]+|{_MOMENT}|[^\s"]+)(?!\S)', re.I)


class QuickTask(Body):
    """A task in one line."""

    model_config = example(text="Renew the certificate @Kit #shop !high due:fri")

    text: Annotated[
        NonEmptyStr,
        Field(
            max_length=500,
            description="The title; `@name`, `#tag`, `!high`, `due:fri` and `not before fri 22:00` in it are taken",
        ),
    ]
    status: TaskStatus = "inbox"
    after_task_id: Annotated[
        UUID | None, Field(description="Stand below this task of the column, not at its top; gone or moved: at the top")
    ] = None


@dataclass(slots=True)
class _Names:
    assignees: dict[str, tuple[str, UUID] | None]
    tags: dict[str, UUID | None]
    parents: dict[int | None, UUID]  # tasks by their numbers


async def understood(board: Board, new: QuickTask) -> TaskCreate:
    fields = {"status": new.status}
    names = await _names(board, [(match[1].lower(), match[2].strip('"')) for match in _WORD.finditer(new.text)])

    def take(word: re.Match[str]) -> str:
        return "" if _takes(fields, names, word[1].lower(), word[2].strip('"')) else word[0]

    title = " ".join(_WORD.sub(take, new.text).split())
    if not title:  # nothing but signs: they are the title
        return TaskCreate(title=new.text.strip(), status=new.status)
    return TaskCreate.model_validate({"title": title, **fields})


def not_understood(title: str) -> list[str]:
    """Find words that look like a name, tag, priority or day, and are none here."""
    return [word[0] for word in _WORD.finditer(title)]


def _takes(fields: JsonObject, names: _Names, sign: str, value: str) -> bool:
    """Put what a word means into the task. Return whether it means anything; only the first of a kind counts."""
    word = value.lower()
    if sign == "@":
        who = names.assignees.get(word)
        if who is None or {"assigned_agent_id", "assigned_user_id"} & fields.keys():
            return False
        fields[f"assigned_{who[0]}_id"] = who[1]
        return True
    if sign == PARENT:
        parent = names.parents.get(number_in(word))
        return parent is not None and bool(fields.setdefault("parent_id", parent) == parent)
    if sign == "#":
        tag = names.tags.get(word)
        if tag is not None:
            fields.setdefault("tag_ids", []).append(tag)
        return tag is not None
    field = FIELDS[sign]
    try:
        meant = field.typed(word)
    except ValueError:
        return False
    return bool(fields.setdefault(field.name, meant) == meant)


async def _names(board: Board, words: list[tuple[str, str]]) -> _Names:
    signs = {sign for sign, _ in words}
    assignees = await _assignees(board) if "@" in signs else {}
    tags: dict[str, UUID | None] = {}
    if "#" in signs:
        for tag in await rows("SELECT id, name, slug FROM tags WHERE organization_id = ?", board.organization_id):
            tags[str(tag["name"]).lower()] = tags[str(tag["slug"])] = UUID(str(tag["id"]))
    parents: dict[int | None, UUID] = {}
    if numbers := [number for sign, value in words if sign == PARENT and (number := number_in(value)) is not None]:
        marks, values = in_list(numbers)
        sql = f"SELECT id, number FROM tasks WHERE board_id = ? AND deleted_at IS NULL AND number IN ({marks})"
        parents = {int(task["number"]): UUID(str(task["id"])) for task in await rows(sql, board.id, *values)}
    return _Names(assignees, tags, parents)


async def _assignees(board: Board) -> dict[str, tuple[str, UUID] | None]:
    """Name agents and people by their first and whole names; None stands for a first name that several have."""
    assignees: dict[str, tuple[str, UUID] | None] = {}
    agents = await rows("SELECT id, name FROM agents WHERE board_id = ?", board.id)
    everybody = [("agent", agent) for agent in agents] + [("user", person) for person in await people_of(board)]
    for kind, row in everybody:
        if parts := str(row["name"]).lower().split():
            who = (kind, UUID(str(row["id"])))
            for name in {parts[0], "-".join(parts)}:
                assignees[name] = who if assignees.get(name, who) == who else None
    for kind, row in everybody:  # a whole name means nobody else
        assignees[str(row["name"]).lower()] = (kind, UUID(str(row["id"])))
    return assignees
