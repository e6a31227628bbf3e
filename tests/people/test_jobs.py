"""Long work: it runs beside the request, says how far it is, and keeps its result until somebody has read it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict
from mission_control.people.jobs import commands as jobs
from mission_control.people.jobs.commands import JobResult
from mission_control.people.models import Job
from mission_control.tasks.models import Task
from mission_control.transfer.models import BoardImport
from tests.boards.test_board_staging import the_file
from tests.cast import Answer, Cast
from tests.outside import git
from tests.settings import having

pytestmark = pytest.mark.dialect

Work = Callable[[], Awaitable[JobResult]]


def accepted(answer: Answer) -> Any:
    """The job of an answer that must be one."""
    assert answer.status == 202, answer.body
    return answer.body


async def ended(cast: Cast, job: Any) -> Any:
    """The job as it is when it has ended."""
    for _ in range(400):
        found = (await cast.ada.get(f"/jobs/{job['id']}")).ok()
        if found["state"] != "running":
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("the job did not end")


async def started(cast: Cast, work: Work, *, who: Actor | None = None) -> Any:
    actor = replace(who or await cast.ada.actor(), organization_id=cast.organization.id)
    return (await jobs.start(actor, "pack_sync", "Sync", work)).model_dump()


async def test_file_is_looked_at_before_its_import_and_imported_as_a_job(cast: Cast) -> None:
    looked = (await cast.ada.post("/boards/imports", the_file())).ok()
    assert looked["counts"] == {"tasks": 5, "comments": 5, "approvals": 2, "memory": 1, "runs": 0, "sessions": 0}
    assert (looked["new_tags"], looked["is_name_taken"], looked["job_id"]) == (["New"], False, None)
    assert not await Board.filter(name="Brought").exists()
    path = f"/boards/imports/{looked['id']}"
    job = await ended(cast, accepted(await cast.ada.post(f"{path}/starts")))
    assert (job["state"], job["kind"], job["error"]) == ("done", "board_import", None)
    board = await Board.get(name="Brought")
    assert job["result"]["url"] == f"/boards/{board.id}" and "5 tasks" in job["result"]["summary"]
    assert await Task.filter(board_id=board.id).count() == 5
    (await cast.ada.get(path)).refused(404)


async def test_preview_names_who_is_missing_here(cast: Cast) -> None:
    file = the_file(str(cast.board.name))
    file["tasks"][0]["assigned_person"] = "nobody@example.org"
    looked = (await cast.ada.post("/boards/imports", file)).ok()
    assert looked["is_name_taken"] is True
    assert looked["dropped"] == [{"what": "assignee", "name": "nobody@example.org", "where": "task 1"}]


async def test_file_started_twice_is_imported_once(cast: Cast) -> None:
    path = f"/boards/imports/{(await cast.ada.post('/boards/imports', the_file())).ok()['id']}/starts"
    answers = await asyncio.gather(*(cast.ada.post(path) for _ in range(4)))
    [one] = [answer for answer in answers if answer.status == 202]
    assert {answer.status for answer in answers} <= {202, 409, 404}
    await ended(cast, one.body)
    assert await Board.filter(name="Brought").count() == 1


async def test_start_with_one_key_is_one_job(cast: Cast) -> None:
    path = f"/boards/imports/{(await cast.ada.post('/boards/imports', the_file())).ok()['id']}/starts"
    keyed = {"headers": {"Idempotency-Key": "one", **cast.ada.headers}}
    first = accepted(await cast.ada.call("POST", path, **keyed))
    await ended(cast, first)
    again = await cast.ada.call("POST", path, **keyed)
    assert (again.status == 202 and again.body["id"] == first["id"]) or again.status == 404
    assert await Job.all().count() == 1


async def test_old_files_are_forgotten(cast: Cast) -> None:
    looked = (await cast.ada.post("/boards/imports", the_file())).ok()
    await BoardImport.all().update(created_at=times.clock_now() - timedelta(days=2))
    (await cast.ada.get(f"/boards/imports/{looked['id']}")).refused(404)
    (await cast.ada.post("/boards/imports", the_file())).ok()
    assert await BoardImport.all().count() == 1


async def test_board_is_erased_as_a_job(cast: Cast) -> None:
    for _ in range(3):
        await cast.add_task()
    job = accepted(await cast.ada.post(f"{cast.home}/erasures"))
    (await cast.ada.get(cast.home)).refused(404)
    job = await ended(cast, job)
    assert job["state"] == "done" and str(cast.board.name) in job["result"]["summary"]
    assert not await Board.filter(id=cast.board.id).exists()


async def test_packs_are_synced_as_one_job_that_keeps_its_problems(cast: Cast, tmp_path: Path) -> None:
    folder = tmp_path / "observatory" / "skills"
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "star").mkdir()
    (folder / "star" / "SKILL.md").write_text("---\nname: Star\n---\nLook up.")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=first")
    with having(cast.app, skills_git_base_url=f"file://{tmp_path}"):
        for name in ("skills", "gone"):
            await cast.ada.post("/skills/packs", {"source_url": f"https://github.com/observatory/{name}"})
        job = await ended(cast, accepted(await cast.ada.post("/skills/packs/syncs")))
    assert job["state"] == "done" and job["result"]["summary"] == "1 of 2 packs synced."
    assert job["result"]["details"] == ["skills: 1 skill: 1 new, 0 changed"]
    assert job["result"]["problems"][0].startswith("gone: ")


async def test_failure_is_kept_with_its_reason(cast: Cast) -> None:
    async def refused() -> JobResult:
        raise Conflict("The moon is in the way.")

    async def broken() -> JobResult:
        raise RuntimeError("a secret path")

    job = await ended(cast, await started(cast, refused))
    assert (job["state"], job["error"], job["result"]) == ("failed", "The moon is in the way.", None)
    job = await ended(cast, await started(cast, broken))
    assert job["state"] == "failed" and "secret" not in job["error"]


async def test_progress_is_read_while_it_runs(cast: Cast) -> None:
    goes_on = asyncio.Event()

    async def work() -> JobResult:
        await jobs.step("Counting stars", 4)
        await jobs.advance(3)
        await goes_on.wait()
        return JobResult(summary="Four.")

    job = await started(cast, work)
    for _ in range(200):
        now = (await cast.ada.get(f"/jobs/{job['id']}")).ok()
        if now["step"] == "Counting stars":
            break
        await asyncio.sleep(0.02)
    assert (now["state"], now["total"]) == ("running", 4)
    (await cast.ada.post(f"/jobs/{job['id']}/acknowledgements")).refused(409)
    goes_on.set()
    assert (await ended(cast, job))["result"]["summary"] == "Four."


async def test_result_waits_until_it_was_read(cast: Cast) -> None:
    async def work() -> JobResult:
        return JobResult(summary="Done.")

    job = await ended(cast, await started(cast, work))
    assert [one["id"] for one in (await cast.ada.get("/jobs?unread=true")).ok()["items"]] == [job["id"]]
    read = (await cast.ada.post(f"/jobs/{job['id']}/acknowledgements")).ok()
    assert read["read_at"] is not None
    assert (await cast.ada.get("/jobs?unread=true")).ok()["total"] == 0
    await ended(cast, await started(cast, work))
    assert (await cast.ada.post("/jobs/acknowledgements")).ok() == {"read": 1}
    assert (await cast.ada.get("/jobs?state=done")).ok()["total"] == 2


async def test_people_see_their_own_jobs_and_admins_all(cast: Cast) -> None:
    async def work() -> JobResult:
        return JobResult(summary="Done.")

    await ended(cast, await started(cast, work, who=await cast.cleo.actor()))
    for who, total in ((cast.cleo, 1), (cast.ben, 1), (cast.dan, 0), (cast.eve, 0)):
        assert (await who.get("/jobs")).ok()["total"] == total


async def test_job_whose_process_is_gone_was_interrupted(cast: Cast) -> None:
    fields: dict[str, Any] = {"organization_id": cast.organization.id, "kind": "pack_sync", "title": "Sync"}
    lost = await Job.create(**fields, runner="gone", updated_at=times.clock_now() - timedelta(minutes=2))
    fresh = await Job.create(**fields, runner="another process")
    durable = await Job.create(**fields, updated_at=times.clock_now() - timedelta(minutes=2))
    await jobs.interrupt_abandoned()
    states = {str(one.id): one.state for one in await Job.all()}
    assert states == {str(lost.id): "interrupted", str(fresh.id): "running", str(durable.id): "running"}
    read = (await cast.ada.get(f"/jobs/{lost.id}")).ok()
    assert "server stopped" in read["error"] and read["finished_at"] is not None


async def test_stop_interrupts_what_runs(cast: Cast) -> None:
    begun = asyncio.Event()

    async def work() -> JobResult:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    job = await Job.create(organization_id=cast.organization.id, kind="pack_sync", title="Sync", runner="x")
    task = asyncio.create_task(jobs.work_on(job.id, cast.organization.id, work))
    await begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (await Job.get(id=job.id)).state == "interrupted"
