"""How much a gateway takes from one client: writes of a kind per minute, and requests at a time."""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from mission_control.core import clock
from mission_control.openclaw.errors import GatewayError

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
        self,
        now: Callable[[], float] = clock.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._now = now
        self.sleep = sleep
        self._sent: dict[str, deque[float]] = {}
        self._closed_until: dict[str, float] = {}

    def wait_for(self, method: str) -> float:
        """Return how many seconds a call of a method has to wait."""
        now = self._now()
        waits = [self._closed_until.get(method, now) - now, 0.0]
        if method in PACED:
            sent = self._recent(method, now)
            if len(sent) >= WRITES:
                waits.append(sent[-WRITES] + WINDOW_SECONDS + MARGIN_SECONDS - now)
        return max(waits)

    def sent(self, method: str) -> None:
        """Count a call."""
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
                raise too_many(method, wait)
            await self.sleep(wait)
            seconds -= wait
        self.sent(method)


class InFlight:
    """So many requests at a time; the others wait their turn."""

    def __init__(self, most: int = AT_A_TIME) -> None:
        self._places = asyncio.Semaphore(most)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold one of the places."""
        async with self._places:
            yield


def too_many(method: str, wait: float) -> GatewayError:
    """Return the error of a call that would have to wait too long."""
    return GatewayError(
        "UNAVAILABLE",
        f"The gateway takes {WRITES} calls of {method} a minute. The next one is possible in {math.ceil(wait)} s.",
        details={"method": method, "limit": f"{WRITES} per {WINDOW_SECONDS:.0f}s"},
        is_retryable=True,
        retry_after=wait,
    )
