"""Waiting for work: woken at once, one at a time, without a question to the database, and no waking is lost."""

import asyncio

import pytest

from mission_control.agents.models import Agent
from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.database.sql import is_postgres, rows
from mission_control.events import broker, wakeup_channels
from mission_control.people.models import Token
from mission_control.tasks.models import Task
from tests.cast import Cast, each, ids
from tests.claiming import claim
from tests.live.waiters import NOTHING, PATIENCE, answer_of, channel, hang_up, looked, poll, stand_in_queue, started
from tests.statements import counted

pytestmark = [pytest.mark.dialect, pytest.mark.usefixtures("looks_are_counted")]


async def test_waiting_claim_gets_a_new_task(cast: Cast) -> None:
    waiting = await poll(cast, lease_seconds=60)
    task = await cast.add_task()
    body = await answer_of(waiting)
    assert body["task"]["id"] == task["id"] and body["lease"]["fence"] == 1
    assert wakeup_channels.waiting(channel(cast)) == 0


async def test_claim_with_available_work_does_not_wait(cast: Cast) -> None:
    await cast.add_task()
    assert (await asyncio.wait_for(claim(cast, wait_seconds=50), PATIENCE)).ok()["task"] is not None


async def test_claim_polls_once_more_at_its_timeout(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await claim(cast, wait_seconds=1)).ok() == NOTHING
    time_is_over, woken = asyncio.Event(), wakeup_channels.Waiter.woken

    async def until_then(place: wakeup_channels.Waiter, seconds: float, *also: "asyncio.Future[None]") -> bool:
        await time_is_over.wait()
        return await woken(place, 0.0, *also)

    monkeypatch.setattr(wakeup_channels.Waiter, "woken", until_then)
    waiting = await poll(cast)
    task = await cast.add_task(status="review")
    await rows("UPDATE tasks SET status = 'inbox'")  # nobody rings
    time_is_over.set()
    assert (await answer_of(waiting))["task"]["id"] == task["id"]


async def test_waiting_claim_runs_no_statements(cast: Cast) -> None:
    with counted() as found:
        polls = [await poll(cast, by) for by in (cast.vega, cast.rigel) * 10]
        asked = list(found)
        await asyncio.sleep(0.5)
        assert found == asked and wakeup_channels.waiting(channel(cast)) == 20
        await hang_up(*polls)
    assert len(asked) <= 20 * 8


async def test_one_task_wakes_one_waiter(cast: Cast) -> None:
    with counted() as found:
        polls = [await poll(cast, by) for by in (cast.vega, cast.rigel) * 10]
        before = len(found)
        await cast.add_task()
        assert (await answer_of(polls[0]))["task"] is not None
        await looked(21)  # one of the nineteen, who found that nothing is left
        assert sum("k.revoked_at" in text for text in found[before:]) == 2
    assert not any(one.done() for one in polls[1:])
    await hang_up(*polls[1:])


async def test_two_tasks_wake_two_waiters(cast: Cast) -> None:
    polls = [await poll(cast, by) for by in (cast.vega, cast.rigel, cast.vega)]
    first = await cast.add_task(title="first")
    assert (await answer_of(polls[0]))["task"]["id"] == first["id"], "in the order of arrival"
    await looked(4)
    adding = [asyncio.create_task(cast.add_task(title=f"{n}")) for n in range(2)]
    got = [(await answer_of(one))["task"]["title"] for one in polls[1:]]
    assert sorted(got) == ["0", "1"]
    await asyncio.gather(*adding)


async def test_waiter_without_a_match_keeps_its_position(cast: Cast) -> None:
    polls = [await poll(cast), await poll(cast, cast.rigel)]
    await cast.add_task(assigned_agent_id=str(cast.atlas.id))
    await looked(3)  # what is for somebody who does not wait wakes nobody else
    task = await cast.add_task()
    assert (await answer_of(polls[0]))["task"]["id"] == task["id"]
    await hang_up(polls[1])


async def test_tasks_of_one_commit_wake_waiters_in_turn(cast: Cast) -> None:
    tasks = [await cast.add_task(title=f"{n}", status="review") for n in range(5)]
    polls = [await poll(cast, by) for by in (cast.vega, cast.rigel, cast.vega, cast.rigel, cast.vega, cast.rigel)]
    (await cast.ada.post(f"{cast.tasks}/changes", each(ids(tasks), status="inbox"))).ok()
    got = [(await answer_of(one))["task"]["id"] for one in polls[:5]]
    assert sorted(got) == sorted(task["id"] for task in tasks)
    await looked(7)
    assert not polls[5].done()
    await hang_up(polls[5])


