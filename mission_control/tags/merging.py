"""Merge a tag into another one."""

from uuid import UUID

from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid, NotFound
from mission_control.database.sql import rows
from mission_control.tags.claim_tags import follow, lock_claimants
from mission_control.tags.models import Tag


@command("tag.delete")
async def merge_tag(actor: Actor, tag: Tag, into: UUID) -> Tag:
    """Put another tag on every task that has this one, and delete this one. Return the other.

    Raise Invalid for an unknown tag, and for the tag itself.
    """
    if tag.id == into:
        raise Invalid("Choose another tag. A tag cannot be merged into itself.")
    claimants = await lock_claimants(tag.organization_id, tag.slug)
    found = {one.id: one for one in await _both(tag, into)}
    if tag.id not in found:
        raise NotFound()
    if into not in found:
        raise Invalid("There is no tag with this id in the organization.")
    kept = found[into]
    moved = await rows(
        "UPDATE tag_assignments SET tag_id = ? WHERE tag_id = ?"
        " AND task_id NOT IN (SELECT task_id FROM tag_assignments WHERE tag_id = ?) RETURNING task_id",
        into,
        tag.id,
        into,
    )
    record(
        "tag.merged",
        tag,
        f"Tag {tag.name} merged into {kept.name}.",
        name=tag.name,
        slug=tag.slug,
        into=kept.slug,
        tasks=len(moved),
    )
    await follow(claimants, tag.slug, kept.slug)
    await tag.delete()
    return kept


async def _both(tag: Tag, into: UUID) -> list[Tag]:
    """Lock both tags, in the order of their ids."""
    both = Tag.filter(organization_id=tag.organization_id, id__in=[tag.id, into])
    return await both.order_by("id").select_for_update()
