"""An agent's tokens: rotated with an overlap, listed without secrets, revoked at once."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest

from mission_control.core import times
from mission_control.http import authentication
from mission_control.people.models import Token
from tests.cast import Answer, Cast, events, head, kinds, stamp

pytestmark = pytest.mark.dialect


async def with_token(cast: Cast, secret: str) -> Answer:
    """Who answers to a token."""
    return await cast.nobody.get("/agent/healthz", headers={"X-Agent-Token": secret})


async def test_old_token_works_until_the_overlap_ends(cast: Cast) -> None:
    path, before = f"/agents/{cast.vega.id}/tokens", await head(cast)
    made = (await cast.ben.post(path, {})).ok()
    assert list(made) == ["id", "token", "prefix", "expires_at", "replaced_until"]
    assert made["token"].startswith(made["prefix"]) and made["expires_at"] is None
    assert made["replaced_until"] is not None
    [event] = await events(before)
    assert (event.kind, event.actor_id, event.agent_id) == ("agent.token_rotated", cast.ben.id, cast.vega.id)
    assert orjson.loads(event.data) == {"token_id": made["id"], "prefix": made["prefix"]}
    (await with_token(cast, made["token"])).ok()
    (await with_token(cast, cast.vega.secret)).ok()
    with times.travelled(timedelta(seconds=590)):
        (await with_token(cast, cast.vega.secret)).ok()
    with times.travelled(timedelta(seconds=610)):
        (await with_token(cast, cast.vega.secret)).refused(401)
        (await with_token(cast, made["token"])).ok()


async def test_zero_overlap_ends_the_old_token_at_once(cast: Cast) -> None:
    made = (await cast.ada.post(f"/agents/{cast.vega.id}/tokens", {"overlap_seconds": 0})).ok()
    (await with_token(cast, cast.vega.secret)).refused(401)
    (await with_token(cast, made["token"])).ok()


async def test_overlap_never_extends_a_token(cast: Cast) -> None:
    path = f"/agents/{cast.vega.id}/tokens"
    short = (await cast.ada.post(path, {"expires_at": f"{stamp(1).isoformat()}Z", "overlap_seconds": 0})).ok()
    (await cast.ada.post(path, {"overlap_seconds": 3600})).ok()
    with times.travelled(timedelta(minutes=2)):
        (await with_token(cast, short["token"])).refused(401)


async def test_token_list_holds_no_secret(cast: Cast) -> None:
    path = f"/agents/{cast.vega.id}/tokens"
    made = (await cast.ada.post(path, {"scopes": ["read"]})).ok()
    listed = (await cast.ben.get(path)).ok()["items"]
    assert listed[0]["id"] == made["id"]
    assert len(listed) == 2
    assert set(listed[0]) == {
        "id", "prefix", "scopes", "connection_id", "created_at", "expires_at", "revoked_at", "last_used_at", "name",
        "requests_per_minute", "state",
    }  # fmt: skip
    assert listed[0]["scopes"] == ["read"]
    assert made["token"] not in orjson.dumps(listed).decode()
    assert not await Token.filter(fingerprint=made["token"]).exists()


async def test_token_list_says_which_tokens_are_active(cast: Cast) -> None:
    path = f"/agents/{cast.vega.id}/tokens"

    async def states() -> list[str]:
        return [one["state"] for one in (await cast.ada.get(path)).ok()["items"]]

    assert await states() == ["active"]
    (await cast.ada.post(path, {"overlap_seconds": 600})).ok()
    assert await states() == ["active", "expiring"]
    with times.travelled(timedelta(seconds=601)):
        replaced = (await cast.ada.get(path)).ok()["items"][1]
        assert (replaced["state"], replaced["revoked_at"]) == ("expired", None)
    newest = (await cast.ada.post(path, {"overlap_seconds": 0})).ok()
    assert await states() == ["active", "revoked", "revoked"]
    in_eight_days = times.clock_now() + timedelta(days=8)
    sent = {"expires_at": f"{in_eight_days.isoformat()}Z"}
    assert (await cast.ada.patch(f"{path}/{newest['id']}", sent)).ok()["state"] == "active"
    with times.travelled(timedelta(days=2)):
        assert (await states())[0] == "expiring"


async def test_revoked_token_stops_working_at_once(cast: Cast) -> None:
    path = f"/agents/{cast.vega.id}/tokens"
    token_id = (await cast.ada.get(path)).ok()["items"][0]["id"]
    before = await head(cast)
    assert (await cast.ben.delete(f"{path}/{token_id}")).ok() == {"ok": True}
    assert (await cast.ben.delete(f"{path}/{token_id}")).ok() == {"ok": True}
    assert await kinds(cast, before) == [("agent.token_revoked", cast.vega.id)]
    (await with_token(cast, cast.vega.secret)).refused(401)


async def test_rotating_twice_within_the_overlap(cast: Cast) -> None:
    path = f"/agents/{cast.vega.id}/tokens"
    second = (await cast.ada.post(path, {"overlap_seconds": 600})).ok()
    with times.travelled(timedelta(seconds=300)):
        third = (await cast.ada.post(path, {"overlap_seconds": 600})).ok()
        for secret in (cast.vega.secret, second["token"], third["token"]):
            (await with_token(cast, secret)).ok()
    with times.travelled(timedelta(seconds=610)):
        (await with_token(cast, cast.vega.secret)).refused(401)
        (await with_token(cast, second["token"])).ok()
    with times.travelled(timedelta(seconds=910)):
        (await with_token(cast, second["token"])).refused(401)
        (await with_token(cast, third["token"])).ok()


async def test_token_expires_on_time(cast: Cast) -> None:
    wanted = {"overlap_seconds": 0, "expires_at": f"{stamp(60).isoformat()}Z"}
    made = (await cast.ada.post(f"/agents/{cast.vega.id}/tokens", wanted)).ok()
    assert made["expires_at"] is not None
    with times.travelled(timedelta(minutes=59)):
        (await with_token(cast, made["token"])).ok()
    with times.travelled(timedelta(minutes=61)):
        (await with_token(cast, made["token"])).refused(401)
        after = (await cast.ada.post(f"/agents/{cast.vega.id}/tokens", {})).ok()
        assert after["replaced_until"] is None and after["expires_at"] is None
        (await with_token(cast, after["token"])).ok()


async def test_agent_without_a_token_waits_for_a_new_one(cast: Cast) -> None:
    path = f"/agents/{cast.vega.id}/tokens"
    [only] = (await cast.ada.get(path)).ok()["items"]
    (await cast.ada.delete(f"{path}/{only['id']}")).ok()
    (await with_token(cast, cast.vega.secret)).refused(401)
    assert (await cast.ada.get(path)).ok()["items"][0]["revoked_at"] is not None
    made = (await cast.ada.post(path, {})).ok()
    assert made["replaced_until"] is None
    (await with_token(cast, made["token"])).ok()


async def test_rotated_token_keeps_the_old_scopes(cast: Cast) -> None:
    path = f"/agents/{cast.vega.id}/tokens"
    traits = {"name": "Laptop", "scopes": ["work", "read", "work"], "requests_per_minute": 60}
    (await cast.ada.post(path, traits | {"expires_at": f"{stamp(60).isoformat()}Z"})).ok()
    (await cast.ada.post(path, {})).ok()
    kept = {name: (await cast.ada.get(path)).ok()["items"][0][name] for name in (*traits, "expires_at")}
    assert kept == {"name": "Laptop", "scopes": ["work", "read"], "requests_per_minute": 60, "expires_at": None}
    (await cast.ada.post(path, {"scopes": None, "requests_per_minute": None, "name": ""})).ok()
    freed = (await cast.ada.get(path)).ok()["items"][0]
    assert (freed["scopes"], freed["requests_per_minute"], freed["name"]) == (None, None, "")


async def test_token_cannot_end_in_the_past(cast: Cast) -> None:
    (await cast.ada.post(f"/agents/{cast.vega.id}/tokens", {"expires_at": "2020-01-01T00:00:00"})).refused(422)
    assert await Token.filter(agent_id=cast.vega.id).count() == 1


async def test_token_use_is_recorded_once_a_minute(cast: Cast) -> None:
    async def used() -> Any:
        (await with_token(cast, cast.vega.secret)).ok()
        await authentication.write_down()
        return (await Token.get(agent_id=cast.vega.id)).last_used_at

    first = await used()
    assert first is not None
    with times.travelled(timedelta(seconds=30)):
        assert await used() == first
    with times.travelled(timedelta(seconds=90)):
        assert await used() > first


async def test_token_use_is_kept_when_the_application_stops_while_writing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    (await with_token(cast, cast.vega.secret)).ok()
    with monkeypatch.context() as slow:
        slow.setattr(authentication, "rows", lambda *_: asyncio.get_running_loop().create_future())
        writing = asyncio.create_task(authentication.write_down())
        await asyncio.sleep(0.01)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    await authentication.write_down()
    assert (await Token.get(agent_id=cast.vega.id)).last_used_at is not None
