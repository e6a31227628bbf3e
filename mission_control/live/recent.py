"""Signals of the last moments, for pages that were read before their stream was open.

Events are in the log, where a stream finds what it missed. Signals are stored nowhere: what was sent after a page was
read and before its stream was open is kept here for a while. A moment is a text: milliseconds since the epoch, and the
process that took them.
"""

import time
from collections import deque
from typing import Any
from uuid import UUID

from mission_control.live.channels import PROCESS

KEPT_SECONDS = 120.0
MOST = 500  # of one organization
APART_SECONDS = 2.0  # how far the clocks of two machines may differ

DIGITS = 18

Signal = dict[str, Any]


def moment_of(seconds: float) -> str:
    """Return a moment of this process, from seconds since the epoch."""
    return f"{int(seconds * 1000)}-{PROCESS}"


def _read(moment: str) -> float | None:
    """Return the seconds since the epoch of a moment; None when it is none."""
    digits, _, process = moment.partition("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= DIGITS):
        return None
    return int(digits) / 1000 - (0.0 if process == PROCESS else APART_SECONDS)


class RecentSignals:
    """The newest signals of each organization that this process got."""

    def __init__(self) -> None:
        self._complete_since: float | None = None
        self._kept: dict[UUID, deque[tuple[float, Signal]]] = {}
        self._dropped: dict[UUID, float] = {}

    def begin(self) -> None:
        """Say that this process gets every signal from now on."""
        self._complete_since = time.time()

    def interrupt(self) -> None:
        """Say that signals may be sent that this process does not get."""
        self._complete_since = None

    def add(self, organization_id: UUID, signals: list[Signal]) -> None:
        """Keep signals that are being delivered."""
        if not signals:
            return
        kept, now = self._kept.setdefault(organization_id, deque()), time.time()
        kept.extend((now, signal) for signal in signals)
        while len(kept) > MOST:
            self._dropped[organization_id] = kept.popleft()[0]

    def since(self, organization_id: UUID, moment: str) -> list[Signal] | None:
        """Return the signals since a moment, None when there may have been others; none for what is no moment."""
        since, now = _read(moment), time.time()
        if since is None:
            return []
        if self._complete_since is None or since < max(self._complete_since, now - KEPT_SECONDS):
            return None
        if since <= self._dropped.get(organization_id, 0.0):
            return None
        return [signal for sent, signal in self._kept.get(organization_id, ()) if sent >= since]

    def forget_old(self) -> None:
        """Drop what no page asks for now."""
        oldest = time.time() - KEPT_SECONDS
        for organization_id, kept in list(self._kept.items()):
            while kept and kept[0][0] < oldest:
                kept.popleft()
            if not kept:
                del self._kept[organization_id]
                self._dropped.pop(organization_id, None)
