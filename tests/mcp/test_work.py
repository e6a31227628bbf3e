"""A worker's day over MCP: next, report, ask, wait, finish."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.events import wakeup_channels
from mission_control.people.models import User
from mission_control.runs.claims.polling import channel_of
from mission_control.tasks.models import Comment, Task
from tests.cast import Cast, events, head, kinds
from tests.mcp.clients import ERAS, Call, connected
from tests.statements import counted

ACTION = {"action": "deploy", "question": "It is ready."}


async def pending(cast: Cast) -> Any:
    """The approval that somebody waits for."""
    await until(lambda: wakeup_channels.is_awaited("approval"))
    [asked] = (await cast.ada.get(f"{cast.approvals}?status=pending")).ok()["items"]
    return asked


async def until(ready: object) -> None:
    """Look until something is so."""
    async with asyncio.timeout(40):
        while not ready():  # type: ignore[operator]
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("mode", ERAS)
async def test_whole_worker_loop(cast: Cast, mode: str) -> None:
    await cast.rule(require_approval_for_done=True)
    wanted = await cast.add_task(title="Point the mirror", priority="high")
    await cast.add_task(title="Sweep the floor", priority="low")
    before = await head(cast)
    async with connected(cast.vega, mode) as vega:
        me = await vega.ok("who_am_i")
        assert (me["name"], me["role"], me["directive"]) == ("Vega", "worker", "continue")
        assert "approved" in me["board"]["rules"][0]
        claimed = await vega.ok("next")
        assert claimed["task"]["id"] == wanted["id"]
        held = {"task_id": wanted["id"], "fence": claimed["lease"]["fence"]}
        assert (await vega.ok("get_task", task_id=wanted["id"]))["task"]["status"] == "in_progress"
        await vega.ok("comment", **held, message="The lock is stiff.")
        action = {"action": "task.finish", "question": "It points.", "confidence": 95}
        waiting = asyncio.create_task(vega.ok("ask", **held, **action))
        asked = await pending(cast)
        (await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved", "note": "Well done."})).ok()
        decided = await asyncio.wait_for(waiting, 40)  # it would have waited for 50 s
        assert (decided["state"], decided["answer"], decided["answered_by"]) == ("approved", "Well done.", "Ada")
        done = await vega.ok(
            "finish",
            **held,
            summary="It points at Vega.",
            status="done",
            evidence=[{"url": "https://ci.example.org/214", "title": "Run 214"}],
            files=[{"name": "pointing.md", "text": "# Pointing\n"}],
        )
        assert (done["task"]["status"], done["run"]["state"]) == ("done", "completed")
    run = await Run.get(task_id=wanted["id"])
    assert run.summary == "It points at Vega."
    attached = (await cast.ada.get(f"{cast.task(wanted)}/attachments")).ok()["items"]
    assert [one["name"] for one in attached] == ["pointing.md"]
    recorded = await events(before, organization_id=cast.organization.id, actor_id=cast.vega.id)
    assert {one.surface for one in recorded} == {"mcp"}
    assert {one.kind for one in recorded} >= {"task.status_changed", "approval.requested", "task.run_completed"}


async def test_handed_in_work_waits_for_a_person(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=True)
    await cast.add_task()
    async with connected(cast.vega) as vega:
        claimed = await vega.ok("next")
        held = {"task_id": claimed["task"]["id"], "fence": claimed["lease"]["fence"]}
        found = await vega.ok("finish", **held, summary="Pointed.", status="done")
        approval = found["approval"]
        assert (found["task"]["status"], approval["action_type"], approval["status"]) == (
            "review", "task.finish", "pending",
        )  # fmt: skip
        sent = {"decision": "changes_requested", "note": "A little to the left."}
        (await cast.ada.patch(f"{cast.approvals}/{approval['id']}", sent)).ok()
        again = await vega.ok("next")
        assert again["task"]["id"] == held["task_id"]
        assert "A little to the left." in [
            one["message"] for one in (await vega.ok("get_task", task_id=held["task_id"]))["comments"]
        ]
        held["fence"] = again["lease"]["fence"]
        approval = (await vega.ok("finish", **held, summary="To the left."))["approval"]
        (await cast.ada.patch(f"{cast.approvals}/{approval['id']}", {"decision": "approved"})).ok()
        found = await vega.ok("finish", **held, summary="To the left.")
        assert (found["task"]["status"], found["approval"]) == ("done", None)


async def test_claim_without_work_is_not_an_error(cast: Cast) -> None:
    async with connected(cast.vega) as vega:
        found = await vega.ok("next", wait_seconds=0)
        assert (found["kind"], found["task"], found["lease"], found["reason"]) == ("nothing", None, None, None)


async def test_released_task_is_available_to_all(cast: Cast) -> None:
    task = await cast.add_task()
    async with connected(cast.vega) as vega, connected(cast.rigel) as rigel:
        fence = (await vega.ok("next"))["lease"]["fence"]
        await vega.ok("give_back", task_id=task["id"], fence=fence, reason="I have no key.")
        taken = await rigel.ok("next")
        assert (taken["task"]["id"], taken["lease"]["fence"]) == (task["id"], fence + 1)
        [second, first] = (await rigel.ok("get_task", task_id=task["id"]))["attempts"]
    assert (first["state"], first["end_reason"], second["state"]) == ("released", "I have no key.", "running")


async def test_lost_lease_refuses_writes(cast: Cast) -> None:
    task = await cast.add_task()
    async with connected(cast.vega) as vega:
        held = {"task_id": task["id"], "fence": (await vega.ok("next"))["lease"]["fence"]}
        with times.travelled(timedelta(seconds=901)):
            before = await head(cast)
            for name, more in (
                ("comment", {"message": "Still here."}),
                ("give_back", {"reason": "Late."}),
                ("finish", {"summary": "Late."}),
            ):
                refusal = await vega.refused(name, **held, **more)
                assert (refusal["status"], refusal["code"]) == (409, "lease_lost"), name
            for name, arguments in (("report", {"did": ["Slept"]}), ("ask", {"question": "Late?"})):
                assert (await vega.refused(name, **held, **arguments))["code"] == "no_run", name
            happened = {kind for kind, _ in await kinds(cast, before)}
    assert happened <= {"task.lease_expired"}
    assert not await Comment.filter(task_id=task["id"]).exists()


async def test_paused_agent_is_told_so(cast: Cast) -> None:
    await cast.add_task()
    (await cast.ada.call("PUT", f"/agents/{cast.vega.id}/work-state", {"state": "paused", "reason": "Lunch."})).ok()
    async with connected(cast.vega) as vega:
        found = await vega.ok("next", wait_seconds=0)
        assert (found["kind"], found["directive"]) == ("directive", "pause") and "Lunch" in found["text"]
        assert (await vega.ok("who_am_i"))["directive"] == "pause"


async def test_concurrent_claims_get_different_tasks(cast: Cast) -> None:
    await asyncio.gather(*(cast.add_task(title=f"Task {number}") for number in range(6)))
    async with connected(cast.vega) as vega, connected(cast.rigel) as rigel:
        claims = (one.ok("next", wait_seconds=0) for _ in range(4) for one in (vega, rigel))
        got = [one["task"]["id"] for one in await asyncio.gather(*claims) if one["task"]]
    assert len(got) == len(set(got)) == 6


# Waiting


async def test_waiting_claim_gets_new_work(cast: Cast) -> None:
    async with connected(cast.vega) as vega:
        waiting = asyncio.create_task(vega.ok("next", wait_seconds=50))
        await until(lambda: wakeup_channels.waiting(channel_of(cast.board.id)))
        task = await cast.add_task()
        assert (await waiting)["task"]["id"] == task["id"]


@pytest.mark.parametrize("era", ERAS)
async def test_disconnected_claim_takes_nothing(cast: Cast, era: str) -> None:
    call = Call(cast.vega, era, "next", {"wait_seconds": 50})
    await until(lambda: wakeup_channels.waiting(channel_of(cast.board.id)))
    call.hang_up()
    await until(lambda: not wakeup_channels.waiting(channel_of(cast.board.id)))
    assert await call.ended() == []
    task = await cast.add_task()
    assert (await Task.get(id=task["id"])).status == "inbox"
    async with connected(cast.rigel) as rigel:
        assert (await rigel.ok("next"))["task"]["id"] == task["id"]


async def test_waiting_for_a_decision_runs_no_statements(cast: Cast) -> None:
    with counted() as statements:
        call = Call(cast.vega, "legacy", "ask", {**ACTION, "wait_seconds": 50})
        await until(lambda: wakeup_channels.is_awaited("approval"))
        begun = -1
        while begun != len(statements):  # it listens first and looks then
            begun = len(statements)
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.3)
        assert len(statements) == begun, statements
        call.hang_up()
        await call.ended()


async def test_waiting_is_not_logged_as_slow(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    slow = cast.app.config["SETTINGS"].request_log_slow_ms
    assert slow > 0
    async with connected(cast.vega) as vega:
        await vega.names()
        caplog.clear()  # of what else was slow on a busy machine
        await vega.ok("ask", **ACTION, wait_seconds=1 + slow // 1000)
        assert "http.request.slow" not in caplog.messages


async def test_revoked_token_gets_no_decision(cast: Cast) -> None:
    async with connected(cast.vega) as vega:
        waiting = asyncio.create_task(vega.refused("ask", **ACTION))
        asked = await pending(cast)
        [token] = (await cast.ada.get(f"/agents/{cast.vega.id}/tokens")).ok()["items"]
        (await cast.ada.delete(f"/agents/{cast.vega.id}/tokens/{token['id']}")).ok()
        (await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()
        assert (await waiting)["status"] == 401


async def test_moved_agent_gets_no_decision_of_its_old_board(cast: Cast) -> None:
    async with connected(cast.vega) as vega:
        waiting = asyncio.create_task(vega.refused("ask", **ACTION))
        asked = await pending(cast)
        (await cast.ada.patch(f"/agents/{cast.vega.id}", {"board_id": str(cast.other_board.id)})).ok()
        (await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()
        assert (await waiting)["status"] == 404


async def test_answered_question_arrives_as_a_notice(cast: Cast) -> None:
    async with connected(cast.atlas) as atlas:
        asked = await atlas.ok("ask", question="North or south?", wait_seconds=0)
        path = f"{cast.home}/questions/{asked['id']}/answers"
        (await cast.ada.post(path, {"answer": "North."})).ok()
        [*_, notice] = (await atlas.ok("read_inbox"))["items"]
        assert "North." in notice["text"]
        [entry] = (await atlas.ok("recall", q="North."))["entries"]
        assert entry["content"].endswith("North.")


async def test_person_is_named_who_is_asked_when_nobody_answers(cast: Cast) -> None:
    asked = {"question": "North or south?", "decide_in": 3600, "otherwise": "ask", "wait_seconds": 0}
    async with connected(cast.vega) as vega:
        made = await vega.ok("ask", **asked, otherwise_person="cleo")
        found = (await cast.ada.get(f"{cast.home}/questions/{made['id']}")).ok()
        assert (found["otherwise"], found["otherwise_user_id"]) == ("ask", str(cast.cleo.id))
        made = await vega.ok("ask", **asked, action="deploy", otherwise_person=str(cast.ada.id))
        found = (await cast.ada.get(f"{cast.approvals}/{made['id']}")).ok()
        assert (found["otherwise"], found["otherwise_user_id"]) == ("ask", str(cast.ada.id))
        for nobody in ("Dan", "Eve", "Vega", "%"):  # who only reads here, who is elsewhere, an agent
            assert (await vega.refused("ask", **asked, otherwise_person=nobody))["status"] == 422
        assert (await vega.refused("ask", **asked))["status"] == 422
        await User.filter(id=cast.ada.id).update(name="Cleo", preferred_name=None)
        refusal = await vega.refused("ask", **asked, otherwise_person="Cleo")
        assert "Several people" in refusal["message"]


async def test_agent_that_starts_anew_sees_what_it_waits_for(cast: Cast) -> None:
    task = await cast.add_task()
    async with connected(cast.vega) as vega, connected(cast.rigel) as rigel:
        question = await vega.ok("ask", question="North or south?", wait_seconds=0)
        held = {"task_id": task["id"], "fence": (await rigel.ok("next"))["lease"]["fence"]}
        approval = await rigel.ok("ask", **held, **ACTION, wait_seconds=0)
        listed = (await vega.ok("list_asked"))["asked"]
        assert [(one["kind"], one["id"], one["mine"], one["asked_by"]) for one in listed] == [
            ("approval", approval["id"], False, cast.rigel.name),
            ("question", question["id"], True, cast.vega.name),
        ]
        assert (listed[0]["text"], listed[0]["task_ids"]) == ("deploy: It is ready.", [task["id"]])
        assert (await rigel.refused("withdraw_question", question_id=question["id"]))["status"] == 403
        await vega.ok("withdraw_question", question_id=question["id"])
        await vega.ok("withdraw_question", question_id=question["id"])  # sent again
        (await cast.ada.patch(f"{cast.approvals}/{approval['id']}", {"status": "approved"})).ok()
        assert (await vega.ok("list_asked"))["asked"] == []
