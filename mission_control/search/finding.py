"""What the palette finds in the database: tasks, agents, groups, gateways, people, and what was written."""

import re
from collections.abc import Sequence
from typing import Any

from mission_control.accounts.names import person_name
from mission_control.boards.models import Board
from mission_control.boards.statuses import LABELS
from mission_control.core.actor import Actor
from mission_control.core.paging import Paging
from mission_control.core.policy import can
from mission_control.database.sql import contains, placeholders, rows
from mission_control.groups.queries import list_groups
from mission_control.search.hits import Hit
from mission_control.search.queries import search
from mission_control.search.schemas import SearchKind, SearchQuery

MOST_ROWS = 50
GLYPHS = {  # as in templates/ui/badge.html
    "inbox": "circle-dashed",
    "in_progress": "circle-dot",
    "review": "circle-question-mark",
    "done": "circle-check",
}
WRITTEN: tuple[SearchKind, ...] = ("comment", "memory", "approval")
WRITTEN_ICONS = {"comment": "message-square", "memory": "book-open", "approval": "shield-check"}
WRITTEN_WORDS = {"comment": "Comment", "memory": "Memory", "approval": "Approval"}


async def find_tasks(boards: Sequence[Board], query: str) -> list[Hit]:
    """Return tasks by number (`12`, `#12`) or by every word in the title, open ones first."""
    if not boards:
        return []
    names = {str(board.id): board.name for board in boards}
    match, values = _task_match(query)
    found = await rows(
        "SELECT id, board_id, number, title, status FROM tasks WHERE deleted_at IS NULL AND archived_at IS NULL"
        f" AND ({match}) AND board_id IN ({placeholders(len(names))})"
        f" ORDER BY CASE WHEN status = 'done' THEN 1 ELSE 0 END, updated_at DESC LIMIT {MOST_ROWS}",
        *values,
        *(board.id for board in boards),
    )
    return [_task(row, names) for row in found]


def _task_match(query: str) -> tuple[str, list[Any]]:
    number = re.fullmatch(r"#?([0-9]{1,9})", query)
    words = query.split()
    by_title = " AND ".join([contains("title")] * len(words))
    patterns: list[Any] = [word.lower() for word in words]
    return (f"number = ? OR ({by_title})", [int(number[1]), *patterns]) if number else (by_title, patterns)


def _task(row: dict[str, Any], names: dict[str, str]) -> Hit:
    url = f"/boards/{row['board_id']}/tasks/{row['id']}"
    status, board = row["status"], names[str(row["board_id"])]
    return Hit(f"#{row['number']} {row['title']}", url, GLYPHS[status], f"{board} · {LABELS[status]}")


async def find_agents(actor: Actor, boards: Sequence[Board], words: Sequence[str]) -> list[Hit]:
    """Return agents of readable boards. Only admins open agents' pages; others are led to the board."""
    if not boards:
        return []
    known = {str(board.id): board for board in boards}
    match, values = _named("name", words)
    found = await rows(
        f"SELECT id, name, board_id FROM agents WHERE board_id IN ({placeholders(len(known))}) AND {match}"
        f" ORDER BY LOWER(name) LIMIT {MOST_ROWS}",
        *(board.id for board in boards),
        *values,
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
    ]


async def find_groups(actor: Actor, words: Sequence[str]) -> list[Hit]:
    """Return groups in which the reader reaches a board."""
    found, _ = await list_groups(actor, Paging(limit=MOST_ROWS, offset=0), named=words)
    return [Hit(group.name, f"/groups/{group.id}", "layers", "Group") for group in found]


async def find_gateways(actor: Actor, words: Sequence[str]) -> list[Hit]:
    """Return gateways, for those who manage them."""
    if not can(actor, "gateway.manage", actor.organization_id):
        return []
    match, values = _named("name", words)
    found = await rows(
        f"SELECT id, name FROM gateways WHERE organization_id = ? AND {match} ORDER BY LOWER(name) LIMIT {MOST_ROWS}",
        actor.organization_id,
        *values,
    )
    return [Hit(row["name"], f"/gateways/{row['id']}", "radio-tower", "Gateway") for row in found]


async def find_people(actor: Actor, words: Sequence[str]) -> list[Hit]:
    """Return people of the organization."""
    name = person_name("u", "User")
    match, values = _named(f"({name} || ' ' || COALESCE(u.email, ''))", words)
    found = await rows(
        f"SELECT {name} AS name, u.email, m.role FROM organization_members m JOIN users u ON u.id = m.user_id"
        f" WHERE m.organization_id = ? AND {match} ORDER BY LOWER({name}) LIMIT {MOST_ROWS}",
        actor.organization_id,
        *values,
    )
    return [
        Hit(row["name"], "/settings/people", "user", row["email"] or str(row["role"]).capitalize()) for row in found
    ]


def _named(column: str, words: Sequence[str]) -> tuple[str, list[Any]]:
    return " AND ".join([contains(column)] * len(words)) or "1 = 1", [word.lower() for word in words]


async def find_written(actor: Actor, query: str, most: int) -> list[Hit]:
    """Return comments, entries of memory and approvals that hold the words."""
    found, _ = await search(actor, SearchQuery(q=query, kind=list(WRITTEN), limit=most, offset=0))
    return [_written(hit) for hit in found]


def _written(hit: dict[str, Any]) -> Hit:
    board, kind = f"/boards/{hit['board_id']}", str(hit["kind"])
    places = {
        "comment": f"{board}/tasks/{hit['task_id']}#comment-{hit['id']}",
        "memory": board,
        "approval": f"{board}/approvals/{hit['id']}",
    }
    return Hit(
        hit["snippet"] or hit["title"],
        places[kind],
        WRITTEN_ICONS[kind],
        f"{WRITTEN_WORDS[kind]} · {hit['board_name']}",
    )
