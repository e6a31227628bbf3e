"""HTTPS requests accept only certificates of known authorities, which are read once for all requests."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mission_control.core import _requests
from mission_control.core.outbound import Outbound, OutboundError
from mission_control.people.sign_in import identity_provider
from mission_control.people.sign_in.errors import ProviderUnreachable


def self_signed(folder: Path) -> ssl.SSLContext:
    """The settings of a server on `localhost` whose certificate nobody else signed."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    form, pem = serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
    written = made.sign(key, hashes.SHA256()).public_bytes(pem)
    file = folder / "server.pem"
    file.write_bytes(written + key.private_bytes(pem, form, serialization.NoEncryption()))
    settings = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    settings.load_cert_chain(file)
    return settings


async def test_self_signed_certificates_are_refused(tmp_path: Path) -> None:
    reached: list[str] = []

    async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append("a request")
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=self_signed(tmp_path))
    async with server:
        address = f"https://localhost:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(OutboundError, match="could not be reached"):
            await Outbound(allow_private=True).get(address)
        with pytest.raises(ProviderUnreachable):
            await identity_provider.ask("GET", address)
    assert reached == []


async def test_authorities_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    _requests.authorities.cache_clear()
    read: list[bool] = []
    genuine = httpx2.create_ssl_context

    def noted(*, trust_env: bool) -> ssl.SSLContext:
        read.append(trust_env)
        return genuine(trust_env=trust_env)

    monkeypatch.setattr(httpx2, "create_ssl_context", noted)
    for _ in range(3):
        with pytest.raises(OutboundError):
            await Outbound(allow_private=True).get("https://127.0.0.1:9/")
        with pytest.raises(ProviderUnreachable):
            await identity_provider.ask("GET", "https://127.0.0.1:9/")
    assert sorted(read) == [False, True]
