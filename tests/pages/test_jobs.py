"""Long work on pages: the shell speaks of it, its page is live, and results wait until they were read."""

from typing import Any

from mission_control.jobs import progress, running
from mission_control.jobs.models import Job
from mission_control.jobs.schemas import JobResult
from tests.cast import Cast, Person
from tests.pages.visitor import visitor


async def job_of(cast: Cast, person: Person, **fields: Any) -> Job:
    """Long work of somebody."""
    ours: dict[str, Any] = {"organization_id": cast.organization.id, "user_id": person.id, "kind": "pack_sync"}
    return await Job.create(**{**ours, "title": "Sync Sky", **fields})


async def test_running_work_is_live_on_its_page_and_in_the_shell(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/work")).is_status(200).has("Nothing runs").lacks("Sync Sky")
    job = await job_of(cast, cast.ada)
    page = (await ada.get("/work")).has("Sync Sky", 'id="own-work"').text
    live = page.partition('hx-sse:connect="')[2].partition('"')[0].replace("&amp;", "&")
    async with ada.watching(live) as watch:
        now = progress.Progress(job.id, cast.organization.id)
        await now.step("Reading its skills", 40)
        await watch.until("Reading its skills: 0 of 40")
        await running.end(job.id, cast.organization.id, "done", result=JobResult(summary="40 skills.", url="/x"))
        found = await watch.until("40 skills.")
        assert "Sync Sky: done" in await watch.until("Sync Sky: done") and "#own-work" in found


async def test_result_waits_in_the_shell_until_it_was_read(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    job = await job_of(cast, cast.ada)
    await running.end(job.id, cast.organization.id, "failed", error="The moon is in the way.")
    (await ada.get("/boards")).has("Sync Sky: failed")
    (await ada.get("/work")).has("The moon is in the way.")
    (await ada.post(f"/work/{job.id}/acknowledgements")).is_status(303)
    (await ada.get("/boards")).lacks("Sync Sky")
    (await ada.get("/work")).has("The moon is in the way.").lacks("as read")


async def test_running_work_hides_no_result(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    job = await job_of(cast, cast.ada)
    await running.end(job.id, cast.organization.id, "done", result=JobResult(summary="40 skills."))
    for title in ("Import Dock", "Import Quay"):
        await job_of(cast, cast.ada, title=title)
    shell = (await ada.get("/boards")).has("Sync Sky: done", "Import Quay", "and 1 more").text
    assert "Import Dock" not in shell


async def test_only_own_results_are_in_the_shell(cast: Cast) -> None:
    ada, dan = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.dan)
    job = await job_of(cast, cast.cleo)
    (await ada.get("/boards")).lacks("Sync Sky")
    (await ada.get("/work")).has("Sync Sky", "Cleo")
    (await dan.get("/work")).has("Nothing runs")
    (await dan.post(f"/work/{job.id}/acknowledgements")).is_status(404)
