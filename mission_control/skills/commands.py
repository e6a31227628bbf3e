"""Commands that change skills and packs."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError

from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, NotFound
from mission_control.core.ids import new_id
from mission_control.database.sql import rows
from mission_control.skills.discovery import Discovery, FoundSkill
from mission_control.skills.models import Skill, SkillPack
from mission_control.skills.queries import OF_PACK
from mission_control.skills.repositories import name_from, repository_url, usable_branch
from mission_control.skills.schemas import MarketplaceSkillCreate, SkillPackCreate, SkillPackSyncResponse

FIELDS = ("name", "description", "category", "risk", "source", "metadata", "content")


@command("skill.create")
async def create_skill(actor: Actor, organization_id: UUID, new: MarketplaceSkillCreate) -> Skill:
    """Add a skill to the catalogue. One with the same address takes the name and description given."""
    url = str(new.source_url)
    skill = Skill(
        id=new_id(),
        organization_id=organization_id,
        source_url=url,
        name=new.name or name_from(url),
        description=new.description,
    )
    await Skill.bulk_create([skill], ignore_conflicts=True)
    stored = await Skill.select_for_update().get(organization_id=organization_id, source_url=url)
    if stored.id == skill.id:
        record("skill.created", stored, f"Skill added: {stored.name}.", source_url=url)
        return stored
    given = new.model_dump(include={"name", "description"}, exclude_none=True)
    await _change_skill(stored, given)
    return stored


async def _change_skill(skill: Skill, values: dict[str, Any]) -> bool:
    changes = {name: value for name, value in values.items() if getattr(skill, name) != value}
    if not changes:
        return False
    before = {name: getattr(skill, name) for name in changes}
    skill.update_from_dict(changes)
    skill.updated_at = clock.now()
    await skill.save(update_fields=[*changes, "updated_at"])
    record("skill.updated", skill, f"Skill changed: {skill.name}.", before=before, after=changes)
    return True


@command("skill.delete")
async def delete_skill(actor: Actor, skill: Skill) -> None:
    """Remove a skill from the catalogue."""
    if not await Skill.filter(id=skill.id).delete():
        raise NotFound()
    record("skill.deleted", skill, f"Skill removed: {skill.name}.", source_url=skill.source_url)


@command("skill_pack.create")
async def create_pack(actor: Actor, organization_id: UUID, new: SkillPackCreate) -> SkillPack:
    """Add a pack. One with the same address takes the branch, the metadata and what else is given."""
    values = _pack_values(new)
    pack = SkillPack(id=new_id(), organization_id=organization_id, **values)
    await SkillPack.bulk_create([pack], ignore_conflicts=True)
    stored = await SkillPack.select_for_update().get(organization_id=organization_id, source_url=pack.source_url)
    if stored.id == pack.id:
        record("skill_pack.created", stored, f"Skill pack added: {stored.name}.", source_url=stored.source_url)
        return stored
    kept = [name for name in ("name", "description") if getattr(new, name) is None]
    await _change_pack(stored, {name: value for name, value in values.items() if name not in kept})
    return stored


@command("skill_pack.update")
async def update_pack(actor: Actor, pack: SkillPack, new: SkillPackCreate) -> SkillPack:
    """Replace a pack's fields; those not sent get their defaults. Raises Conflict for another pack's address."""
    values = _pack_values(new)
    locked = await locked_pack(pack)
    try:
        await _change_pack(locked, values)
    except IntegrityError:
        raise Conflict("Another pack has this address. Change or delete that one.") from None
    return locked


async def locked_pack(pack: SkillPack) -> SkillPack:
    """Return the pack as it is now, locked until the command ends. Raises NotFound when it has been deleted."""
    found = await SkillPack.select_for_update().get_or_none(id=pack.id)
    if found is None:
        raise NotFound()
    return found


def _pack_values(new: SkillPackCreate) -> dict[str, Any]:
    url = repository_url(str(new.source_url))
    return {
        "source_url": url,
        "name": new.name or name_from(url),
        "description": new.description,
        "branch": usable_branch(new.branch),
        "metadata": new.metadata,
    }


async def _change_pack(pack: SkillPack, values: dict[str, Any]) -> None:
    changes = {name: value for name, value in values.items() if getattr(pack, name) != value}
    if not changes:
        return
    before = {name: getattr(pack, name) for name in changes}
    pack.update_from_dict(changes)
    pack.updated_at = clock.now()
    await pack.save(update_fields=[*changes, "updated_at"])
    record("skill_pack.updated", pack, f"Skill pack changed: {pack.name}.", before=before, after=changes)


@command("skill_pack.delete")
async def delete_pack(actor: Actor, pack: SkillPack) -> None:
    """Remove a pack. Its skills stay in the catalogue."""
    if not await SkillPack.filter(id=pack.id).delete():
        raise NotFound()
    record("skill_pack.deleted", pack, f"Skill pack removed: {pack.name}.", source_url=pack.source_url)


@command("skill_pack.sync")
async def store_pack(actor: Actor, pack: SkillPack, found: Discovery, *, prune: bool) -> SkillPackSyncResponse:
    """Update the catalogue from a pack. `prune` removes its skills that the pack no longer holds."""
    pack = await locked_pack(pack)
    known = await _skills_at(pack, list(found.skills))
    new = [_new_skill(pack, one) for url, one in found.skills.items() if url not in known]
    await Skill.bulk_create(new, batch_size=200)
    updated = 0
    for url, skill in known.items():
        updated += await _update_quietly(skill, found.skills[url])
    pruned = await _prune(pack, set(found.skills)) if prune else 0
    answer = SkillPackSyncResponse(
        pack_id=pack.id,
        synced=len(found.skills),
        created=len(new),
        updated=updated,
        pruned=pruned,
        warnings=found.warnings,
    )
    if new or updated or pruned:
        counts = answer.model_dump(include={"synced", "created", "updated", "pruned"})
        record("skill_pack.synced", pack, f"Skill pack read: {pack.name}.", counts=counts)
    return answer


async def _skills_at(pack: SkillPack, urls: list[str]) -> dict[str, Skill]:
    known: dict[str, Skill] = {}
    for start in range(0, len(urls), 500):
        part = urls[start : start + 500]
        skills = Skill.filter(organization_id=pack.organization_id, source_url__in=part).order_by("id")
        known |= {one.source_url: one for one in await skills.select_for_update()}
    return known


def _new_skill(pack: SkillPack, found: FoundSkill) -> Skill:
    return Skill(id=new_id(), organization_id=pack.organization_id, created_at=clock.now(), **asdict(found))


async def _update_quietly(skill: Skill, found: FoundSkill) -> bool:
    """Change a skill without an event: the pack's event covers all its skills."""
    values = {name: getattr(found, name) for name in FIELDS}
    if all(getattr(skill, name) == value for name, value in values.items()):
        return False
    skill.update_from_dict(values)
    skill.updated_at = clock.now()
    await skill.save(update_fields=[*values, "updated_at"])
    return True


async def _prune(pack: SkillPack, kept: set[str]) -> int:
    """Remove skills of earlier syncs. Skills that people added have no branch and stay."""
    found = await rows(
        f"SELECT s.id, s.source_url FROM marketplace_skills s JOIN skill_packs p ON p.id = ? AND {OF_PACK}"
        " WHERE s.organization_id = p.organization_id",
        pack.id,
    )
    gone = [row["id"] for row in found if row["source_url"] not in kept]
    brought = [one.id for one in await Skill.filter(id__in=gone) if "discovery_mode" in one.metadata]
    return await Skill.filter(id__in=brought).delete()
