"""Second thoughts about comments: who may, what lists and streams show, and that no words are left behind."""

import asyncio
from typing import Any

import orjson
import pytest
from quart import Quart

from mission_control.core.actor import Actor
from mission_control.events.event_log import verify
from mission_control.people.models import User
from mission_control.tasks.activity.queries import FeedFilter, feed
from mission_control.tasks.models import AttachmentContent
from mission_control.tasks.snapshots import streams as live
from tests.cast import Cast, events, head
from tests.remains import where_is
from tests.tasks.test_attachments import send

pytestmark = pytest.mark.dialect


async def say(cast: Cast, task: Any, message: str = "Frist", by: Any = None) -> dict[str, Any]:
    """A comment of Cleo's, or of somebody else."""
    comment: dict[str, Any] = (await (by or cast.cleo).post(f"{cast.task(task)}/comments", {"message": message})).ok()
    return comment


def path(cast: Cast, comment: Any) -> str:
    """Where a comment is."""
    return f"{cast.task(comment['task_id'])}/comments/{comment['id']}"


@pytest.mark.parametrize("preferred_name", [None, "", "Captain"])
async def test_new_comment_is_answered_as_it_is_read(cast: Cast, preferred_name: str | None) -> None:
    await User.filter(id=cast.cleo.id).update(preferred_name=preferred_name)
    task = await cast.add_task()
    for caller in (cast.cleo, cast.vega):
        written = await caller.post(f"{cast.task(task)}/comments", {"message": "  Zwölf \\ „Zeilen“\n"})
        read = await caller.get(path(cast, written.ok()))
        assert orjson.dumps(written.ok()) == orjson.dumps(read.ok())


async def test_author_edits_a_comment(cast: Cast) -> None:
    task = await cast.add_task()
    for caller in (cast.cleo, cast.vega):
        comment = await say(cast, task, by=caller)
        assert comment["edited_at"] is None
        before = await head(cast)
        edited = (await caller.patch(path(cast, comment), {"message": "  First "})).ok()
        assert (edited["message"], edited["id"], edited["created_at"]) == (
            "First",
            comment["id"],
            comment["created_at"],
        )
        assert edited["edited_at"] is not None
        assert (await caller.patch(path(cast, comment), {"message": "First"})).ok() == edited
        [event] = await events(before, organization_id=cast.organization.id)
        assert (event.kind, event.actor_id, event.message) == ("task.comment_edited", caller.id, "Comment edited.")
        assert orjson.loads(event.data) == {"comment_id": comment["id"]}
        assert edited in (await cast.dan.get(f"{cast.task(task)}/comments")).ok()["items"]


async def test_deleted_comment_leaves_lists_and_stays_in_the_log(cast: Cast) -> None:
    task = await cast.add_task()
    own, administered = await say(cast, task, "Secret"), await say(cast, task, "Off topic", cast.vega)
    before = await head(cast)
    assert (await cast.cleo.delete(path(cast, own))).ok() == {"ok": True}
    assert (await cast.ben.delete(path(cast, administered))).ok() == {"ok": True}
    listed = (await cast.ada.get(f"{cast.task(task)}/comments")).ok()
    assert (listed["items"], listed["total"]) == ([], 0)
    [card] = (await cast.ada.get(f"{cast.home}/snapshot")).ok()["tasks"]
    assert card["comments_count"] == 0
    found = await events(before, organization_id=cast.organization.id)
    assert [(one.kind, one.actor_id) for one in found] == [
        ("task.comment_deleted", cast.cleo.id), ("task.comment_deleted", cast.ben.id),
    ]  # fmt: skip
    (await cast.cleo.delete(path(cast, own))).refused(404)
    (await cast.cleo.patch(path(cast, own), {"message": "Again"})).refused(404)


async def test_deleted_text_is_nowhere_in_the_database(cast: Cast) -> None:
    task = await cast.add_task(assigned_agent_id=str(cast.vega.id))
    pasted, slipped = await say(cast, task, "The key is hunter2"), await say(cast, task, "Or @atlas, hunter2 again")
    (await send(cast, task, comment_id=pasted["id"])).ok()
    assert await AttachmentContent.all().count() == 1
    assert await where_is("hunter2")
    assert (await cast.cleo.delete(path(cast, pasted))).ok() == {"ok": True}
    (await cast.cleo.patch(path(cast, slipped), {"message": "Or @atlas, ask me"})).ok()
    assert await where_is("hunter2") == set()
    assert await AttachmentContent.all().count() == 0
    told = (await cast.vega.get("/agent/inbox")).ok()["items"] + (await cast.atlas.get("/agent/inbox")).ok()["items"]
    quoted = {one["data"]["comment_id"]: one["text"] for one in told if "comment_id" in one["data"]}
    assert "\n\n(deleted)\n\nAnswer" in quoted[pasted["id"]]
    assert "\n\nOr @atlas, ask me\n\nAnswer" in quoted[slipped["id"]]
    lines = {one["id"]: one for one in (await cast.ada.get("/activity?kind=task.comment")).ok()["items"]}
    assert (lines[pasted["id"]]["message"], lines[slipped["id"]]["message"]) == (None, "Or @atlas, ask me")
    assert await verify(cast.organization.id) == (await head(cast), None)


