"""What the board hears of a session while it goes on, and what the session hears: notes, stops, answers, the lease.

Each has a thread and a connection of its own, and puts what the work has to know into its inbox.
"""

from __future__ import annotations

import contextlib
import queue
import threading

from mission_control.client import clock
from mission_control.client.api import Api
from mission_control.client.problems import Busy, NotSignedIn, Problem, Unreachable
from mission_control.client.tasks import GONE
from mission_control.client.work.inbox import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mission_control.client.credentials import Connection
    from mission_control.client.shapes import HookAnswer, Values
    from mission_control.client.work.inbox import Inbox


MOST_WAITING = 2_000  # events, while the server is away
PAUSE, LONGEST_PAUSE, LISTEN_SECONDS = 1.0, 60.0, 55.0


class BoardLink:
    """The connection of one session with the board; without a session only the lease is renewed."""

    def __init__(self, connection: Connection, client: str, session: str, folder: str, inbox: Inbox) -> None:
        self.connection, self.inbox = connection, inbox
        self.path = f"/api/v1/connect/work:{client}/hooks"
        self.common = {"session_id": session, "cwd": folder}
        self.over = threading.Event()
        self._events: queue.Queue[Values | threading.Event | None] = queue.Queue(MOST_WAITING)
        if session:
            self._start(self._tell)
            self._start(self._listen)

    def tell(self, name: str, **fields: object) -> None:
        with contextlib.suppress(queue.Full):
            self._events.put_nowait({"hook_event_name": name, **self.common, **fields})

    def ask(self, answered: Callable[[HookAnswer], None], is_over: Callable[[], bool], **fields: object) -> None:
        """Ask people about a call, and pass on what they say, however long that takes."""
        event: Values = {"hook_event_name": "PermissionRequest", **self.common, **fields}

        def ask() -> None:
            self.flush()
            api = Api(self.connection)
            while not (self.over.is_set() or is_over()):
                if answer := self._answer(api, event):
                    answered(answer)
                    break
            api.close()

        self._start(ask)

    def keep(self, path: str, fence: int, seconds: int) -> None:
        """Renew the lease of a task, until it is somebody else's."""

        def renew() -> None:
            api, pause = Api(self.connection), seconds / 3
            while not self.over.wait(pause):
                try:
                    api.call("POST", path, {"fence": fence, "lease_seconds": seconds}, fence=fence)
                    pause = seconds / 3
                except Problem as problem:
                    if problem.code in GONE or isinstance(problem, NotSignedIn):
                        self.inbox.put(Event("lost", problem.text))
                        break
                    pause = PAUSE * 5
            api.close()

        self._start(renew)

    def flush(self, seconds: float = 10.0) -> None:
        """Wait a moment until what was told has arrived."""
        done = threading.Event()
        with contextlib.suppress(queue.Full):
            self._events.put_nowait(done)
            done.wait(seconds if self.common["session_id"] else 0)

    def close(self) -> None:
        self.flush()
        self.over.set()
        with contextlib.suppress(queue.Full):
            self._events.put_nowait(None)

    def _start(self, function: Callable[[], None]) -> None:
        threading.Thread(target=function, daemon=True).start()

    def _answer(self, api: Api, event: Values) -> HookAnswer:
        try:
            answer: HookAnswer = api.call("POST", self.path, event, seconds=LISTEN_SECONDS)
        except (Unreachable, Busy):
            self.over.wait(PAUSE)
            return {}
        except Problem:
            self.over.wait(LONGEST_PAUSE)
            return {}
        return answer if isinstance(answer, dict) else {}

    def _tell(self) -> None:
        api, pause = Api(self.connection), PAUSE
        while True:
            event = self._events.get()
            if event is None:
                break
            if isinstance(event, threading.Event):
                event.set()
                continue
            while not self.over.is_set():
                try:
                    api.call("POST", self.path, event)
                    pause = PAUSE
                    break
                except (Unreachable, Busy):
                    self.over.wait(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
                except Problem:
                    break  # it is refused, and would be again
        api.close()

    def _listen(self) -> None:
        api = Api(self.connection)
        event: Values = {"hook_event_name": "Listen", **self.common}
        while not self.over.is_set():
            began = clock.monotonic()
            answer = self._answer(api, event)
            if not answer and clock.monotonic() - began < PAUSE:
                self.over.wait(PAUSE)
            if "note" in answer:
                self.inbox.put(Event("note", answer["note"]))
            elif "stop" in answer:
                self.inbox.put(Event("stop", answer["stop"]))
                break
        api.close()
