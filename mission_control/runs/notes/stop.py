"""Stopping a run, by which a person takes a task from its agent, or the turn of a session that works on no task.

Agents hear it at once or with their next call.
"""

from copy import copy
from typing import Annotated
from uuid import UUID

from pydantic import Field

from mission_control.agents.reactions import NOTICE
from mission_control.boards.attempts import track_run
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode
from mission_control.core.values import BlankToNone, Body, example
from mission_control.database.records import update
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.leases import STOPPED
from mission_control.events.unit_of_work import deliver, record
from mission_control.runs.models import AgentSession
from mission_control.runs.notes.commands import present_run
from mission_control.runs.sessions.queries import locked_session, run_served
from mission_control.tasks.changes import locked_task, save
from mission_control.tasks.models import Task
from mission_control.tasks.needs.kinds import STOPPED_BY_PERSON
from mission_control.tasks.notices import lines_about
from mission_control.tasks.queries import visible_task
from mission_control.tasks.rules import enter

EVENTS = (
    Kind("task.stopped", "A person stopped the run of an agent; the task waits for a person.", "stopped"),
    Kind("session.stopped", "A person stopped the turn of a session that works on no task.", "stopped a session at"),
)


class RunStop(Body):
    """Why a run is stopped."""

    model_config = example(reason="The customer withdrew the order.")

    reason: Annotated[Annotated[str, Field(max_length=500)] | None, BlankToNone] = None


@command("task.stop")
async def stop_run(actor: Actor, task: Task, reason: str | None) -> UUID:
    """End the run of a task and return its id. The task is in the inbox; nobody is given it before a person has looked.

    The notice that tells the agent has the run's id, by which it is found how far the stop came.
    """
    task = await locked_task(task)
    run = await present_run(task, "No agent works on this task now; there is nothing to stop.")
    before, why = copy(task), f"Stopped by {actor.name}{f': {reason}' if reason else '.'}"
    enter(task, "inbox")
    await track_run(actor, task, before, why)
    # The log has the reason, and no names of people.
    task.flagged_at, task.flag_reason = times.clock_now(), STOPPED_BY_PERSON + (f": {reason}" if reason else ".")
    await save(task, before, f"Stopped: {task.title}.")
    record("task.stopped", task, f"Stopped: {task.title}.", agent_id=run.agent_id, reason=reason, fence=run.fence)
    advice = "Stop working on it now, and hand nothing in. It is no longer yours; then ask for other work."
    text = "\n".join([*lines_about(task), why, "", advice])
    notice = deliver(NOTICE, task.scope(), agent_id=run.agent_id, header=STOPPED, text=text, reason=why)
    notice.id = run.id
    return run.id


NOTHING_TO_STOP = {
    "ended": "This session is over. There is nothing to stop.",
    "idle": "Its turn is over; it waits for the person at its program. There is nothing to stop.",
}


async def stop_session(actor: Actor, session: AgentSession, reason: str | None) -> AgentSession:
    """Stop the run that a session serves, or else its turn: its calls are refused until that ends."""
    if (run := await run_served(session)) is None:
        return await _stop_turn(actor, session, reason)
    await stop_run(actor, await visible_task(actor, session.board_id, run.task_id), reason)
    return session


@command("session.stop")
async def _stop_turn(actor: Actor, session: AgentSession, reason: str | None) -> AgentSession:
    session = await locked_session(session)
    if (why := NOTHING_TO_STOP.get("ended" if session.ended_at is not None else session.state)) is not None:
        raise Conflict(ErrorCode.NOBODY_WORKS.detail(why))
    await refuse_calls(session, f"Stopped by {actor.name}{f': {reason}' if reason else '.'}", reason)
    return session


async def refuse_calls(session: AgentSession, why: str, reason: str | None = None) -> None:
    """Inside a command: have the calls of a session refused until its turn is over."""
    session.stopped_at, session.stop_reason = times.clock_now(), why
    await update(session, "stopped_at", "stop_reason")
    message = f"Stopped a session of {session.agent_name}."
    record("session.stopped", session, message, reason=reason, client=session.client)
