"""Connecting to a gateway: what is sent, what is granted, and every way in which it is refused."""

import asyncio
import logging
from typing import Any

import pytest

from mission_control.gateways.connections.checked_connection import connect
from mission_control.gateways.protocol.errors import (
    AccessDenied,
    GatewayError,
    MissingScopes,
    PairingRefused,
    PairingRequired,
    TokenRefused,
    TooNew,
    TooOld,
    Unreachable,
)
from mission_control.gateways.protocol.handshake import Identity
from mission_control.gateways.protocol.target import Target
from tests.gateways.connecting import PATIENCE, connected, target
from tests.gateways.fake import FakeGateway


async def refusal(gateway: FakeGateway, identity: Identity | None = None, **more: Any) -> GatewayError:
    """How connecting fails."""
    with pytest.raises(GatewayError) as caught:
        async with connected(gateway, identity, **more):
            pass
    return caught.value


async def test_connects_with_a_signed_device_and_says_what_it_takes(fake_gateway: FakeGateway) -> None:
    identity = Identity.new()
    async with connected(fake_gateway, identity) as connection:
        hello = connection.hello
    (sent,) = fake_gateway.connects
    assert (sent["minProtocol"], sent["maxProtocol"]) == (3, 4)
    assert sent["client"]["id"] == "gateway-client" and sent["client"]["mode"] == "backend"
    assert sent["client"]["displayName"] == "Mission Control"
    assert {"tool-events", "approvals"} <= set(sent["caps"])
    assert sent["device"]["id"] == identity.device_id and sent["auth"] == {"token": fake_gateway.token}
    assert (hello.protocol, hello.version, hello.missing_scopes) == (4, "2026.9.6", ())
    assert hello.has("chat.send") and not hello.has("nothing.like.it")
    assert hello.main_session_key == "agent:main:main"


