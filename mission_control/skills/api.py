"""The catalogue of skills over HTTP."""

from typing import Any

from quart import Response

from mission_control.core.actor import Actor
from mission_control.core.schemas import OK, OkResponse
from mission_control.http.answers import json_response
from mission_control.operations.api import Api
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
)

api = Api(__name__, "skills", below="/skills/marketplace")


@api.get("", list[MarketplaceSkillCardRead], rule="skill.read")
async def list_marketplace_skills(actor: Actor, query: MarketplaceQuery) -> Response:
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


@api.post("", MarketplaceSkillRead, rule="skill.create")
async def create_marketplace_skill(actor: Actor, data: MarketplaceSkillCreate) -> dict[str, Any]:
    """Add a skill to the catalogue, or change the one with this address."""
    return await skill_read((await commands.create_skill(actor, actor.organization_id, data)).id)


@api.get("/<skill_id>", MarketplaceSkillDetail, rule="skill.read")
async def get_marketplace_skill(actor: Actor, skill: Skill) -> dict[str, Any]:
    """Read a skill with its text and where it is installed. Read the text before you install it."""
    return await skill_detail(skill)


@api.delete("/<skill_id>", rule="skill.delete")
async def delete_marketplace_skill(actor: Actor, skill: Skill) -> OkResponse:
    """Remove a skill from the catalogue. Installed copies stay."""
    await commands.delete_skill(actor, skill)
    return OK
