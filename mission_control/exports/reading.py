"""Read a whole board with a fixed number of statements."""

from typing import Any
from uuid import UUID

from mission_control.accounts.names import chosen_name
from mission_control.boards.models import Board
from mission_control.core import clock
from mission_control.core.errors import TooLarge
from mission_control.database.sql import as_json, rows, wire_moment
from mission_control.exports.file import FORMAT, VERSION
from mission_control.exports.parts import BoardPart
from mission_control.tasks.fields import EXPORTED

MOST_ROWS = 100_000
LIVE = "t.board_id = ? AND t.deleted_at IS NULL"
Row = dict[str, Any]


async def board_file(board: Board) -> Row:
    """Return a board as a file. Raises TooLarge above 100,000 tasks, comments, approvals and entries."""
    await refuse_large_board(board.id)
    file = {
        "format": FORMAT,
        "version": VERSION,
        "exported_at": clock.now(),
        "board": await _board(board),
        "tags": await _tags(board.id),
        "custom_fields": await _fields(board.id),
        "tasks": await tasks_of(board.id),
        "approvals": await _approvals(board.id),
        "memory": await _memory(board.id),
    }
    _leave_out_newcomers(file)
    return file


def _leave_out_newcomers(file: Row) -> None:
    """Drop references to what appeared while the board was read, after the list it belongs to."""
    numbers, slugs = {one["number"] for one in file["tasks"]}, {one["slug"] for one in file["tags"]}
    keys = {one["field_key"] for one in file["custom_fields"]}
    for task in file["tasks"]:
        task["depends_on"] = [one for one in task["depends_on"] if one in numbers]
        task["tags"] = [one for one in task["tags"] if one in slugs]
        task["custom_fields"] = {key: value for key, value in task["custom_fields"].items() if key in keys}
    for approval in file["approvals"]:
        approval["tasks"] = [one for one in approval["tasks"] if one in numbers]


async def refuse_large_board(board_id: UUID) -> None:
    """Refuse a board that is too large for one file."""
    [counted] = await rows(
        "SELECT (SELECT COUNT(*) FROM tasks WHERE board_id = ?) + (SELECT COUNT(*) FROM approvals WHERE board_id = ?)"
        " + (SELECT COUNT(*) FROM board_memory WHERE board_id = ?)"
        " + (SELECT COUNT(*) FROM task_comments c JOIN tasks t ON t.id = c.task_id WHERE t.board_id = ?) AS n",
        *[board_id] * 4,
    )
    if int(counted["n"]) > MOST_ROWS:
        raise TooLarge(f"The board holds more than {MOST_ROWS} things. Delete or archive some of them first.")


async def _board(board: Board) -> Row:
    group = await rows("SELECT name FROM board_groups WHERE id = ?", board.board_group_id)
    names = [name for name, info in BoardPart.model_fields.items() if not info.exclude and name != "board_group"]
    return {name: getattr(board, name) for name in names} | {"board_group": group[0]["name"] if group else None}


async def _tags(board_id: UUID) -> list[Row]:
    return await rows(
        "SELECT DISTINCT g.slug, g.name, g.color, g.description FROM tags g JOIN tag_assignments a ON a.tag_id = g.id"
        f" JOIN tasks t ON t.id = a.task_id WHERE {LIVE} ORDER BY g.slug",
        board_id,
    )


async def _fields(board_id: UUID) -> list[Row]:
    found = await rows(
        "SELECT f.field_key, f.label, f.field_type, f.ui_visibility, f.validation_regex, f.description, f.required,"
        " f.default_value FROM board_task_custom_fields b JOIN task_custom_field_definitions f ON f.id = b.field_id"
        " WHERE b.board_id = ? ORDER BY f.field_key",
        board_id,
    )
    changed = ({"required": bool(row["required"]), "default_value": as_json(row["default_value"])} for row in found)
    return [{**row, **other} for row, other in zip(found, changed, strict=True)]


async def tasks_of(board_id: UUID) -> list[Row]:
    """Return the board's live tasks by number, with everything on them."""
    found = await rows(f"{TASKS} WHERE {LIVE} ORDER BY t.number", board_id)
    tasks = {str(row["id"]): _task(row) for row in found}
    for row in await rows(f"{EDGES} WHERE {LIVE} AND p.deleted_at IS NULL ORDER BY p.number", board_id):
        _put(tasks, row, "depends_on", int(row["number"]))
    for row in await rows(f"{TAGGED} WHERE {LIVE} ORDER BY a.created_at, a.id", board_id):
        _put(tasks, row, "tags", row["slug"])
    for row in await rows(f"{VALUES} WHERE {LIVE} ORDER BY f.field_key", board_id):
        if (value := as_json(row["value"])) is not None and (task := tasks.get(str(row["task_id"]))) is not None:
            task["custom_fields"][row["field_key"]] = value
    for row in await rows(f"{STEPS} WHERE {LIVE} ORDER BY i.position, i.id", board_id):
        _put(tasks, row, "checklist", {"text": row["text"], "is_done": bool(row["is_done"])})
    for row in await rows(f"{COMMENTS} WHERE {LIVE} AND c.deleted_at IS NULL ORDER BY c.created_at, c.id", board_id):
        _put(tasks, row, "comments", _comment(row))
    return list(tasks.values())


