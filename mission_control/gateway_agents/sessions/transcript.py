"""A session's history and its present run as people read them."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.notices import NOTICES
from mission_control.core import times
from mission_control.core.text.masking import Mask
from mission_control.gateway_agents.provisioning.gateway_agent import agent_in, mapping
from mission_control.gateway_agents.sessions.reading import listed, mask_of
from mission_control.gateways.connections.connector import call
from mission_control.gateways.protocol.errors import GatewayError
from mission_control.web.fragments import read_ahead

CALLS = {"toolCall", "tool_call", "toolUse", "tool_use"}
RESULTS = {"toolResult", "tool", "tool_result"}
INTERNAL = "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>"
LONGEST_TOOL_TEXT = 20_000
GREETS = "mc-wake-"  # how keys of messages begin that start an agent
MARKERS = {"reset": "The session began anew", "compaction": "Earlier messages were summarized for the model"}

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
        return self.kind == "tool" and self.result is None

    @property
    def notice(self) -> str:
        """The first line of a message of Mission Control, which says what kind of notice it is."""
        first = self.text.partition("\n")[0].strip() if self.kind == "user" else ""
        return first if first in NOTICES else ""

    @property
    def title(self) -> str:
        return self.notice.capitalize() or ("Greeting" if self.sent_as.startswith(GREETS) else "Message")

    @property
    def body(self) -> str:
        return self.text.removeprefix(self.notice).lstrip("\n")


def entries_of(messages: Iterable[object], mask: Mask) -> list[Entry]:
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
    shown = ("text", "result", "name", "model")
    return [replace(entry, **{name: mask.value(getattr(entry, name)) for name in shown}) for entry in found]


def _of_message(message: Mapping[str, object], number: int) -> list[Entry]:
    own, role = mapping(message.get("__openclaw")), message.get("role")
    # The idempotency key under which a message was sent.
    sent_as = str(own.get("idempotencyKey") or message.get("idempotencyKey") or "").removesuffix(":user")
    known = Entry(
        "user" if role == "user" else "assistant" if role == "assistant" else "system",
        _id(message, number), "", position(message, number), moment_of(message.get("timestamp")),
        run_id=str(own.get("runId") or ""), model=str(message.get("model") or ""), sent_as=sent_as,
    )  # fmt: skip
    if known.kind == "system":
        marker = str(own.get("kind") or message.get("kind") or "")
        text = MARKERS.get(marker) or tool_output(message.get("content")) or marker or "A note of the gateway"
        return [replace(known, text=text)]
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


def _of_part(part: object, known: Entry) -> Entry | None:
    if not isinstance(part, Mapping):
        return None
    kind = part.get("type")
    if kind in CALLS:
        arguments = next((part[key] for key in ("arguments", "input", "args") if key in part), None)
        name, call_id = str(part.get("name") or "tool"), str(part.get("id") or part.get("toolCallId") or "")
        return replace(known, kind="tool", name=name, text=tool_input(arguments), call_id=call_id)
    if kind == "text" and str(part.get("text") or "").strip():
        text = str(part["text"])
        if known.kind == "user" and text.lstrip().startswith(INTERNAL):
            return replace(known, kind="system", name="Context that the gateway added", text=text)
        return replace(known, text=text)
    if kind == "image":
        return replace(known, kind="system", text="An image")
    return None


def _add_result(found: list[Entry], calls: Mapping[str, int], message: Mapping[str, object], number: int) -> None:
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
              result, is_error, call_id, str(mapping(message.get("__openclaw")).get("runId") or ""))
    )  # fmt: skip


def tool_input(arguments: object) -> str:
    command = arguments.get("command") if isinstance(arguments, Mapping) and len(arguments) == 1 else arguments
    return _as_text(command if isinstance(command, str) else arguments or None)


def tool_output(content: object) -> str:
    if isinstance(content, Mapping):
        content = content.get("content", content)
    if isinstance(content, list):
        texts = [str(part.get("text") or "") for part in content if isinstance(part, Mapping)]
        content = "\n".join(filter(None, texts))
    return _as_text(content)


def _as_text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return "" if value is None else text[:LONGEST_TOOL_TEXT]


def position(message: Mapping[str, object], number: int) -> int:
    """Return where a message stands in its session: its number there, on older gateways its time."""
    for value in (mapping(message.get("__openclaw")).get("seq"), message.get("timestamp")):
        if isinstance(value, int | float):
            return int(value)
    return number


def _id(message: Mapping[str, object], number: int) -> str:
    """Return an id for the page, which holds nothing that a gateway chose."""
    own_id = mapping(message.get("__openclaw")).get("id")
    return _hashed(str(own_id or f"{message.get('timestamp')}:{message.get('role')}:{number}"))


def _hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def moment_of(value: object) -> datetime | None:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return times.naive_utc(datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC))
        if isinstance(value, str):
            return times.naive_utc(datetime.fromisoformat(value))
    except (ValueError, OverflowError, OSError):
        pass
    return None


LONG_ID = re.compile(r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")


def is_running(session: Mapping[str, object]) -> bool:
    return session.get("hasActiveRun") is True or session.get("status") == "running"


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What a gateway says of a session; what it leaves out is empty."""

    key: str
    title: str
    agent_id: str
    model: str = ""
    tokens: int | None = None
    context: int | None = None
    cost: float | None = None
    updated_at: datetime | None = None
    is_running: bool = False
    error: str = ""

    @property
    def id(self) -> str:
        return _hashed(self.key)

    def titled(self, agent: Agent | None) -> str:
        name = agent.name if agent else self.agent_id
        if self.title in ("", "main", name) or not name:
            return name or self.title
        return self.title if self.title.startswith(f"{name} ") else f"{name}: {self.title}"

    @classmethod
    def of(cls, key: str, known: Mapping[str, object], mask: Mask) -> "SessionFacts":
        # Without a name of its own it is called by its key, without its agent and with the beginning of ids alone.
        short_key = ":".join(key.split(":")[2:]) if agent_in(key) else key
        titles = [known.get(name) for name in ("label", "displayName", "derivedTitle")]
        titles.append(LONG_ID.sub(lambda found: f"{found[1]}…", short_key).replace(":", " "))
        tokens, context = _number(known.get("totalTokens")), _number(known.get("contextTokens"))
        return cls(
            key, mask.text(next((str(title) for title in titles if title), "")),
            mask.text(str(known.get("agentId") or agent_in(key))), mask.text(str(known.get("model") or "")),
            None if tokens is None else int(tokens), None if context is None else int(context),
            _number(known.get("estimatedCostUsd")), moment_of(known.get("updatedAt")), is_running(known),
            mask.text(str(known.get("lastRunError") or "")),
        )  # fmt: skip


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@dataclass(frozen=True, slots=True)
class History:
    """The transcript of a session, or why it cannot be read."""

    entries: tuple[Entry, ...] = ()
    facts: SessionFacts | None = None
    has_earlier: bool = False
    error: str = ""


