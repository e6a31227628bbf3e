"""Record what becomes of a job: its steps as they are made, and its end."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor, Scope
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.leases import Leases
from mission_control.events.reader_wakeups import publish_signal
from mission_control.events.unit_of_work import record, signal
from mission_control.gateway_agents.models import ALONE, REMOVALS, ProvisioningJob, marked, next_step
from mission_control.gateway_agents.provisioning import jobs
from mission_control.gateway_agents.provisioning.gateway_agent import call
from mission_control.gateway_agents.provisioning.jobs import joined, restart
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.payload import Payload
from mission_control.people.models import Member, User

EVENTS = (
    Kind("agent.provision.direct", "An agent was created on its gateway, with its files and its session.", "set up"),
    Kind("agent.provision.failed", "An agent could not be set up on its gateway, or never called.", "could not set up"),
    Kind(
        "agent.update.direct", "The files of an agent on its gateway were brought up to date.", "updated the files of"
    ),
    Kind(
        "agent.update.failed",
        "The files of an agent on its gateway could not be brought up to date.",
        "could not update the files of",
    ),
    Kind("agent.wakeup.sent", "An agent was told by its gateway to start.", "woke"),
    Kind.named("agent.delete.direct", "An agent was removed from its gateway.", "removed from its gateway:"),
    Kind.named(
        "agent.delete.failed", "An agent could not be removed from its gateway.", "could not remove from its gateway:"
    ),
)


class StepFailed(Exception):
    """A step cannot succeed as things are; the text says why, for people."""


class AgentGone(Exception):
    """The agent was deleted while it was being provisioned."""


@dataclass(slots=True)
class Run:
    """A job with the rows that its steps need, read anew before each step."""

    job: ProvisioningJob
    agent: Agent
    board: Board | None
    gateway: Gateway

    @classmethod
    async def of(cls, job: ProvisioningJob) -> "Run":
        """Read what a step needs. Raises AgentGone."""
        agent = await Agent.get_or_none(id=job.agent_id).select_related("board")
        gateway = await Gateway.get_or_none(id=job.gateway_id)
        if agent is None or gateway is None or agent.gateway_id != job.gateway_id:
            raise AgentGone
        return cls(job, agent, agent.board, gateway)

    @property
    def key(self) -> str:
        return str(self.agent.gateway_agent_id)

    @property
    def session(self) -> str:
        return str(self.agent.openclaw_session_id)

    @property
    def is_first(self) -> bool:
        """Whether the agent was never there, so that nothing of its own can be in its files."""
        return self.job.action == "provision" and self.agent.last_seen_at is None

    async def call(self, method: str, **params: object) -> Payload:
        return await call(self.gateway.id, method, params)

    async def person(self) -> User | None:
        """Return the person whom the agent's files describe: who asked for it; a main agent's is an owner otherwise."""
        user_id = self.job.options.get("user_id")
        user = await User.get_or_none(id=UUID(user_id)) if user_id else None
        if user is not None or self.board is not None:
            return user
        owners = Member.filter(organization_id=self.agent.organization_id, role="owner")
        owner = await owners.order_by("created_at").first()
        return None if owner is None else await User.get_or_none(id=owner.user_id)


MOST_ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 5.0
LONGEST_ERROR = 2_000
LEASES = Leases(ProvisioningJob, "running", timedelta(seconds=10))


class LeaseLost(Exception):
    """Another worker has the job, or it is no longer there."""


async def mark(job: ProvisioningJob, key: str, state: str, note: str = "") -> None:
    """Store the state of a step and tell the pages that show it. Raises LeaseLost."""
    job.steps = marked(job.steps, key, state, note)
    await store(job, steps=job.steps)


async def store(job: ProvisioningJob, **values: object) -> None:
    """Store values of a running job. Raises LeaseLost."""
    if not await LEASES.held(job).update(**values, updated_at=times.clock_now()):
        raise LeaseLost
    await publish_signal(job.organization_id, **subject(job))
    await jobs.tell_step(job)


def subject(job: ProvisioningJob) -> dict[str, str]:
    return {"gateway_id": str(job.gateway_id), "agent_id": str(job.agent_id)}


@command("provisioning.run")
async def overcome(actor: Actor, job: ProvisioningJob) -> None:
    """Forget the failures of a step that has succeeded since; a later step has all its attempts."""
    if not await LEASES.held(job).update(attempts=0, last_error=None, updated_at=times.clock_now()):
        raise LeaseLost
    job.attempts, job.last_error = 0, None
    signal(job.organization_id, **subject(job))
    agent = await Agent.get_or_none(id=job.agent_id, status="error")
    if agent is None or job.action in ALONE:
        return
    agent.status = "provisioning" if agent.last_seen_at is None else "updating"
    agent.last_provision_error = None
    await agent.save(update_fields=["status", "last_provision_error"])


@command("provisioning.run")
async def wait_for_check_in(actor: Actor, job: ProvisioningJob, until: object) -> None:
    """Let go of a job whose agent was woken; it is looked at again at the deadline or after the agent's call."""
    if await _settle(job, state="waiting", due_at=until, awaits_check_in=True, last_error=None) is not None:
        await _provisioned(job)


