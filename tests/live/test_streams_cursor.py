"""Where a stream begins, and that a cut one goes on without a gap and without a repeat."""

import asyncio
from datetime import timedelta
from urllib.parse import quote

import pytest

from mission_control.events.commands import transact
from mission_control.events.models import Event
from mission_control.events.unit_of_work import record
from tests.cast import Cast, head
from tests.live.reading import reading

pytestmark = pytest.mark.dialect


async def history(cast: Cast) -> list[Event]:
    """Three tasks that were there before the stream; their events."""
    for number in range(3):
        await cast.add_task(title=str(number))
        await asyncio.sleep(0.002)
    return await Event.filter(kind="task.created").order_by("seq")


async def numbers(cast: Cast, query: str, count: int, **headers: str) -> list[int | None]:
    """The numbers of the first messages of a stream, of which the last is a new task's."""
    async with reading(cast.dan, f"{cast.tasks}/stream{query}", **headers) as stream:
        await cast.add_task(title="new")
        messages = await stream.take(count)
        assert messages[-1].data["task"]["title"] == "new"
        await stream.silent()
    return [one.id for one in messages]


async def test_since_is_inclusive_in_every_spelling(cast: Cast) -> None:
    events = await history(cast)
    moment = events[1].created_at
    spellings = [
        moment.isoformat(),
        moment.isoformat() + "Z",
        moment.isoformat() + "+00:00",
        (moment + timedelta(hours=2)).isoformat() + "+02:00",
        moment.isoformat(sep=" "),
    ]
    escaped = [quote(since) for since in spellings]
    escaped.append(moment.isoformat() + "+00:00")  # a plain plus means a space in an address
    escaped.append((moment + timedelta(hours=2)).isoformat(sep="+") + "+0200")
    expected = [one.seq for one in events[1:]]
    for number, since in enumerate(escaped, start=1):
        found = await numbers(cast, f"?since={since}", len(expected) + number)
        assert found[: len(expected)] == expected


async def test_cursor_with_milliseconds_loses_nothing(cast: Cast) -> None:
    events = await history(cast)
    since = events[2].created_at.isoformat(timespec="milliseconds") + "Z"
    assert (await numbers(cast, f"?since={since}", 2))[0] == events[2].seq


@pytest.mark.parametrize("query", [
    "", "?since=", "?since=null", "?since=yesterday", "?since=2026-13-01",
    "?after=", "?after=x", "?after=-1", "?after=1.5", "?after=99999999999999999999",
    f"?after={'9' * 5000}",
    "?since=9999-12-31T23:59:59-23:00", "?since=2999-01-01T00:00:00Z",
])  # fmt: skip
async def test_other_cursors_mean_now(cast: Cast, query: str) -> None:
    await history(cast)
    assert len(await numbers(cast, query, 1)) == 1


async def test_after_is_exclusive(cast: Cast) -> None:
    events = await history(cast)
    assert (await numbers(cast, f"?after={events[0].seq}", 3))[:2] == [events[1].seq, events[2].seq]
    assert (await numbers(cast, "?after=0", 5))[:3] == [one.seq for one in events]


async def test_cursor_precedence(cast: Cast) -> None:
    first, second, third = await history(cast)
    long_ago, last = "since=2020-01-01", {"Last_Event_ID": str(second.seq)}
    assert (await numbers(cast, f"?after=0&{long_ago}", 2, **last))[0] == third.seq
    assert (await numbers(cast, f"?after={second.seq}&{long_ago}", 3))[0] == third.seq
    assert (await numbers(cast, f"?after={first.seq}", 5, Last_Event_ID="nonsense"))[0] == second.seq


async def test_approval_and_agent_streams_resume(cast: Cast) -> None:
    asked = await cast.ask(cast.vega)
    async with reading(cast.dan, f"{cast.approvals}/stream?after=0") as stream:
        assert (await stream.next()).data["approval"]["id"] == asked["id"]
        await stream.silent()
    async with reading(cast.ada, "/agents/stream?after=0") as stream:
        names = [one.data["agent"]["name"] for one in await stream.take(4)]
    assert names == ["Atlas", "Vega", "Rigel Orion", "Mira"]