async def test_nothing_secret_in_url_headers_or_log(
    fake_gateway: FakeGateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = target(fake_gateway, url=f"{fake_gateway.url}/?token=left-in-the-url#x", device_token="of-this-device")
    connection = await connect(secret, Identity.new(), on_event=lambda event: None)
    await connection.call("health")
    await connection.close()
    (headers,) = fake_gateway.request_headers
    assert fake_gateway.paths == ["/"] and "origin" not in {name.lower() for name in headers}
    everything = (
        repr(headers)
        + repr(secret)
        + repr(connection.hello)
        + "".join(record.getMessage() for record in caplog.records if not record.name.startswith("websockets.server"))
    )
    assert not any(word in everything for word in (fake_gateway.token, "left-in-the-url", "of-this-device"))


async def test_old_gateway_of_protocol_3() -> None:
    async with FakeGateway(is_old=True) as gateway, connected(gateway) as connection:
        assert connection.hello.protocol == 3
        files = (await connection.call("agents.files.list", {"agentId": "main"}))["files"]
        assert {"TOOLS.md", "IDENTITY.md", "HEARTBEAT.md"} < {one["name"] for one in files} and len(files) == 8


async def test_old_gateway_that_does_not_say_what_it_grants_is_asked() -> None:
    async with FakeGateway(is_old=True) as gateway:
        async with connected(gateway) as connection:
            assert connection.hello.scopes == ("operator.admin",) and connection.hello.missing_scopes == ()
        gateway.granted_scopes = ["operator.read"]
        error = await refusal(gateway)
        assert isinstance(error, MissingScopes) and error.scopes == ("operator.admin",)
        assert (error.details["version"], error.details["protocol"]) == ("2026.3.13", 3)
        await until_left(gateway)
        gateway.granted_scopes, gateway.missing_methods = None, {"exec.approvals.get"}
        async with connected(gateway) as connection:
            assert connection.hello.scopes is None and connection.hello.missing_scopes == ()
        gateway.missing_methods = set()
        gateway.ignore("exec.approvals.get")
        with pytest.raises(Unreachable):
            await connect(target(gateway), Identity.new(), on_event=lambda event: None, seconds=0.2)
        await until_left(gateway)


async def until_left(gateway: FakeGateway) -> None:
    """Wait until the gateway has no client."""
    async with asyncio.timeout(PATIENCE):
        while gateway.clients:
            await asyncio.sleep(0.01)


async def test_signature_of_before_where_the_present_one_is_not_known(fake_gateway: FakeGateway) -> None:
    fake_gateway.signatures = (2,)
    async with connected(fake_gateway) as connection:
        await connection.call("health")
    assert len(fake_gateway.connects) == 2


async def test_pairing_names_the_request_and_succeeds_once_approved(fake_gateway: FakeGateway) -> None:
    fake_gateway.needs_pairing = True
    identity = Identity.new()
    refused = await refusal(fake_gateway, identity)
    assert isinstance(refused, PairingRequired) and refused.reason == "not-paired"
    assert refused.device_id == identity.device_id
    device = fake_gateway.approve()
    assert refused.command == f"openclaw devices approve {device.request_id}"
    async with connected(fake_gateway, identity) as connection:
        assert connection.hello.device_token == device.token
    async with connected(fake_gateway, identity, token=None, device_token=device.token) as connection:
        await connection.call("health")


async def test_request_id_that_is_no_word_is_not_put_into_a_command(fake_gateway: FakeGateway) -> None:
    details = {"code": "PAIRING_REQUIRED", "requestId": "x; rm -rf ~", "deviceId": "d"}
    fake_gateway.connect_error = {"message": "pairing required", "code": "NOT_PAIRED", "details": details}
    refused = await refusal(fake_gateway)
    assert isinstance(refused, PairingRequired) and refused.command == "openclaw devices list"


@pytest.mark.parametrize("decision", ["approved", "rejected", "expired"])
async def test_decision_about_a_pairing_comes_on_the_same_connection(fake_gateway: FakeGateway, decision: str) -> None:
    fake_gateway.needs_pairing = fake_gateway.waits_for_pairing = True
    identity = Identity.new()
    with pytest.raises(PairingRequired) as caught:
        await connect(target(fake_gateway), identity, on_event=lambda event: None, waits_for_pairing=True)
    waiting = asyncio.create_task(caught.value.resolved(PATIENCE))
    await asyncio.sleep(0)
    if decision == "approved":
        fake_gateway.approve()
        await waiting
        async with connected(fake_gateway, identity):
            return
    fake_gateway.reject(decision=decision)
    with pytest.raises(PairingRefused) as refused:
        await waiting
    assert refused.value.code == f"PAIRING_{decision.upper()}"


async def test_where_no_decision_is_told_it_is_asked_again_after_a_while(fake_gateway: FakeGateway) -> None:
    fake_gateway.needs_pairing = True
    with pytest.raises(PairingRequired) as caught:
        await connect(target(fake_gateway), Identity.new(), on_event=lambda event: None, waits_for_pairing=True)
    assert caught.value.wait is None and "waitForResolution" not in fake_gateway.connects[0]
    await caught.value.resolved(0.01)


async def test_device_token_where_the_shared_one_was_changed(fake_gateway: FakeGateway) -> None:
    fake_gateway.needs_pairing = True
    identity = Identity.new()
    await refusal(fake_gateway, identity)
    device = fake_gateway.approve()
    fake_gateway.token = "another-token-since-yesterday"
    async with connected(fake_gateway, identity, token="the-old-one", device_token=device.token) as connection:
        assert connection.hello.device_token == device.token
    assert [one["auth"]["token"] for one in fake_gateway.connects[-2:]] == ["the-old-one", device.token]


@pytest.mark.parametrize("token", ["a-wrong-one", None])
async def test_wrong_and_missing_token(fake_gateway: FakeGateway, token: str | None) -> None:
    refused = await refusal(fake_gateway, token=token)
    assert isinstance(refused, TokenRefused) and not refused.is_retryable
    assert refused.detail_code == ("AUTH_TOKEN_MISMATCH" if token else "AUTH_TOKEN_MISSING")


async def test_granted_scopes_are_checked(fake_gateway: FakeGateway) -> None:
    fake_gateway.granted_scopes = []
    refused = await refusal(fake_gateway)
    assert isinstance(refused, MissingScopes)
    assert set(refused.scopes) == {"operator.read", "operator.write", "operator.admin", "operator.approvals"}
    fake_gateway.granted_scopes = ["operator.admin"]
    async with connected(fake_gateway) as connection:
        assert connection.hello.scopes == ("operator.admin",)


REFUSALS: list[tuple[str, dict[str, Any], type[GatewayError]]] = [
    ("INVALID_REQUEST", {"code": "PAIRING_REJECTED"}, PairingRefused),
    ("INVALID_REQUEST", {"code": "PAIRING_EXPIRED"}, PairingRefused),
    ("FORBIDDEN", {"code": "OPERATOR_ACCESS_DENIED"}, AccessDenied),
    ("FORBIDDEN", {"code": "AUTH_TAILSCALE_IDENTITY_MISSING"}, AccessDenied),
    ("INVALID_REQUEST", {"code": "AUTH_SCOPE_MISMATCH"}, MissingScopes),
    ("INVALID_REQUEST", {"code": "AUTH_RATE_LIMITED"}, TokenRefused),
    ("INVALID_REQUEST", {"code": "AUTH_DEVICE_TOKEN_MISMATCH"}, TokenRefused),
    ("INVALID_REQUEST", {"code": "PROTOCOL_MISMATCH", "expectedProtocol": 2}, TooOld),
    ("INVALID_REQUEST", {"code": "PROTOCOL_MISMATCH", "expectedProtocol": 5}, TooNew),
    ("INVALID_REQUEST", {"code": "DEVICE_AUTH_NONCE_MISMATCH"}, GatewayError),
    ("UNAVAILABLE", {"reason": "startup-sidecars"}, Unreachable),
]


@pytest.mark.parametrize(("code", "details", "kind"), REFUSALS)
async def test_every_refusal_has_its_kind(
    fake_gateway: FakeGateway, code: str, details: dict[str, Any], kind: type[GatewayError]
) -> None:
    fake_gateway.connect_error = {"message": "no", "code": code, "details": details, "retryAfterMs": 300_000}
    refused = await refusal(fake_gateway)
    assert type(refused) is kind
    assert (refused.code, refused.details, refused.retry_after) == (code, details, 300.0)


async def test_too_old_version(fake_gateway: FakeGateway) -> None:
    fake_gateway.version = "2026.1.9"
    refused = await refusal(fake_gateway)
    assert isinstance(refused, TooOld) and "2026.02.9 or newer" in refused.message
    fake_gateway.version = "dev"
    async with connected(fake_gateway) as connection:
        assert connection.hello.warnings


async def test_while_a_gateway_starts(fake_gateway: FakeGateway) -> None:
    fake_gateway.unavailable = fake_gateway.sidecars_starting = 1
    first, second = await refusal(fake_gateway), await refusal(fake_gateway)
    assert isinstance(first, Unreachable) and first.is_retryable and first.code == "STARTING"
    assert isinstance(second, Unreachable) and second.is_retryable and second.retry_after == 0.5
    async with connected(fake_gateway) as connection:
        await connection.call("health")


async def test_nothing_listens(fake_gateway: FakeGateway) -> None:
    await fake_gateway.stop()
    refused = await refusal(fake_gateway)
    assert isinstance(refused, Unreachable) and refused.code == "REFUSED" and refused.is_retryable


@pytest.mark.parametrize("url", ["http://gateway", "ws://", "gateway:80", "ws://name:pw@gateway", "ws://gateway:0"])
async def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(GatewayError) as caught:
        await connect(Target(url), Identity.new(), on_event=lambda event: None)
    assert caught.value.code == "INVALID_URL"