async def test_feed_shows_edited_comments(cast: Cast) -> None:
    task = await cast.add_task()
    kept, gone = await say(cast, task, "Kept"), await say(cast, task, "Gone")
    (await cast.cleo.patch(path(cast, kept), {"message": "Better"})).ok()
    (await cast.cleo.delete(path(cast, gone))).ok()
    found = (await cast.ada.get("/activity?kind=task")).ok()["items"]
    assert [(one["event_type"], one["message"]) for one in found][:4] == [
        ("task.comment_deleted", "Comment deleted."), ("task.comment_edited", "Comment edited."),
        ("task.comment", None), ("task.comment", "Better"),
    ]  # fmt: skip
    lines = await feed(await cast.ada.actor(), FeedFilter(kind="comments"))
    assert [(one.did, one.body) for one in lines] == [("commented on", "Better")]
    lines = await feed(await cast.ada.actor(), FeedFilter(kind="tasks"))
    assert [one.did for one in lines][:2] == ["deleted a comment on", "edited a comment on"]


@pytest.mark.parametrize("body", [{}, {"message": None}, {"message": "  "}, {"message": 5}])
async def test_empty_comment_is_refused(cast: Cast, body: Any) -> None:
    comment = await say(cast, await cast.add_task())
    assert isinstance((await cast.cleo.patch(path(cast, comment), body)).refused(422), list)


async def test_deleted_comment_does_not_satisfy_the_comment_rule(cast: Cast) -> None:
    await cast.rule(comment_required_for_review=True)
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    comment = await say(cast, task, "Ready", cast.vega)
    (await cast.vega.delete(path(cast, comment))).ok()
    (await cast.vega.patch(cast.task(task), {"status": "review"})).refused(422)
    await say(cast, task, "Ready", cast.vega)
    (await cast.vega.patch(cast.task(task), {"status": "review"})).ok()


async def test_streams_send_edited_and_deleted_comments(app: Quart, cast: Cast) -> None:
    task = await cast.add_task()
    kept, gone = await say(cast, task, "Kept"), await say(cast, task, "Gone")
    (await cast.cleo.patch(path(cast, kept), {"message": "Better"})).ok()
    (await cast.cleo.delete(path(cast, gone))).ok()
    (await cast.ada.post(f"{cast.task(task)}/moves", {"status": "done"})).ok()
    (await cast.ada.post(f"{cast.task(task)}/archivals")).ok()
    found = await _streamed(app, cast, await cast.ada.actor())
    assert [one["type"] for one in found] == [
        "task.created", "task.comment", "task.comment_edited", "task.comment_deleted",
        "task.status_changed", "task.archived",
    ]  # fmt: skip
    assert found[1]["activity"]["message"] == found[2]["comment"]["message"] == "Better"
    assert found[3]["comment_id"] == gone["id"] and "comment" not in found[3]
    assert found[0]["task"] is None and found[5]["task"] is None  # it is archived by now


async def _streamed(app: Quart, cast: Cast, actor: Actor) -> list[dict[str, Any]]:
    """What a stream of the board's tasks tells of the past."""
    found: list[dict[str, Any]] = []
    async with app.test_request_context("/?after=0", method="GET"):
        response: Any = await live.stream_of_tasks(actor, cast.board)
        async with asyncio.timeout(60):
            async for piece in response.response:
                for line in bytes(piece).decode().splitlines():
                    if line.startswith("data: "):
                        found.append(orjson.loads(line[6:]))
                if found and found[-1]["type"] == "task.archived":
                    break
    return found


async def test_comment_edit_honours_if_match(cast: Cast) -> None:
    comment = await say(cast, await cast.add_task())
    read = await cast.dan.get(path(cast, comment))
    assert read.ok() == comment
    (await cast.cleo.patch(path(cast, comment), {"message": "First"}, headers={"If-Match": read.headers["ETag"]})).ok()
    late = await cast.cleo.patch(path(cast, comment), {"message": "Last"}, headers={"If-Match": read.headers["ETag"]})
    assert late.refused(412)["current"]["message"] == "First"
