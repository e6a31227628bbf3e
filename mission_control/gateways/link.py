"""The connection of one gateway, kept up by the process that holds the gateway."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from mission_control.core.actor import system
from mission_control.core.clock import monotonic
from mission_control.delivery import pace
from mission_control.gateways import installation, reporting, states
from mission_control.gateways.addresses import discreet
from mission_control.gateways.events import GatewayRef
from mission_control.gateways.inlet import Inlet
from mission_control.gateways.reporting import CONNECTING, Report
from mission_control.live import channels
from mission_control.openclaw.connection import Closed, Connection, connect, instance_id
from mission_control.openclaw.errors import (
    AccessDenied,
    GatewayError,
    MissingScopes,
    PairingRefused,
    PairingRequired,
    TokenRefused,
    Unreachable,
)
from mission_control.openclaw.limits import Pace
from mission_control.openclaw.target import Target

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 15.0
# A gateway that restarts is away for about ten seconds, which is no news.
SHORT_INTERRUPTION_SECONDS = 30.0
# One that accepts and ends connections again and again is asked ever more seldom.
SHORTEST_CONNECTION_SECONDS, LONGEST_PAUSE_OF_SHORT_SECONDS = 5.0, 60.0
PAIRING_POLL_SECONDS, SHORTEST_PAIRING_SECONDS = 3.0, 1.0
PAIRING_WAIT_SECONDS = 300.0
# A person has to do something first; asking too often would lock the address out.
REFUSED_PAUSE_SECONDS, DENIED_PAUSE_SECONDS, HOPELESS_PAUSE_SECONDS = 60.0, 60.0, 600.0
REJECTED_PAUSE_SECONDS = 86_400.0  # each attempt is a new request on the gateway: a person tries again
RESTART_CODES = (1012, 1013)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """A gateway that this process holds, with its secrets as they are stored."""

    id: UUID
    organization_id: UUID
    url: str
    token: str | None = field(repr=False)
    allow_insecure_tls: bool
    device_token: str | None = field(repr=False)

    def differs_from(self, other: "Held") -> bool:
        """Whether the other one needs another connection."""
        return (self.url, self.token, self.allow_insecure_tls) != (other.url, other.token, other.allow_insecure_tls)


class Link:
    """Connects to a gateway, connects again when that ends, and stores how it goes."""

    def __init__(self, gateway: Held, *, lost: Callable[[UUID], None]) -> None:
        self.gateway = gateway
        self.connection: Connection | None = None
        self._lost = lost
        self._device_token = gateway.device_token
        self._inlet = Inlet(GatewayRef(gateway.id, gateway.organization_id))
        self._reported: Report | None = None
        self._note = ""
        self._failures = 0
        self._short_connections = 0
        self._connected_at: float | None = None
        self._target: Target | None = None
        self._pace = Pace()
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._inlet.run())]

    @property
    def is_connected(self) -> bool:
        """Whether calls can be sent."""
        return self.connection is not None and self.connection.is_open

    def retry(self) -> None:
        """Connect now instead of at the next attempt."""
        if not self.is_connected:
            self._failures = self._short_connections = 0
            self._tasks[0].cancel()
            self._tasks.append(self._tasks[0])
            self._tasks[0] = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End the connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                pause = await self._connect()
            except Exception:
                _log.exception("keeping the connection of a gateway failed", extra=self._about)
                pause = self._pause_after_failure()
            await asyncio.sleep(pause)

    @property
    def _about(self) -> dict[str, str]:
        return {"gateway_id": str(self.gateway.id)}

    async def _connect(self) -> float:
        """Keep one connection until it ends; return the seconds until the next attempt."""
        self._inlet.hold()
        try:
            connection = await connect(
                self._made_target(), await installation.identity(), on_event=self._inlet.put, waits_for_pairing=True
            )
        except PairingRequired as error:
            return await self._pair(error)
        except GatewayError as error:
            return await self._failed(await discreet(self.gateway.organization_id, error))
        self.connection = connection
        try:
            if not await self._connected(connection):
                return HOPELESS_PAUSE_SECONDS
            end = await connection.wait_closed()
        finally:
            self.connection = None
            await connection.close()
        return await self._ended(end)

    def _made_target(self) -> Target:
        if self._target is None:
            self._target = installation.target_of(
                self.gateway.url,
                installation.opened(self.gateway.token),
                installation.opened(self._device_token),
                allow_insecure_tls=self.gateway.allow_insecure_tls,
                pace=self._pace,
            )
        return self._target

    async def _connected(self, connection: Connection) -> bool:
        """Store what a gateway says of itself; return whether it is used."""
        hello = connection.hello
        if hello.device_token is not None and hello.device_token != self._made_target().device_token:
            self._device_token = installation.sealed(hello.device_token)
            self._target = None
        found = await self._report(reporting.of_hello(hello, await instance_id(connection)))
        if found is None or found.state != reporting.CONNECTED:
            return False
        self._failures, self._connected_at = 0, monotonic()
        self._inlet.connected()
        channels.notify([pace.CHANNEL])  # deliveries that waited for it
        return True

    async def _ended(self, end: Closed) -> float:
        if end.code in RESTART_CODES:
            text = "The gateway is restarting."
        else:
            text = f"The connection was lost ({end.code}{f': {end.reason}' if end.reason else ''}). Connecting again."
        now = monotonic()
        is_short = self._connected_at is None or now - self._connected_at < SHORTEST_CONNECTION_SECONDS
        self._short_connections = self._short_connections + 1 if is_short else 0
        self._failures = max(0, self._short_connections - 1)
        self._connected_at = now
        await self._report(Report(CONNECTING, f"closed_{end.code}", text))
        return self._pause_after_failure()

    async def _failed(self, error: GatewayError) -> float:
        if isinstance(error, PairingRefused) and reporting.pairing_decision(error) == "PAIRING_EXPIRED":
            self._note = reporting.EARLIER_EXPIRED
            return PAIRING_POLL_SECONDS  # then there is a new request to approve
        report = reporting.of_error(error)
        if not (isinstance(error, Unreachable) and self._is_short_interruption):
            await self._report(report)
        pause = self._pause_after_failure()
        if isinstance(error, TokenRefused | MissingScopes):
            pause = REFUSED_PAUSE_SECONDS
        elif isinstance(error, AccessDenied):
            pause = DENIED_PAUSE_SECONDS
        elif isinstance(error, PairingRefused):
            pause = REJECTED_PAUSE_SECONDS
        elif not isinstance(error, Unreachable):
            pause = HOPELESS_PAUSE_SECONDS
        return max(pause, error.retry_after or 0.0)

    @property
    def _is_short_interruption(self) -> bool:
        return self._connected_at is not None and monotonic() - self._connected_at < SHORT_INTERRUPTION_SECONDS

    async def _pair(self, error: PairingRequired) -> float:
        """Wait for the decision about a pairing where the gateway tells it, else ask again soon."""
        self._failures, note, self._note = 0, self._note, ""
        began, before = monotonic(), self._reported
        try:
            await self._report(reporting.after(reporting.of_error(error), self._reported, note))
        except BaseException:
            if error.wait is not None:
                await error.wait.close()
            raise
        try:
            await error.resolved(PAIRING_POLL_SECONDS if error.wait is None else PAIRING_WAIT_SECONDS)
        except PairingRefused as refused:
            return await self._failed(refused)
        if error.wait is None and before is not None and before.pairing_request_id not in (None, error.request_id):
            return HOPELESS_PAUSE_SECONDS  # the one before was rejected or expired: the next is asked for by a person
        return max(0.0, began + SHORTEST_PAIRING_SECONDS - monotonic())

    async def _report(self, report: Report) -> Report | None:
        """Store a report that differs from the one before, and return what was stored.

        Gives the gateway up when another process holds it.
        """
        if report == self._reported:
            return report
        self._reported = await states.report(system(self.gateway.organization_id), self.gateway.id, report)
        if self._reported is None:
            self._lost(self.gateway.id)
        return self._reported

    def _pause_after_failure(self) -> float:
        """Return the seconds until the next attempt: doubled each time, with jitter."""
        self._failures += 1
        longest = LONGEST_PAUSE_OF_SHORT_SECONDS if self._short_connections else LONGEST_PAUSE_SECONDS
        pause = min(FIRST_PAUSE_SECONDS * 2.0 ** (self._failures - 1), longest)
        return float(pause * random.uniform(0.8, 1.2))
