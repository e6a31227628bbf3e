"""Waiting for work: woken at once, one at a time, without a question to the database, and no waking is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from mission_control.accounts.models import Token
from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.claims import polling
from mission_control.claims.expiry import expire_due
from mission_control.claims.matching import Waiter, could_take
from mission_control.claims.timer import lease_ends, ring_for_rested
from mission_control.core import clock
from mission_control.core.ids import new_id
from mission_control.database.sql import is_postgres, rows
from mission_control.live import bells, broker, queues
from mission_control.runs.models import Run
from mission_control.tasks.models import Task
from tests.cast import Answer, Caller, Cast, hire
from tests.claiming import claim, later, taken
from tests.statements import counted

NOTHING = {"task": None, "lease": None}
PATIENCE = 20
LOOKS: list[None] = []


@pytest.fixture(autouse=True)
def looks_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember every look for work that came to its end without any."""
    LOOKS.clear()
    look = polling._look

    async def looked(*arguments: Any) -> Any:
        found = await look(*arguments)
        if found[0] is None:
            LOOKS.append(None)
        return found

    monkeypatch.setattr(polling, "_look", looked)


def bell(cast: Cast) -> str:
    """The bell of the cast's board."""
    return f"work:{cast.board.id}"


async def poll(cast: Cast, by: Caller | None = None, **wanted: Any) -> "asyncio.Task[Answer]":
    """Somebody who has looked and stands in the queue now."""
    before, looks = queues.waiting(bell(cast)), len(LOOKS)
    task = asyncio.create_task(claim(cast, by, **{"wait_seconds": 50, **wanted}))
    async with asyncio.timeout(PATIENCE):
        while queues.waiting(bell(cast)) == before or len(LOOKS) == looks:
            await asyncio.sleep(0.002)
    return task


async def looked(count: int) -> None:
    """Wait until there were so many looks in vain, and a moment more: there must be no more of them."""
    async with asyncio.timeout(PATIENCE):
        while len(LOOKS) < count:
            await asyncio.sleep(0.002)
    await asyncio.sleep(0.03)
    assert len(LOOKS) == count


async def started(count: int) -> None:
    """Wait until so many tasks are in progress and none is left in the inbox."""
    async with asyncio.timeout(PATIENCE):
        while await Run.filter(ended_at=None).count() < count or await Task.filter(status="inbox").exists():
            await asyncio.sleep(0.01)


async def answer_of(waiting: "asyncio.Task[Answer]") -> Any:
    """What it got, which must come soon."""
    return (await asyncio.wait_for(waiting, PATIENCE)).ok()


async def hang_up(*polls: "asyncio.Task[Answer]") -> None:
    """The clients go away."""
    for one in polls:
        one.cancel()
    await asyncio.gather(*polls, return_exceptions=True)


async def test_who_waits_gets_a_task_as_soon_as_there_is_one(cast: Cast) -> None:
    waiting = await poll(cast, lease_seconds=60)
    task = await cast.add_task()
    body = await answer_of(waiting)
    assert body["task"]["id"] == task["id"] and body["lease"]["fence"] == 1
    assert queues.waiting(bell(cast)) == 0


async def test_work_that_is_there_is_not_waited_for(cast: Cast) -> None:
    await cast.add_task()
    assert (await asyncio.wait_for(claim(cast, wait_seconds=50), PATIENCE)).ok()["task"] is not None


async def test_when_the_time_is_over_it_looks_once_more(cast: Cast) -> None:
    assert (await claim(cast, wait_seconds=1)).ok() == NOTHING
    waiting = await poll(cast, wait_seconds=1)
    task = await cast.add_task(status="review")
    await rows("UPDATE tasks SET status = 'inbox'")  # nobody rings
    assert (await answer_of(waiting))["task"]["id"] == task["id"]


async def test_nothing_is_asked_while_it_waits(cast: Cast) -> None:
    with counted() as found:
        polls = [await poll(cast, by) for by in (cast.vega, cast.rigel) * 10]
        asked = list(found)
        await asyncio.sleep(0.5)
        assert found == asked and queues.waiting(bell(cast)) == 20
        await hang_up(*polls)
    assert len(asked) <= 20 * 8


