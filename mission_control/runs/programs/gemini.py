"""Gemini CLI: its hooks, which a command forwards, and its requests to the model as OTLP tells them.

Its events name no calls, and its hooks cannot answer what it asks at its keyboard.
"""

import re
from collections.abc import Iterable

from mission_control.agents.usage.schemas import RequestUsage, TimedUsage
from mission_control.core.values import JsonObject
from mission_control.runs.hooks.detail_levels import name_of, text_of
from mission_control.runs.hooks.reading import Event, Hook, Program, Verdict, named, only_sign, plainly
from mission_control.runs.permissions.reading import digest_of
from mission_control.runs.programs.claude_code import carried, ended, happened, number_of
from mission_control.runs.sessions.reports import SessionGiven

# What its shell says of the end of a command below the output; it is no error to it.
EXITED = re.compile(r"^(Exit Code|Signal): ([1-9]|SIG).*(\n.*){0,3}\Z", re.MULTILINE)
END = 400  # characters, in which that stands
TOPIC = "update_topic"  # by which it says what it does next


def calls(hook: Hook) -> None:
    number(hook)
    if hook.tool != TOPIC:
        plainly(hook)


def called(hook: Hook) -> None:
    """A call has ended; a command that failed is told in words alone."""
    number(hook)
    if hook.tool == TOPIC:
        title = text_of((hook.arguments or {}).get("title")) if hook.kept.level != "names" else ""
        hook.add("ACTIVITY", hook.key(Event()), title=title or "Took up another topic")
        return
    answer = answer if isinstance(answer := hook.body.get("tool_response"), dict) else {}
    content, error = answer.get("llmContent"), answer.get("error")
    content = content if isinstance(content, str) else ""
    has_failed = bool(error) or (hook.tool == "run_shell_command" and EXITED.search(content[-END:]))
    text = error.get("message") if isinstance(error, dict) else content
    hook.end_call({**hook.body, "tool_response": text}, "failed" if has_failed else "ok")


def number(hook: Hook) -> None:
    """Name a call by what it does: the same call at the same time is the same to a person, too."""
    call = named(hook.session.external_id, digest_of(hook))
    hook.body = {**hook.body, "tool_name": hook.tool, "tool_use_id": call}


def notified(hook: Hook) -> None:
    details = hook.body.get("details")
    about = details if isinstance(details, dict) else {}
    detail = hook.kept.call("", {"command": about.get("command"), "file_path": about.get("filePath")})
    del detail["tool"]
    title = ": ".join(["Waits for an answer at the keyboard", *detail.values()])
    hook.add("ACTIVITY", hook.key(hook.event), title=title, detail=detail or None)


def stopped(hook: Hook) -> None:
    key = hook.key(hook.event)
    if text := hook.kept.text(hook.of("prompt_response")):
        hook.add("TEXT_MESSAGE_END", named(key, "text"), detail={"text": text})
    hook.add("RUN_FINISHED", key)


MODEL = Event(state="working", more=only_sign)  # a request to the model has the whole conversation
EVENTS = {
    "SessionStart": Event(title="Opened the program", state="idle"),
    "BeforeAgent": Event("RUN_STARTED", state="working", text="prompt", note=True),
    "BeforeTool": Event("TOOL_CALL_START", call="begun", state="working", stops=True, more=calls),
    "AfterTool": Event("TOOL_CALL_END", state="working", note=True, more=called),
    "Notification": Event(state="waiting", more=notified),
    "AfterAgent": Event("RUN_FINISHED", state="idle", note=True, more=stopped),
    "BeforeModel": MODEL,
    "AfterModel": MODEL,
    "BeforeToolSelection": MODEL,
    "PreCompress": MODEL,  # it comes before every request
    "SessionEnd": Event(ends=True, more=ended),
}


def refusal(_hook: Hook, words: str) -> JsonObject:
    return {"decision": "deny", "reason": words}


def verdict(_hook: Hook, _decided: Verdict) -> JsonObject:
    """Return nothing: what it asks is answered at its keyboard."""
    return {}


CONFIGURED = "gemini_cli.config"


def usage_of(record: JsonObject) -> Iterable[tuple[SessionGiven, RequestUsage | None]]:
    """Yield the session and the usage of a request to the model, or the mode in which it was opened."""
    external_id = text_of(record.get("session.id"))[:255].strip()
    if not external_id:
        return
    session = SessionGiven(external_id=external_id, client=PROGRAM.client)
    if record.get("event.name") == CONFIGURED:
        if mode := name_of(record.get("approval_mode"))[:64]:
            yield session.model_copy(update={"mode": mode}), None
        return
    names = ("input", "tool", "output", "thoughts", "cached_content")
    tokens = {name: number_of(record.get(f"{name}_token_count")) for name in names}
    if not any(tokens.values()):
        return
    model = name_of(record.get("model")) or None
    parts = [text_of(record.get(name)) for name in ("event.timestamp", "prompt_id", "role", "model")]
    if record.get("role") == "main":  # others are small requests beside the conversation, by other models
        session = session.model_copy(update={"model": model})
    usage = TimedUsage(
        key=f"gm:{named(external_id, *parts, *map(str, tokens.values()))}", model=model,
        input_tokens=tokens["input"] + tokens["tool"], output_tokens=tokens["output"] + tokens["thoughts"],
        cached_tokens=tokens["cached_content"], source="program", at=happened(record),
    )  # fmt: skip
    yield session, usage


PROGRAM = Program(
    "gemini", EVENTS, refusal, carried, verdict, keeps_costs=False,
    records={"gemini_cli.api_response": usage_of, CONFIGURED: usage_of},
    name="Gemini CLI", start="gemini", is_held=False,
    hint="Its prompts are answered at its keyboard, because none of its hooks can answer; its session says that it"
    " waits. Run it by `client.pyz work --agent gemini` to answer them here.",
)  # fmt: skip
