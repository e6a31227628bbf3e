"""What answers at a gateway's address and is none, or not a trusted one."""

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mission_control.gateways.connections.checked_connection import connect
from mission_control.gateways.protocol.errors import AccessDenied, GatewayError, Unreachable
from mission_control.gateways.protocol.handshake import Identity
from mission_control.gateways.protocol.target import Target
from tests.gateways.connecting import PATIENCE, connected
from tests.gateways.fake import FakeGateway


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Something that answers every request so, and the requests that it saw."""
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        if not answer:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen
    finally:
        server.close()
        server.close_clients()


async def refusal(where: Target, seconds: float = PATIENCE) -> GatewayError:
    """How connecting fails."""
    with pytest.raises(GatewayError) as caught:
        await connect(where, Identity.new(), on_event=lambda event: None, seconds=seconds)
    return caught.value


def http(status: str, body: str = "", *headers: str) -> bytes:
    """An HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", body]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize(
    ("answer", "kind", "code", "is_retryable"),
    [
        (http("200 OK", "<html>"), Unreachable, "NOT_A_GATEWAY", False),
        (http("404 Not Found"), Unreachable, "NOT_A_GATEWAY", False),
        (
            http("403 Forbidden", '{"error":"proxy_attribution_required"}'),
            AccessDenied,
            "PROXY_ATTRIBUTION_REQUIRED",
            False,
        ),
        (http("401 Unauthorized"), AccessDenied, "HTTP_DENIED", False),
        (http("503 Service Unavailable"), Unreachable, "STARTING", True),
        (http("502 Bad Gateway"), Unreachable, "HTTP_ERROR", True),
        (http("429 Too Many Requests"), Unreachable, "HTTP_ERROR", True),
        (b"SSH-2.0-OpenSSH\r\n\r\n", Unreachable, "NOT_A_GATEWAY", False),
    ],
    ids=["page", "404", "proxy", "401", "503", "502", "429", "ssh"],
)
async def test_what_is_no_gateway(answer: bytes, kind: type[GatewayError], code: str, is_retryable: bool) -> None:
    async with answering(answer) as (url, _):
        refused = await refusal(Target(url, token="a-token"))
    assert (type(refused), refused.code, refused.is_retryable) == (kind, code, is_retryable)


async def test_redirect_is_not_followed(fake_gateway: FakeGateway) -> None:
    async with answering(http("302 Found", "", f"Location: {fake_gateway.url}")) as (url, seen):
        assert (await refusal(Target(url, token=fake_gateway.token))).code == "NOT_A_GATEWAY"
    assert len(seen) == 1 and fake_gateway.connects == []


async def test_silence_ends_in_time() -> None:
    async with answering(b"") as (url, _):
        refused = await refusal(Target(url), seconds=0.1)
    assert isinstance(refused, Unreachable) and refused.code == "TIMEOUT" and refused.is_retryable


async def test_unknown_host() -> None:
    refused = await refusal(Target("ws://no-such-host.invalid:1"))
    assert isinstance(refused, Unreachable) and refused.code == "DNS"


@pytest.fixture
async def encrypted_gateway(tmp_path: Path) -> AsyncIterator[FakeGateway]:
    """A gateway with a certificate that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file = tmp_path / "certificate.pem"
    file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + certificate.public_bytes(pem))
    gateway = FakeGateway()
    gateway.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    gateway.tls.load_cert_chain(file)
    async with gateway:
        yield gateway


async def test_certificate_is_checked_unless_a_person_allowed_any(encrypted_gateway: FakeGateway) -> None:
    refused = await refusal(Target(encrypted_gateway.url, token=encrypted_gateway.token))
    assert isinstance(refused, Unreachable) and refused.code == "TLS" and encrypted_gateway.connects == []
    async with connected(encrypted_gateway, allow_insecure_tls=True) as connection:
        assert (await connection.call("health"))["ok"] is True


async def test_plain_text_at_a_port_of_tls(encrypted_gateway: FakeGateway) -> None:
    refused = await refusal(Target(encrypted_gateway.url.replace("wss:", "ws:")))
    assert isinstance(refused, Unreachable) and refused.code in ("NOT_A_GATEWAY", "UNREACHABLE")


async def test_tls_at_a_port_of_plain_text(fake_gateway: FakeGateway) -> None:
    refused = await refusal(Target(fake_gateway.url.replace("ws:", "wss:")))
    assert isinstance(refused, Unreachable) and "one without ws://" in refused.message


async def test_name_is_connected_to_at_the_address_that_was_checked(fake_gateway: FakeGateway) -> None:
    asked: list[str] = []

    async def are_loopback(addresses: Collection[str]) -> bool:
        asked.extend(addresses)
        return all(ipaddress.ip_address(one).is_loopback for one in addresses)

    named = fake_gateway.url.replace("127.0.0.1", "localhost")
    connection = await connect(
        Target(named, fake_gateway.token, may_reach=are_loopback), Identity.new(), on_event=lambda event: None
    )
    await connection.close()
    assert "127.0.0.1" in asked and len(fake_gateway.connects) == 1


async def test_name_with_one_refused_address_is_not_connected_to(fake_gateway: FakeGateway) -> None:
    async def none_may(addresses: Collection[str]) -> bool:
        return False

    named = fake_gateway.url.replace("127.0.0.1", "localhost")
    error = await refusal(Target(named, fake_gateway.token, may_reach=none_may))
    assert error.code == "ADDRESS_REFUSED" and not fake_gateway.connects
