"""What a session says about messages that were sent to it.

A gateway forgets idempotency keys when it restarts, and a message whose turn it had begun by then is `interrupted`: it
is never worked on, and its key is refused from then on. Messages that were queued are worked on after the restart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mission_control.gateways import calls
from mission_control.openclaw.errors import GatewayError

RECENT = 50  # messages of a session that are looked at
INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The keys of messages that a session holds, and of those that were interrupted."""

    there: frozenset[str] = frozenset()
    interrupted: frozenset[str] = frozenset()
    is_empty: bool = True  # it holds no message at all; an old gateway names no keys

    def has(self, delivery_id: UUID | str) -> bool:
        """Return whether a session has a delivery's message, or will take it up."""
        return any(key.startswith(str(delivery_id)) for key in self.there)

    def has_interrupted(self, key: UUID | str) -> bool:
        """Return whether a message was interrupted and not sent again since."""
        return not self.has(key) and self.next_key(key) != str(key)

    def next_key(self, delivery_id: UUID | str) -> str:
        """Return the key by which a delivery is sent now: its id, with a number after interrupted ones."""
        used = sum(key.startswith(str(delivery_id)) for key in self.interrupted)
        return f"{delivery_id}:{used + 1}" if used else str(delivery_id)


async def arrivals(gateway_id: UUID, session_key: str, seconds: float) -> Arrivals:
    """Read what a session has got. Raise GatewayError for what passes by itself."""
    try:
        wanted = {"sessionKey": session_key, "limit": RECENT}
        found: Any = await calls.call(gateway_id, "chat.history", wanted, seconds=seconds)
    except GatewayError as error:
        if error.is_retryable:
            raise
        return Arrivals()  # there is no such session yet
    return read(found)


def read(history: Any) -> Arrivals:
    """Return the keys in an answer to `chat.history`; what is not understood is passed over."""
    pending = _list(_dict(_dict(history).get("pendingInputs")).get("items"))
    messages = _list(_dict(history).get("messages"))
    marks = [_dict(one.get("__openclaw")) for one in messages]
    there = {str(one.get("idempotencyKey") or "") for one in marks}
    there |= {str(one.get("runId") or "") for one in pending if one.get("state") != INTERRUPTED}
    interrupted = {str(one.get("runId") or "") for one in pending if one.get("state") == INTERRUPTED}
    is_empty = not messages and not pending
    return Arrivals(frozenset(there - {""}), frozenset(interrupted - there - {""}), is_empty)


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
