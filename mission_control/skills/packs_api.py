"""Skill packs over HTTP."""

from typing import Any

from quart import current_app

from mission_control.core.actor import Actor
from mission_control.core.schemas import OK, ErrorResponse, OkResponse
from mission_control.jobs.schemas import JobRead
from mission_control.operations.api import Api
from mission_control.operations.operation import operation
from mission_control.skills import commands
from mission_control.skills.commands import start_sync, start_sync_of_all, sync_pack
from mission_control.skills.models import SkillPack
from mission_control.skills.queries import (
    SkillPackCreate,
    SkillPackRead,
    SkillPackSyncResponse,
    SyncQuery,
    list_packs,
    pack_read,
    visible_pack,
)
from mission_control.skills.repositories import Git

api = Api("skill_packs_api", __name__, url_prefix="/api/v1/skills/packs")
TAGS = ("skills",)
BASE = "api_v1_skills_packs"


@operation(
    api,
    "GET",
    "",
    operation_id=f"list_skill_packs_{BASE}_get",
    tags=TAGS,
    who="user",
    verb="skill_pack.read",
    returns=list[SkillPackRead],
)
async def list_all(actor: Actor) -> list[dict[str, Any]]:
    """List the organization's packs, newest first."""
    return await list_packs(actor.organization_id)


@operation(
    api,
    "POST",
    "",
    operation_id=f"create_skill_pack_{BASE}_post",
    tags=TAGS,
    who="user",
    verb="skill_pack.create",
    body=SkillPackCreate,
    returns=SkillPackRead,
    errors={400: ErrorResponse},
)
async def create(actor: Actor, data: SkillPackCreate) -> dict[str, Any]:
    """Add a repository of GitHub as a pack, or change the pack that has this address."""
    return await pack_read((await commands.create_pack(actor, actor.organization_id, data)).id)


@operation(
    api,
    "GET",
    "/<pack_id>",
    operation_id=f"get_skill_pack_{BASE}__pack_id__get",
    tags=TAGS,
    who="user",
    find=visible_pack,
    verb="skill_pack.read",
    returns=SkillPackRead,
)
async def read(actor: Actor, pack: SkillPack) -> dict[str, Any]:
    """Read a pack."""
    return await pack_read(pack.id)


@operation(
    api,
    "PATCH",
    "/<pack_id>",
    operation_id=f"update_skill_pack_{BASE}__pack_id__patch",
    tags=TAGS,
    who="user",
    find=visible_pack,
    verb="skill_pack.update",
    body=SkillPackCreate,
    returns=SkillPackRead,
    errors={400: ErrorResponse, 409: ErrorResponse},
)
async def update(actor: Actor, pack: SkillPack, data: SkillPackCreate) -> dict[str, Any]:
    """Replace a pack's fields. Those left out get their defaults."""
    return await pack_read((await commands.update_pack(actor, pack, data)).id)


@operation(
    api,
    "DELETE",
    "/<pack_id>",
    operation_id=f"delete_skill_pack_{BASE}__pack_id__delete",
    tags=TAGS,
    who="user",
    find=visible_pack,
    verb="skill_pack.delete",
    returns=OkResponse,
)
async def delete(actor: Actor, pack: SkillPack) -> dict[str, bool]:
    """Remove a pack. Its skills stay in the catalogue."""
    await commands.delete_pack(actor, pack)
    return OK


@operation(
    api,
    "POST",
    "/<pack_id>/sync",
    operation_id=f"sync_skill_pack_{BASE}__pack_id__sync_post",
    tags=TAGS,
    who="user",
    find=visible_pack,
    verb="skill_pack.sync",
    query=SyncQuery,
    returns=SkillPackSyncResponse,
    errors={400: ErrorResponse, 502: ErrorResponse},
    is_atomic=False,
)
async def sync(actor: Actor, pack: SkillPack, query: SyncQuery) -> SkillPackSyncResponse:
    """Sync a pack's repository into the catalogue.

    The pack's branch is read, else the default branch, with a warning. Skills that the pack no longer
    holds stay unless prune is set; skills that people added always stay.
    """
    return await sync_pack(actor, pack, _git(), prune=query.prune)


@operation(
    api,
    "POST",
    "/<pack_id>/syncs",
    operation_id="start_pack_sync",
    tags=TAGS,
    who="user",
    find=visible_pack,
    verb="skill_pack.sync",
    query=SyncQuery,
    returns=JobRead,
    is_atomic=False,
    status=202,
)
async def start_one(actor: Actor, pack: SkillPack, query: SyncQuery) -> JobRead:
    """Sync a pack as a job that you may leave. `GET /jobs/{job_id}` says how far it is, and its warnings."""
    return await start_sync(actor, pack, _git(), prune=query.prune)


@operation(
    api,
    "POST",
    "/syncs",
    operation_id="start_pack_syncs",
    tags=TAGS,
    who="user",
    verb="skill_pack.create",
    query=SyncQuery,
    returns=JobRead,
    is_atomic=False,
    status=202,
)
async def start_all(actor: Actor, query: SyncQuery) -> JobRead:
    """Sync all packs of the active organization as one job, one after the other."""
    return await start_sync_of_all(actor, _git(), prune=query.prune)


def _git() -> Git:
    return Git(current_app.config["SETTINGS"].skills_git_base_url)
