"""Answer the calls that other processes make to gateways which this process holds."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from mission_control.config import ConfigError
from mission_control.core import clock, secrets
from mission_control.core.json import to_json
from mission_control.database.sql import placeholders, rows, select
from mission_control.gateways.installation import secret_key
from mission_control.live import channels
from mission_control.live.wake import publish_wakeup
from mission_control.openclaw.connection import Connection
from mission_control.openclaw.errors import GatewayError, Unreachable, to_values

# A call waits for its answer.
CHANNEL = "gateway-calls"
AT_ONCE = 50
KEPT = timedelta(minutes=1)
CLEANING_SECONDS = 60.0
LOST = "The process that held the connection to the gateway ended. Try again."

_log = logging.getLogger(__name__)


def answer_channel(call_id: UUID) -> str:
    """Return the channel on which the caller waits."""
    return f"gateway-answer:{call_id}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A call of another process."""

    id: UUID
    gateway_id: UUID
    method: str
    params: str
    due_by: datetime


async def run(connection_of: Callable[[UUID], Connection | None], held: Callable[[], list[UUID]]) -> None:
    """Answer calls, in an endless loop."""
    running: set[asyncio.Task[None]] = set()
    try:
        while True:
            with channels.listening(CHANNEL) as notified:
                try:
                    await _begin(connection_of, held(), running)
                except Exception:
                    _log.exception("answering calls to gateways failed")
                await channels.notified_within(notified, CLEANING_SECONDS)
    finally:
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _begin(
    connection_of: Callable[[UUID], Connection | None], held: list[UUID], running: set["asyncio.Task[None]"]
) -> None:
    if not held:
        return
    await _forget_old()
    for one in await _taken(held):
        task = asyncio.create_task(_answer(connection_of(one.gateway_id), one))
        running.add(task)
        task.add_done_callback(running.discard)


async def _forget_old() -> None:
    await rows("DELETE FROM gateway_calls WHERE due_by < ?", clock.now() - KEPT)


async def _taken(held: list[UUID]) -> list[Asked]:
    return await select(
        Asked,
        "UPDATE gateway_calls SET state = 'taken' WHERE state = 'waiting'"
        f" AND gateway_id IN ({placeholders(len(held))}) RETURNING id, gateway_id, method, params, due_by",
        *held,
    )


async def _answer(connection: Connection | None, asked: Asked) -> None:
    values: dict[str, Any]
    try:
        if connection is None:
            raise Unreachable("NOT_CONNECTED", "The gateway is not connected.", is_retryable=True)
        result = await connection.call(asked.method, _opened(asked.params), seconds=_left(asked))
        values = {"state": "done", "result": sealed(result)}
    except GatewayError as error:
        values = {"state": "failed", "error": to_json(to_values(error)).decode()}
    except Exception:
        _log.exception("a call to a gateway failed", extra={"method": asked.method})
        failure = GatewayError("FAILED", "The call failed; the server's log says why.")
        values = {"state": "failed", "error": to_json(to_values(failure)).decode()}
    await _settle(asked.id, values)


def _left(asked: Asked) -> float:
    return max(0.0, (asked.due_by - clock.now()).total_seconds())


def sealed(value: Any) -> str:
    """Return params or a result as they are stored."""
    return secrets.encrypt_bytes(to_json(value), secret_key())


def _opened(text: str) -> Any:
    return orjson.loads(secrets.decrypt_bytes(text, secret_key()))


def opened(text: str) -> Any:
    """Return a stored result. Raises GatewayError when it was written with another SECRET_KEY."""
    try:
        return _opened(text)
    except ConfigError as error:
        raise GatewayError("SECRET_UNREADABLE", str(error)) from None


async def _settle(call_id: UUID, values: dict[str, Any]) -> None:
    columns = ", ".join(f"{name} = ?" for name in values)
    sql = f"UPDATE gateway_calls SET {columns} WHERE id = ? AND state = 'taken' RETURNING id"
    if await rows(sql, *values.values(), call_id):
        await publish_wakeup(answer_channel(call_id))


async def fail_orphans(gateways: list[UUID]) -> None:
    """Tell those who wait for answers of a process that holds these gateways no longer."""
    if not gateways:
        return
    lost = Unreachable("HOLDER_LOST", LOST, is_retryable=True, was_sent=True)
    found = await rows(
        "UPDATE gateway_calls SET state = 'failed', error = ? WHERE state = 'taken'"
        f" AND gateway_id IN ({placeholders(len(gateways))}) RETURNING id",
        to_json(to_values(lost)).decode(),
        *gateways,
    )
    for row in found:
        await publish_wakeup(answer_channel(UUID(str(row["id"]))))
