"""Ask for provisioning: rows that the runner works off."""

from typing import Any, Literal

from mission_control.agents.models import Agent
from mission_control.commands.unit_of_work import notify
from mission_control.core import clock
from mission_control.provisioning.models import ProvisioningJob

CHANNEL = "provisioning"
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
) -> ProvisioningJob:
    """Inside a command: have an agent of a gateway created or updated there; joins a job that waits already.

    Joined options add up. Tokens stay as they are unless `rotate_token` is set.
    """
    wanted = {
        "rotate_token": rotate_token,
        "reset_session": reset_session,
        "force_bootstrap": force_bootstrap,
        "overwrite": overwrite,
        "wake": wake,
    }
    notify(CHANNEL)
    job = await ProvisioningJob.filter(agent_id=agent.id, state="waiting").select_for_update().first()
    if job is None:
        return await ProvisioningJob.create(
            organization_id=agent.organization_id,
            gateway_id=agent.gateway_id,
            agent_id=agent.id,
            action=action,
            options=wanted,
        )
    before: dict[str, Any] = job.options
    job.options = {name: value or bool(before.get(name)) for name, value in wanted.items()}
    job.attempts, job.due_at, job.updated_at = 0, clock.now(), clock.now()
    await job.save(update_fields=["options", "attempts", "due_at", "updated_at"])
    return job
