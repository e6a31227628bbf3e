"""Bearer tokens of a real provider: accepted ones, refused ones, and the accounts behind them."""

import asyncio
import base64
import hmac
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from quart import Quart

from mission_control.core import times
from mission_control.core.actor import system
from mission_control.core.errors import Forbidden
from mission_control.core.limits import unknown_tokens
from mission_control.http import authentication, lookups
from mission_control.http.authentication import provider_token
from mission_control.people.accounts.commands import invite_to_link, is_invited, start_session
from mission_control.people.models import AccountEvent, Invite, Member, Organization, Session, Token, User
from mission_control.people.sign_in.errors import ProviderUnreachable
from mission_control.people.sign_in.identity_provider import ProviderKeys
from mission_control.people.sign_in.verification import IDENTITY
from tests.cast import Caller, Cast
from tests.people.browser import AUDIENCE, RunningProvider, with_bearer
from tests.people.conftest import MakeApp

ME = "/users/me"


async def test_id_token_of_the_client_signs_in(make_app: MakeApp, provider: RunningProvider) -> None:
    tokens = await provider.tokens_of("vera")
    vera = with_bearer(make_app(OIDC_CLIENT_ID="public"), tokens["id_token"])
    me = (await vera.get(ME)).ok()
    assert me["clerk_user_id"] == "vera"
    assert (await vera.get("/organizations/me")).ok()["name"] == "Personal"
    assert (await vera.post("/auth/bootstrap")).ok() == me
    assert await User.all().count() == await Organization.all().count() == 1
    assert await AccountEvent.filter(kind="account.created").count() == 1


async def test_access_token_for_our_audience_signs_in(make_app: MakeApp, provider: RunningProvider) -> None:
    tokens = await provider.tokens_of("vera", resource=AUDIENCE)
    good = make_app(OIDC_AUDIENCE=AUDIENCE)
    assert (await with_bearer(good, tokens["access_token"]).get(ME)).ok()["clerk_user_id"] == "vera"
    machine = await provider.machine_token()
    assert (await with_bearer(good, machine).get(ME)).ok()["clerk_user_id"] == "machine"
    for audience in ("https://other.example.org", f"{AUDIENCE}/"):
        (await with_bearer(make_app(OIDC_AUDIENCE=audience), machine).get(ME)).refused(401)
    (await with_bearer(good, tokens["id_token"]).get(ME)).refused(401)


async def test_token_of_another_client_is_refused(trusting: Quart, provider: RunningProvider) -> None:
    tokens = await provider.tokens_of("vera")
    (await with_bearer(trusting, tokens["id_token"]).get(ME)).refused(401)
    (await with_bearer(trusting, tokens["access_token"]).get(ME)).refused(401)
    assert not await User.exists()


async def test_authorized_party_does_not_count_as_audience(trusting: Quart, provider: RunningProvider) -> None:
    token = await provider.forged(aud="https://elsewhere.example.org", azp="mission-control")
    (await with_bearer(trusting, token).get(ME)).refused(401)


NOW = int(time.time())
WRONG: list[dict[str, Any]] = [
    {"iss": "https://login.example.org"}, {"iss": None}, {"aud": "another"}, {"aud": ["another", 7]}, {"aud": None},
    {"sub": None}, {"sub": " "}, {"sub": 7}, {"sub": "s" * 256}, {"sub": "vera\x00"}, {"sub": "local-auth-user"},
    {"exp": NOW - 60}, {"exp": None}, {"exp": "tomorrow"}, {"exp": True}, {"nbf": NOW + 86_400}, {"iat": NOW + 86_400},
    {"iat": "now"}, {"note": "x" * 13_000},
]  # fmt: skip


@pytest.mark.once
async def test_invalid_claims_are_refused(trusting: Quart, provider: RunningProvider) -> None:
    for claims in WRONG:
        answer = await with_bearer(trusting, await provider.forged(**claims)).get(ME)
        assert answer.status == 401, claims
    (await with_bearer(trusting, await provider.forged()).get(ME)).ok()


