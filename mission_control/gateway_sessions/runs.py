"""A run of an agent as it happens: what it says, the tools that it uses, and how its events change that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mission_control.gateway_sessions.transcript import tool_input, tool_output

MOST_PARTS = 200
LONGEST_TEXT = 100_000
LONGEST_WORD = 200
MOST_CHARACTERS = 1_000_000  # of a run, beyond which no part is added
ENDINGS = {"final", "aborted", "error"}
PHASES = {
    "preparing_workspace": "Preparing its workspace",
    "preparing_context": "Preparing the context",
    "starting_model": "Waiting for the model",
    "model": "Thinking",
    "start": "Started",
    "finishing": "Finishing",
    "fallback_step": "Trying another model",
}


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
    # Whether its texts come as items; the cumulative ones of `chat` are left out then.
    has_items: bool = False

    def agent_event(self, stream: object, data: Mapping[str, Any]) -> None:
        """Take an event of the kind `agent`."""
        phase = data.get("phase")
        if stream in ("run_status", "lifecycle"):
            self._set_status(PHASES.get(str(phase), self.status))
            self.is_whole = self.is_whole or (not self.parts and phase in ("start", "preparing_workspace"))
        elif stream == "assistant":
            self.has_items = True
            self._say(data.get("text"), str(data.get("itemId") or "")[:LONGEST_WORD])
        elif stream == "tool":
            self._use(data, str(phase))
        elif stream == "item" and data.get("kind") == "tool":
            self._item(data, str(phase))
        elif stream == "command_output":
            self._output(data)

    def chat_delta(self, payload: Mapping[str, Any]) -> None:
        """Take a delta of the kind `chat`, which gateways without the stream `assistant` send alone."""
        if self.has_items:
            return
        message = payload.get("message")
        text = tool_output(message.get("content")) if isinstance(message, Mapping) else payload.get("deltaText")
        self._say(text, "")

    def _say(self, text: Any, item: str) -> None:
        if not isinstance(text, str) or not text:
            return
        last = self.parts[-1] if self.parts else None
        if last is None or last.kind != "text" or (item and last.id and item != last.id):
            if item == "" and any(one.kind == "text" and one.text == text for one in self.parts):
                return
            last = self._add(Part("text", item))
        if last is not None and len(text) >= len(last.text):
            last.text, last.id = text[:LONGEST_TEXT], last.id or item
            self.changed.add(self.parts.index(last))
        self._set_status("Writing")

    def _tool(self, data: Mapping[str, Any]) -> Part | None:
        """Return the part of the tool that an event is about; None beyond the number that is kept."""
        call_id = str(data.get("toolCallId") or "")[:LONGEST_WORD]
        part = next((one for one in self.parts if one.kind == "tool" and one.id == call_id), None)
        return part or self._add(Part("tool", call_id, str(data.get("name") or "tool")[:LONGEST_WORD]))

    def _item(self, data: Mapping[str, Any], phase: str) -> None:
        """Take what a gateway says of a tool in a run that somebody else began: no input, only what it is about."""
        part = self._tool(data)
        if part is None or part.is_done:
            return
        part.text = part.text or tool_input(str(data.get("meta") or data.get("title") or ""))
        if phase == "end":
            part.is_done, part.is_error = True, data.get("status") not in (None, "completed")
        self.changed.add(self.parts.index(part))
        self._set_status("Thinking" if part.is_done else f"Using {part.name}")

    def _output(self, data: Mapping[str, Any]) -> None:
        part = self._tool(data)
        is_whole = data.get("phase") == "end"
        if part is not None and isinstance(data.get("output"), str) and (is_whole or not part.is_done):
            part.result = tool_output(data["output"])
            self.changed.add(self.parts.index(part))

    def _use(self, data: Mapping[str, Any], phase: str) -> None:
        part = self._tool(data)
        if part is None:
            return
        if "args" in data:
            part.text = tool_input(data["args"])
        if phase == "update" and not part.is_done:
            part.result = tool_output(data.get("partialResult"))
        elif phase == "result":
            part.result, part.is_done = tool_output(data.get("result")), True
            part.is_error = data.get("isError") is True
        self.changed.add(self.parts.index(part))
        self._set_status("Thinking" if part.is_done else f"Using {part.name}")

    def _set_status(self, status: str) -> None:
        self.has_new_status = self.has_new_status or status != self.status
        self.status = status

    def _add(self, part: Part) -> Part | None:
        size = sum(len(one.text) + len(one.result or "") for one in self.parts)
        if len(self.parts) >= MOST_PARTS or size > MOST_CHARACTERS:
            return None
        self.parts.append(part)
        return part
