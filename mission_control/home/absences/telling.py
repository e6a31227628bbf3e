"""The report of an absence in words: five figures and the lines that Home and its page have alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from mission_control.core import times
from mission_control.core.amounts import cost
from mission_control.home.absences.schemas import AbsenceReport, OddLine
from mission_control.needs.wording import span

MOST_LINES = 4


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its words, and its list."""

    number: str
    words: str
    url: str
    asks: bool = False


@dataclass(frozen=True, slots=True)
class ReportWords:
    """A report in words."""

    when: str
    url: str
    figures: tuple[Figure, ...]
    lines: Sequence[OddLine]

    @property
    def first(self) -> Sequence[OddLine]:
        return self.lines[:MOST_LINES]

    @property
    def more(self) -> int:
        return len(self.lines) - len(self.first)


def has_news(report: AbsenceReport) -> bool:
    """Say whether anything happened; what waits alone stands in the list anyway."""
    return bool(report.done or report.pull_requests or report.paused_seconds or report.odd or report.cost_usd)


def words_of(report: AbsenceReport) -> ReportWords:
    url = f"/absence?{urlencode({'since': times.iso(report.since), 'until': times.iso(report.until)})}"
    when = f"{_when(report.since)} to {_when(report.until)}"
    return ReportWords(when, url, figures_of(report, url), report.odd[::-1])


def _when(moment: datetime) -> str:
    zone = times.reader()
    local, today = times.local(moment, zone), times.today(zone)
    day = f"{local:%a}" if (today - local.date()).days < 7 else times.date_words(local.date(), today)
    return f"{day} {local:%H:%M}"


def figures_of(report: AbsenceReport, url: str) -> tuple[Figure, ...]:
    pulls = "pull request" if report.pull_requests == 1 else "pull requests"
    merged = f", {report.merged} merged" if report.merged else ""
    paused = "paused by limits" if report.workers_paused < 2 else f"paused, summed over {report.workers_paused} workers"
    return (
        Figure(str(report.done), "done", f"{url}#done"),
        Figure(str(report.pull_requests), f"{pulls}{merged}", f"{url}#pulls"),
        Figure(str(report.waiting), "waiting for you", "/#queue", asks=report.waiting > 0),
        Figure(span(report.paused_seconds), paused, "/agents"),
        Figure(cost(report.cost_usd, report.unpriced_tokens, report.gaps), "spent", "/metrics"),
    )
