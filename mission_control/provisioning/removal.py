"""Remove agents from their gateways, whose rows here may be gone already."""

import asyncio
from typing import Any

from mission_control.openclaw.errors import GatewayError
from mission_control.provisioning import adopted_files
from mission_control.provisioning.gateway_agent import call, changing, end_turns, is_missing, listed
from mission_control.provisioning.models import ProvisioningJob

# A gateway that has just created an agent does not find it for a moment.
LOOKS, PAUSE_SECONDS = 6, 0.5


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


def _kept(said: Any) -> str:
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
    return await adopted_files.remove(job.gateway_id, job.target["gateway_agent_id"])


async def rest(job: ProvisioningJob) -> str:
    """End what an agent of a deleted board does. The agent itself stays, for the board may come back."""
    return "Its turn was ended." if await _end_turns(job) else "It did nothing."


ALONE_STEPS = {"remove": remove, "unlink": unlink, "rest": rest}
