"""Skills on gateways, over HTTP."""

from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.schemas import HTTPValidationError
from mission_control.operations.api import Api
from mission_control.skills.commands import ask_for_skill, skill_for_gateway
from mission_control.skills.queries import InstallQuery, MarketplaceSkillActionResponse

api = Api(__name__, "skills", below="/skills/marketplace/<skill_id>")


@api.post("/install", rule="skill.install", errors={422: HTTPValidationError})
async def install_marketplace_skill(
    actor: Actor, skill_id: UUID, query: InstallQuery
) -> MarketplaceSkillActionResponse:
    """Have the main agent of a gateway install a skill. It counts as installed, and pending until the agent has it."""
    return await _asked(actor, skill_id, query.gateway_id, is_wanted=True)


@api.post("/uninstall", rule="skill.install", errors={422: HTTPValidationError})
async def uninstall_marketplace_skill(
    actor: Actor, skill_id: UUID, query: InstallQuery
) -> MarketplaceSkillActionResponse:
    """Have the main agent of a gateway remove a skill, installed by us or not."""
    return await _asked(actor, skill_id, query.gateway_id, is_wanted=False)


async def _asked(actor: Actor, skill_id: UUID, gateway_id: UUID, *, is_wanted: bool) -> MarketplaceSkillActionResponse:
    place = await skill_for_gateway(actor, skill_id, gateway_id)
    delivery_id = await ask_for_skill(actor, place, is_wanted=is_wanted)
    return MarketplaceSkillActionResponse(
        skill_id=skill_id, gateway_id=gateway_id, installed=is_wanted, delivery_ids=[delivery_id]
    )
