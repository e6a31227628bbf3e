"""What an activity is called, in one plain line that the server makes, and which error it was."""

import re
from collections.abc import Mapping

from mission_control.core.text.masking import Mask

LONGEST_TITLE, READ = 200, 2_000
DIGITS = re.compile(r"\d+([.,:]\d+)*")
MASK = Mask()
# Of a tool by how its name begins: what it is doing, and what it did.
TOOLS = {
    "bash": ("Running", "Ran"), "shell": ("Running", "Ran"), "exec": ("Running", "Ran"), "run": ("Running", "Ran"),
    "read": ("Reading", "Read"), "view": ("Reading", "Read"), "webfetch": ("Reading", "Read"),
    "edit": ("Changing", "Changed"), "multiedit": ("Changing", "Changed"), "write": ("Writing", "Wrote"),
    "apply": ("Changing", "Changed"), "replace": ("Changing", "Changed"), "grep": ("Searching for", "Searched for"),
    "glob": ("Searching for", "Searched for"), "search": ("Searching for", "Searched for"),
    "google": ("Searching for", "Searched for"), "list": ("Listing", "Listed"),
    "websearch": ("Searching for", "Searched for"),
}  # fmt: skip
GAP = "GAP"  # nothing could be sent for a while
PLAIN = {
    "RUN_STARTED": "Began a turn", "RUN_FINISHED": "Finished a turn", "RUN_ERROR": "Stopped with an error",
    "TOOL_CALL_START": "Calling a tool", "TOOL_CALL_END": "Called a tool", "TEXT_MESSAGE_END": "Wrote a message",
    "STATE_DELTA": "Changed its plan", "STEP_STARTED": "Began a step", "STEP_FINISHED": "Finished a step",
}  # fmt: skip
# What a tool is about, by the names that programs have for it; the first that there is.
ABOUT = ("command", "cmd", "path", "file_path", "file", "pattern", "query", "url", "description")
TOOL = ("tool", "tool_name", "name")
ERROR = ("error", "message", "stderr", "output", "text")


def begins(kind: str) -> bool:
    return kind.endswith(("_START", "_STARTED"))


def ends(kind: str) -> bool:
    return kind.endswith(("_END", "_FINISHED", "_ERROR"))


def one_line(text: str, longest: int = LONGEST_TITLE) -> str:
    printable = "".join(letter if letter.isprintable() else " " if letter.isspace() else "" for letter in text[:READ])
    line = " ".join(MASK.text(printable).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def title_of(kind: str, title: str | None, state: str | None, detail: Mapping[str, object]) -> str:
    if title and (line := one_line(title)):
        return line
    how = "" if state in (None, "ok") or kind == "RUN_ERROR" else f", {state}"
    tool, about = first_text(detail, TOOL), first_text(detail, ABOUT)
    if kind.startswith("TOOL_CALL") and (tool or about):
        return one_line(f"{_call(kind, tool, about)}{how}{_lasted(detail)}")
    text = first_text(detail, ("text", "title", *ERROR)) if kind not in PLAIN or kind == "TEXT_MESSAGE_END" else ""
    plain = PLAIN.get(kind) or kind.replace("_", " ").capitalize()
    return one_line(text) if text else one_line(f"{plain}{how}")


def _call(kind: str, tool: str, about: str) -> str:
    is_over, word = ends(kind), re.split(r"[^a-z]", tool.lower())[0]
    if not tool or (about and word in TOOLS):
        return f"{TOOLS.get(word, TOOLS['run'])[is_over]} {about}"
    return f"{'Called' if is_over else 'Calling'} {tool}{f': {about}' if about else ''}"


def gap_title(seconds: int, late: int, lost: int, *, keeps_costs: bool) -> str:
    """Say what is missing of a while in which nothing could be sent; pages say from when to when that was."""
    gaps = [f"{late:,} {'event' if late == 1 else 'events'} came later"] if late else []
    gaps += [f"{lost:,} {'was' if lost == 1 else 'were'} lost"] if lost else []
    parts = [f"Not reachable for {_time(seconds)}", ", ".join(gaps), "" if keeps_costs else "what it cost is not known"]
    return "; ".join(filter(None, parts))


def _lasted(detail: Mapping[str, object]) -> str:
    seconds = detail.get("seconds")
    if seconds is None and isinstance(milliseconds := detail.get("duration_ms"), int | float):
        seconds = milliseconds / 1000
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 1 <= seconds < 10**6:
        return ""
    return f", {_time(seconds)}"


def _time(seconds: float) -> str:
    return f"{round(seconds / 60):,} min" if seconds >= 60 else f"{round(seconds)} s"


def first_text(detail: Mapping[str, object], names: tuple[str, ...]) -> str:
    return next((text for name in names if isinstance(text := detail.get(name), str) and text.strip()), "")


def failure_of(title: str, detail: Mapping[str, object]) -> str:
    error = first_text(detail, ERROR).strip().partition("\n")[0]
    return one_line(f"{title}: {error}" if error else title)


def is_same(failure: str, other: str) -> bool:
    """Return whether two failures are the same error: how long it took, and how many there were, makes no other."""
    return _without_numbers(failure) == _without_numbers(other)


def is_of_same_call(title: str, failure: str) -> bool:
    first = re.split(r"[,:(]", _without_numbers(title))[0]
    return first == re.split(r"[,:(]", _without_numbers(failure))[0]


def _without_numbers(text: str) -> str:
    return DIGITS.sub("#", text.lower())
