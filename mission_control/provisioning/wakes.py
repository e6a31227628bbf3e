"""Wake agents, wait for their first call, and wake them again, up to three times."""

from datetime import datetime
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import notify, signal
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.provisioning.installation import here
from mission_control.provisioning.jobs import CHANNEL
from mission_control.provisioning.models import ProvisioningJob
from mission_control.provisioning.plan import marked

MOST_WAKES = 3


@command("provisioning.run")
async def count_wake(actor: Actor, job: ProvisioningJob, agent: Agent) -> int:
    """Count a wake before it is sent, so that a call in answer to it is later; return its number.

    After a crash between the two, the same number is sent again.
    """
    number: int = job.target.get("wake", 1)
    agent.wake_attempts = number
    agent.last_wake_sent_at = clock.now()
    agent.checkin_deadline_at = agent.last_wake_sent_at + here().checkin
    await agent.save(update_fields=["wake_attempts", "last_wake_sent_at", "checkin_deadline_at"])
    job.target = job.target | {"wake": number}
    await ProvisioningJob.filter(id=job.id, leased_by=job.leased_by).update(target=job.target)
    signal(agent.organization_id, agent_id=str(agent.id), board_id=str(agent.board_id))
    return number


def wake_key(job: ProvisioningJob, number: int) -> str:
    """Return the key of the message that wakes an agent; each round of a job has keys of its own."""
    return f"mc-wake-{job.id}-{job.target.get('round', 0)}-{number}"


@command("provisioning.run")
async def wake_again(actor: Actor, job_id: UUID) -> None:
    """Let a wake that its gateway has lost be sent once more, now, as the same of an agent's wakes."""
    job = await ProvisioningJob.select_for_update().get_or_none(id=job_id, state="waiting", awaits_check_in=True)
    if job is None:
        return
    job.target = job.target | {"round": job.target.get("round", 0) + 1}
    job.steps = marked(marked(job.steps, "wake", "waiting"), "check_in", "waiting")
    job.awaits_check_in, job.due_at = False, clock.now()
    await job.save(update_fields=["target", "steps", "awaits_check_in", "due_at"])
    signal(job.organization_id, gateway_id=str(job.gateway_id), agent_id=str(job.agent_id))
    notify(CHANNEL)


def wake_text(job: ProvisioningJob, agent: Agent) -> str:
    """Return the message that starts an agent."""
    if job.action == "adopt":
        return _adopted_text(agent)
    done = "updated" if job.action == "update" else "set up"
    return "\n".join(
        [
            f"Hello {agent.name}. Mission Control has {done} your workspace.",
            "",
            "Start now:",
            "1. If there is a BOOTSTRAP.md, read it and do what it says.",
            "2. Read AGENTS.md. It has your address, your token and your work.",
            "3. Send the first call that AGENTS.md describes. It tells Mission Control that you are there.",
            "4. Go on with your work as AGENTS.md says.",
        ]
    )


def _adopted_text(agent: Agent) -> str:
    return "\n".join(
        [
            f"You are linked to a board of Mission Control as {agent.name}. Nothing else about you changes.",
            "",
            "AGENTS.md has a new block at its end, marked mission-control, with an address and a token for you.",
            "Read it, and send the call that it shows. Then the board's people can give you work.",
        ]
    )


def has_checked_in(agent: Agent) -> bool:
    """Return whether the agent has called since it was last woken."""
    seen, woken = agent.last_seen_at, agent.last_wake_sent_at
    return seen is not None and woken is not None and seen >= woken


def deadline_of(agent: Agent) -> datetime:
    """Return until when the agent is waited for."""
    return agent.checkin_deadline_at or clock.now()


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
