"""Answers that one process keeps are as new as what another one wrote."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.cache_check import empty_cache, paths_of
from tests.cast import Cast

pytestmark = pytest.mark.dialect

type Change = Callable[[Cast, dict[str, Any], int], Awaitable[object]]

CHANGES: tuple[Change, ...] = (
    lambda cast, task, n: cast.ada.patch(cast.task(task), {"title": f"Renamed {n}"}),
    lambda cast, task, n: cast.vega.post(f"/agent{cast.task(task)}/comments", {"message": f"Said {n}."}),
    lambda cast, task, n: cast.ada.patch(cast.task(task), {"status": ("review", "inbox", "done")[n % 3]}),
    lambda cast, task, n: cast.ada.patch("/users/me", {"preferred_name": f"Ada {n}"}),
    lambda cast, task, n: cast.ada.post("/tags", {"name": f"Tag {n}", "color": "3b6ecc"}),
    lambda cast, task, n: cast.ask(cast.vega),
    lambda cast, task, n: cast.vega.post("/agent/heartbeat", {"status": f"busy {n}"}),
    lambda cast, task, n: cast.add_task(depends_on_task_ids=[task["id"]]),
    lambda cast, task, n: cast.ada.patch(f"/agents/{cast.vega.id}", {"name": f"Vega {n}"}),
    lambda cast, task, n: cast.ada.patch(cast.home, {"name": f"Board {n}"}),
)


@pytest.mark.postgres
async def test_a_change_in_one_process_shows_in_what_another_keeps(elsewhere: httpx.AsyncClient, cast: Cast) -> None:
    task = await cast.add_task(assigned_agent_id=cast.vega.id)
    for number, change in enumerate(CHANGES):
        paths = await paths_of(cast.ada)
        for path in paths:  # the other process keeps them from now on
            (await elsewhere.get(path, headers=cast.ada.headers)).raise_for_status()
        await change(cast, task, number)
        for path in paths:
            there = await elsewhere.get(path, headers=cast.ada.headers)
            with empty_cache():
                here = await cast.ada.get(path)
            assert (there.status_code, there.json()) == (here.status, here.body), (number, path)
