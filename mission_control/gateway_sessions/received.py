"""What pages of this process know of watched sessions: their runs, put together from signals, and their history."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mission_control.gateway_sessions.history import History
from mission_control.gateway_sessions.runs import Part, Run


@dataclass(slots=True)
class Received:
    """A watched session: its runs as far as signals came, and why the last one failed.

    A run that ended stays among `leaving` until the history, which shows it then, was read again.
    """

    runs: dict[str, Run] = field(default_factory=dict)
    leaving: dict[str, Run] = field(default_factory=dict)
    failure: str = ""
    number: int = 0
    history: History | None = None
    must_read: bool = False
    reading: asyncio.Task[None] | None = None

    def take(self, signal: Mapping[str, Any]) -> None:
        """Take a signal; one that was taken already changes nothing."""
        if signal.get("number", 0) <= self.number:
            return
        self.number = signal["number"]
        if "runs" in signal:
            self.must_read = True
            self.leaving |= {key: run for key, run in self.runs.items() if key not in signal["runs"]}
            self.runs = {one: self.runs.get(one) or Run(one) for one in signal["runs"]}
            for run_id, is_whole in signal["runs"].items():
                self.runs[run_id].is_whole = is_whole
            self.failure = signal["failure"]
        elif (run := self.runs.get(signal["run"])) is not None:
            run.status, run.is_whole = signal["status"], signal["whole"]
            if "index" in signal:
                _put(run, signal)

    @property
    def hidden(self) -> frozenset[str]:
        """The runs that the live part of a page shows whole, so that the history leaves them out."""
        return frozenset(run.id for run in (*self.leaving.values(), *self.runs.values()) if run.is_whole)

    def put(self, history: History) -> None:
        """Take a history that was read now; one that could not be read leaves everything as it is."""
        if not history.error or self.history is None:
            self.history = history
            self.leaving.clear()

    def shown(self, run: Run) -> list[Part]:
        """Return the parts of a run that the history does not show already."""
        calls = {one.call_id for one in self.history.entries} if self.history is not None else set()
        return [one for one in run.parts if run.is_whole or one.kind == "text" or one.id not in calls]


def _put(run: Run, signal: Mapping[str, Any]) -> None:
    while len(run.parts) <= signal["index"]:
        run.parts.append(Part("text", ""))
    part = run.parts[signal["index"]]
    part.kind, part.id = signal["kind"], signal["id"]
    part.text = part.text[: signal["at"]] + signal["text"]
    if part.kind == "tool":
        part.name, part.result = signal["name"], signal["result"]
        part.is_done, part.is_error = signal["done"], signal["error"]


_received: dict[str, Received] = {}


def received(watch: str) -> Received:
    """Return what is known of a session."""
    return _received.setdefault(watch, Received())


def forget(watch: str) -> None:
    """Forget a session that no page of this process watches any longer."""
    _received.pop(watch, None)


def take(watch: str, signals: Iterable[Mapping[str, Any]]) -> Received:
    """Take the signals about a session; return what is known then."""
    known = received(watch)
    for signal in signals:
        if signal.get("gateway_session") == watch:
            known.take(signal)
    return known
