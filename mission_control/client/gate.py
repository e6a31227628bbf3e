"""The command that holds calls of a program until a person says yes on the board.

A call that is none of these goes on at once, and nothing is sent. Of the others only a yes lets one go: without an
answer, whatever the reason, it is refused.
"""

from __future__ import annotations

import json
import os
import sys

from mission_control.client import credentials
from mission_control.client.api import PATIENCE_SECONDS, Api
from mission_control.client.shell.patterns import concerning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

LIMIT = 600  # seconds, which the hook is given; after it Codex would let the call go
WAIT = LIMIT - 30.0 - PATIENCE_SECONDS  # the server gives up before
SILENT = "This needs a yes on the board, and the board does not answer. Go on without it, or tell your person."


def main(arguments: Sequence[str]) -> int:
    """Answer the call on standard input. The exit code is 0, whatever happens: programs let calls go at any other."""
    try:
        answer = _answer(arguments[0], list(arguments[1:]), sys.stdin.buffer.read())
    except Exception as error:
        answer = refusal(f"{SILENT} ({type(error).__name__})")
    print(json.dumps(answer), flush=True)
    return 0


def refusal(words: str) -> dict[str, Any]:
    decided = {"permissionDecision": "deny", "permissionDecisionReason": words}
    return {"hookSpecificOutput": {"hookEventName": "PreToolUse", **decided}}


def _answer(client: str, rest: list[str], raw: bytes) -> dict[str, Any]:
    body = json.loads(raw)
    tool, given = str(body["tool_name"]), body.get("tool_input")
    patterns = [value for name, value in zip(rest, rest[1:]) if name == "--must"]
    if not concerning(patterns, tool, given if isinstance(given, dict) else {})[0]:
        return {}
    os.environ.pop(credentials.TOKEN, None)  # of its shell; the file is the one of this connection
    connection = credentials.find(rest[rest.index("--connection") + 1] if "--connection" in rest else "")
    headers = {"X-Agent-Token": connection.token, "Content-Type": "application/json", "X-Holds": "yes"}
    found = Api(connection).send("POST", f"/api/v1/connect/{client}/hooks", raw, headers, WAIT)
    said = found.value.get("hookSpecificOutput") if found.status == 200 and isinstance(found.value, dict) else None
    decision = said.get("permissionDecision") if isinstance(said, dict) else None
    if decision not in ("allow", "deny"):
        return refusal(f"{SILENT} (HTTP {found.status})")
    # Codex knows no such yes: it goes on, and asks if it would have asked.
    return {} if decision == "allow" and client == "codex" else found.value
