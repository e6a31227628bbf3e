"""Codex: hooks in a file of their own, the tools of the board, the token in its own `.env`, trust by its own way."""

from __future__ import annotations

import json
import os
import re
import subprocess

from mission_control.client.credentials import ALLOW_HTTP, TOKEN, URL
from mission_control.client.problems import Problem
from mission_control.client.program import PROMPT, SERVER, JsonSettings, Program, Settings, run
from mission_control.client.work.ends import OVERLOAD, WINDOW, Sign
from mission_control.client.work.values import value_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mission_control.client.changes import Change, Kept
    from mission_control.client.connect import Target
    from mission_control.client.program import Window

SECONDS = 60.0
TABLE = re.compile(r"^\[+[^\n]*\]\s*(?:#[^\n]*)?$", re.MULTILINE)


class Codex(Program):
    key, name, command, least = "codex", "Codex", "codex", (0, 171, 0)
    holds = True
    plan = "these hooks are marked as trusted in Codex, by its own way: it runs no others."
    events = (
        "SessionStart", "UserPromptSubmit", "PostModelRequest", "PreToolUse", "PermissionRequest", "PostToolUse",
        "SubagentStart", "SubagentStop", "PreCompact", "PostCompact", "Stop", "Interrupt", "SessionEnd",
    )  # fmt: skip
    timeouts = {PROMPT: 310, "Interrupt": 3, "SessionEnd": 3}
    of_prompts = {"statusMessage": "Asking on the board; esc to stop"}
    of_gates = {"statusMessage": "Waiting for a yes on the board; esc to stop"}
    session_field, ends_with = "thread_id", '"thread.started"'
    call = ("exec_command", {"cmd": "echo Mission Control"})
    acp_commands = ("codex-acp", "npx -y @agentclientprotocol/codex-acp")
    acp_mode, own, lacks = "workspace-write", "CODEX_PATH=codex", "title"
    error_code = "data", "codexErrorInfo"
    signs = (  # 0.171 by codex-acp 2.6
        Sign(WINDOW, "usageLimitExceeded", words=r"you.ve hit your usage limit|quota exceeded"),
        Sign(OVERLOAD, "serverOverloaded", "rateLimitExceeded", "internalServerError",
             words=r"at capacity|exceeded retry limit|stream disconnected"),
    )  # fmt: skip
    account_names = "CODEX_HOME", "OPENAI_API_KEY", "CODEX_API_KEY"

    @property
    def folder(self) -> str:
        return os.environ.get("CODEX_HOME") or os.path.expanduser("~/.codex")

    @property
    def path(self) -> str:
        return os.path.join(self.folder, "hooks.json")

    @property
    def config(self) -> str:
        return os.path.join(self.folder, "config.toml")

    def has_failed(self, update: object) -> bool:
        return value_at(update, "_meta", "codex", "threadStatus", "type") == "systemError"

    def files(self, kept: Kept) -> list[Settings]:
        trusted = list(kept.value.get("trusted", ()))
        return [
            JsonSettings(self, self.path),
            Settings(os.path.join(self.folder, ".env"), with_names, without_names, secret=True),
            Settings(self.config, with_server, lambda content: without_server(content, trusted)),
        ]

    def is_ours(self, hook: dict[str, object]) -> bool:
        """Whether a hook is ours, as it is written or as the program lists it."""
        return hook.get("server") == SERVER or super().is_ours(hook)

    def takes(self, file: Settings, target: Target) -> bool:
        return target.in_settings or not file.has_secret

    def changes(self, kept: Kept, target: Target) -> list[Change]:
        """Return what becomes of its files; what its own command writes is seen on a copy."""
        *others, config = super().changes(kept, target)
        if config.now is not None and without_trust(config.now, kept.value.get("trusted", [])) == config.after:
            config.after = config.now  # as it was connected before
        return [*others, config]

    def finish(self, kept: Kept, target: Target) -> str:
        """Trust our hooks, which were shown, and return how many there are, in a line."""
        config = os.path.realpath(self.config)
        with AppServer(target.program) as server:
            hooks = our_hooks(server)
            value = {one["key"]: {"trusted_hash": one["currentHash"]} for one in hooks}
            edits = [{"keyPath": "hooks.state", "mergeStrategy": "upsert", "value": value}]
            server.ask("config/batchWrite", {"edits": edits})
            left = [one["key"] for one in our_hooks(server) if one["trustStatus"] != "trusted"]
        with open(config, "rb") as file:
            after = file.read()
        known = kept.value["files"][config]
        kept.keep(config, kept.copy_of(config), after, known["mode"], is_whole=known["is_whole"])
        kept.save(trusted=list(value))
        if left or len(value) < len(self.events):
            trusts = f"Codex trusts {len(value) - len(left)} of our {len(self.events)} hooks."
            raise Problem(f"{trusts} Look at them with /hooks.", "no_trust")
        return f"Codex trusts the {len(value)} hooks."

    def asks_nobody(self) -> str:
        try:
            with open(self.config, encoding="utf-8", errors="replace") as file:
                policy = re.search(r'^approval_policy\s*=\s*"([\w-]+)"', file.read(), re.MULTILINE)
        except FileNotFoundError:
            return ""
        return "approval_policy never: it asks nobody" if policy and policy[1] == "never" else ""

    def windows(self, program: str) -> list[Window]:
        with AppServer(program) as server:
            try:
                limits = server.ask("account/rateLimits/read", None)["rateLimits"]
                return [
                    {
                        "name": span_of(int(one["windowDurationMins"])), "used_percent": float(one["usedPercent"]),
                        "resets_at": moment_of(one.get("resetsAt")),
                    }
                    for one in (limits.get("primary"), limits.get("secondary")) if one
                ]  # fmt: skip
            except (Problem, KeyError, TypeError, ValueError):
                return []

    def entries(self, program: str) -> str:
        with AppServer(program) as server:
            hooks = our_hooks(server)
        left = [one for one in hooks if one["trustStatus"] != "trusted"]
        if len(hooks) < len(self.events):
            return f"{len(hooks)} of {len(self.events)} hooks are there: connect it again"
        return f"{len(left)} of {len(hooks)} hooks are not trusted: connect it again" if left else ""

    def look(self, url: str, folder: str) -> tuple[list[str], dict[str, str]]:
        provider = (
            f'{{name = "check", base_url = "{url}/v1", env_key = "MISSION_CONTROL_MODEL", wire_api = "responses"}}'
        )
        settings = {"model_providers.check": provider, "model_provider": '"check"', "model": '"check"'}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = ["exec", "--json", "--ephemeral", "--skip-git-repo-check", *options, self.asked]
        return command, {"MISSION_CONTROL_MODEL": "none"}

    def tools(self, program: str) -> str:
        with AppServer(program, "-c", f"mcp_servers.{SERVER}.startup_timeout_sec=30") as server:
            servers = server.ask("mcpServerStatus/list", {})["data"]
        ours: dict[str, Any] = next((one for one in servers if one.get("name") == SERVER), {})
        return "connected" if ours.get("tools") else str(ours.get("toolsError") or "")[:200]


