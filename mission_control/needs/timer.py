"""Do what deadlines say when nobody has answered.

All due moments are in the database: when a process dies, the others go on, or its next start does. Two processes that
find the same one do it once, because its row is locked.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mission_control.approvals import overdue as approvals
from mission_control.approvals.deadlines import CHANNEL
from mission_control.core import clock
from mission_control.database.sql import as_moment, rows, select
from mission_control.questions import overdue as questions
from mission_control.work.loops import Loop

LONGEST_SLEEP_SECONDS = 15.0
AT_ONCE = 100
WAITING = {"approvals": "status = 'pending'", "agent_questions": "state = 'open'"}
ENDS: dict[str, Callable[[UUID, UUID], Awaitable[None]]] = {
    "approvals": approvals.end_deadline,
    "agent_questions": questions.end_deadline,
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Due:
    id: UUID
    organization_id: UUID


async def look() -> float:
    """End the deadlines that have passed; return the seconds until the next one."""
    await end_due()
    return await seconds_left()


DEADLINES = Loop(name="looking for deadlines that passed", look=look, pause=LONGEST_SLEEP_SECONDS, channel=CHANNEL)


async def end_due() -> None:
    """End the deadlines that have passed."""
    for table, waiting in WAITING.items():
        found = await select(
            _Due,
            f"SELECT x.id, b.organization_id FROM {table} x JOIN boards b ON b.id = x.board_id"
            f" WHERE x.decide_by IS NOT NULL AND x.decide_by <= ? AND x.{waiting} AND b.deleted_at IS NULL"
            f" ORDER BY x.decide_by LIMIT {AT_ONCE}",
            clock.now(),
        )
        for one in found:
            try:
                await ENDS[table](one.id, one.organization_id)
            except Exception:
                _log.exception("a deadline could not be ended", extra={"about": f"{table} {one.id}"})


async def seconds_left() -> float:
    """Return the seconds until the next deadline; one that could not be ended is tried again after a second."""
    moments: list[datetime] = []
    for table, waiting in WAITING.items():
        [row] = await rows(
            f"SELECT MIN(x.decide_by) AS next FROM {table} x JOIN boards b ON b.id = x.board_id"
            f" WHERE x.decide_by IS NOT NULL AND x.{waiting} AND b.deleted_at IS NULL"
        )
        moment = as_moment(row["next"])
        moments += [moment] if moment is not None else []
    left = [(one - clock.now()).total_seconds() for one in moments]
    return min([LONGEST_SLEEP_SECONDS, *(max(one, 1.0) if one <= 0 else one for one in left)])
