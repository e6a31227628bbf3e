"""The steps that bring an agent to life on its gateway. Each one may run again after a crash at any instant."""

import asyncio
from collections.abc import Awaitable, Callable

from mission_control.core import clock
from mission_control.core.actor import system
from mission_control.openclaw.errors import GatewayError, Unreachable
from mission_control.provisioning import adopted_files, config_writer, file_step
from mission_control.provisioning.gateway_agent import changing, ensure_session, is_existing, is_missing, listed
from mission_control.provisioning.gateway_config import WantedAgent
from mission_control.provisioning.progress import store
from mission_control.provisioning.run import Run, StepFailed
from mission_control.provisioning.wakes import count_wake, wake_key, wake_text

LISTED_SECONDS = 30.0
SHORTEST_LOOK, LONGEST_LOOK = 0.2, 2.0
UPDATE_TRIES = 5


async def create(run: Run) -> str:
    """Create the agent, unless the gateway has it."""
    async with changing(run.gateway.id):
        if run.key in await listed(run.gateway.id):
            return "The gateway had it already."
        try:
            made = await run.call("agents.create", name=run.key, workspace=run.agent.workspace_path)
        except GatewayError as error:
            if not is_existing(error):
                raise
            return "The gateway had it already."
    given = made.get("agentId") if isinstance(made, dict) else None
    if given not in (None, run.key):
        raise StepFailed(f"The gateway named the agent {given} instead of {run.key}.")
    return ""


async def wait_until_listed(run: Run) -> str:
    """Wait until the gateway has loaded the agent, and give it its name."""
    end, pause = clock.monotonic() + LISTED_SECONDS, SHORTEST_LOOK
    while (found := (await listed(run.gateway.id)).get(run.key)) is None:
        if clock.monotonic() >= end:
            raise StepFailed("The gateway created the agent but does not list it.")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_LOOK)
    if found.get("name") == run.agent.name:
        return ""
    await _name(run)
    return ""


async def _name(run: Run) -> None:
    """Name the agent as people know it. A gateway that reloads may not know it for a moment."""
    for remaining in reversed(range(UPDATE_TRIES)):
        try:
            async with changing(run.gateway.id):
                await run.call(
                    "agents.update", agentId=run.key, name=run.agent.name, workspace=run.agent.workspace_path
                )
        except GatewayError as error:
            if not (is_missing(error) and remaining):
                raise
            await asyncio.sleep(0.5)
        else:
            return


async def configure(run: Run) -> str:
    """Write the agent's entry of the gateway's configuration, together with those of other agents that wait."""
    wrote = await config_writer.write(run.gateway.id, WantedAgent.of(run.agent))
    return "" if wrote else "It was as it should be."


async def write_files(run: Run) -> str:
    """Write the workspace files."""
    return await file_step.write(run)


async def prepare_session(run: Run) -> str:
    """Reset the session if that was asked for, and label it."""
    if run.job.options.get("reset_session") and not run.job.target.get("was_reset"):
        try:
            await run.call("sessions.reset", key=run.session)
        except GatewayError as error:
            if not is_missing(error):
                raise
        run.job.target = run.job.target | {"was_reset": True}
        await store(run.job, target=run.job.target)
    label = await ensure_session(run.gateway.id, run.session, run.agent.name, str(run.agent.id))
    return "" if label == run.agent.name else f"Another session has its name; this one is {label}."


async def wake(run: Run) -> str:
    """Tell the agent to begin. A message that was sent before a crash is not sent twice."""
    count = await count_wake(system(run.job.organization_id), run.job, run.agent)
    try:
        await run.call(
            "chat.send",
            sessionKey=run.session,
            message=wake_text(run.job, run.agent),
            deliver=not run.agent.is_adopted,
            idempotencyKey=wake_key(run.job, count),
        )
    except GatewayError as error:
        if not isinstance(error, Unreachable):  # the gateway would answer the same message with the same refusal
            run.job.target = run.job.target | {"round": run.job.target.get("round", 0) + 1}
            await store(run.job, target=run.job.target)
        raise
    return f"Message {count}."


async def find(run: Run) -> str:
    """Make sure that an agent to be linked is still there."""
    if run.key not in await listed(run.gateway.id):
        raise StepFailed(f"The gateway has no agent {run.key} any more.")
    return ""


async def add_credentials(run: Run) -> str:
    """Add what a linked agent needs, and leave the rest of its files alone."""
    return await adopted_files.add(run)


STEPS: dict[str, Callable[[Run], Awaitable[str]]] = {
    "create": create,
    "list": wait_until_listed,
    "config": configure,
    "files": write_files,
    "session": prepare_session,
    "wake": wake,
    "find": find,
    "credentials": add_credentials,
}
