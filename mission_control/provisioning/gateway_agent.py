"""An agent as its gateway knows it: calls that several steps share."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from mission_control.gateways import connector
from mission_control.openclaw.errors import GatewayError, Said

CALL_SECONDS = 60.0  # a gateway reads its configuration anew before it answers some of them
READING_SECONDS = 10.0  # where somebody waits for a list

# What changes a gateway's configuration is sent one after the other, so that a patch meets no stale version.
_changing: dict[UUID, asyncio.Lock] = {}


async def call(
    gateway_id: UUID, method: str, params: Mapping[str, Any] | None = None, *, seconds: float = CALL_SECONDS
) -> Any:
    """Call a gateway with a deadline that suits steps."""
    return await connector.call(gateway_id, method, dict(params or {}), seconds=seconds)


@asynccontextmanager
async def changing(gateway_id: UUID) -> AsyncIterator[None]:
    """Wait for one's turn to change a gateway's configuration. No transaction may be open."""
    async with _changing.setdefault(gateway_id, asyncio.Lock()):
        yield


def is_existing(error: GatewayError) -> bool:
    """Return whether a gateway refused to create what it has already."""
    return error.code == "INVALID_REQUEST" and Said.AGENT_EXISTS.search(error.message) is not None


def is_missing(error: GatewayError) -> bool:
    """Return whether a gateway does not know the agent."""
    return error.code in ("INVALID_REQUEST", "NOT_FOUND") and Said.AGENT_MISSING.search(error.message) is not None


def is_label_taken(error: GatewayError) -> bool:
    """Return whether another session has the label."""
    return Said.LABEL_TAKEN.search(error.message) is not None


async def listed(gateway_id: UUID, *, seconds: float = CALL_SECONDS) -> dict[str, dict[str, Any]]:
    """Return the agents of a gateway by their ids there."""
    found = await call(gateway_id, "agents.list", seconds=seconds)
    agents = found.get("agents") if isinstance(found, dict) else None
    known = [one for one in agents or () if isinstance(one, dict) and isinstance(one.get("id"), str)]
    return {one["id"]: one | {"main_key": found.get("mainKey")} for one in known}


async def read_file(gateway_id: UUID, agent_id: str, name: str) -> tuple[str | None, str | None]:
    """Return the text of a workspace file and its hash; None where there is no such file."""
    try:
        found = await call(gateway_id, "agents.files.get", {"agentId": agent_id, "name": name})
    except GatewayError as error:
        if Said.FILE_UNSUPPORTED.search(error.message):
            return None, None
        raise
    file = found.get("file", found) if isinstance(found, dict) else {"content": found}
    if not isinstance(file, dict) or file.get("missing"):
        return None, None
    content, digest = file.get("content"), file.get("hash")
    return (content if isinstance(content, str) else None), (digest if isinstance(digest, str) else None)


async def ensure_session(gateway_id: UUID, key: str, name: str, unique: str) -> str:
    """Create a session where it is missing and label it; another one may have the name, then it is made unique."""
    last: GatewayError | None = None
    for label in (name, f"{name} · {unique[:8]}", f"{name} · {unique}"):
        try:
            await call(gateway_id, "sessions.patch", {"key": key, "label": label})
        except GatewayError as error:
            if not is_label_taken(error):
                raise
            last = error
        else:
            return label
    assert last is not None
    raise last


async def end_turns(gateway_id: UUID, agent_id: str, session_key: str, *, seconds: float = CALL_SECONDS) -> int:
    """End what an agent does in its sessions now; return how many turns that were. Raises GatewayError."""
    ended = await _end_turn(gateway_id, session_key, seconds)
    try:
        found = await call(gateway_id, "sessions.list", {"agentId": agent_id}, seconds=seconds)
    except GatewayError as error:
        if error.is_retryable:
            raise
        return ended  # an old gateway does not list by agent
    sessions = found.get("sessions") if isinstance(found, dict) else None
    others = [one for one in sessions or () if isinstance(one, dict) and one.get("hasActiveRun")]
    for one in others:
        if one.get("key") != session_key and str(one.get("key")).startswith(f"agent:{agent_id}:"):
            ended += await _end_turn(gateway_id, str(one["key"]), seconds)
    return ended


async def _end_turn(gateway_id: UUID, session_key: str, seconds: float) -> int:
    found = await call(gateway_id, "chat.abort", {"sessionKey": session_key}, seconds=seconds)
    ended = found.get("runIds") if isinstance(found, dict) else None
    return len(ended) if isinstance(ended, list) else 0
