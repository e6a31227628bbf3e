"""Ask for provisioning: rows that the runner works off. One job of an agent is open at a time."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal
from uuid import UUID

from tortoise.expressions import Subquery

from mission_control.agents.commands import locked_agent
from mission_control.agents.models import Agent
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid
from mission_control.core.values import JsonObject
from mission_control.database.sql import Row
from mission_control.events.commands import command
from mission_control.events.reader_wakeups import publish_signal
from mission_control.events.unit_of_work import notify, record, signal, unit_of_work
from mission_control.gateway_agents.models import ALONE, LABELS, ProvisioningJob, new_steps, next_step, plan_of
from mission_control.gateway_agents.provisioning.schemas import (
    GatewayTemplatesSyncError,
    GatewayTemplatesSyncResult,
    ProvisioningRequest,
)
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import CONNECTED
from mission_control.people.jobs.commands import JobResult, keep, waits_to_be_read
from mission_control.people.models import Job


# What a template sync did, read from its row and those of its agents.
async def result_of(parent: ProvisioningJob) -> GatewayTemplatesSyncResult:
    """Return what a sync did so far; once it has ended, what it had done then."""
    if "result" in parent.target:
        return GatewayTemplatesSyncResult.model_validate(parent.target["result"])
    jobs = await ProvisioningJob.filter(sync_id=parent.id).order_by("created_at", "id")
    agents = {agent.id: agent for agent in await Agent.filter(id__in=[job.agent_id for job in jobs])}
    parts = [(job, agents[job.agent_id]) for job in jobs if job.agent_id in agents]
    counts = Counter((_outcome_of(job), agent.board_id is not None) for job, agent in parts)
    return GatewayTemplatesSyncResult(
        gateway_id=parent.gateway_id,
        include_main=parent.options["include_main"],
        reset_sessions=parent.options["reset_sessions"],
        agents_updated=counts["written", True],
        agents_skipped=parent.target["skipped"] + counts["failed", True],
        main_updated=counts["written", False] > 0,
        errors=[*map(GatewayTemplatesSyncError.model_validate, parent.target["errors"]), *_errors_of(parts)],
        finished=not counts["open", True] + counts["open", False],
        job_id=parent.id,
    )


def _outcome_of(job: ProvisioningJob) -> Literal["written", "failed", "open"]:
    if job.state == "done" or job.awaits_check_in:
        return "written"
    return "failed" if job.state == "failed" else "open"


def _errors_of(jobs: list[tuple[ProvisioningJob, Agent]]) -> Iterator[GatewayTemplatesSyncError]:
    for job, agent in jobs:
        if _outcome_of(job) == "failed" or (_outcome_of(job) == "open" and job.attempts):
            yield sync_error(agent, job.last_error or "It failed.")


def sync_error(agent: Agent, message: str) -> GatewayTemplatesSyncError:
    return GatewayTemplatesSyncError(agent_id=agent.id, agent_name=agent.name, board_id=agent.board_id, message=message)


# What provisioning that people asked for looks like among long work: rows of `jobs` that follow rows of this package. A
# job of an agent has a row with its own id, a template sync one with the id of its parent. Nothing of it is kept in a
# process, so it goes on after a restart, wherever the gateway is held then. Jobs that nobody asked for have none.
async def follow_setup(job: ProvisioningJob, agent: Agent, user_id: UUID | None) -> None:
    """Inside a command: let a person see how far the setup of an agent is."""
    if user_id is None or agent.board_id is None:  # a gateway makes its main agent by itself
        return
    values = _of_setup(job, agent.name)
    if (row := await Job.get_or_none(id=job.id)) is not None:
        await _change(row, values)
        return
    gateway = await Gateway.get(id=job.gateway_id)
    if gateway.state != CONNECTED:
        values["step"] = "Wait until the gateway is connected"
    title = f"Set up {agent.name} on {gateway.name}"
    await keep(job.organization_id, user_id, "agent_setup", title, job_id=job.id, **values)


async def tell_step(job: ProvisioningJob) -> None:
    """Outside of a command: say which step a setup is at."""
    values = {**_steps(job), "updated_at": times.clock_now()}
    if await Job.filter(id=job.id, state="running").update(**values):
        row = await Job.get(id=job.id)
        await publish_signal(job.organization_id, job_id=str(job.id), job_of=str(row.user_id))


async def tell(job: ProvisioningJob) -> None:
    """Inside a command: say how a job is now, and how far the sync is that it belongs to."""
    if job.agent_id is not None and (row := await Job.get_or_none(id=job.id)) is not None:
        agent = await Agent.get_or_none(id=job.agent_id)
        await _change(row, _of_setup(job, agent.name if agent else "The agent"))
    if job.sync_id is not None:
        await tell_sync(job.sync_id)


async def tell_sync(sync_id: UUID) -> None:
    """Inside a command: say how far a sync is, and what it did when all of its agents have ended."""
    row = await Job.select_for_update().get_or_none(id=sync_id)  # the last two agents may end at the same moment
    if row is None:
        return
    jobs = await ProvisioningJob.filter(sync_id=sync_id).only("id", "state", "awaits_check_in")
    left = sum(_outcome_of(job) == "open" for job in jobs)
    values = {"done": max((row.total or 0) - left, 0), "step": "Writing files"}
    if left == 0:
        values |= _ended("template_sync", "done", await _result_of_sync(sync_id))
    await _change(row, {**_RUNNING, **values})


async def tell_agent_gone(jobs: list[ProvisioningJob]) -> None:
    """Inside a command: say of jobs that were dropped that their agent is gone."""
    for job in jobs:
        if (row := await Job.get_or_none(id=job.id, state="running")) is not None:
            await _change(row, _ended(row.kind, "interrupted", error="The agent was deleted meanwhile."))
        if job.sync_id is not None:
            await tell_sync(job.sync_id)


async def tell_gateway_gone(gateway_id: UUID | None) -> None:
    """Inside a command: end what still runs on a gateway that is being deleted."""
    ours = ProvisioningJob.filter(gateway_id=gateway_id).values("id")
    for row in await Job.filter(state="running", id__in=Subquery(ours)):
        await _change(row, _ended(row.kind, "interrupted", error="The gateway was deleted meanwhile."))


_RUNNING = {"state": "running", "result": None, "error": None, "finished_at": None, "read_at": None}


def _of_setup(job: ProvisioningJob, name: str) -> Row:
    url = f"/agents/{job.agent_id}"
    if job.state == "done":
        return _ended("agent_setup", "done", JobResult(summary=f"{name} is set up.", url=url))
    if job.state == "failed":
        error = job.last_error or "It failed."
        return _ended("agent_setup", "failed", JobResult(summary=error, url=url), error)
    return {**_RUNNING, **_steps(job)}


def _steps(job: ProvisioningJob) -> Row:
    key = next_step(job.steps)
    text = LABELS[key] if key else "Ending"
    if job.last_error and job.state == "waiting":
        text += f" (tried in vain, and again soon: {job.last_error})"
    done = sum(step["state"] in ("done", "skipped") for step in job.steps)
    return {"step": text, "done": done, "total": len(job.steps)}


def _ended(kind: str, state: str, result: JobResult | None = None, error: str | None = None) -> Row:
    stored, now = None if result is None else result.model_dump(), times.clock_now()
    read_at = None if waits_to_be_read(kind, state, result) else now
    return {"state": state, "step": "", "result": stored, "error": error, "finished_at": now, "read_at": read_at}


async def _result_of_sync(sync_id: UUID) -> JobResult:
    parent = await ProvisioningJob.get(id=sync_id)
    result = await result_of(parent)
    target = parent.target | {"result": result.model_dump(mode="json")}  # and stays so, whatever becomes of them
    await ProvisioningJob.filter(id=sync_id).update(target=target)
    summary = f"{result.agents_updated} {'agent' if result.agents_updated == 1 else 'agents'} written"
    summary += f", {result.agents_skipped} skipped" if result.agents_skipped else ""
    summary += ", the main agent too" if result.main_updated else ""
    problems = [f"{error.agent_name or 'An agent'}: {error.message}" for error in result.errors]
    return JobResult(summary=f"{summary}.", url=f"/gateways/{result.gateway_id}/agents", problems=problems)


async def _change(row: Job, values: Row) -> None:
    if all(getattr(row, name) == value for name, value in values.items() if name not in ("finished_at", "read_at")):
        return
    await Job.filter(id=row.id).update(**values, updated_at=times.clock_now())
    signal(row.organization_id, job_id=str(row.id))


CHANNEL = "provisioning"
OPEN = ("waiting", "running")
Action = Literal["provision", "update", "adopt"]
AS_IT_IS = ProvisioningRequest()


async def request_provisioning(
    agent: Agent,
    *,
    action: Action = "provision",
    how: ProvisioningRequest = AS_IT_IS,
    wake: bool = True,
    sync_id: UUID | None = None,
    followed: bool = False,
) -> ProvisioningJob:
    """Inside a command: have an agent of a gateway created or updated there; joins a job that is open already.

    Options add up. A job that runs is run again from its first step when it ends. With `followed` the person who asks
    for it sees how far it is among their long work.
    """
    user_id = unit_of_work().actor.user_id
    flags = how.model_dump() | {"wake": wake, "user_id": str(user_id) if user_id else None}
    notify(CHANNEL)
    signal(agent.organization_id, agent_id=str(agent.id), board_id=str(agent.board_id))
    agent.status = "provisioning" if agent.last_seen_at is None else "updating"
    agent.last_provision_error, agent.wake_attempts = None, 0
    agent.last_wake_sent_at = agent.checkin_deadline_at = None
    await agent.save(
        update_fields=[
            "status", "last_provision_error", "wake_attempts", "last_wake_sent_at", "checkin_deadline_at",
        ]
    )  # fmt: skip
    open_jobs = ProvisioningJob.filter(agent_id=agent.id, state__in=OPEN).exclude(action__in=ALONE)
    job = await open_jobs.select_for_update().first()
    await ProvisioningJob.filter(agent_id=agent.id, state="failed").update(awaits_check_in=False)
    if job is None:
        job = await ProvisioningJob.create(
            organization_id=agent.organization_id, gateway_id=agent.gateway_id, agent_id=agent.id, sync_id=sync_id,
            action=action, options=flags, steps=new_steps(plan_of(action, flags)),
        )  # fmt: skip
    else:
        await _join(job, action, flags, sync_id)
    if followed:
        await follow_setup(job, agent, user_id)
    return job


async def _join(job: ProvisioningJob, action: Action, flags: JsonObject, sync_id: UUID | None) -> None:
    before_sync, job.sync_id = job.sync_id, sync_id or job.sync_id
    if job.state == "running":
        before = job.options.get("again") or {}
        job.options = job.options | {"again": {"action": action, **joined(before, flags)}}
        await job.save(update_fields=["options", "sync_id"])
    else:
        job.action = "provision" if "provision" in (job.action, action) else action
        await restart(job, joined(job.options, flags))
    if before_sync is not None and before_sync != job.sync_id:
        await tell_sync(before_sync)


def joined(before: JsonObject, flags: JsonObject) -> JsonObject:
    return {name: value or before.get(name) for name, value in flags.items()}


async def restart(job: ProvisioningJob, options: JsonObject) -> None:
    job.options, job.steps = options, new_steps(plan_of(job.action, options))
    # A gateway remembers the messages of earlier rounds: in each round they have names of their own.
    job.target = {"round": job.target.get("round", 0) + 1}
    job.state, job.attempts, job.last_error = "waiting", 0, None
    job.due_at = job.updated_at = times.clock_now()
    job.finished_at = job.leased_by = job.leased_until = None
    job.awaits_check_in = False
    await job.save()


async def request_removal(agent: Agent, *, gateway_id: UUID | None = None, gone: JsonObject | None = None) -> None:
    """Inside a command: remove an agent from its gateway in the background; its row may be gone by then.

    With `gateway_id` and `gone`, remove what the agent was before it moved.
    """
    on = gateway_id or agent.gateway_id
    if gone is None:
        waiting = ProvisioningJob.filter(agent_id=agent.id, state="waiting").exclude(action__in=ALONE)
        dropped = await waiting
        await waiting.delete()
        await tell_agent_gone(dropped)
    if (gone or target_of(agent))["gateway_agent_id"] and await Gateway.filter(id=on).exists():
        await request_alone(agent, "unlink" if agent.is_adopted else "remove", on, gone)
    notify(CHANNEL)


def target_of(agent: Agent) -> JsonObject:
    return {"gateway_agent_id": agent.gateway_agent_id, "session_key": agent.openclaw_session_id}


async def request_alone(agent: Agent, action: str, gateway_id: UUID | None, target: JsonObject | None = None) -> None:
    """Inside a command: have a step made in the background that needs nothing but what its job holds."""
    target = {**(target or target_of(agent)), "board_id": str(agent.board_id or ""), "name": agent.name}
    await ProvisioningJob.create(
        organization_id=agent.organization_id, gateway_id=gateway_id, agent_id=agent.id,
        action=action, target=target, steps=new_steps(plan_of(action, {})),
    )  # fmt: skip
    notify(CHANNEL)


@command("agent.update")
async def provision_again(actor: Actor, agent: Agent, wanted: ProvisioningRequest) -> None:
    """Set an agent up on its gateway anew. Raise Invalid for a direct agent."""
    agent = await locked_agent(agent)
    if agent.gateway_id is None:
        raise Invalid("This agent runs without a gateway: there is nothing to set up for it.")
    if not await Gateway.filter(id=agent.gateway_id).exists():
        raise Invalid("The agent's gateway was deleted. Move the agent to a board with another gateway.")
    record("agent.provisioning_requested", agent, f"Provisioning asked for: {agent.name}.", **wanted.model_dump())
