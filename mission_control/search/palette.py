"""Results of the palette: places, actions, tasks and agents that the reader may see."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.boards.queries import boards_of
from mission_control.boards.statuses import LABELS
from mission_control.core.actor import Actor
from mission_control.core.policy import can
from mission_control.database.sql import containing, contains, placeholders, rows
from mission_control.web.palette import ENTRIES, PaletteEntry

LIMIT = 20
GLYPHS = {  # as in templates/ui/badge.html
    "inbox": "circle-dashed",
    "in_progress": "circle-dot",
    "review": "circle-question-mark",
    "done": "circle-check",
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A line of the palette."""

    label: str
    url: str
    icon: str
    hint: str = ""


async def palette(actor: Actor, query: str, current_board: UUID | None) -> list[tuple[str, list[Hit]]]:
    """Return groups of at most 20 lines in all. Without a query: places and actions."""
    boards = await boards_of(actor)
    words = query.lower().split()
    groups = [
        ("Go to", _entries("Go to", actor, boards, words, current_board) + _boards(boards, words)),
        ("Do", _entries("Do", actor, boards, words, current_board)),
        ("Agents", await _agents(actor, boards, words) if words else []),
        ("Tasks", await _tasks(boards, query.strip()) if words else []),  # last, because they may be many
    ]
    return _capped(groups)


def _capped(groups: list[tuple[str, list[Hit]]]) -> list[tuple[str, list[Hit]]]:
    left, capped = LIMIT, []
    for title, hits in groups:
        capped.append((title, hits[:left]))
        left -= len(hits[:left])
    return capped


def _fits(text: str, words: list[str]) -> bool:
    return all(word in text.lower() for word in words)


def _entries(group: str, actor: Actor, boards: list[Board], words: list[str], current_board: UUID | None) -> list[Hit]:
    board = next((one for one in boards if one.id == current_board), None)
    listed = [one for one in ENTRIES if one.group == group and (words or not one.searched_only)]
    found = [one for one in listed if one.may(actor, board)]
    hits = [(_hit(one, board), one.words) for one in sorted(found, key=lambda one: one.position)]
    return [hit for hit, more in hits if _fits(f"{hit.label} {more}", words)]


def _hit(entry: PaletteEntry, board: Board | None) -> Hit:
    if board is None:
        return Hit(entry.label, entry.url, entry.icon)
    return Hit(entry.label.replace("{board}", board.name), entry.url.replace("{board_id}", str(board.id)), entry.icon)


def _boards(boards: list[Board], words: list[str]) -> list[Hit]:
    found = [board for board in boards if _fits(f"{board.name} board", words)]
    return [Hit(board.name, f"/boards/{board.id}", "square-kanban", "Board") for board in found[:6]]


async def _tasks(boards: list[Board], query: str) -> list[Hit]:
    if not boards:
        return []
    names = {str(board.id): board.name for board in boards}
    match, values = _task_match(query)
    found = await rows(
        f"SELECT id, board_id, number, title, status FROM tasks WHERE deleted_at IS NULL AND ({match})"
        f" AND board_id IN ({placeholders(len(names))})"
        f" ORDER BY CASE WHEN status = 'done' THEN 1 ELSE 0 END, updated_at DESC LIMIT {LIMIT}",
        *values,
        *(board.id for board in boards),
    )
    return [_task(row, names) for row in found]


def _task_match(query: str) -> tuple[str, list[Any]]:
    """Match by number (`12`, `#12`), else by every word in the title."""
    number = re.fullmatch(r"#?([0-9]{1,9})", query)
    words = query.split()
    by_title = " AND ".join([contains("title")] * len(words))
    patterns: list[Any] = [containing(word) for word in words]
    return (f"number = ? OR ({by_title})", [int(number[1]), *patterns]) if number else (by_title, patterns)


def _task(row: dict[str, Any], names: dict[str, str]) -> Hit:
    url = f"/boards/{row['board_id']}/tasks/{row['id']}"
    status, board = row["status"], names[str(row["board_id"])]
    return Hit(f"#{row['number']} {row['title']}", url, GLYPHS[status], f"{board} · {LABELS[status]}")


async def _agents(actor: Actor, boards: list[Board], words: list[str]) -> list[Hit]:
    """Return agents of readable boards. Only admins open agents' pages; others are led to the board."""
    if not boards:
        return []
    known = {str(board.id): board for board in boards}
    found = await rows(
        f"SELECT id, name, board_id FROM agents WHERE board_id IN ({placeholders(len(known))}) ORDER BY LOWER(name)",
        *(board.id for board in boards),
    )
    manages = can(actor, "agent.manage")
    return [
        Hit(
            row["name"],
            f"/agents/{row['id']}" if manages else f"/boards/{row['board_id']}",
            "bot",
            known[str(row["board_id"])].name,
        )
        for row in found
        if _fits(row["name"], words)
    ]