@command("provisioning.run")
async def end_unanswered(actor: Actor, job: ProvisioningJob, reason: str) -> None:
    """End a job whose agent never called; a later call still ends it well."""
    job.steps = marked(job.steps, "check_in", "failed", reason)
    values = {"state": "failed", "steps": job.steps, "last_error": reason, "finished_at": times.clock_now()}
    if await _settle(job, **values, awaits_check_in=True, due_at=times.clock_now()) is None:
        return
    agent = await Agent.get_or_none(id=job.agent_id)
    if agent is not None:
        record("agent.provision.failed", agent, f"No answer: {agent.name}. {reason}", reason=reason)


@command("provisioning.run")
async def finish(actor: Actor, job: ProvisioningJob) -> None:
    """End a job that has done everything; a request from during the run begins with its first step."""
    values = {"state": "done", "finished_at": times.clock_now(), "last_error": None, "awaits_check_in": False}
    if await _settle(job, **values) is None:
        return
    if job.action in REMOVALS:
        [step] = job.steps
        message = f"Agent removed from its gateway: {job.target['name']}. {step['note']}".strip()
        record("agent.delete.direct", _scope_of_gone(job), message)
    elif job.action not in ALONE:
        await _provisioned(job)


async def _provisioned(job: ProvisioningJob) -> None:
    agent = await Agent.get_or_none(id=job.agent_id)
    if agent is None:
        return
    if agent.status in ("provisioning", "updating", "error"):
        agent.status = "online"
    agent.last_provision_error = None
    await agent.save(update_fields=["status", "last_provision_error"])
    if job.target.get("recorded"):
        return
    job.target = job.target | {"recorded": True}
    await ProvisioningJob.filter(id=job.id).update(target=job.target)
    message = f"Set up on its gateway: {agent.name}."
    record("agent.update.direct" if job.action == "update" else "agent.provision.direct", agent, message)
    if job.options.get("wake"):
        record("agent.wakeup.sent", agent, f"Woken: {agent.name}.")


@command("provisioning.run")
async def fail(actor: Actor, job: ProvisioningJob, reason: str, *, again_in: float | None) -> None:
    """Record a failure: tried again after a pause, or given up without one."""
    reason, is_last, key = reason[:LONGEST_ERROR], again_in is None, next_step(job.steps)
    if key:
        job.steps = marked(job.steps, key, "failed" if is_last else "waiting", reason)
    if again_in is None:
        values = {"state": "failed", "finished_at": times.clock_now()}
    else:
        values = {"state": "waiting", "due_at": times.clock_now() + timedelta(seconds=again_in)}
    if await _settle(job, **values, steps=job.steps, attempts=job.attempts, last_error=reason) is None:
        return
    if job.action not in ALONE:
        await _note_failure(job, reason)
    elif is_last and job.action in REMOVALS:
        record("agent.delete.failed", _scope_of_gone(job), f"Not removed: {job.target['name']}. {reason}")


async def _note_failure(job: ProvisioningJob, reason: str) -> None:
    """Mark an agent as failed; the first failure is recorded, those of later attempts are not."""
    agent = await Agent.get_or_none(id=job.agent_id)
    if agent is None:
        return
    is_new = agent.status != "error"
    agent.status, agent.last_provision_error = "error", reason
    await agent.save(update_fields=["status", "last_provision_error"])
    if is_new:
        message = f"Not set up on its gateway: {agent.name}. {reason}"
        is_update = job.action == "update"
        record("agent.update.failed" if is_update else "agent.provision.failed", agent, message, reason=reason)


@command("provisioning.run")
async def postpone(actor: Actor, job: ProvisioningJob, reason: str, seconds: float) -> None:
    """Let a job wait because the connection ended; that is no failure of its own."""
    due = times.clock_now() + timedelta(seconds=seconds)
    await _settle(job, state="waiting", due_at=due, last_error=reason[:LONGEST_ERROR])


@command("provisioning.run")
async def abandon(actor: Actor, job: ProvisioningJob) -> None:
    """Remove a job whose agent is gone; the removal has a job of its own."""
    await LEASES.held(job).delete()
    await jobs.tell_agent_gone([job])


async def _settle(job: ProvisioningJob, **values: object) -> ProvisioningJob | None:
    """Write the end of an attempt and return the job. None when another worker has it, or when it begins again.

    What was asked for during the run begins at once.
    """
    locked = await LEASES.held(job).select_for_update().first()
    if locked is None:
        return None
    again = locked.options.get("again")
    if again is not None:
        action = again.pop("action")
        if next_step(job.steps) not in (None, "check_in"):  # what was asked for first is not done yet either
            action = "provision" if locked.action == "provision" else action
            again = joined(locked.options, again)
        locked.action = action
        await restart(locked, again)
        await jobs.tell(locked)
        signal(job.organization_id, **subject(job))
        return None
    await LEASES.held(job).update(**values, leased_by=None, leased_until=None, updated_at=times.clock_now())
    await jobs.tell(locked.update_from_dict(values))
    signal(job.organization_id, **subject(job))
    return locked


def _scope_of_gone(job: ProvisioningJob) -> Scope:
    board_id = UUID(job.target["board_id"]) if job.target.get("board_id") else None
    return Scope(organization_id=job.organization_id, board_id=board_id, subject_id=job.agent_id)
