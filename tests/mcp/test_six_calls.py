"""A worker asks, leaves, does another task, comes back with the answer and hands in: six calls, and nothing else read.

Over HTTP it is `tests/runs/test_six_calls.py`.
"""

import asyncio

import orjson
import pytest

from mission_control.boards.models import Run
from mission_control.events import wakeup_channels
from tests.cast import Cast
from tests.mcp.clients import ERAS, connected
from tests.mcp.test_work import until

WORKER = {"next", "report", "ask", "comment", "files", "propose", "finish", "give_back"}
MOST_CHARACTERS = 5_000 * 4  # of 5,000 tokens, of which each has about four


async def answered(cast: Cast, question_id: str, answer: str) -> None:
    (await cast.ada.post(f"{cast.home}/questions/{question_id}/answers", {"answer": answer})).ok()


@pytest.mark.parametrize("mode", ERAS)
async def test_worker_needs_six_calls(cast: Cast, mode: str) -> None:
    redirect = await cast.add_task(title="Redirect the old shop", priority="high")
    await cast.add_task(title="Sweep the floor", priority="low")
    async with connected(cast.vega, mode) as vega:
        first = await vega.ok("next")
        assert (first["kind"], first["task"]["title"]) == ("work", "Redirect the old shop")
        held = {"task_id": redirect["number"], "fence": first["lease"]["fence"]}
        asked = await vega.ok("ask", question="Where to?", **held, wait_seconds=0)
        assert (asked["kind"], asked["state"], asked["parked"]) == ("question", "open", True)
        other = await vega.ok("next")
        assert other["task"]["title"] == "Sweep the floor" and [one["state"] for one in other["held"]] == ["waiting"]
        await answered(cast, asked["id"], "/shop/name, the rest to /")
        lease = {"task_id": other["task"]["number"], "fence": other["lease"]["fence"]}
        await vega.ok("finish", **lease, summary="Swept.")
        again = await vega.ok("next")
        assert (again["kind"], again["task"]["id"], again["lease"]["fence"]) == (
            "resume",
            redirect["id"],
            held["fence"],
        )
        assert again["why"]["text"] == "You go on: Ada answered: /shop/name, the rest to /"
        code = {"head": "3f" * 20, "diff": "--- a/map\n+++ b/map\n@@ -0,0 +1 @@\n+/shop /\n"}
        done = await vega.ok("finish", **held, summary="Redirected.", checked="All 12 addresses.", code=code)
        assert done["task"]["status"] == "review"
    [run] = await Run.filter(state="completed", task_id=redirect["id"], checked="All 12 addresses.")
    assert run.code["head"] == code["head"] and run.code["diff_id"]


async def test_answer_within_the_wait_comes_with_the_question(cast: Cast) -> None:
    await cast.add_task()
    async with connected(cast.vega) as vega:
        held = (await vega.ok("next"))["lease"]
        options = [{"label": "White", "recommended": True}, {"label": "Black"}]
        asking = asyncio.create_task(vega.ok("ask", question="Which sand?", options=options, wait_seconds=50))
        await until(lambda: wakeup_channels.is_awaited("question"))
        [asked] = (await cast.ada.get(f"{cast.home}/questions")).ok()["items"]
        await answered(cast, asked["id"], "White")
        found = await asyncio.wait_for(asking, 20)
        assert (found["state"], found["answer"], found["answered_by"], found["parked"]) == (
            "answered", "White", "Ada", False,
        )  # fmt: skip
        assert (await vega.ok("next", wait_seconds=0))["held"][0]["fence"] == held["fence"]


async def test_yes_is_asked_for_by_naming_the_action(cast: Cast) -> None:
    await cast.add_task()
    async with connected(cast.vega) as vega:
        task = (await vega.ok("next"))["task"]
        asked = await vega.ok("ask", action="deploy", question="All is green.", payload={"diff": "+1"}, wait_seconds=0)
        assert (asked["kind"], asked["parked"]) == ("approval", True)
        decision = {"status": "rejected", "decision": "changes_requested", "note": "Not on a Friday."}
        (await cast.ada.patch(f"{cast.approvals}/{asked['id']}", decision)).ok()
        found = await vega.ok("next")
        assert (found["kind"], found["task"]["id"]) == ("resume", task["id"])
        assert found["why"]["text"] == "You go on: Ada asks for changes: Not on a Friday."


