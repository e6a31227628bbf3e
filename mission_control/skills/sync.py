"""Sync a pack: clone its repository and find its skills, outside of any transaction."""

import asyncio

from mission_control.core.actor import Actor
from mission_control.skills.clone import Git
from mission_control.skills.commands import store_pack
from mission_control.skills.discovery import discover
from mission_control.skills.models import SkillPack
from mission_control.skills.schemas import SkillPackSyncResponse

AT_ONCE = 2
_places = asyncio.Semaphore(AT_ONCE)


async def sync_pack(actor: Actor, pack: SkillPack, git: Git, *, prune: bool) -> SkillPackSyncResponse:
    """Sync a pack's repository into the catalogue. Raises Unreachable when it cannot be cloned."""
    async with _places, git.cloned(pack.source_url, pack.branch) as (root, branch, warnings):
        found = await asyncio.to_thread(discover, root, pack.source_url, branch)
    found.warnings[:0] = warnings
    return await store_pack(actor, pack, found, prune=prune)
