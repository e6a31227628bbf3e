"""Why is this waiting? Every kind of reason, for one task and in lists."""

from datetime import timedelta
from typing import Any

import pytest

from mission_control.agents.models import Agent, Budget
from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.people.models import Organization, Token
from mission_control.tasks.models import Task
from tests.cast import Cast, stamp
from tests.claiming import claim, taken
from tests.statements import counted

pytestmark = pytest.mark.dialect


async def reasons(cast: Cast, task: Any) -> list[dict[str, Any]]:
    """What a task waits for."""
    found: list[dict[str, Any]] = (await cast.dan.get(f"{cast.task(task)}/waiting")).ok()["reasons"]
    return found


async def kinds(cast: Cast, task: Any) -> list[str]:
    return [one["kind"] for one in await reasons(cast, task)]


async def texts(cast: Cast, task: Any) -> list[str]:
    return [one["text"] for one in await reasons(cast, task)]


async def online(cast: Cast, *agents: Any) -> None:
    """Some agents were seen just now; Vega when nobody is named."""
    for agent in agents or (cast.vega,):
        await Agent.filter(id=agent.id).update(last_seen_at=times.clock_now())


async def put_agent(agent: Any, **columns: Any) -> None:
    await Agent.filter(id=agent.id).update(**columns)


async def test_available_task_has_no_blocking_reason(cast: Cast) -> None:
    task = await cast.add_task()
    await online(cast)
    [reason] = await reasons(cast, task)
    assert (reason["kind"], reason["text"]) == ("available", "An agent can claim it now.")
    given = await cast.add_task(assigned_agent_id=cast.vega.id)
    [reason] = await reasons(cast, given)
    assert (reason["text"], reason["agent_id"]) == ("Vega can start it now.", str(cast.vega.id))


async def test_done_task_has_no_reasons(cast: Cast) -> None:
    assert await reasons(cast, await cast.add_task(status="done")) == []


async def test_open_dependencies_are_one_reason(cast: Cast) -> None:
    await online(cast)
    others = [await cast.add_task(title=f"Step {n}") for n in range(1, 6)]
    (await cast.ada.patch(cast.task(others[0]), {"status": "done"})).ok()
    (await cast.ada.delete(cast.task(others[1]))).ok()
    task = await cast.add_task(depends_on_task_ids=[one["id"] for one in others if one is not others[1]])
    [reason] = await reasons(cast, task)
    assert reason["kind"] == "dependency" and reason["text"] == "It waits for #3 Step 3, #4 Step 4 and #5 Step 5."
    assert [(one["id"], one["number"], one["title"]) for one in reason["tasks"]] == [
        (one["id"], one["number"], one["title"]) for one in others[2:]
    ]


async def test_many_dependencies_are_counted(cast: Cast) -> None:
    others = [(await cast.add_task(title=f"Step {n}"))["id"] for n in range(1, 6)]
    task = await cast.add_task(depends_on_task_ids=others)
    assert (await texts(cast, task))[0] == "It waits for #1 Step 1, #2 Step 2, #3 Step 3 and 2 more."


async def test_pending_approval_is_a_reason_under_the_rule(cast: Cast) -> None:
    await online(cast)
    task = await cast.add_task()
    asked = await cast.ask(cast.vega, task, action_type="buy.lamp")
    assert await kinds(cast, task) == ["available"]
    await cast.rule(block_status_changes_with_pending_approval=True)
    [reason] = await reasons(cast, task)
    assert (reason["kind"], reason["approval_id"], reason["text"]) == (
        "approval", asked["id"], "It waits for a decision: buy lamp.",
    )  # fmt: skip


