"""Who works at this moment, on what, and since when."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import JsonValue

from mission_control.agents.holds.schemas import AgentHold
from mission_control.boards.queries import SILENT_AFTER, on_readable_boards, online_sql, shortly
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.database.sql import placeholders, select
from mission_control.runs.sessions.queries import Line, line_of

MOST_AGENTS = 40


@dataclass(frozen=True, slots=True)
class AtWork:
    """An agent and the task it works on; without a task it has nothing to do."""

    agent_id: UUID
    agent_name: str
    board_name: str | None
    last_seen_at: datetime | None
    is_online: bool
    gateway_away_at: datetime | None
    hold: JsonValue
    board_id: UUID | None = None
    task_id: UUID | None = None
    number: int | None = None
    title: str | None = None
    started_at: datetime | None = None
    steps: int = 0
    steps_done: int = 0
    line: Line | None = None

    @property
    def waits(self) -> AgentHold | None:
        return AgentHold.stored(self.hold) if self.task_id is None else None

    @property
    def row_id(self) -> str:
        return f"now-{self.agent_id}-{self.number}"

    @property
    def does(self) -> str:
        """What it does on its task, as it follows its name; empty where it reports nothing."""
        line = self.line
        if line is None:
            return ""
        if line.state == "waiting":
            return "waits for an answer"
        if line.is_stuck:
            return f"same error {line.failures} times: {shortly(line.failing or line.doing or '')}"
        return shortly(line.doing or "")

    @property
    def since(self) -> datetime | None:
        """Since when it does, or waits for, what the row says; of one that is silent, its last sign."""
        line = self.line
        if self.silent_for is not None:
            return self.gateway_away_at or (times.clock_now() - self.silent_for)
        return (line.doing_at if line is not None and self.does else None) or self.started_at

    @property
    def tone(self) -> str:
        return "warn" if self.silent_for or (self.line is not None and self.line.is_stuck) else ""

    @property
    def url(self) -> str:
        if self.task_id is None:
            return f"/agents/{self.agent_id}"
        return f"/boards/{self.board_id}/tasks/{self.task_id}"

    @property
    def silent_for(self) -> timedelta | None:
        """Since when it has given no sign, when that is long for somebody at work."""
        if self.line is not None and self.line.session_id is not None:
            return times.clock_now() - self.line.seen_at if self.line.state == "lost" else None
        if self.task_id is None or self.last_seen_at is None or self.is_online:
            return None
        return times.clock_now() - self.last_seen_at


async def at_work(actor: Actor, only: Collection[UUID] = ()) -> list[AtWork]:
    """Return the agents on the actor's boards: those at work with their tasks, then the others that are online.

    `only`: those at work on some tasks.
    """
    readable, values = on_readable_boards(actor, actor.organization_id, "a.board_id")
    which = f" AND t.id IN ({placeholders(len(only))})" if only else ""
    found = await select(
        AtWork,
        "SELECT a.id AS agent_id, a.name AS agent_name, b.name AS board_name, a.last_seen_at,"
        f" {online_sql('a')} AS is_online, a.gateway_away_at, a.hold, t.board_id,"
        " t.id AS task_id, t.number, t.title, r.started_at,"
        " (SELECT COUNT(*) FROM task_checklist_items i WHERE i.task_id = t.id) AS steps,"
        " (SELECT COUNT(*) FROM task_checklist_items i WHERE i.task_id = t.id AND i.is_done) AS steps_done"
        " FROM agents a LEFT JOIN boards b ON b.id = a.board_id"
        " LEFT JOIN task_runs r ON r.agent_id = a.id AND r.ended_at IS NULL AND r.parked_at IS NULL"
        " LEFT JOIN tasks t ON t.id = r.task_id AND t.deleted_at IS NULL"
        f" WHERE a.organization_id = ? AND b.deleted_at IS NULL{readable}{which}"
        f" AND (t.id IS NOT NULL OR a.hold IS NOT NULL OR {online_sql('a')})"
        " ORDER BY CASE WHEN t.id IS NULL THEN 1 ELSE 0 END, LOWER(a.name), a.id LIMIT ?",
        seen := times.clock_now() - SILENT_AFTER,
        actor.organization_id,
        *values,
        *only,
        seen,
        MOST_AGENTS,
    )
    lines = await line_of([one.task_id for one in found if one.task_id is not None])
    return [one if one.task_id is None else replace(one, line=lines.get(one.task_id)) for one in found]