async def test_one_task_wakes_one_of_many(cast: Cast) -> None:
    with counted() as found:
        polls = [await poll(cast, by) for by in (cast.vega, cast.rigel) * 10]
        before = len(found)
        await cast.add_task()
        assert (await answer_of(polls[0]))["task"] is not None
        await looked(21)  # one of the nineteen, who found that nothing is left
        assert sum("k.revoked_at" in text for text in found[before:]) == 2
    assert not any(one.done() for one in polls[1:])
    await hang_up(*polls[1:])


async def test_two_tasks_wake_two(cast: Cast) -> None:
    polls = [await poll(cast, by) for by in (cast.vega, cast.rigel, cast.vega)]
    first = await cast.add_task(title="first")
    assert (await answer_of(polls[0]))["task"]["id"] == first["id"], "in the order of arrival"
    await looked(4)
    adding = [asyncio.create_task(cast.add_task(title=f"{n}")) for n in range(2)]
    got = [(await answer_of(one))["task"]["title"] for one in polls[1:]]
    assert sorted(got) == ["0", "1"]
    await asyncio.gather(*adding)


async def test_who_found_nothing_for_itself_keeps_its_place(cast: Cast) -> None:
    polls = [await poll(cast), await poll(cast, cast.rigel)]
    await cast.add_task(assigned_agent_id=str(cast.atlas.id))
    await looked(3)  # what is for somebody who does not wait wakes nobody else
    task = await cast.add_task()
    assert (await answer_of(polls[0]))["task"]["id"] == task["id"]
    await hang_up(polls[1])


async def test_many_tasks_of_one_commit_wake_one_after_the_other(cast: Cast) -> None:
    tasks = [await cast.add_task(title=f"{n}", status="review") for n in range(5)]
    polls = [await poll(cast, by) for by in (cast.vega, cast.rigel, cast.vega, cast.rigel, cast.vega, cast.rigel)]
    wanted = {"task_ids": [task["id"] for task in tasks], "move": {"status": "inbox"}}
    (await cast.ada.post(f"{cast.tasks}/bulk", wanted)).ok()
    got = [(await answer_of(one))["task"]["id"] for one in polls[:5]]
    assert sorted(got) == sorted(task["id"] for task in tasks)
    await looked(7)
    assert not polls[5].done()
    await hang_up(polls[5])


async def test_a_task_that_is_not_for_the_first_goes_to_the_next(cast: Cast) -> None:
    picky = await poll(cast, tags=["glass"])
    bound = await poll(cast, cast.rigel)
    await cast.add_task(title="plain")
    assert (await answer_of(bound))["task"]["title"] == "plain"
    await looked(3)
    assert not picky.done()
    tag = (await cast.ada.post("/tags", {"name": "Glass"})).ok()
    await cast.add_task(title="glass", tag_ids=[tag["id"]])
    assert (await answer_of(picky))["task"]["title"] == "glass"


async def test_work_that_is_for_nobody_ends_the_chain(cast: Cast) -> None:
    polls = [await poll(cast, by, tags=["glass"]) for by in (cast.vega, cast.rigel) * 3]
    await cast.add_task(title="plain")
    await looked(7)
    assert queues.waiting(bell(cast)) == 6 and not any(one.done() for one in polls)
    await hang_up(*polls)


# Who goes away


async def test_who_hangs_up_claims_nothing(cast: Cast) -> None:
    waiting = await poll(cast)
    await hang_up(waiting)
    assert queues.waiting(bell(cast)) == 0
    await cast.add_task()
    await looked(1)
    assert (await Task.get()).status == "inbox" and await Run.all().count() == 0


async def test_a_waking_is_not_lost_with_its_waiter(cast: Cast) -> None:
    task = await cast.add_task(status="review")
    for _ in range(10):
        first, second = await poll(cast), await poll(cast, cast.rigel)
        await rows("UPDATE tasks SET status = 'inbox', assigned_agent_id = NULL")
        bells.rung([bell(cast)])
        first.cancel()  # before it could look
        assert (await answer_of(second))["task"]["id"] == task["id"]
        await hang_up(first)
        await rows("UPDATE task_runs SET state = 'released', ended_at = started_at WHERE ended_at IS NULL")
        await rows("UPDATE tasks SET status = 'review'")


async def test_a_waking_is_not_lost_with_a_waiter_that_goes_while_it_looks(cast: Cast) -> None:
    """Whenever the first hangs up, the task is claimed once: by the second, or by the first's last breath."""
    for pause in range(15):
        await Task.all().delete()
        first, second = await poll(cast), await poll(cast, cast.rigel)
        task = await cast.add_task()
        await asyncio.sleep(pause * 0.0007)
        await hang_up(first)
        await started(1)
        run = await Run.get(task_id=task["id"])
        if run.agent_id == cast.rigel.id:
            assert (await answer_of(second))["task"]["id"] == task["id"]
        else:
            assert not second.done()
            await hang_up(second)


