"""Read a whole board page by page, and send it in pieces as JSON or as a table."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.errors import TooLarge
from mission_control.core.times import wire
from mission_control.core.values import to_json
from mission_control.database.sql import Row, as_json, placeholders, rows, wire_moment
from mission_control.people.accounts.names import chosen_name
from mission_control.tasks.fields import EXPORTED, MOMENTS
from mission_control.transfer.file import FORMAT, VERSION, BoardPart
from mission_control.transfer.history import NOTES, History, history_of, note, runs_of, sessions_of

MOST_ROWS = 100_000
PAGE = 100
PIECE_BYTES = 262_144  # of a file, sent at a time
LIVE = "t.board_id = ? AND t.deleted_at IS NULL"


@dataclass(frozen=True, slots=True)
class Contents:
    """What an export holds, as the board was at one moment; its texts are read later, page by page.

    What is created later is left out, and so are references to it.
    """

    board_id: UUID
    moment: datetime
    board: Row
    tasks: dict[str, int]  # numbers by id, in their order
    waits: dict[str, list[int]]  # what each task depends on
    tags: list[Row]
    fields: list[Row]
    history: History


async def contents_of(board: Board) -> Contents:
    """Raise TooLarge above 100,000 tasks, comments, approvals and the like."""
    of_board = ("tasks", "approvals", "board_memory", "task_runs", "run_notes")
    counts = " + ".join(f"(SELECT COUNT(*) FROM {table} WHERE board_id = ?)" for table in of_board)
    [counted] = await rows(
        f"SELECT {counts} + (SELECT COUNT(*) FROM task_comments c JOIN tasks t ON t.id = c.task_id"
        " WHERE t.board_id = ?) AS n",
        *[board.id] * (len(of_board) + 1),
    )
    if int(counted["n"]) > MOST_ROWS:
        raise TooLarge(f"The board holds more than {MOST_ROWS} things. Delete or archive some of them first.")
    moment = times.clock_now()
    live = await rows(f"SELECT t.id, t.number FROM tasks t WHERE {LIVE} ORDER BY t.number", board.id)
    tasks = {str(row["id"]): int(row["number"]) for row in live}
    waits: dict[str, list[int]] = {}
    for row in await rows(f"{EDGES} WHERE {LIVE} AND p.deleted_at IS NULL ORDER BY p.number", board.id):
        if str(row["id"]) in tasks:
            waits.setdefault(str(row["task_id"]), []).append(int(row["number"]))
    shared = await _tags(board.id), await _fields(board.id)
    history = await history_of(board.id, moment, tasks)
    return Contents(board.id, moment, await _board(board), tasks, waits, *shared, history)


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
    fields = await rows(
        "SELECT f.field_key, f.label, f.field_type, f.ui_visibility, f.validation_regex, f.description, f.required,"
        " f.default_value FROM board_task_custom_fields b JOIN task_custom_field_definitions f ON f.id = b.field_id"
        " WHERE b.board_id = ? ORDER BY f.field_key",
        board_id,
    )
    changed = ({"required": bool(row["required"]), "default_value": as_json(row["default_value"])} for row in fields)
    return [{**row, **other} for row, other in zip(fields, changed, strict=True)]


async def tasks_of(contents: Contents, *, comments: bool = True) -> AsyncIterator[list[Row]]:
    """Yield pages of the board's tasks by number, with everything on them; of `comments` else their number."""
    for page in batched(contents.tasks, PAGE, strict=False):
        these = f"IN ({placeholders(len(page))})"
        listed = await rows(f"{TASKS} WHERE t.id {these} ORDER BY t.number", *page)
        tasks = {str(row["id"]): _task(row, contents) for row in listed}
        await _add_details(tasks, page, contents)
        await _add_values(tasks, page, contents)
        await (_add_comments(tasks, page, contents) if comments else _count_comments(tasks, page))
        yield list(tasks.values())


