"""When the program of an account on this machine is not to be prompted: what a worker learns, all of its workers obey.

A window of a subscription is used up, the provider is overloaded, or the program is signed out. That is in a file for
all workers of the account, from before the next prompt until one was answered; the board hears of it, and people may
say how it goes on. When the time comes one worker tries, and the others wait for how that ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
from datetime import datetime, timezone

from mission_control.client import clock, files
from mission_control.client.problems import Busy, Nothing, Problem, Unreachable
from mission_control.client.work.ends import OVERLOAD, SIGN_IN, WINDOW, End

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mission_control.client.shapes import Hold, HoldRow, Values
    from mission_control.client.work.worker import Worker

HOLDS = "/api/v1/agent/holds"
TRY_SECONDS = 120.0  # in which a try ends, or another worker may try
LISTEN_SECONDS, AWAY_SECONDS = 55.0, 5.0
QUIET_SECONDS = 3_600.0  # in which an overloaded provider is nobody's concern
# The first pause after a refusal, and the longest; each one in a row is twice as long. A window that says when it ends
# is tried then, and again after pauses from half a minute on.
PAUSES = {WINDOW: (300.0, 3_600.0), OVERLOAD: (15.0, 1_800.0), SIGN_IN: (600.0, 3_600.0)}
AGAIN_SECONDS, JITTER = 30.0, 0.2
SHORT_SECONDS = 120.0  # pauses until these the session of a task waits for, with its lease
WORDS = {
    WINDOW: "{} has used up its limit", OVERLOAD: "The provider of {} is overloaded", SIGN_IN: "{} is signed out",
}  # fmt: skip


class Held(Exception):
    """The program may not be prompted for now."""

    def __init__(self, end: End, until: float, *, is_tried: bool = False) -> None:
        super().__init__(end.words)
        self.end, self.until, self._is_tried = end, until, is_tried

    @property
    def is_short(self) -> bool:
        """Whether a session may wait for its end: the provider is overloaded, or another worker tries."""
        return (self.end.kind == OVERLOAD or self._is_tried) and self.until - clock.time() <= SHORT_SECONDS


class Holding:
    """The hold of an account, if there is one, for one of its workers."""

    def __init__(self, worker: Worker) -> None:
        self._worker, self._account = worker, worker.program.account()
        folder = files.folder_of("XDG_STATE_HOME", "~/.local/state")
        self._path = os.path.join(folder, "holds", f"{self._account}.json")
        self._kept: dict[str, int] = {}  # the tasks that wait with it, and their fences

    def obey(self, *, tries: bool = False) -> None:
        """Raise Held while there is a hold. One whose time has come is over for the worker that `tries` first."""
        if not os.path.exists(self._path):
            return
        with self._locked():
            hold = self._read()
            if hold is None:
                return
            now = clock.time()
            if hold["until"] > now and hold["tried_by"] != os.getpid():
                end = End(hold["kind"], hold["words"])
                raise Held(end, hold["until"], is_tried=bool(hold["tried_by"]))
            if tries:
                self._write({**hold, "until": now + TRY_SECONDS, "tried_by": os.getpid()})

    def is_on(self) -> bool:
        hold = self._read()
        return hold is not None and hold["until"] > clock.time()

    def begin(self, end: End) -> Held:
        """Have all workers of the account hold, from now on."""
        now = clock.time()
        with self._locked():
            before = self._read()
            if before is not None and before["kind"] != end.kind:
                before = None
            times = before["times"] if before else 0
            first, longest = PAUSES[end.kind]
            if end.kind == WINDOW and end.until is not None:
                pause = max(end.until.timestamp() - now, min(longest, AGAIN_SECONDS * 2**times))
            else:
                pause = min(longest, first * 2**times)
            pause *= random.uniform(1 - JITTER, 1 + JITTER) if end.kind == OVERLOAD else 1
            self._write({
                "kind": end.kind, "words": end.words[:500], "since": before["since"] if before else now,
                "until": now + pause, "times": times + 1, "tried_by": 0, "id": before["id"] if before else "",
            })  # fmt: skip
        return Held(end, now + pause)

    def keep(self, task: str, fence: int) -> None:
        """Have a task that is begun wait with the hold."""
        self._kept[task] = fence

    def end(self) -> None:
        """Let all go on: a prompt was answered."""
        if not os.path.exists(self._path):
            return
        with self._locked():
            hold = self._read()
            files.remove(self._path)
        if hold is not None and hold["id"]:
            with contextlib.suppress(Problem):
                self._worker.api.call("DELETE", f"{HOLDS}/{hold['id']}")
        self._kept.clear()

    def wait(self, held: Held) -> None:
        """Wait until the time of the hold has come, or people let it go on. Raise Nothing if it does one task alone."""
        worker, name = self._worker, self._worker.program.name or "The program"
        state = WORDS[held.end.kind].format(name)
        worker.say(f"{state}: {held.end.words} Nothing is prompted until {_clock(held.until)}.")
        if worker.given.once:
            self._tell_of_kept()
            raise Nothing(f"{state}. Nothing is prompted until {_clock(held.until)}.", "holding")
        stated, known = 0.0, None
        while (hold := self._read()) is not None and (seconds := hold["until"] - clock.time()) > 0:
            if hold["tried_by"] or self._concerns_nobody(hold):
                worker.pause(min(AWAY_SECONDS, seconds))
                continue
            try:
                if stated != hold["until"]:
                    known, stated = self._tell(hold)["answer"], hold["until"]
                elif hold["id"]:
                    known = self._obey_answer(hold, known, min(LISTEN_SECONDS, seconds))
                else:
                    worker.pause(min(AWAY_SECONDS, seconds))
            except Problem as problem:
                stated = stated if isinstance(problem, (Unreachable, Busy)) else hold["until"]
                worker.pause(min(AWAY_SECONDS, seconds))

    def _concerns_nobody(self, hold: Hold) -> bool:
        return hold["kind"] == OVERLOAD and not self._kept and clock.time() - hold["since"] < QUIET_SECONDS

    def _tell_of_kept(self) -> None:
        hold = self._read() if self._kept else None
        if hold is not None:
            with contextlib.suppress(Problem):
                self._tell(hold)

    def _tell(self, hold: Hold) -> HoldRow:
        """Have the board know of the hold, and let the tasks that wait with it do so without a lease."""
        until = datetime.fromtimestamp(hold["until"], timezone.utc).isoformat()
        body: Values = {
            "program": self._worker.program.key, "host_label": socket.gethostname()[:255], "account": self._account,
            "kind": hold["kind"], "words": hold["words"], "until": until,
            "tasks": [{"task_id": task, "fence": fence} for task, fence in self._kept.items()],
        }  # fmt: skip
        row: HoldRow = self._worker.api.call("POST", HOLDS, body)
        with self._locked():
            if now := self._read():
                self._write({**now, "id": row["id"]})
        return row

    def _obey_answer(self, hold: Hold, known: str | None, seconds: float) -> str | None:
        """Wait for another answer of people than is known, for so long, and do as it says."""
        path = f"{HOLDS}/{hold['id']}?wait_seconds={int(seconds)}&known={known or ''}"
        with self._worker.waiting():
            row: HoldRow = self._worker.api.call("GET", path, seconds=seconds)
        until = _resumption(row) if row["ended_at"] or row["answer"] != known else None
        if until is not None:
            with self._locked():
                if (now := self._read()) and not now["tried_by"]:
                    self._write({**now, "until": until})
        return row["answer"]

    # -- its file -----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        import fcntl

        files.make_folder(self._path)
        with open(f"{self._path}.lock", "a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _read(self) -> Hold | None:
        with contextlib.suppress(OSError, ValueError), open(self._path, encoding="utf-8") as file:
            hold: Hold = json.load(file)
            return hold
        return None

    def _write(self, hold: Hold) -> None:
        files.write(self._path, json.dumps(hold).encode())


def _resumption(row: HoldRow) -> float | None:
    """When people want a worker to go on, in seconds since 1970."""
    if row["ended_at"] or row["answer"] == "continue":
        return clock.time()
    if row["answer"] == "stop" and row["resumes_at"]:
        return datetime.fromisoformat(row["resumes_at"].replace("Z", "+00:00")).timestamp()
    return None


def _clock(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%a %H:%M:%S")
