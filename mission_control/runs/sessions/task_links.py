"""Putting a session that works on no task to one, so that what it does shows there, and taking it off again.

For the task that is a run of the session's agent without a lease, as when a person assigns it in progress.
"""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from mission_control.boards.attempts import running
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode, existing
from mission_control.core.values import Body, example
from mission_control.database.records import find, update
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import record
from mission_control.runs.models import AgentSession
from mission_control.runs.sessions.queries import locked_session, run_served
from mission_control.runs.sessions.usage import take_up
from mission_control.tasks.changes import TaskChange
from mission_control.tasks.commands import change_task
from mission_control.tasks.queries import visible_task

EVENTS = (
    Kind("session.attached", "A person put a session to a task.", "put a session to"),
    Kind("session.detached", "A person took a session off its task, which went to the inbox.", "took a session off"),
)
PLACE = ("run_id", "task_id", "attached_at")


class SessionAttach(Body):
    """Which task a session works on."""

    model_config = example(task_id="7c9e6679-7425-40de-944b-e07fc1f90ae7")

    task_id: Annotated[UUID, Field(description="A task in the inbox, or one that its agent has in progress")]


@command("session.attach")
async def attach(actor: Actor, session: AgentSession, task_id: UUID) -> AgentSession:
    """Give a task to the agent of a session, in progress, and let the session serve that run."""
    session = await locked_session(session)
    if session.ended_at is not None or session.agent_id is None:
        raise Conflict(ErrorCode.NOBODY_WORKS.detail("This session is over. It can be put to no task."))
    task = await visible_task(actor, session.board_id, task_id)
    if (run := await run_served(session)) is not None:
        if run.task_id == task.id:
            return session
        raise Conflict("This session works on another task. Take it off that first.")
    is_own = task.status == "in_progress" and task.assigned_agent_id == session.agent_id
    if task.status != "inbox" and not is_own:
        raise Conflict(f"#{task.number} is not in the inbox. Move it there first.")
    if not is_own:
        task = await change_task(actor, task, TaskChange(status="in_progress", assigned_agent_id=session.agent_id))
    run = await existing(running(task.id))
    if await find(AgentSession, "run_id = ? AND ended_at IS NULL AND id <> ? LIMIT 1", run.id, session.id) is not None:
        raise Conflict(f"Another session of {session.agent_name} works on #{task.number}.")
    session.run_id, session.task_id, session.attached_at = run.id, task.id, times.clock_now()
    session.stopped_at = session.stop_reason = None
    await update(session, *PLACE, "stopped_at", "stop_reason")
    await take_up(session, run)
    record(
        "session.attached",
        session,
        f"A session of {session.agent_name} works on #{task.number}.",
        client=session.client,
    )
    return session


@command("session.attach")
async def detach(actor: Actor, session: AgentSession) -> AgentSession:
    """Take a session off the task that a person put it to: its run ends, and the task is in the inbox.

    Of a session that nobody put to a task it is a no-op.
    """
    session = await locked_session(session)
    if session.attached_at is None:
        return session
    if (run := await run_served(session)) is not None:
        task = await visible_task(actor, session.board_id, run.task_id)
        await change_task(actor, task, TaskChange(status="inbox"))
    record(
        "session.detached", session, f"A session of {session.agent_name} was taken off its task.", client=session.client
    )
    session.run_id = session.task_id = session.attached_at = None
    await update(session, *PLACE)
    return session
