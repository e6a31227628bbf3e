"""Codex: hooks in a file of their own, the tools of the board, the token in its own `.env`, trust by its own way."""

from __future__ import annotations

import json
import os
import re
import subprocess
from functools import partial

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

KEY, NAME, COMMAND, LEAST = "codex", "Codex", "codex", (0, 171, 0)
SERVER = "mission-control"
HOLDS = True  # calls, by a hook that refuses them when it gets no answer
SECONDS = 60.0
EVENTS = (
    "SessionStart", "UserPromptSubmit", "PostModelRequest", "PreToolUse", "PermissionRequest", "PostToolUse",
    "SubagentStart", "SubagentStop", "PreCompact", "PostCompact", "Stop", "Interrupt", "SessionEnd",
)  # fmt: skip
HOOK_SECONDS, SHORT, SHORT_SECONDS = 10, ("Interrupt", "SessionEnd"), 3
ASKS, ASKS_SECONDS = "PermissionRequest", 310
TABLE = re.compile(r"^\[+[^\n]*\]\s*(?:#[^\n]*)?$", re.MULTILINE)


def home() -> str:
    return os.environ.get("CODEX_HOME") or os.path.expanduser("~/.codex")


def paths() -> tuple[str, str, str]:
    return os.path.join(home(), "hooks.json"), os.path.join(home(), ".env"), os.path.join(home(), "config.toml")


def changes(kept: Kept, target: Target) -> list[Change]:
    """Return what becomes of its files; what its own command writes is seen on a copy."""
    hooks, environment, config = paths()
    strip = strips(kept)
    found = [kept.change(hooks, lambda content: added(content, target), strip[hooks])]
    if target.in_settings:
        add = partial(with_names, names=target.environment)
        found.append(kept.change(environment, add, strip[environment], is_secret=True))
    server = kept.change(config, lambda content: with_server(content, target), strip[config])
    if server.now is not None and without_trust(server.now, kept.value.get("trusted", [])) == server.after:
        server.after = server.now  # as it was connected before
    return [*found, server]


def strips(kept: Kept) -> dict[str, Any]:
    hooks, environment, config = paths()
    trusted = list(kept.value.get("trusted", ()))
    return {hooks: stripped, environment: without_names, config: lambda content: without_server(content, trusted)}


def secret_path() -> str:
    return paths()[1]


def plan() -> str:
    return "these hooks are marked as trusted in Codex, by its own way: it runs no others."


def remove_tools(program: str) -> str:
    return ""


def added(content: bytes, target: Target) -> bytes:
    document = Document(content, paths()[0])
    for event in EVENTS:
        seconds = SHORT_SECONDS if event in SHORT else HOOK_SECONDS
        hook: dict[str, object] = {"type": "command", "command": target.hook(KEY), "timeout": seconds}
        if event == ASKS:
            hook.update(command=target.hook(KEY, ASKS_SECONDS - 5), timeout=ASKS_SECONDS)
            hook["statusMessage"] = "Asking on the board; esc to stop"
        document.append(("hooks", event), {"hooks": [hook]})
    if command := target.gate(KEY):
        held: dict[str, object] = {"type": "command", "command": command, "timeout": gate.LIMIT}
        held["statusMessage"] = "Waiting for a yes on the board; esc to stop"
        document.append(("hooks", "PreToolUse"), {"hooks": [held]})
    return document.content


def stripped(content: bytes) -> bytes:
    document = Document(content, paths()[0])
    without_hooks(document, is_ours)
    return document.content


def is_ours(hook: dict[str, Any]) -> bool:
    return hook.get("server") == SERVER or is_our_command(hook.get("command"), KEY)


def with_names(content: bytes, names: dict[str, str]) -> bytes:
    end = b"" if not content or content.endswith(b"\n") else b"\n"
    return content + end + "".join(f"{name}={value}\n" for name, value in names.items()).encode()


def without_names(content: bytes) -> bytes:
    ours = tuple(f"{name}=".encode() for name in (TOKEN, URL, ALLOW_HTTP))
    return b"".join(line for line in content.splitlines(keepends=True) if not line.startswith(ours))


