"""Signing in on pages with a real provider, and every callback that must be refused."""

import re
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from quart import Quart
from quart import typing as quart_typing

from mission_control.core import times
from mission_control.people.accounts.credentials import hash_password
from mission_control.people.models import AccountEvent, Member, Session, Token, User
from mission_control.people.sign_in._provider_tokens import id_token_claims
from mission_control.people.sign_in.verification import IDENTITY
from tests.cast import Cast
from tests.people.browser import RunningProvider
from tests.people.conftest import MakeApp

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
COOKIE = "mission_control_provider"


async def depart(browser: quart_typing.TestClientProtocol, wanted: str = "/boards") -> str:
    """Follow the link of the sign-in page. Return where it leads."""
    answer = await browser.get(f"/sign-in/provider?{urlencode({'next': wanted})}")
    assert answer.status_code == 303
    cookie: Any = SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/sign-in"
    return str(answer.headers["Location"])


def local(address: str) -> str:
    """Return an address without the host, as the test client takes it."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


@pytest.mark.parametrize(
    "client", [{}, {"OIDC_CLIENT_ID": "public", "OIDC_CLIENT_SECRET": ""}], ids=["with a secret", "without"]
)
async def test_sign_in_leads_back_to_the_wanted_page(
    make_app: MakeApp, provider: RunningProvider, client: dict[str, str]
) -> None:
    app = make_app(**client)
    browser = app.test_client()
    leads_to = await depart(browser)
    asked = parse_qs(urlsplit(leads_to).query)
    assert leads_to.startswith(f"{provider.issuer}/auth?")
    assert (asked["code_challenge_method"], asked["response_type"]) == (["S256"], ["code"])
    arrived = await browser.get(local(await provider.sign_in(leads_to, "vera")))
    assert (arrived.status_code, arrived.headers["Location"]) == (303, "/boards")
    user = await User.get()
    assert (user.clerk_user_id, user.email, user.email_verified, user.name) == (
        "vera", "vera@example.org", True, "Vera Rubin",
    )  # fmt: skip
    assert (await browser.get("/api/v1/organizations/me")).status_code == 200
    assert (await browser.get("/boards")).status_code == 200
    assert await AccountEvent.filter(kind="account.signed_in", user_id=user.id).count() == 1


async def test_client_secret_is_posted_where_basic_is_not_supported(
    make_app: MakeApp, provider: RunningProvider
) -> None:
    secret = {"OIDC_CLIENT_ID": "posting", "OIDC_CLIENT_SECRET": "another / secret: of the client"}
    app = make_app(**secret)
    (await app.extensions[IDENTITY].keys.metadata())["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    browser = app.test_client()
    arrived = await browser.get(local(await provider.sign_in(await depart(browser), "vera")))
    assert (arrived.status_code, arrived.headers["Location"]) == (303, "/boards")


async def test_second_sign_in_finds_the_account(trusting: Quart, provider: RunningProvider) -> None:
    for _ in range(2):
        browser = trusting.test_client()
        arrived = await browser.get(local(await provider.sign_in(await depart(browser), "otto")))
        assert arrived.status_code == 303
    user = await User.get()
    assert (user.email, user.email_verified) == ("otto@example.org", False)
    assert await Session.all().count() == 2


async def test_callback_works_once(trusting: Quart, provider: RunningProvider) -> None:
    browser = trusting.test_client()
    leads_to = await depart(browser)
    jar = dict(_cookies(browser))
    back = local(await provider.sign_in(leads_to, "vera"))
    assert (await browser.get(back)).status_code == 303
    assert (await browser.get(back)).status_code == 403
    browser.set_cookie("localhost", COOKIE, jar[COOKIE], path="/sign-in")  # even with the cookie put back
    assert (await browser.get(back)).status_code == 403
    assert await Session.all().count() == 1


async def test_callback_of_another_browser_is_refused(trusting: Quart, provider: RunningProvider) -> None:
    attacker, victim = trusting.test_client(), trusting.test_client()
    back = local(await provider.sign_in(await depart(attacker), "otto"))
    assert (await victim.get(back)).status_code == 403
    await depart(victim)
    assert (await victim.get(back)).status_code == 403
    assert not await Session.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"state": "other"}, {"state": ""}, {"state": "é"}, {"code": "other"}, {"code": ""},
        {"iss": "https://login.example.org"}, {"error": "access_denied"}, {"error": "server_error"},
    ],
    ids=str,
)  # fmt: skip
async def test_callback_that_does_not_match_is_refused(
    trusting: Quart, provider: RunningProvider, change: dict[str, str]
) -> None:
    browser = trusting.test_client()
    answer = parse_qs(urlsplit(await provider.sign_in(await depart(browser), "vera")).query)
    query = urlencode({name: values[0] for name, values in answer.items()} | change)
    page = await browser.get(f"/sign-in/callback?{query}")
    assert page.status_code == 403 and "Continue with" in await page.get_data(as_text=True)
    assert not await Session.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "m"},
        {"nonce": None},
        {"aud": "public"},
        {"aud": ["public", "mission-control"], "azp": "public"},
        {"iss": "https://login.example.org"},
        {"exp": 1_000_000_000},
        {"sub": "local-auth-user"},
    ],
    ids=str,
)
async def test_id_token_of_another_sign_in_is_refused(
    trusting: Quart, provider: RunningProvider, change: dict[str, Any]
) -> None:
    keys = trusting.extensions[IDENTITY].keys
    assert await id_token_claims(keys, await provider.forged(nonce="n"), "n")
    assert await id_token_claims(keys, await provider.forged(**{"nonce": "n", **change}), "n") is None


async def test_invalid_id_token_signs_nobody_in(
    trusting: Quart, provider: RunningProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(*_: Any) -> None:
        return None

    browser = trusting.test_client()
    back = local(await provider.sign_in(await depart(browser), "vera"))
    monkeypatch.setattr("mission_control.people.sign_in._provider_tokens.id_token_claims", none)
    assert (await browser.get(back)).status_code == 403
    assert not await User.exists() and not await Session.exists()


async def test_expired_sign_in_is_refused(
    trusting: Quart, provider: RunningProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = trusting.test_client()
    back = local(await provider.sign_in(await depart(browser), "vera"))
    monkeypatch.setattr("mission_control.people.sign_in.provider_sign_in.LIFE_SECONDS", -1)
    assert (await browser.get(back)).status_code == 403


async def test_sign_in_leads_only_to_own_pages(trusting: Quart, provider: RunningProvider) -> None:
    browser = trusting.test_client()
    leads_to = await depart(browser, "https://evil.example.org/")
    arrived = await browser.get(local(await provider.sign_in(leads_to, "vera")))
    assert arrived.headers["Location"] == "/"


async def test_sign_in_page_offers_the_provider(make_app: MakeApp, app: Quart) -> None:
    named = make_app(OIDC_NAME="Starlight")
    page = await (await named.test_client().get("/sign-in?next=/boards")).get_data(as_text=True)
    assert "Continue with Starlight" in page and 'href="/sign-in/provider?next=/boards"' in page
    bearers = make_app(OIDC_CLIENT_ID="", OIDC_AUDIENCE="x")
    assert "Continue with" not in await (await bearers.test_client().get("/sign-in")).get_data(as_text=True)
    for one in (bearers, app):
        assert (await one.test_client().get("/sign-in/provider")).status_code == 404
        assert (await one.test_client().get("/sign-in/callback?state=x&code=y")).status_code == 404


async def test_unreachable_provider_is_reported_on_the_page(make_app: MakeApp) -> None:
    page = await make_app(OIDC_ISSUER="http://127.0.0.1:9").test_client().get("/sign-in/provider")
    assert page.status_code == 503 and "does not answer" in await page.get_data(as_text=True)


async def test_only_owners_use_passwords_beside_a_provider(trusting: Quart, cast: Cast) -> None:
    password = "a long enough password"
    await User.all().update(password_hash=await hash_password(password))
    for name, status in (("ada", 303), ("ben", 422), ("cleo", 422)):
        form = urlencode({"email": f"{name}@example.org", "password": password})
        answer = await trusting.test_client().post("/sign-in", data=form, headers=FORM)
        assert answer.status_code == status, name
    assert await Session.filter(expires_at__gt=times.clock_now()).count() == 1


async def as_owner(trusting: Quart, cast: Cast) -> quart_typing.TestClientProtocol:
    """Sign Ada in with her password. Return her browser."""
    password = "a long enough password"
    await User.filter(id=cast.ada.id).update(password_hash=await hash_password(password))
    browser = trusting.test_client()
    form = urlencode({"email": "ada@example.org", "password": password})
    assert (await browser.post("/sign-in", data=form, headers=FORM)).status_code == 303
    return browser


async def link_of(browser: quart_typing.TestClientProtocol) -> str:
    """Return where the settings page's link button leads."""
    page = await (await browser.get("/settings/sign-in")).get_data(as_text=True)
    found = re.search(r'href="(/sign-in/provider\?link=[^"]+)"', page)
    assert found is not None
    return found[1]


