"""Skill packs as pages of the settings: adding, changing, syncing and removing them."""

from typing import Any
from uuid import UUID

from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, DomainError, Invalid
from mission_control.core.policy import can, require
from mission_control.jobs.models import Job
from mission_control.jobs.queries import own_jobs
from mission_control.skills.forms import PACK_LABELS, PackForm, SyncForm
from mission_control.skills.models import SkillPack
from mission_control.skills.pages import SETTINGS, SKILLS
from mission_control.skills.queries import list_packs, pack_read, visible_pack
from mission_control.web.actions import action
from mission_control.web.forms import FormInvalid, go
from mission_control.web.live_list import LiveList
from mission_control.web.ordering import Order, greatest, order_asked, ordering
from mission_control.web.outcomes import Outcome, Refusal
from mission_control.web.settings import settings_page
from mission_control.web.shell import signed_in

pages = Blueprint("skill_packs_pages", __name__)
ORDERS = {
    "newest": Order("newest"),
    "name": Order("by name", lambda pack: (pack["name"] or "").casefold()),
    "skills": greatest("most skills", lambda pack: pack["skill_count"]),
}
PACKS, PACK = f"{SKILLS}/packs", f"{SKILLS}/packs/<uuid:pack_id>"


async def _admin() -> Actor:
    actor = await signed_in()
    require(actor, "skill_pack.read")
    return actor


async def _listed(actor: Actor, order: str) -> dict[str, Any]:
    own = await own_jobs(actor)
    jobs: list[Job] = [job for job in (*own.running, *own.finished) if job.kind == "pack_sync"]
    found = ORDERS[order].sorted(await list_packs(actor.organization_id))
    return {"packs": found, "jobs": jobs, **ordering(ORDERS, order)}


def _may_read(actor: Actor) -> bool:
    return can(actor, "skill_pack.read")


NEWS = ("skill_pack.", "skill.")
LIST = LiveList(SETTINGS.key, PACKS, "skills/packs.html", _listed, NEWS, ("job_id",), _may_read)
REGIONS = (LIST.region,)


@pages.get(PACKS)
async def packs() -> str:
    """Show the packs."""
    return await LIST.page(await _admin(), order_asked(ORDERS))


@pages.get(f"{PACKS}/live")
async def packs_live() -> Response:
    """Keep the list live."""
    return await LIST.stream(await _admin(), order_asked(ORDERS))


@pages.get(f"{PACKS}/new")
async def new_pack() -> str:
    """Show the form of a new pack."""
    return await _form(await _admin(), None, {"branch": "main"}, {})


async def _form(actor: Actor, pack: SkillPack | None, values: dict[str, Any], errors: dict[str, str]) -> str:
    context: dict[str, Any] = {"pack": pack, "values": values, "errors": errors, "labels": PACK_LABELS}
    return await settings_page(actor, "skills/pack_form.html", SETTINGS.key, **context)


async def _not_saved(refusal: Refusal[SkillPack | None, PackForm]) -> ResponseReturnValue:
    error = refusal.error
    if isinstance(error, FormInvalid | Invalid | Conflict):
        return await _form(refusal.actor, refusal.found, refusal.values, refusal.errors)
    if isinstance(error, DomainError) and error.status == 400:
        return await _form(refusal.actor, refusal.found, refusal.values, {"source_url": error.sentence})
    raise error


@action(pages, "POST", PACKS, performs="create_skill_pack", form=PackForm, refused=_not_saved)
async def create(outcome: Outcome[None, PackForm]) -> ResponseReturnValue:
    """Add a pack; its skills come with the first sync."""
    return go(f"{PACKS}#pack-{outcome.answer['id']}")


@pages.get(PACK)
async def edit_pack(pack_id: UUID) -> str:
    """Show the form of a pack's fields."""
    actor = await _admin()
    pack = await visible_pack(actor, pack_id)
    return await _form(actor, pack, {name: getattr(pack, name) for name in PACK_LABELS}, {})


@action(pages, "POST", PACK, performs="update_skill_pack", form=PackForm, refused=_not_saved)
async def update(outcome: Outcome[SkillPack, PackForm]) -> ResponseReturnValue:
    """Change a pack."""
    return go(f"{PACKS}#pack-{outcome.found.id}")


@action(pages, "POST", f"{PACK}/syncs", performs="start_pack_sync", form=SyncForm)
async def sync(outcome: Outcome[SkillPack, SyncForm]) -> ResponseReturnValue:
    """Sync a pack, as a job that may be left."""
    return go("/work")


@action(pages, "POST", f"{PACKS}/syncs", performs="start_pack_syncs", form=SyncForm)
async def sync_all(outcome: Outcome[None, SyncForm]) -> ResponseReturnValue:
    """Sync all packs, as one job that may be left."""
    return go("/work")


@pages.get(f"{PACK}/delete")
async def ask_deletion(pack_id: UUID) -> str:
    """Say what removing a pack does."""
    actor = await _admin()
    pack = await visible_pack(actor, pack_id)
    return await settings_page(actor, "skills/pack_delete.html", SETTINGS.key, pack=await pack_read(pack.id))


@action(pages, "POST", f"{PACK}/deletions", performs="delete_skill_pack")
async def delete(outcome: Outcome[SkillPack, None]) -> ResponseReturnValue:
    """Remove a pack."""
    return go(PACKS)