async def test_lease_reason_names_agent_and_end(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    [reason] = await reasons(cast, task)
    assert (reason["kind"], reason["text"], reason["until"]) == ("lease", "Vega has it.", None)
    until = times.clock_now().replace(hour=23, minute=59, second=59, microsecond=5)
    await Run.filter(task_id=task["id"]).update(lease_expires_at=until)
    [reason] = await reasons(cast, task)
    assert (reason["text"], reason["until"]) == ("Vega has it until 23:59 UTC.", times.wire(until))
    assert reason["agent_id"] == str(cast.vega.id) and reason["since"] is not None
    with times.travelled(timedelta(days=2)):
        found = {one["kind"]: one["text"] for one in await reasons(cast, task)}
    assert found["lease"].startswith("Vega had it until ") and f"{until:%b %Y}" in found["lease"]
    assert found["assignee_offline"].startswith("Vega is offline since ")


async def test_board_rules_are_reasons(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    await cast.rule(require_review_before_done=True, comment_required_for_review=True, require_approval_for_done=True)
    found = await reasons(cast, task)
    assert [one["rule"] for one in found if one["kind"] == "rule"] == [
        "comment_required_for_review", "require_review_before_done",
    ]  # fmt: skip
    (await cast.vega.post(f"{cast.task(task)}/comments", {"message": "Clean."})).ok()
    assert [one["rule"] for one in await reasons(cast, task) if one["kind"] == "rule"] == ["require_review_before_done"]
    (await cast.vega.patch(cast.task(task), {"status": "review"})).ok()
    await online(cast, cast.atlas)
    found = await reasons(cast, task)
    assert [(one["kind"], one["rule"]) for one in found] == [("rule", "require_approval_for_done"), ("review", None)]
    assert found[1]["text"] == "Atlas has to review it."
    asked = await cast.ask(cast.vega, task, action_type="task.finish")
    assert await kinds(cast, task) == ["approval", "review"]
    await cast.rule(require_review_before_done=False)
    assert await kinds(cast, task) == ["approval"]
    (await cast.ada.patch(cast.task(task), {"depends_on_task_ids": [(await cast.add_task())["id"]]})).ok()
    (await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()
    found = await reasons(cast, task)
    assert [one["kind"] for one in found] == ["dependency", "review"]
    assert found[1]["text"] == "Atlas can finish it or send it back."


async def test_only_lead_moves_is_a_reason(cast: Cast) -> None:
    await cast.rule(only_lead_can_change_status=True)
    task = await cast.add_task()
    [reason] = await reasons(cast, task)
    assert (reason["kind"], reason["rule"], reason["agent_id"]) == (
        "rule", "only_lead_can_change_status", str(cast.atlas.id),
    )  # fmt: skip
    assert "only the lead, Atlas, changes" in reason["text"]
    await put_agent(cast.atlas, is_board_lead=False)
    assert (await texts(cast, task))[0].endswith("and there is none.")


async def test_assigned_person_is_a_reason(cast: Cast) -> None:
    await cast.rule(work_state="paused", wip_limits={"in_progress": 0})
    task = await cast.add_task(assigned_user_id=cast.cleo.id)
    [reason] = await reasons(cast, task)
    assert (reason["kind"], reason["text"], reason["user_id"]) == ("person", "It is Cleo's.", str(cast.cleo.id))
    await cast.rule(work_state="running", wip_limits=None)
    nobodys = await cast.add_task(status="in_progress")
    [reason] = await reasons(cast, nobodys)
    assert reason["kind"] == "person" and reason["user_id"] is None and "nobody" not in reason["text"]


async def test_offline_or_paused_assignee_is_a_reason(cast: Cast) -> None:
    task = await cast.add_task(assigned_agent_id=cast.vega.id)
    [reason] = await reasons(cast, task)
    assert (reason["kind"], reason["text"], reason["since"]) == ("assignee_offline", "Vega has not come yet.", None)
    await put_agent(cast.vega, last_seen_at=stamp(-16))
    assert (await reasons(cast, task))[0]["since"] is not None
    await online(cast)
    assert await kinds(cast, task) == ["available"]
    await put_agent(cast.vega, work_state="paused", work_state_reason="New lamp.", work_state_at=times.clock_now())
    [reason] = await reasons(cast, task)
    assert (reason["kind"], reason["text"]) == ("assignee_paused", "Vega is paused: New lamp.")


async def test_paused_board_or_organization_is_a_reason(cast: Cast) -> None:
    await online(cast, cast.vega, cast.atlas)
    task = await cast.add_task()
    await cast.rule(work_state="stopped")
    await Organization.filter(id=cast.organization.id).update(work_state="paused", work_state_reason="Night.")
    assert await texts(cast, task) == [
        "The organization Observatory is paused: Night.",
        "The board Telescope is stopped.",
    ]
    reviewed = await cast.add_task(status="review", assigned_agent_id=cast.atlas.id)
    assert await kinds(cast, reviewed) == ["organization_paused", "board_paused", "review"]
    assert await kinds(cast, await cast.add_task(status="review")) == ["review"]


async def test_flag_and_backoff_are_reasons(cast: Cast) -> None:
    await online(cast)
    task = await cast.add_task()
    await cast.put(task, flagged_at=times.clock_now(), flag_reason="5 attempts failed.")
    [reason] = await reasons(cast, task)
    assert reason["kind"] == "flagged" and reason["text"].endswith("5 attempts failed.") and reason["since"]
    until = times.clock_now() + timedelta(minutes=1)
    await cast.put(task, flagged_at=None, retry_at=until, failed_attempts=2)
    [reason] = await reasons(cast, task)
    assert (reason["kind"], reason["until"]) == ("backoff", times.wire(until))
    assert reason["text"].startswith("After 2 failed attempts it is not assigned before ")
    with times.travelled(timedelta(minutes=2)):
        assert await kinds(cast, task) == ["available"]


@pytest.mark.parametrize("column", ["in_progress", "review"])
async def test_full_column_is_a_reason(cast: Cast, column: str) -> None:
    await online(cast)
    task = await cast.add_task()
    await cast.rule(wip_limits={column: 2})
    await cast.add_task(status=column)
    assert await kinds(cast, task) == ["available"]
    await cast.add_task(status=column)
    [reason] = await reasons(cast, task)
    assert (reason["kind"], reason["column"], reason["limit"]) == ("wip_limit", column, 2)


async def test_assignee_at_its_limit_is_a_reason(cast: Cast) -> None:
    await online(cast)
    task = await cast.add_task(assigned_agent_id=cast.vega.id)
    await put_agent(cast.vega, wip_limit=1)
    assert await kinds(cast, task) == ["available"]
    await cast.add_task(assigned_agent_id=cast.vega.id, status="in_progress")
    [reason] = await reasons(cast, task)
    assert (reason["kind"], reason["agent_id"], reason["limit"]) == ("wip_limit", str(cast.vega.id), 1)


async def test_reason_is_that_of_the_best_worker(cast: Cast) -> None:
    tag = (await cast.ada.post("/tags", {"name": "Night"})).ok()
    task = await cast.add_task(tag_ids=[tag["id"]])
    for agent in (cast.vega, cast.rigel):
        await put_agent(agent, claim_tags=["day", "nigh"])
    assert await texts(cast, task) == ["No worker of this board takes tasks with these tags."]
    await put_agent(cast.vega, claim_tags=["day", "night"])
    assert await texts(cast, task) == ["No agent that could take it is online."]
    await online(cast)
    await put_agent(cast.vega, work_state="paused")
    assert await texts(cast, task) == ["Every agent that could take it is paused."]
    await put_agent(cast.vega, work_state="running")
    budget = await _exhausted(cast, agent_id=cast.vega.id)
    assert await kinds(cast, task) == ["budget"]
    await budget.delete()
    await put_agent(cast.vega, wip_limit=0)
    assert await kinds(cast, task) == ["wip_limit"]
    await put_agent(cast.vega, wip_limit=1)
    assert await kinds(cast, task) == ["available"]
    await Agent.filter(id__in=[cast.vega.id, cast.rigel.id]).delete()
    assert await texts(cast, task) == ["No worker is on this board."]


async def test_assigned_task_ignores_claim_tags(cast: Cast) -> None:
    await online(cast)
    task = await cast.add_task(assigned_agent_id=cast.vega.id)
    await put_agent(cast.vega, claim_tags=["night"])
    assert await texts(cast, task) == ["Vega can start it now."]


async def test_task_assigned_to_the_lead_is_not_claimable(cast: Cast) -> None:
    (await cast.atlas.post("/agent/heartbeat")).ok()
    task = await cast.add_task(assigned_agent_id=cast.atlas.id)
    [reason] = await reasons(cast, task)
    assert (reason["kind"], reason["agent_id"]) == ("no_capable_agent", str(cast.atlas.id))
    assert reason["text"] == "Atlas leads the board and starts no work itself: it has to give this to a worker."
    (await claim(cast, cast.atlas, task_id=task["id"])).refused(403)


async def test_assignee_reason_precedes_later_reasons(cast: Cast) -> None:
    await online(cast)
    (await cast.ada.patch(cast.home, {"require_approval_for_done": True, "comment_required_for_review": True})).ok()
    await cast.add_task()
    assert await kinds(cast, await taken(cast)) == ["lease", "rule", "rule"]


async def test_backoff_without_a_failed_attempt_has_its_own_text(cast: Cast) -> None:
    await online(cast)
    task = await cast.add_task()
    await Task.filter(id=task["id"]).update(retry_at=times.clock_now() + timedelta(minutes=5))
    assert (await texts(cast, task))[0].startswith("After a lease that ran out it is not assigned before ")


async def _exhausted(cast: Cast, **of: Any) -> Budget:
    return await Budget.create(
        organization_id=cast.organization.id,
        unit="tokens",
        limit_amount=1,
        exceeded_on=str(times.clock_now().date()),
        **of,
    )


async def test_exceeded_budget_is_a_reason(cast: Cast) -> None:
    await online(cast)
    task = await cast.add_task(assigned_agent_id=cast.vega.id)
    await _exhausted(cast, board_id=cast.other_board.id)
    await _exhausted(cast, agent_id=cast.rigel.id)
    assert await kinds(cast, task) == ["available"]
    own, board, whole = [
        await _exhausted(cast, **of) for of in ({"agent_id": cast.vega.id}, {"board_id": cast.board.id}, {})
    ]
    found = {one["budget_id"]: one["text"] for one in await reasons(cast, task)}
    assert found == {
        str(own.id): "The budget of Vega is used up for today.",
        str(board.id): "The board's budget is used up for today.",
        str(whole.id): "The organization's budget is used up for today.",
    }
    with times.travelled(timedelta(days=1)):
        assert "budget" not in await kinds(cast, task)
    await Budget.filter(id=own.id).update(period="total")
    with times.travelled(timedelta(days=1)):
        assert "The budget of Vega is used up." in await texts(cast, task)


async def test_lists_include_reasons_on_request(cast: Cast) -> None:
    await online(cast)
    first = await cast.add_task()
    second = await cast.add_task(depends_on_task_ids=[first["id"]], status="inbox")
    await cast.add_task(status="done")
    for caller, path in ((cast.dan, cast.tasks), (cast.rigel, f"/agent{cast.tasks}")):
        plain = (await caller.get(path)).ok()["items"]
        told = (await caller.get(f"{path}?include_waiting=true")).ok()["items"]
        assert all("waiting" not in one for one in plain)
        assert [[reason["kind"] for reason in one["waiting"]] for one in told] == [[], ["dependency"], ["available"]]
        assert told[1]["waiting"] == await reasons(cast, second)
        assert [{name: one[name] for name in plain[0]} for one in told] == plain
    (await cast.ada.delete(cast.task(first))).ok()
    [gone] = (await cast.dan.get(f"{cast.tasks}?include_waiting=true&deleted=true")).ok()["items"]
    assert gone["waiting"] == []


async def test_reasons_in_a_list_cost_one_statement(cast: Cast) -> None:
    async def cost(query: str) -> int:
        with counted() as found:
            (await cast.dan.get(f"{cast.tasks}{query}")).ok()
        return len(found)

    task = await cast.add_task()
    plain, with_reasons = "?query=due:none", "?query=due:none&include_waiting=true"  # neither is kept
    few = await cost(plain)
    assert await cost(with_reasons) == few + 1
    for _ in range(10):
        await cast.add_task(depends_on_task_ids=[task["id"]])
    assert (await cost(plain), await cost(with_reasons)) == (few, few + 1)


async def test_agents_and_people_read_the_same_reasons(cast: Cast) -> None:
    path = f"{cast.task(await cast.add_task())}/waiting"
    assert (await cast.vega.get(path)).ok() == (await cast.dan.get(path)).ok()


async def test_refused_request_is_a_reason(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=True)
    task = await cast.add_task(assigned_agent_id=cast.vega.id)
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    [rule, *_] = [one["text"] for one in await reasons(cast, task) if one["kind"] == "rule"]
    assert rule == "On this board it is done only when an approval was given, and none is asked for yet."
    asked = await cast.ask(cast.vega, task, action_type="task.finish")
    (await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "rejected"})).ok()
    small = await cast.ask(cast.vega, task)
    (await cast.ada.patch(f"{cast.approvals}/{small['id']}", {"status": "approved"})).ok()
    [rule, *_] = [one["text"] for one in await reasons(cast, task) if one["kind"] == "rule"]
    assert (
        rule == "On this board it is done only when an approval was given, and the last request for one was rejected."
    )


async def test_agent_with_read_only_tokens_cannot_take_it(cast: Cast) -> None:
    task = await cast.add_task()
    await online(cast)
    assert await texts(cast, task) == ["An agent can claim it now."]
    await Token.filter(agent_id__in=[cast.vega.id, cast.rigel.id]).update(scopes=["read"])
    assert await texts(cast, task) == ["No agent that could take it has a token that lets it work."]
    (await cast.ada.patch(cast.task(task), {"assigned_agent_id": str(cast.vega.id)})).ok()
    assert await texts(cast, task) == ["Vega has no token that lets it work."]
    await Token.filter(agent_id=cast.vega.id).update(scopes=None, expires_at=times.clock_now() - timedelta(seconds=1))
    assert await texts(cast, task) == ["Vega has no token that lets it work."]
    await Token.filter(agent_id=cast.vega.id).update(expires_at=None)
    assert await texts(cast, task) == ["Vega can start it now."]


async def test_reason_says_that_a_task_has_no_tags(cast: Cast) -> None:
    task = await cast.add_task()
    await online(cast)
    for agent in (cast.vega, cast.rigel):
        await put_agent(agent, claim_tags=["night"])
    assert await texts(cast, task) == ["No worker of this board takes tasks without tags."]


async def test_stopped_agents_are_not_called_paused(cast: Cast) -> None:
    task = await cast.add_task()
    await online(cast, cast.vega, cast.rigel)
    for agent in (cast.vega, cast.rigel):
        await put_agent(agent, work_state="stopped")
    assert await texts(cast, task) == ["Every agent that could take it is stopped."]
    await put_agent(cast.rigel, work_state="paused")
    assert await texts(cast, task) == ["Every agent that could take it is paused or stopped."]


@pytest.mark.parametrize("write", ["comment", "lease", "completion"])
async def test_stale_write_after_a_stop_is_not_told_to_claim_again(cast: Cast, write: str) -> None:
    await cast.add_task()
    held = (await claim(cast)).ok()
    path, fence = f"/agent{cast.task(held['task'])}", held["lease"]["fence"]
    (await cast.ada.call("PUT", f"{cast.home}/work-state", {"state": "stopped"})).ok()
    sent = {
        "comment": lambda: cast.vega.post(f"{path}/comments", {"message": "x"}, headers={"X-Task-Fence": str(fence)}),
        "lease": lambda: cast.vega.post(f"{path}/lease", {"fence": fence}),
        "completion": lambda: cast.vega.post(f"{path}/completions", {"fence": fence, "summary": "x"}),
    }
    detail = (await sent[write]()).refused_as(409, "lease_lost")
    assert detail["message"].endswith("claim nothing until your heartbeat says continue.")
    (await cast.ada.call("PUT", f"{cast.home}/work-state", {"state": "running"})).ok()
    assert (await sent[write]()).refused_as(409, "lease_lost")["message"].endswith("claim again.")
