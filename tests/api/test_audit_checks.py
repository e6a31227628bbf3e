"""Checks of the log as long work: one at a time."""

import asyncio

from mission_control.people.models import Job
from tests.cast import Cast


async def test_of_six_checks_at_once_one_runs(cast: Cast) -> None:
    answers = await asyncio.gather(*(cast.ada.post("/organizations/me/audit/checks") for _ in range(6)))
    assert sorted(one.status for one in answers) == [202] + [409] * 5
    assert await Job.filter(kind="audit_check").count() == 1