async def test_two_tasks_and_a_hang_up_leave_nobody_waiting_beside_work(cast: Cast) -> None:
    for _ in range(10):
        await Task.all().delete()
        polls = [await poll(cast, by) for by in (cast.vega, cast.rigel, cast.vega)]
        adding = [asyncio.create_task(cast.add_task(title=f"{n}")) for n in range(2)]
        await asyncio.sleep(0.004)
        polls[0].cancel()
        await asyncio.gather(*adding)
        await started(2)
        await hang_up(*polls)


# While it waits, the world changes


@pytest.mark.parametrize("change", ["revoked", "expired", "deleted", "moved", "promoted", "board"])
async def test_who_is_not_entitled_any_more_gets_nothing(cast: Cast, change: str) -> None:
    waiting = await poll(cast)
    await cast.add_task(status="review")
    await rows("UPDATE tasks SET status = 'inbox'")
    if change == "revoked":
        await Token.filter(agent_id=cast.vega.id).update(revoked_at=clock.now())
    elif change == "expired":
        await Token.filter(agent_id=cast.vega.id).update(expires_at=clock.now())
    elif change == "deleted":
        await Agent.filter(id=cast.vega.id).delete()
    elif change == "moved":
        await Agent.filter(id=cast.vega.id).update(board_id=cast.other_board.id)
    elif change == "promoted":
        await Agent.filter(id=cast.atlas.id).update(is_board_lead=False)
        await Agent.filter(id=cast.vega.id).update(is_board_lead=True)
    else:
        await rows("UPDATE boards SET deleted_at = ?", clock.now())
    bells.rung([bell(cast)])
    status = {"moved": 404, "board": 404, "promoted": 403}.get(change, 401)
    (await asyncio.wait_for(waiting, PATIENCE)).refused(status)
    assert await Run.all().count() == 0


async def test_the_server_stops(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    polls = [await poll(cast), await poll(cast, cast.rigel)]
    running = broker.current()
    assert running is not None
    monkeypatch.setattr(running, "closing", True)
    bells.rung_all()
    for one in polls:
        assert await answer_of(one) == NOTHING


async def test_a_ringing_of_another_process_wakes_one_here(cast: Cast) -> None:
    polls = [await poll(cast), await poll(cast, cast.rigel)]
    await cast.add_task(status="review")
    await rows("UPDATE tasks SET status = 'inbox'")
    message = f'{{"bells":["{bell(cast)}"],"from":"another"}}'
    running = broker.current()
    assert running is not None
    if is_postgres():
        await rows("SELECT pg_notify('mission_control', ?)", message)
    else:
        running._heard(None, 0, "mission_control", message)
    assert (await answer_of(polls[0]))["task"] is not None
    await looked(3)
    assert not polls[1].done()
    await hang_up(polls[1])


# What opens work


async def finish_what_it_waits_for(cast: Cast) -> Callable[[], Awaitable[Any]]:
    """The last task that it waits for is done."""
    before = await cast.add_task(title="before", status="review")
    await cast.add_task(depends_on_task_ids=[before["id"]])
    return lambda: cast.ada.patch(cast.task(before), {"status": "done"})


async def delete_what_it_waits_for(cast: Cast) -> Callable[[], Awaitable[Any]]:
    """The last task that it waits for is deleted."""
    before = await cast.add_task(title="before", status="review")
    await cast.add_task(depends_on_task_ids=[before["id"]])
    return lambda: cast.ada.delete(cast.task(before))


async def wait_no_longer(cast: Cast) -> Callable[[], Awaitable[Any]]:
    """It does not have to wait any more."""
    before = await cast.add_task(title="before", status="review")
    task = await cast.add_task(depends_on_task_ids=[before["id"]])
    return lambda: cast.ada.patch(cast.task(task), {"depends_on_task_ids": []})


async def move_back(cast: Cast) -> Callable[[], Awaitable[Any]]:
    """A person puts it into the inbox."""
    task = await cast.add_task(status="review")
    return lambda: cast.ada.patch(cast.task(task), {"status": "inbox"})


async def assign(cast: Cast) -> Callable[[], Awaitable[Any]]:
    """A person's task is given to the agent."""
    task = await cast.add_task(assigned_user_id=str(cast.cleo.id))
    return lambda: cast.ada.patch(cast.task(task), {"assigned_agent_id": str(cast.vega.id)})


async def restore(cast: Cast) -> Callable[[], Awaitable[Any]]:
    """It comes out of the trash."""
    task = await cast.add_task()
    (await cast.ada.delete(cast.task(task))).ok()
    return lambda: cast.ada.post(f"{cast.task(task)}/restorations")


async def decide(cast: Cast) -> Callable[[], Awaitable[Any]]:
    """The approval that held it is decided."""
    asked = await cast.ask(cast.vega, await cast.add_task())
    await cast.rule(block_status_changes_with_pending_approval=True)
    return lambda: cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})


