"""Tags over HTTP."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.paging import Page, Paging, page
from mission_control.core.schemas import OK, OkResponse
from mission_control.operations.api import Api
from mission_control.operations.operation import operation
from mission_control.tags import commands, merging, queries
from mission_control.tags.models import Tag
from mission_control.tags.schemas import TagCreate, TagMerge, TagRead, TagUpdate

api = Api("tags_api", __name__, url_prefix="/api/v1")
TAGS = ("tags",)


@operation(
    api,
    "GET",
    "/tags",
    operation_id="list_tags_api_v1_tags_get",
    tags=TAGS,
    who="user",
    query=Paging,
    returns=Page[TagRead],
)
async def list_tags(actor: Actor, query: Paging) -> dict[str, Any]:
    """List the active organization's tags by name."""
    found, total = await queries.list_tags(actor.organization_id, query)
    return page(found, total, query)


@operation(
    api,
    "POST",
    "/tags",
    operation_id="create_tag_api_v1_tags_post",
    tags=TAGS,
    who="user",
    verb="tag.create",
    body=TagCreate,
    returns=TagRead,
)
async def create_tag(actor: Actor, data: TagCreate) -> dict[str, Any]:
    """Make a tag.

    Without a slug one is made from the name, or `tag`, `tag-2` and so on when the name has no letter or digit of
    ASCII; two tags of an organization never share one.
    """
    return await queries.tag_read((await commands.create_tag(actor, data)).id)


@operation(
    api,
    "GET",
    "/tags/<tag_id>",
    operation_id="get_tag_api_v1_tags__tag_id__get",
    tags=TAGS,
    who="user",
    find=queries.visible_tag,
    returns=TagRead,
)
async def get_tag(actor: Actor, tag: Tag) -> dict[str, Any]:
    """Read a tag and how many tasks carry it."""
    return await queries.tag_read(tag.id)


@operation(
    api,
    "PATCH",
    "/tags/<tag_id>",
    operation_id="update_tag_api_v1_tags__tag_id__patch",
    tags=TAGS,
    who="user",
    find=queries.visible_tag,
    verb="tag.update",
    body=TagUpdate,
    returns=TagRead,
)
async def update_tag(actor: Actor, tag: Tag, data: TagUpdate) -> dict[str, Any]:
    """Change a tag; only the fields that are sent."""
    return await queries.tag_read((await commands.update_tag(actor, tag, data.model_dump(exclude_unset=True))).id)


@operation(
    api,
    "POST",
    "/tags/<tag_id>/merges",
    operation_id="merge_tag",
    tags=TAGS,
    who="user",
    find=queries.visible_tag,
    verb="tag.delete",
    body=TagMerge,
    returns=TagRead,
)
async def merge_tag(actor: Actor, tag: Tag, data: TagMerge) -> dict[str, Any]:
    """Merge a tag into another one: its tasks get the other tag, and it is deleted. Returns the other tag."""
    return await queries.tag_read((await merging.merge_tag(actor, tag, data.into)).id)


@operation(
    api,
    "DELETE",
    "/tags/<tag_id>",
    operation_id="delete_tag_api_v1_tags__tag_id__delete",
    tags=TAGS,
    who="user",
    find=queries.visible_tag,
    verb="tag.delete",
    returns=OkResponse,
)
async def delete_tag(actor: Actor, tag: Tag) -> dict[str, bool]:
    """Delete a tag and take it off every task."""
    await commands.delete_tag(actor, tag)
    return OK
