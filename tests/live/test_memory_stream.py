"""What the memory streams say, to whom, where they begin and when they end."""

from typing import Any

import pytest

from tests.cast import Caller, Cast, apart_from_news, head
from tests.groups.test_groups import made
from tests.live.reading import Stream, reading

pytestmark = pytest.mark.dialect

FAREWELL = {"content": "", "tags": None, "source": None, "author": None, "edited_at": None, "deleted": True}


async def write(by: Caller, path: str, content: str, *tags: str) -> dict[str, Any]:
    return apart_from_news((await by.post(path, {"content": content, "tags": list(tags)})).ok())


async def entries(stream: Stream, count: int) -> list[dict[str, Any]]:
    found = await stream.take(count)
    assert {(one.event, tuple(one.data)) for one in found} == {("memory", ("memory",))}
    return [one.data["memory"] for one in found]


async def test_stream_sends_new_changed_and_deleted_entries(cast: Cast) -> None:
    path = f"{cast.home}/memory"
    async with reading(cast.dan, f"{path}/stream") as people, reading(cast.vega, f"{path}/stream") as agent:
        entry = await write(cast.ada, path, "Hello.", "chat")
        assert await entries(people, 1) == [entry]
        changed = (await cast.ada.patch(f"{path}/{entry['id']}", {"content": "Good evening."})).ok()
        assert await entries(people, 1) == [changed]
        (await cast.ada.delete(f"{path}/{entry['id']}")).ok()
        assert await entries(people, 1) == [{**entry, **FAREWELL}]
        assert await agent.take(3) == people.seen
        assert [one.id for one in people.seen] == sorted({one.id or 0 for one in people.seen})


async def test_stream_is_limited_to_its_board_and_filter(cast: Cast) -> None:
    path = f"{cast.home}/memory"
    async with (
        reading(cast.ada, f"{path}/stream?is_chat=true") as chat,
        reading(cast.ada, f"{path}/stream?is_chat=false") as notes,
    ):
        await write(cast.ada, f"/boards/{cast.other_board.id}/memory", "Elsewhere", "chat")
        await cast.add_task()
        note = await write(cast.ada, path, "A note")
        message = await write(cast.ada, path, "A message", "chat")
        assert await entries(chat, 1) == [message]
        assert await entries(notes, 1) == [note]
        await chat.silent()
        await notes.silent()


async def test_stream_resumes_where_it_was_cut(cast: Cast) -> None:
    path, start = f"{cast.home}/memory", await head(cast)
    said = [await write(cast.ada, path, text) for text in ("One", "Two")]
    gone = await write(cast.ada, path, "Three")
    (await cast.ada.delete(f"{path}/{gone['id']}")).ok()
    for query, headers in (("", {"Last_Event_ID": str(start)}), (f"?after={start}", {}), ("?since=2020-01-01", {})):
        async with reading(cast.dan, f"{path}/stream{query}", **headers) as stream:
            assert await entries(stream, 3) == [*said, {**gone, **FAREWELL}]
            await stream.silent()
    async with reading(cast.dan, f"{path}/stream?since=null") as stream:
        last = await write(cast.ada, path, "Four")
        assert await entries(stream, 1) == [last]


async def test_deleted_entry_is_not_replayed(cast: Cast) -> None:
    path, start = f"{cast.home}/memory", await head(cast)
    async with reading(cast.dan, f"{path}/stream") as live:
        entry = await write(cast.ada, path, "hunter2")
        assert await entries(live, 1) == [entry]
        (await cast.ada.delete(f"{path}/{entry['id']}")).ok()
        gone = await entries(live, 1)
        async with reading(cast.dan, f"{path}/stream?after={start}") as late:
            assert await entries(late, 1) == gone
            await late.silent()


async def test_stream_ends_with_the_right_to_read(cast: Cast) -> None:
    path = f"{cast.home}/memory"
    async with reading(cast.vega, f"{path}/stream") as stream:
        (await cast.ada.delete(f"/agents/{cast.vega.id}")).ok()
        await write(cast.ada, path, "A secret")
        await stream.ended()


async def test_both_group_streams_carry_an_entry(cast: Cast) -> None:
    path = await made(cast, cast.board, cast.other_board)
    around = f"{cast.home}/group-memory"
    async with (
        reading(cast.dan, f"{path}/memory/stream") as people,
        reading(cast.vega, f"{around}/stream") as agent,
        reading(cast.cleo, f"{around}/stream?is_chat=true") as chat,
    ):
        note = await write(cast.mira, f"/boards/{cast.other_board.id}/group-memory", "Look up")
        message = await write(cast.ada, f"{path}/memory", "Hello", "chat")
        assert await entries(people, 2) == [note, message]
        assert await agent.take(2) == people.seen
        assert await entries(chat, 1) == [message]
        (await cast.mira.delete(f"{path}/memory/{note['id']}")).ok()
        assert await entries(people, 1) == [{**note, **FAREWELL}]
    for caller, path_of, status in (
        (cast.eve, f"{path}/memory/stream", 404), (cast.atlas, f"{path}/memory/stream", 401),
        (cast.nova, f"{around}/stream", 404), (cast.nobody, f"{around}/stream", 401),
    ):  # fmt: skip
        (await caller.get(path_of)).refused(status)


async def test_other_groups_are_left_out(cast: Cast) -> None:
    await made(cast, cast.board)
    away = await made(cast, cast.other_board)
    async with reading(cast.vega, f"{cast.home}/group-memory/stream") as stream:
        await write(cast.ada, f"{away}/memory", "Elsewhere")
        mine = await write(cast.vega, f"{cast.home}/group-memory", "Here")
        assert await entries(stream, 1) == [mine]
    assert (await cast.cleo.get(f"{away}/memory/stream")).refused(404) == "Not Found"


async def test_group_stream_ends_with_the_group_or_membership(cast: Cast) -> None:
    path = await made(cast, cast.board)
    async with (
        reading(cast.dan, f"{path}/memory/stream") as people,
        reading(cast.vega, f"{cast.home}/group-memory/stream") as agent,
    ):
        (await cast.ada.patch(cast.home, {"board_group_id": None})).ok()
        await agent.ended()
        await people.ended()


async def test_stream_of_a_board_without_group_is_silent(cast: Cast) -> None:
    async with reading(cast.vega, f"{cast.home}/group-memory/stream") as stream:
        await write(cast.ada, f"{cast.home}/memory", "Hello", "chat")
        await write(cast.ada, f"{await made(cast, cast.other_board)}/memory", "Elsewhere")
        await stream.silent()
