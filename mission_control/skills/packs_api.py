"""Skill packs over HTTP."""

from typing import Any

from quart import current_app

from mission_control.core.actor import Actor
from mission_control.core.schemas import OK, ErrorResponse, OkResponse
from mission_control.jobs.schemas import JobRead
from mission_control.operations.api import Api
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
)
from mission_control.skills.repositories import Git

api = Api(__name__, "skills", below="/skills/packs")


@api.get("", list[SkillPackRead], rule="skill_pack.read")
async def list_skill_packs(actor: Actor) -> list[dict[str, Any]]:
    """List the organization's packs, newest first."""
    return await list_packs(actor.organization_id)


@api.post("", SkillPackRead, rule="skill_pack.create", errors={400: ErrorResponse})
async def create_skill_pack(actor: Actor, data: SkillPackCreate) -> dict[str, Any]:
    """Add a repository of GitHub as a pack, or change the pack that has this address."""
    return await pack_read((await commands.create_pack(actor, actor.organization_id, data)).id)


@api.get("/<pack_id>", SkillPackRead, rule="skill_pack.read")
async def get_skill_pack(actor: Actor, pack: SkillPack) -> dict[str, Any]:
    """Read a pack."""
    return await pack_read(pack.id)


@api.patch("/<pack_id>", SkillPackRead, rule="skill_pack.update", errors={400: ErrorResponse, 409: ErrorResponse})
async def update_skill_pack(actor: Actor, pack: SkillPack, data: SkillPackCreate) -> dict[str, Any]:
    """Replace a pack's fields. Those left out get their defaults."""
    return await pack_read((await commands.update_pack(actor, pack, data)).id)


@api.delete("/<pack_id>", rule="skill_pack.delete")
async def delete_skill_pack(actor: Actor, pack: SkillPack) -> OkResponse:
    """Remove a pack. Its skills stay in the catalogue."""
    await commands.delete_pack(actor, pack)
    return OK


@api.post("/<pack_id>/sync", rule="skill_pack.sync", errors={400: ErrorResponse, 502: ErrorResponse}, is_atomic=False)
async def sync_skill_pack(actor: Actor, pack: SkillPack, query: SyncQuery) -> SkillPackSyncResponse:
    """Sync a pack's repository into the catalogue.

    The pack's branch is read, else the default branch, with a warning. Skills that the pack no longer
    holds stay unless prune is set; skills that people added always stay.
    """
    return await sync_pack(actor, pack, _git(), prune=query.prune)


@api.post("/<pack_id>/syncs", rule="skill_pack.sync", is_atomic=False, status=202)
async def start_pack_sync(actor: Actor, pack: SkillPack, query: SyncQuery) -> JobRead:
    """Sync a pack as a job that you may leave. `GET /jobs/{job_id}` says how far it is, and its warnings."""
    return await start_sync(actor, pack, _git(), prune=query.prune)


@api.post("/syncs", rule="skill_pack.create", is_atomic=False, status=202)
async def start_pack_syncs(actor: Actor, query: SyncQuery) -> JobRead:
    """Sync all packs of the active organization as one job, one after the other."""
    return await start_sync_of_all(actor, _git(), prune=query.prune)


def _git() -> Git:
    return Git(current_app.config["SETTINGS"].skills_git_base_url)
