"""Give a run that waited for people back to its agent, as soon as what it asked is settled."""

from collections.abc import Sequence

from mission_control.boards.attempts import running
from mission_control.boards.models import Board
from mission_control.boards.parking import ASKS, record_parked
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.database.sql import Row, as_id, rows
from mission_control.events.commands import command
from mission_control.events.event_log import NewEvent
from mission_control.events.unit_of_work import notify, reacts_to, signal
from mission_control.http.lookups import channel_of_agent
from mission_control.runs.claims.claiming import Claim, leased
from mission_control.runs.claims.leases import refuse_resuming
from mission_control.runs.queries import ClaimCreate
from mission_control.tasks.changes import present_task
from mission_control.tasks.models import Task

# SQL on `r`, a run that waits.
WAITS = "r.ended_at IS NULL AND r.parked_at IS NOT NULL"
OF_APPROVAL = (
    f"SELECT r.id FROM approvals a JOIN task_runs r ON r.id = a.run_id WHERE a.id = ? AND {WAITS}"
    " UNION SELECT r.id FROM approval_task_links l JOIN task_runs r ON r.task_id = l.task_id"
    f" WHERE l.approval_id = ? AND {WAITS}"
)
OF_QUESTION = f"SELECT r.id FROM agent_questions q JOIN task_runs r ON r.id = q.run_id WHERE q.id = ? AND {WAITS}"
READY = f"SELECT r.task_id FROM task_runs r WHERE r.agent_id = ? AND r.board_id = ? AND {WAITS}"


@reacts_to("approval.decided", "approval.closed", "approval.task_closed", "approval.ended_on_gateway")
@reacts_to("approval.ended_at_program")
async def resume_after_decision(actor: Actor, event: NewEvent) -> None:
    approval_id = event.data["approval_id"]
    await _make_ready(event, await rows(OF_APPROVAL, approval_id, approval_id))


@reacts_to("question.answered", "question.withdrawn", "question.closed", "question.ended_on_gateway")
async def resume_after_answer(actor: Actor, event: NewEvent) -> None:
    await _make_ready(event, await rows(OF_QUESTION, event.data["question_id"]))


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
