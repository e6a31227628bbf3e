"""Comments of all boards that one reads, as a list and as a stream."""

from typing import Any

import pytest

from mission_control.agents.models import Agent
from mission_control.http import lookups
from mission_control.http.response_cache import cache
from mission_control.people.models import BoardAccess, Member
from mission_control.tasks.models import Comment
from tests.cast import Caller, Cast, head, ids
from tests.live.reading import reading

pytestmark = pytest.mark.dialect

FEED = "/activity/task-comments"
KEYS = [
    "id", "created_at", "message", "agent_id", "agent_name", "agent_role", "task_id", "task_title", "board_id",
    "board_name", "author",
]  # fmt: skip


async def say(cast: Cast, by: Caller, message: str, task: dict[str, Any] | None = None) -> dict[str, Any]:
    """A comment that somebody writes on a new task."""
    task = task or await cast.add_task()
    path = f"/boards/{task['board_id']}/tasks/{task['id']}/comments"
    said: dict[str, Any] = (await by.post(path, {"message": message})).ok()
    return said


async def elsewhere(cast: Cast) -> dict[str, Any]:
    """A task on the other board."""
    task: dict[str, Any] = (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Sweep"})).ok()
    return task


async def test_comments_of_people_and_agents(cast: Cast) -> None:
    await Agent.filter(id=cast.vega.id).update(identity_profile={"role": " Observer "})
    by_agent = await say(cast, cast.vega, "Seen.")
    by_person = await say(cast, cast.cleo, "Thanks.")
    listed = (await cast.dan.get(FEED)).ok()
    assert list(listed) == ["items", "total", "limit", "offset"] and listed["total"] == 2
    person, agent = listed["items"]
    assert list(person) == KEYS
    assert (agent["id"], agent["message"], agent["created_at"]) == (by_agent["id"], "Seen.", by_agent["created_at"])
    assert (agent["agent_id"], agent["agent_name"], agent["agent_role"]) == (str(cast.vega.id), "Vega", "Observer")
    assert (agent["task_title"], agent["board_name"], agent["author"]) == ("Write the report", "Telescope", None)
    assert (person["id"], person["agent_id"], person["agent_name"]) == (by_person["id"], None, None)
    assert person["author"] == {"id": str(cast.cleo.id), "name": "Cleo"}
    assert ids((await cast.dan.get(f"{FEED}?limit=1&offset=1")).ok()["items"]) == [by_agent["id"]]


@pytest.mark.parametrize("profile", [None, {}, {"role": "  "}, {"role": 5}, {"role": None}])
async def test_comment_of_an_agent_without_a_role(cast: Cast, profile: Any) -> None:
    await Agent.filter(id=cast.vega.id).update(identity_profile=profile)
    await say(cast, cast.vega, "Seen.")
    [one] = (await cast.ada.get(FEED)).ok()["items"]
    assert one["agent_role"] is None


async def test_feed_holds_existing_comments_of_readable_boards(cast: Cast) -> None:
    here, there = await say(cast, cast.ada, "Here."), await say(cast, cast.ada, "There.", await elsewhere(cast))
    assert ids((await cast.ada.get(FEED)).ok()["items"]) == [there["id"], here["id"]]
    assert ids((await cast.ada.get(f"{FEED}?board_id={cast.board.id}")).ok()["items"]) == [here["id"]]
    assert ids((await cast.cleo.get(FEED)).ok()["items"]) == [here["id"]]
    assert (await cast.eve.get(FEED)).ok()["total"] == 0
    await Comment.filter(id=there["id"]).update(message="  ")
    cache.clear()  # no event says so
    assert (await cast.ada.get(FEED)).ok()["total"] == 1
    (await cast.ada.delete(cast.task(here["task_id"]))).ok()
    assert (await cast.ada.get(FEED)).ok()["total"] == 0


async def test_feed_is_only_for_people(cast: Cast) -> None:
    for path in (FEED, f"{FEED}/stream"):
        for caller in (cast.nobody, cast.atlas):
            assert (await caller.get(path)).refused(401) == "Unauthorized"


async def test_stream_sends_new_comments(cast: Cast) -> None:
    sweep = await elsewhere(cast)
    async with (
        reading(cast.ada, f"{FEED}/stream") as all_boards,
        reading(cast.ada, f"{FEED}/stream?board_id={cast.board.id}") as one_board,
        reading(cast.cleo, f"{FEED}/stream") as member,
    ):
        there = await say(cast, cast.ada, "There.", sweep)
        here = await say(cast, cast.vega, "Here.")
        messages = await all_boards.take(2)
        assert [(one.event, list(one.data), one.data["comment"]["id"]) for one in messages] == [
            ("comment", ["comment"], there["id"]), ("comment", ["comment"], here["id"]),
        ]  # fmt: skip
        newest = (await cast.ada.get(FEED)).ok()["items"][0]
        assert messages[1].data["comment"] == newest
        assert await one_board.take(1) == await member.take(1) == messages[1:]
        await one_board.silent()
        await member.silent()


async def test_stream_resumes_where_it_was_cut(cast: Cast) -> None:
    start, said = await head(cast), await say(cast, cast.ada, "Meanwhile.")
    async with reading(cast.dan, f"{FEED}/stream", Last_Event_ID=str(start)) as stream:
        assert (await stream.next()).data["comment"]["id"] == said["id"]
        await stream.silent()


async def test_rights_are_checked_when_a_comment_is_sent(cast: Cast) -> None:
    sweep, task = await elsewhere(cast), await cast.add_task()
    member = await Member.get(user_id=cast.cleo.id)
    async with reading(cast.cleo, f"{FEED}/stream") as stream:
        await BoardAccess.filter(organization_member_id=member.id).delete()
        await BoardAccess.create(organization_member_id=member.id, board_id=cast.other_board.id)
        lookups.recheck_streams()
        await say(cast, cast.ada, "No longer.", task)
        there = await say(cast, cast.ada, "From now on.", sweep)
        assert (await stream.next()).data["comment"]["id"] == there["id"]
        await member.delete()
        lookups.recheck_streams()
        await say(cast, cast.ada, "A secret.", sweep)
        await stream.ended()
