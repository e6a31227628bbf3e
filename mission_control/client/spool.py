"""What happens to an event of a program: it is sent, or kept while the server is away and sent later, in its order.

The command of hooks is a script (`script.py`), which comes here to send what was kept, and where there is no `curl`.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys

from mission_control.client import clock, credentials, files, script
from mission_control.client.api import BUSY, PATIENCE_SECONDS, Api, query
from mission_control.client.problems import NotSignedIn, Unreachable, Usage
from mission_control.client.update import after_command, is_newer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

GONE = "This session is not on the board: the connection has ended. Run `{} connect {}` to connect it again."
AWAY = "NotReachable"  # our own event: from when to when a session could say nothing
LEAST_AWAY = 5  # seconds; a shorter pause without a loss is not worth a line
TRIES_FOR = 3600.0  # seconds, without an event that would begin it anew
SETTLES = 0.5  # seconds
LONGEST_PAUSE = 30.0
LOOKS_SECONDS = 0.25
AT_ONCE = 5.0  # seconds for an answer, when no program waits for it


def main(arguments: Sequence[str]) -> int:
    """Hand on the event on standard input, or print the headers of telemetry. The exit code is 0, whatever happens."""
    answer: dict[str, Any] = {}
    try:
        if os.environ.get("MISSION_CONTROL_RUN"):
            raise Usage("`work` tells of this session itself.")
        client, rest = arguments[0], list(arguments[1:])
        given = {one: rest[at + 1] for at, one in enumerate(rest[:-1]) if one.startswith("--")}
        name = given.get("--connection", "")
        os.environ.pop(credentials.TOKEN, None)  # of its shell; the file is the one of this connection
        if "--send-kept" in rest:
            send_kept(client, name)
            return 0
        connection = credentials.find(name)
        if "--headers" in rest:
            answer = {"Authorization": f"Bearer {connection.token}"}
        else:
            event, seconds = Event(client, sys.stdin.buffer.read()), float(given.get("--seconds", script.SECONDS))
            status = int(given["--status"]) if "--status" in given else None
            answer = Spool(client, name).answer(Api(connection), event, seconds, status)
    except Exception as error:
        if os.environ.get("MISSION_CONTROL_DEBUG"):
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
    with contextlib.suppress(OSError):
        print(json.dumps(answer), flush=True)
    return 0


class Event:
    def __init__(self, client: str, raw: bytes, at: int | None = None) -> None:
        self.client, self.raw, self.at = client, raw, int(clock.time()) if at is None else at

    def send(self, api: Api, seconds: float, **more: object) -> tuple[int, Any]:
        if check := os.environ.get(script.CHECK):
            more["check"] = check
        headers = {"X-Agent-Token": api.connection.token, "Content-Type": "application/json"}
        path = f"/api/v1/connect/{self.client}/hooks{query(at=self.at, **more)}"
        try:
            found = api.send("POST", path, self.raw, headers, seconds - PATIENCE_SECONDS)
        except Unreachable:
            return 0, None
        return found.status, found.value if isinstance(found.value, dict) else None

    def send_late(self, api: Api) -> bool:
        """Send what was kept, and return whether it arrived."""
        status, value = self.send(api, AT_ONCE, age=max(0, int(clock.time()) - self.at))
        if status == 401:
            raise NotSignedIn("The connection has ended.")
        return not is_away(status, value)

    @property
    def session(self) -> str:
        try:
            return str(json.loads(self.raw)["session_id"])
        except (ValueError, KeyError, TypeError):
            return ""


def is_away(status: int, value: Any) -> bool:
    return value is None or status < 200 or 300 <= status < 400 or status >= 500 or status in BUSY


class Spool:
    """What waits of a program: its events, a line each with the time; the sessions of what did not fit."""

    def __init__(self, client: str, name: str) -> None:
        self.client, self.name = client, name
        folder = os.path.join(files.folder_of("XDG_STATE_HOME", "~/.local/state"), "spool")
        self.path = os.path.join(folder, f"{client}-{name or 'usual'}")
        self.sending, self.lost, self.telling, self.away, self.lock = (
            f"{self.path}.{what}" for what in ("sending", "lost", "telling", "away", "lock")
        )

    def answer(self, api: Api, event: Event, seconds: float, status: int | None = None) -> dict[str, Any]:
        """Send an event, or keep it, and return what the program is answered."""
        if status is None and (away := self.is_away_since()) is not None:
            self.keep(event)
            if not event.at < away[1] <= event.at + 2 * script.AGAIN_SECONDS:
                self.set_away(away[0])
                self.flush()
            return {}
        value: Any = {}
        if status is None:
            status, value = event.send(api, seconds)
        if is_away(status, value):
            self.keep(event)
            self.set_away(event.at)
            self.flush()
        elif status == 401 and b'"SessionStart"' in event.raw:
            return {"systemMessage": GONE.format(credentials.called(), self.client)}
        elif status == 200:
            if self.has_events():
                self.flush()
            return dict(value)
        return {}

    def has_events(self) -> bool:
        return any(os.path.exists(path) for path in (self.path, self.sending))

    def is_away_since(self) -> tuple[int, int] | None:
        """Return since when the server is away, and when it is tried again by who comes then; None when it is not."""
        try:
            with open(self.away, encoding="utf-8") as file:
                since, again = file.read().split()
            return int(since), int(again)
        except (OSError, ValueError):
            return None

    def set_away(self, since: int) -> None:
        files.write(self.away, f"{since} {int(clock.time()) + script.AGAIN_SECONDS}\n".encode())

    def keep(self, event: Event) -> None:
        """Keep an event, on one line, while there is room."""
        raw = event.raw if len(event.raw) <= script.LARGEST_BODY else event.raw[: script.HEAD]
        line = b"%d %s\n" % (event.at, raw.replace(b"\n", b" "))
        files.make_folder(self.path)
        with _appended(self.path) as file:
            waits = file.tell() + (os.path.getsize(self.sending) if os.path.exists(self.sending) else 0)
            if waits + len(line) <= script.LARGEST_SPOOL:
                file.write(line)
                return
        with _appended(self.lost) as file:
            if file.tell() <= script.LARGEST_LOST:
                file.write(f"{event.session}\n".encode())

    def flush(self) -> None:
        import shlex
        import subprocess

        more = ["--connection", self.name] if self.name else []
        command = [*shlex.split(script.python_command()), "hook", self.client, "--send-kept", *more]
        nothing = subprocess.DEVNULL
        subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)

    def forget(self) -> None:
        for path in (self.path, self.sending, self.lost, self.telling, self.away, self.lock):
            files.remove(path)

    # Sending what was kept

    def drain(self, api: Api) -> bool:
        """Send what waits, first how long nothing could be sent. Return whether all of it went."""
        if not os.path.exists(self.sending):
            try:
                os.rename(self.path, self.sending)
            except FileNotFoundError:
                files.remove(self.away)
                return True
            clock.sleep(SETTLES)  # a hook that opened it before has written to it by then
        events = list(self._events(self.sending))
        waiting = list(self._events(self.path))
        if not self._tell_gap(api, [*events, *waiting]):
            return False
        while events and events[0].send_late(api):
            del events[0]
        if events and os.path.exists(self.sending):  # else it was forgotten
            files.write(self.sending, b"".join(b"%d %s\n" % (one.at, one.raw) for one in events))
            self.set_away(int(clock.time()))
        if events:
            return False
        files.remove(self.sending)
        return self.drain(api)

    def _events(self, path: str) -> Iterator[Event]:
        for line in _lines(path):
            at, _, raw = line.partition(b" ")
            if at.isdigit():
                yield Event(self.client, raw, int(at))

    def _tell_gap(self, api: Api, events: list[Event]) -> bool:
        """Tell each session how long it could say nothing, how much comes late, and how much is lost."""
        from collections import Counter

        now, away = int(clock.time()), self.is_away_since()
        if not os.path.exists(self.telling):  # a hook may write another one at this moment
            with contextlib.suppress(FileNotFoundError):
                os.rename(self.lost, self.telling)
        lost = Counter(line.decode("utf-8", "replace") for line in _lines(self.telling))
        late, begun = Counter[str](), dict.fromkeys(lost, away[0] if away else now)
        for one in events:
            session = one.session
            late[session] += 1
            begun[session] = min(one.at, begun.get(session, one.at))
        for session, since in begun.items():
            if session and (lost[session] or now - since >= LEAST_AWAY):
                gap = {"hook_event_name": AWAY, "session_id": session, "seconds": max(0, now - since)}
                raw = json.dumps({**gap, "late": late[session], "lost": lost[session]}).encode()
                if not Event(self.client, raw, since).send_late(api):
                    return False
        files.remove(self.telling)
        return True


@contextlib.contextmanager
def _appended(path: str) -> Iterator[Any]:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
        yield file


def _lines(path: str) -> Iterable[bytes]:
    try:
        with open(path, "rb") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return ()


def send_kept(client: str, name: str) -> None:
    """Try to send what waits until all of it has gone, for an hour; one process does that for a program."""
    import fcntl

    if os.path.exists(script.path()):
        script.write()  # by the program that has replaced an older one
    spool = Spool(client, name)
    files.make_folder(spool.lock)
    with contextlib.suppress(OSError):
        os.setsid()
    with open(os.open(spool.lock, os.O_RDWR | os.O_CREAT, 0o600), "rb") as mine:
        try:
            fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        end, pause = clock.monotonic() + TRIES_FOR, 1.0
        while (spool.has_events() or os.path.exists(spool.away)) and clock.monotonic() < end:
            if (away := spool.is_away_since()) is not None:
                spool.set_away(away[0])
            api = Api(credentials.find(name))
            if spool.drain(api):
                break
            api.close()
            until = clock.monotonic() + pause
            while spool.has_events() and clock.monotonic() < until:
                clock.sleep(LOOKS_SECONDS)  # it may be forgotten
            pause = min(pause * 2, LONGEST_PAUSE)
        else:
            return
    if is_newer(api.newest):
        after_command(api)
        spool.flush()
