"""What stands beside the list: agents at work, open work by board, and who has nothing to do."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from mission_control.boards.cards import board_rows
from mission_control.boards.presence import OFFLINE_AFTER, online_sql
from mission_control.boards.queries import on_readable_boards
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.database.sql import select

MOST_AGENTS = 40
OPEN = ("inbox", "in_progress", "review")


@dataclass(frozen=True, slots=True)
class AtWork:
    """An agent and the task it works on; without a task it has nothing to do."""

    agent_id: UUID
    agent_name: str
    board_name: str | None
    last_seen_at: datetime | None
    is_online: bool
    gateway_away_at: datetime | None
    board_id: UUID | None = None
    task_id: UUID | None = None
    number: int | None = None
    title: str | None = None
    started_at: datetime | None = None
    steps: int = 0
    steps_done: int = 0

    @property
    def url(self) -> str:
        """Where its work is, or the agent itself."""
        if self.task_id is None:
            return f"/agents/{self.agent_id}"
        return f"/boards/{self.board_id}/tasks/{self.task_id}"

    @property
    def silent_for(self) -> timedelta | None:
        """Since when it has given no sign, when that is long for somebody at work."""
        if self.task_id is None or self.last_seen_at is None or self.is_online:
            return None
        return clock.now() - self.last_seen_at


async def at_work(actor: Actor) -> list[AtWork]:
    """Return the agents on the actor's boards: those at work with their tasks, then the others that are online."""
    readable, values = on_readable_boards(actor, actor.organization_id, "a.board_id")
    return await select(
        AtWork,
        "SELECT a.id AS agent_id, a.name AS agent_name, b.name AS board_name, a.last_seen_at,"
        f" {online_sql('a')} AS is_online, a.gateway_away_at, t.board_id,"
        " t.id AS task_id, t.number, t.title, r.started_at,"
        " (SELECT COUNT(*) FROM task_checklist_items i WHERE i.task_id = t.id) AS steps,"
        " (SELECT COUNT(*) FROM task_checklist_items i WHERE i.task_id = t.id AND i.is_done) AS steps_done"
        " FROM agents a LEFT JOIN boards b ON b.id = a.board_id"
        " LEFT JOIN task_runs r ON r.agent_id = a.id AND r.state = 'running'"
        " LEFT JOIN tasks t ON t.id = r.task_id AND t.deleted_at IS NULL"
        f" WHERE a.organization_id = ? AND b.deleted_at IS NULL{readable} AND (t.id IS NOT NULL OR {online_sql('a')})"
        " ORDER BY CASE WHEN t.id IS NULL THEN 1 ELSE 0 END, LOWER(a.name), a.id LIMIT ?",
        seen := clock.now() - OFFLINE_AFTER,
        actor.organization_id,
        *values,
        seen,
        MOST_AGENTS,
    )


@dataclass(frozen=True, slots=True)
class BoardLine:
    """The open work of a board, as parts of the widest board's, and how much of it waits for the reader."""

    id: UUID
    name: str
    parts: tuple[tuple[int, float, float], ...]
    open: int
    waiting: int

    @property
    def in_words(self) -> str:
        """Its parts in words."""
        numbers = [number for number, _, _ in self.parts]
        return "{} in the inbox, {} in progress, {} in review".format(*numbers)


async def board_lines(actor: Actor, waiting: dict[UUID, int]) -> list[BoardLine]:
    """Return the actor's boards on one scale; `waiting` has the needs by board."""
    found = await board_rows(actor)
    most = max((sum(int(row[status]) for status in OPEN) for row in found), default=0) or 1
    return [_line(row, most, waiting) for row in found]


def _line(row: dict[str, Any], most: int, waiting: dict[UUID, int]) -> BoardLine:
    board_id, parts, left = UUID(str(row["id"])), [], 0.0
    for status in OPEN:
        width = 100 * int(row[status]) / most
        parts.append((int(row[status]), round(left, 1), round(max(0.0, width - 1.2), 1)))
        left += width
    total = sum(number for number, _, _ in parts)
    return BoardLine(board_id, row["name"], tuple(parts), total, waiting.get(board_id, 0))
