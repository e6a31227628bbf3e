"""Skills over HTTP: the catalogue, the packs, and skills on gateways."""

from uuid import UUID

from quart import Response, current_app

from mission_control.core.actor import Actor
from mission_control.core.values import OK, ErrorResponse, HTTPValidationError, OkResponse
from mission_control.database.sql import Row
from mission_control.gateway_agents.models import Skill, SkillPack
from mission_control.gateway_agents.skills import commands as skill_commands
from mission_control.gateway_agents.skills import queries as skills
from mission_control.gateway_agents.skills.commands import request_skill, start_sync, start_sync_of_all, sync_pack
from mission_control.gateway_agents.skills.repositories import Git
from mission_control.http.compression import list_response
from mission_control.http.operation_api import Api
from mission_control.people.jobs.commands import JobRead

api = Api(__name__, "skills", below="/skills/marketplace")


@api.get("", list[skills.MarketplaceSkillCardRead], rule="skill.read")
async def list_marketplace_skills(actor: Actor, query: skills.MarketplaceQuery) -> Response:
    """List the organization's catalogue, newest first.

    With a limit the headers X-Total-Count, X-Limit and X-Offset describe the page.
    """
    cards, total = await skills.list_cards(actor, query)
    response = await list_response(cards)
    if query.limit is not None:
        response.headers["X-Total-Count"] = str(total)
        response.headers["X-Limit"] = str(query.limit)
        response.headers["X-Offset"] = str(query.offset)
    return response


@api.post("", skills.MarketplaceSkillRead, rule="skill.create")
async def create_marketplace_skill(actor: Actor, data: skills.MarketplaceSkillCreate) -> Row:
    """Add a skill to the catalogue, or change the one with this address."""
    return await skills.read_skill((await skill_commands.create_skill(actor, actor.organization_id, data)).id)


@api.get("/<skill_id>", skills.MarketplaceSkillDetail, rule="skill.read")
async def get_marketplace_skill(actor: Actor, skill: Skill) -> Row:
    """Read a skill with its text and where it is installed. Read the text before you install it."""
    return await skills.skill_detail(skill)


@api.delete("/<skill_id>", rule="skill.delete")
async def delete_marketplace_skill(actor: Actor, skill: Skill) -> OkResponse:
    """Remove a skill from the catalogue. Installed copies stay."""
    await skill_commands.delete_skill(actor, skill)
    return OK


@api.post("/<skill_id>/install", rule="skill.install", errors={422: HTTPValidationError})
async def install_marketplace_skill(
    actor: Actor, skill_id: UUID, query: skills.InstallQuery
) -> skills.MarketplaceSkillActionResponse:
    """Have the main agent of a gateway install a skill. It counts as installed, and pending until the agent has it."""
    return await request_skill(actor, skill_id, query.gateway_id, is_wanted=True)


@api.post("/<skill_id>/uninstall", rule="skill.install", errors={422: HTTPValidationError})
async def uninstall_marketplace_skill(
    actor: Actor, skill_id: UUID, query: skills.InstallQuery
) -> skills.MarketplaceSkillActionResponse:
    """Have the main agent of a gateway remove a skill, installed by us or not."""
    return await request_skill(actor, skill_id, query.gateway_id, is_wanted=False)


packs_api = Api(__name__, "skills", below="/skills/packs")


@packs_api.get("", list[skills.SkillPackRead], rule="skill_pack.read")
async def list_skill_packs(actor: Actor) -> list[Row]:
    """List the organization's packs, newest first."""
    return await skills.list_packs(actor.organization_id)


@packs_api.post("", skills.SkillPackRead, rule="skill_pack.create", errors={400: ErrorResponse})
async def create_skill_pack(actor: Actor, data: skills.SkillPackCreate) -> Row:
    """Add a repository of GitHub as a pack, or change the pack that has this address."""
    return await skills.read_pack((await skill_commands.create_pack(actor, actor.organization_id, data)).id)


@packs_api.get("/<pack_id>", skills.SkillPackRead, rule="skill_pack.read")
async def get_skill_pack(actor: Actor, pack: SkillPack) -> Row:
    """Read a pack."""
    return await skills.read_pack(pack.id)


@packs_api.patch(
    "/<pack_id>", skills.SkillPackRead, rule="skill_pack.update", errors={400: ErrorResponse, 409: ErrorResponse}
)
async def update_skill_pack(actor: Actor, pack: SkillPack, data: skills.SkillPackCreate) -> Row:
    """Replace a pack's fields. Those left out get their defaults."""
    return await skills.read_pack((await skill_commands.update_pack(actor, pack, data)).id)


@packs_api.delete("/<pack_id>", rule="skill_pack.delete")
async def delete_skill_pack(actor: Actor, pack: SkillPack) -> OkResponse:
    """Remove a pack. Its skills stay in the catalogue."""
    await skill_commands.delete_pack(actor, pack)
    return OK


@packs_api.post(
    "/<pack_id>/sync", rule="skill_pack.sync", errors={400: ErrorResponse, 502: ErrorResponse}, is_atomic=False
)
async def sync_skill_pack(actor: Actor, pack: SkillPack, query: skills.SyncQuery) -> skills.SkillPackSyncResponse:
    """Sync a pack's repository into the catalogue.

    The pack's branch is read, else the default branch, with a warning. Skills that the pack no longer
    holds stay unless prune is set; skills that people added always stay.
    """
    return await sync_pack(actor, pack, _git(), prune=query.prune)


@packs_api.post("/<pack_id>/syncs", rule="skill_pack.sync", is_atomic=False, status=202)
async def start_pack_sync(actor: Actor, pack: SkillPack, query: skills.SyncQuery) -> JobRead:
    """Sync a pack as a job that you may leave. `GET /jobs/{job_id}` says how far it is, and its warnings."""
    return await start_sync(actor, pack, _git(), prune=query.prune)


@packs_api.post("/syncs", rule="skill_pack.create", is_atomic=False, status=202)
async def start_pack_syncs(actor: Actor, query: skills.SyncQuery) -> JobRead:
    """Sync all packs of the active organization as one job, one after the other."""
    return await start_sync_of_all(actor, _git(), prune=query.prune)


def _git() -> Git:
    return Git(current_app.config["SETTINGS"].skills_git_base_url)
