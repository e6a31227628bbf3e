"""Accounts of a provider's people: whose an address is, what is learned later, how often the provider is asked."""

from typing import Any

import pytest
from quart import Quart

from mission_control.people.models import User
from mission_control.people.sign_in import provider_accounts
from mission_control.people.sign_in.identity_provider import Provider
from mission_control.people.sign_in.provider_accounts import Profile
from tests.cast import Cast
from tests.people.browser import SECRET, RunningProvider, with_bearer
from tests.people.conftest import MakeApp

ME = "/users/me"
EMAIL = "vera@example.org"


async def said(app: Quart, provider: RunningProvider, **claims: Any) -> dict[str, Any]:
    """Return the profile of a caller with these claims."""
    me: dict[str, Any] = (await with_bearer(app, await provider.forged(**claims)).get(ME)).ok()
    return me


async def test_unverified_claim_does_not_take_a_claimed_address(trusting: Quart, provider: RunningProvider) -> None:
    assert (await said(trusting, provider, sub="first", name="First", email=EMAIL))["email"] == EMAIL
    assert (await said(trusting, provider, sub="second", name="Second", email=EMAIL))["email"] is None
    assert (await said(trusting, provider, sub="first", name="First", email=EMAIL))["email"] == EMAIL


async def test_address_is_verified_later(trusting: Quart, provider: RunningProvider) -> None:
    vera = {"sub": "vera", "name": "Vera", "email": EMAIL}
    await said(trusting, provider, **vera)
    assert (await User.get()).email_verified is False
    await said(trusting, provider, **vera, email_verified=True)
    assert (await User.get()).email_verified is True


async def test_name_is_filled_in_once(trusting: Quart, provider: RunningProvider) -> None:
    assert (await said(trusting, provider, sub="x"))["name"] is None
    assert (await said(trusting, provider, sub="x", name="Xenia"))["name"] == "Xenia"
    assert (await said(trusting, provider, sub="x", name="Xaver", email="x@example.org"))["name"] == "Xenia"


async def test_verified_address_does_not_switch_accounts(
    trusting: Quart, provider: RunningProvider, cast: Cast
) -> None:
    before = await said(trusting, provider, sub="vera", name="Vera", email=EMAIL)
    moved = await said(trusting, provider, sub="vera", name="Vera", email="ada@example.org", email_verified=True)
    assert (moved["id"], moved["email"]) == (before["id"], EMAIL)
    assert (await cast.ada.get(ME)).ok()["email"] == "ada@example.org"


async def test_missing_profile_is_asked_for_once_an_hour(
    make_app: MakeApp, provider: RunningProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def profile(_: Provider, subject: str) -> Profile | None:
        asked.append(subject)
        return None

    monkeypatch.setattr("mission_control.people.sign_in.verification.clerk_profile", profile)
    mode = {"AUTH_MODE": "clerk", "CLERK_SECRET_KEY": SECRET, "CLERK_API_URL": provider.issuer}
    app = make_app(**mode, OIDC_ISSUER="", OIDC_CLIENT_ID="")
    nameless = with_bearer(app, await provider.forged(aud=None, sub="nameless"))
    for _ in range(4):
        (await nameless.get(ME)).ok()
    assert asked == ["nameless"] * 2  # when they were new, and when they were seen again
    monkeypatch.setattr(provider_accounts, "ASK_AGAIN_SECONDS", 0.0)
    (await nameless.get(ME)).ok()
    assert len(asked) == 3
