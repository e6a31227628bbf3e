"""Handing in work: what moves, what is kept, what is refused without a trace, and twice is once."""

import asyncio
from base64 import b64encode
from datetime import timedelta
from typing import Any

import orjson
import pytest

from mission_control.agents.models import UsageEntry
from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.tasks.models import Attachment, Comment, Task
from tests.cast import Answer, Caller, Cast, events, head
from tests.things import PNG

pytestmark = pytest.mark.dialect

WORK = {"fence": 1, "summary": "The mirror is **clean**."}
EVIDENCE = [{"title": " Photo ", "url": "https://example.org/p/1"}, {"url": "http://example.org/log"}]


async def taken(cast: Cast, by: Caller | None = None, **fields: Any) -> dict[str, Any]:
    """A task in Vega's hands, or in somebody else's."""
    task = await cast.add_task(**fields)
    started: dict[str, Any] = (await (by or cast.vega).patch(cast.task(task), {"status": "in_progress"})).ok()
    return started


async def hand_in(cast: Cast, task: Any, by: Caller | None = None, **more: Any) -> Answer:
    """Vega, or somebody else, hands in."""
    return await (by or cast.vega).post(f"/agent{cast.task(task)}/completions", WORK | more)


def file(content: bytes = b"clear", name: str = "log.txt", **more: Any) -> dict[str, Any]:
    return {"name": name, "content_base64": b64encode(content).decode(), **more}


async def without_lead(cast: Cast) -> None:
    """Take the role of lead from Atlas."""
    (await cast.ada.patch(f"/agents/{cast.atlas.id}", {"is_board_lead": False})).ok()


async def test_completion_stores_the_whole_report(cast: Cast) -> None:
    task = await taken(cast)
    before = await head(cast)
    used: dict[str, Any] = {"input_tokens": 1200, "output_tokens": 80, "cost_usd": "0.0315", "model": "m-1"}
    files = [file(), file(PNG, "../sky.png", content_type="image/png")]
    found = (await hand_in(cast, task, evidence=EVIDENCE, artifacts=files, checked="By *starlight*.", **used)).ok()
    assert found["task"] == (await cast.vega.get(cast.task(task))).ok()
    assert (found["task"]["status"], found["task"]["assigned_agent_id"]) == ("review", str(cast.atlas.id))
    run = found["run"]
    assert (run["fence"], run["state"], run["agent_name"], run["summary"]) == (1, "completed", "Vega", WORK["summary"])
    assert run["checked"] == "By *starlight*."
    assert run["ended_at"] is not None and run["lease_expires_at"] is None and run["end_reason"] is None
    assert run["evidence"] == [
        {"title": "Photo", "url": "https://example.org/p/1"},
        {"title": None, "url": "http://example.org/log"},
    ]
    assert (run["input_tokens"], run["output_tokens"], run["cost_usd"]) == (1200, 80, 0.0315)
    assert [(one["name"], one["size"], one["content_type"]) for one in run["artifacts"]] == [
        ("log.txt", 5, "text/plain"),
        ("sky.png", len(PNG), "image/png"),
    ]
    recorded = {event.kind: event for event in await events(before, organization_id=cast.organization.id)}
    assert {"task.status_changed", "task.comment", "task.file_attached", "task.run_completed"} <= set(recorded)
    done = recorded["task.run_completed"]
    assert (done.actor_id, done.agent_id, str(done.task_id)) == (cast.vega.id, cast.vega.id, task["id"])
    data = orjson.loads(done.data)
    assert (data["run_id"], data["fence"], data["cost_micros"], data["artifacts"]) == (run["id"], 1, 31500, 2)


async def test_completion_is_shown_on_the_task(cast: Cast) -> None:
    task = await taken(cast)
    found = (await hand_in(cast, task, artifacts=[file()], input_tokens=5)).ok()
    [comment] = (await cast.dan.get(f"{cast.task(task)}/comments")).ok()["items"]
    assert (comment["message"], comment["agent_id"]) == (WORK["summary"], str(cast.vega.id))
    [attached] = (await cast.dan.get(f"{cast.task(task)}/attachments")).ok()["items"]
    assert (attached["run_id"], attached["agent_id"]) == (found["run"]["id"], str(cast.vega.id))
    content = await cast.dan.get(f"{cast.task(task)}/attachments/{attached['id']}/content")
    assert content.body == b"clear" and "sandbox" in content.headers["Content-Security-Policy"]
    entry = await UsageEntry.get()
    assert (entry.agent_id, str(entry.run_id), str(entry.task_id), entry.input_tokens) == (
        cast.vega.id, found["run"]["id"], task["id"], 5,
    )  # fmt: skip