async def lift_a_columns_limit(cast: Cast) -> Callable[[], Awaitable[Any]]:
    """The column takes more."""
    await cast.add_task(status="in_progress", assigned_user_id=str(cast.cleo.id))
    await cast.add_task()
    (await cast.ada.patch(cast.home, {"wip_limits": {"in_progress": 1}})).ok()
    return lambda: cast.ada.patch(cast.home, {"wip_limits": {"in_progress": 2}})


async def make_room(cast: Cast) -> Callable[[], Awaitable[Any]]:
    """A card leaves the full column."""
    full = await cast.add_task(status="review")
    await cast.add_task()
    (await cast.ada.patch(cast.home, {"wip_limits": {"review": 1}})).ok()
    return lambda: cast.ada.patch(cast.task(full), {"status": "done"})


async def go_on_with_what_was_reviewed(cast: Cast) -> Callable[[], Awaitable[Any]]:
    """A card goes from the full column back to work."""
    full = await cast.add_task(status="review")
    await cast.add_task()
    (await cast.ada.patch(cast.home, {"wip_limits": {"review": 1}})).ok()
    return lambda: cast.ada.patch(cast.task(full), {"status": "in_progress", "assigned_user_id": str(cast.cleo.id)})


async def lift_its_own_limit(cast: Cast) -> Callable[[], Awaitable[Any]]:
    """The agent may have more in hand."""
    await cast.add_task()
    await taken(cast)
    await cast.add_task()
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"wip_limit": 1})).ok()
    return lambda: cast.ada.patch(f"/agents/{cast.vega.id}", {"wip_limit": 2})


async def learn(cast: Cast) -> Callable[[], Awaitable[Any]]:
    """The agent can do more."""
    await cast.add_task()
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"claim_tags": ["glass"]})).ok()
    return lambda: cast.ada.patch(f"/agents/{cast.vega.id}", {"claim_tags": None})


async def clear_a_flag(cast: Cast) -> Callable[[], Awaitable[Any]]:
    """A person lets it go on."""
    task = await cast.add_task()
    await cast.put(task, flagged_at=clock.now(), flag_reason="It failed.", failed_attempts=5)
    return lambda: cast.ada.delete(f"{cast.task(task)}/flag")


OPENINGS = (
    finish_what_it_waits_for, delete_what_it_waits_for, wait_no_longer, move_back, assign, restore, decide,
    lift_a_columns_limit, make_room, go_on_with_what_was_reviewed, lift_its_own_limit, learn, clear_a_flag,
)  # fmt: skip


@pytest.mark.parametrize("opening", OPENINGS, ids=lambda one: one.__name__)
async def test_what_opens_work_wakes_who_waits(
    cast: Cast, opening: Callable[[Cast], Awaitable[Callable[[], Awaitable[Any]]]]
) -> None:
    open_up = await opening(cast)
    waiting = await poll(cast)
    assert not waiting.done()
    (await open_up()).ok()
    assert (await answer_of(waiting))["task"] is not None


async def test_a_lease_that_ends_makes_room(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"wip_limits": {"in_progress": 1}})).ok()
    await cast.add_task(title="held", priority="high")
    await cast.add_task(title="next")
    await taken(cast, cast.rigel)
    waiting = await poll(cast)
    with later(901):
        await expire_due()
    assert (await answer_of(waiting))["task"]["title"] == "next"


async def test_a_rest_that_is_over_wakes_who_waits(cast: Cast) -> None:
    task = await cast.add_task()
    now = clock.now()
    await cast.put(task, retry_at=now + timedelta(seconds=30))
    waiting = await poll(cast)
    with later(31):
        await ring_for_rested(now, clock.now())
        assert (await answer_of(waiting))["task"]["id"] == task["id"]


