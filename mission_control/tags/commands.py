"""Commands on tags."""

from typing import Any

from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, NotFound
from mission_control.tags.claim_tags import follow, lock_claimants
from mission_control.tags.models import Tag
from mission_control.tags.schemas import TagCreate
from mission_control.tags.slugs import is_nameless, save_nameless, save_unique, slug_from, slug_of


@command("tag.create")
async def create_tag(actor: Actor, new: TagCreate) -> Tag:
    """Create a tag in the active organization. A taken slug, given or made from the name: Conflict."""
    asked = new.slug if new.slug and new.slug.strip() else None
    tag = Tag(
        organization_id=actor.organization_id,
        name=new.name,
        slug=slug_of(asked or new.name),
        color=new.color,
        description=new.description,
    )
    await (save_unique(tag) if asked or slug_from(new.name) else _save_nameless(tag))
    record("tag.created", tag, f"Tag created: {tag.name}.", name=tag.name, slug=tag.slug, color=tag.color)
    return tag


@command("tag.update")
async def update_tag(actor: Actor, tag: Tag, sent: dict[str, Any]) -> Tag:
    """Change a tag. A null or blank slug is made from the name again. A taken slug: Conflict.

    A name without ASCII letters keeps the tag's nameless slug, or gets a free one.
    """
    claimants = await lock_claimants(tag.organization_id, tag.slug) if "slug" in sent else []
    tag = await _locked(tag)
    is_free = False
    if "slug" in sent:
        slug, name = sent["slug"], sent.get("name", tag.name)
        asked = slug if slug and slug.strip() else None
        is_free = not asked and not slug_from(name)
        sent = sent | {"slug": tag.slug if is_free and is_nameless(tag.slug) else slug_of(asked or name)}
    changes = {name: value for name, value in sent.items() if getattr(tag, name) != value}
    if not changes:
        return tag
    before = {name: getattr(tag, name) for name in changes}
    tag.update_from_dict(changes)
    tag.updated_at = clock.now()
    stored = [*changes, "updated_at"]
    await (_save_nameless(tag, stored) if is_free and "slug" in changes else save_unique(tag, stored))
    changes = {name: getattr(tag, name) for name in changes}
    if "slug" in changes:
        await follow(claimants, before["slug"], tag.slug)
    record("tag.updated", tag, f"Tag changed: {tag.name}.", before=before, after=changes)
    return tag


@command("tag.delete")
async def delete_tag(actor: Actor, tag: Tag) -> None:
    """Delete a tag and remove it from all tasks."""
    tag = await _locked(tag)
    record("tag.deleted", tag, f"Tag deleted: {tag.name}.", name=tag.name, slug=tag.slug)
    await tag.delete()


async def _locked(tag: Tag) -> Tag:
    found = await Tag.select_for_update().get_or_none(id=tag.id)
    if found is None:
        raise NotFound()
    return found


async def _save_nameless(tag: Tag, fields: list[str] | None = None) -> None:
    if await save_nameless(tag, fields) is not tag:
        raise Conflict(f"The organization has a tag with the name {tag.name} already.")