def with_names(content: bytes, target: Target) -> bytes:
    end = b"" if not content or content.endswith(b"\n") else b"\n"
    return content + end + "".join(f"{name}={value}\n" for name, value in target.environment.items()).encode()


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
        done, output = run(target.program, command, more={"CODEX_HOME": folder})
        if not done:
            raise Problem(f"`codex mcp add` did not work; nothing was changed. It said: {output[-300:]}", "no_mcp")
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
            [program, *options, "app-server"], cwd=os.sep, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL,
            universal_newlines=True,
        )  # fmt: skip
        self._end, self._number = Timer(SECONDS, self._process.kill), 0
        self._end.start()
        self.ask("initialize", {"clientInfo": {"name": SERVER, "title": "Mission Control", "version": "1"}})
        self._say({"method": "initialized"})

    def ask(self, method: str, params: object) -> Any:
        self._number += 1
        self._say({"id": self._number, "method": method, "params": params})
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self._number and "method" not in answer:
                if "error" in answer:
                    raise Problem(f"Codex refused {method}: {answer['error'].get('message')}", "refused_by_program")
                return answer["result"]
        raise Problem(f"Codex did not answer {method}.", "no_answer_of_program")

    def _say(self, message: dict[str, object]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def __enter__(self) -> AppServer:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._end.cancel()


def our_hooks(server: AppServer) -> list[dict[str, Any]]:
    hooks = server.ask("hooks/list", {"cwds": [os.sep]})["data"][0]["hooks"]
    path = os.path.realpath(PROGRAM.path)
    return [one for one in hooks if os.path.realpath(str(one.get("sourcePath"))) == path and PROGRAM.is_ours(one)]


def span_of(minutes: int) -> str:
    for size, name in ((7 * 24 * 60, "week"), (24 * 60, "day"), (60, "hour")):
        if minutes >= size and minutes % size == 0:
            count = minutes // size
            return name if count == 1 else f"{count} {name}s"
    return f"{minutes} minutes"


def moment_of(seconds: object) -> str | None:
    from datetime import datetime, timezone

    return datetime.fromtimestamp(float(str(seconds)), timezone.utc).isoformat() if seconds else None


PROGRAM = Codex()
