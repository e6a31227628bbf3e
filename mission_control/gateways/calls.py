"""Call a gateway, from every process."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from mission_control.commands.unit_of_work import running
from mission_control.core import clock
from mission_control.core.ids import new_id
from mission_control.database.sql import is_postgres, rows, select_one
from mission_control.gateways import answering, connector
from mission_control.live import channels
from mission_control.live.wake import publish_wakeup
from mission_control.openclaw.errors import GatewayError, Unreachable, from_values, to_values

CALL_SECONDS = 5.0


async def call(
    gateway_id: UUID, method: str, params: Mapping[str, Any] | None = None, *, seconds: float = CALL_SECONDS
) -> Any:
    """Call a method of a gateway and return its payload. Raises GatewayError, within `seconds` in every case.

    When another process holds the connection, it makes the call. Not to be called inside a command, whose locks would
    be held all the while.
    """
    if running() is not None:
        raise RuntimeError("A command must not wait for a gateway.")
    connection = connector.connection_of(gateway_id)
    if connection is not None:
        return await connection.call(method, params, seconds=seconds)
    return await _through_holder(gateway_id, method, params or {}, seconds)


@dataclass(frozen=True, slots=True)
class _Answer:
    state: str
    result: str | None
    error: dict[str, Any] | None


async def _through_holder(gateway_id: UUID, method: str, params: Mapping[str, Any], seconds: float) -> Any:
    call_id, loop = new_id(), asyncio.get_running_loop()
    deadline = loop.time() + seconds
    if not await _ask(call_id, gateway_id, method, params, seconds):
        raise await _not_connected(gateway_id)
    try:
        await publish_wakeup(answering.CHANNEL)
        while True:
            # Listening comes first: an answer between the look and the wait would be missed.
            with channels.listening(answering.answer_channel(call_id)) as notified:
                answer = await _answer_to(call_id)
                if answer.state == "done":
                    return answering.opened(answer.result or "")
                if answer.state == "failed":
                    raise from_values(answer.error or {})
                left = deadline - loop.time()
                if left <= 0:
                    text = f"The gateway did not answer {method} within {seconds:g} seconds."
                    raise Unreachable("TIMEOUT", text, is_retryable=True, was_sent=answer.state == "taken")
                await channels.notified_within(notified, left)
    finally:
        await rows("DELETE FROM gateway_calls WHERE id = ?", call_id)


async def _ask(call_id: UUID, gateway_id: UUID, method: str, params: Mapping[str, Any], seconds: float) -> bool:
    """Write a call for the process that holds the gateway; False when none has it connected."""
    is_held = "state = 'connected' AND holder IS NOT NULL AND holder <> ?"
    values: list[Any] = [channels.PROCESS]
    now = clock.now()
    if is_postgres():
        is_held += " AND held_until > ?"
        values.append(now)
    found = await rows(
        "INSERT INTO gateway_calls (id, gateway_id, caller, method, params, state, due_by, created_at)"
        f" SELECT ?, id, ?, ?, ?, 'waiting', ?, ? FROM gateways WHERE id = ? AND {is_held} RETURNING id",
        call_id,
        channels.PROCESS,
        method,
        answering.sealed(params),
        now + timedelta(seconds=seconds),
        now,
        gateway_id,
        *values,
    )
    return bool(found)


async def _not_connected(gateway_id: UUID) -> GatewayError:
    found = await rows("SELECT state, last_error FROM gateways WHERE id = ?", gateway_id)
    reason = (found[0]["last_error"] or "") if found and found[0]["state"] != "connected" else ""
    text = f"The gateway is not connected. {reason}".strip() if found else "The gateway was deleted."
    return Unreachable("NOT_CONNECTED", text, is_retryable=bool(found))


async def _answer_to(call_id: UUID) -> _Answer:
    answer = await select_one(_Answer, "SELECT state, result, error FROM gateway_calls WHERE id = ?", call_id)
    return answer or _Answer("failed", None, _DELETED)


_DELETED = to_values(Unreachable("NOT_CONNECTED", "The gateway was deleted."))
