"""Signals are stored nowhere: a page hears of those that were sent before its stream was open."""

import time
from itertools import count
from typing import Any

import pytest

from mission_control.core import times
from mission_control.events import broker
from mission_control.events.broker import KEPT_SECONDS, moment_of
from mission_control.people.jobs import commands as jobs
from mission_control.people.jobs.commands import JobResult
from mission_control.web import audience
from tests.cast import Cast
from tests.people.test_jobs_pages import job_of
from tests.visitor import visitor

pytestmark = pytest.mark.dialect


def stream_of(page: str) -> str:
    """The address of a page's stream."""
    return page.partition('hx-sse:connect="')[2].partition('"')[0].replace("&amp;", "&")


async def test_work_that_ends_before_the_stream_opens(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    job = await job_of(cast, cast.ada)
    page = (await ada.get("/settings/tags")).has("Sync Sky").text
    await jobs.end(job.id, cast.organization.id, "done", result=JobResult(summary="40 skills."))
    async with ada.watching(stream_of(page)) as watch:
        await watch.until("Sync Sky: done")


async def test_reader_that_falls_behind_before_it_has_what_it_missed(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await visitor(cast.app, cast.ada)
    job = await job_of(cast, cast.ada)
    page = (await ada.get("/settings/tags")).has("Sync Sky").text
    await jobs.end(job.id, cast.organization.id, "done", result=JobResult(summary="40 skills."))
    repeat, times_asked = audience.Audience._repeat, count()

    async def behind_at_first(self: Any, viewer: audience.Viewer, signals: Any) -> bool:
        if not next(times_asked):
            viewer.leave(audience.Left.BEHIND)
        return await repeat(self, viewer, signals)

    monkeypatch.setattr(audience.Audience, "_repeat", behind_at_first)
    async with ada.watching(stream_of(page)) as watch:
        await watch.until("Sync Sky: done")


async def test_stream_that_comes_back_after_long_sends_what_signals_change(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    job = await job_of(cast, cast.ada)
    live = stream_of((await ada.get("/settings/tags")).has("Sync Sky").text)
    await jobs.end(job.id, cast.organization.id, "done", result=JobResult(summary="40 skills."))
    at = moment_of(time.time() - 2 * KEPT_SECONDS)
    async with ada.watching(f"{live.partition('&at=')[0]}&at={at}") as watch:
        found = await watch.until("Sync Sky: done")
    assert "#board-nav" not in found  # no signal is about it


async def test_process_that_was_deaf_says_what_it_may_have_missed(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    job = await job_of(cast, cast.ada)
    running_broker = broker.current()
    assert running_broker is not None
    async with ada.watching(stream_of((await ada.get("/settings/tags")).text)) as watch:
        await watch.until("event: build")
        job.state, job.finished_at = "failed", times.clock_now()
        await job.save()  # by another process, while no signal came through
        running_broker._say_that_signals_were_missed()
        await watch.until("Sync Sky: failed")


async def test_moment_that_is_none_is_passed_over(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    for at in ("", "x", "-1", "1e9", "9" * 40, "%C2%B2"):
        async with ada.watching(f"/settings/live?after=0&at={at}") as watch:
            await watch.until("event: build")