@pytest.mark.parametrize(("decision", "says"), [
    ("approved", "Ada: approved: Not on a Friday. Go on with your task."),
    ("rejected", "Ada: rejected: Not on a Friday. Do not do it; go on without, or give_back."),
    ("changes_requested", "Ada: changes requested: Not on a Friday. Do as it says, then ask again."),
])  # fmt: skip
async def test_answer_says_what_to_do_next(cast: Cast, decision: str, says: str) -> None:
    await cast.add_task()
    async with connected(cast.vega) as vega:
        await vega.ok("next")
        asking = asyncio.create_task(vega.says("ask", action="deploy", question="All is green.", wait_seconds=50))
        await until(lambda: wakeup_channels.is_awaited("approval"))
        [asked] = (await cast.ada.get(f"{cast.approvals}?status=pending")).ok()["items"]
        sent = {"decision": decision, "note": "Not on a Friday."}
        (await cast.ada.post(f"{cast.approvals}/{asked['id']}/decisions", sent)).ok()
        assert await asyncio.wait_for(asking, 20) == says
        task = (await vega.ok("next", task_id="1", wait_seconds=0))["task"]
        assert (await vega.says("report", did=["Looked"])).startswith("Noted. Go on: the task is yours until ")
        await vega.ok("give_back", task_id=task["number"], fence=1, reason="No time.")
        assert "call next when you hold none" in await vega.says("report", did=["Looked"])


async def test_ask_without_a_task_parks_nothing(cast: Cast) -> None:
    task = await cast.add_task()
    async with connected(cast.vega) as vega:
        asked = await vega.ok("ask", question="Who owns the dome?", wait_seconds=0)
        assert (asked["state"], asked["parked"]) == ("open", False)
        refused = await vega.refused("ask", question="Mine?", task_id=task["number"], wait_seconds=0)
        assert refused["code"] == "no_run"


async def test_report_shows_what_is_done_and_keeps_the_lease(cast: Cast) -> None:
    task = await cast.add_task()
    step = (await cast.ada.post(f"{cast.task(task)}/checklist", {"text": "It shines", "is_criterion": True})).ok()
    async with connected(cast.vega) as vega:
        first = await vega.ok("next", lease_seconds=60)
        found = await vega.ok(
            "report",
            did=["Ran the tests: 3 failed"],
            doing="Mend the lock",
            plan=[{"text": "Find it", "state": "completed"}, {"text": "Mend it"}],
            steps_done=[step["id"]],
        )
        assert found["directive"] == "continue" and found["lease"]["expires_at"] > first["lease"]["expires_at"]
        assert (await vega.ok("report", did=["Slept"]))["lease"]["fence"] == first["lease"]["fence"]
    [read] = (await cast.ada.get(f"{cast.home}/sessions")).ok()["items"]
    assert [one["state"] for one in read["plan"]] == ["completed", "pending"]
    titles = (await cast.ada.get(f"{cast.task(task)}/activities")).ok()["items"]
    assert [one["title"] for one in titles] == ["Ran the tests: 3 failed", "Mend the lock", "Slept"]
    [ticked] = (await cast.ada.get(f"{cast.task(task)}/checklist")).ok()["items"]
    assert ticked["is_done"] is True


async def test_files_are_listed_and_read(cast: Cast) -> None:
    await cast.add_task()
    async with connected(cast.vega) as vega:
        first = await vega.ok("next")
        held = {"task_id": first["task"]["id"], "fence": first["lease"]["fence"]}
        await vega.ok("finish", **held, summary="Done.", files=[{"name": "log.txt", "text": "clear sky"}])
        found = await vega.ok("files", task_id=held["task_id"])
        assert [one["name"] for one in found["files"]] == ["log.txt"]
        read = await vega.ok("files", task_id=held["task_id"], file_id=found["files"][0]["id"], limit=5)
        assert (read["text"], read["next_offset"]) == ("clear", 5)


async def test_worker_reads_few_tools_in_few_tokens(cast: Cast) -> None:
    async with connected(cast.vega) as vega:
        listed = await vega.listed()
        assert {one.name for one in listed} == WORKER
        sent = [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in listed]
        assert len(orjson.dumps(sent)) + len(str(vega.client.instructions)) < MOST_CHARACTERS
