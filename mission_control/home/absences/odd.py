"""What was odd about runs and workers: only what stored facts say."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from pydantic import JsonValue

from mission_control.agents.holds.models import Hold
from mission_control.boards.forge_states import Facts, HandIn
from mission_control.core import times
from mission_control.home.absences.schemas import OddKind, OddLine
from mission_control.needs.wording import span

# a task that was done within, with nothing to show, was hardly worked on
SECONDS, OFTEN = timedelta(seconds=30), 3


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that ended, with its task; `questions` is how many its agent asked."""

    status: str
    started_at: datetime
    agent_name: str
    board_id: UUID
    number: int
    state: str
    ended_at: datetime
    task_id: UUID
    end_reason: str | None
    questions: int = 0
    code: JsonValue = None

    @property
    def facts(self) -> Facts:
        return HandIn(self.board_id, self.code, self.ended_at).facts

    @property
    def changed_nothing(self) -> bool:
        facts = self.facts
        return not (facts.get("files") or facts.get("commits") or facts.get("diff_id") or facts.get("pull_request"))

    @property
    def took(self) -> timedelta:
        return self.ended_at - self.started_at

    @property
    def failed_check(self) -> str:
        """The command of the check that failed, and was handed in anyway; empty where none did."""
        check = self.facts.get("check") if self.state == "completed" else None
        return check["command"] if check and check["exit_code"] else ""

    @property
    def was_closed_at_once(self) -> bool:
        is_quick = self.state == "completed" and self.status == "done" and self.took <= SECONDS
        return is_quick and self.changed_nothing and not self.questions

    def line(self, kind: OddKind, text: str, name: str = "") -> OddLine:
        return OddLine(
            kind=kind, name=name or self.agent_name, text=text, at=self.ended_at, board_id=self.board_id,
            task_id=self.task_id,
        )  # fmt: skip


def odd_lines(ended: Sequence[EndedRun], holds: Iterable[Hold], until: datetime) -> list[OddLine]:
    """List all that is odd, the oldest first."""
    lines = [*_of_runs(ended), *_returned(ended), *(_paused(hold, until) for hold in holds)]
    return sorted(lines, key=lambda line: line.at)


def _of_runs(ended: Iterable[EndedRun]) -> Iterator[OddLine]:
    for run in ended:
        if failed := run.failed_check:
            yield run.line("check_failed", f"handed in #{run.number} although its check failed: {failed}")
        elif run.was_closed_at_once:
            took = span(max(run.took.total_seconds(), 1))
            yield run.line("no_result", f"closed #{run.number} in {took}. No question, no change.")
        elif (run.end_reason or "").startswith("Stopped by "):
            yield run.line("stopped", f"was stopped at #{run.number}. {run.end_reason}")


def _returned(ended: Iterable[EndedRun]) -> Iterator[OddLine]:
    again = sorted((run for run in ended if run.state in ("released", "expired")), key=_task_and_end)
    for _, of_task in groupby(again, key=lambda run: run.task_id):
        runs = list(of_task)
        if len(runs) >= OFTEN:
            yield runs[-1].line("returned", f"came back {len(runs)} times without a result", f"#{runs[-1].number}")


def _task_and_end(run: EndedRun) -> tuple[str, datetime]:
    return str(run.task_id), run.ended_at


CAUSES = {"window": "for its limit", "overload": "for its provider", "sign_in": "for a sign-in"}


def _paused(hold: Hold, until: datetime) -> OddLine:
    zone = times.reader()
    end = (
        f"until {times.local(hold.ended_at, zone):%H:%M}"
        if hold.ended_at and hold.ended_at <= until
        else "and still waits"
    )
    cause = CAUSES.get(hold.kind, "")
    return OddLine(
        kind="paused", name=hold.worker, text=f"waited {cause}, {end}.", at=hold.created_at, board_id=hold.board_id,
        task_id=None,
    )  # fmt: skip
