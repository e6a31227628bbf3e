"""Ask for provisioning: rows that the runner works off. One job of an agent is open at a time."""

from typing import Any, Literal
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.commands.unit_of_work import notify, signal, unit_of_work
from mission_control.core import clock
from mission_control.gateways.models import Gateway
from mission_control.provisioning import work
from mission_control.provisioning.models import ProvisioningJob
from mission_control.provisioning.plan import ALONE, new_steps, plan_of

CHANNEL = "provisioning"
OPEN = ("waiting", "running")
Action = Literal["provision", "update", "adopt"]


async def request_provisioning(
    agent: Agent,
    *,
    action: Action = "provision",
    rotate_token: bool = False,
    reset_session: bool = False,
    force_bootstrap: bool = False,
    overwrite: bool = False,
    wake: bool = True,
    sync_id: UUID | None = None,
    followed: bool = False,
) -> ProvisioningJob:
    """Inside a command: have an agent of a gateway created or updated there; joins a job that is open already.

    Options add up. A job that runs is run again from its first step when it ends. Tokens stay as they are unless
    `rotate_token` is set. With `followed` the person who asks for it sees how far it is among their long work.
    """
    user_id = unit_of_work().actor.user_id
    flags = {
        "rotate_token": rotate_token,
        "reset_session": reset_session,
        "force_bootstrap": force_bootstrap,
        "overwrite": overwrite,
        "wake": wake,
        "user_id": str(user_id) if user_id else None,
    }
    await _expect(agent)
    open_jobs = ProvisioningJob.filter(agent_id=agent.id, state__in=OPEN).exclude(action__in=ALONE)
    job = await open_jobs.select_for_update().first()
    await ProvisioningJob.filter(agent_id=agent.id, state="failed").update(awaits_check_in=False)
    if job is None:
        job = await ProvisioningJob.create(
            organization_id=agent.organization_id,
            gateway_id=agent.gateway_id,
            agent_id=agent.id,
            sync_id=sync_id,
            action=action,
            options=flags,
            steps=new_steps(plan_of(action, flags)),
        )
    else:
        await _join(job, action, flags, sync_id)
    if followed:
        await work.follow_setup(job, agent, user_id)
    return job


async def _join(job: ProvisioningJob, action: Action, flags: dict[str, Any], sync_id: UUID | None) -> None:
    """Add what is asked for to a job that is open."""
    before_sync, job.sync_id = job.sync_id, sync_id or job.sync_id
    if job.state == "running":
        before = job.options.get("again") or {}
        job.options = job.options | {"again": {"action": action, **joined(before, flags)}}
        await job.save(update_fields=["options", "sync_id"])
    else:
        job.action = "provision" if "provision" in (job.action, action) else action
        await restart(job, joined(job.options, flags))
    if before_sync is not None and before_sync != job.sync_id:
        await work.tell_sync(before_sync)


def joined(before: dict[str, Any], flags: dict[str, Any]) -> dict[str, Any]:
    """Return the options of two requests in one."""
    return {name: value or before.get(name) for name, value in flags.items()}


async def restart(job: ProvisioningJob, options: dict[str, Any]) -> None:
    """Let a job begin with its first step again, now."""
    job.options, job.steps = options, new_steps(plan_of(job.action, options))
    # A gateway remembers the messages of earlier rounds: in each round they have names of their own.
    job.target = {"round": job.target.get("round", 0) + 1}
    job.state, job.attempts, job.last_error = "waiting", 0, None
    job.due_at = job.updated_at = clock.now()
    job.finished_at = job.leased_by = job.leased_until = None
    job.awaits_check_in = False
    await job.save()


async def _expect(agent: Agent) -> None:
    """Show that the agent is being provisioned."""
    notify(CHANNEL)
    signal(agent.organization_id, agent_id=str(agent.id), board_id=str(agent.board_id))
    agent.status = "provisioning" if agent.last_seen_at is None else "updating"
    agent.last_provision_error = None
    agent.wake_attempts = 0
    agent.last_wake_sent_at = agent.checkin_deadline_at = None
    await agent.save(
        update_fields=[
            "status", "last_provision_error", "wake_attempts", "last_wake_sent_at", "checkin_deadline_at",
        ]
    )  # fmt: skip


async def request_removal(agent: Agent, *, gateway_id: UUID | None = None, gone: dict[str, Any] | None = None) -> None:
    """Inside a command: remove an agent from its gateway in the background; its row may be gone by then.

    With `gateway_id` and `gone`, remove what the agent was before it moved.
    """
    known = _place_of(agent) | (gone or {})
    on = gateway_id or agent.gateway_id
    notify(CHANNEL)
    if gone is None:
        waiting = ProvisioningJob.filter(agent_id=agent.id, state="waiting").exclude(action__in=ALONE)
        dropped = await waiting
        await waiting.delete()
        await work.tell_agent_gone(agent.id, dropped)
    if not known["gateway_agent_id"] or not await Gateway.filter(id=on).exists():
        return
    await _alone(agent, "unlink" if agent.is_adopted else "remove", on, known)


async def request_rest(agent: Agent) -> None:
    """Inside a command: end what an agent does, in the background."""
    notify(CHANNEL)
    await _alone(agent, "rest", agent.gateway_id, _place_of(agent))


def _place_of(agent: Agent) -> dict[str, Any]:
    return {"gateway_agent_id": agent.gateway_agent_id, "session_key": agent.openclaw_session_id}


async def _alone(agent: Agent, action: str, gateway_id: UUID | None, known: dict[str, Any]) -> None:
    await ProvisioningJob.create(
        organization_id=agent.organization_id,
        gateway_id=gateway_id,
        agent_id=agent.id,
        action=action,
        target={**known, "board_id": str(agent.board_id or ""), "name": agent.name},
        steps=new_steps(plan_of(action, {})),
    )
