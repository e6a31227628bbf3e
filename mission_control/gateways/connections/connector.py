"""Which process holds which gateway, and calls to gateways from every process."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from mission_control.background.loops import Loop
from mission_control.core import secrets, times
from mission_control.core.settings import ConfigError
from mission_control.core.times import monotonic
from mission_control.core.values import JsonObject, new_id, to_json
from mission_control.database.records import find
from mission_control.database.sql import is_postgres, placeholders, rows, select
from mission_control.events import wakeup_channels
from mission_control.events.reader_wakeups import publish_wakeup
from mission_control.events.unit_of_work import running
from mission_control.events.wakeup_channels import PROCESS, on_notify_family
from mission_control.gateways.connections.events import GatewayRef, Handlers
from mission_control.gateways.connections.link import Held, Link
from mission_control.gateways.connections.open_connection import Connection
from mission_control.gateways.models import GatewayCall
from mission_control.gateways.protocol.errors import GatewayError, Unreachable, from_values, to_values
from mission_control.gateways.protocol.identity import secret_key
from mission_control.gateways.protocol.payload import Payload

LEASE = timedelta(seconds=6)  # so long does the gateway of a process that was killed wait for another one
RENEW_SECONDS = 1.5
IDLE_SECONDS = 15.0

# The address of the demo's gateway, which is invented: no process holds it, so that it stays as it was written.
INVENTED = "ws://office-mini.invalid:18789"

COLUMNS = "id, organization_id, url, token, allow_insecure_tls, device_token"


async def held() -> list[Held]:
    """Renew the leases of this process, take over those that nobody renews, and return all that it holds now."""
    now = times.clock_now()
    if is_postgres():
        # In one order, so that two processes that take over at the same moment do not wait for each other.
        free = (
            "SELECT id FROM gateways WHERE (holder = ? OR holder IS NULL OR held_until IS NULL OR held_until <= ?)"
            " AND url <> ? ORDER BY id FOR NO KEY UPDATE"
        )
        return await select(
            Held,
            f"UPDATE gateways SET holder = ?, held_until = ? WHERE id IN ({free}) RETURNING {COLUMNS}",
            PROCESS,
            now + LEASE,
            PROCESS,
            now,
            INVENTED,
        )
    others, which = "(holder IS NULL OR holder <> ?) AND url <> ?", (PROCESS, INVENTED)
    if await rows(f"SELECT 1 AS one FROM gateways WHERE {others} LIMIT 1", *which):
        await rows(f"UPDATE gateways SET holder = ?, held_until = ? WHERE {others}", PROCESS, now + LEASE, *which)
    return await select(
        Held, f"SELECT {COLUMNS} FROM gateways WHERE holder = ? AND url <> ? ORDER BY id", PROCESS, INVENTED
    )


async def give_up(gateways: list[UUID]) -> None:
    """Let other processes take gateways over at once."""
    if gateways:
        await rows(
            f"UPDATE gateways SET holder = NULL, held_until = NULL WHERE holder = ?"
            f" AND id IN ({placeholders(len(gateways))})",
            PROCESS,
            *gateways,
        )


# A call waits for its answer.
CALLS_CHANNEL = "gateway-calls"
KEPT = timedelta(minutes=1)
CLEANING_SECONDS = 60.0
LOST = "The process that held the connection to the gateway ended. Try again."

_log = logging.getLogger(__name__)


def answer_channel(call_id: UUID) -> str:
    return f"gateway-answer:{call_id}"


@dataclass(frozen=True, slots=True)
class ForeignCall:
    """A call of another process."""

    id: UUID
    gateway_id: UUID
    method: str
    params: str
    due_by: datetime


async def answer() -> None:
    """Answer the calls that other processes make to the gateways which this one holds."""
    links = dict(_links)
    if not links:
        return
    await rows("DELETE FROM gateway_calls WHERE due_by < ?", times.clock_now() - KEPT)
    taken = await select(
        ForeignCall,
        "UPDATE gateway_calls SET state = 'taken' WHERE state = 'waiting'"
        f" AND gateway_id IN ({placeholders(len(links))}) RETURNING id, gateway_id, method, params, due_by",
        *links,
    )
    for foreign_call in taken:
        ANSWERING.begin(_answer(links[foreign_call.gateway_id].open_connection, foreign_call))


ANSWERING = Loop(name="answering calls to gateways", look=answer, pause=CLEANING_SECONDS, channel=CALLS_CHANNEL)


async def _answer(connection: Connection | None, foreign_call: ForeignCall) -> None:
    state, column, value = "failed", "error", ""
    try:
        if connection is None:
            raise Unreachable("NOT_CONNECTED", "The gateway is not connected.", is_retryable=True)
        left = max(0.0, (foreign_call.due_by - times.clock_now()).total_seconds())
        result = await connection.call(foreign_call.method, _opened(foreign_call.params), seconds=left)
        state, column, value = "done", "result", sealed(result)
    except GatewayError as error:
        value = to_json(to_values(error)).decode()
    except Exception:
        _log.exception("a call to a gateway failed", extra={"method": foreign_call.method})
        failure = GatewayError("FAILED", "The call failed; the server's log says why.")
        value = to_json(to_values(failure)).decode()
    sql = f"UPDATE gateway_calls SET state = ?, {column} = ? WHERE id = ? AND state = 'taken' RETURNING id"
    if await rows(sql, state, value, foreign_call.id):
        await publish_wakeup(answer_channel(foreign_call.id))


def sealed(value: object) -> str:
    return secrets.encrypt_bytes(to_json(value), secret_key())


def _opened(text: str) -> Any:
    return orjson.loads(secrets.decrypt_bytes(text, secret_key()))


def opened(text: str) -> object:
    """Raises GatewayError when the result was written with another SECRET_KEY."""
    try:
        return _opened(text)
    except ConfigError as error:
        raise GatewayError("SECRET_UNREADABLE", str(error)) from None


async def fail_orphans(gateways: list[UUID]) -> None:
    """Tell those who wait for answers of a process that holds these gateways no longer."""
    if not gateways:
        return
    lost = Unreachable("HOLDER_LOST", LOST, is_retryable=True, was_sent=True)
    orphans = await rows(
        "UPDATE gateway_calls SET state = 'failed', error = ? WHERE state = 'taken'"
        f" AND gateway_id IN ({placeholders(len(gateways))}) RETURNING id",
        to_json(to_values(lost)).decode(),
        *gateways,
    )
    for row in orphans:
        await publish_wakeup(answer_channel(UUID(str(row["id"]))))


# Gateways were made, changed or deleted, or a process gave its own up.
CHANNEL = "gateways"
# `gateway-retry:<id>`: connect now, without waiting for the next attempt.
RETRY = "gateway-retry"
CLOSING_SECONDS = 5.0

_links: dict[UUID, Link] = {}
_valid_until = 0.0


def held_here() -> frozenset[UUID]:
    return frozenset(gateway_id for gateway_id, link in _links.items() if link.open_connection)


def connection_of(gateway_id: UUID) -> Connection | None:
    link = _links.get(gateway_id)
    return None if link is None else link.open_connection


@on_notify_family(RETRY)
def retry(channel: str) -> None:
    """Connect to the gateway that a channel of `RETRY` names, unless it is connected or another process holds it."""
    link = _links.get(UUID(channel.partition(":")[2]))
    if link is not None:
        link.retry()


async def on_config_changed(gateway: GatewayRef, payload: Payload) -> None:
    """Read a gateway's configuration again."""
    if (link := _links.get(gateway.id)) is not None:
        await link.refresh()


