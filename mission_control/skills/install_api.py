"""Skills on gateways, over HTTP."""

from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.schemas import HTTPValidationError
from mission_control.operations.api import Api
from mission_control.operations.operation import operation
from mission_control.skills.commands import ask_for_skill, skill_for_gateway
from mission_control.skills.queries import InstallQuery, MarketplaceSkillActionResponse

api = Api("skills_install_api", __name__, url_prefix="/api/v1/skills/marketplace/<skill_id>")
TAGS = ("skills",)
BASE = "api_v1_skills_marketplace__skill_id_"


@operation(
    api,
    "POST",
    "/install",
    operation_id=f"install_marketplace_skill_{BASE}_install_post",
    tags=TAGS,
    who="user",
    verb="skill.install",
    query=InstallQuery,
    returns=MarketplaceSkillActionResponse,
    errors={422: HTTPValidationError},
)
async def install_skill(actor: Actor, skill_id: UUID, query: InstallQuery) -> MarketplaceSkillActionResponse:
    """Have the main agent of a gateway install a skill. It counts as installed, and pending until the agent has it."""
    return await _asked(actor, skill_id, query.gateway_id, is_wanted=True)


@operation(
    api,
    "POST",
    "/uninstall",
    operation_id=f"uninstall_marketplace_skill_{BASE}_uninstall_post",
    tags=TAGS,
    who="user",
    verb="skill.install",
    query=InstallQuery,
    returns=MarketplaceSkillActionResponse,
    errors={422: HTTPValidationError},
)
async def uninstall_skill(actor: Actor, skill_id: UUID, query: InstallQuery) -> MarketplaceSkillActionResponse:
    """Have the main agent of a gateway remove a skill, installed by us or not."""
    return await _asked(actor, skill_id, query.gateway_id, is_wanted=False)


async def _asked(actor: Actor, skill_id: UUID, gateway_id: UUID, *, is_wanted: bool) -> MarketplaceSkillActionResponse:
    place = await skill_for_gateway(actor, skill_id, gateway_id)
    delivery_id = await ask_for_skill(actor, place, is_wanted=is_wanted)
    return MarketplaceSkillActionResponse(
        skill_id=skill_id, gateway_id=gateway_id, installed=is_wanted, delivery_ids=[delivery_id]
    )
