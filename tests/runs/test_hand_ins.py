"""What leads and agents read of handed-in and deleted work, and where rejected work goes."""

import pytest

from mission_control.tasks.models import Task
from tests.cast import Cast
from tests.hand_ins import approval_of, claimed, hand_in, trash
from tests.mcp.clients import connected
from tests.visitor import visitor

pytestmark = pytest.mark.dialect


@pytest.fixture
async def strict(cast: Cast) -> Cast:
    """A board with a lead that needs an approval before a task is done."""
    await cast.rule(require_approval_for_done=True)
    return cast


@pytest.mark.parametrize("needs_approval", [True, False])
async def test_lead_reads_of_a_hand_in_once_and_what_to_do(cast: Cast, needs_approval: bool) -> None:
    await cast.rule(require_approval_for_done=needs_approval)
    claim = await claimed(cast, cast.vega)
    inbox = (await cast.atlas.get("/agent/inbox")).ok()
    await hand_in(cast, claim, cast.vega)
    [told] = (await cast.atlas.get(f"/agent/inbox?after={inbox['next']}")).ok()["items"]
    assert told["header"] == "TASK READY FOR LEAD REVIEW"
    assert ("People are asked whether it is done" in told["text"]) is needs_approval
    assert ("move it to done" in told["text"]) is not needs_approval
    texts = [one["text"] for one in (await cast.ada.get(f"{cast.task(claim['task'])}/waiting")).ok()["reasons"]]
    assert not any("has to review it" in one for one in texts)


async def test_lead_reads_that_it_can_ask_for_the_approval(strict: Cast) -> None:
    claim = await claimed(strict, strict.vega)
    inbox = (await strict.atlas.get("/agent/inbox")).ok()
    (await strict.vega.patch(strict.task(claim["task"]), {"status": "review", "comment": "Clean."})).ok()
    [told] = (await strict.atlas.get(f"/agent/inbox?after={inbox['next']}")).ok()["items"]
    assert "ask for an approval task.finish" in told["text"]


@pytest.mark.parametrize("way", ["HTTP", "MCP"])
async def test_agent_reads_that_its_task_was_deleted(cast: Cast, way: str) -> None:
    claim = await claimed(cast, cast.vega)
    await trash(cast, claim["task"])
    sent = {"fence": 1, "summary": "Clean."}
    if way == "HTTP":
        path = f"/agent{cast.task(claim['task'])}"
        assert (await cast.vega.post(f"{path}/completions", sent)).refused(404)["code"] == "task_deleted"
        assert (await cast.vega.post(f"{path}/lease", {"fence": 1})).refused(404)["code"] == "task_deleted"
        return
    async with connected(cast.vega) as vega:
        refused = await vega.refused("finish", task_id=claim["task"]["id"], **sent)
        assert (refused["status"], refused["code"]) == (404, "task_deleted")


@pytest.mark.parametrize("way", ["page", "need"])
@pytest.mark.parametrize(
    ("then", "where"), [("inbox", ("inbox", False)), ("mine", ("in_progress", False)), ("trash", ("review", True))]
)
async def test_rejected_work_goes_where_the_person_says(
    strict: Cast, way: str, then: str, where: tuple[str, bool]
) -> None:
    claim = await claimed(strict, strict.vega)
    approval = (await hand_in(strict, claim, strict.vega))["approval"]
    cleo = await visitor(strict.app, strict.cleo)
    if way == "page":
        (await cleo.get("/approvals")).has("Reject, back to the inbox", "Reject, I take it over")
        page = f"/boards/{strict.board.id}/approvals/{approval['id']}/decisions"
        assert (await cleo.with_htmx.post(page, {"then": then})).status < 400
    else:
        answer = "reject" if then == "inbox" else f"reject_{then}"
        (await strict.cleo.post(f"/needs/approval:{approval['id']}/answers", {"answer": answer})).ok()
    task = await Task.get(id=claim["task"]["id"])
    assert (task.status, task.deleted_at is not None) == where
    assert task.assigned_user_id == (strict.cleo.id if then == "mine" else None)
    if way == "need":
        (await strict.cleo.post("/needs/undos", {"ids": [f"approval:{approval['id']}"]})).ok()
        assert (await Task.get(id=task.id)).status == "review" and (await approval_of(strict, approval))[
            "status"
        ] == "pending"
