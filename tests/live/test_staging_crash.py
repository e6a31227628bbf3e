"""Two processes on one database: what one leaves of an import or an erasure when it is killed, the other deletes."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from quart import Quart

from mission_control.boards import staging
from mission_control.boards.models import Board
from mission_control.core.settings import Settings
from mission_control.memory.models import BoardMemory
from mission_control.tasks.models import Comment, Task
from tests.cast import Cast
from tests.gateways.gateways import until
from tests.live.servers import API, Installation, Server
from tests.things import bring

pytestmark = [pytest.mark.dialect, pytest.mark.postgres]

MOMENT = "2026-11-01T10:00:00"
MANY = 3000


@pytest.fixture
async def other(app: Quart, settings: Settings, tmp_path: Path) -> AsyncIterator[Server]:
    home = Installation(tmp_path, settings.database_url)
    async with home.served(SECRET_KEY=settings.secret_key) as server:
        yield server


def large_file() -> dict[str, Any]:
    """A board of many tasks with a comment each."""
    said = {"author": {"kind": "other", "name": "Somebody"}, "created_at": MOMENT, "message": "M"}
    times = {"created_at": MOMENT, "updated_at": MOMENT}
    return {
        "format": "mission-control/board",
        "version": 1,
        "board": {"name": "Large", "slug": "large", "description": "From elsewhere"},
        "tasks": [
            {"number": n, "title": f"T{n}", "position": n, "comments": [said], **times} for n in range(1, MANY + 1)
        ],
    }


async def halfway(board_id: Any, many: int) -> None:
    """Wait until some of the tasks are there, and not all."""

    async def some() -> bool:
        return 0 < await Task.filter(board_id=board_id).count() < many

    await until(some)


async def left(board_id: Any) -> list[int]:
    return [
        await Board.filter(id=board_id).count(),
        await Task.filter(board_id=board_id).count(),
        await Comment.filter(task__board_id=board_id).count(),
        await BoardMemory.filter(board_id=board_id).count(),
    ]


@pytest.mark.thorough
async def test_rest_of_a_killed_import_is_deleted_by_another_process(
    cast: Cast, other: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    other.headers = cast.ada.headers
    async with other.client() as ada:
        looked = (await ada.post(f"{API}/boards/imports", json=large_file())).json()
        (await ada.post(f"{API}/boards/imports/{looked['id']}/starts")).raise_for_status()
        board: Board = await until(lambda: Board.exclude(absent_since=None).first())
        await halfway(board.id, MANY)
        await other.kill()
    assert (await left(board.id))[:1] == [1]
    monkeypatch.setattr(staging, "LEASE", timedelta(seconds=1))
    await until(lambda: _is_gone(board.id))


async def test_rest_of_a_killed_erasure_is_deleted_by_another_process(
    cast: Cast, other: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought = (await bring(cast.ada, large_file()))["board"]
    other.headers = cast.ada.headers
    async with other.client() as ada:
        (await ada.post(f"{API}/boards/{brought['id']}/erasures")).raise_for_status()
        await halfway(brought["id"], MANY)
        await other.kill()
    assert (await left(brought["id"]))[0] == 1
    monkeypatch.setattr(staging, "LEASE", timedelta(seconds=1))
    await until(lambda: _is_gone(brought["id"]))


async def _is_gone(board_id: Any) -> bool:
    return await left(board_id) == [0, 0, 0, 0]
