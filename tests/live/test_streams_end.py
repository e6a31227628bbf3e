"""How streams end and what keeps them open: pings, lost rights, deleted boards, slow readers, many readers."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from mission_control.events import broker, stream
from mission_control.events.broker import QUEUE_SIZE
from mission_control.events.commands import transact
from mission_control.events.unit_of_work import record
from mission_control.http import lookups
from mission_control.people.accounts.credentials import revoke_personal_token
from mission_control.people.models import BoardAccess, Token
from tests.cast import Cast
from tests.live.reading import reading

pytestmark = pytest.mark.dialect

STREAMS = ("{cast.tasks}/stream", "{cast.approvals}/stream", "{cast.home}/memory/stream")


async def test_quiet_stream_sends_keepalive_comments(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PING_SECONDS", 0.01)
    async with reading(cast.dan, f"{cast.tasks}/stream") as quiet:
        while len(quiet.comments) < 4:
            await quiet._read()
        assert all(one.startswith(": ping - ") for one in quiet.comments)
        task = await cast.add_task()
        assert (await quiet.next()).data["task"]["id"] == task["id"]


async def test_revoked_personal_token_ends_the_stream(cast: Cast) -> None:
    async with reading(cast.dan, f"{cast.tasks}/stream") as ends, reading(cast.cleo, f"{cast.tasks}/stream") as stays:
        await revoke_personal_token(await cast.dan.actor(), await Token.get(id=cast.dan.token_id))
        task = await cast.add_task()
        await ends.ended()
        assert (await stays.next()).data["task"]["id"] == task["id"]


@pytest.mark.parametrize("what", ["token", "agent"])
async def test_revoked_token_and_deleted_agent_end_the_stream(cast: Cast, what: str) -> None:
    tail = f"/tokens/{(await Token.get(agent_id=cast.vega.id)).id}" if what == "token" else ""
    async with reading(cast.vega, f"{cast.tasks}/stream") as ends:
        (await cast.ada.delete(f"/agents/{cast.vega.id}{tail}")).ok()
        await ends.ended()


async def test_moved_agent_ends_its_stream(cast: Cast) -> None:
    async with reading(cast.vega, f"{cast.tasks}/stream") as ends:
        (await cast.ada.patch(f"/agents/{cast.vega.id}", {"board_id": str(cast.other_board.id)})).ok()
        await cast.add_task()
        await ends.ended()


async def test_revoked_access_ends_the_stream(cast: Cast) -> None:
    async with reading(cast.dan, f"{cast.approvals}/stream") as ends:
        await BoardAccess.all().delete()
        lookups.recheck_streams()
        await cast.ask(cast.vega)
        await ends.ended()


async def test_deleted_board_ends_its_streams(cast: Cast) -> None:
    async with (
        reading(cast.dan, f"{cast.tasks}/stream") as tasks,
        reading(cast.vega, f"{cast.approvals}/stream") as asks,
    ):
        (await cast.ada.delete(cast.home)).ok()
        await tasks.ended()
        await asks.ended()


async def test_slow_reader_is_disconnected_and_resumes(cast: Cast) -> None:
    running = broker.current()
    assert running is not None
    async with running.subscribe(cast.organization.id) as slow:
        actor, scope = await cast.ada.actor(), cast.board.scope()

        async def work() -> None:
            for number in range(QUEUE_SIZE + 1):
                record("task.updated", scope, str(number))

        await transact(actor, work)
        while not slow.overflowed:
            await asyncio.sleep(0.01)
        assert len(slow.queue) == QUEUE_SIZE


async def test_stopping_server_ends_all_streams(cast: Cast) -> None:
    running = broker.current()
    assert running is not None
    async with reading(cast.dan, f"{cast.tasks}/stream") as ends:
        for readers in running._readers.values():
            for reader in readers:
                reader.close()
        await ends.ended()


async def test_stream_ends_after_its_maximum_age(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LIFE_SECONDS", 0.01)
    monkeypatch.setattr(stream, "PING_SECONDS", 0.01)
    async with reading(cast.dan, f"{cast.tasks}/stream") as ends:
        await ends.ended()


async def test_disconnect_unsubscribes(cast: Cast) -> None:
    running = broker.current()
    assert running is not None
    before = running.reader_count
    async with reading(cast.dan, f"{cast.tasks}/stream"):
        while running.reader_count != before + 1:
            await asyncio.sleep(0.01)
    assert running.reader_count == before


async def test_streams_hold_no_database_connection(cast: Cast) -> None:
    async with AsyncExitStack() as stack:
        path = f"{cast.tasks}/stream"
        streams = [await stack.enter_async_context(reading(cast.dan, path)) for _ in range(100)]
        assert cast.app.config["SETTINGS"].db_pool_size < len(streams)
        answers = await asyncio.gather(*(cast.ada.get(cast.tasks) for _ in range(30)))
        assert {one.status for one in answers} == {200}
        task = await cast.add_task()
        messages = await asyncio.gather(*(one.next() for one in streams))
    assert {one.data["task"]["id"] for one in messages} == {task["id"]}


async def test_foreign_events_do_not_silence_the_keepalive(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """News of another board ends the wait of a stream before it is over, again and again, and sends nothing."""
    monkeypatch.setattr(stream, "PING_SECONDS", 0.2)
    actor, elsewhere = await cast.ada.actor(), cast.other_board.scope()

    async def work() -> None:
        record("task.updated", elsewhere, "Something on another board")

    async def keep_changing() -> None:
        while True:
            await transact(actor, work)
            await asyncio.sleep(0.01)

    for path in STREAMS:
        async with reading(cast.ada, path.format(cast=cast)) as quiet:
            foreign = asyncio.create_task(keep_changing())
            try:
                while len(quiet.comments) < 3:
                    await asyncio.wait_for(quiet._read(), 10)
            finally:
                foreign.cancel()
                await asyncio.gather(foreign, return_exceptions=True)
            assert not quiet.seen
