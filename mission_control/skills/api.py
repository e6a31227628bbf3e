"""The catalogue of skills over HTTP."""

from typing import Any

from quart import Response

from mission_control.core.actor import Actor
from mission_control.core.schemas import OK, OkResponse
from mission_control.http.answers import json_response
from mission_control.operations.api import Api
from mission_control.operations.operation import operation
from mission_control.skills import commands
from mission_control.skills.models import Skill
from mission_control.skills.queries import (
    MarketplaceQuery,
    MarketplaceSkillCardRead,
    MarketplaceSkillCreate,
    MarketplaceSkillDetail,
    MarketplaceSkillRead,
    list_cards,
    skill_detail,
    skill_read,
    visible_skill,
)

api = Api("skills_api", __name__, url_prefix="/api/v1/skills/marketplace")
TAGS = ("skills",)
BASE = "api_v1_skills_marketplace"


@operation(
    api,
    "GET",
    "",
    operation_id=f"list_marketplace_skills_{BASE}_get",
    tags=TAGS,
    who="user",
    verb="skill.read",
    query=MarketplaceQuery,
    returns=list[MarketplaceSkillCardRead],
)
async def list_skills(actor: Actor, query: MarketplaceQuery) -> Response:
    """List the organization's catalogue, newest first.

    With a limit the headers X-Total-Count, X-Limit and X-Offset describe the page.
    """
    cards, total = await list_cards(actor, query)
    response = json_response(cards)
    if query.limit is not None:
        response.headers["X-Total-Count"] = str(total)
        response.headers["X-Limit"] = str(query.limit)
        response.headers["X-Offset"] = str(query.offset)
    return response


@operation(
    api,
    "POST",
    "",
    operation_id=f"create_marketplace_skill_{BASE}_post",
    tags=TAGS,
    who="user",
    verb="skill.create",
    body=MarketplaceSkillCreate,
    returns=MarketplaceSkillRead,
)
async def create_skill(actor: Actor, data: MarketplaceSkillCreate) -> dict[str, Any]:
    """Add a skill to the catalogue, or change the one with this address."""
    return await skill_read((await commands.create_skill(actor, actor.organization_id, data)).id)


@operation(
    api,
    "GET",
    "/<skill_id>",
    operation_id="get_marketplace_skill",
    tags=TAGS,
    who="user",
    find=visible_skill,
    verb="skill.read",
    returns=MarketplaceSkillDetail,
)
async def get_skill(actor: Actor, skill: Skill) -> dict[str, Any]:
    """Read a skill with its text and where it is installed. Read the text before you install it."""
    return await skill_detail(skill)


@operation(
    api,
    "DELETE",
    "/<skill_id>",
    operation_id=f"delete_marketplace_skill_{BASE}__skill_id__delete",
    tags=TAGS,
    who="user",
    find=visible_skill,
    verb="skill.delete",
    returns=OkResponse,
)
async def delete_skill(actor: Actor, skill: Skill) -> dict[str, bool]:
    """Remove a skill from the catalogue. Installed copies stay."""
    await commands.delete_skill(actor, skill)
    return OK
