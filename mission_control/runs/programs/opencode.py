"""opencode: its plugin is ours (`client/programs/opencode.js`), so its events come by their names, with our fields.

Its person sees a question while the board is asked; the plugin asks the board again until one of them has answered.
"""

from datetime import timedelta
from decimal import Decimal

from mission_control.agents.usage.schemas import MOST_USD, TimedUsage
from mission_control.core.values import JsonObject
from mission_control.runs.hooks.detail_levels import name_of
from mission_control.runs.hooks.reading import Event, Hook, Program, Verdict, named, only_sign, plainly
from mission_control.runs.programs.claude_code import asked, number_of, stopped, todos

CALL, PLANS = ("tool_use_id",), "todowrite"
# Its tools by the names that rules of boards have for them.
TOOLS = {"bash": "Bash", "edit": "Edit", "write": "Write", "read": "Read", "webfetch": "WebFetch"}
WAITS = timedelta(seconds=50)  # each time that it asks
REASONS = {"helper": "Its result is with the session that started it.", "deleted": "Its person deleted it."}


def created(hook: Hook) -> None:
    parent = hook.of("parent")[:255].strip()
    hook.session.parent = parent or None
    hook.session.client_version = name_of(hook.body.get("client_version"))[:64] or None
    title = "Started by another session" if parent else "Opened a session"
    hook.add("ACTIVITY", named(hook.name), title=title)


def calls(hook: Hook) -> None:
    """A call begins; of one that changes the plan that change is told."""
    if hook.body.get("tool_name") != PLANS:
        plainly(hook)


def called(hook: Hook) -> None:
    """A call has ended; a command that ran and failed, or was cut off, says so by its code alone."""
    if hook.body.get("tool_name") != PLANS:
        hook.end_call(hook.body, "ok" if hook.body.get("exit_code", 0) == 0 else "failed")


def not_called(hook: Hook) -> None:
    hook.end_call(hook.body, "refused" if hook.body.get("is_refused") is True else "failed")


def planned(hook: Hook) -> None:
    hook.plan = todos(hook.body.get("todos"))
    hook.add("STATE_DELTA", hook.key(hook.event))


def used(hook: Hook) -> None:
    """A request to the model has ended: what it used up. Its input lacks what came from the cache."""
    message, tokens = hook.of("message_id"), hook.body.get("tokens")
    if not message or not isinstance(tokens, dict):
        return
    cache = cache if isinstance(cache := tokens.get("cache"), dict) else {}
    read, written = number_of(cache.get("read")), number_of(cache.get("write"))
    input_tokens = number_of(tokens.get("input")) + read + written
    output_tokens = number_of(tokens.get("output")) + number_of(tokens.get("reasoning"))
    if input_tokens + output_tokens > 0:
        hook.usage.append(
            TimedUsage(
                key=f"oc:{message if name_of(message) else named(message)}",
                model=name_of(hook.body.get("model")) or None,
                input_tokens=input_tokens,
                output_tokens=output_tokens,
                cached_tokens=read,
                written_tokens=written,
                source="program",
                at=hook.when.at,
                cost_usd=Decimal(_micros(hook.body.get("cost"))) / 10**6,
            )
        )


def _micros(cost: object) -> int:
    """Round to millionths of a dollar; nothing where the program knows no price, so that ours counts."""
    if isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 < cost <= MOST_USD:
        return 0
    return round(cost * 10**6)


def titled(hook: Hook) -> None:
    """It asks for a title, and tells nobody what that used."""
    key = f"oc:{named(hook.name, hook.session.external_id)}"
    hook.usage.append(TimedUsage(key=key, source="program", gaps=1, at=hook.when.at))


def asks(hook: Hook) -> None:
    """It asks whether a tool may be called; or, whichever tool that is, whether it may go elsewhere or on and on."""
    if hook.arguments is not None and "permission" not in hook.arguments:
        hook.body = {**hook.body, "tool_name": TOOLS.get(hook.tool, hook.tool)}
    asked(hook)


def failed(hook: Hook) -> None:
    why = name_of(hook.body.get("error"))
    if why == "MessageAbortedError":
        hook.add("RUN_FINISHED", hook.key(hook.event), title="Its person interrupted it")
        return
    hook.add("RUN_ERROR", hook.key(hook.event), state="failed", detail={"error": why} if why else None)


def ended(hook: Hook) -> None:
    hook.end_reason = REASONS.get(hook.of("reason"))


EVENTS = {
    "session.created": Event(state="idle", more=created),
    "chat.message": Event("RUN_STARTED", ("prompt_id",), state="working", text="prompt", note=True),
    "tool.execute.before": Event("TOOL_CALL_START", CALL, call="begun", state="working", stops=True, more=calls),
    "tool.execute.after": Event("TOOL_CALL_END", CALL, state="working", note=True, more=called),
    "message.part.updated": Event("TOOL_CALL_END", CALL, state="working", more=not_called),
    "todo.updated": Event("STATE_DELTA", ("event_id",), state="working", more=planned),
    "message.updated": Event(more=used),
    "session.titled": Event(more=titled),
    "permission.asked": Event(key=("permission_id",), state="waiting", asks=True, more=asks),
    "permission.replied": Event(state="working", settles="call", more=only_sign),
    "question.asked": Event(key=("event_id",), title="Asks its person a question", state="waiting"),
    "question.replied": Event(state="working", more=only_sign),
    "session.error": Event("RUN_ERROR", ("event_id",), state="idle", settles="turn", more=failed),
    "session.idle": Event("RUN_FINISHED", state="idle", settles="turn", more=stopped),
    "session.compacted": Event(key=("event_id",), title="Shortened its conversation"),
    "session.ended": Event(ends=True, settles="session", more=ended),
}


def refusal(hook: Hook, words: str) -> JsonObject:
    return {"deny": words}


def carried(hook: Hook, text: str) -> JsonObject:
    return {"note": text}


def verdict(hook: Hook, decided: Verdict) -> JsonObject:
    """Return its own reply; a no with words lets the turn go on, one without ends it."""
    if decided.answer == "stop":
        return {"reply": "reject"}
    if decided.answer == "deny":
        return {"reply": "reject", "message": decided.words}
    return {"reply": "once"}


PROGRAM = Program(
    "opencode", EVENTS, refusal, carried, verdict, answers=("allow-once", "deny", "stop"), waits=WAITS,
    asks_there_too=True, asks_again=True, name="opencode", start="opencode", is_held=False,
    hint="It adds a plugin in a file of its own, which gives opencode the tools of the board too. What opencode asks is"
    " on its screen and on the board; whoever answers first decides.",
)  # fmt: skip
