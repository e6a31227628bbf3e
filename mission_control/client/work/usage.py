"""What a program that `work` runs used: figures of each turn, and the costs that it tells."""

from __future__ import annotations

import json
import socket

from mission_control.client.work.values import rows_at, text_at, value_at, values_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mission_control.client.program import Program
    from mission_control.client.shapes import UsageEntry, Values
    from mission_control.client.work.reports import Reports
    from mission_control.client.work.task import TaskFile


AT_ONCE = 50
ANSWER_SECONDS = 10.0
# The names under which agents tell the tokens of a turn.
INPUT = ("inputTokens", "input_tokens")
OUTPUT = ("outputTokens", "output_tokens")
CACHED = ("cachedInputTokens", "cachedReadTokens", "cached_input_tokens")
WRITTEN = ("cachedWriteTokens", "cacheWriteInputTokens")


class Usage:
    """What a task used. Agents tell the costs of a session in sum: `_counted` is what of it is reported."""

    def __init__(self, program: Program, task: TaskFile, reports: Reports) -> None:
        self._program, self._task, self._reports = program, task, reports
        self._cost = self._counted = self._spent = 0.0
        self.is_untitled = False  # so that the program asks its model for a title, and tells nobody of that
        self.messages: Messages | None = None

    @property
    def total(self) -> float:
        return self._spent + self._cost - self._counted

    def begin_session(self) -> None:
        self._cost = self._counted = 0.0
        self.messages = Messages() if self._program.serves else None

    def skip_replay(self) -> None:
        """Take what a loaded session told of its past for reported."""
        self._counted = self._cost

    def hear_cost(self, cost: object) -> None:
        amount = value_at(cost, "amount") if isinstance(cost, dict) else cost
        if isinstance(amount, (int, float)):
            self._cost = max(self._cost, float(amount))

    def report_turn(self, result: Values, number: int) -> None:
        task, messages = self._task, self.messages
        if messages is not None:
            entries = messages.new_usage(task.session)
        else:
            entries = usage_of_turn(result, f"acp:{task.session}:{number}")
        cost, self._counted = max(0.0, self._cost - self._counted), self._cost
        self._spent += cost
        if len(entries) == 1 and messages is None:
            entries[0]["cost_usd"] = round(cost, 6)
        if entries and (self.is_untitled or self._program.lacks == "routing"):
            self.is_untitled, entries[0]["gaps"] = False, 1
        for first in range(0, len(entries), AT_ONCE):
            self._reports.report_usage(f"{number:04}-{first:04}", entries[first : first + AT_ONCE])

    def report_cut(self) -> None:
        """Report of a turn that was cut that not all of it is counted."""
        task, number = self._task, self._task.prompted
        if self._program.acp and task.session and number > task.counted:
            task.save(counted=number)
            key = f"acp:{task.session}:{number}:cut"[:200]
            self._reports.report_usage(f"{number:04}-cut", [{"key": key, "source": "acp", "gaps": 1}])


def usage_of_turn(result: Values, key: str) -> list[UsageEntry]:
    by_model = rows_at(result, "_meta", "quota", "model_usage")
    counted = [(str(row.get("model") or ""), values_at(row, "token_count")) for row in by_model]
    entries = []
    for model, tokens in counted or [("", values_at(result, "usage"))]:
        cached, written, received = _tokens(tokens, CACHED), _tokens(tokens, WRITTEN), _tokens(tokens, INPUT)
        entry: UsageEntry = {
            "input_tokens": received + cached + written, "output_tokens": _tokens(tokens, OUTPUT),
            "cached_tokens": cached, "written_tokens": written, "key": f"{key}:{model}"[:200], "source": "acp",
        }  # fmt: skip
        if model:
            entry["model"] = model[:200]
        if entry["input_tokens"] or entry["output_tokens"]:
            entries.append(entry)
    return entries


def _tokens(counts: Values, names: tuple[str, ...]) -> int:
    return max(0, next((count for name in names if isinstance(count := counts.get(name), int)), 0))


class Messages:
    """The messages of an opencode's sessions, which it serves on loopback: its answers tell the last request alone."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._counted: set[str] = set()

    def new_usage(self, session: str) -> list[UsageEntry]:
        """Read the usage of each request of a session and its helpers that was not read before."""
        entries, sessions = [], [session]
        for name in sessions:  # which grows
            sessions += [str(child.get("id")) for child in rows_at(self._get(f"session/{name}/children"))]
            for message in rows_at(self._get(f"session/{name}/message")):
                info, number = values_at(message, "info"), str(value_at(message, "info", "id"))
                is_over = info.get("role") == "assistant" and value_at(info, "time", "completed")
                if is_over and number not in self._counted:
                    entries.append(_usage_of_message(info))
                    self._counted.add(number)
        return [entry for entry in entries if entry["input_tokens"] or entry["output_tokens"]]

    def retry_of(self, session: str) -> tuple[str, float] | None:
        """Return why a session waits before it asks its model again, and until when; it tells its client nothing."""
        status = values_at(self._get("session/status"), session)
        moment = status.get("next") if status.get("type") == "retry" else None
        return (text_at(status, "message"), moment / 1_000) if isinstance(moment, (int, float)) else None

    def _get(self, path: str) -> object:
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", f"/{path}")
            answer: object = json.loads(connection.getresponse().read())
            return answer
        except (OSError, ValueError, http.client.HTTPException):
            return None  # they are told with the next turn
        finally:
            connection.close()


def _usage_of_message(info: Values) -> UsageEntry:
    def tokens(*names: str) -> int:
        count = value_at(info, "tokens", *names)
        return max(0, int(count)) if isinstance(count, (int, float)) else 0

    read, written, cost = tokens("cache", "read"), tokens("cache", "write"), info.get("cost")
    entry: UsageEntry = {
        "key": f"oc:{info.get('id')}"[:200], "source": "acp", "input_tokens": tokens("input") + read + written,
        "output_tokens": tokens("output") + tokens("reasoning"), "cached_tokens": read, "written_tokens": written,
    }  # fmt: skip
    if isinstance(cost, (int, float)) and cost > 0:
        entry["cost_usd"] = round(cost, 6)
    if model := text_at(info, "modelID"):
        entry["model"] = model[:200]
    return entry
