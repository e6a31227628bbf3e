"""Read holds: who sees them, and how they are answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from mission_control.agents.holds.models import Hold
from mission_control.agents.holds.schemas import (
    AgentHold,
    HoldAnswer,
    HoldingAgent,
    HoldKind,
    HoldRead,
    HoldWait,
    KeptTask,
)
from mission_control.boards.models import Board
from mission_control.boards.queries import on_visible_board
from mission_control.core import times
from mission_control.core.actor import Actor, rule
from mission_control.core.errors import NotFound, existing
from mission_control.core.values import ActorRef
from mission_control.database.records import find
from mission_control.database.sql import placeholders, rows, select, select_one
from mission_control.http.operation import settled
from mission_control.http.registry import lookup
from mission_control.people.accounts.names import person_name


@lookup
async def visible_hold(actor: Actor, board_id: UUID, hold_id: UUID) -> Hold:
    return await on_visible_board(Hold, actor, board_id, hold_id)


async def own_hold(actor: Actor, hold_id: UUID) -> Hold:
    """Return a hold that a worker of the calling agent shares."""
    shares = "id = ? AND board_id = ? AND id IN (SELECT w.hold_id FROM hold_workers w WHERE w.agent_id = ?)"
    return await existing(find(Hold, shares, hold_id, actor.board_id, actor.id))


@rule("hold.report")
def may_report_hold(actor: Actor, thing: object) -> bool:
    """Agents of a board."""
    return actor.is_agent and actor.board_id is not None


@rule("hold.end")
def may_end_hold(actor: Actor, hold: Hold) -> bool:
    """The agents whose workers share it: they found it."""
    return actor.is_agent


@rule("hold.answer")
def may_answer_hold(actor: Actor, hold: Hold) -> bool:
    """People who can write on the board."""
    return actor.is_user and actor.writes(hold.board)


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold as it is stored, with the name of the person who answered."""

    id: UUID
    board_id: UUID
    kind: HoldKind
    program: str
    host_label: str
    words: str
    since: datetime
    until: datetime
    answer: HoldAnswer | None
    answered_by_user_id: UUID | None
    answered_by_name: str | None
    resumes_at: datetime | None
    ended_at: datetime | None


_SELECT = (
    "SELECT h.id, h.board_id, h.kind, h.program, h.host_label, h.words, h.created_at AS since, h.until, h.answer,"
    f" h.answered_by_user_id, {person_name('u', 'User')} AS answered_by_name, h.resumes_at, h.ended_at"
    " FROM worker_holds h LEFT JOIN users u ON u.id = h.answered_by_user_id"
)


async def holds_read(where: str, *values: object) -> list[HoldRead]:
    """Return the holds `h` that a condition names, with their agents and what waits for them."""
    stored = await select(HoldRow, f"{_SELECT} WHERE {where}", *values)
    if not stored:
        return []
    ids = [hold.id for hold in stored]
    agents: dict[UUID, list[HoldingAgent]] = {hold_id: [] for hold_id in ids}
    tasks: dict[UUID, list[KeptTask]] = {hold_id: [] for hold_id in ids}
    for row in await rows(
        "SELECT w.hold_id, a.id, a.name FROM hold_workers w JOIN agents a ON a.id = w.agent_id"
        f" WHERE w.hold_id IN ({placeholders(len(ids))}) ORDER BY LOWER(a.name), a.id",
        *ids,
    ):
        agents[UUID(str(row["hold_id"]))].append(HoldingAgent(id=row["id"], name=row["name"]))
    for row in await rows(
        "SELECT r.hold_id, r.agent_name, t.id, t.number, t.title FROM task_runs r JOIN tasks t ON t.id = r.task_id"
        f" WHERE r.hold_id IN ({placeholders(len(ids))}) AND r.ended_at IS NULL AND r.parked_at IS NOT NULL"
        " ORDER BY t.number",
        *ids,
    ):
        tasks[UUID(str(row.pop("hold_id")))].append(KeptTask.model_validate(row))
    return [_read(hold, agents[hold.id], tasks[hold.id]) for hold in stored]


