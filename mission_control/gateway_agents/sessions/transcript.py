"""A session's history and its present run as people read them."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.notices import NOTICES
from mission_control.core import times
from mission_control.core.text.masking import Mask
from mission_control.gateway_agents.provisioning.gateway_agent import agent_in
from mission_control.gateway_agents.sessions.reading import listed, mask_of
from mission_control.gateways.connections.connector import call
from mission_control.gateways.protocol.errors import GatewayError
from mission_control.gateways.protocol.payload import Payload
from mission_control.web.fragments import read_ahead

CALLS = {"toolCall", "tool_call", "toolUse", "tool_use"}
RESULTS = {"toolResult", "tool", "tool_result"}
INTERNAL = "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>"
LONGEST_TOOL_TEXT = 20_000
GREETS = "mc-wake-"  # how keys of messages begin that start an agent
MARKERS = {"reset": "The session began anew", "compaction": "Earlier messages were summarized for the model"}

type Kind = Literal["user", "assistant", "tool", "system"]
KINDS: dict[str, Kind] = {"user": "user", "assistant": "assistant"}  # by the role of a message


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
    """What is no message is passed over, so that newer gateways do no harm."""
    entries: list[Entry] = []
    calls: dict[str, int] = {}
    for number, value in enumerate(messages):
        if not isinstance(value, dict):
            continue
        message = Payload.of(value)
        if message.text("role") in RESULTS:
            _add_result(entries, calls, message, number)
            continue
        for entry in _of_message(message, number):
            if entry.call_id:
                calls[entry.call_id] = len(entries)
            entries.append(entry)
    masked = ("text", "result", "name", "model")
    return [replace(entry, **{name: mask.value(getattr(entry, name)) for name in masked}) for entry in entries]


def _of_message(message: Payload, number: int) -> list[Entry]:
    own, role = message.inner("__openclaw"), message.text("role")
    # The idempotency key under which a message was sent.
    sent_as = (own.text("idempotencyKey") or message.text("idempotencyKey")).removesuffix(":user")
    common = Entry(
        KINDS.get(role, "system"),
        _id(message, number), "", position(message, number), moment_of(message.get("timestamp")),
        run_id=own.text("runId"), model=message.text("model"), sent_as=sent_as,
    )  # fmt: skip
    if common.kind == "system":
        return [replace(common, text=_marker_text(message))]
    content = message.string("content")
    parts = message.items_of("content") if content is None else [{"type": "text", "text": content}]
    read = ((index, _of_part(Payload.of(part), common)) for index, part in enumerate(parts))
    entries = [replace(entry, id=f"{common.id}-{index}") for index, entry in read if entry is not None]
    if not entries and (error := message.text("errorMessage")):
        return [replace(common, kind="system", text=error, is_error=True)]
    return entries


def _marker_text(message: Payload) -> str:
    marker = message.inner("__openclaw").text("kind") or message.text("kind")
    return MARKERS.get(marker) or tool_output(message.get("content")) or marker or "A note of the gateway"


def _of_part(part: Payload, common: Entry) -> Entry | None:
    kind = part.text("type")
    if kind in CALLS:
        arguments = next((part[key] for key in ("arguments", "input", "args") if key in part), None)
        name, call_id = part.text("name") or "tool", part.text("id", "toolCallId")
        return replace(common, kind="tool", name=name, text=tool_input(arguments), call_id=call_id)
    if kind == "image":
        return replace(common, kind="system", text="An image")
    text = part.text("text")
    if kind != "text" or not text.strip():
        return None
    if common.kind == "user" and text.lstrip().startswith(INTERNAL):
        return replace(common, kind="system", name="Context that the gateway added", text=text)
    return replace(common, text=text)


def _add_result(entries: list[Entry], calls: dict[str, int], message: Payload, number: int) -> None:
    """Put a result to the call that it belongs to; one whose call is not in the history stands alone."""
    call_id = message.text("toolCallId", "tool_call_id")
    result, is_error = tool_output(message.get("content")), message.get("isError") is True
    if (index := calls.get(call_id)) is not None:
        entries[index] = replace(entries[index], result=result, is_error=is_error)
        return
    entries.append(
        Entry("tool", _id(message, number), "", position(message, number), moment_of(message.get("timestamp")),
              message.text("toolName", "name") or "tool", result, is_error, call_id,
              message.inner("__openclaw").text("runId"))
    )  # fmt: skip


def tool_input(arguments: object) -> str:
    command = arguments.get("command") if isinstance(arguments, dict) and len(arguments) == 1 else arguments
    return _as_text(command if isinstance(command, str) else arguments or None)


def tool_output(content: object) -> str:
    if isinstance(content, dict):
        content = content.get("content", content)
    if isinstance(content, list):
        content = "\n".join(filter(None, (Payload.of(part).text("text") for part in content)))
    return _as_text(content)


def _as_text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return "" if value is None else text[:LONGEST_TOOL_TEXT]


def position(message: Payload, number: int) -> int:
    """Take its number in the session, on older gateways its time."""
    for value in (message.inner("__openclaw").get("seq"), message.get("timestamp")):
        if isinstance(value, int | float):
            return int(value)
    return number


def _id(message: Payload, number: int) -> str:
    """Hash an id for the page, which holds nothing that a gateway chose."""
    own_id = message.inner("__openclaw").text("id")
    return _hashed(own_id or f"{message.get('timestamp')}:{message.get('role')}:{number}")


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


def is_running(session: Payload) -> bool:
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
    def of(cls, key: str, session: Payload, mask: Mask) -> "SessionFacts":
        # Without a name of its own it is called by its key, without its agent and with the beginning of ids alone.
        short_key = ":".join(key.split(":")[2:]) if agent_in(key) else key
        short_title = LONG_ID.sub(lambda match: f"{match[1]}…", short_key).replace(":", " ")
        tokens, context = _number(session.get("totalTokens")), _number(session.get("contextTokens"))
        return cls(
            key, mask.text(session.text("label", "displayName", "derivedTitle") or short_title),
            mask.text(session.text("agentId") or agent_in(key)), mask.text(session.text("model")),
            None if tokens is None else int(tokens), None if context is None else int(context),
            _number(session.get("estimatedCostUsd")), moment_of(session.get("updatedAt")), is_running(session),
            mask.text(session.text("lastRunError")),
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


async def read_history(gateway_id: UUID, key: str, limit: int) -> History:
    try:
        payload = await call(gateway_id, "chat.history", {"sessionKey": key, "limit": limit})
    except GatewayError as error:
        return History(error=error.message)
    mask = await mask_of(gateway_id)
    entries = tuple(entries_of(listed(payload, "messages"), mask))
    await read_ahead(*(entry.text for entry in entries if entry.kind in ("user", "assistant")))
    answer = Payload.of(payload)
    facts = SessionFacts.of(key, answer.inner("sessionInfo"), mask)
    return History(entries, facts, has_earlier=answer.get("hasMore") is True)


def settled_before(entries: tuple[Entry, ...], is_running: bool) -> int:
    started = [entry.position for entry in entries if entry.is_open]
    if is_running:
        started += [entry.position for entry in entries if entry.kind == "user"][-1:]
    last = entries[-1].position if entries else 0
    return min([last, *(position - 1 for position in started)])


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

    def goes_on(self, item: str) -> bool:
        """Whether a text of an item belongs to this part, not to a new one."""
        return self.kind == "text" and (not item or not self.id or item == self.id)


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

    def agent_event(self, stream: str, data: Payload) -> None:
        match stream:
            case "run_status" | "lifecycle":
                phase = data.text("phase")
                self._set_status(PHASES.get(phase, self.status))
                self.is_whole = self.is_whole or (not self.parts and phase in ("start", "preparing_workspace"))
            case "assistant":
                self.has_items = True
                self._say(data.string("text"), data.text("itemId")[:LONGEST_WORD])
            case "tool":
                self._tool_event(data, _used)
            case "item" if data.get("kind") == "tool":
                self._tool_event(data, _mentioned)
            case "command_output":
                self._output_event(data)

    def _tool_event(self, data: Payload, take: Callable[[Part, Payload], None]) -> None:
        part = self._tool(data)
        if part is not None and (take is _used or not part.is_done):
            take(part, data)
            self.changed.add(self.parts.index(part))
            self._set_status("Thinking" if part.is_done else f"Using {part.name}")

    def _output_event(self, data: Payload) -> None:
        part, output = self._tool(data), data.string("output")
        if part is not None and output is not None and (data.get("phase") == "end" or not part.is_done):
            part.result = tool_output(output)
            self.changed.add(self.parts.index(part))

    def chat_delta(self, payload: Payload) -> None:
        """Take a delta of the kind `chat`, which gateways without the stream `assistant` send alone."""
        message = payload.get("message")
        text = tool_output(message.get("content")) if isinstance(message, dict) else payload.string("deltaText")
        if not self.has_items:
            self._say(text, "")

    def _say(self, text: str | None, item: str) -> None:
        if not text:
            return
        last = self.parts[-1] if self.parts else None
        if last is None or not last.goes_on(item):
            if not item and self._has_said(text):
                return
            last = self._add(Part("text", item))
        if last is not None and len(text) >= len(last.text):
            last.text, last.id = text[:LONGEST_TEXT], last.id or item
            self.changed.add(self.parts.index(last))
        self._set_status("Writing")

    def _has_said(self, text: str) -> bool:
        return any(part.kind == "text" and part.text == text for part in self.parts)

    def tool_of(self, data: Payload) -> Part | None:
        call_id = data.text("toolCallId")[:LONGEST_WORD]
        return next((part for part in self.parts if part.kind == "tool" and part.id == call_id), None)

    def _tool(self, data: Payload) -> Part | None:
        call_id, name = data.text("toolCallId")[:LONGEST_WORD], (data.text("name") or "tool")[:LONGEST_WORD]
        return self.tool_of(data) or self._add(Part("tool", call_id, name))

    def _set_status(self, status: str) -> None:
        self.has_new_status = self.has_new_status or status != self.status
        self.status = status

    def _add(self, part: Part) -> Part | None:
        size = sum(len(part.text) + len(part.result or "") for part in self.parts)
        if len(self.parts) >= MOST_PARTS or size > MOST_CHARACTERS:
            return None
        self.parts.append(part)
        return part


def _used(part: Part, data: Payload) -> None:
    """Take an event of a call: what the tool was given, and what came of it so far."""
    phase = data.get("phase")
    if "args" in data:
        part.text = tool_input(data["args"])
    if phase == "update" and not part.is_done:
        part.result = tool_output(data.get("partialResult"))
    elif phase == "result":
        part.result, part.is_done = tool_output(data.get("result")), True
        part.is_error = data.get("isError") is True


def _mentioned(part: Part, data: Payload) -> None:
    """Take what a gateway says of a tool in a run that somebody else began: no input, only what it is about."""
    part.text = part.text or tool_input(data.text("meta", "title"))
    if data.get("phase") == "end":
        part.is_done, part.is_error = True, data.get("status") not in (None, "completed")
