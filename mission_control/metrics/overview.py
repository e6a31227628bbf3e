"""The four series of Home: what people answered and how fast, what was finished, and what it cost.

They mean the same as in the dashboard, and are read without replaying the history of tasks.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.database.sql import placeholders, select
from mission_control.metrics import answers, spending
from mission_control.metrics.buckets import RangeKey, windows
from mission_control.metrics.flow import Event
from mission_control.metrics.schemas import DashboardQuery
from mission_control.metrics.scope import boards_in_scope
from mission_control.metrics.series import counted, points


async def overview(actor: Actor, range_key: RangeKey) -> dict[str, Any]:
    """Return the four series of a person's boards, each for a range and for the one before it, with their figures."""
    boards = await boards_in_scope(actor, DashboardQuery(range_key=range_key))
    both = windows(range_key, clock.now())
    primary, before = both
    given = await answers.read_answers(boards, before.start)
    costs = await spending.read_spending(boards, primary, before)
    finished = await _finished(actor, boards, before.start)
    return {
        "range": range_key,
        "answered": [answers.answered(one, given) for one in both],
        "answered_by": answers.by_person(primary, given),
        "time_to_answer": [answers.time_to_answer(one, given) for one in both],
        "time_to_answer_median": [answers.median_hours(one, given) for one in both],
        "finished": [points(one, counted(one, finished)) for one in both],
        "spent": [spending.spent(primary, costs), spending.spent(before, costs, before=True)],
    }


async def _finished(actor: Actor, boards: list[UUID], since: datetime) -> list[datetime]:
    """Return when tasks of these boards were finished."""
    if not boards:
        return []
    found = await select(
        Event,
        "SELECT kind, task_id, data, created_at FROM events WHERE organization_id = ? AND created_at >= ?"
        f" AND kind = 'task.status_changed' AND board_id IN ({placeholders(len(boards))})"
        """ AND data LIKE '%"status":"done"%'""",
        actor.organization_id,
        since,
        *boards,
    )
    return [one.created_at for one in found if orjson.loads(one.data).get("after", {}).get("status") == "done"]


def total(series: dict[str, Any]) -> float:
    """Return the sum of a series."""
    return float(sum(point["value"] for point in series["points"]))
