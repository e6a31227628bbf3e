"""Limit how many requests one client has under way, where many share a connection: behind a proxy, with HTTP/2.

Elsewhere a connection has one request at a time, and the connections of an address are counted (`connections.py`).
"""

from collections import Counter

from mission_control.config import Settings

TOO_MANY = "Your address has too many requests under way. Wait until some have ended."


class Simultaneous:
    """The requests under way, by the rate-limit key of their client; each may have MAX_CONNECTIONS_PER_ADDRESS."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: Counter[str] = Counter()

    @classmethod
    def of(cls, settings: Settings) -> "Simultaneous | None":
        """Return the limit of an installation, None where connections are counted instead."""
        is_needed = settings.trusted_proxies or settings.http2
        return cls(settings.max_connections_per_address) if is_needed else None

    def begin(self, client: str) -> bool:
        """Count a request, and return True; False when the client has too many already."""
        if self._under_way[client] >= self._most:
            return False
        self._under_way[client] += 1
        return True

    def end(self, client: str) -> None:
        """Count a request no longer."""
        self._under_way[client] -= 1
        if not self._under_way[client]:
            del self._under_way[client]
