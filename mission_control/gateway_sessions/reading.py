"""Read and write the sessions of a gateway. What a gateway answers goes on as it is, but for secrets."""

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from mission_control.core import errors
from mission_control.core.errors import NotFound
from mission_control.gateway_sessions.masking import Mask
from mission_control.gateway_sessions.reach import Reach
from mission_control.gateways.calls import call
from mission_control.gateways.installation import opened
from mission_control.gateways.models import Gateway
from mission_control.openclaw.errors import GatewayError

MAIN_LABEL = "Gateway Agent"
MASKED_SECONDS = 30.0

_masks: dict[UUID, tuple[float, Mask]] = {}


async def asked(gateway_id: UUID, method: str, params: Mapping[str, Any]) -> Any:
    """Call a gateway. Raises Unreachable (502) with the gateway's own words when that fails."""
    try:
        return await call(gateway_id, method, params)
    except GatewayError as error:
        raise errors.Unreachable(error.message) from error


async def mask_of(gateway_id: UUID) -> Mask:
    """Return what hides the secrets of a gateway; one read serves half a minute."""
    moment = time.monotonic()
    known = _masks.get(gateway_id)
    if known is None or known[0] < moment:
        gateway = await Gateway.get_or_none(id=gateway_id)
        known = _masks[gateway_id] = (moment + MASKED_SECONDS, _mask(gateway))
    return known[1]


def _mask(gateway: Gateway | None) -> Mask:
    secrets: list[str | None] = []
    for encrypted in (gateway.token, gateway.device_token) if gateway is not None else ():
        try:
            secrets.append(opened(encrypted))
        except GatewayError:
            continue  # with another SECRET_KEY it is not known here, and no connection could be made with it
    return Mask(secrets)


def listed(payload: Any) -> list[Any]:
    """Return the sessions in the answer of a gateway."""
    found = payload.get("sessions") if isinstance(payload, Mapping) else payload
    return found if isinstance(found, list) else []


async def sessions_of(reach: Reach) -> list[Any]:
    """Return the sessions that the caller may see."""
    mask = await mask_of(reach.gateway.id)
    return visible(reach, mask.value(listed(await asked(reach.gateway.id, "sessions.list", {}))))


def visible(reach: Reach, sessions: list[Any]) -> list[Any]:
    """Return those of a gateway's sessions that the caller may see."""
    if reach.is_whole:
        return sessions
    return [one for one in sessions if isinstance(one, Mapping) and reach.has(one.get("key"))]


async def main_session(reach: Reach) -> Any:
    """Return the session of the main agent, made when it is missing; None without a board. Raises Unreachable."""
    if reach.main_key is None:
        return None
    payload = await asked(reach.gateway.id, "sessions.patch", {"key": reach.main_key, "label": MAIN_LABEL})
    entry = payload.get("entry") if isinstance(payload, Mapping) else None
    mask = await mask_of(reach.gateway.id)
    return mask.value(entry if isinstance(entry, Mapping) else payload)


async def main_session_if_any(reach: Reach) -> Any:
    """Return the session of the main agent, None when it cannot be made."""
    try:
        return await main_session(reach)
    except errors.Unreachable:
        return None


async def session_of(reach: Reach, key: str) -> Any:
    """Return a session by its key. Raises NotFound, and Unreachable."""
    reach.require(key)
    for one in await sessions_of(reach):
        if isinstance(one, Mapping) and one.get("key") == key:
            return one
    if key == reach.main_key:
        return await main_session(reach)
    # The list ends at the newest hundred.
    if "sessions.describe" in (reach.gateway.methods or ()):
        payload = await asked(reach.gateway.id, "sessions.describe", {"key": key})
        found = payload.get("session") if isinstance(payload, Mapping) else None
        if isinstance(found, Mapping):
            return (await mask_of(reach.gateway.id)).value(found)
    raise NotFound()


async def history_of(reach: Reach, key: str) -> list[Any]:
    """Return the messages of a session, none when the gateway's answer is of no use. Raises Unreachable."""
    payload = await asked(reach.gateway.id, "chat.history", {"sessionKey": reach.require(key)})
    return (await mask_of(reach.gateway.id)).values(messages_in(payload))


def messages_in(payload: Any) -> list[Any]:
    """Return the messages in an answer to `chat.history`."""
    found = payload.get("messages") if isinstance(payload, Mapping) else payload
    return found if isinstance(found, list) else []


async def send(reach: Reach, key: str, content: str, idempotency_key: str) -> bool:
    """Send a message to a session; return whether the gateway took it now, not earlier. Raises Unreachable."""
    if key == reach.main_key:
        await main_session(reach)
    params = {"sessionKey": key, "message": content, "deliver": False, "idempotencyKey": idempotency_key}
    payload = await asked(reach.gateway.id, "chat.send", params)
    return not isinstance(payload, Mapping) or payload.get("status") == "started"


async def abort(reach: Reach, key: str, run_id: str | None) -> list[str]:
    """End a run of a session, or all of them; return which ended. Raises Unreachable."""
    params = {"sessionKey": key} | ({} if run_id is None else {"runId": run_id})
    payload = await asked(reach.gateway.id, "chat.abort", params)
    found = payload.get("runIds") if isinstance(payload, Mapping) else None
    return [str(one) for one in found] if isinstance(found, list) else []
