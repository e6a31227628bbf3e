"""Usage that gateways measure: counted once, whoever tells it first, and whatever breaks in between."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_control.agents.models import Agent, UsageEntry
from mission_control.agents.usage.budgets import Figures, create_budget, measure_usage
from mission_control.agents.usage.schemas import BudgetCreate
from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.core.actor import system
from mission_control.core.times import monotonic
from mission_control.gateway_agents.models import SessionUsage
from mission_control.gateway_agents.sessions import feed as session_feed
from mission_control.gateway_agents.sessions import following
from mission_control.gateway_agents.sessions import usage as session_usage
from mission_control.gateway_agents.sessions.usage import Used
from mission_control.gateways.models import Gateway
from mission_control.runs.models import Activity, AgentSession
from tests.cast import Cast, kinds
from tests.gateways.fake import FakeGateway
from tests.gateways.fake_state import now_ms
from tests.gateways.gateways import connected_gateway, until

pytestmark = pytest.mark.dialect

KEY = "agent:mc-vega:main"


@pytest.fixture
async def gateway(cast: Cast, fake_gateway: FakeGateway) -> Gateway:
    """A gateway that Vega is on, with a session of hers."""
    found = await connected_gateway(cast, fake_gateway)
    await Agent.filter(id=cast.vega.id).update(gateway_id=found.id, gateway_agent_id="mc-vega")
    await until(lambda: found.id in session_usage._active)  # what a new connection causes is over
    for known in (session_feed._waiting, following._ended, following._followed, session_usage._active):
        known.clear()
    session_usage._measured[found.id] = monotonic()  # so that nobody but the test looks
    return found


def used(fake: FakeGateway, taken: int, given: int, cost: float, key: str = KEY) -> Any:
    """Let a session have used so much in all."""
    session = fake.state.session(key)
    session.input_tokens, session.output_tokens, session.cost_usd = taken, given, cost
    return session


async def total(cast: Cast) -> tuple[int, int, float]:
    """Return what Vega used in all: tokens in, tokens out, US dollars."""
    sums = (await cast.ada.get(f"/usage?agent_id={cast.vega.id}")).ok()["sums"]
    return sums["input_tokens"], sums["output_tokens"], sums["cost_usd"]


async def report(cast: Cast, taken: int, given: int = 0, cost: str = "0") -> dict[str, Any]:
    """Let Vega report usage itself."""
    body = {"input_tokens": taken, "output_tokens": given, "cost_usd": cost}
    answer: dict[str, Any] = (await cast.vega.post("/agent/usage", body)).ok()
    return answer


async def test_only_what_is_new_counts(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    used(fake_gateway, 100, 12, 0.01)
    await session_usage.measure(gateway.id)
    await session_usage.measure(gateway.id)
    assert await total(cast) == (100, 12, 0.01)
    used(fake_gateway, 250, 20, 0.025)
    used(fake_gateway, 5, 1, 0.001, "agent:mc-vega:other")
    used(fake_gateway, 900, 90, 0.9, "agent:a-stranger:main")
    await session_usage.measure(gateway.id)
    assert await total(cast) == (255, 21, 0.026)
    assert {one.source for one in await UsageEntry.all()} == {"gateway"}


async def test_older_figure_from_a_cache_changes_nothing(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    used(fake_gateway, 100, 12, 0.01)
    await session_usage.measure(gateway.id)
    used(fake_gateway, 60, 6, 0.006)
    await session_usage.measure(gateway.id)
    used(fake_gateway, 110, 13, 0.011)
    await session_usage.measure(gateway.id)
    assert await total(cast) == (110, 13, 0.011)


async def test_session_that_begins_anew_counts_from_zero(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    used(fake_gateway, 100, 12, 0.01)
    await session_usage.measure(gateway.id)
    used(fake_gateway, 40, 4, 0.004).session_id = "another"
    await session_usage.measure(gateway.id)
    assert await total(cast) == (140, 16, 0.014)


async def test_deleted_session_under_its_new_key_is_not_counted_again(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    session = used(fake_gateway, 100, 12, 0.01)
    await session_usage.measure(gateway.id)
    del fake_gateway.state.sessions[KEY]
    kept = used(fake_gateway, 100, 12, 0.01, f"agent:mc-vega:{session.session_id}")
    kept.session_id = session.session_id
    await session_usage.measure(gateway.id)
    assert await total(cast) == (100, 12, 0.01)


@pytest.mark.parametrize("reported_first", [True, False])
async def test_nothing_counts_twice_that_the_agent_reports(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, reported_first: bool
) -> None:
    used(fake_gateway, 100, 12, 0.01)
    if not reported_first:
        await session_usage.measure(gateway.id)
    await report(cast, 80, 20)
    await session_usage.measure(gateway.id)
    assert await total(cast) == (100, 20, 0.01)
    await report(cast, 70)
    assert await total(cast) == (150, 20, 0.01)
    used(fake_gateway, 160, 30, 0.02)
    await session_usage.measure(gateway.id)
    assert await total(cast) == (160, 30, 0.02)


async def test_direct_agents_count_as_they_report(cast: Cast) -> None:
    await report(cast, 80, 20, "0.5")
    await report(cast, 80, 20, "0.5")
    assert await total(cast) == (160, 40, 1.0)


async def test_history_of_an_adopted_agent_is_not_ours(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    await Agent.filter(id=cast.vega.id).update(is_adopted=True, created_at=times.clock_now() + timedelta(minutes=1))
    used(fake_gateway, 1000, 100, 1.0)
    await session_usage.measure(gateway.id)
    assert await total(cast) == (0, 0, 0)
    used(fake_gateway, 1010, 101, 1.01)
    await session_usage.measure(gateway.id)
    assert await total(cast) == (10, 1, 0.01)


async def test_measured_usage_draws_on_budgets(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    limit = BudgetCreate(agent_id=cast.vega.id, unit="tokens", limit=Decimal(100))
    await create_budget(await cast.ada.actor(), cast.organization.id, limit)
    used(fake_gateway, 95, 10, 0.01)
    await session_usage.measure(gateway.id)
    assert [kind for kind, _ in await kinds(cast, 0)][-2:] == ["budget.warning", "budget.exceeded"]


async def test_mark_and_usage_are_one(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    used(fake_gateway, 100, 12, 0.01)

    async def breaks(*_: Any, **__: Any) -> None:
        await measure_usage(system(cast.organization.id), cast.vega.id, Figures(100, 12, 10_000))
        raise RuntimeError("power failure")

    with monkeypatch.context() as broken:
        broken.setattr(session_usage, "measure_usage", breaks)
        with pytest.raises(RuntimeError):
            await session_usage.measure(gateway.id)
    assert await SessionUsage.all().count() == 0 and await total(cast) == (0, 0, 0)
    await session_usage.measure(gateway.id)
    assert await total(cast) == (100, 12, 0.01)


async def test_sessions_that_are_being_summed_up_come_later(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    used(fake_gateway, 100, 12, 0.01)
    fake_gateway.usage_is_refreshing = True
    await session_usage.measure(gateway.id)
    assert await total(cast) == (0, 0, 0)
    fake_gateway.usage_is_refreshing = False
    await session_usage.measure(gateway.id)
    assert await total(cast) == (100, 12, 0.01)


async def test_old_gateway_without_newer_parameters(cast: Cast) -> None:
    async with FakeGateway(is_old=True) as old:
        found = await connected_gateway(cast, old)
        await Agent.filter(id=cast.vega.id).update(gateway_id=found.id, gateway_agent_id="mc-vega")
        used(old, 100, 12, 0.01)
        await session_usage.measure(found.id)
        assert await total(cast) == (100, 12, 0.01)


async def test_loop_reads_it_after_work(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_usage._active.clear()
    session_usage._measured.clear()
    assert session_usage._is_due(gateway.id, 1000.0), "never read"
    session_usage._measured[gateway.id] = 990.0
    assert not session_usage._is_due(gateway.id, 1000.0)
    session_usage._active[gateway.id] = 995.0
    assert session_usage._is_due(gateway.id, 1000.0), "its agents work"
    session_usage._active.clear()
    assert session_usage._is_due(gateway.id, 990.0 + session_usage.SELDOM_SECONDS)
    await fake_gateway.emit("chat", {"runId": "1", "sessionKey": KEY, "state": "final"})
    await until(lambda: gateway.id in session_usage._active)


async def turn(fake: FakeGateway, number: int, *, ends: bool = False, ago: float = 0) -> None:
    """Let a turn of Vega's begin or end there, and wait until that is known here."""
    agent = await Agent.get(gateway_agent_id="mc-vega")  # what a test before left may be stored late
    phase, ts = "end" if ends else "start", now_ms() - round(ago * 1000)
    about = {"runId": f"turn {number}", "sessionKey": KEY, "seq": 1, "ts": ts, "stream": "lifecycle"}
    await fake.emit("agent", {**about, "data": {"phase": phase}})

    async def is_known() -> bool:
        await session_feed.store_all()
        theirs = await AgentSession.get_or_none(agent_id=agent.id)
        kind = "RUN_FINISHED" if ends else "RUN_STARTED"
        return theirs is not None and await Activity.filter(session_id=theirs.id, kind=kind).count() == number

    await until(is_known)


