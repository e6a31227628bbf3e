"""Codex: its hooks, which call a tool of our MCP server or are forwarded by a command; they are answered as others."""

import re

from mission_control.agents.usage.schemas import TimedUsage
from mission_control.runs.hooks.detail_levels import name_of
from mission_control.runs.hooks.reading import Event, Hook, Program, named, only_sign
from mission_control.runs.programs.claude_code import (
    HELPER,
    asked,
    carried,
    ended,
    number_of,
    passing,
    refusal,
    stopped,
    verdict,
)

# How a call ended, as the command of hooks reads it in Codex's own file; it is "" where nothing stands there, as of a
# command that the sandbox stopped, whose output then says why.
OUTCOMES = {"completed": "ok", "failed": "failed", "declined": "refused"}
STOPPED = re.compile(
    r"read-only file system|permission denied|operation not permitted|sandbox|bubblewrap", re.IGNORECASE
)


def called(hook: Hook) -> None:
    """A call has ended; how is not told where Codex keeps no file of the session."""
    status = hook.body.get("call_status")
    is_stopped = status == "" and STOPPED.search(str(hook.body.get("tool_response"))) is not None
    hook.end_call(hook.body, "failed" if is_stopped else OUTCOMES.get(str(status)))


USED = ("input_tokens", "output_tokens", "cached_input_tokens", "cache_write_input_tokens")


def requested(hook: Hook) -> None:
    """A request to the model has ended: what it used up. Its input has what came from the cache."""
    used, response = hook.body.get("token_usage"), hook.of("response_id")
    if isinstance(used, dict) and response:
        tokens = {name: number_of(used.get(name)) for name in USED}
        hook.usage.append(
            TimedUsage(
                key=f"cx:{response}" if name_of(response) else f"cx:{named(response)}",
                model=name_of(hook.body.get("model")) or None,
                input_tokens=tokens["input_tokens"],
                output_tokens=tokens["output_tokens"],
                cached_tokens=tokens["cached_input_tokens"],
                written_tokens=tokens["cache_write_input_tokens"],
                source="program",
                at=hook.when.at,
            )
        )
    if hook.body.get("error"):
        detail = {"error": text} if (text := hook.kept.text(hook.body["error"])) else None
        hook.add("RUN_ERROR", named(hook.name, hook.of("request_id")), state="failed", detail=detail)


def interrupted(hook: Hook) -> None:
    hook.add("RUN_FINISHED", hook.key(hook.event), title="Its person interrupted it")


EVENTS = {
    "SessionStart": Event(title="Opened the program", state="idle"),
    "UserPromptSubmit": Event(
        "RUN_STARTED", ("turn_id", "prompt"), state="working", text="prompt", note=True, settles="turn"
    ),
    "PreModelRequest": Event(state="working", more=only_sign),
    "PostModelRequest": Event(state="working", more=requested),
    "PreToolUse": Event("TOOL_CALL_START", ("agent_id", "tool_use_id"), call="begun", state="working", stops=True),
    "PostToolUse": Event("TOOL_CALL_END", state="working", note=True, settles="call", more=called),
    "PermissionRequest": Event(state="waiting", asks=True, more=asked),
    "SubagentStart": Event("STEP_STARTED", HELPER, title="Started a helper", state="working"),
    "SubagentStop": Event("STEP_FINISHED", HELPER, title="A helper has ended", settles="helper"),
    "Stop": Event("RUN_FINISHED", state="idle", note=True, settles="turn", more=stopped),
    "Interrupt": Event("RUN_FINISHED", ("turn_id",), state="idle", settles="turn", more=interrupted),
    "PreCompact": Event(title="Shortens its conversation"),
    "PostCompact": Event(title="Shortened its conversation"),
    "SessionEnd": Event(ends=True, settles="session", more=ended),
}
# Its person sees no question until the hook is answered: the board says how long that may take.
PROGRAM = Program(
    "codex", EVENTS, refusal, carried, verdict, answers=("allow-once", "deny", "stop"), waits=None, passing=passing,
    name="Codex", start="codex",
)  # fmt: skip
