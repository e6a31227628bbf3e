"""Tasks as a stream."""

import json
from uuid import UUID

from quart import Response

from mission_control.agents.queries import agents_of_board
from mission_control.agents.schemas import AgentRead
from mission_control.approvals.queries import pending_count
from mission_control.approvals.reading import NEWEST_FIRST, approvals_read
from mission_control.boards.models import Board
from mission_control.boards.queries import still_exists
from mission_control.boards.schemas import BoardRead
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.values import to_json
from mission_control.database.sql import select_columns
from mission_control.http import lookups
from mission_control.log import broker
from mission_control.log.broker import head_of
from mission_control.log.models import Event
from mission_control.log.shared import Shared
from mission_control.log.stream import json_stream
from mission_control.people.account_names import person_name
from mission_control.tasks.chat import newest_chat
from mission_control.tasks.queries import COLUMNS, KINDS, board_relations, comment_read, serialize_tasks, task_read
from mission_control.tasks.schemas import TaskCardRead

NEWEST_APPROVALS = 200


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
        FROM tasks s JOIN approval_task_links k ON k.task_id = s.id
        WHERE s.board_id = ? AND s.deleted_at IS NULL{{kept}} GROUP BY k.task_id
    ) l ON l.task_id = t.id
    LEFT JOIN (
        SELECT m.task_id, COUNT(*) AS comments
        FROM tasks s JOIN task_comments m ON m.task_id = s.id
        WHERE s.board_id = ? AND s.deleted_at IS NULL{{kept}} AND m.deleted_at IS NULL GROUP BY m.task_id
    ) c ON c.task_id = t.id
    WHERE t.board_id = ? AND t.deleted_at IS NULL
"""


async def board_snapshot(board: Board, *, archived: bool = False) -> dict[str, object]:
    """The board with all tasks, agents and its newest approvals; `seq` was read before anything else."""
    seq = await head_of(board.organization_id)
    kept = "" if archived else " AND {}.archived_at IS NULL"
    sql = f"{CARDS.format(kept=kept.format('s'))}{kept.format('t')} ORDER BY t.created_at DESC, t.id DESC"
    cards = await select_columns(CARD_KINDS, sql, *[board.id] * 3)
    return {
        "board": BoardRead.of(board),
        "tasks": serialize_tasks(cards, await board_relations(board.id, archived=archived)),
        "agents": [AgentRead.of(agent) for agent in await agents_of_board(board)],
        "approvals": await approvals_read("a.board_id = ?", [board.id], f"{NEWEST_FIRST} LIMIT {NEWEST_APPROVALS}"),
        "chat_messages": await newest_chat(board.id),
        "pending_approvals_count": await pending_count(board.id),
        "seq": seq,
    }


STREAMED = {
    "task.created", "task.updated", "task.status_changed", "task.comment", "task.deleted", "task.restored",
    "task.archived", "task.unarchived", "task.comment_edited", "task.comment_deleted", "task.lease_expired",
    "task.flagged", "task.unflagged",
}  # fmt: skip


async def stream_of_tasks(actor: Actor, board: Board) -> Response:
    """One `task` message per event of the board's tasks and comments.

    A task that a person makes over the API comes to that person's own stream after the answer. Clients that add the
    task of the answer to their list without looking would have it twice otherwise.
    """

    async def payload(event: Event) -> bytes | None:
        if event.board_id != board.id or event.kind not in STREAMED:
            return None
        # A message is made again once anything has happened since: its task or its comment may be gone.
        key = event.id, broker.known_head(event.organization_id)
        return await _payloads.get(key, lambda: _payload(event))

    def is_own(event: Event) -> bool:
        is_persons = actor.is_user and (event.actor_kind, event.actor_id) == ("user", actor.id)
        return is_persons and event.surface == "api" and event.kind == "task.created" and event.board_id == board.id

    return await json_stream(
        board.organization_id, "task", payload, lambda: still_reads(actor, board), may_overtake=is_own
    )


_payloads: Shared[bytes | None] = Shared()


async def _payload(event: Event) -> bytes | None:
    activity: dict[str, object] = {
        "id": event.id, "event_type": event.kind, "message": event.message, "agent_id": event.agent_id,
        "task_id": event.task_id, "created_at": event.created_at,
    }  # fmt: skip
    sent = {"type": event.kind, "activity": activity}
    if not event.kind.startswith("task.comment"):
        return to_json(sent | {"task": await _task(event)})
    comment_id = event.id if event.kind == "task.comment" else UUID(json.loads(event.data)["comment_id"])
    if event.kind == "task.comment_deleted":
        return to_json(sent | {"comment_id": comment_id})
    if (comment := await comment_read(comment_id)) is None:
        return None
    activity["message"] = comment["message"]
    return to_json(sent | {"comment": comment})


async def _task(event: Event) -> dict[str, object] | None:
    """The task as it is now. None when it is deleted or archived: who resumes would take it for one on the board."""
    if event.task_id is None or event.kind in ("task.deleted", "task.archived"):
        return None
    try:
        task = await task_read(event.task_id)
    except NotFound:
        return None
    return None if task["deleted_at"] or task["archived_at"] else task


async def still_reads(actor: Actor, board: Board) -> bool:
    """Whether a stream's reader still exists and still reaches the board, which still exists."""
    current = await lookups.fresh(actor)
    return current is not None and current.reads(board) and await still_exists(board)
