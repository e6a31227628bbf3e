"""The calls of tools by an agent: what the board hears of them, and what people say to them."""

from __future__ import annotations

import contextlib
import shlex

from mission_control.client.work import acp
from mission_control.client.work.inbox import Event
from mission_control.client.work.values import rows_at, text_at, value_at, values_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mission_control.client.shapes import HookAnswer, Values
    from mission_control.client.work.inbox import Inbox
    from mission_control.client.work.reports import Reports

# The tools of the kinds of calls, by the names under which people know them.
TOOLS = {
    "execute": "Bash", "edit": "Edit", "read": "Read", "delete": "Delete", "move": "Move", "search": "Search",
    "fetch": "WebFetch", "think": "Think",
}  # fmt: skip
RENAMED = {"filePath": "file_path", "oldString": "old_string", "newString": "new_string"}
OVER = ("completed", "failed")


class ToolCall:
    """A call as agents describe it by the Agent Client Protocol, a part at a time."""

    def __init__(self, number: str) -> None:
        self.number = number
        self.values: Values = {}
        self.is_begun = self.is_ended = self.is_refused = False

    def merge(self, update: Values) -> None:
        self.values.update({name: value for name, value in update.items() if value not in (None, [], {}, "")})

    def about(self) -> Values:
        return {"tool_name": self.tool, "tool_input": self.input, "tool_use_id": self.number}

    @property
    def tool(self) -> str:
        if name := value_at(self.values, "_meta", "claudeCode", "toolName"):
            return str(name)
        if "todos" in self.input:
            return "TodoWrite"
        return TOOLS.get(str(self.values.get("kind")), str(self.values.get("name") or "").strip() or "Tool")

    @property
    def input(self) -> Values:
        """Its input as Claude Code would write it."""
        raw = values_at(self.values, "rawInput")
        values: Values = {RENAMED.get(str(name), str(name)): value for name, value in raw.items()}
        command = values.get("command")
        if isinstance(command, list) and all(isinstance(word, str) for word in command):
            values["command"] = " ".join(shlex.quote(word) for word in command)
        if self.values.get("kind") == "execute" and not values.get("command"):
            values["command"] = str(self.values.get("title") or "")
        if values.keys() & {"old_string", "content", "edits"}:
            return values
        return {**values, **self._edits()}

    def _edits(self) -> Values:
        diffs = [part for part in rows_at(self.values, "content") if part.get("type") == "diff"]
        edits = [{"old_string": str(diff.get("oldText") or ""), "new_string": str(diff.get("newText") or "")}
                 for diff in diffs]  # fmt: skip
        paths = [str(diff.get("path")) for diff in diffs]
        if len(set(paths)) == 1:
            return {"file_path": paths[0], "edits": edits}
        return {"files": [{"path": path, **edit} for path, edit in zip(paths, edits)]} if paths else {}

    @property
    def output(self) -> str:
        texts = [value_at(part, "content", "text") for part in rows_at(self.values, "content")]
        return "\n".join(text for text in texts if isinstance(text, str)) or text_at(self.values, "rawOutput")

    @property
    def has_failed(self) -> bool:
        codes = (
            value_at(self.values, "rawOutput", "metadata", "exit"),
            value_at(self.values, "_meta", "terminal_exit", "exit_code"),
        )
        return self.values.get("status") == "failed" or any(isinstance(code, int) and code != 0 for code in codes)


class ToolCalls:
    """The calls of one task."""

    def __init__(self, reports: Reports, inbox: Inbox) -> None:
        self._reports, self._inbox = reports, inbox
        self._calls: dict[str, ToolCall] = {}
        self._open: set[tuple[acp.Agent, object]] = set()  # requests for permission

    def _merged(self, update: Values) -> ToolCall:
        number = str(update.get("toolCallId"))
        call = self._calls.setdefault(number, ToolCall(number))
        call.merge(update)
        return call

    def update(self, update: Values, *, is_replayed: bool) -> bool:
        """Report that a call begins or ends; return whether it ends. A loaded session repeats calls by their ids."""
        call = self._merged(update)
        if is_replayed:
            call.is_begun = call.is_ended = True
            return False
        state = call.values.get("status")
        if state == "in_progress" or state in OVER:
            self._begin(call)
        if state not in OVER or call.is_ended:
            return False
        call.is_ended = True
        if call.is_refused:
            self._reports.tell("PermissionDenied", **call.about())
        elif call.has_failed:
            self._reports.tell("PostToolUseFailure", error=call.output, **call.about())
        else:
            self._reports.tell("PostToolUse", tool_response=call.output, **call.about())
        return True

    def _begin(self, call: ToolCall) -> None:
        if not call.is_begun:
            call.is_begun = True
            self._reports.tell("PreToolUse", **call.about())

    def ask(self, agent: acp.Agent, number: object, params: Values) -> None:
        """Ask people for a permission; nothing is allowed without their answer."""
        call, request = self._merged(values_at(params, "toolCall")), (agent, number)
        options = {text_at(option, "kind"): option.get("optionId") for option in reversed(rows_at(params, "options"))}
        link = self._reports.link
        assert link is not None
        self._begin(call)
        self._open.add(request)

        def answered(answer: HookAnswer) -> None:
            decision, words = answer.get("decision"), answer.get("words")
            try:
                self._open.remove(request)
            except KeyError:
                return
            option = options.get("allow_once" if decision == "allow-once" else "reject_once")
            if decision != "allow-once":
                call.is_refused = True
                if decision != "stop" and words:  # before its turn may end
                    self._inbox.put(Event("note", words))
            with contextlib.suppress(acp.Gone):
                agent.reply(number, {"outcome": {"outcome": "selected", "optionId": option} if option else CANCELLED})
            if decision == "stop":
                self._inbox.put(Event("denied", words or "Denied and stopped."))

        link.ask(answered, lambda: request not in self._open, **call.about())

    def cancel(self) -> None:
        """Answer all requests: nobody decides about them."""
        for request in list(self._open):
            self._open.discard(request)
            agent, number = request
            agent.reply(number, {"outcome": CANCELLED})

    def forget_requests(self) -> None:
        """Forget what an agent that has ended asked."""
        self._open.clear()
        for call in self._calls.values():
            call.is_refused = False


CANCELLED = {"outcome": "cancelled"}
