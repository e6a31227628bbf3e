"""Tags as pages of the settings: the list, a new one, changing, merging and deleting one."""

from uuid import UUID

from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor, can, require
from mission_control.core.values import Paging
from mission_control.database.sql import as_moment
from mission_control.tasks import tag_queries
from mission_control.tasks.models import Tag
from mission_control.tasks.tag_queries import TagCreate, TagMerge, visible_tag
from mission_control.web.actions import Outcome, Refusal, action, again
from mission_control.web.forms import Fields, VersionedForm, go
from mission_control.web.lists import Asked, LiveList, Order, Pages
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import SettingsPage, settings_page, signed_in

pages = Pages("tags_pages", __name__)
SETTINGS = SettingsPage("tags", "Organization", "Tags", "/settings/tags", "tag", 130, "labels colours")
TAGS, TAG = "/settings/tags", "/settings/tags/<uuid:tag_id>"
SIZE = 50
ORDERS = {
    "name": Order("by name", sql=tag_queries.BY_NAME),
    "tasks": Order("most tasks", sql=tag_queries.BY_TASKS),
    "changed": Order("last change", sql=tag_queries.BY_CHANGE),
}
LABELS = {"name": "Name", "slug": "Slug", "color": "Colour", "description": "Description", "into": "Tag to keep"}


async def _listed(actor: Actor, asked: Asked) -> dict[str, object]:
    wanted = Paging(limit=SIZE, offset=asked.first)
    found, total = await tag_queries.list_tags(actor.organization_id, wanted, ORDERS[asked.order].sql)
    return {
        "tags": [one | {"updated_at": as_moment(one["updated_at"])} for one in found],
        "total": total,
        "first": asked.first,
        "size": SIZE,
        "may_change": can(actor, "tag.create"),
    }


NEWS = Concerns[View](("tag.", "task."))
LiveList(pages=pages, place=SETTINGS, template="tags/index.html", read=_listed, news=NEWS, orders=ORDERS)


@pages.get(f"{TAGS}/new")
async def new_tag() -> str:
    """Show the form of a new tag."""
    actor = await signed_in()
    require(actor, "tag.create")
    return await _form(actor, None, {"color": "6b7280"}, {})


async def _form(actor: Actor, tag: Tag | None, values: Fields, errors: dict[str, str]) -> str:
    context: dict[str, object] = {"values": values, "errors": errors, "labels": LABELS}
    return await settings_page(actor, "tags/form.html", SETTINGS.key, tag=tag, **context)


class TagForm(VersionedForm, TagCreate):
    """The fields of a tag."""


@action(pages, TAGS, refused=again(_form))
async def create_tag(outcome: Outcome[None, TagCreate]) -> ResponseReturnValue:
    """Create a tag."""
    return go(f"{TAGS}#tag-{outcome.answer['id']}")


@pages.get(TAG)
async def edit_tag(tag_id: UUID) -> str:
    """Show the form of a tag's fields."""
    actor, tag = await _changeable(tag_id, "tag.update")
    return await _form(actor, tag, TagForm.shown(tag), {})


async def _changeable(tag_id: UUID, verb: str) -> tuple[Actor, Tag]:
    actor = await signed_in()
    tag = await visible_tag(actor, tag_id)
    require(actor, verb, tag)
    return actor, tag


@action(pages, TAG, form=TagForm, refused=again(_form))
async def update_tag(outcome: Outcome[Tag, TagForm]) -> ResponseReturnValue:
    """Change a tag."""
    return go(f"{TAGS}#tag-{outcome.found.id}")


@pages.get(f"{TAG}/delete")
async def ask_deletion(tag_id: UUID) -> str:
    """Say what deleting a tag does, and offer to merge it instead."""
    actor, tag = await _changeable(tag_id, "tag.delete")
    return await _deletion(actor, tag, {})


async def _deletion(actor: Actor, tag: Tag, errors: dict[str, str]) -> str:
    others = [one for one in await tag_queries.tag_choices(actor.organization_id) if one["id"] != tag.id]
    context: dict[str, object] = {"tag": await tag_queries.tag_read(tag.id), "others": others, "errors": errors}
    return await settings_page(actor, "tags/delete.html", SETTINGS.key, labels=LABELS, **context)


async def _not_merged(refusal: Refusal[Tag, TagMerge]) -> ResponseReturnValue:
    refusal.only()
    return await _deletion(refusal.actor, refusal.found, refusal.errors)


@action(pages, f"{TAG}/merges", refused=_not_merged)
async def merge_tag(outcome: Outcome[Tag, TagMerge]) -> ResponseReturnValue:
    """Merge a tag into another one."""
    return go(f"{TAGS}#tag-{outcome.answer['id']}")


@action(pages, f"{TAG}/deletions")
async def delete_tag(outcome: Outcome[Tag, None]) -> ResponseReturnValue:
    """Delete a tag."""
    return go(TAGS)
