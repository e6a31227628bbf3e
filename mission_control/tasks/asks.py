"""What people are asked about tasks: reviews, tasks that failed, tasks whose agents are silent, and late ones."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from mission_control.agents.amounts import MICROS, spent
from mission_control.asks.kinds import AskKind, Key, Last, Page, Rows, Seeker
from mission_control.asks.saying import answer, fact, in_one_line, link_facts, need, span
from mission_control.asks.schemas import Need, NeedFact, NeedParty, NeedTask
from mission_control.boards.forge_states import HandedIn, code_facts, code_of_tasks
from mission_control.boards.queries import SILENT_AFTER, visible_board
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid, NotFound
from mission_control.core.substance import Parts
from mission_control.database.sql import Condition, as_id, is_postgres, placeholders, rows, seconds_from, select
from mission_control.tasks.changes import locked_task
from mission_control.tasks.leaving import restore_task
from mission_control.tasks.models import Task
from mission_control.tasks.moves import move_card
from mission_control.tasks.notices import WORK_WAITS
from mission_control.tasks.query import LIVING
from mission_control.tasks.schemas import TaskMove
from mission_control.tasks.seen import parts_of_tasks

STOPPED_BY_PERSON = "Stopped by a person"  # how the reason of the flag begins
NOTE = ("note", "What should change?", True)
COMMENT = ("note", "A comment", False)
HINT = ("message", "What should the next agent know?", False)
ASK = "Are you still working on this? Say how far you are."
GO_ON = "This task is ready for you. Call next, or claim it, and go on; or say what holds you up."
WORDS = ("message", "Your words instead", False)

# An answer that can be taken back, and given to many at once.
taken_back = partial(answer, undoable=True, in_bulk=True)
# SQL for the version of the task `t`: it changes with its fields and with what is said about it.
VERSION = (
    "CAST(t.updated_at AS TEXT) || COALESCE((SELECT CAST(MAX(c.created_at) AS TEXT) FROM task_comments c"
    " WHERE c.task_id = t.id AND c.deleted_at IS NULL), '')"
)
# SQL: runs that may go on with their tasks, and tasks that were sent back; with their boards, until WHERE.
READY = (
    "FROM (SELECT * FROM task_runs WHERE ended_at IS NULL AND parked_at IS NOT NULL AND ready_at IS NOT NULL) r"
    " JOIN tasks t ON t.id = r.task_id JOIN boards b ON b.id = r.board_id"
)
REWORK = (
    "FROM (SELECT * FROM tasks WHERE rework_at IS NOT NULL AND status = 'inbox' AND deleted_at IS NULL"
    " AND assigned_agent_id IS NOT NULL) t"
    " JOIN boards b ON b.id = t.board_id"
)
# Kinds of events after which another task may wait.
CHANGES = ("task.created", "task.updated", "task.status_changed", "task.deleted", "task.restored", "board.")
_SELECT = (
    "SELECT t.id, t.board_id, t.number, t.title, t.status, t.due_at, t.flag_reason, t.failed_attempts,"
    " t.assigned_agent_id, g.name AS assignee, r.agent_id AS worker_id, r.agent_name AS worker, r.summary, r.evidence,"
    " r.input_tokens, r.output_tokens, r.unpriced_tokens, r.cost_micros, r.started_at, r.lease_expires_at, r.ended_at,"
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
    unpriced_tokens: int | None
    cost_micros: int | None
    started_at: datetime | None
    lease_expires_at: datetime | None
    ended_at: datetime | None
    waiting: int
    blockers: int
    steps: int
    steps_done: int
    files: int
    code: HandedIn | None = None

    @property
    def name(self) -> str:
        return f"#{self.number} {self.title}"

    @property
    def ids(self) -> dict[str, UUID]:
        """The path parameters of its operations."""
        return {"board_id": self.board_id, "task_id": self.id}

    @property
    def done(self) -> str:
        """What follows when it is done, also for tasks that wait for it."""
        if self.blockers:
            return "Refused while it waits for other tasks."
        frees = " A task that waits for it can start." if self.waiting == 1 else f" {self.waiting} tasks can start."
        return f"#{self.number} is done.{frees if self.waiting else ''}"


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
    parts = [f"{tokens // 1000}k tokens" if tokens >= 1000 else f"{tokens} tokens"] if tokens else []
    parts += spent(money / MICROS, tokens, task.unpriced_tokens or 0)
    return [fact("gauge", ", ".join(parts))] if parts else []


def next_day(due_at: datetime, now: datetime) -> datetime:
    """Return the same time of day, tomorrow where the reader is."""
    zone = times.reader()
    return times.at(times.day_of(now, zone) + timedelta(days=1), times.local(due_at, zone).time(), zone)


def _read_by(who: str, unless: str) -> str:
    return f"{who} reads it at its next call. {unless} in {SILENT_AFTER.seconds // 60} min this comes back."


def _lasted(key: Key, page: Page) -> str:
    return span((page.now - key.since).total_seconds())


class TaskAsk(AskKind[TaskRow]):
    """What all kinds of asks about tasks have in common."""

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

    where = since = ""  # SQL on the task `t`

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        source = f"FROM mine JOIN tasks t ON t.board_id = mine.id WHERE {self.where} AND {LIVING}"
        yield Rows(source, since=self.since, board_id="t.board_id", version=VERSION)

    async def read(self, page: Page) -> Mapping[UUID, TaskRow]:
        found = await select(TaskRow, f"{_SELECT} WHERE t.id IN ({placeholders(len(page.ids))})", *page.ids)
        return {row.id: row for row in found}

    async def decides(self, subjects: Sequence[UUID]) -> Mapping[UUID, Parts]:
        return await parts_of_tasks(subjects)

    async def hold(self, task_id: UUID) -> None:
        """Lock a task, also a deleted one."""
        await rows(f"SELECT id FROM tasks WHERE id = ?{' FOR NO KEY UPDATE' if is_postgres() else ''}", task_id)

    def _need(self, page: Page, key: Key, task: TaskRow, agent: NeedParty | None = None, **more: Any) -> Need:
        """Say a need about a task, by default of the agent that did it last."""
        reference = NeedTask(id=task.id, number=task.number, title=task.title, status=task.status)
        if agent is None and task.worker:
            agent = NeedParty(id=task.worker_id, name=task.worker)
        url = f"/boards/{task.board_id}/tasks/{task.id}"
        return need(page, key, url=url, tasks=[reference], agent=agent, **{"facts": facts_of(task)} | more)

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


class ReviewAsk(TaskAsk):
    """Tasks in review that a person may finish, where no approval asks for it."""

    kind, group, position = "review", "review", 10
    urgency, brief = "waits", "handed in work"
    glyph = ("circle-question-mark", "ask")
    concerns = ("approval.", "task.code_reported", *CHANGES)

    where = (
        "t.status = 'review' AND NOT EXISTS"
        " (SELECT 1 FROM approval_task_links l WHERE l.task_id = t.id AND l.is_pending)"
    )
    since = "COALESCE((SELECT MAX(r.ended_at) FROM task_runs r WHERE r.task_id = t.id), t.updated_at)"

    async def read(self, page: Page) -> Mapping[UUID, TaskRow]:
        found, known = await super().read(page), await code_of_tasks(page.ids)
        return {task_id: replace(task, code=known.get(task_id)) for task_id, task in found.items()}

    def say(self, page: Page, key: Key, task: TaskRow) -> Need:
        reviewer = f" {task.assignee} may review it too." if task.assignee else ""
        back = f"{task.worker} gets your note and takes it up again." if task.worker else "It goes back to the inbox."
        good, bad = {"decision": "approved"}, {"decision": "changes_requested"}
        approve = taken_back(
            "approve", "A", "Approve", task.done, "review_task", task.ids, good, note=COMMENT,
            recommended=not task.blockers,
        )  # fmt: skip
        send_back = taken_back("send_back", "R", "Send back", back, "review_task", task.ids, bad, note=NOTE)
        links = [link for link in task.evidence or () if isinstance(link, Mapping)]
        named = [(str(link.get("title") or link.get("url")), str(link.get("url"))) for link in links]
        evidence = link_facts([(name, url) for name, url in named if re.match("https?://", url)])
        return self._need(
            page, key, task,
            title=f"Review {task.name}",
            reason=in_one_line(task.summary or ""),
            facts=[*facts_of(task), *code_facts(task.code), *evidence, *cost_of(task)],
            answers=[approve, send_back],
            otherwise=f"It stays in review.{reviewer}",
        )  # fmt: skip


class FlaggedAsk(TaskAsk):
    """Tasks that failed several times and are not assigned again before a person has looked."""

    kind, group, position = "flagged", "unblock", 10
    brief = "could not finish"
    glyph = ("flag", "bad")
    concerns = ("task.flagged", "task.unflagged", "task.lease_expired", "task.stopped", *CHANGES)

    where, since = "t.flagged_at > '1970-01-01' AND t.status <> 'done'", "t.flagged_at"  # named so for its index

    def say(self, page: Page, key: Key, task: TaskRow) -> Need:
        number = task.failed_attempts
        often = {0: "", 1: "once", 2: "twice", 3: "three times"}.get(number, f"{number} times")
        stopped = (task.flag_reason or "").startswith(STOPPED_BY_PERSON)
        again, mine = "Agents can claim it at once, with all attempts.", {"assigned_user_id": str(page.actor.user_id)}
        retry = answer(
            "retry", "1", "Try again", again, "clear_flag", task.ids, note=HINT, note_operation="create_task_comment",
            recommended=True, in_bulk=True,
        )  # fmt: skip
        drop = answer(
            "drop", "3", "Drop", "It goes to the trash.", "delete_task", task.ids, course="stop", undoable=True,
            in_bulk=True,
        )  # fmt: skip
        take = answer("take", "2", "Take it", "It is yours alone.", "update_task", task.ids, mine, course="person")
        return self._need(
            page, key, task,
            title=f"{task.name} failed {often}" if often and not stopped else f"{task.name} was stopped",
            reason=task.flag_reason,
            facts=[*facts_of(task), *cost_of(task)],
            answers=[retry, take, drop],
            otherwise="No agent gets it until a person has looked.",
        )  # fmt: skip


class SilentAsk(TaskAsk):
    """Agents that have given no sign in the middle of a run."""

    kind, group, position = "silent", "unblock", 20
    urgency = "digest"
    glyph = ("hourglass", "warn")
    concerns = ("task.lease_expired", "task.comment", "agent.deleted", *CHANGES)
    signals = ("agent_id",)

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        """Find tasks in progress whose agents are silent, since the last sign.

        An agent of a gateway that is connected is silent when it was told that its task waits and did nothing since.
        While a person waits for a sign that they asked for, which is as long, it waits for nobody.
        """
        before = times.clock_now() - SILENT_AFTER
        yield Rows(
            "FROM task_runs r JOIN mine ON mine.id = r.board_id JOIN tasks t ON t.id = r.task_id"
            " JOIN agents g ON g.id = r.agent_id WHERE r.ended_at IS NULL AND r.parked_at IS NULL AND r.started_at < ?"
            " AND (g.last_seen_at IS NULL OR g.last_seen_at < ?) AND t.status = 'in_progress' AND t.deleted_at IS NULL"
            " AND (g.gateway_id IS NULL OR (g.gateway_away_at IS NULL AND g.run_began_at IS NULL AND EXISTS"
            f" (SELECT 1 FROM deliveries d WHERE d.agent_id = g.id AND d.header = '{WORK_WAITS}' AND d.sent_at < ?"
            " AND d.sent_at > r.started_at AND d.sent_at > g.last_seen_at)))"
            " AND NOT EXISTS (SELECT 1 FROM task_comments c WHERE c.task_id = t.id AND c.user_id IS NOT NULL"
            " AND c.created_at > ? AND c.deleted_at IS NULL)",
            [before, before, before, before],
            since="CASE WHEN g.last_seen_at IS NULL OR g.last_seen_at < r.started_at THEN r.started_at"
            " ELSE g.last_seen_at END",
            board_id="t.board_id",
            version="CAST(r.id AS TEXT) || COALESCE(CAST(g.last_seen_at AS TEXT), '')",
        )

    def begins(self, since: datetime, until: datetime) -> Condition:
        """Find the agents whose sign, which a person asked for, is late from a moment on."""
        # SQLite reads the tables of a CROSS JOIN in this order: it searches indexes of moments and scans no tasks.
        return (
            "SELECT b.organization_id, 'agent_id' AS name, t.assigned_agent_id AS value FROM task_comments c"
            " CROSS JOIN tasks t CROSS JOIN boards b WHERE t.id = c.task_id AND b.id = t.board_id"
            " AND c.created_at >= ? AND c.created_at < ? AND c.deleted_at IS NULL AND TRIM(c.message) <> ''"
            " AND c.user_id IS NOT NULL AND t.status = 'in_progress' AND t.assigned_agent_id IS NOT NULL",
            [since - SILENT_AFTER, until - SILENT_AFTER],
        )

    def say(self, page: Page, key: Key, task: TaskRow) -> Need:
        who = task.worker or task.assignee or "An agent"
        read_by = _read_by(who, "Without a sign")
        sign, back = {"message": ASK}, {"status": "inbox", "assigned_agent_id": None}
        ask = answer(
            "ask", "1", "Ask for a sign", read_by, "create_task_comment", task.ids, sign, note=WORDS, recommended=True
        )
        ends = f"The run ends, and #{task.number} goes to the inbox."
        take_back = answer(
            "take_back", "2", "Take it back", ends, "update_task", task.ids, back, course="stop", in_bulk=True
        )
        then = f"The lease ends and {who} loses #{task.number}; it goes back to the inbox."
        return self._need(
            page, key, task, NeedParty(id=task.assigned_agent_id, name=who),
            title=f"{who} has given no sign for {_lasted(key, page)} at #{task.number}",
            reason=task.title,
            answers=[ask, take_back],
            otherwise=then if task.lease_expires_at else f"#{task.number} stays with {who}.",
            at=task.lease_expires_at,
        )  # fmt: skip


class NotResumedAsk(TaskAsk):
    """Work that its agent, which gives signs, does not take up again within the board's time: nobody else may."""

    kind, group, position = "not_resumed", "unblock", 25
    urgency = "digest"
    glyph = ("hourglass", "warn")
    concerns = ("task.parked", "task.resumed", "task.comment", "approval.", "question.", "agent.", *CHANGES)
    signals = ("agent_id",)

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        """Find ready runs and rework, but where people wait for the answer to a comment of theirs."""
        now = times.clock_now()
        for rest, since in ((READY, "r.ready_at"), (REWORK, "t.rework_at")):
            yield Rows(
                f"{rest} JOIN mine ON mine.id = b.id JOIN organizations o ON o.id = b.organization_id"
                f" WHERE {seconds_from(since)} >= b.resume_after_seconds AND b.work_state = 'running'"
                " AND o.work_state = 'running' AND t.deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM task_comments c"
                " WHERE c.task_id = t.id AND c.user_id IS NOT NULL AND c.created_at > ? AND c.deleted_at IS NULL)",
                [now, now - SILENT_AFTER],
                since=since,
                board_id="b.id",
                version=f"CAST({since} AS TEXT)",
            )

    def begins(self, since: datetime, until: datetime) -> Condition:
        age = f"{seconds_from('w.ready_at')} {{}} b.resume_after_seconds"
        return (
            "SELECT b.organization_id, 'agent_id' AS name, w.agent_id AS value FROM (SELECT r.agent_id, r.board_id,"
            f" r.ready_at {READY} UNION ALL SELECT t.assigned_agent_id, t.board_id, t.rework_at {REWORK}) w"
            f" JOIN boards b ON b.id = w.board_id WHERE {age.format('<')} AND {age.format('>=')}",
            [since, until],
        )

    def say(self, page: Page, key: Key, task: TaskRow) -> Need:
        who, back = task.assignee or "An agent", {"status": "inbox", "assigned_agent_id": None}
        read_by = _read_by(who, "If it has not gone on")
        ends = f"Anybody can claim #{task.number} then, with all that is known."
        return self._need(
            page, key, task, NeedParty(id=task.assigned_agent_id, name=who),
            title=f"{who} has not taken up #{task.number} again for {_lasted(key, page)}",
            reason="It was sent back." if task.status == "inbox" else "What it asked is settled.",
            answers=[
                answer(
                    "ask", "1", "Ask it to go on", read_by, "create_task_comment", task.ids, {"message": GO_ON},
                    note=WORDS, recommended=True,
                ),
                answer(
                    "take_back", "2", "Let others have it", ends, "update_task", task.ids, back, course="stop",
                    in_bulk=True,
                ),
            ],
            otherwise=f"It waits for {who} as long as that gives signs.",
        )  # fmt: skip


