"""Agents that have given no sign in the middle of a run."""

from typing import Any

from mission_control.boards.presence import OFFLINE_AFTER
from mission_control.core import clock
from mission_control.gateway_notices.sending import WORK_WAITS
from mission_control.needs.kinds import NO_LIMIT, Key, NeedKind, Page, Seeker
from mission_control.needs.saying import answer, need, operation
from mission_control.needs.schemas import Need, NeedAnswer, NeedOtherwise, NeedParty
from mission_control.needs.tasks import CHANGES, TaskRow, facts_of, hold, lasted, task_rows
from mission_control.tasks.substance import parts_of_tasks

ASK = "Are you still working on this? Say how far you are."
WORDS = ("message", "Your words instead", False)


def find(seeker: Seeker) -> tuple[str, list[Any]] | None:
    """Find tasks in progress whose agents were not seen for ten minutes, since the last sign.

    An agent of a gateway that is connected is silent when it was told that its task waits and did nothing since.
    While a person waits for a sign that they asked for, which is ten minutes too, it waits for nobody.
    """
    before = clock.now() - OFFLINE_AFTER
    return (
        "SELECT 'silent' AS kind, t.id AS id,"
        " CASE WHEN g.last_seen_at IS NULL OR g.last_seen_at < r.started_at THEN r.started_at ELSE g.last_seen_at END"
        " AS since, t.board_id AS board_id,"
        f" CAST(NULL AS UUID) AS owner_id, {NO_LIMIT} AS act_by,"
        " CAST(r.id AS TEXT) || COALESCE(CAST(g.last_seen_at AS TEXT), '') AS version"
        " FROM task_runs r JOIN mine ON mine.id = r.board_id JOIN tasks t ON t.id = r.task_id"
        " JOIN agents g ON g.id = r.agent_id WHERE r.ended_at IS NULL AND r.started_at < ?"
        " AND (g.last_seen_at IS NULL OR g.last_seen_at < ?) AND t.status = 'in_progress' AND t.deleted_at IS NULL"
        " AND (g.gateway_id IS NULL OR (g.gateway_away_at IS NULL AND g.run_began_at IS NULL AND EXISTS"
        f" (SELECT 1 FROM deliveries d WHERE d.agent_id = g.id AND d.header = '{WORK_WAITS}' AND d.sent_at < ?"
        " AND d.sent_at > r.started_at AND d.sent_at > g.last_seen_at)))"
        " AND NOT EXISTS (SELECT 1 FROM task_comments c WHERE c.task_id = t.id AND c.user_id IS NOT NULL"
        " AND c.created_at > ? AND c.deleted_at IS NULL)",
        [before, before, before, before],
    )


async def say(page: Page) -> list[Need]:
    """Say who is silent, since when, and at which task."""
    tasks = await task_rows(page.ids)
    return [_need(page, key, tasks[key.id]) for key in page.keys if key.id in tasks]


def _need(page: Page, key: Key, task: TaskRow) -> Need:
    who = task.worker or task.assignee or "An agent"
    then = f"The lease ends and {who} loses #{task.number}; it goes back to the inbox."
    if task.lease_expires_at is None:
        then = f"#{task.number} stays with {who}."
    return need(
        page,
        key,
        title=f"{who} has given no sign for {lasted(key.since, page.now)} at #{task.number}",
        reason=task.title,
        url=task.url,
        facts=facts_of(task),
        answers=answers_of(task, who),
        otherwise=NeedOtherwise(at=task.lease_expires_at, text=then),
        tasks=[task.reference],
        agent=NeedParty(id=task.assigned_agent_id, name=who),
    )


def answers_of(task: TaskRow, who: str) -> list[NeedAnswer]:
    """Return asking for a sign, and taking the task back."""
    asked = operation("create_task_comment", task.ids, {"message": ASK}, WORDS)
    back = operation("update_task", task.ids, {"status": "inbox", "assigned_agent_id": None})
    return [
        answer(
            "ask",
            "1",
            "Ask for a sign",
            f"{who} reads it at its next call. Without a sign in 10 min this comes back.",
            asked,
            note=WORDS,
            recommended=True,
        ),
        answer(
            "take_back",
            "2",
            "Take it back",
            f"The run ends, and #{task.number} goes to the inbox.",
            back,
            course="stop",
            in_bulk=True,
        ),
    ]


KIND = NeedKind(
    "silent",
    "unblock",
    find,
    say,
    parts_of_tasks,
    ("task.lease_expired", "task.comment", "agent.deleted", *CHANGES),
    ("agent_id",),
    hold=hold,
)
