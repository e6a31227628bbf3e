"""Skill packs as pages of the settings: adding, changing, syncing and removing them."""

from uuid import UUID

from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, DomainError, Invalid
from mission_control.core.policy import require
from mission_control.core.schemas import NonEmptyStr
from mission_control.jobs.models import Job
from mission_control.jobs.queries import own_jobs
from mission_control.skills.models import SkillPack
from mission_control.skills.pages import PACK_LABELS, SETTINGS, SKILLS
from mission_control.skills.queries import AnyAddress, list_packs, pack_read, visible_pack
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormInvalid, go
from mission_control.web.lists import Asked, LiveList, Order, Pages, greatest
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import settings_page, signed_in

pages = Pages("skill_packs_pages", __name__)
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


async def _listed(actor: Actor, asked: Asked) -> dict[str, object]:
    own = await own_jobs(actor)
    jobs: list[Job] = [job for job in (*own.running, *own.finished) if job.kind == "pack_sync"]
    found = ORDERS[asked.order].sorted(await list_packs(actor.organization_id))
    return {"packs": found, "jobs": jobs}


LiveList(
    pages=pages, place=SETTINGS, path=PACKS, template="skills/packs.html", read=_listed, orders=ORDERS,
    news=Concerns[View](("skill_pack.", "skill."), ("job_id",)), verb="skill_pack.read",
)  # fmt: skip


@pages.get(f"{PACKS}/new")
async def new_pack() -> str:
    """Show the form of a new pack."""
    return await _form(await _admin(), None, {"branch": "main"}, {})


async def _form(actor: Actor, pack: SkillPack | None, values: Fields, errors: dict[str, str]) -> str:
    context: dict[str, object] = {"pack": pack, "values": values, "errors": errors, "labels": PACK_LABELS}
    return await settings_page(actor, "skills/pack_form.html", SETTINGS.key, **context)


class PackForm(Form):
    """A pack to add, or its new fields."""

    source_url: AnyAddress
    name: NonEmptyStr | None = None
    branch: str = "main"
    description: str | None = None

    def body(self, found: SkillPack | None) -> Fields:
        """Return the pack; what the form does not show stays."""
        return self.model_dump() | {"metadata": found.metadata if found is not None else {}}


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


@action(pages, "POST", f"{PACK}/syncs", performs="start_pack_sync")
async def sync(outcome: Outcome[SkillPack, None]) -> ResponseReturnValue:
    """Sync a pack, as a job that may be left."""
    return go("/work")


@action(pages, "POST", f"{PACKS}/syncs", performs="start_pack_syncs")
async def sync_all(outcome: Outcome[None, None]) -> ResponseReturnValue:
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
