"""Claude Code: hooks and telemetry in its user settings, the tools of the board by its own command."""

from __future__ import annotations

import json
import os
import uuid

from mission_control.client import gate, programs
from mission_control.client.credentials import ALLOW_HTTP, TOKEN, URL
from mission_control.client.jsonc import Document, without_hooks
from mission_control.client.problems import Problem
from mission_control.client.script import commands_in, is_our_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mission_control.client.changes import Change, Kept
    from mission_control.client.connect import Target

KEY, NAME, COMMAND, LEAST = "claude-code", "Claude Code", "claude", (2, 1, 295)
UPDATE = (
    "npm installs that with Node 22 or newer only; its own installer needs no Node:"
    " curl -fsSL https://claude.ai/install.sh | bash"
)
SERVER = "mission-control"
HOLDS = True  # calls, by a hook that refuses them when it gets no answer
MODE = (
    "Claude Code decides by itself in its auto mode, and then asks nobody, here or on the board. Ask you instead? (sets"
    " permissions.defaultMode)"
)
EVENTS = (
    "SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch",
    "PermissionRequest", "PermissionDenied", "Notification", "SubagentStart", "SubagentStop", "TaskCreated",
    "TaskCompleted", "Stop", "StopFailure", "PreCompact", "PostCompact", "SessionEnd",
)  # fmt: skip
# A prompt may wait long: it is on the screen. The others end by themselves after a second.
SECONDS, ASKS, ASKS_SECONDS = 10, "PermissionRequest", 600
MANAGED = "/etc/claude-code/managed-settings.json"  # of who runs the machine
HOOKS = "/api/v1/connect/claude-code/hooks"  # to which an earlier version had it post
HELPER = "otelHeadersHelper"
LOGS = "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"
TELEMETRY = {
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1", "OTEL_LOGS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "http/json",
}  # fmt: skip
OURS = (TOKEN, URL, ALLOW_HTTP, LOGS)


def settings_path() -> str:
    folder = os.environ.get("CLAUDE_CONFIG_DIR") or os.path.expanduser("~/.claude")
    return os.path.join(folder, "settings.json")


def changes(kept: Kept, target: Target) -> list[Change]:
    return [
        kept.change(
            settings_path(), lambda content: added(content, target), stripped, is_secret=bool(target.in_settings)
        )
    ]


def added(content: bytes, target: Target) -> bytes:
    document = Document(content, settings_path())
    _refuse_comments(content)
    for event in EVENTS:
        document.append(("hooks", event), {"hooks": [_hook(event, target)]})
    if command := target.gate(KEY):
        document.append(("hooks", "PreToolUse"), {"hooks": [_gate(command)]})
    for name, value in target.environment.items():
        document.put(("env", name), value)
    if not has_telemetry(document):
        for name, value in {**TELEMETRY, LOGS: f"{target.url}/api/v1/connect/otlp/v1/logs"}.items():
            document.put(("env", name), value)
        document.put((HELPER,), target.headers(KEY))
    if target.asks:
        document.put(("permissions", "defaultMode"), "default")
    return document.content


def _refuse_comments(content: bytes) -> None:
    """Refuse settings of which the program itself reads nothing, without a word."""
    try:
        json.loads(content.decode("utf-8-sig", "replace") or "{}")
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise Problem(
            f"{settings_path()}: Claude Code reads nothing of this file, because line {line} is a comment, has a comma"
            " too many, or is no JSON. Mend it first; nothing was changed.",
            "bad_settings",
        ) from None


def _hook(event: str, target: Target) -> dict[str, object]:
    if event == ASKS:
        return {"type": "command", "command": target.hook(KEY, ASKS_SECONDS - 5), "timeout": ASKS_SECONDS}
    return {"type": "command", "command": target.hook(KEY), "timeout": SECONDS}


def _gate(command: str) -> dict[str, object]:
    return {
        "type": "command", "command": command, "timeout": gate.LIMIT, "onFailure": "block",
        "statusMessage": "Waiting for a yes on the board",
    }  # fmt: skip


def has_telemetry(document: Document) -> bool:
    named = document.get("env")
    names = named if isinstance(named, dict) else {}
    return bool(document.get(HELPER)) or any(name.startswith("OTEL_") or name in TELEMETRY for name in names)


