"""Agents that claim only tasks with some tags follow a tag that gets another slug, or is merged into another."""

from collections.abc import Sequence
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.commands.unit_of_work import record
from mission_control.core import clock


async def lock_claimants(organization_id: UUID, slug: str) -> list[Agent]:
    """Lock the agents that claim tasks with a tag, before the tag itself is locked."""
    asked = await Agent.filter(organization_id=organization_id, claim_tags__isnull=False).only("id", "claim_tags")
    wanted = [one.id for one in asked if slug in (one.claim_tags or [])]
    return await Agent.filter(id__in=wanted).order_by("id").select_for_update() if wanted else []


async def follow(agents: Sequence[Agent], old: str, new: str) -> None:
    """Put one slug in the place of another, once for each agent."""
    for agent in agents:
        before = list(agent.claim_tags or [])
        agent.claim_tags = list(dict.fromkeys(new if one == old else one for one in before))
        agent.updated_at = clock.now()
        await agent.save(update_fields=["claim_tags", "updated_at"])
        record(
            "agent.updated",
            agent,
            f"Agent changed: {agent.name}.",
            before={"claim_tags": before},
            after={"claim_tags": agent.claim_tags},
        )