async def test_the_timer_takes_back_by_itself_what_was_held(cast: Cast) -> None:
    await cast.add_task()
    await taken(cast, lease_seconds=1)
    async with asyncio.timeout(PATIENCE):
        while (await Task.get()).status != "inbox":
            await asyncio.sleep(0.05)
    assert (await Run.get()).state == "expired"


async def test_the_timer_wakes_who_waits_when_a_rest_is_over(cast: Cast) -> None:
    task = await cast.add_task()
    await cast.put(task, retry_at=clock.now() + timedelta(seconds=1))
    waiting = await poll(cast)
    lease_ends(clock.now())  # the timer looks, and learns of the rest
    assert (await answer_of(waiting))["task"]["id"] == task["id"]


# Many wait, and what there is is for few


async def many(cast: Cast, count: int) -> list["asyncio.Task[Answer]"]:
    """Workers in the queue, by turns."""
    return [await poll(cast, by, tags=["glass"]) for by in (cast.vega, cast.rigel) * (count // 2)]


@pytest.mark.parametrize("waiters", [2, 20])
async def test_work_for_the_last_wakes_the_first_and_the_last(cast: Cast, waiters: int) -> None:
    polls = await many(cast, waiters)
    late = await hire(cast.app, cast.ada, cast.board, "Late")
    last = await poll(cast, late)
    before = len(LOOKS)
    await cast.add_task(assigned_agent_id=str(late.id))
    assert (await answer_of(last))["task"]["assigned_agent_id"] == str(late.id)
    await looked(before + 2)  # the first, and whoever heard the last one go
    assert not any(one.done() for one in polls)
    await hang_up(*polls)


async def test_work_that_nobody_here_takes_does_not_make_everybody_look_with_every_change(cast: Cast) -> None:
    await cast.add_task(title="plain")
    polls = await many(cast, 20)
    task = await cast.add_task(status="review")
    for change in ({"status": "done"}, {"status": "review"}, {"assigned_agent_id": str(cast.rigel.id)}):
        before = len(LOOKS)
        (await cast.ada.patch(cast.task(task), change)).ok()
        await looked(before + 1)
    await hang_up(*polls)


async def test_who_has_enough_in_hand_is_passed_over(cast: Cast) -> None:
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
async def test_what_an_agent_takes_and_asks_for_decides_who_is_woken(cast: Cast, by: str) -> None:
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


async def test_what_is_given_to_an_agent_wakes_it_whatever_its_tags_are(cast: Cast) -> None:
    (await cast.ada.patch(f"/agents/{cast.rigel.id}", {"claim_tags": ["glass"]})).ok()
    polls = [await poll(cast), await poll(cast, cast.rigel)]
    task = await cast.add_task(assigned_agent_id=str(cast.rigel.id))
    assert (await answer_of(polls[1]))["task"]["id"] == task["id"]
    await hang_up(polls[0])


async def test_a_full_column_wakes_nobody_but_the_first(cast: Cast) -> None:
    await cast.add_task(status="in_progress", assigned_user_id=str(cast.cleo.id))
    (await cast.ada.patch(cast.home, {"wip_limits": {"in_progress": 1}})).ok()
    polls = [await poll(cast, by) for by in (cast.vega, cast.rigel) * 5]
    before = len(LOOKS)
    await cast.add_task()
    await looked(before + 1)
    await hang_up(*polls)


@pytest.mark.parametrize(("waiters", "tasks"), [(1, 1), (500, 30)])
async def test_who_could_take_something_is_two_statements(cast: Cast, waiters: int, tasks: int) -> None:
    tag = (await cast.ada.post("/tags", {"name": "Glass"})).ok()
    for number in range(tasks):
        await cast.add_task(tag_ids=[tag["id"]], title=f"{number}")
    strangers = {Waiter(new_id(), ("glass",)) for _ in range(waiters)}
    mine, other = Waiter(cast.vega.id, ("glass",)), Waiter(cast.rigel.id, ("wood",))
    with counted() as found:
        assert await could_take({*strangers, mine, other}, await Board.get(id=cast.board.id)) == {mine}
    assert len(found) == 3, found  # the board among them
    with counted() as found:
        assert await could_take(set(), cast.board) == set()
    assert not found
