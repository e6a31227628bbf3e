"""Who watches which session: pages say so in their process, and the process with the gateway's connection learns of it.

A session that nobody watches costs no signal. A watch ends by itself when nobody repeats it.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from uuid import UUID

from mission_control.live.wake import publish_wakeup

FAMILY = "gateway-session"
REPEAT_SECONDS = 10.0
WATCHED_SECONDS = 30.0
MOST_WATCHED = 10_000
LIST = ""  # instead of a session key: the list of a gateway's sessions

_log = logging.getLogger(__name__)
_here: Counter[str] = Counter()
_until: dict[str, float] = {}


def watch_id(gateway_id: UUID, session_key: str) -> str:
    """Return the name of a session, or of a gateway's list of sessions, in signals."""
    return sha256(f"{gateway_id}\n{session_key}".encode()).hexdigest()[:32]


def is_watched_here(watch: str) -> bool:
    """Return whether a page that this process serves shows the session."""
    return _here[watch] > 0


def is_watched(watch: str) -> bool:
    """Return whether a page of any process shows the session."""
    return _until.get(watch, 0.0) > time.monotonic()


async def keep_watch(watch: str, ended: Callable[[str], None]) -> None:
    """Watch a session until cancelled. `ended` is called when nobody in this process watches it any longer."""
    _here[watch] += 1
    try:
        await _publish(watch, "begin")
        while True:
            await asyncio.sleep(REPEAT_SECONDS)
            await _publish(watch, "repeat")
    finally:
        _here[watch] -= 1
        if _here[watch] <= 0:
            del _here[watch]
            ended(watch)


async def _publish(watch: str, word: str) -> None:
    try:
        await publish_wakeup(f"{FAMILY}:{watch}:{word}")
    except Exception:  # the next repetition makes up for it
        _log.warning("a watched session could not be announced", exc_info=True)


def begun(channel: str) -> str | None:
    """Take a notification of the family; return the session whose watch begins with it, None when it goes on."""
    _, watch, word = channel.split(":")
    if len(_until) >= MOST_WATCHED:
        _drop_old()
    _until[watch] = time.monotonic() + WATCHED_SECONDS
    return watch if word == "begin" else None


def _drop_old() -> None:
    moment = time.monotonic()
    for watch in [one for one, until in _until.items() if until <= moment]:
        del _until[watch]