async def _add_details(tasks: dict[str, Row], page: Sequence[str], contents: Contents) -> None:
    slugs = {tag["slug"] for tag in contents.tags}
    these = f"IN ({placeholders(len(page))})"
    for row in await rows(f"{LINKED} WHERE l.task_id {these} ORDER BY l.created_at, l.id", *page):
        if (number := contents.tasks.get(str(row["other_id"]))) is not None:
            _put(tasks, row, "links", {"kind": row["kind"], "task": number})
    for row in await rows(f"{TAGGED} WHERE a.task_id {these} ORDER BY a.created_at, a.id", *page):
        if row["slug"] in slugs:
            _put(tasks, row, "tags", row["slug"])
    for row in await rows(f"{STEPS} WHERE i.task_id {these} ORDER BY i.position, i.id", *page):
        _put(tasks, row, "checklist", {"text": row["text"], **{name: bool(row[name]) for name in MARKS}})


async def _add_values(tasks: dict[str, Row], page: Sequence[str], contents: Contents) -> None:
    keys = {field["field_key"] for field in contents.fields}
    for row in await rows(f"{VALUES} WHERE v.task_id IN ({placeholders(len(page))}) ORDER BY f.field_key", *page):
        if row["field_key"] in keys and (value := as_json(row["value"])) is not None:
            tasks[str(row["task_id"])]["custom_fields"][row["field_key"]] = value


async def _add_comments(tasks: dict[str, Row], page: Sequence[str], contents: Contents) -> None:
    where = f"WHERE c.task_id IN ({placeholders(len(page))}) AND c.deleted_at IS NULL"
    for row in await rows(f"{COMMENTS} {where} ORDER BY c.created_at, c.id", *page):
        _put(tasks, row, "comments", _comment(row))
    for task_id, run in await runs_of(contents.history, page):
        tasks[task_id]["runs"].append(run)


async def _count_comments(tasks: dict[str, Row], page: Sequence[str]) -> None:
    where = f"WHERE task_id IN ({placeholders(len(page))}) AND deleted_at IS NULL"
    counts = await rows(f"SELECT task_id, COUNT(*) AS n FROM task_comments {where} GROUP BY task_id", *page)
    for task in tasks.values():
        task["comments"] = 0
    for row in counts:
        tasks[str(row["task_id"])]["comments"] = int(row["n"])


TASKS = f"""
    SELECT t.id, t.number, t.status, t.parent_id, {", ".join(f"t.{name}" for name in EXPORTED)},
        a.name AS assigned_agent, u.email AS assigned_person, c.email AS created_by
    FROM tasks t
    LEFT JOIN agents a ON a.id = t.assigned_agent_id
    LEFT JOIN users u ON u.id = t.assigned_user_id
    LEFT JOIN users c ON c.id = t.created_by_user_id
"""
EDGES = (
    "SELECT d.task_id, p.id, p.number FROM task_dependencies d JOIN tasks t ON t.id = d.task_id"
    " JOIN tasks p ON p.id = d.depends_on_task_id"
)
LINKED = "SELECT l.task_id, l.kind, l.other_id FROM task_links l"
TAGGED = "SELECT a.task_id, g.slug FROM tag_assignments a JOIN tags g ON g.id = a.tag_id"
VALUES = (
    "SELECT v.task_id, f.field_key, v.value FROM task_custom_field_values v JOIN tasks t ON t.id = v.task_id"
    " JOIN board_task_custom_fields b ON b.field_id = v.field_id AND b.board_id = t.board_id"
    " JOIN task_custom_field_definitions f ON f.id = v.field_id"
)
MARKS = ("is_done", "is_criterion")
STEPS = f"SELECT i.task_id, i.text, {', '.join(f'i.{name}' for name in MARKS)} FROM task_checklist_items i"
COMMENTS = (
    "SELECT c.task_id, c.message, c.created_at, c.edited_at, c.user_id, c.agent_id, c.author_name, u.email AS email,"
    f" {chosen_name('u')} AS person_name, a.name AS agent_name FROM task_comments c"
    " LEFT JOIN users u ON u.id = c.user_id LEFT JOIN agents a ON a.id = c.agent_id"
)


