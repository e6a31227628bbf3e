"""Where a gateway is and with which secrets it is reached."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from mission_control.openclaw.errors import GatewayError
from mission_control.openclaw.limits import Pace
from mission_control.openclaw.versions import DEFAULT_MINIMUM


@dataclass(frozen=True, slots=True)
class Target:
    """A gateway to connect to. Secrets travel in the first request only, never in the URL."""

    url: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    device_token: str | None = field(default=None, repr=False)
    allow_insecure_tls: bool = False
    minimum_version: str = DEFAULT_MINIMUM
    # One for all connections to the same gateway, so that a reconnect does not begin a new minute.
    pace: Pace = field(default_factory=Pace, repr=False, compare=False)
    # Whether all addresses of the host may be connected to; they may where nothing is given.
    may_reach: Callable[[Collection[str]], Awaitable[bool]] | None = field(default=None, repr=False, compare=False)

    @property
    def address(self) -> str:
        """The URL to connect to: without a query or fragment, where people may have left a token."""
        parts = _parts(self.url)
        return urlunsplit((parts.scheme.lower(), parts.netloc, parts.path or "/", "", ""))

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection is made over TLS."""
        return _parts(self.url).scheme.lower() == "wss"

    @property
    def is_loopback(self) -> bool:
        """Whether the gateway is on this machine."""
        host = _parts(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")

    @property
    def may_fall_back(self) -> bool:
        """Whether a device token may be tried where the shared token was refused: only at whom we know to be it."""
        return bool(self.token and self.device_token) and (
            self.is_loopback or (self.is_encrypted and not self.allow_insecure_tls)
        )

    async def places(self) -> list[dict[str, Any]]:
        """Return what to connect to, in order: the addresses of the host, or the host itself where all are allowed.

        Raises GatewayError when an address of the host may not be reached, and OSError for an unknown host.
        """
        if self.may_reach is None:
            return [{}]
        parts = _parts(self.url)
        port = parts.port or (443 if self.is_encrypted else 80)
        found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        if not await self.may_reach(addresses):
            text = "The gateway is at an address that may not be reached from here. GATEWAYS_ALLOW_PRIVATE lets it be a"
            raise GatewayError("ADDRESS_REFUSED", f"{text} private one.")
        return [{"host": one, "port": port} for one in addresses]

    def tls(self) -> ssl.SSLContext | None:
        """Return how TLS is checked: fully, or not at all where a person allowed that."""
        if not self.is_encrypted:
            return None
        context = ssl.create_default_context()
        if self.allow_insecure_tls:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def url_problem(url: str) -> str | None:
    """Return what is wrong with the URL of a gateway, as a sentence; None when it will do."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return "This is no URL."
    if parts.scheme.lower() not in ("ws", "wss"):
        return "The URL of a gateway begins with ws:// or wss://."
    if not parts.hostname or any(character.isspace() or ord(character) < 33 for character in url.strip()):
        return "The URL names no host."
    if port == 0:
        return "The URL names no usable port."
    if parts.username is not None or parts.password is not None:
        return "The URL must not contain a user name or password; the gateway's token has a field of its own."
    return None


def _parts(url: str) -> SplitResult:
    if (problem := url_problem(url)) is not None:
        raise GatewayError("INVALID_URL", problem)
    return urlsplit(url.strip())