async def test_person_links_their_account(trusting: Quart, provider: RunningProvider, cast: Cast) -> None:
    other, browser = await as_owner(trusting, cast), await as_owner(trusting, cast)
    leads_to = (await browser.get(await link_of(browser))).headers["Location"]
    arrived = await browser.get(local(await provider.sign_in(leads_to, "vera")))
    assert (arrived.status_code, arrived.headers["Location"]) == (303, "/settings/sign-in?saved=linked#sign-in")
    page = await (await browser.get("/settings/sign-in?saved=linked")).get_data(as_text=True)
    assert "Your account is linked. Other browsers were signed out." in page and "/sign-in/provider?link" not in page
    assert (await other.get("/settings", headers={"Accept": "application/json"})).status_code == 401
    assert await AccountEvent.filter(kind="account.linked", user_id=cast.ada.id).count() == 1
    fresh = trusting.test_client()
    await fresh.get(local(await provider.sign_in(await depart(fresh), "vera")))
    assert (await (await fresh.get("/api/v1/users/me")).get_json())["id"] == str(cast.ada.id)


async def test_link_ticket_works_only_in_its_own_session(
    trusting: Quart, provider: RunningProvider, cast: Cast
) -> None:
    ada, otto = await as_owner(trusting, cast), trusting.test_client()
    link = await link_of(ada)
    for browser in (trusting.test_client(), otto):
        assert (await browser.get(link)).status_code == 403
        await otto.get(local(await provider.sign_in(await depart(otto), "otto")))
    assert (await ada.get("/sign-in/provider?link=x")).status_code == 403
    leads_to = (await ada.get(link)).headers["Location"]
    taken = await ada.get(local(await provider.sign_in(leads_to, "otto")))
    assert taken.status_code == 409 and "belongs to another account here" in await taken.get_data(as_text=True)


