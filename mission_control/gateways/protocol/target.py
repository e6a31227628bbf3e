"""Where a gateway is, with which secrets it is reached, its version, and how much it takes from one client."""

import asyncio
import ipaddress
import math
import re
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import TypedDict
from urllib.parse import SplitResult, urlsplit, urlunsplit

from mission_control.core import times
from mission_control.core.host_names import addresses_of
from mission_control.gateways.protocol.errors import GatewayError

DEFAULT_MINIMUM = "2026.02.9"
BLANK_MINIMUM = "2026.1.30"

_SHAPE = re.compile(
    r"v?(?P<year>\d{4})\.(?P<month>\d{1,2})\.(?P<patch>\d{1,6})"
    r"(?:-(?:(?P<revision>\d{1,6})|(?P<stage>[A-Za-z]+)[.-]?(?P<number>\d{1,6})?))?(?:\+[0-9A-Za-z.-]+)?"
)
_STAGES = {"dev": -4, "alpha": -3, "beta": -2, "rc": -1}
_RELEASED = 0


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A parsed version, ordered by age."""

    year: int
    month: int
    patch: int
    stage: int = _RELEASED
    number: int = 0  # of the pre-release, or of the correction


@dataclass(frozen=True, slots=True)
class Compatibility:
    """Whether a gateway's version will do; `text` says what people should know, empty where all is well."""

    is_fine: bool
    text: str = ""


def parse(text: str | None) -> Version | None:
    match = _SHAPE.fullmatch((text or "").strip())
    if match is None or not 1 <= int(match["month"]) <= 12:
        return None
    year, month, patch = int(match["year"]), int(match["month"]), int(match["patch"])
    if match["stage"]:
        stage = _STAGES.get(match["stage"].lower())
        return None if stage is None else Version(year, month, patch, stage, int(match["number"] or 0))
    return Version(year, month, patch, _RELEASED, int(match["revision"] or 0))


def compatibility(version: str | None, minimum: str = DEFAULT_MINIMUM) -> Compatibility:
    """Hold a gateway's version against the least one; only what is known to be too old is refused."""
    least = parse(minimum.strip() or BLANK_MINIMUM)
    if least is None:
        return Compatibility(False, f"GATEWAY_MIN_VERSION is no version of OpenClaw: {minimum}")
    if (version or "").strip().lower() in ("dev", "development", "0.0.0", "0.0.0-dev"):
        return Compatibility(True, "The gateway is a development build; its version cannot be checked.")
    parsed = parse(version)
    if parsed is None:
        return Compatibility(True, f"The gateway's version is not known: {version or 'it names none'}.")
    if parsed < least:
        return Compatibility(
            False,
            f"The gateway runs OpenClaw {version}; {minimum.strip() or BLANK_MINIMUM} or newer is needed."
            " Update it with `openclaw update`.",
        )
    return Compatibility(True)


# Gateways take 30 calls a minute of each of these, from one client.
PACED = frozenset(
    {
        "config.apply", "config.patch", "cron.add", "cron.remove", "cron.run", "cron.update",
        "gateway.restart.request", "gateway.suspend.prepare", "plugins.install", "plugins.reload",
        "plugins.setEnabled", "plugins.uninstall", "sessions.dispatch", "sessions.move", "update.run",
    }
)  # fmt: skip
WRITES = 30
WINDOW_SECONDS = 60.0
# The gateway's clock and ours do not start a window in the same moment.
MARGIN_SECONDS = 0.25
AT_A_TIME = 24


class Pace:
    """The writes of one client at one gateway; kept across its connections, because the gateway counts on."""

    def __init__(
        self, now: Callable[[], float] = times.monotonic, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._now = now
        self.sleep = sleep
        self._sent: dict[str, deque[float]] = {}
        self._closed_until: dict[str, float] = {}

    def wait_for(self, method: str) -> float:
        """In seconds."""
        now = self._now()
        waits = [self._closed_until.get(method, now) - now, 0.0]
        if method in PACED:
            sent = self._recent(method, now)
            if len(sent) >= WRITES:
                waits.append(sent[-WRITES] + WINDOW_SECONDS + MARGIN_SECONDS - now)
        return max(waits)

    def sent(self, method: str) -> None:
        if method in PACED:
            self._sent.setdefault(method, deque()).append(self._now())

    def refused(self, method: str, seconds: float) -> None:
        """Send no more calls of a method for so long, because the gateway said so."""
        if math.isfinite(seconds) and seconds > 0:
            self._closed_until[method] = self._now() + seconds

    def _recent(self, method: str, now: float) -> deque[float]:
        sent = self._sent.setdefault(method, deque())
        while sent and sent[0] <= now - WINDOW_SECONDS - MARGIN_SECONDS:
            sent.popleft()
        return sent

    async def turn(self, method: str, seconds: float) -> None:
        """Wait until a call may be sent, and count it. Raises at once when that takes longer than `seconds`."""
        while (wait := self.wait_for(method)) > 0:
            if wait > seconds:
                text = f"The gateway takes {WRITES} calls of {method} a minute. The next one is possible in"
                limit = {"method": method, "limit": f"{WRITES} per {WINDOW_SECONDS:.0f}s"}
                raise GatewayError(
                    "UNAVAILABLE", f"{text} {math.ceil(wait)} s.", details=limit, is_retryable=True, retry_after=wait
                )
            await self.sleep(wait)
            seconds -= wait
        self.sent(method)


class Place(TypedDict, total=False):
    """What to connect to, where it is another one than the host of the address."""

    host: str
    port: int


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
        return _parts(self.url).scheme.lower() == "wss"

    @property
    def is_loopback(self) -> bool:
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

    async def places(self) -> list[Place]:
        """Return what to connect to, in order: the addresses of the host, or the host itself where all are allowed.

        Raises GatewayError when an address of the host may not be reached, and OSError for an unknown host.
        """
        if self.may_reach is None:
            return [{}]
        parts = _parts(self.url)
        port = parts.port or (443 if self.is_encrypted else 80)
        addresses = await addresses_of(parts.hostname or "", port)
        if not await self.may_reach(addresses):
            text = "The gateway is at an address that may not be reached from here. GATEWAYS_ALLOW_PRIVATE lets it be a"
            raise GatewayError("ADDRESS_REFUSED", f"{text} private one.")
        return [{"host": address, "port": port} for address in addresses]

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
    """Say what is wrong with the URL of a gateway, as a sentence; None when it will do."""
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