HANDLERS = Handlers({"config.changed": on_config_changed})


async def look() -> float:
    """Hold what can be held; return the seconds until the next look."""
    global _valid_until
    began = monotonic()
    try:
        pause = await _hold()
    except Exception:
        if is_postgres() and monotonic() >= _valid_until:
            _close(list(_links))  # others may hold them now
        raise
    _valid_until = began + LEASE.total_seconds()
    return pause


async def _hold() -> float:
    gateways = {gateway.id: gateway for gateway in await held()}
    _close([key for key, link in _links.items() if key not in gateways or link.gateway.way != gateways[key].way])
    new = [gateway for key, gateway in gateways.items() if key not in _links]
    if new:
        await fail_orphans([gateway.id for gateway in new])
    for gateway in new:
        _links[gateway.id] = Link(gateway, lost=lambda gateway_id: _close([gateway_id]))
    return await _seconds_until_next_look()


async def _seconds_until_next_look() -> float:
    """Renew leases in time, or take over the next one that another process lets go."""
    if not is_postgres():
        return IDLE_SECONDS
    if _links:
        return RENEW_SECONDS
    [lease] = await rows("SELECT MIN(held_until) AS ends FROM gateways")
    if lease["ends"] is None:
        return IDLE_SECONDS
    left = (lease["ends"] - times.clock_now()).total_seconds()
    return float(min(max(left, 0.0) + 0.1, IDLE_SECONDS))


