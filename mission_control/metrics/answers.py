"""Metrics of people's answers to agents: decided approvals and answered questions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from mission_control.accounts.names import person_name
from mission_control.database.sql import placeholders, select
from mission_control.metrics.buckets import Window
from mission_control.metrics.flow import median_or_none
from mission_control.metrics.series import averaged, counted, points

MOST_PEOPLE = 20


@dataclass(slots=True)
class Answered:
    """When something was asked and answered, and by whom."""

    asked_at: datetime
    answered_at: datetime
    user_id: UUID | None
    name: str | None

    @property
    def hours(self) -> float:
        """Return how long the answer took."""
        return max(0.0, (self.answered_at - self.asked_at).total_seconds() / 3600)


async def read_answers(boards: list[UUID], since: datetime) -> list[Answered]:
    """Return what people answered on these boards since a time."""
    if not boards:
        return []
    here = placeholders(len(boards))
    return await select(
        Answered,
        "SELECT one.asked_at, one.answered_at, one.user_id, "
        f"{person_name('u')} AS name FROM ("
        "SELECT created_at AS asked_at, resolved_at AS answered_at, resolved_by_user_id AS user_id FROM approvals"
        f" WHERE board_id IN ({here}) AND resolved_by_kind = 'user' AND status <> 'pending' AND resolved_at >= ?"
        " UNION ALL SELECT created_at, answered_at, answered_by_user_id FROM agent_questions"
        f" WHERE board_id IN ({here}) AND state = 'answered' AND answered_by_user_id IS NOT NULL AND answered_at >= ?"
        ") AS one LEFT JOIN users u ON u.id = one.user_id",
        *boards,
        since,
        *boards,
        since,
    )


def answered(window: Window, answers: list[Answered]) -> dict[str, Any]:
    """Return the answers of people in each bucket."""
    return points(window, counted(window, (one.answered_at for one in answers)))


def time_to_answer(window: Window, answers: list[Answered]) -> dict[str, Any]:
    """Return the mean hours from request to answer, by time of the answer."""
    return points(window, averaged(window, ((one.answered_at, one.hours) for one in answers)))


def median_hours(window: Window, answers: list[Answered]) -> float | None:
    """Return the median hours from request to answer in a window."""
    return median_or_none([one.hours for one in answers if window.contains(one.answered_at)])


def by_person(window: Window, answers: list[Answered]) -> list[dict[str, Any]]:
    """Return how many answers each person gave in a window, most first."""
    found: dict[UUID | None, dict[str, Any]] = {}
    for one in answers:
        if window.contains(one.answered_at):
            line = found.setdefault(
                one.user_id, {"user_id": one.user_id, "name": one.name or "Deleted account", "answered": 0}
            )
            line["answered"] += 1
    return sorted(found.values(), key=lambda line: (-line["answered"], line["name"]))[:MOST_PEOPLE]
