"""opencode: one plugin of ours in a file of its own, which also gives it the tools of the board; no token is in it."""

from __future__ import annotations

import json
import os
import pkgutil
import shlex

from mission_control.client import credentials, programs, script
from mission_control.client.jsonc import Document
from mission_control.client.spool import Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mission_control.client.changes import Change, Kept
    from mission_control.client.connect import Target

KEY, NAME, COMMAND, LEAST = "opencode", "opencode", "opencode", (1, 18, 0)
SERVER = "mission-control"
HOLDS = False
FIRST, PLACES = "// Mission Control: ", "const PLACES = {};"
MODE = (
    "opencode does what it wants where its settings have it ask nobody, here or on the board. Have it ask before it"
    " changes files and runs commands? (sets permission)"
)
ASKS = {"edit": "ask", "bash": "ask"}


def folder() -> str:
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return os.path.join(base, "opencode")


def plugin_path() -> str:
    return os.path.join(folder(), "plugin", f"{SERVER}.js")


def settings_path() -> str:
    commented = os.path.join(folder(), "opencode.jsonc")
    return commented if os.path.exists(commented) else os.path.join(folder(), "opencode.json")


def changes(kept: Kept, target: Target) -> list[Change]:
    found = [kept.change(plugin_path(), lambda _: plugin(target.name), stripped)]
    if target.asks:
        found.append(kept.change(settings_path(), asking, not_asking))
    return found


def plugin(name: str) -> bytes:
    more = ["--connection", name] if name else []
    flush = [*shlex.split(script.python_command()), "hook", KEY, "--send-kept", *more]
    places = {"connection": credentials.path_of(name), "spool": Spool(KEY, name).path, "flush": flush}
    text = (pkgutil.get_data("mission_control.client", "opencode_plugin.js") or b"").decode()
    return text.replace(PLACES, f"const PLACES = {json.dumps(places)};", 1).encode()


def stripped(content: bytes) -> bytes:
    """Return what is in the file without us: nothing, where it is our plugin."""
    return b"" if content.startswith(FIRST.encode()) else content


def asking(content: bytes) -> bytes:
    document = Document(content, settings_path())
    if document.get("permission") is None:
        document.put(("permission",), ASKS)
    return document.content


def not_asking(content: bytes) -> bytes:
    document = Document(content, settings_path())
    if document.get("permission") == ASKS:
        document.remove(("permission",))
    return document.content


def strips(kept: Kept) -> dict[str, Any]:
    settings = settings_path()
    more = {settings: not_asking} if os.path.realpath(settings) in kept.value["files"] else {}
    return {plugin_path(): stripped, **more}


def secret_path() -> str:
    return ""


def plan() -> str:
    return "nothing else is done: the plugin gives it the tools of the board too."


def finish(kept: Kept, target: Target) -> str:
    return "It has the tools of the board. An opencode that runs already has to be started again."


def remove_tools(program: str) -> str:
    return ""


def asks_nobody() -> str:
    try:
        with open(settings_path(), "rb") as file:
            asked = json.dumps(Document(file.read(), settings_path()).get("permission"))
    except FileNotFoundError:
        asked = ""
    return "" if '"ask"' in asked else "its settings ask for little: of commands and changes nobody is asked"


CALL = ("bash", {"command": "echo Mission Control", "description": "Say a name"})
ACTIVITIES = 5  # opened, prompted, a call begun and ended, finished
ASKED = "Say the name, as Mission Control looks whether its connection works."


def entries(program: str) -> str:
    try:
        with open(plugin_path(), encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return "the plugin is not there: connect it again"
    return "" if text.startswith(FIRST) and PLACES not in text else f"{plugin_path()} is not ours: connect it again"


def turn(program: str, url: str, folder: str) -> programs.Turn:
    """Have it take a turn with a model at another address; the session is in none of its lists."""
    found = programs.Turn()
    model = {"name": "check", "limit": {"context": 100_000, "output": 4_000}}
    options = {"baseURL": f"{url}/v1", "apiKey": "none"}
    provider = {"npm": "@ai-sdk/anthropic", "name": "check", "options": options, "models": {"check": model}}
    own = {"model": "check/check", "provider": {"check": provider}, "permission": {"bash": "allow"}}
    names = {
        "OPENCODE_CONFIG_CONTENT": json.dumps(own), "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1", "XDG_DATA_HOME": os.path.join(folder, ".data"),
    }  # fmt: skip
    said = programs.run(program, ["run", "--format", "json", ASKED], folder, names)[1]
    for line in said.splitlines():
        try:
            one = json.loads(line)
        except ValueError:
            continue
        if isinstance(one, dict) and one.get("sessionID"):
            found.session = str(one["sessionID"])
    found.trouble = "" if found.session else said[-300:]
    return found