TASKS = f"""
    SELECT t.id, t.number, t.status, {", ".join(f"t.{name}" for name in EXPORTED)},
        a.name AS assigned_agent, u.email AS assigned_person, c.email AS created_by
    FROM tasks t
    LEFT JOIN agents a ON a.id = t.assigned_agent_id
    LEFT JOIN users u ON u.id = t.assigned_user_id
    LEFT JOIN users c ON c.id = t.created_by_user_id
"""
EDGES = (
    "SELECT d.task_id, p.number FROM task_dependencies d JOIN tasks t ON t.id = d.task_id"
    " JOIN tasks p ON p.id = d.depends_on_task_id"
)
TAGGED = (
    "SELECT a.task_id, g.slug FROM tag_assignments a JOIN tags g ON g.id = a.tag_id JOIN tasks t ON t.id = a.task_id"
)
VALUES = (
    "SELECT v.task_id, f.field_key, v.value FROM task_custom_field_values v JOIN tasks t ON t.id = v.task_id"
    " JOIN board_task_custom_fields b ON b.field_id = v.field_id AND b.board_id = t.board_id"
    " JOIN task_custom_field_definitions f ON f.id = v.field_id"
)
STEPS = "SELECT i.task_id, i.text, i.is_done FROM task_checklist_items i JOIN tasks t ON t.id = i.task_id"
COMMENTS = (
    "SELECT c.task_id, c.message, c.created_at, c.edited_at, c.user_id, c.agent_id, c.author_name, u.email AS email,"
    f" {chosen_name('u')} AS person_name, a.name AS agent_name FROM task_comments c"
    " JOIN tasks t ON t.id = c.task_id LEFT JOIN users u ON u.id = c.user_id LEFT JOIN agents a ON a.id = c.agent_id"
)


def _task(row: Row) -> Row:
    plain = {name: wire_moment(value) if name.endswith("_at") else value for name, value in row.items() if name != "id"}
    return {**plain, "depends_on": [], "tags": [], "custom_fields": {}, "checklist": [], "comments": []}


def _put(tasks: dict[str, Row], row: Row, name: str, value: Any) -> None:
    task = tasks.get(str(row["task_id"]))
    if task is not None:
        task[name].append(value)


def _comment(row: Row) -> Row:
    moments = {name: wire_moment(row[name]) for name in ("created_at", "edited_at")}
    return {"author": author(row, row["author_name"]), "message": row["message"], **moments}


def author(row: Row, otherwise: str | None) -> Row:
    """Return the author of a row with `user_id` and `agent_id`."""
    if row["user_id"] is not None:
        return {"kind": "person", "email": row["email"], "name": row["person_name"]}
    if row["agent_id"] is not None:
        return {"kind": "agent", "email": None, "name": row["agent_name"]}
    return {"kind": "other", "email": None, "name": otherwise}


async def _approvals(board_id: UUID) -> list[Row]:
    found = await rows(
        "SELECT p.id, p.action_type, p.payload, p.confidence, p.rubric_scores, p.status, p.decision, p.note,"
        " p.requested_by_user_id AS user_id, p.agent_id, u.email AS email,"
        f" {chosen_name('u')} AS person_name, a.name AS agent_name, r.email AS resolved_by,"
        " p.resolved_at, p.created_at, p.updated_at FROM approvals p"
        " LEFT JOIN users u ON u.id = p.requested_by_user_id LEFT JOIN agents a ON a.id = p.agent_id"
        " LEFT JOIN users r ON r.id = p.resolved_by_user_id WHERE p.board_id = ? ORDER BY p.created_at, p.id",
        board_id,
    )
    links: dict[str, list[int]] = {}
    for link in await rows(
        "SELECT l.approval_id, t.number FROM approval_task_links l JOIN tasks t ON t.id = l.task_id"
        f" WHERE {LIVE} ORDER BY l.created_at, l.id",
        board_id,
    ):
        links.setdefault(str(link["approval_id"]), []).append(int(link["number"]))
    return [_approval(row, links.get(str(row["id"]), [])) for row in found]


def _approval(row: Row, numbers: list[int]) -> Row:
    same = ("action_type", "status", "decision", "note", "resolved_by")
    return {
        **{name: row[name] for name in same},
        "tasks": numbers,
        "payload": as_json(row["payload"]),
        "confidence": float(row["confidence"]),
        "rubric_scores": as_json(row["rubric_scores"]),
        "requested_by": author(row, None),
        **{name: wire_moment(row[name]) for name in ("resolved_at", "created_at", "updated_at")},
    }


async def _memory(board_id: UUID) -> list[Row]:
    found = await rows(
        "SELECT m.content, m.tags, m.is_chat, m.source, m.author_user_id AS user_id, m.author_agent_id AS agent_id,"
        f" u.email AS email, {chosen_name('u')} AS person_name, a.name AS agent_name, m.created_at,"
        " m.edited_at FROM board_memory m LEFT JOIN users u ON u.id = m.author_user_id"
        " LEFT JOIN agents a ON a.id = m.author_agent_id WHERE m.board_id = ? ORDER BY m.created_at, m.id",
        board_id,
    )
    return [
        {
            "content": row["content"],
            "tags": as_json(row["tags"]),
            "is_chat": bool(row["is_chat"]),
            "source": row["source"],
            "author": author(row, None),
            "created_at": wire_moment(row["created_at"]),
            "edited_at": wire_moment(row["edited_at"]),
        }
        for row in found
    ]