async def test_task_not_matching_the_first_goes_to_the_next(cast: Cast) -> None:
    picky = await poll(cast, tags=["glass"])
    bound = await poll(cast, cast.rigel)
    await cast.add_task(title="plain")
    assert (await answer_of(bound))["task"]["title"] == "plain"
    await looked(3)
    assert not picky.done()
    tag = (await cast.ada.post("/tags", {"name": "Glass"})).ok()
    await cast.add_task(title="glass", tag_ids=[tag["id"]])
    assert (await answer_of(picky))["task"]["title"] == "glass"


async def test_unmatched_task_ends_the_chain(cast: Cast) -> None:
    polls = [await poll(cast, by, tags=["glass"]) for by in (cast.vega, cast.rigel) * 3]
    await cast.add_task(title="plain")
    await looked(7)
    await stand_in_queue(cast, 6)
    assert not any(one.done() for one in polls)
    await hang_up(*polls)


# Who goes away


async def test_disconnected_waiter_claims_nothing(cast: Cast) -> None:
    waiting = await poll(cast)
    await hang_up(waiting)
    assert wakeup_channels.waiting(channel(cast)) == 0
    await cast.add_task()
    await looked(1)
    assert (await Task.get()).status == "inbox" and await Run.all().count() == 0


async def test_wakeup_is_not_lost_with_its_waiter(cast: Cast) -> None:
    task = await cast.add_task(status="review")
    for _ in range(10):
        first, second = await poll(cast), await poll(cast, cast.rigel)
        await rows("UPDATE tasks SET status = 'inbox', assigned_agent_id = NULL")
        wakeup_channels.channels_notify([channel(cast)])
        first.cancel()  # before it could look
        assert (await answer_of(second))["task"]["id"] == task["id"]
        await hang_up(first)
        await rows("UPDATE task_runs SET state = 'released', ended_at = started_at WHERE ended_at IS NULL")
        await rows("UPDATE tasks SET status = 'review'")


async def test_wakeup_is_not_lost_with_a_waiter_leaving_during_poll(cast: Cast) -> None:
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


async def test_two_tasks_and_a_disconnect_leave_no_idle_waiter(cast: Cast) -> None:
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
async def test_waiter_that_lost_its_rights_gets_nothing(cast: Cast, change: str) -> None:
    waiting = await poll(cast)
    await cast.add_task(status="review")
    await rows("UPDATE tasks SET status = 'inbox'")
    if change == "revoked":
        await Token.filter(agent_id=cast.vega.id).update(revoked_at=times.clock_now())
    elif change == "expired":
        await Token.filter(agent_id=cast.vega.id).update(expires_at=times.clock_now())
    elif change == "deleted":
        await Agent.filter(id=cast.vega.id).delete()
    elif change == "moved":
        await Agent.filter(id=cast.vega.id).update(board_id=cast.other_board.id)
    elif change == "promoted":
        await Agent.filter(id=cast.atlas.id).update(is_board_lead=False)
        await Agent.filter(id=cast.vega.id).update(is_board_lead=True)
    else:
        await rows("UPDATE boards SET deleted_at = ?", times.clock_now())
    wakeup_channels.channels_notify([channel(cast)])
    status = {"moved": 404, "board": 404, "promoted": 403}.get(change, 401)
    (await asyncio.wait_for(waiting, PATIENCE)).refused(status)
    assert await Run.all().count() == 0


async def test_stopping_ends_waiting_claims(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    polls = [await poll(cast), await poll(cast, cast.rigel)]
    running = broker.current()
    assert running is not None
    monkeypatch.setattr(running, "closing", True)
    wakeup_channels.channels_notify_all()
    for one in polls:
        assert await answer_of(one) == NOTHING


async def test_notification_from_another_process_wakes_one_waiter(cast: Cast) -> None:
    polls = [await poll(cast), await poll(cast, cast.rigel)]
    await cast.add_task(status="review")
    await rows("UPDATE tasks SET status = 'inbox'")
    message = f'{{"channels":["{channel(cast)}"],"from":"another"}}'
    running = broker.current()
    assert running is not None
    if is_postgres():
        await rows("SELECT pg_notify('mission_control', ?)", message)
    else:
        running._hear(message)
    assert (await answer_of(polls[0]))["task"] is not None
    await looked(3)
    assert not polls[1].done()
    await hang_up(polls[1])
