"""A push service on the loopback: it makes subscriptions, checks VAPID as real ones do, decrypts, keeps what came."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey
from quart import Quart

from mission_control.channels.providers.push.encryption import bytes_of, unpadded
from mission_control.core import times
from tests.settings import having

DAY = 86_400
PATIENCE = 60
MOST_BYTES, MOST_TOPIC = 4096, 32


@dataclass
class Browser:
    """A browser's end of a subscription: the two keys that it shows, and the private one."""

    name: str
    application_key: str
    url: str
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = b"0123456789abcdef"

    @property
    def public(self) -> bytes:
        """The point that the browser shows."""
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def subscription(self) -> dict[str, str]:
        """What the page sends of it."""
        return {
            "endpoint": f"{self.url}/push/{self.name}",
            "p256dh": unpadded(self.public),
            "auth": unpadded(self.auth),
        }

    def decrypt(self, body: bytes) -> bytes:
        """Read a body of one record."""
        salt, (size, length) = body[:16], struct.unpack("!LB", body[16:21])
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(sealed) <= size, "more than one record"
        other = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
        shared = self.private.exchange(ec.ECDH(), other)
        secret = HKDF(hashes.SHA256(), 32, self.auth, b"WebPush: info\0" + self.public + theirs).derive(shared)
        key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
        nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
        plain = AESGCM(key).decrypt(nonce, sealed, None)
        assert plain.endswith(b"\x02")
        return plain[:-1]


@dataclass
class Received:
    """A message that arrived."""

    browser: str
    text: str
    headers: Mapping[str, str]
    claims: Mapping[str, Any]

    @property
    def payload(self) -> dict[str, Any]:
        """The message as JSON."""
        found: dict[str, Any] = json.loads(self.text)
        return found

    @property
    def notification(self) -> dict[str, Any]:
        """What is shown."""
        found: dict[str, Any] = self.payload["notification"]
        return found


@dataclass
class PushService:
    """What it knows; `answers` are given instead of 201, the first one first."""

    url: str = ""
    browsers: dict[str, Browser] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def host(self) -> str:
        """Host and port, for PUSH_HOSTS."""
        return urlsplit(self.url).netloc

    def subscribe(self, name: str, application_key: str) -> Browser:
        """Make a subscription for one key of a server."""
        self.browsers[name] = Browser(name, application_key, self.url)
        return self.browsers[name]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        status, text, message = self._answer(first.split(" ")[1], headers, body)
        head = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Content-Length: {len(text)}", "Connection: close"]
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            head.append("Retry-After: 7")
        writer.write("\r\n".join([*head, "", text]).encode())
        await writer.drain()
        writer.close()
        if message is not None:
            async with self.arrived:
                self.received.append(message)
                self.arrived.notify_all()

    async def arrival(self, browser: str, after: int = 0) -> Received:
        """Wait for the message to a browser after so many."""

        def found() -> list[Received]:
            return [one for one in self.received if one.browser == browser][after:]

        async with asyncio.timeout(PATIENCE), self.arrived:
            await self.arrived.wait_for(found)
        return found()[0]

    def _answer(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str, Received | None]:
        browser = self.browsers.get(path.rpartition("/")[2])
        if browser is None:
            return 404, "", None
        try:
            claims = self._claims(browser, headers)
        except Exception as error:  # whatever is wrong with a token
            return 403, f'{{"reason":"BadJwtToken","detail":"{type(error).__name__} {error}"}}', None
        if self.answers:
            return *self.answers.pop(0), None
        if len(body) > MOST_BYTES:
            return 413, "", None
        if len(headers.get("topic", "")) > MOST_TOPIC or not headers["ttl"].isdigit():
            return 400, "", None
        return 201, "", Received(browser.name, browser.decrypt(body).decode(), headers, claims)

    def _claims(self, browser: Browser, headers: Mapping[str, str]) -> Mapping[str, Any]:
        kind, _, rest = headers["authorization"].partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        assert kind == "vapid" and set(parts) == {"t", "k"}
        assert parts["k"] == browser.application_key, "the key is not that of the subscription"
        raw = bytes_of(parts["k"])
        key = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": unpadded(raw[1:33]), "y": unpadded(raw[33:])})
        claims = jwt.decode(parts["t"], key, algorithms=["ES256"]).claims
        assert claims["aud"] == self.url
        assert times.epoch_seconds() < claims["exp"] <= times.epoch_seconds() + DAY
        assert claims["sub"].startswith(("mailto:", "https://"))
        return claims


@asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    """Run one at a port that the system chooses."""
    service = PushService()
    server = await asyncio.start_server(service.handle, "127.0.0.1", 0)
    async with server:
        service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield service


@asynccontextmanager
async def allowed_push_service(app: Quart, **settings: Any) -> AsyncIterator[PushService]:
    """Run one that an application may send to."""
    async with push_service() as service:
        with having(app, push_hosts=(service.host,), outbound_allow_private=True, **settings):
            yield service
