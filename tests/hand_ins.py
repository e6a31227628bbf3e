"""Claims, hand-ins and what people do with handed-in work, for tests of what becomes of the requests about it."""

from collections.abc import Awaitable, Callable
from typing import Any

from mission_control.tasks.models import Task
from tests.cast import Answer, Cast, Program, each
from tests.visitor import visitor

type Deed = Callable[[Cast, dict[str, Any]], Awaitable[None]]


async def claimed(cast: Cast, by: Program, task_id: Any = None, **more: Any) -> dict[str, Any]:
    task_id = task_id or (await cast.add_task())["id"]
    found: dict[str, Any] = (await by.post(f"/agent{cast.home}/claims", {"task_id": task_id, **more})).ok()
    return found


async def hand_in(cast: Cast, claim: dict[str, Any], by: Program, **more: Any) -> dict[str, Any]:
    sent = {"fence": claim["lease"]["fence"], "summary": "Clean.", **more}
    found: dict[str, Any] = (await by.post(f"/agent{cast.task(claim['task'])}/completions", sent)).ok()
    return found


async def approval_of(cast: Cast, approval: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await cast.ada.get(f"{cast.approvals}/{approval['id']}")).ok()
    return found


async def approve(cast: Cast, approval: dict[str, Any]) -> Answer:
    return await cast.cleo.post(f"{cast.approvals}/{approval['id']}/decisions", {"decision": "approved"})


async def refused_work(cast: Cast, task: dict[str, Any], first: dict[str, Any], second: dict[str, Any]) -> None:
    """The first request is closed, and the second hand-in waits for a person with a request of its own."""
    old = await approval_of(cast, first)
    assert (old["status"], old["decision"], old["resolved_by"]) == ("rejected", "closed", None) and old["note"]
    assert second["id"] != first["id"] and (await approval_of(cast, second))["status"] == "pending"
    assert (await Task.get(id=task["id"])).status == "review"


async def rework(cast: Cast, task: dict[str, Any]) -> None:
    (await cast.atlas.post(f"/agent{cast.task(task)}/comments", {"message": "Softer, please."})).ok()
    (await cast.atlas.patch(cast.task(task), {"status": "inbox"})).ok()


async def drag(cast: Cast, task: dict[str, Any]) -> None:
    (await cast.cleo.post(f"{cast.task(task)}/moves", {"status": "inbox"})).ok()


async def drag_on_page(cast: Cast, task: dict[str, Any]) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    assert (await cleo.with_htmx.post(f"{cast.task(task)}/moves", {"status": "inbox"})).status < 400


async def send_back(cast: Cast, task: dict[str, Any]) -> None:
    """As a person who saw the board only: the bulk bar."""
    (await cast.cleo.post(f"{cast.tasks}/changes", each([task["id"]], status="inbox"))).ok()


async def trash(cast: Cast, task: dict[str, Any]) -> None:
    (await cast.cleo.delete(cast.task(task))).ok()
