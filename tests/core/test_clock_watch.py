"""The clock of the machine is set while the server runs."""

import asyncio
import time

import pytest
from itsdangerous import TimestampSigner

from mission_control.background.loops import Loop, start, watch_clock
from tests.cast import Cast
from tests.http.test_authn import browser_of

pytestmark = pytest.mark.dialect


@pytest.mark.parametrize("by", [7200.0, -7200.0])
async def test_clock_change_is_noticed_once(by: float) -> None:
    offset, looks = 0.0, asyncio.Queue[float]()
    watching = asyncio.create_task(
        watch_clock(lambda: looks.put_nowait(offset), step=0.001, wall=lambda: time.time() + offset)
    )
    try:
        await asyncio.sleep(0.05)
        assert looks.empty()
        offset = by
        async with asyncio.timeout(60):
            assert await looks.get() == by
        await asyncio.sleep(0.05)
        assert looks.empty()
    finally:
        watching.cancel()


async def test_loops_look_again_after_a_clock_change(monkeypatch: pytest.MonkeyPatch) -> None:
    looks, offset = asyncio.Queue[None](), 0.0

    async def look() -> None:
        looks.put_nowait(None)

    monkeypatch.setattr(watch_clock, "__kwdefaults__", {"step": 0.001, "wall": lambda: time.time() + offset})
    tasks = start([Loop(name="looking", look=look, pause=3600.0)])
    try:
        async with asyncio.timeout(60):
            await looks.get()
            offset = 7200.0
            await looks.get()
    finally:
        for task in tasks:
            task.cancel()


async def test_session_survives_a_clock_set_back(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        later.setattr(TimestampSigner, "get_timestamp", lambda _: int(time.time()) + 7200)
        browser = await browser_of(cast, cast.cleo.id)
    (await browser.get("/users/me")).ok()
