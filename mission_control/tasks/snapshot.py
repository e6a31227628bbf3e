"""Everything on a board, read at one moment."""

from typing import Any

from mission_control.accounts.names import person_name
from mission_control.agents.queries import agents_of_board
from mission_control.agents.schemas import AgentRead
from mission_control.approvals.queries import NEWEST_FIRST, SELECT, pending_count, with_tasks
from mission_control.boards.models import Board
from mission_control.boards.schemas import BoardRead
from mission_control.database.sql import rows, select_columns
from mission_control.live.broker import head_of
from mission_control.tasks.chat import newest_chat
from mission_control.tasks.queries import COLUMNS, KINDS, board_relations, serialize_tasks
from mission_control.tasks.schemas import TaskCardRead

NEWEST_APPROVALS = 200


async def board_snapshot(board: Board, *, archived: bool = False) -> dict[str, Any]:
    """The board with all tasks, agents and its newest approvals; `seq` was read before anything else."""
    seq = await head_of(board.organization_id)
    approvals = await rows(f"{SELECT} WHERE a.board_id = ?{NEWEST_FIRST} LIMIT {NEWEST_APPROVALS}", board.id)
    return {
        "board": BoardRead.of(board),
        "tasks": await task_cards(board, archived=archived),
        "agents": [AgentRead.of(agent) for agent in await agents_of_board(board)],
        "approvals": await with_tasks(approvals),
        "chat_messages": await newest_chat(board.id),
        "pending_approvals_count": await pending_count(board.id),
        "seq": seq,
    }


# A task with its assignee's name and its counts.
CARD_KINDS = KINDS | TaskCardRead.__annotations__
CARDS = f"""
    SELECT {COLUMNS}, COALESCE(g.name, {person_name("u")}) AS assignee,
        COALESCE(l.approvals, 0) AS approvals_count, COALESCE(l.pending, 0) AS approvals_pending_count,
        COALESCE(c.comments, 0) AS comments_count
    FROM tasks t
    LEFT JOIN agents g ON g.id = t.assigned_agent_id
    LEFT JOIN users u ON u.id = t.assigned_user_id
    LEFT JOIN (
        SELECT k.task_id, COUNT(*) AS approvals, SUM(CASE WHEN k.is_pending THEN 1 ELSE 0 END) AS pending
        FROM approval_task_links k JOIN tasks s ON s.id = k.task_id WHERE s.board_id = ? GROUP BY k.task_id
    ) l ON l.task_id = t.id
    LEFT JOIN (
        SELECT m.task_id, COUNT(*) AS comments
        FROM task_comments m JOIN tasks s ON s.id = m.task_id
        WHERE s.board_id = ? AND m.deleted_at IS NULL GROUP BY m.task_id
    ) c ON c.task_id = t.id
    WHERE t.board_id = ? AND t.deleted_at IS NULL
"""


async def task_cards(
    board: Board, order: str = " ORDER BY t.created_at DESC, t.id DESC", *, archived: bool = False
) -> list[dict[str, Any]]:
    """Return all live tasks of a board as cards, with names and counts; archived ones only when asked for."""
    kept = "" if archived else " AND t.archived_at IS NULL"
    columns = await select_columns(CARD_KINDS, f"{CARDS}{kept}{order}", board.id, board.id, board.id)
    return serialize_tasks(columns, await board_relations(board.id))
