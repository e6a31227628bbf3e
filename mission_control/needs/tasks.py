"""What is known of the tasks that needs are about, read once for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from mission_control.database.sql import is_postgres, placeholders, rows, select
from mission_control.needs.saying import fact, span
from mission_control.needs.schemas import NeedFact, NeedParty, NeedTask

# SQL for the version of the task `t`: it changes with its fields and with what is said about it.
VERSION = (
    "CAST(t.updated_at AS TEXT) || COALESCE((SELECT CAST(MAX(c.created_at) AS TEXT) FROM task_comments c"
    " WHERE c.task_id = t.id AND c.deleted_at IS NULL), '')"
)
# Kinds of events after which another task may wait.
CHANGES = ("task.created", "task.updated", "task.status_changed", "task.deleted", "task.restored", "board.")
_SELECT = (
    "SELECT t.id, t.board_id, t.number, t.title, t.status, t.due_at, t.flag_reason, t.failed_attempts,"
    " t.assigned_agent_id, g.name AS assignee, r.agent_id AS worker_id, r.agent_name AS worker, r.summary, r.evidence,"
    " r.input_tokens, r.output_tokens, r.cost_micros, r.started_at, r.lease_expires_at, r.ended_at,"
    " (SELECT COUNT(*) FROM task_dependencies d JOIN tasks w ON w.id = d.task_id"
    "  WHERE d.depends_on_task_id = t.id AND w.status <> 'done' AND w.deleted_at IS NULL) AS waiting,"
    " (SELECT COUNT(*) FROM task_dependencies d JOIN tasks w ON w.id = d.depends_on_task_id"
    "  WHERE d.task_id = t.id AND w.status <> 'done' AND w.deleted_at IS NULL) AS blockers,"
    " (SELECT COUNT(*) FROM task_checklist_items i WHERE i.task_id = t.id) AS steps,"
    " (SELECT COUNT(*) FROM task_checklist_items i WHERE i.task_id = t.id AND i.is_done) AS steps_done,"
    " (SELECT COUNT(*) FROM task_attachments f WHERE f.task_id = t.id) AS files"
    " FROM tasks t LEFT JOIN agents g ON g.id = t.assigned_agent_id"
    " LEFT JOIN task_runs r ON r.task_id = t.id AND r.fence = t.fence"
)


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task with its assignee and its newest run."""

    id: UUID
    board_id: UUID
    number: int
    title: str
    status: str
    due_at: datetime | None
    flag_reason: str | None
    failed_attempts: int
    assigned_agent_id: UUID | None
    assignee: str | None
    worker_id: UUID | None
    worker: str | None
    summary: str | None
    evidence: list[Any] | None
    input_tokens: int | None
    output_tokens: int | None
    cost_micros: int | None
    started_at: datetime | None
    lease_expires_at: datetime | None
    ended_at: datetime | None
    waiting: int
    blockers: int
    steps: int
    steps_done: int
    files: int

    @property
    def name(self) -> str:
        """Its number and title."""
        return f"#{self.number} {self.title}"

    @property
    def ids(self) -> dict[str, UUID]:
        """The path parameters of its operations."""
        return {"board_id": self.board_id, "task_id": self.id}

    @property
    def url(self) -> str:
        """Where it is shown."""
        return f"/boards/{self.board_id}/tasks/{self.id}"

    @property
    def reference(self) -> NeedTask:
        """The task as needs name it."""
        return NeedTask(id=self.id, number=self.number, title=self.title, status=self.status)

    @property
    def who(self) -> NeedParty | None:
        """The agent that did it last, None when it was no agent."""
        return NeedParty(id=self.worker_id, name=self.worker) if self.worker else None

    @property
    def frees(self) -> str:
        """What follows when it is done, for other tasks; empty when none waits."""
        if not self.waiting:
            return ""
        return " A task that waits for it can start." if self.waiting == 1 else f" {self.waiting} tasks can start."


async def task_rows(task_ids: Sequence[UUID]) -> dict[UUID, TaskRow]:
    """Return some tasks by their ids."""
    if not task_ids:
        return {}
    found = await select(TaskRow, f"{_SELECT} WHERE t.id IN ({placeholders(len(task_ids))})", *task_ids)
    return {UUID(str(row.id)): row for row in found}


async def hold(task_id: UUID) -> None:
    """Lock a task, also a deleted one."""
    await rows(f"SELECT id FROM tasks WHERE id = ?{' FOR NO KEY UPDATE' if is_postgres() else ''}", task_id)


def facts_of(task: TaskRow) -> list[NeedFact]:
    """Return what a task shows at a glance: its agent, its steps, its files, what waits for it."""
    facts = [fact("bot", task.worker)] if task.worker else []
    if task.steps:
        facts.append(fact("list", f"{task.steps_done} of {task.steps} steps"))
    if task.files:
        facts.append(fact("paperclip", f"{task.files} {'file' if task.files == 1 else 'files'}"))
    if task.waiting:
        facts.append(fact("link", f"{task.waiting} {'task waits' if task.waiting == 1 else 'tasks wait'} for it"))
    if task.blockers:
        facts.append(fact("hourglass", f"waits for {task.blockers} other", "warn"))
    return facts


def cost_of(task: TaskRow) -> list[NeedFact]:
    """Return what the last run of a task took."""
    tokens, money = (task.input_tokens or 0) + (task.output_tokens or 0), task.cost_micros or 0
    parts = []
    if tokens:
        parts.append(f"{tokens // 1000}k tokens" if tokens >= 1000 else f"{tokens} tokens")
    if money:
        parts.append(f"{money / 1_000_000:.2f} USD")
    return [fact("gauge", ", ".join(parts))] if parts else []


def lasted(since: datetime, now: datetime) -> str:
    """Return how long ago something was, in words."""
    return span((now - since).total_seconds())