def _task(row: Row, contents: Contents) -> Row:
    plain = {name: wire_moment(value) if name in MOMENTS else value for name, value in row.items()}
    plain |= {"blocks_parent": bool(plain["blocks_parent"]), "parent": contents.tasks.get(str(plain.pop("parent_id")))}
    depends_on = contents.waits.get(str(plain.pop("id")), [])
    lists: Row = {name: [] for name in ("links", "tags", "checklist", "comments", "runs")}
    return {**plain, "depends_on": depends_on, "custom_fields": {}, **lists}


def _put(tasks: dict[str, Row], row: Row, name: str, value: object) -> None:
    tasks[str(row["task_id"])][name].append(value)


def _comment(row: Row) -> Row:
    moments = {name: wire_moment(row[name]) for name in ("created_at", "edited_at")}
    return {"author": author(row, row["author_name"]), "message": row["message"], **moments}


def author(row: Row, otherwise: str | None) -> Row:
    """Read the author of a row with `user_id` and `agent_id`."""
    if row["user_id"] is not None:
        return {"kind": "person", "email": row["email"], "name": row["person_name"]}
    if row["agent_id"] is not None:
        return {"kind": "agent", "email": None, "name": row["agent_name"]}
    return {"kind": "other", "email": None, "name": otherwise}


async def approvals_of(contents: Contents) -> AsyncIterator[list[Row]]:
    """Yield pages of the board's approvals, the oldest first."""
    async for page in _pages(APPROVALS, "p", contents):
        ids = [row["id"] for row in page]
        links: dict[str, list[int]] = {}
        for link in await rows(
            f"SELECT approval_id, task_id FROM approval_task_links WHERE approval_id IN ({placeholders(len(ids))})"
            " ORDER BY created_at, id",
            *ids,
        ):
            if (number := contents.tasks.get(str(link["task_id"]))) is not None:
                links.setdefault(str(link["approval_id"]), []).append(number)
        yield [_approval(row, links.get(str(row["id"]), [])) for row in page]


async def _pages(sql: str, table: str, contents: Contents) -> AsyncIterator[list[Row]]:
    """Yield pages of what the board had, the oldest first."""
    after, values = "", list[object]()
    while True:
        page = await rows(
            f"{sql} WHERE {table}.board_id = ? AND {table}.created_at <= ?{after}"
            f" ORDER BY {table}.created_at, {table}.id LIMIT {PAGE}",
            contents.board_id,
            contents.moment,
            *values,
        )
        if not page:
            return
        yield page
        after, values = f" AND ({table}.created_at, {table}.id) > (?, ?)", [page[-1]["created_at"], page[-1]["id"]]


APPROVALS = (
    "SELECT p.id, p.action_type, p.payload, p.confidence, p.rubric_scores, p.status, p.decision, p.note,"
    " p.requested_by_user_id AS user_id, p.agent_id, u.email AS email,"
    f" {chosen_name('u')} AS person_name, a.name AS agent_name, r.email AS resolved_by,"
    " p.resolved_at, p.created_at, p.updated_at FROM approvals p"
    " LEFT JOIN users u ON u.id = p.requested_by_user_id LEFT JOIN agents a ON a.id = p.agent_id"
    " LEFT JOIN users r ON r.id = p.resolved_by_user_id"
)
MEMORY = (
    "SELECT m.id, m.content, m.tags, m.is_chat, m.source, m.author_user_id AS user_id, m.author_agent_id AS agent_id,"
    f" u.email AS email, {chosen_name('u')} AS person_name, a.name AS agent_name, m.created_at,"
    " m.edited_at FROM board_memory m LEFT JOIN users u ON u.id = m.author_user_id"
    " LEFT JOIN agents a ON a.id = m.author_agent_id"
)


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


async def proposals_of(contents: Contents) -> AsyncIterator[list[Row]]:
    """Yield pages of what agents proposed on the board, the oldest first."""
    async for page in _pages(PROPOSALS, "p", contents):
        yield [_proposal(row, contents) for row in page]


PROPOSALS = (
    "SELECT p.id, p.title, p.reason, p.description, p.priority, p.state, p.agent_name, p.found_in_id, p.task_id,"
    " u.email AS decided_by, p.decided_at, p.note, p.created_at FROM task_proposals p"
    " LEFT JOIN users u ON u.id = p.decided_by_user_id"
)