async def test_page_refuses_to_link_an_account_in_use(trusting: Quart, provider: RunningProvider, cast: Cast) -> None:
    await User.filter(id=cast.cleo.id).update(email="vera@example.org")
    browser = trusting.test_client()
    page = await browser.get(local(await provider.sign_in(await depart(browser), "vera")))
    assert page.status_code == 403 and "is in use here" in await page.get_data(as_text=True)
    assert not await Session.exists()
    await Token.filter(user_id=cast.cleo.id).delete()
    arrived = await browser.get(local(await provider.sign_in(await depart(browser), "vera")))
    assert arrived.headers["Location"] == "/settings/sign-in?saved=linked#sign-in"


async def test_owner_allows_a_link_on_the_settings_page(trusting: Quart, provider: RunningProvider, cast: Cast) -> None:
    await User.filter(id=cast.cleo.id).update(email="vera@example.org")
    ada, path = await as_owner(trusting, cast), "/settings/people/accounts/{}/link-invitations"
    place = await Member.get(user_id=cast.cleo.id)
    page = await (await ada.get(f"/settings/people/{place.id}")).get_data(as_text=True)
    assert path.format(cast.cleo.id) in page
    assert (await ada.post(path.format(cast.eve.id), headers=FORM)).status_code == 404
    allowed = await ada.post(path.format(cast.cleo.id), headers=FORM)
    assert (allowed.status_code, allowed.headers["Location"]) == (303, "/settings/people?saved=let-link")
    browser = trusting.test_client()
    arrived = await browser.get(local(await provider.sign_in(await depart(browser), "vera")))
    assert arrived.headers["Location"] == "/settings/sign-in?saved=linked#sign-in"
    assert (await (await browser.get("/api/v1/users/me")).get_json())["id"] == str(cast.cleo.id)
    (await cast.cleo.get("/users/me")).refused(401)


async def test_signing_in_ends_the_previous_session(trusting: Quart, provider: RunningProvider, cast: Cast) -> None:
    browser = await as_owner(trusting, cast)
    [first] = await Session.all()
    form = urlencode({"email": "ada@example.org", "password": "a long enough password"})
    assert (await browser.post("/sign-in", data=form, headers=FORM)).status_code == 303
    [second] = await Session.all()
    assert second.id != first.id
    await browser.get(local(await provider.sign_in(await depart(browser), "vera")))
    [third] = await Session.all()
    assert third.user_id != cast.ada.id


def _cookies(browser: quart_typing.TestClientProtocol) -> list[tuple[str, str]]:
    return [(cookie.name, str(cookie.value)) for cookie in browser.cookie_jar or ()]
