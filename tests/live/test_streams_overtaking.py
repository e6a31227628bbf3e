"""A task that a person makes over the API comes to that person's own stream after the answer, and to others at once."""

import asyncio
import contextlib
from typing import Any

import pytest
from quart import Response

from mission_control.core.times import travelled
from mission_control.events import stream as live_stream
from mission_control.http import operation as operation_module
from mission_control.http.retries import written
from tests.cast import Cast
from tests.live.reading import reading

pytestmark = pytest.mark.dialect


class Answering:
    """The moment that is waited for, in the hands of a test."""

    def __init__(self) -> None:
        self.begun, self.over = asyncio.Event(), asyncio.Event()
        self.times = 0

    async def wait(self) -> None:
        self.times += 1
        self.begun.set()
        await asyncio.wait_for(self.over.wait(), 60)


class SlowAnswer:
    """A write that has committed, and whose answer the test lets go."""

    def __init__(self) -> None:
        self.has_written, self.may_answer = asyncio.Event(), asyncio.Event()

    async def written(self, *given: Any) -> Response:
        response = await written(*given)
        self.has_written.set()
        await asyncio.wait_for(self.may_answer.wait(), 60)
        return response


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """Streams that hold something back until the test lets them go on."""
    found = Answering()
    monkeypatch.setattr(live_stream, "_let_answer_arrive", found.wait)
    return found


async def test_own_event_waits_for_its_response(cast: Cast, answering: Answering) -> None:
    path = f"{cast.tasks}/stream"
    async with reading(cast.cleo, path) as own, reading(cast.ada, path) as other, reading(cast.vega, path) as agent:
        first = await cast.add_task(title="First")  # Ada's
        made = (await cast.cleo.post(cast.tasks, {"title": "Mine"})).ok()
        (await cast.ada.patch(cast.task(first), {"title": "Changed"})).ok()
        answering.over.set()
        kinds = ["task.created", "task.created", "task.updated"]
        for stream in (own, other, agent):
            messages = await stream.take(3)
            assert [one.data["type"] for one in messages] == kinds
            assert messages[1].data["task"] == made
    assert answering.times == 2  # Ada's task on Ada's stream, Cleo's on Cleo's


async def test_other_streams_do_not_wait(cast: Cast, answering: Answering) -> None:
    path = f"{cast.tasks}/stream"
    async with reading(cast.cleo, path) as own, reading(cast.dan, path) as other, reading(cast.vega, path) as agent:
        made = (await cast.cleo.post(cast.tasks, {"title": "Mine"})).ok()
        await asyncio.wait_for(answering.begun.wait(), 60)
        for stream in (other, agent):
            assert (await stream.next()).data["task"]["id"] == made["id"]
        await own.silent()
        answering.over.set()
        assert (await own.next()).data["task"]["id"] == made["id"]


async def test_agents_and_old_events_do_not_wait(cast: Cast, answering: Answering) -> None:
    path = f"{cast.tasks}/stream"
    old = (await cast.cleo.post(cast.tasks, {"title": "Old"})).ok()
    async with reading(cast.atlas, path) as agent:
        (await cast.atlas.post(f"/agent{cast.tasks}", {"title": "An agent's"})).ok()
        assert (await agent.next()).data["task"]["title"] == "An agent's"
    with travelled(live_stream.ANSWERED_WITHIN * 2):
        async with reading(cast.cleo, f"{path}?since={old['created_at']}") as own:
            assert (await own.next()).data["task"]["id"] == old["id"]
    assert answering.times == 0


async def test_own_event_waits_while_its_request_has_no_answer(
    cast: Cast, answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer may take long after the commit, on a busy server: the wait begins when it was sent."""
    answering.over.set()
    slow = SlowAnswer()
    monkeypatch.setattr(operation_module, "written", slow.written)
    async with reading(cast.cleo, f"{cast.tasks}/stream") as own, reading(cast.dan, f"{cast.tasks}/stream") as other:
        post = asyncio.create_task(cast.cleo.post(cast.tasks, {"title": "Mine"}))
        assert (await other.next()).data["task"]["title"] == "Mine"
        await asyncio.wait_for(slow.has_written.wait(), 60)
        await asyncio.sleep(0.05)
        assert answering.times == 0
        slow.may_answer.set()
        made = (await post).ok()
        assert (await own.next()).data["task"] == made
        assert answering.times == 1


async def test_tasks_made_at_once_wait_for_all_their_answers(
    cast: Cast, answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowAnswer()
    async with reading(cast.cleo, f"{cast.tasks}/stream") as own:
        await cast.cleo.post(cast.tasks, {"title": "First"})
        await asyncio.wait_for(answering.begun.wait(), 60)
        await cast.cleo.post(cast.tasks, {"title": "Second"})  # the stream may take it together with the third
        monkeypatch.setattr(operation_module, "written", slow.written)
        post = asyncio.create_task(cast.cleo.post(cast.tasks, {"title": "Third"}))
        await asyncio.wait_for(slow.has_written.wait(), 60)
        answering.over.set()
        titles = list[str]()
        with contextlib.suppress(TimeoutError):
            while True:
                titles.append((await asyncio.wait_for(own.next(), 0.2)).data["task"]["title"])
        assert titles in (["First"], ["First", "Second"])
        slow.may_answer.set()
        (await post).ok()
        titles += [message.data["task"]["title"] for message in await own.take(3 - len(titles))]
        assert titles == ["First", "Second", "Third"]