async def read_history(gateway_id: UUID, key: str, shown: int) -> History:
    try:
        payload = await call(gateway_id, "chat.history", {"sessionKey": key, "limit": shown})
    except GatewayError as error:
        return History(error=error.message)
    mask = await mask_of(gateway_id)
    entries = tuple(entries_of(listed(payload, "messages"), mask))
    await read_ahead(*(entry.text for entry in entries if entry.kind in ("user", "assistant")))
    facts = SessionFacts.of(key, mapping(mapping(payload).get("sessionInfo")), mask)
    return History(entries, facts, has_earlier=mapping(payload).get("hasMore") is True)


def settled_before(entries: tuple[Entry, ...], is_running: bool) -> int:
    started = [entry.position for entry in entries if entry.is_open]
    if is_running:
        started += [entry.position for entry in entries if entry.kind == "user"][-1:]
    last = entries[-1].position if entries else 0
    return min([last, *(one - 1 for one in started)])


MOST_PARTS = 200
LONGEST_TEXT = 100_000
LONGEST_WORD = 200
MOST_CHARACTERS = 1_000_000  # of a run, beyond which no part is added
ENDINGS = {"final", "aborted", "error"}
PHASES = {
    "preparing_workspace": "Preparing its workspace", "preparing_context": "Preparing the context",
    "starting_model": "Waiting for the model", "model": "Thinking", "start": "Started", "finishing": "Finishing",
    "fallback_step": "Trying another model",
}  # fmt: skip


