"""Runs that wait for people: parked, they have no lease and cost their agents nothing until what they asked is settled.

`runs/claims/resuming.py` gives them back.
"""

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from mission_control.core import times
from mission_control.core.actor import Actor, Scope
from mission_control.core.errors import Conflict, ErrorCode
from mission_control.core.values import Schema
from mission_control.database.sql import Row, as_id, placeholders, rows
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import record
from mission_control.people.accounts.names import person_name

EVENTS = (
    Kind("task.parked", "The run of a task waits for people or for its worker, without a lease.", "waits with"),
    Kind("task.resumed", "A run that waited goes on.", "went on with"),
)

# SQL on `r`, a run: people have not settled something that it asked, or that somebody asked about its task; or its
# worker waits until its program may go on.
ASKS = (
    "(EXISTS (SELECT 1 FROM approval_task_links l WHERE l.task_id = r.task_id AND l.is_pending)"
    " OR EXISTS (SELECT 1 FROM approvals a WHERE a.run_id = r.id AND a.status = 'pending')"
    " OR EXISTS (SELECT 1 FROM agent_questions q WHERE q.run_id = r.id AND q.state = 'open')"
    " OR EXISTS (SELECT 1 FROM worker_holds h WHERE h.id = r.hold_id AND h.ended_at IS NULL))"
)
# SQL that joins to `r`, a run, the open hold `wh` of the worker that keeps it; and until when that waits.
HOLD_JOIN = "LEFT JOIN worker_holds wh ON wh.id = r.hold_id AND wh.ended_at IS NULL"
HOLD_UNTIL = "COALESCE(wh.resumes_at, wh.until)"
# SQL on `t`, a task: its run waits, so it does not count against its agent's own limit.
IS_PARKED = (
    "EXISTS (SELECT 1 FROM task_runs z WHERE z.task_id = t.id AND z.ended_at IS NULL AND z.parked_at IS NOT NULL)"
)


# SQL on `r`, a run: the name of a person who was asked for what it waits for, after others did not answer in time.
ASKED_PERSON = (
    f"(SELECT {person_name('e')} FROM users e WHERE e.id = (SELECT p.user_id FROM asked_people p"
    " WHERE (p.kind = 'approval' AND p.subject_id IN (SELECT a.id FROM approvals a WHERE a.status = 'pending'"
    " AND (a.run_id = r.id OR a.id IN"
    " (SELECT l.approval_id FROM approval_task_links l WHERE l.task_id = r.task_id AND l.is_pending))))"
    " OR (p.kind = 'question' AND p.subject_id IN"
    " (SELECT q.id FROM agent_questions q WHERE q.run_id = r.id AND q.state = 'open'))"
    " ORDER BY p.created_at, p.id LIMIT 1))"
)


# SQL on `r`, a run: the page, behind that of its board, of something that people have not settled.
ASK_PAGE = (
    "COALESCE((SELECT 'approvals/' || MIN(CAST(a.id AS TEXT)) FROM approvals a WHERE a.status = 'pending'"
    " AND (a.run_id = r.id OR a.id IN"
    " (SELECT l.approval_id FROM approval_task_links l WHERE l.task_id = r.task_id AND l.is_pending))),"
    " (SELECT 'questions/' || MIN(CAST(q.id AS TEXT)) FROM agent_questions q"
    " WHERE q.run_id = r.id AND q.state = 'open'))"
)


Resume = Annotated[
    Literal["all", "any"], Field(description="Go on once all that you asked is settled, or with the first answer")
]


class ParkAsked(Schema):
    """Whether the run that asks waits for the answer without a lease."""

    park: Annotated[
        bool,
        Field(
            description="Let your run wait for the answer without a lease: you are free for other work, and your next"
            " claim after the answer returns the task with the same fence"
        ),
    ] = False
    resume: Resume = "all"


async def park_asker(actor: Actor, run_ids: Sequence[UUID | None], request: ParkAsked) -> None:
    """Park the runs of an agent that asks to wait. Raise Conflict when none is its own. The caller holds the tasks."""
    if request.park and not await park(run_ids, agent_id=actor.agent_id, resumes_on_any=request.resume == "any"):
        raise Conflict(ErrorCode.NO_RUN.detail())


async def park(
    run_ids: Sequence[UUID | None],
    *,
    agent_id: UUID | None,
    resumes_on_any: bool = False,
    why: str = "",
    waits_for: str = "an answer",
) -> bool:
    """Park those runs of an agent that go on and wait for something; return whether there is one.

    The calling command holds their tasks, and so does one that settles what was asked: an answer comes before, and
    then there is nothing to wait for, or afterwards, and finds the run parked.
    """
    present = [run_id for run_id in run_ids if run_id is not None]
    if not present:
        return False
    runs = await rows(
        "SELECT r.id, r.task_id, r.board_id, r.agent_id, r.agent_name, r.fence, r.parked_at, t.title,"
        " b.organization_id FROM task_runs r JOIN tasks t ON t.id = r.task_id JOIN boards b ON b.id = r.board_id"
        f" WHERE r.id IN ({placeholders(len(present))}) AND r.ended_at IS NULL AND r.agent_id = ? AND {ASKS}",
        *present,
        agent_id,
    )
    for run in runs:
        await rows(
            "UPDATE task_runs SET parked_at = COALESCE(parked_at, ?), ready_at = NULL, resumes_on_any = ?,"
            " lease_expires_at = NULL WHERE id = ?",
            times.clock_now(),
            resumes_on_any,
            run["id"],
        )
        if run["parked_at"] is None:
            record_parked(run, why, waits_for)
    return bool(runs)


async def is_parked(run_id: UUID | None) -> bool:
    waits = "SELECT 1 AS one FROM task_runs WHERE id = ? AND ended_at IS NULL AND parked_at IS NOT NULL"
    return run_id is not None and bool(await rows(waits, run_id))


async def go_on(scope: Scope, title: str) -> bool:
    """Let the run of a task go on; return whether it waited. The calling command holds the task."""
    runs = await rows(
        "UPDATE task_runs SET parked_at = NULL, ready_at = NULL, hold_id = NULL, resumes_on_any = ? WHERE task_id = ?"
        " AND ended_at IS NULL AND parked_at IS NOT NULL RETURNING id, agent_id, agent_name, fence",
        False,
        scope.task_id,
    )
    for run in runs:
        agent_id, run_id = as_id(run["agent_id"]), as_id(run["id"])
        message = f"{run['agent_name']} goes on with: {title}."
        record("task.resumed", scope, message, agent_id=agent_id, run_id=run_id, fence=run["fence"])
    return bool(runs)


def record_parked(run: Row, why: str = "", waits_for: str = "an answer") -> None:
    """Record that a run waits; the row has its task's title and organization too."""
    task_id = as_id(run["task_id"])
    organization_id, agent_id = as_id(run["organization_id"]), as_id(run["agent_id"])
    assert organization_id is not None
    scope = Scope(organization_id, as_id(run["board_id"]), task_id, subject_id=task_id)
    message = f"{why}{run['agent_name']} waits for {waits_for}: {run['title']}."
    record("task.parked", scope, message, agent_id=agent_id, run_id=as_id(run["id"]), fence=run["fence"])
