"""Tasks as a stream."""

import json
from dataclasses import dataclass
from uuid import UUID

import orjson
from quart import Response

from mission_control.agents.queries import agents_of_board_as_json
from mission_control.approvals.queries import pending_count
from mission_control.approvals.views import NEWEST_FIRST, approvals_read
from mission_control.boards.models import Board
from mission_control.boards.queries import still_exists
from mission_control.boards.schemas import BoardRead
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.values import to_json
from mission_control.database.sql import Row, in_list, rows, select_columns
from mission_control.events import broker
from mission_control.events.broker import head_of
from mission_control.events.models import Event
from mission_control.events.position import Position, position_of_board
from mission_control.events.shared_reads import Shared
from mission_control.events.stream import json_stream
from mission_control.http import lookups
from mission_control.http.response_cache import Cached
from mission_control.people.accounts.names import person_name
from mission_control.tasks.queries import COLUMNS, KINDS, comment_read, task_read, tasks_of
from mission_control.tasks.query import LIVING
from mission_control.tasks.schemas import SnapshotQuery, TaskCardRead
from mission_control.tasks.snapshots.board_chat import newest_chat
from mission_control.tasks.snapshots.caching import ById, array_of, by_id, current_parts, listed, same_for_all

NEWEST_APPROVALS = 200
SEQ_STEP = 500


# A task with its assignee's name and its counts.
CARD_KINDS = KINDS | TaskCardRead.__annotations__
CARDS = f"""
    SELECT {COLUMNS}, COALESCE(g.name, {person_name("u")}) AS assignee,
        (SELECT COUNT(*) FROM approval_task_links k WHERE k.task_id = t.id) AS approvals_count,
        (SELECT COUNT(*) FROM approval_task_links k WHERE k.task_id = t.id AND k.is_pending) AS approvals_pending_count,
        (SELECT COUNT(*) FROM task_comments c WHERE c.task_id = t.id AND c.deleted_at IS NULL) AS comments_count
    FROM tasks t
    LEFT JOIN agents g ON g.id = t.assigned_agent_id
    LEFT JOIN users u ON u.id = t.assigned_user_id
    WHERE t.id IN ({{ids}})
"""


@dataclass(frozen=True, slots=True)
class SnapshotState:
    """What a snapshot depends on: the board as it was looked up, which may have been before the newest event; its
    position; its agents as they are sent, for their signs of life are not in the log; and the number after which a
    stream resumes.

    That is the board's newest number, or a newer one of the organization, so that a resumed stream passes over few
    events of other boards.
    """

    board: BoardRead
    position: Position
    agents: bytes
    seq: int


async def _state_of_snapshot(actor: Actor, board: Board, query: SnapshotQuery) -> SnapshotState:
    newest = await head_of(board.organization_id) // SEQ_STEP * SEQ_STEP
    position = await position_of_board(board.organization_id, board.id)
    agents = await agents_of_board_as_json(board)
    return SnapshotState(BoardRead.of(board), position, agents, max(newest, *position[:2]))


async def board_snapshot(actor: Actor, board: Board, query: SnapshotQuery) -> Row:
    return await _render(actor, board, query, await _state_of_snapshot(actor, board, query))


async def _render(actor: Actor, board: Board, query: SnapshotQuery, state: SnapshotState) -> Row:
    parts = await current_parts(board, state.position)

    async def tasks() -> tuple[list[str], int]:
        living = "t.deleted_at IS NULL" if query.archived else LIVING
        sql = f"SELECT t.id FROM tasks t WHERE t.board_id = ? AND {living} ORDER BY t.created_at DESC, t.id DESC"
        newest = await rows(sql, board.id)
        return [str(row["id"]) for row in newest], len(newest)

    async def approvals() -> tuple[list[str], int]:
        sql = f"SELECT a.id FROM approvals a WHERE a.board_id = ? {NEWEST_FIRST} LIMIT {NEWEST_APPROVALS}"
        return [str(row["id"]) for row in await rows(sql, board.id)], await pending_count(board.id)

    cards, _ = await listed(parts, ("cards", query.archived), tasks)
    newest, pending = await listed(parts, "approvals", approvals)
    return {
        "board": state.board,
        "tasks": await array_of(parts, "card", cards, _cards),
        "agents": orjson.Fragment(state.agents),
        "approvals": await array_of(parts, "approval", newest, _approvals),
        "chat_messages": await newest_chat(board.id),
        "pending_approvals_count": pending,
        "seq": state.seq,
    }


async def _cards(ids: list[str]) -> ById:
    listed_ids, values = in_list(ids)
    columns = await select_columns(CARD_KINDS, CARDS.format(ids=listed_ids), *values)
    return by_id(await tasks_of(columns["board_id"][0], columns)) if columns["id"] else {}


async def _approvals(ids: list[str]) -> ById:
    listed_ids, values = in_list(ids)
    return by_id(await approvals_read(f"a.id IN ({listed_ids})", values, ""))


CACHED_SNAPSHOT = Cached(_state_of_snapshot, same_for_all, _render)

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
    activity = {
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


async def _task(event: Event) -> Row | None:
    """The task as it is now. None when it is deleted or archived: who resumes would take it for one on the board."""
    if event.task_id is None or event.kind in ("task.deleted", "task.archived"):
        return None
    try:
        task = await task_read(event.task_id)
    except NotFound:
        return None
    return None if task["deleted_at"] or task["archived_at"] else task


async def still_reads(actor: Actor, board: Board) -> bool:
    current = await lookups.fresh(actor)
    return current is not None and current.reads(board) and await still_exists(board)
