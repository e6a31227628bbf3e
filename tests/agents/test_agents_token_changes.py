"""A live token gets other scopes, another end or budget; an agent renews its own."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest

from mission_control.core import times
from mission_control.http import lookups
from mission_control.people.models import Token
from tests.cast import Caller, Cast, events, head, kinds, stamp

pytestmark = pytest.mark.dialect

RENEW = "/agent/tokens/rotations"


def bearing(cast: Cast, secret: str) -> Caller:
    """Return a caller with this token of an agent."""
    return Caller(cast.app, {"X-Agent-Token": secret})


async def path_of_token(cast: Cast, agent: Any) -> str:
    """The path of an agent's newest token."""
    return f"/agents/{agent.id}/tokens/{(await cast.ada.get(f'/agents/{agent.id}/tokens')).ok()['items'][0]['id']}"


async def test_token_is_changed(cast: Cast) -> None:
    path, before = await path_of_token(cast, cast.vega), await head(cast)
    ends = stamp(60).isoformat()
    wanted = {"scopes": ["read"], "expires_at": f"{ends}Z", "requests_per_minute": 60, "name": "Laptop"}
    changed = (await cast.ben.patch(path, wanted)).ok()
    assert {name: changed[name] for name in wanted} == wanted
    assert "token" not in changed
    [event] = await events(before)
    assert (event.kind, event.actor_id, event.agent_id) == ("agent.token_changed", cast.ben.id, cast.vega.id)
    data = orjson.loads(event.data)
    assert set(data) == {"token_id", "prefix", "before", "after"}
    assert data["before"] == {"scopes": None, "expires_at": None, "requests_per_minute": None, "name": ""}
    (await cast.vega.get("/agent/healthz")).ok()
    (await cast.vega.post("/agent/heartbeat")).refused(403)
    assert (await cast.ada.patch(path, {"scopes": None})).ok()["requests_per_minute"] == 60
    (await cast.vega.post("/agent/heartbeat")).ok()
    with times.travelled(timedelta(minutes=61)):
        (await cast.vega.get("/agent/healthz")).refused(401)


async def test_unchanged_token_is_a_no_op(cast: Cast) -> None:
    path, before = await path_of_token(cast, cast.vega), await head(cast)
    for body in ({}, {"scopes": None}, {"name": ""}, {"expires_at": None, "requests_per_minute": None}):
        (await cast.ada.patch(path, body)).ok()
    assert await kinds(cast, before) == []


@pytest.mark.parametrize("body", [{"name": None}, {"expires_at": "2020-01-01T00:00:00"}])
async def test_invalid_token_change_is_refused(cast: Cast, body: dict[str, Any]) -> None:
    path, before = await path_of_token(cast, cast.vega), await head(cast)
    (await cast.ada.patch(path, body)).refused(422)
    assert await kinds(cast, before) == []


async def test_ended_token_cannot_be_changed(cast: Cast) -> None:
    path = await path_of_token(cast, cast.vega)
    (await cast.ada.patch(path, {"expires_at": f"{stamp(1).isoformat()}Z"})).ok()
    with times.travelled(timedelta(minutes=2)):
        (await cast.ada.patch(path, {"expires_at": None})).refused_as(409, "token_ended")
    (await cast.ada.delete(path)).ok()
    (await cast.ada.patch(path, {"name": "x"})).refused_as(409, "token_ended")


async def test_open_streams_notice_changed_scopes(cast: Cast) -> None:
    lead = await cast.atlas.actor()
    assert lead.is_lead and lead.scopes is None
    (await cast.ada.patch(await path_of_token(cast, cast.atlas), {"scopes": ["work"]})).ok()
    current = await lookups.fresh(lead)
    assert current is not None and not current.is_lead and current.scopes == frozenset({"read", "work"})
    assert (await lookups.fresh(current)) == current


async def test_agent_renews_its_own_token(cast: Cast) -> None:
    path, traits = f"/agents/{cast.vega.id}/tokens", {"scopes": ["work"], "requests_per_minute": 60, "name": "Laptop"}
    wanted = traits | {"overlap_seconds": 0, "expires_at": f"{stamp(24 * 60).isoformat()}Z"}
    first = (await cast.ada.post(path, wanted)).ok()
    assert (await bearing(cast, first["token"]).get("/agent/healthz")).ok()["token_expires_at"] == first["expires_at"]
    before = await head(cast)
    with times.travelled(timedelta(hours=23)):
        second = (await bearing(cast, first["token"]).post(RENEW, {"overlap_seconds": 600})).ok()
        assert list(second) == ["id", "token", "prefix", "expires_at", "replaced_until"]
        [event] = await events(before)
        assert (event.kind, event.actor_id) == ("agent.token_rotated", cast.vega.id)
        (await bearing(cast, first["token"]).get("/agent/healthz")).ok()
    with times.travelled(timedelta(hours=23, minutes=11)):
        (await bearing(cast, first["token"]).get("/agent/healthz")).refused(401)
    with times.travelled(timedelta(hours=46)):
        (await bearing(cast, second["token"]).get("/agent/healthz")).ok()
    with times.travelled(timedelta(hours=48)):
        (await bearing(cast, second["token"]).get("/agent/healthz")).refused(401)
    row = await Token.get(id=second["id"])
    assert {name: getattr(row, name) for name in traits} == traits


async def test_replaced_token_cannot_be_renewed(cast: Cast) -> None:
    found = (await cast.ada.post(f"/agents/{cast.vega.id}/tokens", {"overlap_seconds": 600})).ok()
    before = await head(cast)
    assert (await cast.vega.post(RENEW, {})).refused(409)["code"] == "token_replaced"
    assert await kinds(cast, before) == []
    ended = (await bearing(cast, found["token"]).post(RENEW, {"overlap_seconds": 0})).ok()
    (await bearing(cast, found["token"]).get("/agent/healthz")).refused(401)
    (await bearing(cast, ended["token"]).get("/agent/healthz")).ok()


async def test_concurrent_renewals_succeed_once(cast: Cast) -> None:
    answers = await asyncio.gather(*(cast.vega.post(RENEW, {}) for _ in range(2)))
    assert sorted(one.status for one in answers) == [200, 409]
    assert await Token.filter(agent_id=cast.vega.id, revoked_at=None, expires_at=None).count() == 1
