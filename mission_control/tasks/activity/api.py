"""The activity over HTTP: readable boards for people, their own events for agents."""

from quart import Response

from mission_control.boards.queries import visible_board_here
from mission_control.core.actor import Actor
from mission_control.core.values import JsonObject, Page, page
from mission_control.http.operation_api import Api
from mission_control.http.response_cache import OF_ORGANIZATION
from mission_control.tasks.activity import feed

api = Api(__name__, "activity")


@api.get("/activity", Page[feed.ActivityEventRead], who="actor", cached=OF_ORGANIZATION)
async def list_activity(actor: Actor, query: feed.ActivityQuery) -> JsonObject:
    """List what happened, newest first.

    People see the boards they read in the active organization, an agent sees events about itself. A kind includes
    the kinds below it: `task` includes `task.created`. `total` counts all events that match the other filters, whatever
    `before_seq` is.
    """
    events, total = await feed.list_events(actor, query)
    return page(events, total, query)


@api.get("/activity/task-comments", Page[feed.ActivityTaskCommentFeedItemRead], cached=OF_ORGANIZATION)
async def list_task_comment_feed(actor: Actor, query: feed.CommentFeedQuery) -> JsonObject:
    """List the comments on the boards you read in the active organization, newest first."""
    if query.board_id is not None:
        await visible_board_here(actor, query.board_id)
    comments, total = await feed.list_comments(actor, query.board_id, query)
    return page(comments, total, query)


@api.get("/activity/task-comments/stream", is_stream=True)
async def stream_task_comment_feed(actor: Actor, query: feed.CommentStreamQuery) -> Response:
    """Follow the comments on the boards you read; boards that you can read later are included then."""
    if query.board_id is not None:
        await visible_board_here(actor, query.board_id)
    return await feed.stream_of_comments(actor, query.board_id)