@pytest.mark.parametrize(("has_lead", "rules", "expected"), [
    (True, {}, "review"),
    (False, {"require_review_before_done": True}, "review"),
    (False, {"require_approval_for_done": True}, "review"),
    (False, {}, "done"),
])  # fmt: skip
async def test_completion_moves_the_task_by_the_board_rules(
    cast: Cast, has_lead: bool, rules: dict[str, bool], expected: str
) -> None:
    if not has_lead:
        await without_lead(cast)
    await cast.rule(**rules)
    assert (await hand_in(cast, await taken(cast))).ok()["task"]["status"] == expected
    other = await taken(cast, title="Another")
    assert (await hand_in(cast, other, status="review")).ok()["task"]["status"] == "review"


async def test_summary_satisfies_the_comment_rule(cast: Cast) -> None:
    await cast.rule(comment_required_for_review=True)
    assert (await hand_in(cast, await taken(cast))).ok()["task"]["status"] == "review"


@pytest.mark.parametrize(("rules", "code"), [
    ({"require_review_before_done": True}, "task_review_required"),
    ({"block_status_changes_with_pending_approval": True}, "task_has_pending_approval"),
])  # fmt: skip
async def test_refused_completion_changes_nothing(cast: Cast, rules: dict[str, bool], code: str) -> None:
    task = await taken(cast)
    await cast.ask(cast.vega, task)
    await cast.rule(**rules)
    before = await head(cast)
    refused = (await hand_in(cast, task, status="done", artifacts=[file()], input_tokens=5)).refused(409)
    assert refused["code"] == code
    run = await Run.get(task_id=task["id"])
    assert (run.state, run.summary, run.input_tokens) == ("running", None, 0)
    assert (await Task.get(id=task["id"])).status == "in_progress"
    assert await Comment.all().count() + await Attachment.all().count() + await UsageEntry.all().count() == 0
    assert await head(cast) == before


async def test_completion_keeps_the_column_where_only_the_lead_moves(cast: Cast) -> None:
    task = await taken(cast)
    await cast.rule(only_lead_can_change_status=True)
    (await hand_in(cast, task)).refused(403)
    assert (await Run.get(task_id=task["id"])).state == "running"


async def test_repeated_completion_counts_once(cast: Cast) -> None:
    task = await taken(cast)
    first = (await hand_in(cast, task, artifacts=[file()], input_tokens=5)).ok()
    before = await head(cast)
    again = (await hand_in(cast, task, artifacts=[file()], input_tokens=5, summary="Other words.")).ok()
    assert again == first and await head(cast) == before
    (await cast.ada.patch(cast.task(task), {"status": "inbox"})).ok()
    (await cast.rigel.patch(cast.task(task), {"status": "in_progress"})).ok()
    late = (await hand_in(cast, task, input_tokens=5)).ok()
    assert late["run"] == first["run"] and late["task"]["assigned_agent_id"] == str(cast.rigel.id)


async def test_concurrent_completions_count_once(cast: Cast) -> None:
    task = await taken(cast)
    answers = await asyncio.gather(*[hand_in(cast, task, artifacts=[file()], output_tokens=7) for _ in range(2)])
    assert answers[0].ok()["run"] == answers[1].ok()["run"]
    assert [await one.all().count() for one in (Comment, Attachment, UsageEntry)] == [1, 1, 1]


async def test_stale_fence_is_refused(cast: Cast) -> None:
    task = await taken(cast)
    assert (await hand_in(cast, task, fence=2)).refused(409)["code"] == "lease_lost"
    (await cast.vega.patch(cast.task(task), {"status": "inbox"})).ok()
    assert (await hand_in(cast, task)).refused(409)["code"] == "lease_lost"
    (await cast.rigel.patch(cast.task(task), {"status": "in_progress"})).ok()
    for fence in (1, 2):
        lost = (await hand_in(cast, task, fence=fence)).refused(409)
        assert (lost["code"], lost["fence"], lost["current_fence"]) == ("lease_lost", fence, 2)
    assert (await hand_in(cast, task, cast.rigel, fence=2)).ok()["run"]["agent_name"] == "Rigel Orion"


