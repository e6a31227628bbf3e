"""Tags as pages of the settings: the list, a new one, changing, merging and deleting one."""

from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor, can
from mission_control.core.values import Paging
from mission_control.tasks.models import Tag
from mission_control.tasks.policy import may_add_labels
from mission_control.tasks.tags import commands as tags
from mission_control.tasks.tags.commands import TagCreate, TagMerge
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import Fields, FormValues, VersionedForm, go
from mission_control.web.fragments import PageContext
from mission_control.web.lists import Asked, LiveList, Order, Pages
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import PaletteEntry, SettingsPage, settings_page

pages = Pages("tags_pages", __name__)
TAGS, TAG = "/settings/tags", "/settings/tags/<uuid:tag_id>"
SETTINGS = SettingsPage("tags", "Organization", "Tags", TAGS, "tag", 130, "labels colours")
SIZE = 50
ORDERS = {
    "name": Order("by name", sql=tags.BY_NAME),
    "tasks": Order("most tasks", sql=tags.BY_TASKS),
    "changed": Order("last change", sql=tags.BY_CHANGE),
}
LABELS = {"name": "Name", "slug": "Slug", "color": "Colour", "description": "Description", "into": "Tag to keep"}


async def _listed(actor: Actor, asked: Asked) -> PageContext:
    wanted = Paging(limit=SIZE, offset=asked.first)
    found, total = await tags.list_tags(actor.organization_id, wanted, ORDERS[asked.order].sql)
    may_change = can(actor, "tag.create")
    return {"tags": found, "total": total, "first": asked.first, "size": SIZE, "may_change": may_change}


LiveList(
    pages=pages, place=SETTINGS, template="tasks/tags/index.html", read=_listed, orders=ORDERS,
    news=Concerns[View](("tag.", "task.")),
)  # fmt: skip


class TagForm(VersionedForm, TagCreate):
    """The fields of a tag."""


async def _form(actor: Actor, tag: Tag | None, values: Fields, errors: dict[str, str]) -> str:
    context = {"values": values, "errors": errors, "labels": LABELS}
    return await settings_page(actor, "tasks/tags/form.html", SETTINGS.key, tag=tag, **context)


async def _deletion(actor: Actor, tag: Tag, values: Fields, errors: dict[str, str]) -> str:
    others = [one for one in await tags.tags_of_organization(actor.organization_id) if one.id != tag.id]
    context = {"tag": await tags.tag_read(tag.id), "others": others, "errors": errors}
    return await settings_page(actor, "tasks/tags/delete.html", SETTINGS.key, labels=LABELS, **context)


async def _new(actor: Actor, found: None) -> FormValues:
    return {"color": "6b7280"}


@action(pages, TAGS, page=f"{TAGS}/new", shows=_form, starts=_new)
async def create_tag(outcome: Outcome[None, TagCreate]) -> ResponseReturnValue:
    """Create a tag."""
    return go(f"{TAGS}#tag-{outcome.answer.id}")


@action(pages, TAG, form=TagForm, page=TAG, shows=_form)
async def update_tag(outcome: Outcome[Tag, TagForm]) -> ResponseReturnValue:
    """Change a tag."""
    return go(f"{TAGS}#tag-{outcome.found.id}")


@action(pages, f"{TAG}/merges", shows=_deletion)
async def merge_tag(outcome: Outcome[Tag, TagMerge]) -> ResponseReturnValue:
    """Merge a tag into another one."""
    return go(f"{TAGS}#tag-{outcome.answer.id}")


@action(pages, f"{TAG}/deletions", page=f"{TAG}/delete", shows=_deletion)
async def delete_tag(outcome: Outcome[Tag, None]) -> ResponseReturnValue:
    """Delete a tag, or offer to merge it instead."""
    return go(TAGS)


ENTRY = PaletteEntry("New tag", "/settings/tags/new", "plus", "create label", 60, "Do", may_add_labels)
