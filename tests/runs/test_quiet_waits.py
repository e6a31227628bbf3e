"""An agent that asks again whether there is news costs no statement while nothing can have changed."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from mission_control.agents import work_state
from mission_control.agents.models import Agent
from mission_control.core import times
from mission_control.events import wakeup_channels
from mission_control.people.models import Token
from tests.cast import Cast, Program
from tests.rights_changes import dismiss, move, revoke, rotate
from tests.statements import counted

pytestmark = pytest.mark.dialect

INBOX = "/agent/inbox?wait_seconds=50&after={}"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits end after a moment."""
    monkeypatch.setattr(wakeup_channels, "end_of_wait", lambda seconds: asyncio.get_running_loop().time() + 0.05)


async def settled(program: Program) -> int:
    """Let an agent acknowledge everything and wait in vain; from where it reads next."""
    after = 0
    while True:
        found = (await program.get(INBOX.format(after))).ok()
        if not found["items"]:
            return after
        after = found["next"]


async def statements(program: Program, path: str) -> tuple[list[str], Any]:
    with counted(passing_over=("PRAGMA data_version",)) as found:
        answer = await program.get(path)
    return found, answer


async def test_second_wait_costs_no_statement(cast: Cast) -> None:
    after = await settled(cast.vega)
    for _ in range(3):
        found, answer = await statements(cast.vega, INBOX.format(after))
        assert answer.ok() == {"items": [], "next": after}
        assert found == []


async def test_wait_whose_time_is_over_is_not_read_again(cast: Cast) -> None:
    found, answer = await statements(cast.vega, INBOX.format(0))
    assert answer.ok()["items"] == []
    assert len([one for one in found if "header" in one]) == 1


@pytest.mark.parametrize("other", ["/agent/inbox?wait_seconds=50&after={}&limit=1", "/agent/inbox?after={}"])
async def test_another_question_is_read(cast: Cast, other: str) -> None:
    after = await settled(cast.vega)
    found, answer = await statements(cast.vega, other.format(after))
    assert answer.ok()["items"] == []
    assert found


async def test_notice_between_two_waits_is_given(cast: Cast) -> None:
    after = await settled(cast.vega)
    await cast.add_task(assigned_agent_id=str(cast.vega.id))
    assert (await cast.vega.get(INBOX.format(after))).ok()["items"]


async def test_notice_during_a_quiet_wait_ends_it(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    after = await settled(cast.vega)
    monkeypatch.setattr(wakeup_channels, "end_of_wait", lambda seconds: asyncio.get_running_loop().time() + 60)
    waiting = asyncio.create_task(cast.vega.get(INBOX.format(after)))
    while not wakeup_channels.channels_waiting(f"inbox:{cast.vega.id}"):
        await asyncio.sleep(0.01)
    await cast.add_task(assigned_agent_id=str(cast.vega.id))
    assert (await asyncio.wait_for(waiting, 60)).ok()["items"]


@pytest.mark.parametrize("change", [rotate, revoke, dismiss])
async def test_token_that_ended_is_refused(cast: Cast, change: Any) -> None:
    after = await settled(cast.vega)
    await change(cast)
    (await cast.vega.get(INBOX.format(after))).refused(401)


async def test_agent_on_another_board_is_read_anew(cast: Cast) -> None:
    after = await settled(cast.vega)
    await move(cast)
    found, _ = await statements(cast.vega, INBOX.format(after))
    assert found


async def test_token_that_expires_is_refused(cast: Cast) -> None:
    await Token.filter(agent_id=cast.vega.id).update(expires_at=times.clock_now() + timedelta(minutes=1))
    after = await settled(cast.vega)
    with times.travelled(timedelta(minutes=2)):
        (await cast.vega.get(INBOX.format(after))).refused(401)


async def test_token_that_ended_unheard_gets_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process ended it, and its notification is still on its way: the wait begins, and brings nothing."""
    after = await settled(cast.vega)
    await Token.filter(agent_id=cast.vega.id).update(revoked_at=times.clock_now())
    assert (await cast.vega.get(INBOX.format(after))).ok()["items"] == []
    await cast.add_task(assigned_agent_id=str(cast.vega.id))
    (await cast.vega.get(INBOX.format(after))).refused(401)


async def test_lost_notifications_end_quiet(cast: Cast) -> None:
    after = await settled(cast.vega)
    wakeup_channels.run_all_callbacks()
    found, _ = await statements(cast.vega, INBOX.format(after))
    assert found


async def test_wait_during_which_something_was_missed_is_not_remembered(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = await settled(cast.vega)
    monkeypatch.setattr(wakeup_channels, "end_of_wait", lambda seconds: asyncio.get_running_loop().time() + 0.5)
    waiting = asyncio.create_task(cast.vega.get(INBOX.format(after)))
    while not wakeup_channels.channels_waiting(f"inbox:{cast.vega.id}"):
        await asyncio.sleep(0.01)
    wakeup_channels.run_all_callbacks()  # the command line wrote something
    (await waiting).ok()
    found, _ = await statements(cast.vega, INBOX.format(after))
    assert found


async def test_other_operations_do_not_know_by_heart(cast: Cast) -> None:
    await settled(cast.vega)
    found, _ = await statements(cast.vega, "/agent/agents?wait_seconds=50&after=0")
    assert found


async def test_waiting_agents_stay_online_by_one_statement(cast: Cast) -> None:
    programs = [cast.vega, cast.rigel]
    afters = [await settled(one) for one in programs]
    await work_state.mark_seen()
    past = times.clock_now() - timedelta(minutes=5)
    await Agent.filter(id__in=[one.id for one in programs]).update(last_seen_at=past)
    for one, after in zip(programs, afters, strict=True):
        await one.get(INBOX.format(after))
    with counted(passing_over=()) as found:
        await work_state.mark_seen()
    assert len([one for one in found if "UPDATE agents" in one]) <= 1  # the application writes them down, too
    assert await Agent.filter(id__in=[one.id for one in programs], last_seen_at__gt=past).count() == len(programs)
