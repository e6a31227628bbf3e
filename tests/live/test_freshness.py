"""Rights that change while streams are open: what was read before the change is not believed after it."""

from typing import Any
from uuid import UUID

import orjson
import pytest
from quart import Quart

from mission_control.boards.models import Board
from mission_control.events import broker, commands, wakeup_channels
from mission_control.events.commands import atomically
from mission_control.http import lookups
from mission_control.http.lookups import Caller, Credential, fresh, recheck_streams
from mission_control.people.models import BoardAccess
from mission_control.tasks.snapshots.streams import stream_of_tasks
from tests.cast import Cast


async def test_a_look_up_during_a_change_of_rights_is_done_again(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    dan, looks = await cast.dan.actor(), 0

    async def look(credential: Credential, user_id: UUID | None) -> Caller | None:
        nonlocal looks
        looks += 1
        if looks == 1:
            recheck_streams()  # the change is committed after this look has begun
            return Caller(credential, dan)
        return None

    monkeypatch.setattr(lookups, "by_credential", look)
    assert await fresh(dan) is None
    assert await fresh(dan) is None and looks == 2


async def test_cached_rights_are_dropped_on_commit(cast: Cast) -> None:
    dan = await cast.dan.actor()
    assert await fresh(dan) is not None
    known = dict(lookups._fresh)

    async def work() -> None:
        await BoardAccess.all().delete()
        recheck_streams()
        lookups._fresh.update(known)  # as somebody who looks before the commit keeps it

    await atomically(await cast.ada.actor(), work)
    current = await fresh(dan)
    assert current is not None and not current.reads(cast.board)


@pytest.mark.parametrize("sender", ["another", wakeup_channels.PROCESS], ids=["another", "own"])
async def test_changes_of_all_processes_are_applied_in_order(cast: Cast, sender: str) -> None:
    running = broker.current()
    assert running is not None and await fresh(await cast.dan.actor()) is not None
    running._hear(orjson.dumps({"channels": [lookups.CHANNEL], "from": sender}).decode())
    assert not lookups._fresh


async def test_changed_rights_notify_other_processes(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    carried: set[str] = set()

    def messages(signals: Any, names: Any) -> list[str]:
        carried.update(names)
        return []

    monkeypatch.setattr(f"{commands.__name__}.messages", messages)
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"board_id": str(cast.other_board.id)})).ok()
    assert lookups.CHANNEL in carried


async def test_slow_reader_gets_nothing_after_losing_its_rights(app: Quart, cast: Cast) -> None:
    for _ in range(3):
        await cast.add_task()
    path = f"/?after={(await Board.get(id=cast.board.id).select_related('organization')).organization.log_seq - 3}"
    async with app.test_request_context(path):
        response = await stream_of_tasks(await cast.dan.actor(), cast.board)
    async with response.response as body:
        messages = aiter(body)
        assert [(await anext(messages))[:6] for _ in range(2)] == [b": ping", b"event:"]
        await BoardAccess.all().delete()
        recheck_streams()
        assert [one async for one in messages] == []
