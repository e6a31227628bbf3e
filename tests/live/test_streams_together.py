"""What happens within a moment is read once, and goes to each reader in one piece."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from mission_control.core.values import new_id
from mission_control.events import stream
from mission_control.events.broker import Broker, Subscription
from mission_control.events.models import Event
from mission_control.events.shared_reads import Shared
from mission_control.http import lookups
from tests.cast import Cast, head
from tests.live.reading import reading as listen
from tests.statements import OF_SIGNING_IN, counted

pytestmark = pytest.mark.dialect

LONG = 3600.0
# Each reader asks once for what it missed, which may be after its first word.
AT_THE_BEGINNING = (*OF_SIGNING_IN, 'FROM "events"')


@asynccontextmanager
async def reading(cast: Cast, debounce: float) -> AsyncIterator[tuple[Broker, Subscription]]:
    """A broker of its own that hears nothing by itself, and a reader of the cast's organization."""
    broker = Broker(None, debounce)
    pump = asyncio.create_task(broker._pump())
    async with broker.subscribe(cast.organization.id) as reader:
        yield broker, reader
    pump.cancel()
    await asyncio.gather(pump, return_exceptions=True)


async def numbers(reader: Subscription, upto: int) -> list[int]:
    found: list[int] = []
    async with asyncio.timeout(60):
        while upto not in found:
            found += [one.seq for one in await reader.take(1) if isinstance(one, Event)]
    return found


async def change(cast: Cast, broker: Broker) -> int:
    """A task more, of which the broker is told; the number of its event."""
    await cast.add_task()
    broker.wake(cast.organization.id)
    await asyncio.sleep(0)
    return await head(cast)


async def test_first_change_is_sent_at_once_and_the_next_are_batched(cast: Cast) -> None:
    with counted() as found:
        async with reading(cast, LONG) as (broker, reader):
            first = await change(cast, broker)
            assert await numbers(reader, first) == [first]
            for _ in range(5):
                await change(cast, broker)
            await asyncio.sleep(0.05)
            assert not reader.queue
    assert len([text for text in found if 'FROM "events"' in text and '"seq">' in text]) == 1


async def test_events_during_debounce_follow_it(cast: Cast) -> None:
    async with reading(cast, 0.05) as (broker, reader):
        first = await change(cast, broker)
        for _ in range(9):
            last = await change(cast, broker)
        assert await numbers(reader, last) == list(range(first, last + 1))


async def test_signal_does_not_overtake_earlier_events(cast: Cast) -> None:
    async with reading(cast, 0.05) as (broker, reader):
        first = await change(cast, broker)
        await numbers(reader, first)
        for _ in range(20):
            last = await change(cast, broker)
            broker.signal(cast.organization.id, {"after": last})
        found: list[Any] = []
        async with asyncio.timeout(60):
            while {"after": last} not in found:
                found += await reader.take(1)
    seen = first
    for one in found:
        if isinstance(one, Event):
            seen = one.seq
        else:
            assert one["after"] <= seen


async def test_signal_alone_is_sent_at_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    async with reading(cast, 0.0) as (broker, reader):
        broker.signal(cast.organization.id, {"number": 1})
        assert reader.queue.popleft() == {"number": 1}
        hand_out = broker._deliver_events

        async def slowly(organization_id: UUID) -> None:
            broker.signal(organization_id, {"number": 2})
            monkeypatch.setattr(broker, "_deliver_events", hand_out)
            raise OSError("the database is away")

        monkeypatch.setattr(broker, "_deliver_events", slowly)
        last = await change(cast, broker)
        async with asyncio.timeout(60):
            found = await reader.take(20)
            while {"number": 2} not in found:
                found += await reader.take(20)
    assert [getattr(one, "seq", None) for one in found] == [last, None]


async def note(cast: Cast, path: str) -> None:
    (await cast.ada.post(path, {"content": "Hello.", "tags": []})).ok()


async def say(cast: Cast, path: str) -> None:
    """A comment on the board's only task."""
    [task] = (await cast.ada.get(cast.tasks)).ok()["items"]
    (await cast.ada.post(f"{cast.task(task)}/comments", {"message": "Hello."})).ok()


