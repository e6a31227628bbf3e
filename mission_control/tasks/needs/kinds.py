"""What people are asked about tasks: reviews, tasks that failed, tasks whose agents are silent, and late ones."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from mission_control.boards.queries import SILENT_AFTER
from mission_control.core import times
from mission_control.database.sql import Condition, seconds_from
from mission_control.needs.kinds import Key, Page, Rows, Seeker
from mission_control.needs.schemas import Need, NeedParty
from mission_control.needs.wording import answer, in_one_line, link_facts, span
from mission_control.tasks.needs.task_kind import CHANGES, VERSION, TaskNeeds, TaskRow, facts_of
from mission_control.tasks.notices import WORK_WAITS
from mission_control.tasks.query import REWORK_SINCE

STOPPED_BY_PERSON = "Stopped by a person"  # how the reason of the flag begins
NOTE = ("note", "What should change?", True)
COMMENT = ("note", "A comment", False)
HINT = ("message", "What should the next agent know?", False)
ASK = "Are you still working on this? Say how far you are."
GO_ON = "This task is ready for you. Call next, or claim it, and go on; or say what holds you up."
WORDS = ("message", "Your words instead", False)

# An answer that can be taken back, and given to many at once.
taken_back = partial(answer, undoable=True, in_bulk=True)
# SQL: runs that may go on with their tasks, and tasks that were sent back; with their boards, until WHERE.
READY = (
    "FROM (SELECT * FROM task_runs WHERE ended_at IS NULL AND parked_at IS NOT NULL AND ready_at IS NOT NULL) r"
    " JOIN tasks t ON t.id = r.task_id JOIN boards b ON b.id = r.board_id"
)
REWORK = (
    "FROM (SELECT * FROM tasks WHERE rework_at IS NOT NULL AND status = 'inbox' AND deleted_at IS NULL"
    " AND archived_at IS NULL AND assigned_agent_id IS NOT NULL) t"  # as the index of living tasks has it
    " JOIN boards b ON b.id = t.board_id"
)


def next_day(due_at: datetime, now: datetime) -> datetime:
    zone = times.reader()
    return times.at(times.day_of(now, zone) + timedelta(days=1), times.local(due_at, zone).time(), zone)


def _read_by(who: str, unless: str) -> str:
    return f"{who} reads it at its next call. {unless} in {SILENT_AFTER.seconds // 60} min this comes back."


def _lasted(key: Key, page: Page) -> str:
    return span((page.now - key.since).total_seconds())


class ReviewNeeds(TaskNeeds):
    """Tasks in review that a person may finish, where no approval asks for it."""

    kind, group, position, title = "review", "review", 10, "Work to review"
    is_about_work = True
    urgency, brief = "waits", "handed in work"
    glyph = ("circle-question-mark", "ask")
    concerns = ("approval.", "task.code_reported", *CHANGES)

    where = (
        "t.status = 'review' AND NOT EXISTS"
        " (SELECT 1 FROM approval_task_links l WHERE l.task_id = t.id AND l.is_pending)"
    )
    since = "COALESCE((SELECT MAX(r.ended_at) FROM task_runs r WHERE r.task_id = t.id), t.updated_at)"

    def say(self, page: Page, key: Key, task: TaskRow) -> Need:
        reviewer = f" {task.assignee} may review it too." if task.assignee else ""
        back = f"{task.worker} gets your note and takes it up again." if task.worker else "It goes back to the inbox."
        good, bad = {"decision": "approved"}, {"decision": "changes_requested"}
        label, effect = task.counted.approving(task.done)
        approve = answer(
            "approve", "A", label, effect, "review_task", task.ids, good, note=COMMENT, undoable=True,
            recommended=task.counted.is_fine and not task.blockers, in_bulk=task.counted.is_fine,
        )  # fmt: skip
        send_back = taken_back("send_back", "R", "Request changes", back, "review_task", task.ids, bad, note=NOTE)
        links = [link for link in task.evidence or () if isinstance(link, Mapping)]
        named = [(str(link.get("title") or link.get("url")), str(link.get("url"))) for link in links]
        evidence = link_facts([(name, url) for name, url in named if re.match("https?://", url)])
        return self._need(
            page, key, task,
            title=f"Review {task.name}",
            reason=task.counted.reason(in_one_line(task.summary or "")),
            facts=[*facts_of(task), *evidence],
            answers=task.counted.in_order(approve, send_back),
            otherwise=f"It stays in review.{reviewer}",
        )  # fmt: skip


class FlaggedNeeds(TaskNeeds):
    """Tasks that failed several times and are not assigned again before a person has looked."""

    kind, group, position, title = "flagged", "unblock", 10, "Tasks that an agent could not finish"
    is_about_work = True
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
            answers=[retry, take, drop],
            otherwise="No agent gets it until a person has looked.",
        )  # fmt: skip


class SilentNeeds(TaskNeeds):
    """Agents that have given no sign in the middle of a run."""

    kind, group, position, title = "silent", "unblock", 20, "Agents that fell silent"
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


class NotResumedNeeds(TaskNeeds):
    """Work that its agent, which gives signs, does not take up again within the board's time: nobody else may."""

    kind, group, position, title = "not_resumed", "unblock", 25, "Runs that were not taken up"
    urgency = "digest"
    glyph = ("hourglass", "warn")
    concerns = ("task.parked", "task.resumed", "task.comment", "approval.", "question.", "agent.", *CHANGES)
    signals = ("agent_id",)

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        """Find ready runs and rework, but where people wait for the answer to a comment of theirs."""
        now = times.clock_now()
        for rest, since in ((READY, "r.ready_at"), (REWORK, REWORK_SINCE)):
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
            f" r.ready_at {READY} UNION ALL SELECT t.assigned_agent_id, t.board_id, {REWORK_SINCE} {REWORK}) w"
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


class OverdueNeeds(TaskNeeds):
    """A person's own tasks whose date has passed."""

    kind, group, position, title = "overdue", "own", 10, "Your overdue tasks"
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


KINDS = (ReviewNeeds(), FlaggedNeeds(), SilentNeeds(), NotResumedNeeds(), OverdueNeeds())
