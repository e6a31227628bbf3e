"""`mission-control` whose stop cuts nobody, and which writes down who begins to wait and who waits no more.

With it a test knows that a long poll waits, instead of hoping so after a moment, and that whatever ends at a stop ends
by itself, however slow the machine is. QUIET_SECONDS shortens the pauses in which a late answer is silent.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from mission_control.cli import main
from mission_control.events import wakeup_channels
from mission_control.http import slow_answers
from mission_control.server import worker


def tell_waits(module: Any, name: str) -> None:
    """Let a way to wait at a wake-up channel write down its beginning and its end."""
    wait = getattr(module, name)

    @contextlib.contextmanager
    def telling(channel: str, *arguments: Any) -> Iterator[Any]:
        try:
            with wait(channel, *arguments) as waits:
                print("waits at", channel, flush=True)
                yield waits
        finally:
            print("waits no more at", channel, flush=True)

    setattr(module, name, telling)


if __name__ == "__main__":
    tell_waits(wakeup_channels, "listening")
    tell_waits(wakeup_channels, "queued")
    slow_answers.QUIET_SECONDS = float(os.environ.get("QUIET_SECONDS", slow_answers.QUIET_SECONDS))
    worker.CUT_SECONDS = worker.GRACE_SECONDS = worker.LAST_RESORT_SECONDS = 3600
    main()
