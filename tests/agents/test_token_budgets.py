"""Requests per minute and token, what is told about them, what it costs to know a token, and unknown ones."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from mission_control.agents.models import Agent
from mission_control.core import limits, times
from mission_control.core.errors import TooMany, Unauthenticated
from mission_control.core.limits import Allowance, FailureLimit, RequestBudget
from mission_control.core.settings import Settings
from mission_control.core.values import fingerprint, new_secret
from mission_control.http import authentication
from mission_control.people.models import Token
from tests.cast import Answer, Caller, Cast, hire
from tests.http.test_authn import browser_of
from tests.live.reading import reading
from tests.statements import counted

pytestmark = pytest.mark.dialect

WRONG = {"X-Agent-Token": "mca_" + "x" * 43}


@pytest.fixture
def usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """The budgets of an installation that sets none."""
    settings = Settings.from_environment({})
    monkeypatch.setattr(limits.agent_requests, "per_minute", settings.agent_requests_per_minute)
    monkeypatch.setattr(limits.person_requests, "per_minute", settings.person_requests_per_minute)


def told(answer: Answer) -> tuple[int, int, int] | None:
    """Limit, remaining and reset of an answer."""
    names = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
    found = [int(answer.headers[name]) for name in names if name in answer.headers]
    return (found[0], found[1], found[2]) if found else None


def test_rate_limit_refills_evenly() -> None:
    now = 1000.0
    budget, one = RequestBudget(6, now=lambda: now), uuid4()
    assert [budget.spend(one) for _ in range(6)] == [Allowance(6, 5 - n, 10 * (n + 1)) for n in range(6)]
    with pytest.raises(TooMany) as refused:
        budget.spend(one)
    assert refused.value.headers["Retry-After"] == "10"
    assert refused.value.headers["RateLimit-Remaining"] == "0"
    now += 10
    assert budget.spend(one) == Allowance(6, 0, 60)
    now += 59
    assert budget.spend(one) == Allowance(6, 4, 11)
    now += 3600
    assert budget.spend(one) == Allowance(6, 5, 10)


def test_rate_limit_can_be_changed_and_evicts_the_longest_unused() -> None:
    now = 1000.0
    budget, one, other = RequestBudget(2, keys=2, now=lambda: now), uuid4(), uuid4()
    for _ in range(2):
        budget.spend(one)
    assert budget.spend(one, 100) == Allowance(100, 97, 2)
    with pytest.raises(TooMany):
        budget.spend(one, 1)
    budget.spend(other)
    budget.spend(one, 100)
    budget.spend(uuid4())
    assert len(budget._spent) == 2 and one in budget._spent
    assert RequestBudget(0).spend(one) is None
    assert RequestBudget(0).spend(one, 5) == Allowance(5, 4, 12)


async def test_every_response_carries_the_remaining_rate_limit(cast: Cast, usual: None) -> None:
    assert told(await cast.vega.get("/agent/healthz")) == (600, 599, 1)
    refusals = [
        await cast.vega.get(cast.task(uuid4())),
        await cast.vega.post("/agents", {"name": "Lyra"}),
        await cast.vega.get("/users/me"),
        await cast.vega.post("/agent/agents", {}),
    ]
    assert [one.status for one in refusals] == [404, 403, 401, 403]
    assert all(told(one) is not None for one in refusals)
    assert told(await cast.ada.get("/users/me")) == (600, 599, 1)
    assert told(await (await browser_of(cast, cast.cleo.id)).get("/users/me")) is None
    assert told(await cast.nobody.get("/users/me")) is None


async def test_token_over_its_rate_limit_is_refused(cast: Cast, usual: None) -> None:
    await Token.filter(agent_id=cast.vega.id).update(requests_per_minute=3)
    for left in (2, 1, 0):
        answer = await cast.vega.get("/agent/healthz")
        answer.ok()
        assert answer.headers["RateLimit-Remaining"] == str(left)
    before = (await Agent.get(id=cast.vega.id)).last_seen_at
    with times.travelled(timedelta(seconds=10)):
        answer = await cast.vega.post("/agent/heartbeat")
        refused = answer.refused(429)
    assert refused["code"] == "rate_limited" and "3 requests a minute" in refused["message"]
    assert answer.headers["RateLimit-Limit"] == "3" and answer.headers["RateLimit-Remaining"] == "0"
    assert 1 <= int(answer.headers["Retry-After"]) <= 11
    assert (await Agent.get(id=cast.vega.id)).last_seen_at == before
    (await cast.rigel.get("/agent/healthz")).ok()
    with times.travelled(timedelta(seconds=21)):
        (await cast.vega.get("/agent/healthz")).ok()
        (await cast.vega.get("/agent/healthz")).refused(429)


async def test_rotated_token_keeps_the_agents_rate_limit(cast: Cast, usual: None) -> None:
    await Token.filter(agent_id=cast.vega.id).update(requests_per_minute=5)
    for _ in range(3):
        (await cast.vega.get("/agent/healthz")).ok()
    path = f"/agents/{cast.vega.id}/tokens"
    secrets = [(await cast.ben.post(path, {"overlap_seconds": 600})).ok()["token"] for _ in range(2)]
    first, second = (Caller(cast.app, {"X-Agent-Token": secret}) for secret in secrets)
    (await first.get("/agent/healthz")).ok()
    (await second.get("/agent/healthz")).ok()
    for one in (cast.vega, first, second):
        (await one.get("/agent/healthz")).refused(429)


async def test_tokens_of_a_person_share_one_rate_limit(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.person_requests, "per_minute", 3)
    secret = new_secret("mcu")
    await Token.create(user_id=cast.cleo.id, name="other", prefix=secret[:10], fingerprint=fingerprint(secret))
    other = Caller(cast.app, {"Authorization": f"Bearer {secret}"})
    (await other.get("/users/me")).ok()
    for _ in range(2):
        (await cast.cleo.get("/users/me")).ok()
    (await cast.cleo.get("/users/me")).refused(429)
    (await other.get("/users/me")).refused(429)


def test_ipv6_failures_also_count_for_the_larger_network() -> None:
    limit = FailureLimit(2, 60.0)
    for number in range(20):
        limit.check(f"2001:db8:1:{number:x}::/64")
        limit.failed(f"2001:db8:1:{number:x}::/64")
    with pytest.raises(TooMany):
        limit.check("2001:db8:1:ffff::/64")
    limit.check("2001:db8:2::/64")
    limit.check("email:somebody::/64")


async def test_personal_token_has_its_own_rate_limit(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.person_requests, "per_minute", 2)
    for _ in range(2):
        (await cast.cleo.get("/users/me")).ok()
    (await cast.cleo.get("/users/me")).refused_as(429, "rate_limited")
    browser = await browser_of(cast, cast.cleo.id)
    for _ in range(5):
        (await browser.get("/users/me")).ok()
    assert told(await cast.vega.get("/agent/healthz")) is None


async def test_stream_and_long_poll_count_as_one_request(cast: Cast, usual: None) -> None:
    await Token.filter(agent_id=cast.vega.id).update(requests_per_minute=60)
    async with reading(cast.vega, f"{cast.tasks}/stream") as stream:
        await stream.begun()
        assert stream.headers["RateLimit-Remaining"] == "59"
        for _ in range(5):
            await cast.add_task()
            await stream.next()
    waiting = asyncio.create_task(cast.rigel.get("/agent/inbox?wait_seconds=1"))
    assert told(await cast.vega.get("/agent/healthz")) in [(60, 58, 2), (60, 59, 1)]
    assert told(await waiting) == (600, 599, 1)


async def test_agents_behind_one_address_are_not_limited_together(cast: Cast, usual: None) -> None:
    fleet: list[Caller] = [await hire(cast.app, cast.ada, cast.board, f"Star {n}") for n in range(40)]
    seen: Counter[int] = Counter()
    for n in range(440):
        with times.travelled(timedelta(seconds=n / 10)):
            seen[(await fleet[n % 40].get("/agent/healthz")).status] += 1
    assert seen == {200: 440}
    wrong = [await cast.nobody.get("/agent/healthz", headers=WRONG) for _ in range(21)]
    assert [one.status for one in wrong] == [401] * 20 + [429]
    assert 1 <= int(wrong[-1].headers["Retry-After"]) <= 61 and told(wrong[-1]) is None
    for one in fleet:
        (await one.get("/agent/healthz")).ok()
    with times.travelled(timedelta(seconds=62)):
        (await cast.nobody.get("/agent/healthz", headers=WRONG)).refused(401)


async def test_valid_token_of_the_wrong_kind_is_not_a_failure(cast: Cast) -> None:
    as_bearer = {"Authorization": f"Bearer {cast.vega.secret}"}
    persons = {"X-Agent-Token": cast.ada.headers["Authorization"].split()[1]}
    for _ in range(25):
        (await cast.vega.get("/users/me")).refused(401)
        (await cast.nobody.get("/users/me", headers=as_bearer)).refused(401)
        (await cast.ada.get("/agent/healthz")).refused(401)
        (await cast.nobody.get("/agent/healthz", headers=persons)).refused(401)
    (await cast.nobody.get("/agent/healthz", headers=WRONG)).refused(401)
    (await (await browser_of(cast, cast.cleo.id)).get("/users/me", headers=cast.vega.headers)).ok()
    assert len(limits.unknown_tokens._failures) == 1


async def test_invalid_agent_token_counts_on_paths_for_people(cast: Cast) -> None:
    statuses = [(await cast.nobody.get("/users/me", headers=WRONG)).status for _ in range(21)]
    assert statuses == [401] * 20 + [429]


@pytest.mark.parametrize("seconds", [0, 31, 61, 600])
async def test_agent_request_costs_one_read_and_at_most_one_write(cast: Cast, seconds: int) -> None:
    task = await cast.add_task()
    bearing = Caller(cast.app, {"Authorization": f"Bearer {cast.vega.secret}"})
    (await cast.vega.get("/agent/healthz")).ok()
    await authentication.write_down()
    with times.travelled(timedelta(seconds=seconds)):
        for caller, path in ((cast.vega, "/agent/healthz"), (bearing, cast.task(task)), (bearing, "/agent/boards")):
            with counted(passing_over=()) as found:
                await caller.get(path)
            checks = [one for one in found if "FROM tokens" in one or 'FROM "tokens"' in one]
            writes = [one for one in found if one.lstrip().upper().startswith(("UPDATE", "INSERT", "DELETE"))]
            assert len(checks) == 1 and len(writes) <= (1 if path == "/agent/healthz" else 0), found


async def test_presence_and_token_use_are_accurate(cast: Cast) -> None:
    async def noted() -> tuple[Any, Any]:
        (await cast.vega.get("/agent/healthz")).ok()
        await authentication.write_down()
        agent, token = await Agent.get(id=cast.vega.id), await Token.get(agent_id=cast.vega.id)
        return agent.last_seen_at, token.last_used_at

    first = await noted()
    for seconds, moved in ((20, (False, False)), (40, (True, False)), (65, (False, True)), (600, (True, True))):
        with times.travelled(timedelta(seconds=seconds)):
            now = await noted()
            assert tuple(after > before for before, after in zip(first, now, strict=True)) == moved, seconds
            first = now


async def test_use_of_many_tokens_is_written_in_few_statements(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five hundred agents that begin to wait must not hold up everybody else fifteen seconds later."""
    await authentication.write_down()
    before, now = datetime(2020, 1, 1), times.clock_now()
    made = [Token(prefix="mca_", fingerprint=f"{n}", agent_id=cast.vega.id, last_used_at=before) for n in range(30)]
    await Token.bulk_create(made)
    monkeypatch.setattr(authentication, "AT_ONCE", 10)
    for number, one in enumerate(made):
        authentication.remember(authentication._used, one.id, before)
        authentication._used[one.id] = now + timedelta(seconds=number)
    await Token.filter(id=made[7].id).update(last_used_at=now + timedelta(hours=1))
    with counted(passing_over=()) as found:
        await authentication.write_down()
    assert len([text for text in found if "UPDATE tokens" in text]) == 3, found
    written = dict(await Token.filter(id__in=[one.id for one in made]).values_list("id", "last_used_at"))
    for number, one in enumerate(made):
        assert written[one.id] == now + (timedelta(hours=1) if number == 7 else timedelta(seconds=number))


