"""Look whether a connection works: one turn of the real program against a model on this machine, seen on the board."""

from __future__ import annotations

import json
import os
import tempfile

from mission_control.client import clock, script
from mission_control.client.api import Api, query
from mission_control.client.model import model
from mission_control.client.program import Program, Turn, answer_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ARRIVES_SECONDS = 15.0


def checks(api: Api, client: Program, program: str, version: str) -> list[dict[str, str]]:
    own = api.call("POST", "/api/v1/agent/heartbeat")
    entries = client.entries(program)
    found = [
        _line("Version", True, f"{client.name} {version}"),
        _line("Settings", not entries, entries or f"as {client.name} was connected"),
    ]
    os.environ[script.CHECK] = word = f"check-{os.urandom(6).hex()}"  # for the hooks of all that runs from here on
    with tempfile.TemporaryDirectory(prefix="mission-control-") as folder, model(*client.call) as asked:
        asked.looks_for = f"{word} note"
        turn = client.turn(program, asked.url, folder)
        if client.events:  # opencode has a plugin
            found.append(_samples(client, word, folder))
    session = _session(api, own["board_id"], client, turn)
    count = session["activity_count"] if session else 0
    is_whole = bool(session and session["ended_at"] and count >= client.activities)
    if not asked.times:
        text = f"its turn went to another model than the one for this check. {turn.trouble}"
    elif is_whole:
        text = f"a whole turn arrived, in {count} activities"
    elif session:
        text = f"{count} of {client.activities} activities arrived"
    else:
        text = turn.trouble or "its turn left no sign here"
    if asked.has_tools:
        turn.tools = "connected"
    elif turn.tools != "connected":
        turn.tools = client.tools(program)
    nobody = client.asks_nobody()
    tokens = session["input_tokens"] + session["output_tokens"] if session else 0
    found += [
        _line("Timeline", is_whole and asked.times > 0, text),
        _line("Usage", tokens > 0, f"{tokens:,} tokens of two requests" if tokens else "nothing was counted"),
        _line("Board tools", turn.tools == "connected", f"by MCP: {turn.tools or 'not seen'}"),
        {**_line("Prompts", True, nobody or "it asks you"), **({"state": "later"} if nobody else {})},
    ]
    if client.events:
        how = "reached" if asked.found else "did not reach"
        found.insert(-1, _line("Notes", asked.found, f"one {how} its model during the turn"))
    if session and session["failing"]:
        found.append(_line("Commands", False, f"{session['failing']}: can {client.name} set up its sandbox here?"))
    if used := tell_windows(api, client, program, turn):
        found.append(_line("Subscription", True, used))
    return found


def tell_windows(api: Api, client: Program, program: str, turn: Turn) -> str:
    """Tell the board what the program says of its subscription, and return that in a line; "" where it says nothing."""
    windows = client.windows(program) if turn.session else []
    if windows:
        session = {"external_id": turn.session, "client": client.key}
        api.call("POST", "/api/v1/agent/reports", {"session": session, "windows": windows})
    return ", ".join(f"{one['used_percent']:.0f} % of its {one['name']}" for one in windows)


def _samples(client: Program, word: str, folder: str) -> dict[str, str]:
    """Run each hook as it stands in the settings, with a sample of its event, and look at the answers."""
    call = {"tool_name": "Bash", "tool_input": {"command": "true"}, "tool_use_id": word}
    commands, silent = client.commands(), []
    for event in (one for one in client.events if one in commands):
        body = {"hook_event_name": event, "session_id": word, "cwd": folder, **call}
        answer = answer_of(commands[event], json.dumps(body))
        if answer is None or (event == "PermissionRequest" and f"{word} refusal" not in answer):
            silent.append(event)
    count = len(commands) - len(silent)
    text = f"{count} answer" if not silent else f"{count} answer as they should, but not {', '.join(silent)}"
    said = ", and a permission was refused" if not silent and "PermissionRequest" in commands else ""
    return _line("Hooks", bool(commands) and not silent, f"{text}{said}")


def _line(name: str, is_good: bool, text: str) -> dict[str, str]:
    return {"name": name, "state": "ok" if is_good else "failed", "text": text[:500]}


def _session(api: Api, board: str, client: Program, turn: Turn) -> Any:
    found, end = None, clock.monotonic() + ARRIVES_SECONDS
    while turn.session and clock.monotonic() < end:
        listed = api.call("GET", f"/api/v1/boards/{board}/sessions{query(limit=20)}")["items"]
        found = next((one for one in listed if one["external_id"] == turn.session), None)
        if found and found["ended_at"] and found["input_tokens"]:
            break
        clock.sleep(0.5)
    return found