async def test_resumed_stream_repeats_and_loses_nothing(cast: Cast) -> None:
    path, taken = f"{cast.tasks}/stream", []
    task = await cast.add_task()
    last = await head(cast)
    made = 0
    for cut in range(4):
        change = [cast.ada.patch(cast.task(task), {"title": f"{cut} {number}"}) for number in range(5)]
        async with reading(cast.dan, path, Last_Event_ID=str(last)) as stream:
            await asyncio.gather(*change)
            made += len(change)
            taken += [one.id for one in await stream.take(3)]
            last = taken[-1] or 0
    async with reading(cast.dan, path, Last_Event_ID=str(last)) as stream:
        taken += [one.id for one in await stream.take(made - len(taken))]
        await stream.silent()
    changes = await Event.filter(kind="task.updated").order_by("seq")
    assert taken == [one.seq for one in changes]


async def test_readers_see_the_same_order(cast: Cast) -> None:
    path = f"{cast.tasks}/stream"
    async with reading(cast.dan, path) as one, reading(cast.vega, path) as other:
        await asyncio.gather(*(cast.add_task(title=str(number)) for number in range(20)))
        first, second = await one.take(20), await other.take(20)
    assert [message.id for message in first] == [message.id for message in second]
    assert sorted(message.id or 0 for message in first) == [message.id for message in first]


async def test_long_replay_is_complete(cast: Cast) -> None:
    task = await cast.add_task()
    before, actor = await head(cast), await cast.ada.actor()
    scope = cast.board.scope()

    async def work() -> None:
        for number in range(1200):
            record("task.updated", scope, f"{task['title']} {number}", event_id=None)

    await transact(actor, work)
    async with reading(cast.dan, f"{cast.tasks}/stream?after={before}") as stream:
        messages = await stream.take(1200)
        await stream.silent()
    assert [one.id for one in messages] == list(range(before + 1, before + 1201))


async def test_replay_brings_no_deleted_or_archived_task_back(cast: Cast) -> None:
    gone = await cast.add_task(title="Gone")
    (await cast.ada.patch(cast.task(gone), {"title": "Gone soon"})).ok()
    await cast.add_task(title="Away", status="done")
    stays = await cast.add_task(title="Stays")
    async with reading(cast.dan, f"{cast.tasks}/stream?since={gone['created_at']}") as stream:
        live = await stream.take(4)  # and with that, what several readers share
        assert [one.data["task"]["title"] for one in live] == ["Gone soon", "Gone soon", "Away", "Stays"]
        (await cast.ada.delete(cast.task(gone))).ok()
        (await cast.ada.post(f"{cast.home}/archivals", {"done_before": "2999-01-01T00:00:00Z"})).ok()
        assert [one.data["task"] for one in await stream.take(2)] == [None, None]
    for caller in (cast.dan, cast.vega):
        async with reading(caller, f"{cast.tasks}/stream?since={gone['created_at']}") as stream:
            told = [(one.data["type"], one.data["task"]) for one in await stream.take(6)]
            await stream.silent()
        assert [kind for kind, _ in told] == [
            "task.created", "task.updated", "task.created", "task.created", "task.deleted", "task.archived",
        ]  # fmt: skip
        assert [task["id"] for _, task in told if task] == [stays["id"]]


async def test_replay_brings_no_deleted_agent_back(cast: Cast) -> None:
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"name": "Vega II"})).ok()
    (await cast.ada.delete(f"/agents/{cast.vega.id}")).ok()
    async with reading(cast.ada, "/agents/stream?since=2020-01-01") as stream:
        told = [one.data for one in await stream.take(4)]
        await stream.silent()
    assert [one["agent"]["name"] for one in told if one["agent"]] == ["Atlas", "Rigel Orion", "Mira"]
    assert told[-1] == {"agent": None, "deleted_agent_id": str(cast.vega.id)}
