"""Look whether a connection works: one turn of the real program against a model on this machine, seen on the board."""

from __future__ import annotations

import tempfile
import time

from mission_control.client import programs
from mission_control.client.api import Api, query
from mission_control.client.model import model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ARRIVES_SECONDS = 15.0


def checks(api: Api, module: Any, program: str, version: str) -> list[dict[str, str]]:
    """Return what works and what does not, a line each."""
    own = api.call("POST", "/api/v1/agent/heartbeat")
    entries = module.entries(program)
    found = [
        _line("Version", True, f"{module.NAME} {version}"),
        _line("Settings", not entries, entries or f"as {module.NAME} was connected"),
    ]
    with tempfile.TemporaryDirectory(prefix="mission-control-") as folder, model(*module.CALL) as asked:
        turn = module.turn(program, asked.url, folder)
    session = _session(api, own["board_id"], module, turn)
    count = session["activity_count"] if session else 0
    is_whole = bool(session and session["ended_at"] and count >= module.ACTIVITIES)
    if not asked.times:
        text = f"its turn went to another model than the one for this check. {turn.trouble}"
    elif is_whole:
        text = f"a whole turn arrived, in {count} activities"
    elif session:
        text = f"{count} of {module.ACTIVITIES} activities arrived"
    else:
        text = turn.trouble or "its turn left no sign here"
    if asked.has_tools:
        turn.tools = "connected"
    elif hasattr(module, "tools") and turn.tools != "connected":
        turn.tools = module.tools(program)
    nobody = module.asks_nobody()
    tokens = session["input_tokens"] + session["output_tokens"] if session else 0
    found += [
        _line("Timeline", is_whole and asked.times > 0, text),
        _line("Usage", tokens > 0, f"{tokens:,} tokens of two requests" if tokens else "nothing was counted"),
        _line("Board tools", turn.tools == "connected", f"by MCP: {turn.tools or 'not seen'}"),
        {**_line("Prompts", True, nobody or "it asks you"), **({"state": "later"} if nobody else {})},
    ]
    if used := tell_windows(api, module, program, turn):
        found.append(_line("Subscription", True, used))
    return found


def tell_windows(api: Api, module: Any, program: str, turn: programs.Turn) -> str:
    """Tell the board what the program says of its subscription, and return that in a line; "" where it says nothing."""
    windows = module.windows(program) if turn.session and hasattr(module, "windows") else []
    if windows:
        session = {"external_id": turn.session, "client": module.KEY}
        api.call("POST", "/api/v1/agent/reports", {"session": session, "windows": windows})
    return ", ".join(f"{one['used_percent']:.0f} % of its {one['name']}" for one in windows)


def _line(name: str, is_good: bool, text: str) -> dict[str, str]:
    return {"name": name, "state": "ok" if is_good else "failed", "text": text[:500]}


def _session(api: Api, board: str, module: Any, turn: programs.Turn) -> Any:
    """Return the session of a turn when all of it is there, or as it is after a while."""
    found, end = None, time.monotonic() + ARRIVES_SECONDS
    while turn.session and time.monotonic() < end:
        listed = api.call("GET", f"/api/v1/boards/{board}/sessions{query(limit=20)}")["items"]
        found = next((one for one in listed if one["external_id"] == turn.session), None)
        if found and found["ended_at"] and found["input_tokens"]:
            break
        time.sleep(0.5)
    return found
