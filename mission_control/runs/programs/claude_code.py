"""Claude Code: its hooks, how they are answered, and its requests to the model as OTLP tells them."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from mission_control.agents.usage.schemas import MOST_TOKENS, MOST_USD, RequestUsage, TimedUsage
from mission_control.core import times
from mission_control.core.times import naive_utc
from mission_control.core.values import JsonObject
from mission_control.runs.hooks.detail_levels import name_of, text_of
from mission_control.runs.hooks.reading import DENIED, Event, Hook, Program, Verdict, named, plainly
from mission_control.runs.sessions.reports import MOST_STEPS, ReportedState, SessionGiven, StepChange, StepGiven

CALL, PROMPT, HELPER = ("agent_id", "tool_use_id"), ("prompt_id",), ("agent_id",)
STATES: dict[str, Any] = {name: name for name in ("pending", "in_progress", "completed")}


def prompted(hook: Hook) -> None:
    """A turn begins, unless the program tells itself that a helper has ended."""
    if hook.of("prompt").startswith("<task-notification>"):
        hook.add("ACTIVITY", hook.key(hook.event), title="A helper has ended")
    else:
        plainly(hook)


def calls(hook: Hook) -> None:
    """A call begins; one that changes the plan is told when it has done so."""
    if hook.body.get("tool_name") not in PLANNING:
        plainly(hook)


def called(hook: Hook) -> None:
    """A call has ended; one that changes the plan is that change."""
    tool, arguments, result = hook.body.get("tool_name"), hook.arguments or {}, hook.body.get("tool_response")
    if tool == "TodoWrite" and isinstance(arguments.get("todos"), list):
        hook.plan = todos(arguments["todos"])
        hook.add("STATE_DELTA", hook.key(hook.event), ref=hook.ref)
    elif tool == "TaskCreate" and isinstance(result, dict) and isinstance(task := result.get("task"), dict):
        _step(hook, task.get("id"), task.get("subject"), "pending")
        hook.add("STATE_DELTA", hook.key(hook.event), title="Added a step to its plan", ref=hook.ref)
    elif tool == "TaskUpdate":
        _step(hook, arguments.get("taskId"), arguments.get("subject"), arguments.get("status"))
        hook.add("STATE_DELTA", hook.key(hook.event), ref=hook.ref)
    else:
        hook.end_call(hook.body, "ok")


def todos(entries: object) -> list[StepGiven]:
    steps = [step for step in entries[:MOST_STEPS] if isinstance(step, dict)] if isinstance(entries, list) else []
    texts = [(text_of(step.get("content"))[:500].strip(), text_of(step.get("status"))) for step in steps]
    listed = [(text, state) for text, state in texts if text and state != "cancelled"]
    return [StepGiven(text=text, state=STATES.get(state, "pending")) for text, state in listed]


def _step(hook: Hook, number: object, text: object, state: object) -> None:
    if key := text_of(number)[:64].strip():
        words = text_of(text)[:500].strip() or None
        hook.steps.append(StepChange(key, words, STATES.get(text_of(state)), state == "deleted"))


def planned(hook: Hook) -> None:
    """A step of the plan was made or done, by whichever helper."""
    state = "completed" if hook.name == "TaskCompleted" else None
    _step(hook, hook.body.get("task_id"), hook.body.get("task_subject"), state)


def batched(hook: Hook) -> None:
    """Several calls have ended; those of tools that do not exist, and those denied, are told nowhere else."""
    calls = hook.body.get("tool_calls")
    for call in calls[:100] if isinstance(calls, list) else ():
        if isinstance(call, dict) and call.get("tool_use_id") and call.get("tool_name") not in PLANNING:
            response, outcome = call.get("tool_response"), "failed" if call.get("is_error") else "ok"
            is_denied = isinstance(response, str) and NOT_MADE.match(response) is not None
            hook.end_call(call, "refused" if is_denied else outcome)


# How the response to a call begins that was not made, because a person said no on the board; nothing else tells that.
NOT_MADE = re.compile(rf"[^\n]{{1,200}} {DENIED} “")


PLANNING = ("TaskCreate", "TaskUpdate", "TodoWrite")


SHOWN: dict[str, ReportedState] = {"permission_prompt": "waiting", "idle_prompt": "idle"}


def notified(hook: Hook) -> None:
    kind = name_of(hook.body.get("notification_type"))
    hook.state = SHOWN.get(kind)
    title = "Waits for an answer at the keyboard" if hook.state == "waiting" else f"Notification {kind}".strip()
    if hook.state != "idle":
        hook.add("ACTIVITY", hook.key(hook.event), title=title)


def asked(hook: Hook) -> None:
    detail = hook.call
    about = next((detail[name] for name in ("command", "path") if name in detail), "")
    title = f"Asks to use {detail['tool']}" + (f": {about}" if about else "")
    hook.add("ACTIVITY", hook.key(hook.event), title=title, detail=detail)


def stopped(hook: Hook) -> None:
    """A turn has ended with what it says; a note may let it go on, so that one prompt may end several times."""
    message = hook.of("last_assistant_message")
    key = named(hook.name, hook.of("prompt_id") or hook.of("turn_id"), str(hook.body.get("stop_hook_active")), message)
    if text := hook.kept.text(message):
        hook.add("TEXT_MESSAGE_END", named(key, "text"), detail={"text": text})
    hook.add("RUN_FINISHED", key)


def failed(hook: Hook) -> None:
    why = name_of(hook.body.get("error")).replace("_", " ")
    if why == "stopped":  # as a person or a limit wanted it
        hook.add("RUN_FINISHED", hook.key(hook.event), title="Stopped")
        return
    hook.add("RUN_ERROR", hook.key(hook.event), state="failed", detail={"error": why} if why else None)


REASONS = {
    "clear": "The conversation was cleared.",
    "logout": "Its person signed out.",
    "prompt_input_exit": "Its person closed it.",
}


def ended(hook: Hook) -> None:
    hook.end_reason = REASONS.get(hook.of("reason"))


EVENTS = {
    "SessionStart": Event(title="Opened the program", state="idle"),
    "UserPromptSubmit": Event(
        "RUN_STARTED", PROMPT, state="working", text="prompt", note=True, settles="turn", more=prompted
    ),
    "PreToolUse": Event("TOOL_CALL_START", CALL, call="begun", state="working", stops=True, more=calls),
    "PostToolUse": Event("TOOL_CALL_END", CALL, state="working", note=True, settles="call", more=called),
    "PostToolUseFailure": Event("TOOL_CALL_END", CALL, call="failed", state="working", settles="call"),
    "PostToolBatch": Event("TOOL_CALL_END", state="working", note=True, settles="turn", more=batched),
    "PermissionRequest": Event(state="waiting", asks=True, more=asked),
    "PermissionDenied": Event("TOOL_CALL_END", CALL, call="refused", state="working"),
    "Notification": Event(more=notified),
    "SubagentStart": Event("STEP_STARTED", HELPER, title="Started a helper", state="working"),
    "SubagentStop": Event("STEP_FINISHED", HELPER, title="A helper has ended", settles="helper"),
    "TaskCreated": Event(more=planned),
    "TaskCompleted": Event(more=planned),
    "Stop": Event("RUN_FINISHED", state="idle", note=True, settles="turn", more=stopped),
    "StopFailure": Event("RUN_ERROR", PROMPT, state="idle", settles="turn", more=failed),
    "PreCompact": Event(title="Shortens its conversation"),
    "PostCompact": Event(title="Shortened its conversation"),
    "SessionEnd": Event(ends=True, settles="session", more=ended),
}


def refusal(hook: Hook, words: str) -> JsonObject:
    return _permission(hook, "deny", words)


def asking(hook: Hook, words: str) -> JsonObject:
    return _permission(hook, "ask", words)


def passing(hook: Hook, words: str) -> JsonObject:
    return _permission(hook, "allow", words)


def _permission(hook: Hook, decision: str, words: str) -> JsonObject:
    decided = {"permissionDecision": decision, "permissionDecisionReason": words}
    return {"hookSpecificOutput": {"hookEventName": hook.name, **decided}}


def carried(hook: Hook, text: str) -> JsonObject:
    """Return the answer on which a note rides; one at the end of a turn lets it go on, once."""
    if hook.event.kind == "RUN_FINISHED":
        return {} if hook.body.get("stop_hook_active") else {"decision": "block", "reason": text}
    return {"hookSpecificOutput": {"hookEventName": hook.name, "additionalContext": text}}


def verdict(hook: Hook, decided: Verdict) -> JsonObject:
    """Return what a person decided; a standing yes is for exactly this call, and for this session."""
    if decided.answer in ("deny", "stop"):
        decision: JsonObject = {"behavior": "deny", "message": decided.words}
        decision |= {"interrupt": True} if decided.answer == "stop" else {}
        return _decided(hook, decision)
    decision = {"behavior": "allow"}
    if decided.answer == "allow-always":
        rule = {"toolName": hook.body.get("tool_name"), "ruleContent": hook.body["tool_input"]["command"]}
        added = {"type": "addRules", "destination": "session", "behavior": "allow", "rules": [rule]}
        decision["updatedPermissions"] = [added]
    return _decided(hook, decision)


def _decided(hook: Hook, decision: JsonObject) -> JsonObject:
    return {"hookSpecificOutput": {"hookEventName": hook.name, "decision": decision}}


def usage_of(record: JsonObject) -> Iterable[tuple[SessionGiven, RequestUsage]]:
    """Yield the session and the usage of a request to the model; nothing for what tells of something else."""
    session, tokens = text_of(record.get("session.id"))[:255].strip(), {}
    for name in ("input", "output", "cache_read", "cache_creation"):
        tokens[name] = number_of(record.get(f"{name}_tokens"))
    if not session or not any(tokens.values()):
        return
    micros = number_of(record.get("cost_usd_micros")) or round(_float(record.get("cost_usd")) * 10**6)
    parts = (session, *(text_of(record.get(name)) for name in ("prompt.id", "event.timestamp")), str(tokens["output"]))
    request = text_of(record.get("request_id"))
    model = name_of(record.get("model")) or None
    version = name_of(record.get("service.version"))[:64] or None
    yield (
        SessionGiven(external_id=session, client=PROGRAM.client, client_version=version, model=model),
        TimedUsage(
            key=f"cc:{request}" if name_of(request) else f"cc:{named(*parts)}",
            model=model,
            input_tokens=tokens["input"] + tokens["cache_read"] + tokens["cache_creation"],
            output_tokens=tokens["output"],
            cached_tokens=tokens["cache_read"],
            written_tokens=tokens["cache_creation"],
            source="program",
            at=happened(record),
            cost_usd=Decimal(min(max(micros, 0), MOST_USD * 10**6)) / 10**6,
        ),
    )


def happened(record: JsonObject) -> datetime | None:
    """Return when a program says that something was, which it exports a moment later."""
    now = times.clock_now()
    try:
        at = naive_utc(datetime.fromisoformat(text_of(record.get("event.timestamp"))))
    except ValueError:
        return None
    return at if now - timedelta(hours=1) < at < now else None


def number_of(value: object) -> int:
    return min(max(round(_float(value)), 0), MOST_TOKENS)


def _float(value: object) -> float:
    """Return a number as OTLP writes it: integers may be text."""
    try:
        number = float(value) if isinstance(value, int | float | str) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return number if abs(number) < 10**15 else 0.0


# Its hook waits for 600 seconds, with the question on the screen; a little is left for the answer's way.
PROGRAM = Program(
    "claude-code",
    EVENTS,
    refusal,
    carried,
    verdict,
    answers=("allow-once", "allow-always", "deny", "stop"),
    waits=timedelta(seconds=590),
    asks_there_too=True,
    asking=asking,
    passing=passing,
    ends_turns=True,
    records={"claude_code.api_request": usage_of},
    name="Claude Code",
    start="claude",
    keeps_costs=False,  # it sends them itself, by OTLP
)