@pytest.mark.once
@pytest.mark.parametrize("header", [{"typ": None}, {"kid": None}, {"typ": "JWT"}, {"cat": "cl_B7d4PD111AAA"}])
async def test_headers_that_are_accepted(trusting: Quart, provider: RunningProvider, header: dict[str, Any]) -> None:
    (await with_bearer(trusting, await provider.forged(header=header)).get(ME)).ok()


@pytest.mark.once
@pytest.mark.parametrize("header", [{"crit": ["b64"], "b64": True}, {"alg": "HS256"}, {"alg": None}, {"kid": 7}])
async def test_headers_that_are_refused(trusting: Quart, provider: RunningProvider, header: dict[str, Any]) -> None:
    _, body, signature = (await provider.forged()).split(".")
    own = await provider.state("key")
    token = f"{_part({'alg': 'RS256', 'kid': own['kid'], **header})}.{body}.{signature}"
    (await with_bearer(trusting, token).get(ME)).refused(401)


async def test_expiry_allows_for_the_leeway(make_app: MakeApp, provider: RunningProvider) -> None:
    app, strict = make_app(OIDC_LEEWAY="300"), make_app(OIDC_LEEWAY="0")
    token = await provider.forged(exp=int(time.time()) + 600)
    ahead = await provider.forged(iat=int(time.time()) + 150, nbf=int(time.time()) + 150)
    (await with_bearer(app, token).get(ME)).ok()
    (await with_bearer(app, ahead).get(ME)).ok()
    (await with_bearer(strict, ahead).get(ME)).refused(401)
    with times.travelled(timedelta(seconds=750)):
        (await with_bearer(app, token).get(ME)).ok()
        (await with_bearer(strict, token).get(ME)).refused(401)
    with times.travelled(timedelta(seconds=1000)):
        (await with_bearer(app, token).get(ME)).refused(401)


async def test_stream_ends_with_its_token(trusting: Quart, provider: RunningProvider) -> None:
    token = await provider.forged()
    async with trusting.test_request_context("/", headers={"Authorization": f"Bearer {token}"}):
        actor = await authentication.authenticate("user")
    assert actor is not None and await lookups.fresh(actor) is not None
    with times.travelled(timedelta(seconds=620)):
        assert await lookups.fresh(actor) is None


@pytest.mark.once
async def test_forged_signatures_are_refused(trusting: Quart, provider: RunningProvider) -> None:
    good = await provider.forged()
    body, stranger = good.split(".")[1], RSAKey.generate_key(2048)
    none = f"{_part({'alg': 'none', 'typ': 'JWT'})}.{body}."
    published = RSAKey.import_key(await provider.state("key"))
    confused = [
        _confused(secret, kid, body)
        for secret in (published.as_pem(private=False), published.as_pem(private=False).strip())
        for kid in (published.kid, "x")
    ]
    altered = _altered(good, sub="otto")
    forged = await provider.forged(key=stranger)
    embedded = await provider.forged(key=stranger, header={"jwk": stranger.as_dict(private=False)})
    (await with_bearer(trusting, good).get(ME)).ok()
    for token in (none, none + "x", *confused, altered, forged, embedded, good + "x", good.rpartition(".")[0] + "."):
        (await with_bearer(trusting, token).get(ME)).refused(401)
    assert [user.clerk_user_id for user in await User.all()] == ["vera"]


@pytest.mark.once
@pytest.mark.parametrize(
    "token", ["a.b.c", "..", "é.é.é", "e30.e30.e30", "W10.e30.", f"{'a' * 20_000}.b.c", "eyJhbGciOjF9.e30.x"]
)
async def test_malformed_token_is_refused(trusting: Quart, token: str) -> None:
    (await with_bearer(trusting, token).get(ME)).refused(401)


async def test_rotated_keys_replace_the_old_ones(trusting: Quart, provider: RunningProvider) -> None:
    old = await provider.forged()
    (await with_bearer(trusting, old).get(ME)).ok()
    await provider.state("rotate")
    new = await provider.forged()
    (await with_bearer(trusting, new).get(ME)).ok()
    (await with_bearer(trusting, old).get(ME)).refused(401)