async def test_unwritten_token_use_is_kept_for_later(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> None:
        raise OSError("the disk is full")

    (await cast.vega.get("/agent/healthz")).ok()
    with monkeypatch.context() as patched:
        patched.setattr(authentication, "rows", broken)
        await authentication.write_down()
    assert (await Token.get(agent_id=cast.vega.id)).last_used_at is None
    await authentication.write_down()
    assert (await Token.get(agent_id=cast.vega.id)).last_used_at is not None


async def test_callers_without_a_request_are_not_limited(cast: Cast) -> None:
    async with cast.app.app_context():
        actor, allowance = await authentication.caller_for(cast.atlas.secret, "192.0.2.1")
        assert (actor.id, actor.is_lead, allowance) == (cast.atlas.id, True, None)
        await Token.filter(agent_id=cast.atlas.id).update(requests_per_minute=2, scopes=["read"])
        actor, allowance = await authentication.caller_for(cast.atlas.secret, "192.0.2.1")
        assert (actor.is_lead, actor.scopes) == (False, frozenset({"read"})) and allowance is not None
        assert allowance.headers() == {"RateLimit-Limit": "2", "RateLimit-Remaining": "1", "RateLimit-Reset": "30"}
        await authentication.caller_for(cast.atlas.secret, "192.0.2.1")
        with pytest.raises(TooMany) as over:
            await authentication.caller_for(cast.atlas.secret, "192.0.2.1")
        assert over.value.headers["Retry-After"] == "30"
        ada, _ = await authentication.caller_for(cast.ada.headers["Authorization"].split()[1], "192.0.2.1")
        assert (ada.kind, ada.name) == ("user", "Ada")
        for _ in range(20):
            with pytest.raises(Unauthenticated):
                await authentication.caller_for("mca_wrong", "192.0.2.1")
        with pytest.raises(TooMany):
            await authentication.caller_for("mca_wrong", "192.0.2.1")
        with pytest.raises(Unauthenticated):
            await authentication.caller_for("mca_wrong", "192.0.2.2")
        await authentication.caller_for(cast.vega.secret, "192.0.2.1")
