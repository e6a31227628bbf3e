"""Remove agents from their gateways, whose rows here may be gone already."""

import asyncio

from mission_control.openclaw.errors import GatewayError
from mission_control.provisioning import adopted_files
from mission_control.provisioning.gateway_agent import call, changing, is_missing, listed
from mission_control.provisioning.models import ProvisioningJob

# A gateway that has just created an agent does not find it for a moment.
LOOKS, PAUSE_SECONDS = 6, 0.5


async def remove(job: ProvisioningJob) -> str:
    """Delete an agent with its files and sessions; one that is gone already is fine."""
    key = job.target["gateway_agent_id"]
    for _ in range(LOOKS):
        try:
            async with changing(job.gateway_id):
                await call(job.gateway_id, "agents.delete", {"agentId": key, "deleteFiles": True})
        except GatewayError as error:
            if not is_missing(error):
                raise
            await asyncio.sleep(PAUSE_SECONDS)
            if key not in await listed(job.gateway_id):
                break
        else:
            break
    await _delete_session(job)
    return ""


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


REMOVALS = {"remove": remove, "unlink": unlink}
