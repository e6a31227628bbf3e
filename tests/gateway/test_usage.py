"""Usage that gateways measure: counted once, whoever tells it first, and whatever breaks in between."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from mission_control.agents.budgets import Figures, create_budget, measure_usage
from mission_control.agents.models import Agent, UsageEntry
from mission_control.agents.usage_schemas import BudgetCreate
from mission_control.core import times
from mission_control.core.actor import system
from mission_control.fleet import session_usage
from mission_control.fleet.models import SessionUsage
from mission_control.gateways.models import Gateway
from tests.cast import Cast, kinds
from tests.gateway.fake import FakeGateway
from tests.gateway.gateways import connected_gateway, until

KEY = "agent:mc-vega:main"


@pytest.fixture
async def gateway(cast: Cast, fake_gateway: FakeGateway) -> Gateway:
    """A gateway that Vega is on, with a session of hers."""
    found = await connected_gateway(cast, fake_gateway)
    await Agent.filter(id=cast.vega.id).update(gateway_id=found.id, gateway_agent_id="mc-vega")
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
    assert session_usage._is_due(gateway.id, 1000.0), "never read"
    session_usage._measured[gateway.id] = 990.0
    assert not session_usage._is_due(gateway.id, 1000.0)
    session_usage._active[gateway.id] = 995.0
    assert session_usage._is_due(gateway.id, 1000.0), "its agents work"
    session_usage._active.clear()
    assert session_usage._is_due(gateway.id, 990.0 + session_usage.SELDOM_SECONDS)
    await fake_gateway.emit("chat", {"runId": "1", "sessionKey": KEY, "state": "final"})
    await until(lambda: gateway.id in session_usage._active)


def test_odd_answers_are_nothing() -> None:
    odd: list[Any] = [None, [], {"sessions": 7}, {"sessions": [7, {}, {"sessionId": "a", "usage": 7}]}]
    assert [session_usage.read_usage(one) for one in odd] == [[], [], [], []]
    usage = {"input": True, "output": -1, "totalCost": "1", "cacheRead": 7, "firstActivity": 10**30}
    [found] = session_usage.read_usage({"sessions": [{"sessionId": "a", "agentId": "b", "usage": usage}]})
    assert (found.figures, found.began_at) == (Figures(7, 0, 0), None)
