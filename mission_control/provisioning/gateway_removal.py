"""Delete a gateway together with the agents that were made on it, as long work."""

from functools import partial
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict
from mission_control.gateways import commands
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import CONNECTED
from mission_control.jobs import progress, running
from mission_control.jobs.schemas import JobRead, JobResult
from mission_control.openclaw.errors import GatewayError
from mission_control.provisioning.main_agents import is_made
from mission_control.provisioning.models import ProvisioningJob
from mission_control.provisioning.removal import ALONE_STEPS
from mission_control.provisioning.schemas import GatewayRemoval

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
    await progress.step("Removing its agents", len(agents))
    problems = [note for one in agents if (note := await _removed(gateway.id, one))]
    await progress.step("Deleting the gateway here")
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
    await progress.advance()
    return f"{agent.name}: {note}" if "Stays" in note else ""
