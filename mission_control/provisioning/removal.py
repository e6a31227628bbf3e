"""Remove agents from their gateways, whose rows here may be gone already."""

import asyncio
import contextlib
import logging
from functools import partial
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict
from mission_control.gateways import commands
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import CONNECTED
from mission_control.jobs import running
from mission_control.jobs.queries import JobRead, JobResult
from mission_control.openclaw.errors import GatewayError
from mission_control.provisioning import files
from mission_control.provisioning.gateway_agent import call, changing, end_turns, is_missing, listed
from mission_control.provisioning.main_agents import is_made
from mission_control.provisioning.models import ProvisioningJob
from mission_control.provisioning.schemas import GatewayRemoval

# A gateway that has just created an agent does not find it for a moment.
LOOKS, PAUSE_SECONDS = 6, 0.5
AT_ONCE, ENDING_SECONDS = 8, 10.0

_log = logging.getLogger(__name__)


async def remove(job: ProvisioningJob) -> str:
    """Delete an agent with its files and sessions; one that is gone already is fine."""
    key, kept = job.target["gateway_agent_id"], ""
    ended = await _end_turns(job)
    for _ in range(LOOKS):
        try:
            async with changing(job.gateway_id):
                said = await call(job.gateway_id, "agents.delete", {"agentId": key, "deleteFiles": True})
        except GatewayError as error:
            if not is_missing(error):
                raise
            await asyncio.sleep(PAUSE_SECONDS)
            if key not in await listed(job.gateway_id):
                break
        else:
            kept = _kept(said)
            break
    await _delete_session(job)
    return " ".join(filter(None, ("What it was doing was ended." if ended else "", kept)))


def _kept(said: object) -> str:
    """Say what a gateway did not delete of an agent, such as a folder below that of its own main agent."""
    failed = said.get("failed") if isinstance(said, dict) else None
    paths = [str(one.get("path")) for one in failed or () if isinstance(one, dict)]
    return f"Stays on the gateway's host: {', '.join(paths)}." if paths else ""


async def _end_turns(job: ProvisioningJob) -> int:
    """End what the agent does; a gateway goes on with the turn of an agent that it deletes."""
    try:
        return await end_turns(job.gateway_id, job.target["gateway_agent_id"], job.target["session_key"])
    except GatewayError as error:
        if error.is_retryable:
            raise
        return 0  # it is gone already, or never had a session


async def _delete_session(job: ProvisioningJob) -> None:
    """Delete what is left of its session; gateways keep the main session of an agent that they still have."""
    try:
        await call(job.gateway_id, "sessions.delete", {"key": job.target["session_key"]})
    except GatewayError as error:
        if error.code != "INVALID_REQUEST":
            raise


async def unlink(job: ProvisioningJob) -> str:
    """Take back what was added to a linked agent. The agent itself stays."""
    return await files.remove(job.gateway_id, job.target["gateway_agent_id"])


async def rest(job: ProvisioningJob) -> str:
    """End what an agent of a deleted board does. The agent itself stays, for the board may come back."""
    return "Its turn was ended." if await _end_turns(job) else "It did nothing."


async def end_all_turns(organization_id: UUID) -> None:
    """End what the agents of an organization do that is about to be deleted; a gateway delays that by seconds at most.

    Afterwards no row says which agents they were. What linked agents do is their own matter.
    """
    agents = Agent.filter(organization_id=organization_id, gateway_away_at=None, is_adopted=False)
    few = asyncio.Semaphore(AT_ONCE)

    async def end(agent: Agent) -> None:
        async with few:
            try:
                await end_turns(
                    UUID(str(agent.gateway_id)), str(agent.gateway_agent_id), str(agent.openclaw_session_id)
                )
            except GatewayError as error:
                _log.warning("ending the turn of agent %s failed: %s", agent.id, error)

    made = await agents.exclude(gateway_id=None).exclude(openclaw_session_id=None).order_by("-run_began_at")
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*map(end, made)), ENDING_SECONDS)


ALONE_STEPS = {"remove": remove, "unlink": unlink, "rest": rest}


AWAY = "The gateway is not connected, so nothing can be removed there. Connect it, or delete it without its agents."


async def remove_gateway(actor: Actor, gateway: Gateway, wanted: GatewayRemoval) -> JobRead:
    """Begin to delete a gateway. Raise Conflict while boards use it, unless `force`, and while it is not connected."""
    await commands.refuse_in_use(gateway, force=wanted.force)
    if wanted.remove_agents and gateway.state != CONNECTED:
        raise Conflict({"message": AWAY, "code": ErrorCode.GATEWAY_NOT_CONNECTED})
    title = f"Delete {gateway.name}" + (" and its agents there" if wanted.remove_agents else "")
    return await running.start(actor, "gateway_removal", title, partial(_work, actor, gateway, wanted))


async def _work(actor: Actor, gateway: Gateway, wanted: GatewayRemoval) -> JobResult:
    agents = [one for one in await Agent.filter(gateway_id=gateway.id) if is_made(one)] if wanted.remove_agents else []
    await ProvisioningJob.filter(gateway_id=gateway.id, state="waiting").delete()
    await running.step("Removing its agents", len(agents))
    problems = [note for one in agents if (note := await _removed(gateway.id, one))]
    await running.step("Deleting the gateway here")
    await commands.delete_gateway(actor, gateway, force=wanted.force)
    number = sum(not one.is_adopted for one in agents)
    count = f"{number} {'agent was' if number == 1 else 'agents were'} removed there" if number else ""
    said = f"{gateway.name} is deleted" + (f", and {count}." if count else ".")
    return JobResult(summary=said, url="/gateways", problems=problems)


async def _removed(gateway_id: UUID, agent: Agent) -> str:
    """Remove an agent, or take back what was added to a linked one. Return what stays; raise Conflict to stop here."""
    action = "unlink" if agent.is_adopted else "remove"
    place = {"gateway_agent_id": agent.gateway_agent_id, "session_key": agent.openclaw_session_id}
    job = ProvisioningJob(gateway_id=gateway_id, agent_id=agent.id, action=action, target=place)
    try:
        note = await ALONE_STEPS[action](job)
    except GatewayError as error:
        if error.is_retryable:
            message = f"The gateway went away before {agent.name} was removed; nothing is deleted here. Start it again."
            raise Conflict(
                {"message": f"{message} ({error.message})", "code": ErrorCode.GATEWAY_NOT_CONNECTED}
            ) from error
        return f"{agent.name} stays on the gateway: {error.message}"
    await running.advance()
    return f"{agent.name}: {note}" if "Stays" in note else ""
