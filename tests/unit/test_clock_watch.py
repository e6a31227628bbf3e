"""The clock of the machine is set while the server runs."""

import asyncio
import time

import pytest
from itsdangerous import TimestampSigner

from mission_control.claims import leases
from mission_control.core.clock_watch import watch_clock
from tests.api.test_authn import browser_of
from tests.cast import Cast


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


async def test_lease_timer_runs_after_a_clock_change(monkeypatch: pytest.MonkeyPatch) -> None:
    alarm = leases._Alarm()
    monkeypatch.setattr(leases, "_alarm", alarm)
    sleeping = asyncio.create_task(alarm.sleep(15.0))
    await asyncio.sleep(0)
    leases.look_now()
    await sleeping
    assert alarm.earlier.is_set()


async def test_session_survives_a_clock_set_back(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        later.setattr(TimestampSigner, "get_timestamp", lambda _: int(time.time()) + 7200)
        browser = await browser_of(cast, cast.cleo.id)
    (await browser.get("/users/me")).ok()
