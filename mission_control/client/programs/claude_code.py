"""Claude Code: hooks and telemetry in its user settings, the tools of the board by its own command."""

from __future__ import annotations

import json
import os
from functools import partial

from mission_control.client.credentials import ALLOW_HTTP, TOKEN, URL
from mission_control.client.problems import Problem
from mission_control.client.program import PROMPT, SERVER, JsonSettings, Place, Program, document_at, run
from mission_control.client.script import is_our_command
from mission_control.client.work.ends import OVERLOAD, SIGN_IN, WINDOW, Sign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mission_control.client.changes import Kept
    from mission_control.client.connect import Target
    from mission_control.client.jsonc import Document
    from mission_control.client.program import Settings

MANAGED = "/etc/claude-code/managed-settings.json"  # of who runs the machine
HOOKS, OTLP = "/api/v1/connect/claude-code/hooks", "/api/v1/connect/otlp/"  # to the first an earlier version posted
HELPER, LOGS = "otelHeadersHelper", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"
TELEMETRY = {
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1", "OTEL_LOGS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "http/json",
}  # fmt: skip
QUIET = {
    "ANTHROPIC_API_KEY": "none", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_USE_BEDROCK": "0", "CLAUDE_CODE_USE_VERTEX": "0", "CLAUDE_CODE_USE_FOUNDRY": "0",
}  # fmt: skip


class ClaudeCode(Program):
    key, name, command, least = "claude-code", "Claude Code", "claude", (2, 1, 295)
    update = (
        "npm installs that with Node 22 or newer only; its own installer needs no Node:"
        " curl -fsSL https://claude.ai/install.sh | bash"
    )
    holds = True
    mode = (
        "Claude Code decides by itself in its auto mode, and then asks nobody, here or on the board. Ask you instead?"
        " (sets permissions.defaultMode)"
    )
    plan = "`claude mcp add` gives it the tools of the board."
    events = (
        "SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch",
        "PermissionRequest", "PermissionDenied", "Notification", "SubagentStart", "SubagentStop", "TaskCreated",
        "TaskCompleted", "Stop", "StopFailure", "PreCompact", "PostCompact", "SessionEnd",
    )  # fmt: skip
    timeouts = {PROMPT: 600}
    of_gates = {"onFailure": "block", "statusMessage": "Waiting for a yes on the board"}
    call = ("Bash", Program.call[1])
    acp_commands = ("claude-agent-acp", "npx -y @agentclientprotocol/claude-agent-acp")
    acp_mode, own, lacks = "default", "CLAUDE_CODE_EXECUTABLE=claude", "title"
    error_code = "data", "errorKind"
    signs = (  # 2.1.332 by claude-agent-acp 0.101
        Sign(WINDOW, "billing_error", words=r"you.ve hit your .{0,60}limit|(claude (ai )?)?usage limit reached"
             r"|credit balance (is )?too low"),
        Sign(SIGN_IN, "authentication_failed"),
        Sign(OVERLOAD, "rate_limit", "server_error", "overloaded"),
    )  # fmt: skip
    account_names = "CLAUDE_CONFIG_DIR", "CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"

    @property
    def path(self) -> str:
        folder = os.environ.get("CLAUDE_CONFIG_DIR") or os.path.expanduser("~/.claude")
        return os.path.join(folder, "settings.json")

    def files(self, kept: Kept) -> list[Settings]:
        ours = [Place(("env", name), partial(own_value, name)) for name in (TOKEN, URL, ALLOW_HTTP)]
        telemetry = [Place(("env", name), partial(telemetry_value, name), is_sent_here) for name in (*TELEMETRY, LOGS)]
        helper = Place(
            (HELPER,),
            lambda document, target: None if has_telemetry(document) else target.headers(self.key),
            lambda document: is_our_command(document.get(HELPER), self.key),
        )
        mode = Place(
            ("permissions", "defaultMode"),
            lambda _, target: "default" if target.asks else None,
            lambda _: False,  # its person agreed to it, and may like it
        )
        return [ClaudeSettings(self, self.path, [*ours, *telemetry, helper, mode], secret=True)]

    def is_ours(self, hook: dict[str, object]) -> bool:
        return str(hook.get("url", "")).endswith(HOOKS) or super().is_ours(hook)

    def finish(self, kept: Kept, target: Target) -> str:
        self.remove_tools(target.program)
        header = "Authorization: Bearer ${" + TOKEN + "}"
        add = ["mcp", "add", "--transport", "http", "--scope", "user", SERVER, f"{target.url}/mcp", "--header", header]
        done, output = run(target.program, add)
        if not done:
            raise Problem(f"Its hooks are connected, but `claude mcp add` failed: {output[-300:]}", "no_mcp")
        return "It has the tools of the board."

    def remove_tools(self, program: str) -> str:
        done, _ = run(program, ["mcp", "remove", "--scope", "user", SERVER])
        return f"Its own list of MCP servers: our entry {'is out' if done else 'was not there'}."

    def asks_nobody(self) -> str:
        mode = self.document.get("permissions", "defaultMode") or "auto"
        return "" if mode in ("default", "plan") else f"mode {mode}: it asks nobody, here or on the board"

    def entries(self, program: str) -> str:
        document = self.document
        for one in (document, document_at(MANAGED)):
            for name in ("disableAllHooks", "allowManagedHooksOnly"):
                if one.get(name) is True:
                    return f"{name} is set in {one.name}, so that our hooks do not run"
        missing = self.missing(document)
        return f"no hook of ours for {', '.join(missing)}: connect it again" if missing else ""

    def look(self, url: str, folder: str) -> tuple[list[str], dict[str, str]]:
        names = {"ANTHROPIC_BASE_URL": url, **QUIET}
        return [
            "-p", self.asked, "--output-format", "stream-json", "--verbose", "--no-session-persistence",
            "--allowedTools", "Bash(echo:*)", "--settings", json.dumps({"env": names}),
        ], names  # fmt: skip

    def tools(self, program: str) -> str:
        return "connected" if "Connected" in run(program, ["mcp", "get", SERVER])[1] else "not connected"

    def environment(self) -> dict[str, str]:
        # What its person may type next would come after the answer that is counted.
        return {**super().environment(), "CLAUDE_CODE_ENABLE_PROMPT_SUGGESTION": "false"}


class ClaudeSettings(JsonSettings):
    def _added(self, content: bytes, target: Target) -> bytes:
        added = super()._added(content, target)
        try:
            json.loads(content.decode("utf-8-sig", "replace") or "{}")
        except ValueError as error:
            raise Problem(
                f"{self.path}: Claude Code reads nothing of this file, because line {getattr(error, 'lineno', 1)} is a"
                " comment, has a comma too many, or is no JSON. Mend it first; nothing was changed.",
                "bad_settings",
            ) from None
        return added


def has_telemetry(document: Document) -> bool:
    """Whether somebody sends its telemetry elsewhere, which then stays so."""
    environment = document.get("env")
    names = environment if isinstance(environment, dict) else {}
    return bool(document.get(HELPER)) or any(name.startswith("OTEL_") or name in TELEMETRY for name in names)


def is_sent_here(document: Document) -> bool:
    return OTLP in str(document.get("env", LOGS))


def own_value(name: str, document: Document, target: Target) -> str | None:
    return target.environment.get(name)


def telemetry_value(name: str, document: Document, target: Target) -> str | None:
    return None if has_telemetry(document) else TELEMETRY.get(name, f"{target.url}{OTLP}v1/logs")


PROGRAM = ClaudeCode()
