"""The loop that works off jobs of the gateways whose connections this process holds.

Its state is in the rows: whatever dies, another process or the next start goes on with the first step that has not
ended. Nothing of the database is held while a gateway is asked.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.background.loops import Loop
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.database.sql import placeholders, rows
from mission_control.events.commands import command
from mission_control.events.leases import pause_after
from mission_control.events.reader_wakeups import publish_wakeup
from mission_control.events.unit_of_work import notify, signal
from mission_control.gateway_agents.models import ALONE, ProvisioningJob, marked, next_step
from mission_control.gateway_agents.provisioning import files as provisioning_files
from mission_control.gateway_agents.provisioning import gateway_agent, main_agents, progress
from mission_control.gateway_agents.provisioning.changes import ALONE_STEPS
from mission_control.gateway_agents.provisioning.files import here
from mission_control.gateway_agents.provisioning.gateway_agent import (
    changing,
    ensure_session,
    is_missing,
    listed,
    message_pause,
    send_message,
)
from mission_control.gateway_agents.provisioning.jobs import CHANNEL, OPEN
from mission_control.gateway_agents.provisioning.progress import LEASES, AgentGone, LeaseLost, Run, StepFailed, store
from mission_control.gateways.connections import connector
from mission_control.gateways.connections.events import when_connected
from mission_control.gateways.protocol.errors import GatewayError, Said, Unreachable

MOST_WAKES = 3


@command("provisioning.run")
async def count_wake(actor: Actor, job: ProvisioningJob, agent: Agent) -> int:
    """Count a wake before it is sent, so that a call in answer to it is later; return its number.

    After a crash between the two, the same number is sent again.
    """
    number: int = job.target.get("wake", 1)
    agent.wake_attempts = number
    agent.last_wake_sent_at = times.clock_now()
    agent.checkin_deadline_at = agent.last_wake_sent_at + here().checkin
    await agent.save(update_fields=["wake_attempts", "last_wake_sent_at", "checkin_deadline_at"])
    job.target = job.target | {"wake": number}
    await ProvisioningJob.filter(id=job.id, leased_by=job.leased_by).update(target=job.target)
    signal(agent.organization_id, agent_id=str(agent.id), board_id=str(agent.board_id))
    return number


def wake_key(job: ProvisioningJob, number: int) -> str:
    return f"mc-wake-{job.id}-{job.target.get('round', 0)}-{number}"


MOST_RETURNS = 3


def pause_before(returns: int) -> timedelta:
    return timedelta(seconds=2 * 6 ** (returns - 1))


@command("provisioning.run")
async def wake_again(actor: Actor, job_id: UUID, key: str) -> bool:
    """Let a wake that failed or was lost be sent once more, as the same of an agent's wakes; three times at most.

    Return False while its job is at work, which cannot be changed then.
    """
    job = await ProvisioningJob.select_for_update().get_or_none(id=job_id, state__in=OPEN)
    returns = 0 if job is None else job.target.get("returns", 0) + 1
    if job is None or returns > MOST_RETURNS or key != wake_key(job, job.target.get("wake", 1)):
        return True
    if job.state == "running":
        return False
    job.target = job.target | {"round": job.target.get("round", 0) + 1, "returns": returns}
    job.steps = marked(marked(job.steps, "wake", "waiting"), "check_in", "waiting")
    job.awaits_check_in, job.due_at = False, times.clock_now() + pause_before(returns)
    await job.save(update_fields=["target", "steps", "awaits_check_in", "due_at"])
    signal(job.organization_id, gateway_id=str(job.gateway_id), agent_id=str(job.agent_id))
    notify(CHANNEL)
    return True


def wake_text(job: ProvisioningJob, agent: Agent) -> str:
    if job.action == "adopt":
        return (
            f"You are linked to a board of Mission Control as {agent.name}. Nothing else about you changes.\n\n"
            "AGENTS.md has a new block at its end, marked mission-control, with an address and a token for you.\n"
            "Read it, and send the call that it shows. Then the board's people can give you work."
        )
    done = "updated" if job.action == "update" else "set up"
    return (
        f"Hello {agent.name}. Mission Control has {done} your workspace.\n\n"
        "Start now:\n"
        "1. If there is a BOOTSTRAP.md, read it and do what it says.\n"
        "2. Read AGENTS.md. It has your address, your token and your work.\n"
        "3. Send the first call that AGENTS.md describes. It tells Mission Control that you are there.\n"
        "4. Go on with your work as AGENTS.md says."
    )


def has_checked_in(agent: Agent) -> bool:
    seen, woken = agent.last_seen_at, agent.last_wake_sent_at
    return seen is not None and woken is not None and seen >= woken


@command("provisioning.run")
async def give_up(actor: Actor, agent: Agent) -> str:
    """Mark an agent as offline that did not answer its wakes; return why, for people."""
    minutes = max(1, round(here().checkin.total_seconds() / 60))
    reason = (
        f"It was woken {MOST_WAKES} times and never called Mission Control; each time it had {minutes} minutes. Read"
        " its session on the gateway: its model may be missing, or it cannot reach the address in its files."
    )
    agent.status, agent.checkin_deadline_at, agent.last_provision_error = "offline", None, reason
    await agent.save(update_fields=["status", "checkin_deadline_at", "last_provision_error"])
    signal(agent.organization_id, agent_id=str(agent.id), board_id=str(agent.board_id))
    return reason


LISTED_SECONDS = 30.0
SHORTEST_LOOK, LONGEST_LOOK = 0.2, 2.0


# The steps that bring an agent to life on its gateway. Each one may run again after a crash at any instant.
async def create(run: Run) -> str:
    async with changing(run.gateway.id):
        if run.key in await listed(run.gateway.id):
            return "The gateway had it already."
        try:
            made = await run.call("agents.create", name=run.key, workspace=run.agent.workspace_path)
        except GatewayError as error:
            if error.code != "INVALID_REQUEST" or not Said.AGENT_EXISTS.search(error.message):
                raise
            return "The gateway had it already."
    if (key := made.get("agentId")) not in (None, run.key):
        raise StepFailed(f"The gateway named the agent {key} instead of {run.key}.")
    return ""


async def wait_until_listed(run: Run) -> str:
    end, pause = times.monotonic() + LISTED_SECONDS, SHORTEST_LOOK
    while run.key not in await listed(run.gateway.id):
        if times.monotonic() >= end:
            raise StepFailed("The gateway created the agent but does not list it.")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_LOOK)
    return ""


async def configure(run: Run) -> str:
    """Write the agent's entry of the gateway's configuration, together with those of other agents that wait."""
    return "" if await gateway_agent.write(run.gateway.id, run.agent) else "It was as it should be."


async def prepare_session(run: Run) -> str:
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
    while pause := message_pause(run.gateway.id):  # noqa: ASYNC110 - each change begins it anew
        await asyncio.sleep(pause)
    count = await count_wake(system(run.job.organization_id), run.job, run.agent)
    try:
        message = {"sessionKey": run.session, "message": wake_text(run.job, run.agent)}
        options = {"deliver": not run.agent.is_adopted, "idempotencyKey": wake_key(run.job, count)}
        await send_message(run.gateway.id, message | options)
    except GatewayError as error:
        if not isinstance(error, Unreachable):  # the gateway would answer the same message with the same refusal
            run.job.target = run.job.target | {"round": run.job.target.get("round", 0) + 1}
            await store(run.job, target=run.job.target)
        raise
    return f"Message {count}."


async def find(run: Run) -> str:
    if run.key not in await listed(run.gateway.id):
        raise StepFailed(f"The gateway has no agent {run.key} any more.")
    return ""


STEPS: dict[str, Callable[[Run], Awaitable[str]]] = {
    "create": create, "list": wait_until_listed, "config": configure, "files": provisioning_files.write,
    "session": prepare_session, "wake": wake, "find": find, "credentials": provisioning_files.add,
}  # fmt: skip


AT_ONCE, AT_ONCE_ON_ONE = 16, 8
IDLE_SECONDS = 2.0
BUSY_SECONDS = 0.2
AFTER_DISCONNECT = 2.0
# A removal waits until nobody works on its agent, or the agent could be created after it.
READY = (
    "state IN ('waiting', 'running') AND gateway_id IN ({gateways})"
    " AND EXISTS (SELECT 1 FROM gateways g WHERE g.id = provisioning_jobs.gateway_id AND g.state = 'connected')"
    " AND NOT (action IN ('remove', 'unlink') AND EXISTS (SELECT 1 FROM provisioning_jobs w WHERE w.state = 'running'"
    " AND w.gateway_id = provisioning_jobs.gateway_id AND w.agent_id = provisioning_jobs.agent_id"
    " AND w.id <> provisioning_jobs.id))"
)

# Jobs whose agents have called since they were woken, also those that were given up, go on and end.
CHECKED_IN = (
    "UPDATE provisioning_jobs SET state = 'waiting', due_at = ?, awaits_check_in = FALSE WHERE awaits_check_in"
    " AND state IN ('waiting', 'failed') AND EXISTS (SELECT 1 FROM agents a"
    " WHERE a.id = provisioning_jobs.agent_id AND a.last_seen_at >= a.last_wake_sent_at)"
)

_log = logging.getLogger(__name__)


async def look() -> float:
    """Begin what is due; return the seconds until the next look. Costs nothing where no gateway is held."""
    busy = Counter(task.get_name() for task in RUNNER.tasks)
    gateways = frozenset(gateway for gateway in connector.held_here() if busy[str(gateway)] < AT_ONCE_ON_ONE)
    free = min([AT_ONCE - len(RUNNER.tasks), *(AT_ONCE_ON_ONE - busy[str(gateway)] for gateway in gateways)])
    if not gateways or free <= 0:
        return IDLE_SECONDS
    await rows(CHECKED_IN, times.clock_now())
    await main_agents.make_awaited(gateways)
    ready, values = READY.format(gateways=placeholders(len(gateways))), list(gateways)
    taken = await LEASES.take(ready, values, free)
    for job, _ in taken:
        RUNNER.begin(work_on(job), str(job.gateway_id), then_look=True)
    return BUSY_SECONDS if taken else await LEASES.seconds_until_due(ready, values, IDLE_SECONDS)


RUNNER = Loop(name="provisioning", look=look, pause=IDLE_SECONDS, channel=CHANNEL, take_over=LEASES.end_all)


@when_connected
async def connected(*_: object) -> None:
    await rows(
        "UPDATE provisioning_jobs SET due_at = updated_at WHERE state = 'waiting' AND NOT awaits_check_in"
        " AND last_error IS NOT NULL AND attempts = 0"
    )
    await publish_wakeup(CHANNEL)


async def work_on(job: ProvisioningJob) -> None:
    """Make the steps of a job that are left, and record how it ended."""
    actor = system(job.organization_id)
    async with LEASES.kept(job):
        try:
            await _work(job)
        except LeaseLost:
            pass
        except AgentGone:
            await progress.abandon(actor, job)
        except (GatewayError, StepFailed) as error:
            await _failed(job, error)
        except Exception as error:
            _log.exception("provisioning failed")
            await _failed(job, StepFailed(f"Mission Control failed: {type(error).__name__}. Its log has the details."))


async def _work(job: ProvisioningJob) -> None:
    while (key := next_step(job.steps)) is not None:
        await progress.mark(job, key, "running")
        if job.action in ALONE:
            note = await ALONE_STEPS[key](job)
        elif key == "check_in":
            if not await _checked_in(job):
                return
            note = ""
        else:
            note = await STEPS[key](await Run.of(job))
        await progress.mark(job, key, "done", note)
        if job.last_error:
            await progress.overcome(system(job.organization_id), job)
    await progress.finish(system(job.organization_id), job)


async def _checked_in(job: ProvisioningJob) -> bool:
    """Return whether the agent has called. Else let go of the job until the deadline, or wake the agent again."""
    run = await Run.of(job)
    actor = system(job.organization_id)
    if has_checked_in(run.agent):
        return True
    deadline, count = run.agent.checkin_deadline_at, int(job.target.get("wake", 1))
    if deadline is not None and times.clock_now() < deadline:
        await progress.wait_for_check_in(actor, job, deadline)
        return False
    if count >= MOST_WAKES:
        await progress.end_unanswered(actor, job, await give_up(actor, run.agent))
        return False
    await progress.store(job, target=job.target | {"wake": count + 1})
    job.target = job.target | {"wake": count + 1}
    await progress.mark(job, "wake", "running")
    note = await STEPS["wake"](await Run.of(job))
    await progress.mark(job, "wake", "done", note)
    return await _checked_in(job)


async def _failed(job: ProvisioningJob, error: GatewayError | StepFailed) -> None:
    actor = system(job.organization_id)
    if isinstance(error, Unreachable) and error.code != "TIMEOUT":
        await progress.postpone(actor, job, str(error), max(error.retry_after or 0.0, AFTER_DISCONNECT))
        return
    job.attempts += 1
    pause = pause_after(job.attempts, progress.FIRST_PAUSE_SECONDS)
    if isinstance(error, GatewayError):
        pause = max(pause, error.retry_after or 0.0)
    is_last = job.attempts >= progress.MOST_ATTEMPTS
    await progress.fail(actor, job, str(error), again_in=None if is_last else pause)
