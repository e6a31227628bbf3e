"""Checks of the log as long work: one at a time."""

import asyncio
from typing import Any

import pytest

from mission_control.events import event_log
from mission_control.people.models import Job
from tests.cast import Cast

pytestmark = pytest.mark.dialect


async def test_of_six_checks_at_once_one_runs(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    answered, verify = asyncio.Event(), event_log.verify

    async def held(*arguments: Any, **options: Any) -> Any:
        await answered.wait()  # a short log is walked before the last of them asks
        return await verify(*arguments, **options)

    monkeypatch.setattr(event_log, "verify", held)
    answers = await asyncio.gather(*(cast.ada.post("/organizations/me/audit/checks") for _ in range(6)))
    assert sorted(one.status for one in answers) == [202] + [409] * 5
    assert await Job.filter(kind="audit_check").count() == 1
    answered.set()
    while await Job.filter(state="running").exists():
        await asyncio.sleep(0.01)