async def hire(cast: Cast, path: str) -> None:
    (await cast.ada.post(path, {"name": new_id().hex, "board_id": str(cast.board.id)})).ok()


STREAMS: dict[str, tuple[str, Callable[[Cast, str], Coroutine[Any, Any, None]]]] = {
    "tasks": ("{board}/tasks", say),
    "memory": ("{board}/memory", note),
    "a group's memory": ("{group}/memory", note),
    "memory around a board": ("{board}/group-memory", note),
    "comments": ("/activity/task-comments", say),
    "agents": ("/agents", hire),
}


@pytest.mark.parametrize("what", STREAMS)
async def test_eight_readers_cost_no_more_statements_than_two(cast: Cast, what: str) -> None:
    group = (await cast.ada.post("/board-groups", {"name": "Group", "slug": "group"})).ok()
    (await cast.ada.patch(cast.home, {"board_group_id": group["id"]})).ok()
    await cast.add_task()
    outside = contextvars.copy_context()
    path, act = STREAMS[what]
    path = path.format(board=cast.home, group=f"/board-groups/{group['id']}")
    costs = []
    for readers in (2, 8):
        async with AsyncExitStack() as stack:
            with counted(passing_over=AT_THE_BEGINNING) as found:
                streams = [await stack.enter_async_context(listen(cast.ada, f"{path}/stream")) for _ in range(readers)]
                lookups.recheck_streams()
                found.clear()
                written = f"/board-groups/{group['id']}/memory" if what == "memory around a board" else path
                await asyncio.create_task(act(cast, written), context=outside)
                for one in streams:
                    await one.next()
                costs.append(list(found))
    # What a moment tells may reach them in two batches, and rights are read anew in each: not by each reader.
    assert len(costs[0]) > 0 and len(costs[1]) < len(costs[0]) + 6, costs


async def test_concurrent_rights_checks_share_one_read(cast: Cast) -> None:
    actor = await cast.ada.actor()
    lookups.recheck_streams()
    with counted() as one:
        await lookups.fresh(actor)
    lookups.recheck_streams()
    with counted() as many:
        found = await asyncio.gather(*(lookups.fresh(actor) for _ in range(20)))
    assert len(many) == len(one) > 0 and len({id(each) for each in found}) == 1


@pytest.mark.parametrize(("size", "pieces"), [(1, 1), (stream.PIECE // 2, 2), (stream.PIECE, 4)])
async def test_large_batches_are_sent_in_parts(size: int, pieces: int) -> None:
    async def payload(said: Any) -> bytes:
        return b"%d" % said["number"] * size

    notes: list[dict[str, Any]] = [{"number": number} for number in range(4)]
    found = [piece async for piece in stream._pieces(stream.Batch(signals=notes), "said", payload, payload)]
    whole = [stream.json_message(await payload(one), "said", None) for one in notes]
    assert len(found) == pieces and b"".join(found) == b"".join(whole)


async def test_unsent_events_make_no_part() -> None:
    async def payload(said: Any) -> None:
        return None

    batch = stream.Batch([Event(seq=1)], [{"number": 1}])
    assert [piece async for piece in stream._pieces(batch, "said", payload, payload)] == []
    assert [piece async for piece in stream._pieces(batch, "said", payload, None)] == []


async def test_cancelled_waiter_does_not_cancel_shared_work() -> None:
    shared: Shared[int] = Shared()
    goes_on, made = asyncio.Event(), 0

    async def work() -> int:
        nonlocal made
        await goes_on.wait()
        made += 1
        return made

    waiting = [asyncio.create_task(shared.get("key", work)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    goes_on.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError) and found[1:] == [1, 1]
    assert await shared.get("key", work) == 1


async def test_failed_shared_work_fails_its_waiters_and_is_retried() -> None:
    shared: Shared[int] = Shared()

    async def fail() -> int:
        await asyncio.sleep(0)
        raise OSError("the database is away")

    async def work() -> int:
        return 1

    found = await asyncio.gather(*(shared.get("key", fail) for _ in range(2)), return_exceptions=True)
    assert [str(one) for one in found] == ["the database is away"] * 2
    assert await shared.get("key", work) == 1
