"""An approval of an earlier hand-in, or of something else, finishes nothing: a task needs one of this attempt."""

import pytest

from mission_control.tasks.models import Task
from tests.agents_on_gateways import add_gateway, hire_on
from tests.cast import Cast
from tests.hand_ins import (
    Deed,
    approval_of,
    approve,
    claimed,
    drag,
    drag_on_page,
    hand_in,
    refused_work,
    rework,
    send_back,
)
from tests.mcp.clients import connected
from tests.visitor import visitor

pytestmark = pytest.mark.dialect


@pytest.fixture
async def strict(cast: Cast) -> Cast:
    """A board with a lead that needs an approval before a task is done."""
    await cast.rule(require_approval_for_done=True)
    return cast


@pytest.mark.parametrize("back", [rework, drag, drag_on_page, send_back])
async def test_old_approval_says_nothing_about_the_next_hand_in(strict: Cast, back: Deed) -> None:
    claim = await claimed(strict, strict.vega)
    task = claim["task"]
    first = (await hand_in(strict, claim, strict.vega))["approval"]
    await back(strict, task)
    (await approve(strict, first)).refused_as(409, "approval_closed")
    who = strict.vega if back is rework else strict.rigel
    again = await claimed(strict, who, task["id"])
    (await approve(strict, first)).refused_as(409, "approval_closed")
    second = (await hand_in(strict, again, who, status="done"))["approval"]
    await refused_work(strict, task, first, second)
    (await strict.atlas.patch(strict.task(task), {"status": "done"})).refused_as(409, "task_approval_required")
    (await strict.ada.patch(strict.task(task), {"status": "done"})).refused_as(409, "task_approval_required")
    (await approve(strict, second)).ok()
    assert (await Task.get(id=task["id"])).status == "done"


async def test_old_approval_says_nothing_over_mcp(strict: Cast) -> None:
    task = await strict.add_task()
    async with connected(strict.vega) as vega, connected(strict.atlas) as atlas, connected(strict.cleo) as cleo:
        fence = (await vega.ok("next", task_id=task["id"]))["lease"]["fence"]
        first = (await vega.ok("finish", task_id=task["id"], fence=fence, summary="Clean."))["approval"]
        await atlas.ok("review_task", task_id=task["id"], verdict="send_back", comment="Softer.")
        refused = await cleo.refused("decide_approval", approval_id=first["id"], decision="approved")
        assert refused["code"] == "approval_closed"
        fence = (await vega.ok("next", task_id=task["id"]))["lease"]["fence"]
        second = (await vega.ok("finish", task_id=task["id"], fence=fence, summary="Cleaner."))["approval"]
        refused = await atlas.refused("review_task", task_id=task["id"], verdict="done", comment="Fine.")
        assert refused["code"] == "task_approval_required"
        assert [one["id"] for one in (await cleo.ok("list_requests"))["requests"]] == [second["id"]]
    await refused_work(strict, task, first, second)


async def test_old_approval_says_nothing_on_pages(strict: Cast) -> None:
    claim = await claimed(strict, strict.vega)
    task = claim["task"]
    first = (await hand_in(strict, claim, strict.vega))["approval"]
    await rework(strict, task)
    cleo = await visitor(strict.app, strict.cleo)
    (await cleo.get("/")).lacks(f"approval:{first['id']}")
    page = f"/boards/{strict.board.id}/approvals"
    said = await cleo.with_htmx.post(f"{page}/{first['id']}/decisions", {"decision": "approved", "from": "row"})
    said.has("The work was sent back.")
    (await cleo.get(f"{page}/{first['id']}")).has("It closed", "The work was sent back.").lacks("Re-open")
    second = (await hand_in(strict, await claimed(strict, strict.vega, task["id"]), strict.vega))["approval"]
    done = {"status": "done"}
    (await cleo.with_htmx.post(f"{strict.task(task)}/moves", done)).has("Approve and finish")
    await refused_work(strict, task, first, second)
    await cleo.with_htmx.post(f"{strict.task(task)}/moves", {**done, "approve": "true"})
    assert (await approval_of(strict, second))["resolved_by"]["name"] == "Cleo"
    assert (await Task.get(id=task["id"])).status == "done"


async def test_old_approval_says_nothing_for_an_agent_of_a_gateway(strict: Cast) -> None:
    gateway = await add_gateway(strict.organization.id, strict.board)
    kit = await hire_on(strict.app, gateway, strict.board, "Kit")
    claim = await claimed(strict, kit)
    first = (await hand_in(strict, claim, kit))["approval"]
    await rework(strict, claim["task"])
    (await approve(strict, first)).refused_as(409, "approval_closed")
    again = await claimed(strict, kit, claim["task"]["id"])
    second = (await hand_in(strict, again, kit, status="done"))["approval"]
    (await kit.patch(strict.task(claim["task"]), {"status": "done"})).refused(403)
    await refused_work(strict, claim["task"], first, second)


async def test_small_yes_finishes_nothing_over_mcp(strict: Cast) -> None:
    task = await strict.add_task()
    async with connected(strict.vega) as vega:
        fence = (await vega.ok("next", task_id=task["id"]))["lease"]["fence"]
        small = await vega.ok("ask", action="read.docs", question="To know.", wait_seconds=0)
        (await approve(strict, small)).ok()
        assert (await vega.ok("next"))["kind"] == "resume"
        done = await vega.ok("finish", task_id=task["id"], fence=fence, summary="Clean.", status="done")
    assert (done["task"]["status"], done["approval"]["status"]) == ("review", "pending")
    assert done["approval"]["action_type"] == "task.finish"


async def test_small_yes_finishes_nothing_for_an_agent_of_a_gateway(strict: Cast) -> None:
    kit = await hire_on(strict.app, await add_gateway(strict.organization.id, strict.board), strict.board, "Kit")
    claim = await claimed(strict, kit)
    (await approve(strict, await strict.ask(kit, claim["task"], action_type="read.docs"))).ok()
    (await kit.patch(strict.task(claim["task"]), {"status": "done"})).refused_as(409, "task_approval_required")
    found = await hand_in(strict, claim, kit, status="done")
    assert (found["task"]["status"], found["approval"]["action_type"]) == ("review", "task.finish")


@pytest.mark.parametrize("word", ["mark_task_done", "task.finish"])
async def test_clients_of_the_predecessor_finish_as_before(strict: Cast, word: str) -> None:
    claim = await claimed(strict, strict.vega)
    (await strict.vega.patch(strict.task(claim["task"]), {"status": "review"})).ok()
    asked = await strict.ask(strict.atlas, claim["task"], action_type=word)
    (await strict.cleo.patch(f"{strict.approvals}/{asked['id']}", {"status": "approved"})).ok()
    assert (await strict.atlas.patch(strict.task(claim["task"]), {"status": "done"})).ok()["status"] == "done"