async def test_concurrent_callers_read_the_keys_once(trusting: Quart, provider: RunningProvider) -> None:
    token, before = await provider.forged(), (await provider.state())["read"]
    answers = await asyncio.gather(*(with_bearer(trusting, token).get(ME) for _ in range(12)))
    assert {answer.status for answer in answers} == {200}
    assert (await provider.state())["read"] == before + 1
    assert await User.all().count() == await Member.all().count() == 1


async def test_unknown_key_ids_read_the_keys_once(trusting: Quart, provider: RunningProvider) -> None:
    (await with_bearer(trusting, await provider.forged()).get(ME)).ok()
    before = (await provider.state())["read"]
    unknown = [await provider.forged(header={"kid": f"unknown-{number}"}) for number in range(12)]
    answers = await asyncio.gather(*(with_bearer(trusting, token).get(ME) for token in unknown))
    assert {answer.status for answer in answers} == {401}
    assert (await provider.state())["read"] == before + 1


async def test_unreachable_provider_is_503_and_wrong_token_is_401(make_app: MakeApp) -> None:
    app = make_app(OIDC_ISSUER="http://127.0.0.1:9")
    token = jwt.encode({"alg": "RS256", "kid": "x"}, {"sub": "vera"}, RSAKey.generate_key(2048))
    answer = await with_bearer(app, token).get(ME)
    assert answer.refused(503) and answer.headers["Retry-After"] == "5"
    unknown_tokens.clear()
    (await with_bearer(app, "mcu_unknown").get(ME)).refused(401)


async def test_own_tokens_work_in_every_mode(trusting: Quart, cast: Cast) -> None:
    assert (await Caller(trusting, cast.ada.headers).get(ME)).ok()["name"] == "Ada"
    assert (await Caller(trusting, cast.vega.headers).get("/agent/boards")).ok()["total"] == 1


async def test_provider_tokens_are_refused_in_local_mode(app: Quart, provider: RunningProvider) -> None:
    assert provider_token.function is not None
    (await with_bearer(app, await provider.forged()).get(ME)).refused(401)


async def test_local_token_is_refused_beside_a_provider(make_app: MakeApp) -> None:
    local = "a-token-of-the-instance-owner-that-is-long-enough-to-be-one"
    (await with_bearer(make_app(LOCAL_AUTH_TOKEN=local), local).get(ME)).refused(401)


async def test_address_and_name_come_from_the_claims(trusting: Quart, provider: RunningProvider) -> None:
    claims: dict[str, Any] = {
        "email": "Vera@Example.org",
        "email_verified": True,
        "given_name": "Vera",
        "family_name": "Rubin",
    }
    me = (await with_bearer(trusting, await provider.forged(**claims)).get(ME)).ok()
    assert (me["email"], me["name"]) == ("vera@example.org", "Vera Rubin")
    assert (await User.get()).email_verified is True
    moved = await provider.forged(email="rubin@example.org", name="Dr Rubin")
    me = (await with_bearer(trusting, moved).get(ME)).ok()
    assert (me["email"], me["name"]) == ("rubin@example.org", "Vera Rubin")
    assert (await User.get()).email_verified is False


async def test_verified_address_accepts_its_invitation(trusting: Quart, provider: RunningProvider, cast: Cast) -> None:
    for address in ("vera@example.org", "otto@example.org"):
        (await cast.ada.post("/organizations/me/invites", {"invited_email": address})).ok()
    vera = with_bearer(trusting, await provider.forged(email="vera@example.org", email_verified=True))
    otto = with_bearer(trusting, await provider.forged(sub="otto", email="otto@example.org"))
    assert (await vera.get("/organizations/me")).ok()["name"] == "Observatory"
    assert (await otto.get("/organizations/me")).ok()["name"] == "Personal"
    assert await Invite.filter(accepted_at=None).count() == 1


