"""Gemini CLI: hooks, telemetry and the tools of the board in its user settings, which may have comments."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shutil

from mission_control.client import files, programs
from mission_control.client.credentials import TOKEN
from mission_control.client.jsonc import Document, has_only, without_hooks
from mission_control.client.script import commands_in, is_our_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mission_control.client.changes import Change, Kept
    from mission_control.client.connect import Target

KEY, NAME, COMMAND, LEAST = "gemini", "Gemini CLI", "gemini", (0, 61, 0)
SERVER = "mission-control"
HOLDS = False
# Those of the model are not among them: they come with every piece of an answer, and have the whole conversation.
EVENTS = "SessionStart", "BeforeAgent", "BeforeTool", "AfterTool", "Notification", "AfterAgent", "SessionEnd"
MILLISECONDS = 10_000  # it ends by itself after a second
OTLP = "/api/v1/connect/otlp"
PATIENCE = "OTEL_EXPORTER_OTLP_TIMEOUT"  # of which it reads the milliseconds from its environment alone
LINES = f"# Of Mission Control. While this file is there, Gemini CLI reads no ~/.env.\n{PATIENCE}=1000\n".encode()
PROMPTS = (
    "Gemini CLI's prompts are answered at its keyboard, for no hook can answer one; run it by `work` to answer them"
    " on the board."
)


def settings_path() -> str:
    return os.path.join(os.environ.get("GEMINI_CLI_HOME") or os.path.expanduser("~"), ".gemini", "settings.json")


def changes(kept: Kept, target: Target) -> list[Change]:
    found = kept.change(
        settings_path(), lambda content: added(content, target), stripped, is_secret=bool(target.in_settings)
    )
    counts = is_our_telemetry(Document(found.after, settings_path()))
    return [found, kept.change(environment_path(), patient, impatient)] if counts and may_be_patient() else [found]


def environment_path() -> str:
    return os.path.join(os.path.dirname(settings_path()), ".env")


def may_be_patient() -> bool:
    own = os.path.dirname(os.path.dirname(environment_path()))
    return os.path.exists(environment_path()) or not os.path.exists(os.path.join(own, ".env"))


def patient(content: bytes) -> bytes:
    """Return an environment in which it does not wait ten seconds, when it is closed, for a board that is away."""
    if PATIENCE.encode() in content:
        return content
    end = b"" if not content or content.endswith(b"\n") else b"\n"
    return content + end + LINES


def impatient(content: bytes) -> bytes:
    return content.replace(LINES, b"")


def added(content: bytes, target: Target) -> bytes:
    document = Document(content, settings_path())
    hook = {"name": SERVER, "type": "command", "command": target.hook(KEY), "timeout": MILLISECONDS}
    for event in EVENTS:
        document.append(("hooks", event), {"hooks": [hook]})
    secret = target.token if target.in_settings else f"${TOKEN}"
    headers = {"Authorization": f"Bearer {secret}"}
    document.put(("mcpServers", SERVER), {"url": f"{target.url}/mcp", "type": "http", "headers": headers})
    if document.get("telemetry") is None:
        # It takes headers of telemetry from the shell alone, where all that it starts would have them too.
        scheme, _, rest = target.url.partition("://")
        telemetry = {"otlpEndpoint": f"{scheme}://agent:{secret}@{rest}{OTLP}", "otlpProtocol": "http"}
        document.put(("telemetry",), {"enabled": True, "target": "local", **telemetry, "logPrompts": False})
    return document.content


def stripped(content: bytes) -> bytes:
    document = Document(content, settings_path())
    without_hooks(document, is_ours)
    if document.get("mcpServers", SERVER) is not None:
        document.remove(("mcpServers", SERVER))
        if not document.get("mcpServers"):
            document.remove(("mcpServers",))
    if is_our_telemetry(document):
        document.remove(("telemetry",))
    return document.content


def is_our_telemetry(document: Document) -> bool:
    return OTLP in str(document.get("telemetry", "otlpEndpoint"))


def is_ours(hook: dict[str, Any]) -> bool:
    return is_our_command(hook.get("command"), KEY)


def strips(kept: Kept) -> dict[str, Any]:
    return {settings_path(): stripped, environment_path(): impatient}


def secret_path() -> str:
    return settings_path()


def plan() -> str:
    return f"nothing else is done. {PROMPTS}"


def finish(kept: Kept, target: Target) -> str:
    if is_our_telemetry(_read()):
        if may_be_patient():
            return "What it costs is counted, but where a project's own settings send telemetry elsewhere."
        return f"When the board is away, closing it takes ten seconds: {PATIENCE}=1000 in your ~/.env makes that one."
    return "Its telemetry goes where its settings send it already: what it costs is not counted on the board."


def remove_tools(program: str) -> str:
    return ""


def asks_nobody() -> str:
    return PROMPTS


def _read() -> Document:
    try:
        with open(settings_path(), "rb") as file:
            content = file.read()
    except FileNotFoundError:
        content = b""
    return Document(content, settings_path())


def commands() -> dict[str, str]:
    return commands_in(_read(), KEY)


CALL = ("list_directory", {"dir_path": "."})  # which it may do without asking
ACTIVITIES = 5  # opened, prompted, a call begun and ended, finished
ASKED = "Look around, as Mission Control looks whether its connection works."
MODEL = "gemini-2.5-flash"  # with a name it asks no other model which one to take
QUIET = {
    "GEMINI_API_KEY": "none", "GOOGLE_GENAI_USE_VERTEXAI": "false", "GOOGLE_GENAI_USE_GCA": "false",
    "GEMINI_CLI_TRUST_WORKSPACE": "true", "GEMINI_CLI_NO_RELAUNCH": "true",
}  # fmt: skip


def entries(program: str) -> str:
    document = _read()
    if document.get("hooksConfig", "enabled") is False or SERVER in (document.get("hooksConfig", "disabled") or ()):
        return f"hooksConfig in {document.name} switches our hooks off"
    hooks = document.get("hooks") or {}
    missing = [event for event in EVENTS if not any(has_only(one, is_ours) for one in hooks.get(event, ()))]
    if document.get("mcpServers", SERVER) is None:
        missing.append("the tools of the board")
    return f"nothing of ours for {', '.join(missing)}: connect it again" if missing else ""


def turn(program: str, url: str, folder: str) -> programs.Turn:
    """Have it take a turn with a model at another address.

    For its folder alone it is signed in by a key, and offers the tools of the board, for which it would ask.
    """
    found = programs.Turn()
    own = {
        "security": {"auth": {"selectedType": "gemini-api-key"}}, "general": {"enableAutoUpdate": False},
        "tools": {"allowed": [f"mcp_{SERVER}_*"]},
    }  # fmt: skip
    files.write(os.path.join(folder, ".gemini", "settings.json"), json.dumps(own).encode())
    command = ["-p", ASKED, "-m", MODEL, "--output-format", "stream-json"]
    said = programs.run(program, command, folder, {"GOOGLE_GEMINI_BASE_URL": url, **QUIET})[1]
    for line in said.splitlines():
        try:
            one = json.loads(line)
        except ValueError:
            continue
        if isinstance(one, dict) and one.get("type") == "init":
            found.session = str(one.get("session_id"))
    found.trouble = "" if '"result"' in said else said[-300:]
    forget(folder)
    return found


def forget(folder: str) -> None:
    """Remove what it keeps of a folder: its chats, its history, and that it knows the folder."""
    home, path = os.path.dirname(settings_path()), os.path.realpath(folder)
    for known in glob.glob(os.path.join(glob.escape(home), "*", "*", ".project_root")):
        with open(known, encoding="utf-8") as file:
            if os.path.realpath(file.read().strip()) != path:
                continue
        shutil.rmtree(os.path.dirname(known), ignore_errors=True)
    with contextlib.suppress(OSError, ValueError, KeyError, AttributeError):
        with open(os.path.join(home, "projects.json"), encoding="utf-8") as file:
            known = json.load(file)
        kept = {one: name for one, name in known["projects"].items() if os.path.realpath(one) != path}
        if kept != known["projects"]:
            files.write(file.name, json.dumps({**known, "projects": kept}, indent=2).encode())
