"""Read models of the board page: who is there, and the list of boards."""

from datetime import datetime
from typing import Any

from mission_control.accounts.names import person_name
from mission_control.boards.models import Board
from mission_control.boards.presence import OFFLINE_AFTER, online_sql
from mission_control.boards.statuses import STATUSES
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.database.sql import as_moment, placeholders, rows

PERSON = person_name("u", "User")


async def crew_of(board: Board) -> list[dict[str, Any]]:
    """Return the agents of a board by name, whether they are online, and the task each works on."""
    crew: dict[str, dict[str, Any]] = {}
    for row in await rows(
        f"SELECT g.id, g.name, g.is_board_lead, {online_sql('g')} AS is_online, t.id AS task_id, t.number, t.title"
        " FROM agents g LEFT JOIN tasks t ON t.assigned_agent_id = g.id AND t.board_id = g.board_id"
        " AND t.status = 'in_progress' AND t.deleted_at IS NULL WHERE g.board_id = ?"
        " ORDER BY LOWER(g.name), g.id, t.in_progress_at DESC",
        clock.now() - OFFLINE_AFTER,
        board.id,
    ):
        if str(row["id"]) not in crew:
            crew[str(row["id"])] = {**row, "is_online": bool(row["is_online"])}
    return list(crew.values())


async def people_of(board: Board) -> list[dict[str, Any]]:
    """Return the people who reach a board, by name."""
    return await rows(
        f"SELECT u.id, {PERSON} AS name FROM organization_members m JOIN users u ON u.id = m.user_id"
        " WHERE m.organization_id = ? AND (m.all_boards_read OR m.all_boards_write OR EXISTS"
        " (SELECT 1 FROM organization_board_access x WHERE x.organization_member_id = m.id AND x.board_id = ?"
        f" AND (x.can_read OR x.can_write))) ORDER BY LOWER({PERSON}), u.id",
        board.organization_id,
        board.id,
    )


async def board_rows(actor: Actor) -> list[dict[str, Any]]:
    """Return the boards of an actor with counts per column, pending approvals, agents online and the last change of the
    board or a task of it (`changed_at`), in one statement."""
    whole, single = actor.readable_boards()
    everything = actor.organization_id in whole
    if not everything and not single:
        return []
    reach = "" if everything else f" AND b.id IN ({placeholders(len(single))})"
    counts = ", ".join(
        f"(SELECT COUNT(*) FROM tasks t WHERE t.board_id = b.id AND t.deleted_at IS NULL AND t.archived_at IS NULL"
        f" AND t.status = '{status}')"
        f" AS {status}"
        for status in STATUSES
    )
    found = await rows(
        f"SELECT b.id, b.name, b.description, b.updated_at, b.board_group_id, p.name AS group_name, {counts},"
        " (SELECT MAX(t.updated_at) FROM tasks t WHERE t.board_id = b.id) AS tasks_updated_at,"
        " (SELECT COUNT(*) FROM approvals a WHERE a.board_id = b.id AND a.status = 'pending') AS pending,"
        " (SELECT COUNT(*) FROM agents g WHERE g.board_id = b.id) AS agents,"
        f" (SELECT COUNT(*) FROM agents g WHERE g.board_id = b.id AND {online_sql('g')}) AS online"
        " FROM boards b LEFT JOIN board_groups p ON p.id = b.board_group_id"
        f" WHERE b.organization_id = ? AND b.deleted_at IS NULL{reach}"
        " ORDER BY LOWER(b.name), b.id LIMIT 200",
        clock.now() - OFFLINE_AFTER,
        actor.organization_id,
        *([] if everything else single),
    )
    return [{**row, "changed_at": _newest(row["updated_at"], row["tasks_updated_at"])} for row in found]


def _newest(*values: Any) -> datetime:
    return max(moment for moment in map(as_moment, values) if moment)
