"""Who is calling: headers, cookies and where they come from, unknown tokens, the installation's own token."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from quart import Quart
from quart_auth import QuartAuth

from mission_control.core import times
from mission_control.core.actor import system
from mission_control.core.settings import Settings
from mission_control.people.accounts.commands import start_session
from mission_control.people.models import Member, Organization, Session, User
from tests.cast import Caller, Cast
from tests.settings import having

LOCAL = "local-" + "x" * 50


async def browser_of(cast: Cast, user_id: Any) -> Caller:
    """Somebody's signed-in browser."""
    secret = await start_session(system(), await User.get(id=user_id), "Firefox")
    auth: QuartAuth = next(one for one in cast.app.extensions["QUART_AUTH"] if isinstance(one, QuartAuth))
    token = auth.dump_token(secret, app=cast.app)
    return Caller(cast.app, {"Cookie": f"{auth.cookie_name}={token}"})


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer  ", "Basic abc", "mcu_abc", "Bearer nope"])
async def test_invalid_credentials_are_unauthorized(cast: Cast, header: str) -> None:
    for path in ("/users/me", "/agent/healthz", cast.tasks):
        answer = await cast.nobody.get(path, headers={"Authorization": header} if header else {})
        assert answer.refused(401) == "Unauthorized"
        assert "WWW-Authenticate" not in answer.headers


async def test_bearer_scheme_is_case_insensitive_and_trimmed(cast: Cast) -> None:
    secret = cast.ada.headers["Authorization"].split()[1]
    (await cast.nobody.get("/users/me", headers={"Authorization": f"bEaReR   {secret} "})).ok()


async def test_credentials_with_odd_characters_are_unauthorized(cast: Cast) -> None:
    for secret in ("caf\u00e9", "\u00ff" * 47, "mcu_" + "\u00e9" * 43):
        (await cast.nobody.get("/users/me", headers={"Authorization": f"Bearer {secret}"})).refused(401)


async def test_unknown_tokens_are_rate_limited_and_known_ones_are_not(cast: Cast) -> None:
    wrong = {"Authorization": "Bearer mcu_wrong"}
    statuses = [(await cast.nobody.get("/users/me", headers=wrong)).status for _ in range(21)]
    assert statuses == [401] * 20 + [429]
    refused = await cast.nobody.get("/agent/healthz", headers={"X-Agent-Token": "mca_wrong"})
    assert refused.refused(429) == "Too Many Requests"
    assert 1 <= int(refused.headers["Retry-After"]) <= 61
    for _ in range(25):
        (await cast.ada.get("/users/me")).ok()
        (await cast.vega.get("/agent/healthz")).ok()
    assert (await cast.nobody.get("/users/me")).refused(401) == "Unauthorized"


async def test_session_cookie_reads_and_writes(cast: Cast) -> None:
    browser = await browser_of(cast, cast.cleo.id)
    assert (await browser.get("/users/me")).ok()["name"] == "Cleo"
    answer = await browser.post(cast.tasks, {"title": "By hand"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.ok()["created_by_user_id"] == str(cast.cleo.id)
    (await browser.get("/agent/healthz")).refused(401)


@pytest.mark.parametrize(("headers", "allowed"), [
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, False),
    ({"Origin": "http://localhost"}, True),
    ({"Origin": "http://localhost:81"}, False),
    ({"Origin": "https://localhost"}, False),
    ({"Origin": "https://evil.example"}, False),
    ({"Origin": "null"}, False),
    ({}, False),
])  # fmt: skip
async def test_cookie_writes_need_a_known_origin(cast: Cast, headers: dict[str, str], allowed: bool) -> None:
    browser = await browser_of(cast, cast.cleo.id)
    unsafe = [
        await browser.post(cast.tasks, {"title": "x"}, headers=headers),
        await browser.patch("/users/me", {"notes": "x"}, headers=headers),
        await browser.delete(cast.task(await cast.add_task()), headers=headers),
    ]
    assert [one.status for one in unsafe] == [200 if allowed else 403] * 3
    (await browser.get("/users/me", headers=headers)).ok()


async def test_cookie_writes_are_accepted_from_the_public_address(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.from_environment({"BASE_URL": "https://board.example.org"})
    monkeypatch.setitem(cast.app.config, "SETTINGS", settings)
    browser = await browser_of(cast, cast.cleo.id)
    for origin, status in (("https://board.example.org", 200), ("http://board.example.org", 403)):
        answer = await browser.post(cast.tasks, {"title": "x"}, headers={"Origin": origin})
        assert answer.status == status


async def test_bearer_token_overrides_the_cookie(cast: Cast) -> None:
    browser = await browser_of(cast, cast.cleo.id)
    cross = {"Sec-Fetch-Site": "cross-site"}
    made = (await browser.post(cast.tasks, {"title": "x"}, headers=cross | cast.ada.headers)).ok()
    assert made["created_by_user_id"] == str(cast.ada.id)
    wrong = {"Authorization": "Bearer mcu_wrong"}
    (await browser.get("/users/me", headers=wrong)).refused(401)


async def test_session_expires(cast: Cast) -> None:
    browser = await browser_of(cast, cast.cleo.id)
    with times.travelled(timedelta(days=31)):
        (await browser.get("/users/me")).refused(401)
    (await browser.get("/users/me")).ok()
    await Session.all().delete()
    (await browser.get("/users/me")).refused(401)
    forged = Caller(cast.app, {"Cookie": "mission_control=forged"})
    (await forged.get("/users/me")).refused(401)


async def test_person_without_organization_gets_a_personal_one(cast: Cast) -> None:
    await Member.filter(user_id=cast.cleo.id).delete()
    assert (await cast.cleo.get("/organizations/me")).ok()["name"] == "Personal"
    assert (await cast.cleo.get("/organizations/me/member")).ok()["role"] == "owner"


async def test_changed_rights_apply_to_the_next_request(cast: Cast) -> None:
    (await cast.cleo.get("/agents")).refused(403)
    await Member.filter(user_id=cast.cleo.id).update(role="admin", all_boards_read=True)
    (await cast.cleo.get("/agents")).ok()


@pytest.fixture
async def local(app: Quart) -> AsyncIterator[Caller]:
    """The bearer of LOCAL_AUTH_TOKEN."""
    with having(app, local_auth_token=LOCAL):
        yield Caller(app, {"Authorization": f"Bearer {LOCAL}"})


async def test_local_token_works_on_an_empty_database(local: Caller) -> None:
    me = (await local.get("/users/me")).ok()
    assert (me["clerk_user_id"], me["email"], me["name"]) == ("local-auth-user", "admin@home.local", "Local User")
    assert (await local.post("/auth/bootstrap")).ok() == me
    [organization] = await Organization.all()
    assert organization.name == "Personal"
    board = (await local.post("/boards", {"name": "First", "slug": "first", "description": "It."})).ok()
    assert board["organization_id"] == str(organization.id)
    (await Caller(local.app, {"Authorization": f"Bearer {LOCAL}x"}).get("/users/me")).refused(401)
    (await Caller(local.app, {"Authorization": "Bearer \u00e9"}).get("/users/me")).refused(401)
    (await Caller(local.app, {"X-Agent-Token": LOCAL}).get("/agent/healthz")).refused(401)


async def test_concurrent_first_calls_create_one_owner(local: Caller) -> None:
    answers = await asyncio.gather(*(local.get("/users/me") for _ in range(8)))
    assert {one.ok()["id"] for one in answers} == {str((await User.get()).id)}
    assert await Organization.all().count() == await Member.all().count() == 1