async def test_completion_after_the_lease_is_refused(cast: Cast) -> None:
    await cast.add_task()
    claimed = (await cast.vega.post(f"/agent{cast.home}/claims", {"lease_seconds": 900})).ok()
    task, fence = claimed["task"], claimed["lease"]["fence"]
    with times.travelled(timedelta(minutes=16)):
        assert (await hand_in(cast, task, fence=fence)).refused(409)["code"] == "lease_lost"
    found = (await hand_in(cast, task, fence=fence)).ok()
    assert found["run"]["state"] == "completed" and found["run"]["lease_expires_at"] is not None


async def test_stale_fence_header_is_refused(cast: Cast) -> None:
    task = await taken(cast)
    path = f"/agent{cast.task(task)}/completions"
    (await cast.vega.post(path, WORK, headers={"X-Task-Fence": "7"})).refused_as(422, "fences_differ")
    without = {name: value for name, value in WORK.items() if name != "fence"}
    (await cast.vega.post(path, without, headers={"X-Task-Fence": "7"})).refused_as(409, "lease_lost")
    (await cast.vega.post(path, WORK, headers={"X-Task-Fence": "1"})).ok()


async def test_run_ended_by_a_move_accepts_its_report(cast: Cast) -> None:
    task = await taken(cast)
    (await cast.vega.patch(cast.task(task), {"status": "review"})).ok()
    assert (await hand_in(cast, task, status="done")).refused(409)["code"] == "run_ended"
    found = (await hand_in(cast, task, evidence=EVIDENCE, output_tokens=9)).ok()
    assert (found["task"]["status"], found["run"]["summary"], found["run"]["output_tokens"]) == (
        "review", WORK["summary"], 9,
    )  # fmt: skip
    assert await Comment.filter(task_id=task["id"]).count() == 1


async def test_late_report_is_refused_after_reassignment(cast: Cast) -> None:
    task = await taken(cast)
    (await cast.vega.patch(cast.task(task), {"status": "review"})).ok()
    (await cast.ada.patch(cast.task(task), {"status": "inbox"})).ok()
    (await cast.rigel.patch(cast.task(task), {"status": "in_progress"})).ok()
    before = await head(cast)
    refused = (await hand_in(cast, task)).refused(409)
    assert (refused["code"], refused["current_fence"]) == ("lease_lost", 2)
    assert await head(cast) == before and (await Run.get(fence=1)).summary is None


async def test_colleague_cannot_complete_a_task(cast: Cast) -> None:
    task = await taken(cast)
    assert (await hand_in(cast, task, cast.rigel)).refused(409)["code"] == "lease_lost"


@pytest.mark.parametrize("wrong", [
    {"evidence": [{"url": "javascript:alert(1)"}]},
    {"evidence": [{"url": "ftp://example.org/x"}]},
    {"artifacts": [{"name": "x", "content_base64": "%%%"}]},
    {"artifacts": [{"name": "x", "content_base64": "Y2xlYXI=", "content_type": "image/png"}]},
    {"cost_usd": "many"},
])  # fmt: skip
async def test_invalid_completion_is_refused(cast: Cast, wrong: dict[str, Any]) -> None:
    task = await taken(cast)
    (await hand_in(cast, task, **wrong)).refused(422)
    assert (await Run.get(task_id=task["id"])).state == "running"


async def test_completion_size_is_limited(cast: Cast) -> None:
    task = await taken(cast)
    assert (await hand_in(cast, task, artifacts=[file(b"x" * 8_000_000)])).status == 413
    large = (await hand_in(cast, task, artifacts=[file(b"x" * 3_000_000)])).ok()
    assert large["run"]["artifacts"][0]["size"] == 3_000_000


@pytest.mark.parametrize(("sent", "micros", "read"), [
    (0, 0, 0), (0.1, 100_000, 0.1), ("1.005", 1_005_000, 1.005), ("0.0000015", 2, 0.000002), (12, 12_000_000, 12),
])  # fmt: skip
async def test_cost_is_stored_to_the_millionth(cast: Cast, sent: Any, micros: int, read: float) -> None:
    found = (await hand_in(cast, await taken(cast), cost_usd=sent)).ok()
    assert found["run"]["cost_usd"] == read
    assert (await Run.get(id=found["run"]["id"])).cost_micros == micros
