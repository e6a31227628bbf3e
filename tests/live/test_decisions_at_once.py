"""Two people decide at once, each on a worker of their own: the second one reads what the first did first.

What is decided is held until both wait for it, so that their order is certain. On PostgreSQL only.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from quart import Quart

from mission_control.agents.models import Agent
from mission_control.core.settings import Settings
from mission_control.groups.models import BoardGroup
from mission_control.tasks.models import Task
from tests.cast import Cast, Person, Program
from tests.live.servers import API, Installation
from tests.live.test_tasks_changed_concurrently import PATIENCE, somebody_waits, uncommitted
from tests.needs.test_needs import one_of

pytestmark = [pytest.mark.dialect, pytest.mark.postgres]
Call = tuple[Person | Program, str, str, Any]


@pytest.fixture(scope="module")
async def workers(
    app: Quart, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[list[httpx.AsyncClient]]:
    home = Installation(tmp_path_factory.mktemp("workers"), settings.database_url)
    async with AsyncExitStack() as stack:
        found = []
        for _ in range(2):
            server = await stack.enter_async_context(home.served(SECRET_KEY=settings.secret_key))
            client = httpx.AsyncClient(base_url=f"{server.url}{API}", timeout=PATIENCE)
            found.append(await stack.enter_async_context(client))
        yield found


async def in_order(
    workers: list[httpx.AsyncClient], settings: Settings, held: str, thing: Any, *calls: Call
) -> list[httpx.Response]:
    """Return the answers of two calls on two workers; the second one began before the first one was done."""
    given = []
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        async with uncommitted(settings, thing, f"SELECT 1 FROM {held} WHERE id = $1 FOR UPDATE"):
            for number, (worker, (who, method, path, body)) in enumerate(zip(workers, calls, strict=True), start=1):
                asked = worker.request(method, path, json=body, headers=who.headers)
                given.append(group.create_task(asked))
                await somebody_waits(number)
    return [one.result() for one in given]


def undo(who: Person, need_id: str) -> Call:
    return who, "POST", "/needs/undos", {"ids": [need_id]}


async def answered(cast: Cast, kind: str, answer: str) -> str:
    """Cleo answers the only need of a kind; its id."""
    one = await one_of(cast.cleo, kind)
    (await cast.cleo.post(f"/needs/{one['id']}/answers", {"answer": answer})).ok()
    return str(one["id"])


async def test_undo_leaves_the_decision_of_somebody_else(
    workers: list[httpx.AsyncClient], settings: Settings, cast: Cast
) -> None:
    task = await cast.add_task()
    asked = await cast.ask(cast.vega, task)
    need_id = await answered(cast, "approval", "approve")
    path = f"{cast.approvals}/{asked['id']}"
    rejects = (cast.ben, "PATCH", path, {"decision": "rejected", "note": "Not before Monday."})
    first, second = await in_order(workers, settings, "tasks", task, rejects, undo(cast.cleo, need_id))
    assert (first.status_code, first.json()["decision"]) == (200, "rejected")
    [result] = second.json()["results"]
    assert (result["outcome"], result["message"][:18]) == ("ended", "Ben rejected this ")
    assert (await cast.ada.get(path)).ok()["note"] == "Not before Monday."


async def test_undo_leaves_the_approval_without_a_task_that_somebody_else_decided(
    workers: list[httpx.AsyncClient], settings: Settings, cast: Cast
) -> None:
    asked = await cast.ask(cast.vega)
    need_id = await answered(cast, "approval", "reject")
    path = f"{cast.approvals}/{asked['id']}"
    approves = (cast.ben, "PATCH", path, {"status": "approved"})
    _, second = await in_order(workers, settings, "approvals", asked, approves, undo(cast.cleo, need_id))
    assert second.json()["results"][0]["outcome"] == "ended"
    assert (await cast.ada.get(path)).ok()["status"] == "approved"


@pytest.mark.parametrize("move", [{"status": "in_progress"}, {"status": "inbox"}])
async def test_undo_leaves_the_move_of_somebody_else(
    workers: list[httpx.AsyncClient], settings: Settings, cast: Cast, move: dict[str, str]
) -> None:
    task = await cast.add_task()
    await cast.put(task, status="review")
    need_id = await answered(cast, "review", "approve")
    takes = (cast.ben, "PATCH", cast.task(task), move)
    first, second = await in_order(workers, settings, "tasks", task, takes, undo(cast.cleo, need_id))
    assert (first.status_code, second.json()["results"][0]["outcome"]) == (200, "ended")
    assert (await Task.get(id=task["id"])).status == move["status"]


async def test_undo_twice_at_once_takes_back_once(
    workers: list[httpx.AsyncClient], settings: Settings, cast: Cast
) -> None:
    task = await cast.add_task()
    await cast.ask(cast.vega, task)
    undoes = undo(cast.cleo, await answered(cast, "approval", "approve"))
    given = await in_order(workers, settings, "tasks", task, undoes, undoes)
    assert [one.json()["results"][0]["outcome"] for one in given] == ["undone", "refused"]


async def test_group_leaves_a_board_that_went_to_another_group(
    workers: list[httpx.AsyncClient], settings: Settings, cast: Cast
) -> None:
    here = cast.board.organization_id
    before, after = [
        await BoardGroup.create(organization_id=here, name=name, slug=name) for name in ("before", "after")
    ]
    (await cast.ada.patch(cast.home, {"board_group_id": str(before.id)})).ok()
    moves = (cast.ben, "PATCH", cast.home, {"board_group_id": str(after.id)})
    empties: Call = (cast.ada, "PATCH", f"/board-groups/{before.id}", {"board_ids": []})
    first, second = await in_order(workers, settings, "boards", cast.board.id, moves, empties)
    assert (first.status_code, second.status_code) == (200, 200)
    assert (await cast.ada.get(cast.home)).ok()["board_group_id"] == str(after.id)


async def test_limit_of_an_agent_holds_for_a_task_that_was_started_meanwhile(
    workers: list[httpx.AsyncClient], settings: Settings, cast: Cast
) -> None:
    await Agent.filter(id=cast.rigel.id).update(wip_limit=1)
    started, task = await cast.add_task(), await cast.add_task()
    await cast.put(started, status="in_progress", assigned_agent_id=cast.rigel.id)
    starts = (cast.ben, "PATCH", cast.task(task), {"status": "in_progress", "assigned_agent_id": str(cast.vega.id)})
    gives: Call = (cast.atlas, "PATCH", f"/agent{cast.task(task)}", {"assigned_agent_id": str(cast.rigel.id)})
    first, second = await in_order(workers, settings, "tasks", task, starts, gives)
    assert (first.status_code, second.status_code) == (200, 409), second.text
    assert (await Task.get(id=task["id"])).assigned_agent_id == cast.vega.id