async def test_verified_address_links_the_unused_account(
    trusting: Quart, provider: RunningProvider, cast: Cast
) -> None:
    taken = with_bearer(trusting, await provider.forged(sub="thief", email="ada@example.org"))
    me = (await taken.get(ME)).ok()
    assert (me["email"], me["id"] == str(cast.ada.id)) == (None, False)
    await Token.filter(user_id=cast.ada.id).update(revoked_at=times.clock_now())  # no credential of the account is left
    ada = with_bearer(trusting, await provider.forged(sub="ada", email="ada@example.org", email_verified=True))
    assert (await ada.get(ME)).ok()["id"] == str(cast.ada.id)
    assert await AccountEvent.filter(kind="account.linked", user_id=cast.ada.id).count() == 1
    late = with_bearer(trusting, await provider.forged(sub="late", email="ada@example.org", email_verified=True))
    assert (await late.get(ME)).ok()["email"] is None


@pytest.mark.parametrize("has", ["password", "session", "token"])
async def test_verified_email_does_not_take_an_account_in_use(
    trusting: Quart, provider: RunningProvider, cast: Cast, has: str
) -> None:
    if has != "token":
        await Token.filter(user_id=cast.ada.id).update(revoked_at=times.clock_now())
    if has == "password":
        await User.filter(id=cast.ada.id).update(password_hash="x")
    if has == "session":
        await start_session(system(cast.organization.id), await User.get(id=cast.ada.id), None)
    claims: dict[str, Any] = {"sub": "ada", "email": "ada@example.org", "email_verified": True}
    ada = with_bearer(trusting, await provider.forged(**claims))
    assert "is in use here" in str((await ada.get(ME)).refused(403))
    assert not await User.filter(clerk_user_id="ada").exists()


async def test_allowed_link_ends_sessions_tokens_and_password(
    trusting: Quart, provider: RunningProvider, cast: Cast
) -> None:
    user = await User.get(id=cast.cleo.id)
    await User.filter(id=user.id).update(password_hash="x")
    await start_session(system(cast.organization.id), user, None)
    with pytest.raises(Forbidden):
        await invite_to_link(await cast.dan.actor(), user)
    await invite_to_link(await cast.ben.actor(), user)
    claims: dict[str, Any] = {"sub": "cleo", "email": "cleo@example.org", "email_verified": True}
    cleo = with_bearer(trusting, await provider.forged(**claims))
    with times.travelled(timedelta(days=15)):
        assert not await is_invited(user)
    assert (await cleo.get(ME)).ok()["id"] == str(user.id)
    assert (await User.get(id=user.id)).password_hash is None
    assert not await Session.filter(user_id=user.id).exists()
    (await cast.cleo.get(ME)).refused(401)  # the token of before
    assert not await is_invited(user)


async def test_verified_must_be_a_boolean(trusting: Quart, provider: RunningProvider, cast: Cast) -> None:
    await Token.filter(user_id=cast.ada.id).update(revoked_at=times.clock_now())
    text = await provider.forged(sub="text", email="ada@example.org", email_verified="true")
    assert (await with_bearer(trusting, text).get(ME)).ok()["id"] != str(cast.ada.id)


async def test_only_allowed_domains_and_groups_are_admitted(make_app: MakeApp, provider: RunningProvider) -> None:
    app = make_app(OIDC_ALLOWED_DOMAINS="example.org,example.net", OIDC_ALLOWED_GROUPS="observers")
    claims: dict[str, Any] = {
        "sub": "vera", "name": "Vera", "email": "vera@example.org", "email_verified": True, "groups": ["observers"],
    }  # fmt: skip
    (await with_bearer(app, await provider.forged(**claims)).get(ME)).ok()
    wrong: list[dict[str, Any]] = [
        {"email": "vera@sub.example.org"}, {"email": "vera@example.org.evil"}, {"email_verified": False},
        {"groups": ["others"]}, {"groups": None}, {"groups": "observersx"},
    ]  # fmt: skip
    for change in wrong:
        for sub in ("vera", "new"):
            refused = await with_bearer(app, await provider.forged(**{**claims, "sub": sub, **change})).get(ME)
            assert "does not let your account in" in str(refused.refused(403)), (change, sub)
    assert await User.all().count() == 1