def _close(gateways: list[UUID]) -> None:
    """End connections beside everything else: a gateway may take long for its goodbye."""
    for gateway_id in gateways:
        if (link := _links.pop(gateway_id, None)) is not None:
            HOLDING.begin(link.close())


async def give_up_all() -> None:
    """Let other processes have the gateways at once."""
    gateways = list(_links)
    _close(gateways)
    if HOLDING.tasks:
        await asyncio.wait(HOLDING.tasks, timeout=CLOSING_SECONDS)
    await fail_orphans(gateways)
    await give_up(gateways)
    if gateways:
        await publish_wakeup(CHANNEL)


HOLDING = Loop(
    name="holding gateways", look=look, pause=IDLE_SECONDS, retry=RENEW_SECONDS, channel=CHANNEL, stop=give_up_all
)


CALL_SECONDS = 5.0
DELETED = "The gateway was deleted."


async def call(
    gateway_id: UUID, method: str, params: JsonObject | None = None, *, seconds: float = CALL_SECONDS
) -> Any:
    """Call a method of a gateway and return its payload. Raises GatewayError, within `seconds` in every case.

    When another process holds the connection, it makes the call. Not to be called inside a command, whose locks would
    be held all the while.
    """
    if running() is not None:
        raise RuntimeError("A command must not wait for a gateway.")
    connection = connection_of(gateway_id)
    if connection is not None:
        return await connection.call(method, params, seconds=seconds)
    return await _through_holder(gateway_id, method, params or {}, seconds)


async def _through_holder(gateway_id: UUID, method: str, params: JsonObject, seconds: float) -> object:
    call_id, loop = new_id(), asyncio.get_running_loop()
    deadline = loop.time() + seconds
    if not await _ask(call_id, gateway_id, method, params, seconds):
        raise await _not_connected(gateway_id)
    try:
        await publish_wakeup(CALLS_CHANNEL)
        while True:
            # Listening comes first: an answer between the look and the wait would be missed.
            with wakeup_channels.listening(answer_channel(call_id)) as notified:
                answer = await find(GatewayCall, "id = ?", call_id)
                if answer is None:
                    raise Unreachable("NOT_CONNECTED", DELETED)
                if answer.state == "done":
                    return opened(answer.result or "")
                if answer.state == "failed":
                    raise from_values(answer.error or {})
                left = deadline - loop.time()
                if left <= 0:
                    text = f"The gateway did not answer {method} within {seconds:g} seconds."
                    raise Unreachable("TIMEOUT", text, is_retryable=True, was_sent=answer.state == "taken")
                await wakeup_channels.notified_within(notified, left)
    finally:
        await rows("DELETE FROM gateway_calls WHERE id = ?", call_id)


async def _not_connected(gateway_id: UUID) -> Unreachable:
    gateway = next(iter(await rows("SELECT state, last_error FROM gateways WHERE id = ?", gateway_id)), None)
    if gateway is None:
        return Unreachable("NOT_CONNECTED", DELETED)
    reason = (gateway["last_error"] or "") if gateway["state"] != "connected" else ""
    return Unreachable("NOT_CONNECTED", f"The gateway is not connected. {reason}".strip(), is_retryable=True)


async def _ask(call_id: UUID, gateway_id: UUID, method: str, params: JsonObject, seconds: float) -> bool:
    """Write a call for the process that holds the gateway; False when none has it connected."""
    is_held = "state = 'connected' AND holder IS NOT NULL AND holder <> ?"
    now = times.clock_now()
    process = wakeup_channels.PROCESS
    values: list[object] = [process, method, sealed(params), now + timedelta(seconds=seconds), now, gateway_id, process]
    if is_postgres():
        is_held += " AND held_until > ?"
        values.append(now)
    sql = (
        "INSERT INTO gateway_calls (id, gateway_id, caller, method, params, state, due_by, created_at)"
        f" SELECT ?, id, ?, ?, ?, 'waiting', ?, ? FROM gateways WHERE id = ? AND {is_held} RETURNING id"
    )
    return bool(await rows(sql, call_id, *values))