class OverdueAsk(TaskAsk):
    """A person's own tasks whose date has passed."""

    kind, group, position = "overdue", "own", 10
    urgency = "digest"
    glyph = ("calendar", "bad")

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        whose, values = "t.assigned_user_id IS NOT NULL", list[Any]()
        if seeker.user_id is not None:
            whose, values = "t.assigned_user_id = ?", [seeker.user_id]
        yield Rows(
            f"FROM tasks t JOIN mine ON mine.id = t.board_id WHERE {whose} AND t.due_at < ?"
            " AND t.status <> 'done' AND t.deleted_at IS NULL",
            [*values, times.clock_now()],
            since="t.due_at",
            board_id="t.board_id",
            owner_id="t.assigned_user_id",
            version=VERSION,
        )

    def begins(self, since: datetime, until: datetime) -> Condition:
        """Find the people whose tasks are due between two moments."""
        return (
            "SELECT b.organization_id, 'needs_of' AS name, t.assigned_user_id AS value"
            " FROM boards b CROSS JOIN tasks t WHERE t.board_id = b.id AND t.due_at >= ? AND t.due_at < ?"
            " AND t.assigned_user_id IS NOT NULL AND t.status <> 'done' AND t.deleted_at IS NULL",
            [since, until],
        )

    def say(self, page: Page, key: Key, task: TaskRow) -> Need:
        done, later = {"status": "done", "approve": True}, {"due_at": times.iso(next_day(key.since, page.now))}
        free, again = {"assigned_user_id": None, "status": "inbox"}, "It is late again only after that."
        return self._need(
            page, key, task,
            title=f"{task.name} was due {_lasted(key, page)} ago",
            answers=[
                taken_back("done", "1", "Done", task.done, "move_task", task.ids, done),
                answer("tomorrow", "2", "Due tomorrow", again, "update_task", task.ids, later, in_bulk=True),
                answer("hand_over", "3", "Hand to an agent", "Agents can claim it.", "update_task", task.ids, free),
            ],
            otherwise="It stays yours, marked as late for everybody.",
        )  # fmt: skip


KINDS = (ReviewAsk(), FlaggedAsk(), SilentAsk(), NotResumedAsk(), OverdueAsk())
