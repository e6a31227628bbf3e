"""Tags over HTTP."""

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.values import OK, JsonObject, OkResponse, Page, Paging, page
from mission_control.http.operation_api import Api, hints
from mission_control.tasks.models import Tag
from mission_control.tasks.tags import commands as tags
from mission_control.tasks.tags.commands import TagCreate, TagMerge, TagRead, TagRef, TagUpdate, tag_read

api = Api(__name__, "tags")


@api.get("/tags", Page[TagRead])
async def list_tags(actor: Actor, query: Paging) -> JsonObject:
    """List the active organization's tags by name."""
    listed, total = await tags.list_tags(actor.organization_id, query)
    return page(listed, total, query)


@api.post("/tags", rule="tag.create")
async def create_tag(actor: Actor, data: TagCreate) -> TagRead:
    """Make a tag.

    Without a slug one is made from the name, or `tag`, `tag-2` and so on when the name has no letter or digit of
    ASCII; two tags of an organization never share one.
    """
    return await tag_read((await tags.create_tag(actor, data)).id)


@api.get("/tags/<tag_id>")
async def get_tag(actor: Actor, tag: Tag) -> TagRead:
    """Read a tag and how many tasks carry it."""
    return await tag_read(tag.id)


@api.patch("/tags/<tag_id>", rule="tag.update")
async def update_tag(actor: Actor, tag: Tag, data: TagUpdate) -> TagRead:
    """Change a tag; only the fields that are sent."""
    return await tag_read((await tags.update_tag(actor, tag, data)).id)


@api.post("/tags/<tag_id>/merges", rule="tag.delete")
async def merge_tag(actor: Actor, tag: Tag, data: TagMerge) -> TagRead:
    """Merge a tag into another one: its tasks get the other tag, and it is deleted. Returns the other tag."""
    return await tag_read((await tags.merge_tag(actor, tag, data.into)).id)


@api.delete("/tags/<tag_id>", rule="tag.delete")
async def delete_tag(actor: Actor, tag: Tag) -> OkResponse:
    """Delete a tag and take it off every task."""
    await tags.delete_tag(actor, tag)
    return OK


@api.get(
    "/agent/boards/<board_id>/tags",
    rule="board.read",
    hints=hints(
        "agent_board_tag_discovery",
        use="To learn the ids of the tags that tasks here can carry.",
        avoid="Not to read which tags a task has; the task itself says so.",
        never="Do not invent tag ids.",
        route="Before a lead sets tag_ids on a task.",
        example="which tags can I put on a task",
    ),
)
async def agent_list_tags(actor: Actor, board: Board) -> list[TagRef]:
    """List the tags that tasks of your board can carry, by name."""
    return await tags.tags_of_organization(board.organization_id)