def _read(hold: HoldRow, agents: list[HoldingAgent], tasks: list[KeptTask]) -> HoldRead:
    by = None
    if hold.answered_by_user_id is not None:
        by = ActorRef(kind="user", id=hold.answered_by_user_id, name=hold.answered_by_name or "")
    return HoldRead(
        id=hold.id, board_id=hold.board_id, kind=hold.kind, program=hold.program, host_label=hold.host_label,
        words=hold.words, since=hold.since, until=hold.until, answer=hold.answer, answered_by=by,
        resumes_at=hold.resumes_at, ended_at=hold.ended_at, agents=agents, tasks=tasks,
    )  # fmt: skip


async def hold_read(hold_id: UUID) -> HoldRead:
    holds = await holds_read("h.id = ?", hold_id)
    if not holds:
        raise NotFound()
    return holds[0]


async def hold_of(agent_id: UUID, connection_id: UUID | None = None) -> AgentHold | None:
    """Return the newest open hold of an agent, or of one of its connections."""
    which = "" if connection_id is None else " AND w.connection_id = ?"
    return await select_one(
        AgentHold,
        "SELECT h.id, h.kind, h.program, h.host_label, h.words, h.created_at AS since, h.answer,"
        " COALESCE(h.resumes_at, h.until) AS until FROM hold_workers w JOIN worker_holds h ON h.id = w.hold_id"
        f" WHERE w.agent_id = ?{which} AND h.ended_at IS NULL ORDER BY h.created_at DESC, h.id LIMIT 1",
        agent_id,
        *([] if connection_id is None else [connection_id]),
    )


async def open_holds_of(board: Board) -> list[HoldRead]:
    return await holds_read("h.board_id = ? AND h.ended_at IS NULL ORDER BY h.created_at, h.id", board.id)


async def wait_for_answer(actor: Actor, hold: Hold, query: HoldWait) -> HoldRead:
    """Return a hold once its answer is another one than the worker knows, or it ended; or when the time is over.

    That the worker listens is its sign; what it was told is not said to it again.
    """
    await _listens(actor, hold.id, query.wait_seconds)
    read = await settled(
        actor,
        hold,
        channel_of(hold.id),
        find=lambda present: own_hold(present, hold.id),
        read=lambda present: hold_read(present.id),
        is_settled=lambda answer: answer.ended_at is not None or answer.answer != query.known,
        seconds=query.wait_seconds,
    )
    await _listens(actor, hold.id, 0, is_notified=read.answer is not None)
    return read


async def _listens(actor: Actor, hold_id: UUID, seconds: int, *, is_notified: bool = False) -> None:
    now = times.clock_now()
    await rows(
        "UPDATE hold_workers SET listens_until = ?, notified_at = COALESCE(?, notified_at)"
        " WHERE hold_id = ? AND agent_id = ?",
        now + timedelta(seconds=seconds),
        now if is_notified else None,
        hold_id,
        actor.id,
    )


def channel_of(hold_id: UUID) -> str:
    return f"hold:{hold_id}"


async def others_free(holds: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Return the names of the workers on the board of each hold that wait for nothing, and so could take over."""
    free: dict[UUID, list[str]] = {hold_id: [] for hold_id in holds}
    for row in await rows(
        "SELECT h.id, a.name FROM worker_holds h JOIN agents a ON a.board_id = h.board_id AND NOT a.is_board_lead"
        f" AND a.status <> 'deleting' AND a.work_state = 'running' WHERE h.id IN ({placeholders(len(holds))})"
        " AND NOT EXISTS (SELECT 1 FROM hold_workers w JOIN worker_holds o ON o.id = w.hold_id"
        " WHERE w.agent_id = a.id AND o.ended_at IS NULL) ORDER BY LOWER(a.name), a.id",
        *holds,
    ):
        free[UUID(str(row["id"]))].append(row["name"])
    return free
