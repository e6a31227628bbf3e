"""The connection of one gateway, kept up and stored by the process that holds the gateway."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.times import monotonic
from mission_control.core.values import JsonObject
from mission_control.database.records import find, update
from mission_control.database.sql import rows
from mission_control.events import leases, wakeup_channels
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import notify, record, signal
from mission_control.events.wakeup_channels import PROCESS
from mission_control.gateways import queries
from mission_control.gateways.connections.checked_connection import connect, instance_id
from mission_control.gateways.connections.events import GatewayRef, Inlet
from mission_control.gateways.connections.open_connection import Closed, Connection
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol import errors, identity
from mission_control.gateways.protocol.heartbeats import shared_heartbeat
from mission_control.gateways.protocol.identity import discreet, opened
from mission_control.gateways.protocol.target import Pace, Target

EVENTS = (
    Kind.named("gateway.connected", "The connection to a gateway was made.", "connected to the gateway"),
    Kind.named("gateway.unreachable", "A gateway cannot be reached any longer.", "cannot reach the gateway"),
    Kind.named(
        "gateway.pairing_requested",
        "A gateway waits for its owner to approve this installation.",
        "waits to be approved by the gateway",
    ),
    Kind.named("gateway.refused", "A gateway refuses the connection; its page says why.", "was refused by the gateway"),
)
# The event of each state, and the beginning of its sentence.
HAPPENED = {
    queries.CONNECTED: ("gateway.connected", "Gateway connected"),
    queries.PAIRING: ("gateway.pairing_requested", "Gateway waits for its device to be approved"),
    queries.REFUSED: ("gateway.refused", "Gateway refuses the connection"),
    queries.UNREACHABLE: ("gateway.unreachable", "Gateway not reachable"),
}
MOST_AN_HOUR = 12  # events of a gateway that comes and goes
_recorded: dict[UUID, deque[datetime]] = {}


def channel(gateway_id: UUID) -> str:
    """Notified when the state of a gateway changed."""
    return f"gateway:{gateway_id}"


@command("gateway.report")
async def store_report(actor: Actor, gateway_id: UUID, seen: queries.Report) -> queries.Report | None:
    """Store a report; a no-op when nothing changed. Return what was stored, None when this process holds it no longer.

    Instead of a gateway that the organization has already, it stores that.
    """
    gateway = await find(Gateway, "id = ? AND holder = ?", gateway_id, PROCESS, lock=True)
    if gateway is None:
        return None
    if (first := await _already_here(gateway, seen)) is not None:
        seen = queries.of_same_gateway(first)
    await apply(gateway, seen)
    return seen


async def _already_here(gateway: Gateway, seen: queries.Report) -> Gateway | None:
    """Store a gateway's own id, unless another row of the organization has it: then return that one.

    A unique index decides between two that are found at the same moment.
    """
    instance_id = (seen.hello or {}).get("instance_id")
    if not isinstance(instance_id, str) or instance_id == gateway.instance_id:
        return None
    try:
        async with in_transaction():
            await rows("UPDATE gateways SET instance_id = ? WHERE id = ?", instance_id, gateway.id)
    except IntegrityError:
        return await queries.instance_in(gateway.organization_id, instance_id)
    return None


async def apply(gateway: Gateway, seen: queries.Report) -> None:
    """Inside a command that holds the row: change what a report changes, and tell who watches the gateway."""
    if not _has_changes(gateway, seen):
        return
    before, values = gateway.state, queries.stored(seen)
    if before == seen.state:
        values.pop("state_at")
    was_connected, is_connected = before == queries.CONNECTED, seen.state == queries.CONNECTED
    if is_connected:
        values["away_since"] = None
    elif gateway.away_since is None:
        values["away_since"] = times.clock_now() if was_connected else gateway.state_at
    if was_connected != is_connected:
        await _tell_agents(gateway, is_away=was_connected)
    gateway.update_from_dict(values)
    await update(gateway, *values)
    _record(gateway, before)
    signal(gateway.organization_id, gateway_id=str(gateway.id))
    notify(channel(gateway.id))


def _has_changes(gateway: Gateway, seen: queries.Report) -> bool:
    columns = seen.columns()
    columns.pop("device_token", None)
    if any(getattr(gateway, name) != value for name, value in columns.items()):
        return True
    try:
        return seen.device_token is not None and seen.device_token != opened(gateway.device_token)
    except errors.GatewayError:
        return True  # stored with another SECRET_KEY


async def _tell_agents(gateway: Gateway, *, is_away: bool) -> None:
    """Store with the agents whether their gateway is away; what ran on it is known anew when it is back."""
    now = times.clock_now()
    sql = "UPDATE agents SET gateway_away_at = ?, run_began_at = NULL WHERE gateway_id = ? RETURNING id, board_id"
    for agent in await rows(sql, now if is_away else None, gateway.id):
        signal(gateway.organization_id, agent_id=str(agent["id"]), board_id=str(agent["board_id"]))


def _record(gateway: Gateway, before: str) -> None:
    """Record what people should find in the log; a short interruption is not among it."""
    if gateway.state in (before, queries.CONNECTING):
        return
    if gateway.state in (queries.CONNECTED, queries.UNREACHABLE) and _is_one_too_many(gateway.id):
        return
    kind, sentence = HAPPENED[gateway.state]
    version = {"version": gateway.version} if gateway.state == queries.CONNECTED else {}
    facts: JsonObject = {"name": gateway.name, "reason": gateway.state_code, **version}
    record(kind, gateway, f"{sentence}: {gateway.name}.", **facts)


def _is_one_too_many(gateway_id: UUID) -> bool:
    """Tell whether a gateway comes and goes so often that the log has enough of it; its page shows every change."""
    now, earlier = times.clock_now(), _recorded.setdefault(gateway_id, deque(maxlen=MOST_AN_HOUR))
    if len(earlier) == MOST_AN_HOUR and earlier[0] > now - timedelta(hours=1):
        return True
    earlier.append(now)
    return False


FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 15.0
# A gateway that restarts is away for about ten seconds, which is no news.
SHORT_INTERRUPTION_SECONDS = 30.0
# One that accepts and ends connections again and again is asked ever more seldom.
SHORTEST_CONNECTION_SECONDS, LONGEST_PAUSE_OF_SHORT_SECONDS = 5.0, 60.0
PAIRING_POLL_SECONDS, SHORTEST_PAIRING_SECONDS = 3.0, 1.0
PAIRING_WAIT_SECONDS = 300.0
# A person has to do something first; asking too often would lock the address out.
REFUSED_PAUSE_SECONDS, HOPELESS_PAUSE_SECONDS = 60.0, 600.0
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

    @property
    def way(self) -> tuple[str, str | None, bool]:
        """What another connection is needed for when it changes."""
        return self.url, self.token, self.allow_insecure_tls


class Link:
    """Connects to a gateway, connects again when that ends, and stores how it goes."""

    def __init__(self, gateway: Held, *, lost: Callable[[UUID], None]) -> None:
        self.gateway = gateway
        self.connection: Connection | None = None
        self._lost = lost
        self._device_token = gateway.device_token
        self._inlet = Inlet(GatewayRef(gateway.id, gateway.organization_id))
        self._reported: queries.Report | None = None
        self._instance_id: str | None = None
        self._note = ""
        self._failures = 0
        self._short_connections = 0
        self._connected_at: float | None = None
        self._target: Target | None = None
        self._pace = Pace()
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._inlet.run())]

    @property
    def open_connection(self) -> Connection | None:
        return self.connection if self.connection is not None and self.connection.is_open else None

    def retry(self) -> None:
        if self.open_connection is None:
            self._failures = self._short_connections = 0
            before, self._tasks[0] = self._tasks[0], asyncio.create_task(self._run())
            before.cancel()
            self._tasks.append(before)
            before.add_done_callback(self._tasks.remove)

    async def close(self) -> None:
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
                self._made_target(), await identity.identity(), on_event=self._inlet.put, waits_for_pairing=True
            )
        except errors.PairingRequired as error:
            return await self._pair(error)
        except errors.GatewayError as error:
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
            self._target = identity.target_of(
                self.gateway.organization_id,
                self.gateway.url,
                identity.opened(self.gateway.token),
                identity.opened(self._device_token),
                allow_insecure_tls=self.gateway.allow_insecure_tls,
                pace=self._pace,
            )
        return self._target

    async def _connected(self, connection: Connection) -> bool:
        """Store what a gateway says of itself; return whether it is used."""
        hello = connection.hello
        if hello.device_token is not None and hello.device_token != self._made_target().device_token:
            self._device_token = identity.sealed(hello.device_token)
            self._target = None
        self._instance_id = await instance_id(connection)
        stored = await self._report_of(connection)
        if stored is None or stored.state != queries.CONNECTED:
            return False
        self._failures, self._connected_at = 0, monotonic()
        self._inlet.connected()
        wakeup_channels.channels_notify([leases.CHANNEL])  # deliveries that waited for it
        return True

    async def _report_of(self, connection: Connection) -> queries.Report | None:
        shared = await shared_heartbeat(connection)
        return await self._report(queries.of_hello(connection.hello, self._instance_id, shared))

    async def refresh(self) -> None:
        """Store anew what is read of the gateway's configuration, which changed."""
        if self.connection is not None and self._reported is not None and self._reported.state == queries.CONNECTED:
            await self._report_of(self.connection)

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
        await self._report(queries.Report(queries.CONNECTING, f"closed_{end.code}", text))
        return self._pause_after_failure()

    async def _failed(self, error: errors.GatewayError) -> float:
        if isinstance(error, errors.PairingRefused) and queries.pairing_decision(error) == "PAIRING_EXPIRED":
            self._note = queries.EARLIER_EXPIRED
            return PAIRING_POLL_SECONDS  # then there is a new request to approve
        was_just_there = (
            self._connected_at is not None and monotonic() - self._connected_at < SHORT_INTERRUPTION_SECONDS
        )
        if not (isinstance(error, errors.Unreachable) and was_just_there):
            await self._report(queries.of_error(error))
        pause = self._pause_after_failure()
        if isinstance(error, errors.TokenRefused | errors.MissingScopes | errors.AccessDenied):
            pause = REFUSED_PAUSE_SECONDS
        elif isinstance(error, errors.PairingRefused):
            pause = REJECTED_PAUSE_SECONDS
        elif not isinstance(error, errors.Unreachable):
            pause = HOPELESS_PAUSE_SECONDS
        return max(pause, error.retry_after or 0.0)

    async def _pair(self, error: errors.PairingRequired) -> float:
        """Wait for the decision about a pairing where the gateway tells it, else ask again soon."""
        self._failures, note, self._note = 0, self._note, ""
        began, before = monotonic(), self._reported
        try:
            await self._report(queries.after(queries.of_error(error), self._reported, note))
        except BaseException:
            if error.wait is not None:
                await error.wait.close()
            raise
        try:
            await error.resolved(PAIRING_POLL_SECONDS if error.wait is None else PAIRING_WAIT_SECONDS)
        except errors.PairingRefused as refused:
            return await self._failed(refused)
        if error.wait is None and before is not None and before.pairing_request_id not in (None, error.request_id):
            return HOPELESS_PAUSE_SECONDS  # the one before was rejected or expired: the next is asked for by a person
        return max(0.0, began + SHORTEST_PAIRING_SECONDS - monotonic())

    async def _report(self, report: queries.Report) -> queries.Report | None:
        """Store a report that differs from the one before, and return what was stored.

        Gives the gateway up when another process holds it.
        """
        if report == self._reported:
            return report
        self._reported = await store_report(system(self.gateway.organization_id), self.gateway.id, report)
        if self._reported is None:
            self._lost(self.gateway.id)
        return self._reported

    def _pause_after_failure(self) -> float:
        """Doubled each time, with jitter."""
        self._failures += 1
        longest = LONGEST_PAUSE_OF_SHORT_SECONDS if self._short_connections else LONGEST_PAUSE_SECONDS
        pause = min(FIRST_PAUSE_SECONDS * 2.0 ** (self._failures - 1), longest)
        return float(pause * random.uniform(0.8, 1.2))
