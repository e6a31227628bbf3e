"""Clerk's mode: session tokens, keys with or without an issuer, profiles, and deleting an account there."""

import asyncio
import base64
from datetime import timedelta
from typing import Any

import pytest
from quart import Quart

from mission_control.core import times
from mission_control.events.leases import Delivery
from mission_control.people.accounts.deletion import DELETE_AT_PROVIDER
from mission_control.people.models import User
from tests.deliveries import send_due
from tests.people.browser import SECRET, RunningProvider, with_bearer
from tests.people.conftest import MakeApp

ME = "/users/me"


@pytest.fixture
def clerk(make_app: MakeApp, provider: RunningProvider) -> MakeApp:
    """Return a factory of applications in Clerk's mode; without an issuer the keys come from its backend."""

    def make(**settings: str) -> Quart:
        mode = {"AUTH_MODE": "clerk", "CLERK_SECRET_KEY": SECRET, "CLERK_API_URL": provider.issuer}
        return make_app(**{"OIDC_ISSUER": "", "OIDC_CLIENT_ID": "", **mode, **settings})

    return make


async def session(provider: RunningProvider, **claims: Any) -> str:
    """Return a session token as Clerk makes them."""
    return await provider.forged(**{"aud": None, "azp": "https://app.example.org", **claims})


async def test_secret_key_alone_is_enough(clerk: MakeApp, provider: RunningProvider) -> None:
    before = (await provider.state())["read"]
    vera = with_bearer(clerk(), await session(provider))
    me = (await vera.get(ME)).ok()
    assert (me["clerk_user_id"], me["email"], me["name"]) == ("vera", "vera@example.org", "Vera Rubin")
    assert (await User.get()).email_verified is True
    assert (await provider.state())["read"] == before + 1
    elsewhere = await session(provider, iss="https://any.example.org")
    (await with_bearer(clerk(), elsewhere).get(ME)).ok()


async def test_configured_issuer_is_checked(clerk: MakeApp, provider: RunningProvider) -> None:
    app = clerk(OIDC_ISSUER=provider.issuer)
    (await with_bearer(app, await session(provider)).get(ME)).ok()
    (await with_bearer(app, await session(provider, iss="https://any.example.org")).get(ME)).refused(401)


async def test_publishable_key_names_the_issuer(clerk: MakeApp, provider: RunningProvider) -> None:
    key = "pk_test_" + base64.b64encode(b"localhost:9$").decode()
    for name in ("CLERK_PUBLISHABLE_KEY", "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY"):
        app = clerk(**{name: key})
        assert app.config["SETTINGS"].issuer == "https://localhost:9"
        # Nobody answers there, so that the keys come from the backend; the issuer is checked all the same.
        (await with_bearer(app, await session(provider, iss="https://localhost:9")).get(ME)).ok()
        (await with_bearer(app, await session(provider)).get(ME)).refused(401)


@pytest.mark.parametrize("claims", [{"aud": "mission-control"}, {"aud": ["x"]}, {"sub": "mch_1"}, {"exp": 1}])
async def test_claims_of_other_than_sessions_are_refused(
    clerk: MakeApp, provider: RunningProvider, claims: dict[str, Any]
) -> None:
    (await with_bearer(clerk(), await session(provider, **claims)).get(ME)).refused(401)


async def test_configured_audience_is_required(clerk: MakeApp, provider: RunningProvider) -> None:
    app = clerk(OIDC_AUDIENCE="ours, theirs")
    (await with_bearer(app, await session(provider, aud="theirs")).get(ME)).ok()
    (await with_bearer(app, await session(provider)).get(ME)).refused(401)


async def test_unlisted_authorized_party_is_refused(clerk: MakeApp, provider: RunningProvider) -> None:
    app = clerk(CLERK_AUTHORIZED_PARTIES="https://app.example.org https://b.example.org")
    (await with_bearer(app, await session(provider)).get(ME)).ok()
    for party in ("https://evil.example.org", None):
        (await with_bearer(app, await session(provider, azp=party)).get(ME)).refused(401)


@pytest.mark.parametrize("prefix", ["mt_", "oat_", "ak_"])
async def test_tokens_of_machines_and_applications_are_refused(
    clerk: MakeApp, provider: RunningProvider, prefix: str
) -> None:
    app = clerk()
    (await with_bearer(app, prefix + await session(provider)).get(ME)).refused(401)
    access = await provider.forged(aud=None, header={"typ": "at+jwt"})
    (await with_bearer(app, access).get(ME)).refused(401)


async def test_clerk_leeway_and_unchecked_iat(clerk: MakeApp, provider: RunningProvider) -> None:
    token = await session(provider)
    with times.travelled(timedelta(seconds=750)):
        (await with_bearer(clerk(CLERK_LEEWAY="300"), token).get(ME)).ok()
        (await with_bearer(clerk(CLERK_LEEWAY="0"), token).get(ME)).refused(401)
    with times.travelled(timedelta(seconds=-600)):
        (await with_bearer(clerk(), token).get(ME)).refused(401)
        (await with_bearer(clerk(CLERK_VERIFY_IAT="false"), token).get(ME)).ok()


async def test_wrong_secret_key_lets_nobody_in(clerk: MakeApp, provider: RunningProvider) -> None:
    (await with_bearer(clerk(CLERK_SECRET_KEY="sk_wrong"), await session(provider)).get(ME)).refused(503)


async def test_person_without_a_profile_has_no_name(clerk: MakeApp, provider: RunningProvider) -> None:
    me = (await with_bearer(clerk(), await session(provider, sub="nobody-knows")).get(ME)).ok()
    assert (me["email"], me["name"]) == (None, None)


async def test_account_is_kept_when_clerk_cannot_delete_it(clerk: MakeApp, provider: RunningProvider) -> None:
    vera = with_bearer(clerk(), await session(provider))
    (await vera.get(ME)).ok()
    await _let_refuse(provider, True)
    (await vera.delete(ME)).refused(502)
    assert (await vera.get(ME)).ok()["email"] and await User.exists()
    await _let_refuse(provider, False)
    (await vera.delete(ME)).ok()
    assert not await User.exists()
    assert "vera" in (await provider.state())["deleted"]
    (await vera.get(ME)).refused(401)  # its token is still good, but makes nobody anew


async def test_deletion_queued_by_an_older_version_is_sent(clerk: MakeApp, provider: RunningProvider) -> None:
    clerk()
    await Delivery.create(kind=DELETE_AT_PROVIDER, header="Delete", text="", data={"subject": "vera"})
    await _send()
    [farewell] = await Delivery.filter(kind=DELETE_AT_PROVIDER)
    assert (farewell.state, farewell.data) == ("sent", {})
    assert "vera" in (await provider.state())["deleted"]


async def _let_refuse(provider: RunningProvider, refusing: bool) -> None:
    if (await provider.state())["refuse"] != refusing:
        await provider.state("refuse")


async def _send() -> None:
    async with asyncio.timeout(60):
        await send_due()
        while await Delivery.filter(state="sending").exists():  # the application's own loop may hold the delivery
            await asyncio.sleep(0.02)
            await send_due()
