"""What done needs on a board: held for agents on every path, with one sentence; people may finish without."""

from typing import Any

import pytest

from tests.boards.test_board_goal_and_settings_pages import typed
from tests.cast import Answer, Cast, events, head
from tests.claiming import taken
from tests.mcp.clients import connected
from tests.runs.test_code_handed_in import BASE, CODE, HEAD
from tests.things import bring
from tests.visitor import visitor

CHECK = {"command": "make test", "exit_code": 0, "commit": HEAD}
WORK: dict[str, Any] = {"summary": "It is kept longer.", "code": CODE | {"pull_request": None, "commits": []}}
NEEDS = "On this board done needs "
GREEN = "a check that passes on the handed-in commit "


async def begun(cast: Cast, *needs: str, **rules: Any) -> dict[str, Any]:
    """A task in Vega's hands, on a board whose done needs this."""
    await cast.rule(done_needs=[*needs], require_approval_for_done=False, **rules)
    await cast.add_task(title="Cache it")
    return await taken(cast)


async def hand_in(cast: Cast, task: dict[str, Any], **more: Any) -> Answer:
    return await cast.vega.post(f"/agent{cast.task(task)}/completions", WORK | {"fence": task["fence"]} | more)


def with_check(**more: Any) -> dict[str, Any]:
    return CODE | {"pull_request": None, "commits": [], "check": CHECK | more}


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "no code": ({"code": None}, "(no check ran)"),
    "no check": ({"code": WORK["code"] | {"tests": ""}}, "(no check ran)"),
    "red": ({"code": with_check(exit_code=2)}, "(check failed on 3f3f3f3, exit code 2)"),
    "stale": ({"code": with_check(commit=BASE)}, "(check passed on 0a0a0a0, not on what was handed in)"),
    "of no commit": ({"code": with_check(commit=None)}, "(check passed, commit unknown)"),
    "green": ({"code": with_check()}, ""),
}


@pytest.mark.parametrize("case", list(CASES))
async def test_hand_in_waits_for_a_check_of_what_is_handed_in(cast: Cast, case: str) -> None:
    more, why = CASES[case]
    task = await begun(cast, "check")
    answer = await hand_in(cast, task, **more)
    if not why:
        assert answer.ok()["task"]["status"] == "review"
        return
    refusal = answer.refused_as(409, "task_done_needs")
    assert (refusal["message"], refusal["missing"]) == (f"{NEEDS}{GREEN}{why}.", ["check"])
    assert (await cast.cleo.get(cast.task(task))).ok()["status"] == "in_progress"
    [run] = (await cast.cleo.get(f"{cast.task(task)}/runs")).ok()["items"]
    assert (run["state"], run["code"]) == ("running", None)
    assert (await hand_in(cast, task, code=with_check())).ok()["task"]["status"] == "review"


async def test_all_criteria_are_met_first(cast: Cast) -> None:
    task = await begun(cast, "criteria", "check")
    steps = [
        (await cast.ada.post(f"{cast.task(task)}/checklist", {"text": text, "is_criterion": True})).ok()
        for text in ("Fast", "Small")
    ]
    (await cast.ada.patch(f"{cast.task(task)}/checklist/{steps[0]['id']}", {"is_done": True})).ok()
    refusal = (await hand_in(cast, task)).refused_as(409, "task_done_needs")
    criteria = "all criteria (1 of 2 met)"
    assert refusal["missing"] == ["criteria", "check"] and refusal["message"].startswith(
        f"{NEEDS}{criteria} and {GREEN}"
    )
    (await cast.ada.patch(f"{cast.task(task)}/checklist/{steps[1]['id']}", {"is_done": True})).ok()
    (await hand_in(cast, task, code=with_check())).ok()


@pytest.mark.parametrize("status", ["review", "done"])
async def test_change_of_status_is_held_too(cast: Cast, status: str) -> None:
    task = await begun(cast, "result", "check")
    refusal = (await cast.vega.patch(cast.task(task), {"status": status})).refused_as(409, "task_done_needs")
    assert refusal["missing"] == ["result", "check"]
    assert "(nothing was changed, and nothing is said)" in refusal["message"]
    await cast.rule(done_needs=["result"])
    (await cast.vega.patch(cast.task(task), {"status": status})).refused_as(409, "task_done_needs")
    (await cast.vega.patch(cast.task(task), {"status": status, "comment": "All links answer."})).ok()


async def test_lead_is_held_and_a_person_is_not(cast: Cast) -> None:
    task = await begun(cast, "check")
    await cast.put(task, status="review", assigned_agent_id=cast.atlas.id)
    (await cast.atlas.patch(cast.task(task), {"status": "done"})).refused_as(409, "task_done_needs")
    new = {"title": "Done already", "status": "done"}
    (await cast.atlas.post(f"/agent{cast.home}/tasks", new)).refused_as(409, "task_done_needs")
    assert (await cast.cleo.patch(cast.task(task), {"status": "done"})).ok()["status"] == "done"


async def test_tool_of_models_says_the_sentence(cast: Cast) -> None:
    task = await begun(cast, "check")
    async with connected(cast.vega) as client:
        told = await client.call("finish", task_id=task["id"], fence=task["fence"], summary="It is kept longer.")
    assert told.is_error and f"{NEEDS}{GREEN}(no check ran)." in str(told.content)


@pytest.mark.parametrize("status", [None, "done"])
async def test_hand_in_without_a_result_is_refused_on_every_board(cast: Cast, status: str | None) -> None:
    task = await begun(cast)
    unchanged = {"base": BASE, "head": BASE}
    for code in (None, unchanged):
        (await hand_in(cast, task, summary="...", code=code, status=status)).refused(422)
    (await hand_in(cast, task, summary=" ", status=status)).refused(422)
    assert (await cast.cleo.get(cast.task(task))).ok()["status"] == "in_progress"
    (await hand_in(cast, task, summary="...", status=status)).ok()


async def test_rule_is_set_by_people_kept_and_copied(cast: Cast) -> None:
    before = await head(cast)
    board = (await cast.cleo.patch(cast.home, {"done_needs": ["check", "result", "check"]})).ok()
    assert board["done_needs"] == ["result", "check"]
    [event] = await events(before)
    assert event.kind == "board.updated" and "done_needs" in str(event.data)
    (await cast.cleo.patch(cast.home, {"done_needs": ["luck"]})).refused(422)
    file = (await cast.ada.get(f"{cast.home}/export")).ok()
    assert (await bring(cast.ben, file))["board"]["done_needs"] == ["result", "check"]
    cleo = await visitor(cast.app, cast.cleo)
    for needs in ("criteria", "check"), ():
        form = {**await typed(cast), "require_review_before_done": "true", "done_needs": list(needs)}
        (await cleo.post(f"{cast.home}/settings", form)).is_status(303)
        assert sorted((await cast.cleo.get(cast.home)).ok()["done_needs"] or ()) == sorted(needs)
    assert (await cast.cleo.get(cast.home)).ok()["done_needs"] is None
