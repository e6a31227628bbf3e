"""What the rules of a board say to the calls of programs: which run without asking, which ask whatever allows them."""

from collections.abc import Mapping, Sequence

from mission_control.client.shell.patterns import allows, concerning, is_exact
from mission_control.core.values import JsonObject
from mission_control.runs.hooks.reading import Hook, Verdict
from mission_control.runs.permissions.reading import asked_of

type Rules = Mapping[str, Sequence[str]]


def answer_of(hook: Hook, rules: Rules, board_name: str, held: Sequence[str]) -> JsonObject:
    """Return what the rules of a board answer to a call, `{}` when they leave it to people or to the program.

    `held` are the patterns of the calls that its program holds by itself until a person says yes.
    """
    if not rules or not hook.tool or hook.arguments is None:
        return {}
    if hook.event.stops and hook.event.call:
        return _before(hook, rules, board_name, held, hook.arguments)
    if hook.event.asks and (request := asked_of(hook, None)) is not None:
        if pattern := allowing(rules, hook.tool, hook.arguments, request.payload["session_request"]["risk"]):
            hook.state = "working"
            title, detail = f"Allowed by a rule of the board: {pattern}", hook.items[-1].detail or {}
            change = {"title": title, "detail": {**detail, "rule": pattern}}
            hook.items[-1] = hook.items[-1].model_copy(update=change)
            words = f"Allowed by the rule {pattern} of the board “{board_name}”."
            return {**hook.program.verdict(hook, Verdict("allow-once", "")), "systemMessage": words}
    return {}


def _before(hook: Hook, rules: Rules, board_name: str, held: Sequence[str], arguments: JsonObject) -> JsonObject:
    """Return the answer to a call that begins: one that needs a yes, and is not held for it, asks or is refused."""
    needed, is_read = concerning(rules.get("must", ()), hook.tool, arguments)
    if any(pattern in held for pattern in needed):
        hook.state = "waiting"
        return {}
    patterns, asks = needed or concerning(rules.get("ask", ()), hook.tool, arguments)[0], hook.program.asking
    unread = "" if is_read else " Nobody can say for certain what it runs: write it plainly, as one command."
    if asks is not None and patterns:
        return asks(hook, f"The rule {patterns[0]} of the board “{board_name}” has people asked before this.{unread}")
    if needed and hook.program.passing is not None:
        hook.refused()
        words = f"By the rule {needed[0]} of the board “{board_name}” this needs a yes, for which {hook.program.client}"
        return hook.program.refusal(hook, f"{words} is not set up: have your person connect it again.{unread}")
    return {}


def allowing(rules: Rules, tool: str, arguments: JsonObject, risk: str) -> str | None:
    """Return the pattern by which a call runs without asking. What looks dangerous only its exact command allows."""
    if concerning([*rules.get("must", ()), *rules.get("ask", ())], tool, arguments)[0]:
        return None
    patterns = (pattern for pattern in rules.get("allow", ()) if risk != "high" or is_exact(pattern))
    return next((pattern for pattern in patterns if allows(pattern, tool, arguments)), None)
