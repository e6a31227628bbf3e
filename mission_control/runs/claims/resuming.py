"""Give a run that waited back to its agent, as soon as what it asked is settled and its worker goes on."""

from collections.abc import Sequence
from copy import copy
from uuid import UUID

from mission_control.boards.attempts import running
from mission_control.boards.models import Board
from mission_control.boards.parking import ASKS, record_parked
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import existing
from mission_control.database.records import find
from mission_control.database.sql import Row, as_id, as_moment, is_postgres, rows
from mission_control.events.commands import command
from mission_control.events.event_log import NewEvent
from mission_control.events.unit_of_work import notify, reacts_to, signal
from mission_control.http.lookups import channel_of_agent
from mission_control.runs.claims.claiming import Claim, leased
from mission_control.runs.claims.leases import refuse_resuming
from mission_control.runs.queries import ClaimCreate
from mission_control.tasks import notices
from mission_control.tasks.changes import present_task
from mission_control.tasks.models import Task
from mission_control.tasks.removal import return_to_inbox

# SQL on `r`, a run that waits.
WAITS = "r.ended_at IS NULL AND r.parked_at IS NOT NULL"
OF_APPROVAL = (
    f"SELECT r.id FROM approvals a JOIN task_runs r ON r.id = a.run_id WHERE a.id = ? AND {WAITS}"
    " UNION SELECT r.id FROM approval_task_links l JOIN task_runs r ON r.task_id = l.task_id"
    f" WHERE l.approval_id = ? AND {WAITS}"
)
OF_QUESTION = f"SELECT r.id FROM agent_questions q JOIN task_runs r ON r.id = q.run_id WHERE q.id = ? AND {WAITS}"
OF_HOLD = f"SELECT r.id FROM task_runs r WHERE r.hold_id = ? AND {WAITS}"
KEPT = (
    "SELECT r.id, r.task_id, h.until FROM task_runs r JOIN tasks t ON t.id = r.task_id AND t.deleted_at IS NULL"
    f" JOIN worker_holds h ON h.id = r.hold_id WHERE r.hold_id = ? AND {WAITS}"
)
READY = f"SELECT r.task_id FROM task_runs r WHERE r.agent_id = ? AND r.board_id = ? AND {WAITS}"


@reacts_to("approval.decided", "approval.closed", "approval.task_closed", "approval.ended_on_gateway")
@reacts_to("approval.ended_at_program")
async def resume_after_decision(actor: Actor, event: NewEvent) -> None:
    approval_id = event.data["approval_id"]
    await _make_ready(event, await rows(OF_APPROVAL, approval_id, approval_id))


@reacts_to("question.answered", "question.withdrawn", "question.closed", "question.ended_on_gateway")
async def resume_after_answer(actor: Actor, event: NewEvent) -> None:
    await _make_ready(event, await rows(OF_QUESTION, event.data["question_id"]))


@reacts_to("worker.continued")
async def resume_after_hold(actor: Actor, event: NewEvent) -> None:
    await _lock_tasks_of(event.scope.subject_id)
    await _make_ready(event, await rows(OF_HOLD, event.scope.subject_id))


async def _lock_tasks_of(hold_id: UUID | None) -> None:
    if is_postgres():
        kept = f"SELECT t.id FROM tasks t WHERE t.id IN ({OF_HOLD.replace('r.id', 'r.task_id', 1)})"
        await rows(f"{kept} ORDER BY t.id FOR NO KEY UPDATE", hold_id)


@reacts_to("worker.answered")
async def let_others_take_over(actor: Actor, event: NewEvent) -> None:
    """Put what waits for a worker into the inbox for others, as a person wants; it is no failed attempt."""
    if event.data["decision"] != "take_over":
        return
    await _lock_tasks_of(event.scope.subject_id)
    for run in await rows(f"{KEPT} ORDER BY t.id", event.scope.subject_id):
        task = await existing(find(Task, "id = ?", run["task_id"]))
        task.board = await Board.get(id=task.board_id)
        before = copy(task)
        await rows("UPDATE task_runs SET rests_until = ? WHERE id = ?", as_moment(run["until"]), run["id"])
        why = f"{actor.name} lets others take over."
        await return_to_inbox(actor, task, f"Task returned to inbox: {task.title}. {why}", why)
        await notices.notify_after_change(actor, task, before)


async def _make_ready(event: NewEvent, waiting: Sequence[Row]) -> None:
    """Let runs go on unless something else that they asked is open, and wake their agents.

    The calling command holds the tasks.
    """
    sql = (
        "UPDATE task_runs AS r SET ready_at = ? WHERE r.id = ? AND r.ready_at IS NULL"
        f" AND (r.resumes_on_any OR NOT {ASKS}) RETURNING task_id, board_id, agent_id"
    )
    for run in waiting:
        for ready in await rows(sql, times.clock_now(), run["id"]):
            notify(channel_of_agent(as_id(ready["agent_id"])))
            signal(event.scope.organization_id, **{name: str(as_id(value)) for name, value in ready.items()})


@reacts_to("approval.requested", "approval.reopened")
async def wait_for_decision_too(actor: Actor, event: NewEvent) -> None:
    approval_id = event.data["approval_id"]
    await _wait_again(await rows(OF_APPROVAL, approval_id, approval_id))


@reacts_to("question.asked")
async def wait_for_answer_too(actor: Actor, event: NewEvent) -> None:
    await _wait_again(await rows(OF_QUESTION, event.data["question_id"]))


async def _wait_again(waiting: Sequence[Row]) -> None:
    """Let runs that could go on wait for something else that is open now. The calling command holds the tasks."""
    for run in waiting:
        await rows(
            f"UPDATE task_runs AS r SET ready_at = NULL WHERE r.id = ? AND NOT r.resumes_on_any AND {ASKS}", run["id"]
        )


@reacts_to("task.parked")
async def wake_parked_agent(actor: Actor, event: NewEvent) -> None:
    """An agent at its limit may claim again."""
    notify(channel_of_agent(event.agent_id))


@command("task.claim")
async def resume_first(actor: Actor, board: Board, request: ClaimCreate) -> Claim | None:
    """Return the run of an agent that has been ready for longest, under a new lease with the fence that it had.

    None when there is none. Raise 409 when a pause, a budget or the agent's limit forbids that it goes on.
    """
    for row in await rows(f"{READY} AND r.ready_at IS NOT NULL ORDER BY r.ready_at LIMIT 10", actor.id, board.id):
        seen = Task(id=as_id(row["task_id"]), board_id=board.id, assigned_agent_id=actor.id)
        seen.board = board
        await refuse_resuming(actor, seen)
        task = await present_task(seen)
        run = await running(seen.id) if task is not None else None
        if task is not None and run is not None and run.agent_id == actor.id and run.ready_at is not None:
            return await leased(task, request, "resume")
    return None


@command("task.release_lease")
async def park_again(actor: Actor, task: Task, fence: int) -> None:
    """Let a run that went on wait again: its agent never got the answer of its claim."""
    present, now = await present_task(task), times.clock_now()
    if present is None:
        return
    for run in await rows(
        "UPDATE task_runs SET parked_at = ?, ready_at = ?, lease_expires_at = NULL WHERE task_id = ? AND agent_id = ?"
        " AND fence = ? AND ended_at IS NULL RETURNING id, task_id, board_id, agent_id, agent_name, fence",
        *(now, now, task.id, actor.id, fence),
    ):
        record_parked(run | {"title": present.title, "organization_id": task.board.organization_id})
