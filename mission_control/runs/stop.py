"""Stopping a run: a person takes a task from its agent, which hears it at once or with its next call."""

from copy import copy
from typing import Annotated
from uuid import UUID

from pydantic import Field

from mission_control.agents.reactions import NOTICE
from mission_control.boards.attempts import track_run
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.values import BlankToNone, Body, example
from mission_control.log.commands import command
from mission_control.log.event_log import Kind
from mission_control.log.leases import STOPPED
from mission_control.log.unit_of_work import deliver, record
from mission_control.runs.notes import present_run
from mission_control.tasks.asks import STOPPED_BY_PERSON
from mission_control.tasks.changes import locked_task, save
from mission_control.tasks.models import Task
from mission_control.tasks.rules import enter

EVENTS = (Kind("task.stopped", "A person stopped the run of an agent; the task waits for a person.", "stopped"),)


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
    lines = [f"Board: {task.board.name}", f"Task: {task.title}", f"Task ID: {task.id}", why, ""]
    advice = "Stop working on it now, and hand nothing in. It is no longer yours; then ask for other work."
    text = "\n".join([*lines, advice])
    notice = deliver(NOTICE, task.scope(), agent_id=run.agent_id, header=STOPPED, text=text, reason=why)
    notice.id = run.id
    return run.id
