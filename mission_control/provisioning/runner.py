"""The loop that works off jobs of the gateways whose connections this process holds.

Its state is in the rows: whatever dies, another process or the next start goes on with the first step that has not
ended. Nothing of the database is held while a gateway is asked.
"""

import logging
from collections import Counter

from mission_control.core import clock
from mission_control.core.actor import system
from mission_control.database.sql import placeholders, rows
from mission_control.gateways import connector
from mission_control.live.wake import publish_wakeup
from mission_control.openclaw.errors import GatewayError, Unreachable
from mission_control.provisioning import main_agents, progress
from mission_control.provisioning.jobs import CHANNEL
from mission_control.provisioning.models import ProvisioningJob
from mission_control.provisioning.plan import ALONE, next_step
from mission_control.provisioning.progress import LEASES, LeaseLost
from mission_control.provisioning.removal import ALONE_STEPS
from mission_control.provisioning.run import AgentGone, Run, StepFailed
from mission_control.provisioning.steps import STEPS
from mission_control.provisioning.wakes import MOST_WAKES, deadline_of, give_up, has_checked_in
from mission_control.work.leases import pause_after
from mission_control.work.loops import Loop

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

_log = logging.getLogger(__name__)


async def look() -> float:
    """Begin what is due; return the seconds until the next look. Costs nothing where no gateway is held."""
    busy = Counter(one.get_name() for one in RUNNER.tasks)
    gateways = frozenset(one for one in connector.held_here() if busy[str(one)] < AT_ONCE_ON_ONE)
    free = min([AT_ONCE - len(RUNNER.tasks), *(AT_ONCE_ON_ONE - busy[str(one)] for one in gateways)])
    if not gateways or free <= 0:
        return IDLE_SECONDS
    await see_check_ins()
    await main_agents.make_awaited(gateways)
    ready, values = READY.format(gateways=placeholders(len(gateways))), list(gateways)
    taken = await LEASES.take(ready, values, free)
    for job, _ in taken:
        RUNNER.begin(work_on(job), str(job.gateway_id), then_look=True)
    return BUSY_SECONDS if taken else await LEASES.seconds_until_due(ready, values, IDLE_SECONDS)


RUNNER = Loop(name="provisioning", look=look, pause=IDLE_SECONDS, channel=CHANNEL, take_over=LEASES.end_all)


async def see_check_ins() -> None:
    """Let jobs end whose agents have called since they were woken, also those that were given up."""
    await rows(
        "UPDATE provisioning_jobs SET state = 'waiting', due_at = ?, awaits_check_in = FALSE WHERE awaits_check_in"
        " AND state IN ('waiting', 'failed') AND EXISTS (SELECT 1 FROM agents a"
        " WHERE a.id = provisioning_jobs.agent_id AND a.last_seen_at >= a.last_wake_sent_at)",
        clock.now(),
    )


async def connected(*_: object) -> None:
    """Go on with what waited for a connection."""
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
    if clock.now() < deadline_of(run.agent):
        await progress.wait_for_check_in(actor, job, deadline_of(run.agent))
        return False
    count = int(job.target.get("wake", 1))
    if count >= MOST_WAKES:
        reason = await give_up(actor, run.agent)
        await progress.end_unanswered(actor, job, reason)
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
    wanted = error.retry_after if isinstance(error, GatewayError) else None
    is_last = job.attempts >= progress.MOST_ATTEMPTS
    await progress.fail(actor, job, str(error), again_in=None if is_last else max(pause, wanted or 0.0))
