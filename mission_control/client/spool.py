"""The command that programs run at their events: it hands the event on, prints the answer, and never fails them.

What cannot be sent waits in a file, up to 1 MB, and goes with a later event.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time

from mission_control.client import credentials, files
from mission_control.client.api import BUSY, PATIENCE_SECONDS, Api
from mission_control.client.problems import Problem, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

QUICK = 1.0 - PATIENCE_SECONDS  # it waits a second for the connection, and one for the answer: programs give it three
LARGEST_SPOOL = 1024 * 1024
SEND_SECONDS = 0.5
GONE = "This session is not on the board: the connection has ended. Run `{} connect {}` to connect it again."


def main(arguments: Sequence[str]) -> int:
    """Hand on the event on standard input, or print the headers of telemetry. The exit code is 0, whatever happens."""
    answer: dict[str, Any] = {}
    try:
        if os.environ.get("MISSION_CONTROL_RUN"):
            raise Problem("`work` tells of this session itself.")
        client, rest = arguments[0], list(arguments[1:])
        name = rest[rest.index("--connection") + 1] if "--connection" in rest else ""
        os.environ.pop(credentials.TOKEN, None)  # of its shell; the file is the one of this connection
        connection = credentials.find(name)
        if "--headers" in rest:
            answer = {"Authorization": f"Bearer {connection.token}"}
        else:
            answer = _handed_on(Api(connection), client, sys.stdin.buffer.read(), path_of(client, name))
    except Exception as error:
        if os.environ.get("MISSION_CONTROL_DEBUG"):
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
    with contextlib.suppress(OSError):
        print(json.dumps(answer), flush=True)
    return 0


def path_of(client: str, name: str) -> str:
    """Return where what could not be sent waits."""
    return os.path.join(files.folder_of("XDG_STATE_HOME", "~/.local/state"), "spool", f"{client}-{name or 'usual'}")


def _handed_on(api: Api, client: str, raw: bytes, path: str) -> dict[str, Any]:
    try:
        status, answer = _sent(api, client, raw)
    except (Problem, OSError):
        status, answer = 503, {}
    if status in BUSY or status >= 500:
        _keep(path, raw)
    elif status == 401 and b'"SessionStart"' in raw:
        return {"systemMessage": GONE.format(credentials.called(), client)}
    elif status == 200:
        _send_kept(api, client, path)
        return answer
    return {}


def _sent(api: Api, client: str, raw: bytes) -> tuple[int, dict[str, Any]]:
    headers = {"X-Agent-Token": api.connection.token, "Content-Type": "application/json"}
    found = api.send("POST", f"/api/v1/connect/{client}/hooks", raw, headers, QUICK)
    return found.status, found.value if isinstance(found.value, dict) else {}


def _keep(path: str, raw: bytes) -> None:
    """Keep an event, on one line, while there is room."""
    try:
        line = json.dumps(json.loads(raw)).encode() + b"\n"
    except ValueError:
        return
    files.make_folder(path)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
        if file.tell() + len(line) <= LARGEST_SPOOL:
            file.write(line)


def _send_kept(api: Api, client: str, path: str) -> None:
    """Send what waits. One process takes all of it; what it cannot send at once goes back."""
    mine = f"{path}.{os.getpid()}"
    try:
        os.rename(path, mine)
    except OSError:
        return
    with open(mine, "rb") as file:
        lines = file.read().splitlines()
    end = time.monotonic() + SEND_SECONDS
    while lines and time.monotonic() < end:
        try:
            status, _ = _sent(api, client, lines[0])
        except Unreachable:
            break
        if status in BUSY or status >= 500:
            break
        lines.pop(0)
    for line in lines:
        _keep(path, line)
    files.remove(mine)
