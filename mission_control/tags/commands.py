"""What changes tags."""

from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.command import command, record
from mission_control.core.errors import Conflict, NotFound
from mission_control.tags import policy as policy
from mission_control.tags.models import Tag
from mission_control.tags.schemas import TagCreate, slug_of


@command("tag.create")
async def create_tag(actor: Actor, new: TagCreate) -> Tag:
    """Make a tag in the active organization. A slug that is taken: Conflict."""
    tag = Tag(
        organization_id=actor.organization_id,
        name=new.name,
        slug=slug_of(new.slug if new.slug and new.slug.strip() else new.name),
        color=new.color,
        description=new.description,
    )
    await _save_unique(tag)
    record("tag.created", tag, f"Tag created: {tag.name}.", name=tag.name, slug=tag.slug, color=tag.color)
    return tag


@command("tag.update")
async def update_tag(actor: Actor, tag: Tag, sent: dict[str, Any]) -> Tag:
    """Change a tag; a slug sent as null or blank is made anew from the name. A slug that is taken: Conflict."""
    tag = await _locked(tag)
    if "slug" in sent:
        slug = sent["slug"]
        sent = sent | {"slug": slug_of(slug if slug and slug.strip() else sent.get("name", tag.name))}
    changes = {name: value for name, value in sent.items() if getattr(tag, name) != value}
    if not changes:
        return tag
    before = {name: getattr(tag, name) for name in changes}
    tag.update_from_dict(changes)
    tag.updated_at = clock.now()
    await _save_unique(tag, [*changes, "updated_at"])
    record("tag.updated", tag, f"Tag changed: {tag.name}.", before=before, after=changes)
    return tag


@command("tag.delete")
async def delete_tag(actor: Actor, tag: Tag) -> None:
    """Delete a tag; the tasks that carried it lose it."""
    tag = await _locked(tag)
    record("tag.deleted", tag, f"Tag deleted: {tag.name}.", name=tag.name, slug=tag.slug)
    await tag.delete()


async def _locked(tag: Tag) -> Tag:
    found = await Tag.select_for_update().get_or_none(id=tag.id)
    if found is None:
        raise NotFound()
    return found


async def _save_unique(tag: Tag, fields: list[str] | None = None) -> None:
    try:
        async with in_transaction():
            await tag.save(update_fields=fields, force_create=fields is None)
    except IntegrityError:
        raise Conflict(f"The organization has a tag with the slug {tag.slug} already.") from None