def stripped(content: bytes) -> bytes:
    document = Document(content, settings_path())
    without_hooks(document, is_ours)
    environment = document.get("env")
    environment = environment if isinstance(environment, dict) else {}
    is_sent_here = "/api/v1/connect/otlp/" in str(environment.get(LOGS, ""))
    for name in (*OURS, *(TELEMETRY if is_sent_here else ())):
        if name in environment and (name != LOGS or is_sent_here):
            document.remove(("env", name))
    if environment and not document.get("env"):
        document.remove(("env",))
    if is_our_command(document.get(HELPER), KEY):
        document.remove((HELPER,))
    return document.content


def is_ours(hook: object) -> bool:
    if not isinstance(hook, dict):
        return False
    return str(hook.get("url", "")).endswith(HOOKS) or is_our_command(hook.get("command"), KEY)


def strips(kept: Kept) -> dict[str, Any]:
    return {settings_path(): stripped}


def secret_path() -> str:
    return settings_path()


def plan() -> str:
    return "`claude mcp add` gives it the tools of the board."


def finish(kept: Kept, target: Target) -> str:
    """Give it the tools of the board by its own command, and return that in a line."""
    remove_tools(target.program)
    header = "Authorization: Bearer ${" + TOKEN + "}"
    add = ["mcp", "add", "--transport", "http", "--scope", "user", SERVER, f"{target.url}/mcp", "--header", header]
    done, said = programs.run(target.program, add)
    if not done:
        raise Problem(f"Its hooks are connected, but `claude mcp add` failed: {said[-300:]}", "no_mcp")
    return "It has the tools of the board."


def remove_tools(program: str) -> str:
    """Take the tools of the board away by its own command, and return that in a line."""
    done, _ = programs.run(program, ["mcp", "remove", "--scope", "user", SERVER])
    return f"Its own list of MCP servers: our entry {'is out' if done else 'was not there'}."


def asks_nobody() -> str:
    mode = _read().get("permissions", "defaultMode") or "auto"
    return "" if mode in ("default", "plan") else f"mode {mode}: it asks nobody, here or on the board"


def _read(path: str = "") -> Document:
    path = path or settings_path()
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        content = b""
    return Document(content, path)


def commands() -> dict[str, str]:
    return commands_in(_read(), KEY)


CALL = ("Bash", {"command": "echo Mission Control", "description": "Say a name"})
ACTIVITIES = 5  # opened, prompted, a call begun and ended, finished
ASKED = "Say the name, as Mission Control looks whether its connection works."
QUIET = {
    "ANTHROPIC_API_KEY": "none", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_USE_BEDROCK": "0", "CLAUDE_CODE_USE_VERTEX": "0", "CLAUDE_CODE_USE_FOUNDRY": "0",
}  # fmt: skip


def entries(program: str) -> str:
    document = _read()
    for one in (document, _read(MANAGED)):
        for name in ("disableAllHooks", "allowManagedHooksOnly"):
            if one.get(name) is True:
                return f"{name} is set in {one.name}, so that our hooks do not run"
    hooks = document.get("hooks") or {}
    missing = [
        event for event in EVENTS
        if not any(is_ours(one) for group in hooks.get(event, ()) for one in group.get("hooks", ()))
    ]  # fmt: skip
    return f"no hook of ours for {', '.join(missing)}: connect it again" if missing else ""


def turn(program: str, url: str, folder: str) -> programs.Turn:
    """Have it take a turn with a model at another address."""
    names = {"ANTHROPIC_BASE_URL": url, **QUIET}
    found = programs.Turn()
    found.session = str(uuid.uuid4())
    command = [
        program, "-p", ASKED, "--session-id", found.session, "--output-format", "stream-json", "--verbose",
        "--no-session-persistence", "--allowedTools", "Bash(echo:*)", "--settings", json.dumps({"env": names}),
    ]  # fmt: skip
    said = programs.run(command[0], command[1:], folder, names)[1]
    for line in said.splitlines():
        try:
            one = json.loads(line)
        except ValueError:
            continue
        for server in one.get("mcp_servers", ()) if isinstance(one, dict) else ():
            if server.get("name") == SERVER:
                found.tools = str(server.get("status"))
    found.trouble = "" if '"result"' in said else said[-300:]
    return found


def tools(program: str) -> str:
    return "connected" if "Connected" in programs.run(program, ["mcp", "get", SERVER])[1] else "not connected"
