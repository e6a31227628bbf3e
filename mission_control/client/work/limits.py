"""How long a task may take and what it may cost, and why the work on it ends before its end."""

from __future__ import annotations

from mission_control.client import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mission_control.client.work.usage import Usage
    from mission_control.client.work.worker import Worker


class Stopped(Exception):
    """The work ended before its end. `asks`: people are asked how it goes on; `fails`: something did not work."""

    def __init__(self, why: str, *, asks: bool = False, fails: bool = False) -> None:
        super().__init__(why)
        self.asks, self.fails = asks or fails, fails


class NoResult(Stopped):
    """The program changed nothing and said nothing, after it was told once: people say what becomes of the task."""


class Limits:
    """The limits of one task; `stop` is why it has to end, once it has to."""

    def __init__(self, worker: Worker, usage: Usage) -> None:
        self.stop: Stopped | None = None
        self._worker, self._usage, self._began = worker, usage, clock.monotonic()

    def look(self) -> None:
        minutes, budget = self._worker.given.time, self._worker.given.budget
        if self.stop is not None:
            return
        if self._worker.ends:
            self.stop = Stopped("This worker was ended.")
        elif minutes and clock.monotonic() - self._began > minutes * 60:
            self.stop = Stopped(f"It took more than {minutes:g} minutes.", asks=True)
        elif budget and self._usage.total > budget:
            self.stop = Stopped(f"It cost more than {budget:g} US dollars.", asks=True)

    def obey(self) -> None:
        """Raise Stopped once it has to end."""
        self.look()
        if self.stop is not None:
            raise self.stop
