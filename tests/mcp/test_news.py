"""What is new for an agent rides on what its tools answer, for programs and in a line for models."""

from typing import Any

import pytest
from mcp_types import CallToolResult, TextContent

from tests.cast import Cast
from tests.claiming import taken
from tests.mcp.clients import ERAS, connected


async def note(cast: Cast, task: Any, text: str) -> None:
    (await cast.ada.post(f"{cast.task(task)}/notes", {"text": text})).ok()


async def state_of(cast: Cast, task: Any) -> Any:
    return (await cast.ada.get(f"{cast.task(task)}/notes")).ok()["items"][0]["state"]


def last_line(result: CallToolResult) -> str:
    """The line that a model reads last."""
    last = result.content[-1]
    assert isinstance(last, TextContent)
    return last.text


@pytest.mark.parametrize("mode", ERAS)
async def test_note_rides_on_what_a_tool_answers(cast: Cast, mode: str) -> None:
    await cast.add_task(title="Point the mirror")
    task = await taken(cast)
    async with connected(cast.vega, mode) as vega:
        await vega.ok("recall")
        assert "news" not in await vega.ok("recall")
        await note(cast, task, "Use the new table.")
        told = await vega.shown("comment", task_id=task["id"], message="So far.")
        assert told.structured_content is not None
        [item] = told.structured_content["news"]["items"]
        assert item["kind"] == "note"
        assert last_line(told) == f"News. Note from Ada #{task['number']} Point the mirror: Use the new table."
        assert await state_of(cast, task) == "offered"
        assert "news" not in await vega.ok("recall") and await state_of(cast, task) == "taken"
        await vega.ok("comment", task_id=task["id"], message="Done so.")
        assert await state_of(cast, task) == "read"


async def test_refusal_of_a_tool_says_stop(cast: Cast) -> None:
    await cast.add_task()
    task = await taken(cast)
    async with connected(cast.vega) as vega:
        for _ in range(2):
            await vega.ok("recall")
        (await cast.ada.post(f"{cast.task(task)}/stop", {"reason": "The dome is closed."})).ok()
        refused = await vega.call("give_back", task_id=task["id"], fence=task["lease"]["fence"], reason="No.")
        assert refused.is_error and refused.structured_content is None
        assert last_line(refused).startswith("News. Stop: Stopped by Ada: The dome is closed. Task stopped")
    [run] = (await cast.ada.get(f"{cast.task(task)}/runs")).ok()["items"]
    assert run["notified_at"] is not None


async def test_reading_the_inbox_tells_nothing_twice(cast: Cast) -> None:
    task = await cast.add_task(assigned_agent_id=str(cast.atlas.id), status="review")
    async with connected(cast.atlas) as atlas:
        read = await atlas.ok("read_inbox")
        assert "news" not in read and read["items"][0]["task_id"] == task["id"]
        assert (await atlas.ok("list_tasks"))["news"]["items"]  # it was not acknowledged
        assert (await atlas.ok("read_inbox"))["items"]
        assert (await atlas.ok("read_inbox", after=read["next"]))["items"] == []
        assert "news" not in await atlas.ok("list_tasks")


async def test_people_have_no_news(cast: Cast) -> None:
    async with connected(cast.ada) as ada:
        assert "news" not in await ada.ok("list_boards")
