"""A session's history as people read it: what was said, the tools that were used with their results, and markers."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

from mission_control.core import clock
from mission_control.gateway_sessions.masking import Mask
from mission_control.inbox.headers import NOTICES

CALLS = {"toolCall", "tool_call", "toolUse", "tool_use"}
RESULTS = {"toolResult", "tool", "tool_result"}
INTERNAL = "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>"
LONGEST_TOOL_TEXT = 20_000
GREETS = "mc-wake-"  # how keys of messages begin that start an agent
MARKERS = {
    "reset": "The session began anew",
    "compaction": "Earlier messages were summarized for the model",
}

type Kind = Literal["user", "assistant", "tool", "system"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a transcript.

    `text` is what was said, a marker's sentence, or a tool's input; `result` is a tool's output, None while it runs.
    `position` orders the messages of a session; entries of one message share it.
    """

    kind: Kind
    id: str
    text: str
    position: int
    at: datetime | None = None
    name: str = ""
    result: str | None = None
    is_error: bool = False
    call_id: str = ""
    run_id: str = ""
    sent_as: str = ""
    model: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it is a tool without a result."""
        return self.kind == "tool" and self.result is None

    @property
    def notice(self) -> str:
        """The first line of a message of Mission Control, which says what kind of notice it is."""
        first = self.text.partition("\n")[0].strip() if self.kind == "user" else ""
        return first if first in NOTICES else ""

    @property
    def title(self) -> str:
        """What a message is."""
        return self.notice.capitalize() or ("Greeting" if self.sent_as.startswith(GREETS) else "Message")

    @property
    def body(self) -> str:
        """What a message says after its title."""
        return self.text.removeprefix(self.notice).lstrip("\n")


def entries_of(messages: Iterable[Any], mask: Mask) -> list[Entry]:
    """Return the entries of a history. What is no message is passed over, so that newer gateways do no harm."""
    found: list[Entry] = []
    calls: dict[str, int] = {}
    for number, message in enumerate(messages):
        if not isinstance(message, Mapping):
            continue
        if message.get("role") in RESULTS:
            _add_result(found, calls, message, number)
            continue
        for entry in _of_message(message, number):
            if entry.call_id:
                calls[entry.call_id] = len(found)
            found.append(entry)
    return [_masked(entry, mask) for entry in found]


def _masked(entry: Entry, mask: Mask) -> Entry:
    result = None if entry.result is None else mask.text(entry.result)
    name, model = mask.text(entry.name), mask.text(entry.model)
    return replace(entry, text=mask.text(entry.text), result=result, name=name, model=model)


def _of_message(message: Mapping[str, Any], number: int) -> list[Entry]:
    own = _own(message)
    role = message.get("role")
    kind: Kind = "user" if role == "user" else "assistant" if role == "assistant" else "system"
    known = Entry(
        kind, _id(message, number), "", position(message, number), moment_of(message.get("timestamp")),
        run_id=str(own.get("runId") or ""), model=str(message.get("model") or ""), sent_as=_sent_as(message, own),
    )  # fmt: skip
    if kind == "system":
        return [replace(known, text=_marker(message, own))]
    parts = message.get("content")
    if isinstance(parts, str):
        parts = [{"type": "text", "text": parts}]
    found: list[Entry] = []
    for index, part in enumerate(parts if isinstance(parts, list) else []):
        entry = _of_part(part, known)
        if entry is not None:
            found.append(replace(entry, id=f"{known.id}-{index}"))
    if not found and message.get("errorMessage"):
        found.append(replace(known, kind="system", text=str(message["errorMessage"]), is_error=True))
    return found


def _of_part(part: Any, known: Entry) -> Entry | None:
    if not isinstance(part, Mapping):
        return None
    kind = part.get("type")
    if kind in CALLS:
        arguments = next((part[key] for key in ("arguments", "input", "args") if key in part), None)
        call_id = str(part.get("id") or part.get("toolCallId") or "")
        return replace(known, kind="tool", name=str(part.get("name") or "tool"), text=tool_input(arguments),
                       call_id=call_id)  # fmt: skip
    if kind == "text" and str(part.get("text") or "").strip():
        text = str(part["text"])
        if known.kind == "user" and text.lstrip().startswith(INTERNAL):
            return replace(known, kind="system", name="Context that the gateway added", text=text)
        return replace(known, text=text)
    if kind == "image":
        return replace(known, kind="system", text="An image")
    return None


def _add_result(found: list[Entry], calls: Mapping[str, int], message: Mapping[str, Any], number: int) -> None:
    """Put a result to the call that it belongs to; one whose call is not in the history stands alone."""
    call_id = str(message.get("toolCallId") or message.get("tool_call_id") or "")
    result, is_error = tool_output(message.get("content")), message.get("isError") is True
    index = calls.get(call_id)
    if index is not None:
        found[index] = replace(found[index], result=result, is_error=is_error)
        return
    name = str(message.get("toolName") or message.get("name") or "tool")
    found.append(
        Entry("tool", _id(message, number), "", position(message, number), moment_of(message.get("timestamp")), name,
              result, is_error, call_id, str(_own(message).get("runId") or ""))
    )  # fmt: skip


def tool_input(arguments: Any) -> str:
    """Return what a tool was called with: a lone command as it is, anything else as JSON."""
    if isinstance(arguments, str):
        return arguments[:LONGEST_TOOL_TEXT]
    if isinstance(arguments, Mapping) and len(arguments) == 1 and isinstance(arguments.get("command"), str):
        return str(arguments["command"])[:LONGEST_TOOL_TEXT]
    return "" if not arguments else json.dumps(arguments, ensure_ascii=False, indent=2)[:LONGEST_TOOL_TEXT]


def tool_output(content: Any) -> str:
    """Return what a tool answered, as text."""
    if isinstance(content, Mapping):
        content = content.get("content", content)
    if isinstance(content, str):
        return content[:LONGEST_TOOL_TEXT]
    if isinstance(content, list):
        texts = [str(one.get("text") or "") for one in content if isinstance(one, Mapping)]
        return "\n".join(filter(None, texts))[:LONGEST_TOOL_TEXT]
    return "" if content is None else json.dumps(content, ensure_ascii=False, indent=2)[:LONGEST_TOOL_TEXT]


def position(message: Mapping[str, Any], number: int) -> int:
    """Return where a message stands in its session: its number there, on older gateways its time."""
    for value in (_own(message).get("seq"), message.get("timestamp")):
        if isinstance(value, int | float):
            return int(value)
    return number


def _own(message: Mapping[str, Any]) -> Mapping[str, Any]:
    own = message.get("__openclaw")
    return own if isinstance(own, Mapping) else {}


def _sent_as(message: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    """Return the idempotency key under which a message was sent, "" for every other message."""
    key = own.get("idempotencyKey") or message.get("idempotencyKey") or ""
    return str(key).removesuffix(":user")


def _marker(message: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    kind = str(own.get("kind") or message.get("kind") or "")
    return MARKERS.get(kind) or tool_output(message.get("content")) or kind or "A note of the gateway"


def _id(message: Mapping[str, Any], number: int) -> str:
    """Return an id for the page, which holds nothing that a gateway chose."""
    known = _own(message).get("id") or f"{message.get('timestamp')}:{message.get('role')}:{number}"
    return sha256(str(known).encode()).hexdigest()[:16]


def moment_of(value: Any) -> datetime | None:
    """Return a time of a gateway, which is milliseconds or seconds since 1970, or a text; None for anything else."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return clock.naive_utc(datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC))
        if isinstance(value, str):
            return clock.naive_utc(datetime.fromisoformat(value))
    except (ValueError, OverflowError, OSError):
        pass
    return None