def with_server(content: bytes, target: Target) -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="mission-control-") as folder:
        path = os.path.join(folder, "config.toml")
        with open(path, "wb") as file:
            file.write(content)
        command = ["mcp", "add", SERVER, "--url", f"{target.url}/mcp", "--bearer-token-env-var", TOKEN]
        done, said = programs.run(target.program, command, more={"CODEX_HOME": folder})
        if not done:
            raise Problem(f"`codex mcp add` did not work; nothing was changed. It said: {said[-300:]}", "no_mcp")
        with open(path, "rb") as file:
            text = file.read().decode("utf-8", "surrogateescape")
    line = f'bearer_token_env_var = "{TOKEN}"\n'
    # It waits 30 seconds at each start for a server that is silent.
    return text.replace(line, f"{line}startup_timeout_sec = 5\n", 1).encode("utf-8", "surrogateescape")


def without_server(content: bytes, trusted: list[str]) -> bytes:
    return _without(without_trust(content, trusted), [f"[mcp_servers.{SERVER}]"])


def without_trust(content: bytes, trusted: list[str]) -> bytes:
    left = _without(content, [f"[hooks.state.{json.dumps(key)}]" for key in trusted])
    is_empty = (
        trusted and b"[hooks.state." not in left and re.search(rb"^\[hooks\.state\]\n(?!\s*\w)", left, re.MULTILINE)
    )
    return _without(left, ["[hooks.state]"]) if is_empty else left


def _without(content: bytes, heads: list[str]) -> bytes:
    """Return TOML without some tables, with the empty lines before one that was the last."""
    text = content.decode("utf-8", "surrogateescape")
    for head in heads:
        start = text.find(head)
        if start < 0 or (start and text[start - 1] != "\n"):
            continue
        following = TABLE.search(text, start + len(head))
        before = text[:start] if following else re.sub(r"(\r?\n)\s*\Z", r"\1", text[:start])
        text = before + (text[following.start() :] if following else "")
    return text.encode("utf-8", "surrogateescape")


