"""Who may decide approvals, what they decide about, what is approved, and what happened to one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import orjson

from mission_control.approvals.models import Approval
from mission_control.approvals.payloads import ASKS_TO_FINISH, FINISHING, asks_to_finish
from mission_control.boards.forge_states import HandIn, handed_in
from mission_control.boards.hand_in_counts import CRITERIA, criteria_met, parts_of_code
from mission_control.boards.models import Board
from mission_control.boards.queries import on_visible_board
from mission_control.core.actor import Actor, OnlySystem, rule
from mission_control.core.substance import Parts
from mission_control.core.values import Schema
from mission_control.database.sql import Row, as_json, in_list, placeholders, rows, wire_moment
from mission_control.http.registry import lookup
from mission_control.people.accounts.names import person_name


@rule("approval.request")
def may_request_approval(actor: Actor, board: Board) -> bool:
    """People with write access and every agent of the board."""
    return actor.writes(board)


@rule("approval.decide")
def may_decide_approval(actor: Actor, approval: Approval) -> bool:
    """People with write access; agents never decide."""
    return actor.is_user and actor.writes(approval.board)


ONLY_SYSTEM = OnlySystem("approval.apply_deadline")


_SELECT = (
    "SELECT a.id, a.action_type, a.payload, t.number, t.title, t.description, t.fence,"
    f" t.board_id, r.ended_at, r.agent_name, r.summary, r.checked, r.evidence, r.code, {CRITERIA}"
    " FROM approvals a LEFT JOIN approval_task_links l ON l.approval_id = a.id AND l.is_pending"
    " LEFT JOIN tasks t ON t.id = l.task_id AND t.deleted_at IS NULL"
    " LEFT JOIN task_runs r ON r.task_id = t.id AND r.fence = t.fence"
    " WHERE a.status = 'pending' AND a.id IN ({}) ORDER BY l.created_at, l.id"
)


async def parts_of_approvals(approval_ids: Sequence[object]) -> dict[UUID, Parts]:
    if not approval_ids:
        return {}
    by_approval: dict[UUID, list[Row]] = {}
    listed, ids = in_list(approval_ids)
    for row in await with_code(await rows(_SELECT.format(listed), *ids)):
        by_approval.setdefault(UUID(str(row["id"])), []).append(row)
    return {
        approval_id: parts_of(
            linked[0]["action_type"],
            as_json(linked[0]["payload"]),
            [row for row in linked if row["number"] is not None],
        )
        for approval_id, linked in by_approval.items()
    }


async def with_code(tasks: list[Row]) -> list[Row]:
    """Return rows of tasks with `code` as a part of their substance: which commit and which diff a decision is about.

    Where another commit was pushed since, as a forge told, it is that one. Null where no code was handed in.
    """
    handed = [row for row in tasks if row["code"] is not None]
    codes = [HandIn(row["board_id"], row["code"], row["ended_at"]) for row in handed]
    for row, code in zip(handed, await handed_in(codes), strict=True):
        row["code"] = parts_of_code(as_json(row["code"]), code)
    return tasks


def parts_of(action_type: str, payload: object, tasks: Sequence[Row] = ()) -> Parts:
    payload = payload if isinstance(payload, dict) else {}
    parts = {
        "request": [action_type, {name: value for name, value in payload.items() if name != "reason"}],
        "reason": payload.get("reason"),
    }
    if tasks:
        parts["title"] = [f"#{row['number']} {row['title']}" for row in tasks]
        parts["description"] = [row["description"] for row in tasks]
    if tasks and asks_to_finish(action_type):
        parts["result"] = [[row["summary"], row["checked"], as_json(row["evidence"])] for row in tasks]
        if any(codes := [row["code"] for row in tasks]):
            parts["code"] = codes
        if any(met := [criteria_met(row) for row in tasks]):
            parts["criteria"] = met
        parts["run"] = [row["agent_name"] and f"attempt {row['fence']} by {row['agent_name']}" for row in tasks]
    return parts


@lookup
async def visible_approval(actor: Actor, board_id: UUID, approval_id: UUID) -> Approval:
    return await on_visible_board(Approval, actor, board_id, approval_id)


async def pending_count(board_id: UUID) -> int:
    [row] = await rows("SELECT COUNT(*) AS n FROM approvals WHERE board_id = ? AND status = 'pending'", board_id)
    return int(row["n"])


async def approval_counts(task_ids: list[UUID]) -> list[Row]:
    if not task_ids:
        return []
    counts = await rows(
        "SELECT l.task_id, COUNT(*) AS total, SUM(CASE WHEN a.status = 'pending' THEN 1 ELSE 0 END) AS pending"
        " FROM approval_task_links l JOIN approvals a ON a.id = l.approval_id"
        f" WHERE l.task_id IN ({placeholders(len(task_ids))}) GROUP BY l.task_id",
        *task_ids,
    )
    counted, none = {str(row["task_id"]): row for row in counts}, {"total": 0, "pending": 0}
    return [
        {"task_id": task_id, "approvals_count": int(row["total"]), "approvals_pending_count": int(row["pending"])}
        for task_id in task_ids
        for row in [counted.get(str(task_id), none)]
    ]


async def has_pending(task_id: UUID) -> bool:
    """See rule P."""
    return bool(await rows("SELECT 1 AS one FROM approval_task_links WHERE task_id = ? AND is_pending", task_id))


# SQL on `a` and `l`, an approval and its link to the task `t`: a person, or a person's policy, approved that the task
# is finished, and was asked in its present attempt. Takes FINISHING as its values.
FINISH_APPROVED = (
    "a.status = 'approved' AND a.resolved_by_kind IN ('user', 'policy') AND l.asked_attempt = t.attempt"
    f" AND COALESCE(l.outcome, '') <> 'closed' AND {ASKS_TO_FINISH}"
)


async def is_finish_approved(task_id: UUID) -> bool:
    """Look only at the current attempt (rule A)."""
    approved = await rows(
        "SELECT 1 AS one FROM approval_task_links l JOIN approvals a ON a.id = l.approval_id"
        f" JOIN tasks t ON t.id = l.task_id WHERE l.task_id = ? AND {FINISH_APPROVED} LIMIT 1",
        task_id,
        *FINISHING,
    )
    return bool(approved)


async def outcomes_of(approval_id: UUID) -> dict[str, str]:
    """Leave out tasks whose next attempt has begun, or that something else finished."""
    links = await rows(
        "SELECT l.task_id, l.outcome FROM approval_task_links l JOIN tasks t ON t.id = l.task_id"
        " WHERE l.approval_id = ? AND l.outcome IS NOT NULL AND l.decided_attempt = t.attempt"
        " AND NOT (t.status = 'done' AND l.outcome <> 'finished')",
        approval_id,
    )
    return {str(row["task_id"]): row["outcome"] for row in links}


class HistoryActor(Schema):
    """Return who did something; a deleted person has no name."""

    kind: Literal["user", "agent", "system"]
    id: UUID | None
    name: str | None


class ApprovalHistoryItem(Schema):
    """One thing that happened to an approval."""

    id: UUID
    seq: int
    event_type: str
    message: str
    actor: HistoryActor
    decision: str | None
    note: str | None
    created_at: datetime


async def approval_history(approval: Approval) -> list[Row]:
    events = await rows(
        "SELECT e.id, e.seq, e.kind, e.message, e.actor_kind, e.actor_id, e.data, e.created_at,"
        f" COALESCE(e.actor_name, {person_name('u')}) AS actor_name"
        " FROM events e LEFT JOIN users u ON u.id = e.actor_id"
        " WHERE e.id IN (SELECT id FROM events WHERE board_id = ? AND subject_id = ? AND kind IN"
        "  ('approval.requested', 'approval.decided', 'approval.reopened', 'approval.closed', 'approval.voted',"
        " 'approval.vote_withdrawn', 'approval.vote_lapsed', 'approval.asked_another',"
        " 'approval.ended_on_gateway', 'approval.ended_at_program')) ORDER BY e.seq",
        approval.board_id,
        approval.id,
    )
    return [
        {
            "id": row["id"],
            "seq": row["seq"],
            "event_type": row["kind"],
            "message": row["message"],
            "actor": {"kind": row["actor_kind"], "id": row["actor_id"], "name": row["actor_name"]},
            "decision": (data := orjson.loads(row["data"])).get("decision"),
            "note": data.get("note"),
            "created_at": wire_moment(row["created_at"]),
        }
        for row in events
    ]
