"""Many wait, and what there is is for few: who is woken, and who is left in peace."""

import asyncio

import pytest

from mission_control.boards.models import Board
from mission_control.core.values import new_id
from mission_control.runs.claims.claiming import Waiter, waiters_with_work
from tests.cast import Answer, Cast, hire
from tests.claiming import taken
from tests.live.waiters import LOOKS, answer_of, hang_up, looked, poll
from tests.statements import counted

pytestmark = [pytest.mark.dialect, pytest.mark.usefixtures("looks_are_counted")]


async def many(cast: Cast, count: int) -> list["asyncio.Task[Answer]"]:
    return [await poll(cast, by, tags=["glass"]) for by in (cast.vega, cast.rigel) * (count // 2)]


@pytest.mark.parametrize("waiters", [2, 20])
async def test_task_for_the_last_waiter_wakes_first_and_last(cast: Cast, waiters: int) -> None:
    polls = await many(cast, waiters)
    late = await hire(cast.app, cast.ada, cast.board, "Late")
    last = await poll(cast, late)
    before = len(LOOKS)
    await cast.add_task(assigned_agent_id=str(late.id))
    assert (await answer_of(last))["task"]["assigned_agent_id"] == str(late.id)
    await looked(before + 2)  # the first, and the waiter woken last
    assert not any(one.done() for one in polls)
    await hang_up(*polls)


async def test_unmatched_task_does_not_wake_all_waiters(cast: Cast) -> None:
    await cast.add_task(title="plain")
    polls = await many(cast, 20)
    task = await cast.add_task(status="review")
    for change in ({"status": "done"}, {"status": "review"}, {"assigned_agent_id": str(cast.rigel.id)}):
        before = len(LOOKS)
        (await cast.ada.patch(cast.task(task), change)).ok()
        await looked(before + 1)
    await hang_up(*polls)


async def test_waiter_at_its_limit_is_skipped(cast: Cast) -> None:
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"wip_limit": 1})).ok()
    await cast.add_task()
    await taken(cast)
    polls = [await poll(cast) for _ in range(6)] + [await poll(cast, cast.rigel)]
    before = len(LOOKS)
    task = await cast.add_task()
    assert (await answer_of(polls[-1]))["task"]["id"] == task["id"]
    await looked(before + 2)
    await hang_up(*polls[:-1])


@pytest.mark.parametrize("by", ["slug", "id"])
async def test_tags_of_agent_and_claim_decide_who_is_woken(cast: Cast, by: str) -> None:
    glass = (await cast.ada.post("/tags", {"name": "Glass"})).ok()
    wood = (await cast.ada.post("/tags", {"name": "Wood"})).ok()
    (await cast.ada.patch(f"/agents/{cast.rigel.id}", {"claim_tags": ["glass", "wood"]})).ok()
    others = [await poll(cast, tags=["wood"]) for _ in range(4)]
    waiting = await poll(cast, cast.rigel, tags=[glass[by].upper() if by == "id" else glass[by]])
    before = len(LOOKS)
    task = await cast.add_task(tag_ids=[glass["id"]])
    assert (await answer_of(waiting))["task"]["id"] == task["id"]
    await looked(before + 2)
    await cast.add_task(tag_ids=[wood["id"]])
    assert (await answer_of(others[0]))["task"]["title"]
    await hang_up(*others[1:])


async def test_assigned_task_wakes_its_agent_whatever_its_tags(cast: Cast) -> None:
    (await cast.ada.patch(f"/agents/{cast.rigel.id}", {"claim_tags": ["glass"]})).ok()
    polls = [await poll(cast), await poll(cast, cast.rigel)]
    task = await cast.add_task(assigned_agent_id=str(cast.rigel.id))
    assert (await answer_of(polls[1]))["task"]["id"] == task["id"]
    await hang_up(polls[0])


async def test_full_column_wakes_only_the_first(cast: Cast) -> None:
    await cast.add_task(status="in_progress", assigned_user_id=str(cast.cleo.id))
    (await cast.ada.patch(cast.home, {"wip_limits": {"in_progress": 1}})).ok()
    polls = [await poll(cast, by) for by in (cast.vega, cast.rigel) * 5]
    before = len(LOOKS)
    await cast.add_task()
    await looked(before + 1)
    await hang_up(*polls)


@pytest.mark.parametrize(("waiters", "tasks"), [(1, 1), (500, 30)])
async def test_matching_waiters_takes_two_statements(cast: Cast, waiters: int, tasks: int) -> None:
    tag = (await cast.ada.post("/tags", {"name": "Glass"})).ok()
    for number in range(tasks):
        await cast.add_task(tag_ids=[tag["id"]], title=f"{number}")
    strangers = {Waiter(new_id(), ("glass",)) for _ in range(waiters)}
    mine, other = Waiter(cast.vega.id, ("glass",)), Waiter(cast.rigel.id, ("wood",))
    with counted() as found:
        assert await waiters_with_work({*strangers, mine, other}, await Board.get(id=cast.board.id)) == {mine}
    assert len(found) == 3, found  # the board among them
    with counted() as found:
        assert await waiters_with_work(set(), cast.board) == set()
    assert not found