async def test_verified_address_is_taken_from_an_unverified_claim(
    trusting: Quart, provider: RunningProvider, cast: Cast
) -> None:
    (await cast.ada.post("/organizations/me/invites", {"invited_email": "vera@example.org"})).ok()
    claim = await provider.forged(sub="squatter", email="vera@example.org")
    assert (await with_bearer(trusting, claim).get(ME)).ok()["email"] == "vera@example.org"
    proof = await provider.forged(sub="vera", email="vera@example.org", email_verified=True)
    vera = with_bearer(trusting, proof)
    assert (await vera.get(ME)).ok()["email"] == "vera@example.org"
    assert (await vera.get("/organizations/me")).ok()["name"] == "Observatory"
    squatter = (await with_bearer(trusting, claim).get(ME)).ok()
    assert squatter["email"] is None
    [lost] = await AccountEvent.filter(kind="account.address_lost")
    assert str(lost.user_id) == squatter["id"]


async def test_old_token_does_not_recreate_a_deleted_account(trusting: Quart, provider: RunningProvider) -> None:
    vera = with_bearer(trusting, await provider.forged())
    (await vera.delete(ME)).ok()
    (await vera.get(ME)).refused(401)
    later = await provider.forged(iat=int(time.time()) + 5)
    (await with_bearer(trusting, later).get(ME)).ok()


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


def _padded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _confused(public_key: bytes, kid: str | None, body: str) -> str:
    """Return a token signed with the provider's public key as a shared secret."""
    signed = f"{_part({'alg': 'HS256', 'kid': kid})}.{body}"
    mac = base64.urlsafe_b64encode(hmac.digest(public_key, signed.encode(), "sha256")).rstrip(b"=").decode()
    return f"{signed}.{mac}"


def _altered(token: str, **claims: Any) -> str:
    head, body, signature = token.split(".")
    return f"{head}.{_part(orjson.loads(_padded(body)) | claims)}.{signature}"


@pytest.mark.once
@pytest.mark.parametrize(("issuer", "address", "is_read"), [
    ("https://login.example.org", "https://keys.example.org/jwks", True),
    ("https://login.example.org", "http://keys.example.org/jwks", False),
    ("http://127.0.0.1:9", "http://127.0.0.1:9/jwks", True),
    ("http://127.0.0.1:9", "file:///etc/jwks", False),
    ("https://login.example.org", None, False),
])  # fmt: skip
async def test_keys_are_read_only_from_addresses_as_safe_as_the_issuer(
    trusting: Quart, monkeypatch: pytest.MonkeyPatch, issuer: str, address: str | None, is_read: bool
) -> None:
    async def published(url: str, **options: Any) -> dict[str, Any]:
        return {"keys": []} if url == address else {"issuer": issuer, "jwks_uri": address}

    monkeypatch.setattr("mission_control.people.sign_in.identity_provider.read_object", published)
    keys = ProviderKeys(replace(trusting.extensions[IDENTITY].provider, issuer=issuer))
    if is_read:
        assert (await keys.metadata())["jwks_uri"] == address
    else:
        with pytest.raises(ProviderUnreachable):
            await keys.metadata()


@pytest.mark.once
@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint", "userinfo_endpoint"])
async def test_endpoints_less_safe_than_the_issuer_are_refused(
    trusting: Quart, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    issuer, document = "https://login.example.org", dict[str, Any]()

    async def published(url: str, **options: Any) -> dict[str, Any]:
        return {"keys": []} if url.endswith("/jwks") else document

    monkeypatch.setattr("mission_control.people.sign_in.identity_provider.read_object", published)
    provider = replace(trusting.extensions[IDENTITY].provider, issuer=issuer)
    document |= {"issuer": issuer, "jwks_uri": f"{issuer}/jwks", endpoint: f"{issuer}/there"}
    assert (await ProviderKeys(provider).metadata())[endpoint] == f"{issuer}/there"
    document[endpoint] = "http://login.example.org/there"
    with pytest.raises(ProviderUnreachable):
        await ProviderKeys(provider).metadata()