def _proposal(row: Row, contents: Contents) -> Row:
    moments = {name: wire_moment(row[name]) for name in ("decided_at", "created_at")}
    numbers = {name: contents.tasks.get(str(row[f"{name}_id"])) for name in ("found_in", "task")}
    return (
        {name: value for name, value in row.items() if name not in ("id", "found_in_id", "task_id")} | moments | numbers
    )


async def memory_of(contents: Contents) -> AsyncIterator[list[Row]]:
    """Yield pages of the board's memory and chat, the oldest first."""
    async for page in _pages(MEMORY, "m", contents):
        yield [
            {
                "content": row["content"],
                "tags": as_json(row["tags"]),
                "is_chat": bool(row["is_chat"]),
                "source": row["source"],
                "author": author(row, None),
                "created_at": wire_moment(row["created_at"]),
                "edited_at": wire_moment(row["edited_at"]),
            }
            for row in page
        ]


async def notes_of(contents: Contents) -> AsyncIterator[list[Row]]:
    """Yield pages of what people told agents, the oldest first."""
    async for page in _pages(NOTES, "n", contents):
        read = (note(row, contents.history, contents.tasks) for row in page)
        yield [part for part in read if part is not None]


async def file_pieces(contents: Contents) -> AsyncIterator[bytes]:
    """Yield the file of a board. Between two of its things everybody else has a turn."""
    head = {"format": FORMAT, "version": VERSION, "exported_at": contents.moment, "board": contents.board}
    piece = bytearray(to_json({**head, "tags": contents.tags, "custom_fields": contents.fields})[:-1])
    for name, pages in (
        ("tasks", tasks_of(contents)), ("approvals", approvals_of(contents)), ("proposals", proposals_of(contents)),
        ("memory", memory_of(contents)), ("sessions", sessions_of(contents.history, contents.tasks, PAGE)),
        ("notes", notes_of(contents)),
    ):  # fmt: skip
        piece += b',"%s":[' % name.encode()
        is_first = True
        async for page in pages:
            for part in page:
                piece += to_json(part) if is_first else b"," + to_json(part)
                is_first = False
                if len(piece) > PIECE_BYTES:
                    yield bytes(piece)
                    piece.clear()
                await asyncio.sleep(0)
        piece += b"]"
    yield bytes(piece + b"}")


FIRST_COLUMNS = (
    "number", "title", "status", "priority", "assigned_agent", "assigned_person", "created_by", "due_at", "tags",
    "depends_on", "description", "comments", "created_at", "updated_at", "in_progress_at", "archived_at",
    "parent",
)  # fmt: skip
LEFT_OUT = ("position", "previous_in_progress_at")
COLUMNS = (*FIRST_COLUMNS, *(name for name in EXPORTED if name not in (*FIRST_COLUMNS, *LEFT_OUT)))
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


async def tasks_csv(contents: Contents) -> AsyncIterator[bytes]:
    """Yield the board's tasks as CSV, by number, with a column for each custom field. No cell can be a formula."""
    keys = sorted(field["field_key"] for field in contents.fields)
    piece = bytearray(_line([*COLUMNS, *(cell(f"field:{key}") for key in keys)]))
    async for page in tasks_of(contents, comments=False):
        for task in page:
            piece += _line(cell(value) for value in [*map(task.get, COLUMNS), *map(task["custom_fields"].get, keys)])
            if len(piece) > PIECE_BYTES:
                yield bytes(piece)
                piece.clear()
            await asyncio.sleep(0)
    yield bytes(piece)


def _line(cells: Iterable[str]) -> bytes:
    """Python's own writer takes fifty times as long for a long text, in one step."""
    return ",".join(_quoted(one) for one in cells).encode() + b"\r\n"


def _quoted(text: str) -> str:
    return f'"{text.replace('"', '""')}"' if any(sign in text for sign in ',"\r\n') else text


def cell(value: object) -> str:
    """No spreadsheet reads the text as a formula."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime():
            return wire(value)
        case int() | float():
            return str(value)
        case list() if all(isinstance(item, str | int) for item in value):
            text = ", ".join(map(str, value))
        case dict() | list():
            text = to_json(value).decode()
        case _:
            text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(DANGEROUS) else text
