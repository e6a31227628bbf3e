"""Sync a pack: clone its repository and find its skills, outside of any transaction."""

import asyncio
from functools import partial

from mission_control.core.actor import Actor
from mission_control.core.errors import DomainError, Unreachable
from mission_control.core.policy import require
from mission_control.jobs import progress, running
from mission_control.jobs.schemas import JobRead, JobResult
from mission_control.skills.clone import Git
from mission_control.skills.commands import store_pack
from mission_control.skills.discovery import discover
from mission_control.skills.models import SkillPack
from mission_control.skills.schemas import SkillPackSyncResponse

AT_ONCE = 2
CATALOGUE = "/settings/skills"
_places = asyncio.Semaphore(AT_ONCE)


async def sync_pack(
    actor: Actor, pack: SkillPack, git: Git, *, prune: bool, quietly: bool = False
) -> SkillPackSyncResponse:
    """Sync a pack's repository into the catalogue. Raises Unreachable when it cannot be cloned.

    `quietly` leaves the steps of a job to the caller.
    """
    say = _nothing if quietly else progress.step
    await say("Fetching the repository")
    async with _places, git.cloned(pack.source_url, pack.branch) as (root, branch, warnings):
        await say("Reading its skills")
        found = await asyncio.to_thread(discover, root, pack.source_url, branch)
    found.warnings[:0] = warnings
    await say(f"Storing {len(found.skills)} skills")
    return await store_pack(actor, pack, found, prune=prune)


async def _nothing(text: str) -> None:
    return None


async def start_sync(actor: Actor, pack: SkillPack, git: Git, *, prune: bool) -> JobRead:
    """Sync a pack as a job."""
    require(actor, "skill_pack.sync", pack)
    return await running.start(actor, "pack_sync", f"Sync {pack.name}", partial(_in_job, actor, pack, git, prune=prune))


async def _in_job(actor: Actor, pack: SkillPack, git: Git, *, prune: bool) -> JobResult:
    found = await sync_pack(actor, pack, git, prune=prune)
    return JobResult(summary=f"{_counts(found)}.", url=f"{CATALOGUE}?pack={pack.id}", problems=found.warnings)


def _counts(found: SkillPackSyncResponse) -> str:
    said = f"{found.synced} {'skill' if found.synced == 1 else 'skills'}: {found.created} new, {found.updated} changed"
    return f"{said}, {found.pruned} removed" if found.pruned else said


async def start_sync_of_all(actor: Actor, git: Git, *, prune: bool) -> JobRead:
    """Sync all packs of the active organization as one job, one after the other."""
    return await running.start(actor, "pack_sync", "Sync all packs", partial(_all_in_job, actor, git, prune=prune))


async def _all_in_job(actor: Actor, git: Git, *, prune: bool) -> JobResult:
    packs = await SkillPack.filter(organization_id=actor.organization_id).order_by("name", "id")
    details, problems = [], []
    for number, pack in enumerate(packs, start=1):
        await progress.step(f"Pack {number} of {len(packs)}: {pack.name}")
        try:
            found = await sync_pack(actor, pack, git, prune=prune, quietly=True)
        except DomainError as error:
            problems.append(f"{pack.name}: {error.sentence}")
        else:
            details.append(f"{pack.name}: {_counts(found)}")
            problems += [f"{pack.name}: {warning}" for warning in found.warnings]
    if problems and not details:
        raise Unreachable(f"No pack could be synced. {problems[0]}")
    read = f"{len(details)} of {len(packs)} {'pack' if len(packs) == 1 else 'packs'} synced."
    return JobResult(summary=read, url=CATALOGUE, details=details, problems=problems)