class AppServer:
    """Its own server, asked line by line."""

    def __init__(self, program: str, *options: str) -> None:
        from threading import Timer

        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [program, *options, "app-server"],
            cwd=os.sep,
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            universal_newlines=True,
        )
        self._end, self._number = Timer(SECONDS, self._process.kill), 0
        self._end.start()
        self.ask("initialize", {"clientInfo": {"name": SERVER, "title": "Mission Control", "version": "1"}})
        self._say({"method": "initialized"})

    def ask(self, method: str, given: object) -> Any:
        self._number += 1
        self._say({"id": self._number, "method": method, "params": given})
        assert self._process.stdout is not None
        for line in self._process.stdout:
            found = json.loads(line)
            if found.get("id") == self._number and "method" not in found:
                if "error" in found:
                    raise Problem(f"Codex refused {method}: {found['error'].get('message')}", "refused_by_program")
                return found["result"]
        raise Problem(f"Codex did not answer {method}.", "no_answer_of_program")

    def _say(self, message: dict[str, object]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._end.cancel()


def our_hooks(server: AppServer) -> list[dict[str, Any]]:
    found = server.ask("hooks/list", {"cwds": [os.sep]})["data"][0]["hooks"]
    path = os.path.realpath(paths()[0])
    mine = [one for one in found if os.path.realpath(str(one.get("sourcePath"))) == path]
    return [one for one in mine if is_ours(one)]


def finish(kept: Kept, target: Target) -> str:
    """Trust our hooks, which were shown, and return how many there are, in a line."""
    config = os.path.realpath(paths()[2])
    server = AppServer(target.program)
    try:
        hooks = our_hooks(server)
        value = {one["key"]: {"trusted_hash": one["currentHash"]} for one in hooks}
        edits = [{"keyPath": "hooks.state", "mergeStrategy": "upsert", "value": value}]
        server.ask("config/batchWrite", {"edits": edits})
        left = [one["key"] for one in our_hooks(server) if one["trustStatus"] != "trusted"]
    finally:
        server.close()
    with open(config, "rb") as file:
        after = file.read()
    known = kept.value["files"][config]
    without = kept.copy_of(config)
    kept.keep(config, without, after, known["mode"], is_whole=known["is_whole"])
    kept.save(trusted=list(value))
    if left or len(value) < len(EVENTS):
        raise Problem(
            f"Codex trusts {len(value) - len(left)} of our {len(EVENTS)} hooks. Look at them with /hooks.", "no_trust"
        )
    return f"Codex trusts the {len(value)} hooks."


def commands() -> dict[str, str]:
    with open(paths()[0], "rb") as file:
        return commands_in(Document(file.read(), paths()[0]), KEY)


CALL = ("exec_command", {"cmd": "echo Mission Control"})
ACTIVITIES = 5  # opened, prompted, a call begun and ended, finished
ASKED = "Say the name, as Mission Control looks whether its connection works."


def asks_nobody() -> str:
    try:
        with open(paths()[2], encoding="utf-8", errors="replace") as file:
            policy = re.search(r'^approval_policy\s*=\s*"([\w-]+)"', file.read(), re.MULTILINE)
    except FileNotFoundError:
        return ""
    return "approval_policy never: it asks nobody" if policy and policy[1] == "never" else ""


def windows(program: str) -> list[dict[str, object]]:
    """Return how much of its subscription is used up in which span of time; nothing where it has none or is silent."""
    server = AppServer(program)
    try:
        limits = server.ask("account/rateLimits/read", None)["rateLimits"]
        both = [one for one in (limits.get("primary"), limits.get("secondary")) if one]
        return [
            {
                "name": span_of(int(one["windowDurationMins"])), "used_percent": float(one["usedPercent"]),
                "resets_at": moment_of(one.get("resetsAt")),
            }
            for one in both
        ]  # fmt: skip
    except (Problem, KeyError, TypeError, ValueError):
        return []
    finally:
        server.close()


def span_of(minutes: int) -> str:
    """Return a span as people say it: `5 hours`, `week`."""
    for size, name in ((7 * 24 * 60, "week"), (24 * 60, "day"), (60, "hour")):
        if minutes >= size and minutes % size == 0:
            count = minutes // size
            return name if count == 1 else f"{count} {name}s"
    return f"{minutes} minutes"


def moment_of(seconds: object) -> str | None:
    from datetime import datetime, timezone

    return datetime.fromtimestamp(float(str(seconds)), timezone.utc).isoformat() if seconds else None


def entries(program: str) -> str:
    server = AppServer(program)
    try:
        hooks = our_hooks(server)
    finally:
        server.close()
    left = [one for one in hooks if one["trustStatus"] != "trusted"]
    if len(hooks) < len(EVENTS):
        return f"{len(hooks)} of {len(EVENTS)} hooks are there: connect it again"
    return f"{len(left)} of {len(hooks)} hooks are not trusted: connect it again" if left else ""


def turn(program: str, url: str, folder: str) -> programs.Turn:
    """Have it take a turn with a model at another address."""
    found = programs.Turn()
    provider = f'{{name = "check", base_url = "{url}/v1", env_key = "MISSION_CONTROL_MODEL", wire_api = "responses"}}'
    settings = {"model_providers.check": provider, "model_provider": '"check"', "model": '"check"'}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = ["exec", "--json", "--ephemeral", "--skip-git-repo-check", *options, ASKED]
    said = programs.run(program, command, folder, {"MISSION_CONTROL_MODEL": "none"})[1]
    for line in said.splitlines():
        try:
            one = json.loads(line)
        except ValueError:
            continue
        if isinstance(one, dict) and one.get("type") == "thread.started":
            found.session = str(one.get("thread_id"))
    found.trouble = "" if found.session else said[-300:]
    return found


def tools(program: str) -> str:
    server = AppServer(program, "-c", f"mcp_servers.{SERVER}.startup_timeout_sec=30")
    try:
        found = server.ask("mcpServerStatus/list", {})["data"]
    finally:
        server.close()
    ours: dict[str, Any] = next((one for one in found if one.get("name") == SERVER), {})
    return "connected" if ours.get("tools") else str(ours.get("toolsError") or "")[:200]
