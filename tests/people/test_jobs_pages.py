"""Long work on pages: the shell speaks of it, its page is live, and results wait until they were read."""

from datetime import timedelta
from html import unescape
from typing import Any

from mission_control.core import times
from mission_control.people.jobs import commands as jobs
from mission_control.people.jobs.commands import JobResult
from mission_control.people.models import Job
from tests.cast import Cast, Person
from tests.visitor import Seen, visitor


async def job_of(cast: Cast, person: Person, **fields: Any) -> Job:
    """Long work of somebody."""
    ours: dict[str, Any] = {"organization_id": cast.organization.id, "user_id": person.id, "kind": "pack_sync"}
    return await Job.create(**{**ours, "title": "Sync Sky", **fields})


async def test_running_work_is_live_on_its_page_and_in_the_shell(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/work")).is_status(200).has("Nothing runs").lacks("Sync Sky")
    job = await job_of(cast, cast.ada)
    page = (await ada.get("/work")).has("Sync Sky", 'id="own-work"')
    async with ada.watching(stream_of(page)) as watch:
        now = jobs.Progress(job.id, cast.organization.id)
        await now.step("Reading its skills", 40)
        await watch.until("Reading its skills: 0 of 40")
        await jobs.end(job.id, cast.organization.id, "done", result=JobResult(summary="40 skills.", url="/x"))
        found = await watch.until("40 skills.")
        assert "Sync Sky: done" in await watch.until("Sync Sky: done") and "#own-work" in found


async def test_result_waits_in_the_shell_until_it_was_read(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    job = await job_of(cast, cast.ada)
    await jobs.end(job.id, cast.organization.id, "failed", error="The moon is in the way.")
    (await ada.get("/boards")).has("Sync Sky: failed")
    (await ada.get("/work")).has("The moon is in the way.")
    (await ada.post(f"/work/{job.id}/acknowledgements")).is_status(303)
    (await ada.get("/boards")).lacks("Sync Sky")
    (await ada.get("/work")).has("The moon is in the way.").lacks("as read")


async def test_running_work_hides_no_result(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    job = await job_of(cast, cast.ada)
    await jobs.end(job.id, cast.organization.id, "done", result=JobResult(summary="40 skills."))
    for title in ("Import Dock", "Import Quay"):
        await job_of(cast, cast.ada, title=title)
    shell = (await ada.get("/boards")).has("Sync Sky: done", "Import Quay", "and 1 more").text
    assert "Import Dock" not in shell


def stream_of(seen: Seen) -> str:
    """The address of a page's stream."""
    return seen.text.partition('hx-sse:connect="')[2].partition('"')[0].replace("&amp;", "&")


async def test_success_that_says_no_more_does_not_wait(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    done, failed = [await job_of(cast, cast.ada, title=f"Set up {x}", kind="agent_setup") for x in ("Lyra", "Rho")]
    await jobs.end(done.id, cast.organization.id, "done", result=JobResult(summary="Lyra is set up.", url="/agents/x"))
    (await ada.get("/boards")).lacks("<span>Set up Lyra: done</span>")
    await jobs.end(failed.id, cast.organization.id, "failed", error="The moon is in the way.")
    (await ada.get("/boards")).has("Set up Rho: failed")
    part = await job_of(cast, cast.ada, title="Write files", kind="template_sync")
    result = JobResult(summary="1 agent written.", problems=["Rho: no answer"])
    await jobs.end(part.id, cast.organization.id, "done", result=result)
    (await ada.get("/boards")).has("Write files: done, with problems", "and 1 more")


async def test_what_ended_last_and_what_somebody_waits_for_is_named(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    first, second = [await job_of(cast, cast.ada, title=title) for title in ("Import Dock", "Import Quay")]
    await job_of(cast, cast.ada, title="Set up Lyra", kind="agent_setup")
    (await ada.get("/boards")).has("Import Quay", "and 2 more").lacks("Set up Lyra")
    for job in (second, first):
        await jobs.end(job.id, cast.organization.id, "done", result=JobResult(summary="Done."))
    (await ada.get("/boards")).has("Import Dock: done").lacks("Import Quay: done,")
    page = (await ada.get("/work")).text
    rows = [page.index(f'<p class="row-title">{title}</p>') for title in ("Set up Lyra", "Import Dock", "Import Quay")]
    assert rows == sorted(rows)


async def test_end_is_news_for_pages_and_browsers_for_a_while(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    job = await job_of(cast, cast.ada)
    assert "ended-" not in (await ada.get("/badge")).text
    await jobs.end(job.id, cast.organization.id, "done", result=JobResult(summary="40 skills.", url="/settings/skills"))
    page = (await ada.get("/boards")).has(f'<template id="ended-{job.id}', 'data-shown="/settings/skills"')
    page.has(f'data-read-by="/work/{job.id}/acknowledgements"')
    (await ada.get("/badge")).has("Sync Sky: done", "40 skills.", "/settings/skills")
    await Job.filter(id=job.id).update(finished_at=times.clock_now() - timedelta(hours=1))
    (await ada.get("/boards")).has("Sync Sky: done").lacks('<template id="ended-')
    assert "ended-" not in (await ada.get("/badge")).text
    ben = await visitor(cast.app, cast.ben)
    (await ben.get("/boards")).lacks("Sync Sky")


async def test_only_own_results_are_in_the_shell(cast: Cast) -> None:
    ada, dan = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.dan)
    await job_of(cast, cast.cleo)
    (await ada.get("/boards")).lacks("Sync Sky")
    (await ada.get("/work")).has("Sync Sky", "Cleo")
    (await dan.get("/work")).has("Nothing runs")


async def test_progress_of_others_changes_nobody_elses_shell(cast: Cast) -> None:
    ada, ben = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.ben)
    job = await job_of(cast, cast.ada)
    steps = jobs.Progress(job.id, cast.organization.id, cast.ada.id)
    async with ada.watching(shell_stream(await ada.get("/settings/tags"))) as hers:
        async with ben.watching(shell_stream(await ben.get("/work"))) as his:
            await steps.step("Reading", 40)
            await hers.until("#own-work")
            assert "#own-work" not in await his.until("Reading: 0 of 40")


def shell_stream(seen: Seen) -> str:
    """The address of a page's stream."""
    return unescape(seen.text.partition('hx-sse:connect="')[2].partition('"')[0])
