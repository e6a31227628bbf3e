"""What all kinds of needs about tasks have in common: the task as it is read, its facts, and taking an answer back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from mission_control.boards.hand_in_counts import NOTHING, Counted, counted_of
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid, NotFound
from mission_control.core.substance import Parts
from mission_control.database.sql import as_id, is_postgres, placeholders, rows, select
from mission_control.needs.kinds import Key, Last, NeedKind, Page, Rows, Seeker
from mission_control.needs.schemas import Need, NeedFact, NeedParty, NeedTask
from mission_control.needs.wording import fact, need
from mission_control.tasks.changes import locked_task
from mission_control.tasks.models import Task
from mission_control.tasks.moves import move_card
from mission_control.tasks.query import LIVING
from mission_control.tasks.removal import restore_task
from mission_control.tasks.schemas import TaskMove
from mission_control.tasks.seen import parts_of_tasks

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
    " r.started_at, r.lease_expires_at, r.ended_at,"
    " (SELECT COUNT(*) FROM task_dependencies d JOIN tasks w ON w.id = d.task_id"
    "  WHERE d.depends_on_task_id = t.id AND w.status <> 'done' AND w.deleted_at IS NULL) AS waiting,"
    " (SELECT COUNT(*) FROM task_dependencies d JOIN tasks w ON w.id = d.depends_on_task_id"
    "  WHERE d.task_id = t.id AND w.status <> 'done' AND w.deleted_at IS NULL) AS blockers,"
    " (SELECT COUNT(*) FROM task_checklist_items i WHERE i.task_id = t.id AND NOT i.is_criterion) AS steps,"
    " (SELECT COUNT(*) FROM task_checklist_items i WHERE i.task_id = t.id AND i.is_done"
    " AND NOT i.is_criterion) AS steps_done,"
    " (SELECT COUNT(*) FROM task_attachments f WHERE f.task_id = t.id) AS files"
    " FROM tasks t LEFT JOIN agents g ON g.id = t.assigned_agent_id"
    " LEFT JOIN task_runs r ON r.task_id = t.id AND r.fence = t.fence"
)


@dataclass(frozen=True, slots=True)
class TaskRow:
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
    started_at: datetime | None
    lease_expires_at: datetime | None
    ended_at: datetime | None
    waiting: int
    blockers: int
    steps: int
    steps_done: int
    files: int
    counted: Counted = NOTHING

    @property
    def name(self) -> str:
        return f"#{self.number} {self.title}"

    @property
    def ids(self) -> dict[str, UUID]:
        return {"board_id": self.board_id, "task_id": self.id}

    @property
    def done(self) -> str:
        if self.blockers:
            return "Refused while it waits for other tasks."
        frees = " A task that waits for it can start." if self.waiting == 1 else f" {self.waiting} tasks can start."
        return f"#{self.number} is done.{frees if self.waiting else ''}"


def facts_of(task: TaskRow) -> list[NeedFact]:
    facts = [*task.counted.facts, *([fact("bot", task.worker)] if task.worker else []), *task.counted.branch]
    if task.steps:
        facts.append(fact("list", f"{task.steps_done} of {task.steps} steps"))
    if task.files:
        facts.append(fact("paperclip", f"{task.files} {'file' if task.files == 1 else 'files'}"))
    if task.waiting:
        facts.append(fact("link", f"{task.waiting} {'task waits' if task.waiting == 1 else 'tasks wait'} for it"))
    if task.blockers:
        facts.append(fact("hourglass", f"waits for {task.blockers} other", "warn"))
    return facts


class TaskNeeds(NeedKind[TaskRow]):
    """What all kinds of needs about tasks have in common."""

    table = "tasks"
    concerns: tuple[str, ...] = CHANGES
    takes_back = True
    endings = {
        "task.unflagged": "let agents try this again",
        "task.deleted": "deleted this",
        "task.updated": "changed this",
        "task.lease_expired": "took this back",
        "task.status_changed": "moved this",
        "=done": "finished this",
        "=inbox": "moved this to the inbox",
        "=in_progress": "took this up again",
    }

    is_about_work = False  # whether what was handed in is decided about
    where = since = ""  # SQL on the task `t`

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        source = f"FROM mine JOIN tasks t ON t.board_id = mine.id WHERE {self.where} AND {LIVING}"
        yield Rows(source, since=self.since, board_id="t.board_id", version=VERSION)

    async def read(self, page: Page) -> Mapping[UUID, TaskRow]:
        tasks = await select(TaskRow, f"{_SELECT} WHERE t.id IN ({placeholders(len(page.ids))})", *page.ids)
        counts = await counted_of(page.ids) if self.is_about_work else {}
        return {row.id: replace(row, counted=counts.get(row.id, row.counted)) for row in tasks}

    async def decides(self, subjects: Sequence[UUID]) -> Mapping[UUID, Parts]:
        return await parts_of_tasks(subjects)

    async def hold(self, task_id: UUID) -> None:
        await rows(f"SELECT id FROM tasks WHERE id = ?{' FOR NO KEY UPDATE' if is_postgres() else ''}", task_id)

    def _need(self, page: Page, key: Key, task: TaskRow, agent: NeedParty | None = None, **more: Any) -> Need:
        reference = NeedTask(id=task.id, number=task.number, title=task.title, status=task.status)
        if agent is None and task.worker:
            agent = NeedParty(id=task.worker_id, name=task.worker)
        url = f"/boards/{task.board_id}/tasks/{task.id}"
        usual = {"facts": facts_of(task), "diff_url": task.counted.diff_url}
        return need(page, key, url=url, tasks=[reference], agent=agent, **usual | more)

    async def undo(self, actor: Actor, board_id: UUID, task_id: UUID, last: Last) -> None:
        """Move a task back, or take it out of the trash. Raise Invalid for what cannot be taken back."""
        board, task = await visible_board(actor, board_id), await Task.get(id=task_id)
        task.board = board
        if last.kind == "task.deleted":
            await restore_task(actor, task)
            return
        before = last.data.get("before")
        if last.kind != "task.status_changed" or not isinstance(before, dict) or "status" not in before:
            raise Invalid("This answer cannot be taken back.")
        if task.deleted_at is not None:
            raise NotFound()
        task = await locked_task(task)
        move = TaskMove(
            status=before["status"],
            assigned_agent_id=as_id(before.get("assigned_agent_id", task.assigned_agent_id)),
            assigned_user_id=as_id(before.get("assigned_user_id", task.assigned_user_id)),
        )
        await move_card(actor, task, move)