@pytest.mark.parametrize("looks", ["once", "after each request"])
@pytest.mark.parametrize("behind", [0, 3600])
async def test_run_costs_what_its_turns_cost(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, looks: str, behind: int
) -> None:
    """Also where turns begin and end between two looks, and the gateway's clock is behind."""
    session = fake_gateway.state.session(KEY)

    async def asks(tokens: int) -> None:
        await asyncio.sleep(0.1 if behind else 0.005)  # far more than an event is on its way
        session.use(tokens, 0, tokens / 1000, ago=behind)
        await asyncio.sleep(0.005)
        if looks != "once":
            await session_usage.measure(gateway.id)

    async def claimed() -> str:
        task = await cast.add_task()
        (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
        return str(task["id"])

    async def finished(task: str) -> str:
        (await cast.vega.patch(f"{cast.tasks}/{task}", {"status": "review", "comment": "Done."})).ok()
        return task

    await turn(fake_gateway, 1, ago=behind)
    await asks(1)
    first = await claimed()
    await asks(10)
    await finished(first)
    await asks(100)
    await turn(fake_gateway, 1, ends=True, ago=behind)
    await turn(fake_gateway, 2, ago=behind)
    second, third = await finished(await claimed()), await claimed()
    await asks(1_000)
    await finished(third)
    await asks(10_000)
    await turn(fake_gateway, 2, ends=True, ago=behind)
    await turn(fake_gateway, 3, ago=behind)
    await asks(100_000)
    await turn(fake_gateway, 3, ends=True, ago=behind)
    await session_usage.measure(gateway.id)
    runs = {str(one.task_id): (one.input_tokens, one.cost_micros) async for one in Run.all()}
    assert runs == {first: (111, 111_000), second: (0, 0), third: (11_000, 11_000_000)}
    assert await total(cast) == (111_111, 0, 111.111)
    stored = await AgentSession.get(agent_id=cast.vega.id)
    assert (stored.input_tokens, stored.cost_micros) == (111_111, 111_111_000)


async def test_run_costs_what_was_used_while_its_gateway_was_not_connected(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    task = await cast.add_task()
    with times.travelled(timedelta(minutes=-5)):
        (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    session = fake_gateway.state.session(KEY)
    for ago, tokens in ((400, 1), (200, 10), (30, 1_000)):
        session.use(tokens, 0, ago=ago)
    with times.travelled(timedelta(minutes=-1)):
        (await cast.vega.patch(cast.task(task), {"status": "review", "comment": "Done."})).ok()
    await session_usage.measure(gateway.id)
    assert (await Run.get()).input_tokens == 1_011, "nothing else was done"


@given(tokens=st.lists(st.integers(0, 9), max_size=30), looks=st.lists(st.integers(0, 30)), step=st.integers(1, 4))
def test_parts_of_what_is_new_are_all_of_it(tokens: list[int], looks: list[int], step: int) -> None:
    """Whenever the gateway is asked, and however many requests it adds up."""
    every = [Used(Figures(one, one, one * 7), one, 0, None) for one in tokens]
    starts = range(0, len(every), step)
    summed = [reduce(Figures.with_more, (one.figures for one in every[n : n + step])) for n in starts]
    requests, counted = [Used(one, one.input, 0, None) for one in summed], Figures()
    for look in sorted(looks):
        now = reduce(Figures.with_more, (one.figures for one in every[:look]), Figures())
        more = now.beyond(counted)
        if more:
            parts = session_usage.parts_of(Used(now, 0, 0, None), counted, more, requests)
            assert reduce(Figures.with_more, (one.figures for one in parts)) == more
            assert all(min(one.figures.input, one.figures.output, one.figures.micros) >= 0 for one in parts)
        counted = now


def test_odd_answers_are_nothing() -> None:
    odd: list[Any] = [None, [], {"sessions": 7}, {"sessions": [7, {}, {"sessionId": "a", "usage": 7}]}]
    assert [session_usage.read_usage(one) for one in odd] == [[], [], [], []]
    usage = {"input": True, "output": -1, "totalCost": "1", "cacheRead": 7, "firstActivity": 10**30}
    [found] = session_usage.read_usage({"sessions": [{"sessionId": "a", "agentId": "b", "usage": usage}]})
    assert (found.figures, found.began_at) == (Figures(7, 0, 0), None)