@dataclass(slots=True)
class Part:
    """A text that an agent says, or a tool that it uses; `result` of a tool is None while nothing came of it."""

    kind: Literal["text", "tool"]
    id: str
    name: str = ""
    text: str = ""
    result: str | None = None
    is_done: bool = False
    is_error: bool = False


@dataclass(slots=True)
class Run:
    """A run. `is_whole` says that it was followed from its beginning."""

    id: str
    status: str = "Started"
    is_whole: bool = False
    parts: list[Part] = field(default_factory=list)
    # What pages do not show yet: parts by their number, and the status.
    changed: set[int] = field(default_factory=set)
    has_new_status: bool = False
    # What is stored of it already, as activities: parts, and when calls of tools began.
    noted: dict[str, float] = field(default_factory=dict)
    # Whether its texts come as items; the cumulative ones of `chat` are left out then.
    has_items: bool = False

    def agent_event(self, stream: object, data: Mapping[str, object]) -> None:
        phase = data.get("phase")
        if stream in ("run_status", "lifecycle"):
            self._set_status(PHASES.get(str(phase), self.status))
            self.is_whole = self.is_whole or (not self.parts and phase in ("start", "preparing_workspace"))
        elif stream == "assistant":
            self.has_items = True
            self._say(data.get("text"), str(data.get("itemId") or "")[:LONGEST_WORD])
        elif stream == "tool" or (stream == "item" and data.get("kind") == "tool"):
            if (part := self._tool(data)) is not None and (stream == "tool" or not part.is_done):
                (_used if stream == "tool" else _mentioned)(part, data, str(phase))
                self.changed.add(self.parts.index(part))
                self._set_status("Thinking" if part.is_done else f"Using {part.name}")
        elif stream == "command_output" and (part := self._tool(data)) is not None:
            if isinstance(data.get("output"), str) and (phase == "end" or not part.is_done):
                part.result = tool_output(data["output"])
                self.changed.add(self.parts.index(part))

    def chat_delta(self, payload: Mapping[str, object]) -> None:
        """Take a delta of the kind `chat`, which gateways without the stream `assistant` send alone."""
        message = payload.get("message")
        text = tool_output(message.get("content")) if isinstance(message, Mapping) else payload.get("deltaText")
        if not self.has_items:
            self._say(text, "")

    def _say(self, text: object, item: str) -> None:
        if not isinstance(text, str) or not text:
            return
        last = self.parts[-1] if self.parts else None
        if last is None or last.kind != "text" or (item and last.id and item != last.id):
            if item == "" and any(part.kind == "text" and part.text == text for part in self.parts):
                return
            last = self._add(Part("text", item))
        if last is not None and len(text) >= len(last.text):
            last.text, last.id = text[:LONGEST_TEXT], last.id or item
            self.changed.add(self.parts.index(last))
        self._set_status("Writing")

    def _tool(self, data: Mapping[str, object]) -> Part | None:
        call_id = str(data.get("toolCallId") or "")[:LONGEST_WORD]
        part = next((one for one in self.parts if one.kind == "tool" and one.id == call_id), None)
        return part or self._add(Part("tool", call_id, str(data.get("name") or "tool")[:LONGEST_WORD]))

    def _set_status(self, status: str) -> None:
        self.has_new_status = self.has_new_status or status != self.status
        self.status = status

    def _add(self, part: Part) -> Part | None:
        size = sum(len(one.text) + len(one.result or "") for one in self.parts)
        if len(self.parts) >= MOST_PARTS or size > MOST_CHARACTERS:
            return None
        self.parts.append(part)
        return part


def _used(part: Part, data: Mapping[str, object], phase: str) -> None:
    """Take an event of a call: what the tool was given, and what came of it so far."""
    if "args" in data:
        part.text = tool_input(data["args"])
    if phase == "update" and not part.is_done:
        part.result = tool_output(data.get("partialResult"))
    elif phase == "result":
        part.result, part.is_done = tool_output(data.get("result")), True
        part.is_error = data.get("isError") is True


def _mentioned(part: Part, data: Mapping[str, object], phase: str) -> None:
    """Take what a gateway says of a tool in a run that somebody else began: no input, only what it is about."""
    part.text = part.text or tool_input(str(data.get("meta") or data.get("title") or ""))
    if phase == "end":
        part.is_done, part.is_error = True, data.get("status") not in (None, "completed")
