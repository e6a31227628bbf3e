"""Tasks in review that a person may finish, where no approval asks for it."""

from typing import Any

from mission_control.needs.kinds import NO_LIMIT, Key, NeedKind, Page, Seeker
from mission_control.needs.saying import answer, evidence_facts, in_one_line, need, operation
from mission_control.needs.schemas import Need, NeedAnswer, NeedOtherwise
from mission_control.needs.tasks import CHANGES, VERSION, TaskRow, cost_of, facts_of, hold, task_rows
from mission_control.tasks.substance import parts_of_tasks

NOTE = ("note", "What should change?", True)
COMMENT = ("note", "A comment", False)


def find(seeker: Seeker) -> tuple[str, list[Any]] | None:
    """Find tasks in review without a pending approval, since they were handed in."""
    return (
        "SELECT 'review' AS kind, t.id AS id, COALESCE((SELECT MAX(r.ended_at) FROM task_runs r"
        f" WHERE r.task_id = t.id), t.updated_at) AS since, t.board_id AS board_id,"
        f" CAST(NULL AS UUID) AS owner_id, {NO_LIMIT} AS act_by, {VERSION} AS version"
        " FROM mine JOIN tasks t ON t.board_id = mine.id WHERE t.status = 'review' AND t.deleted_at IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM approval_task_links l WHERE l.task_id = t.id AND l.is_pending)",
        [],
    )


async def say(page: Page) -> list[Need]:
    """Say which tasks are to be reviewed."""
    tasks = await task_rows(page.ids)
    return [_need(page, key, tasks[key.id]) for key in page.keys if key.id in tasks]


def _need(page: Page, key: Key, task: TaskRow) -> Need:
    reviewer = f" {task.assignee} may review it too." if task.assignee else ""
    return need(
        page,
        key,
        title=f"Review {task.name}",
        reason=in_one_line(task.summary or ""),
        url=task.url,
        facts=[*facts_of(task), *evidence_facts(task.evidence), *cost_of(task)],
        answers=answers_of(task),
        otherwise=NeedOtherwise(at=None, text=f"It stays in review.{reviewer}"),
        tasks=[task.reference],
        agent=task.who,
    )


def answers_of(task: TaskRow) -> list[NeedAnswer]:
    """Return finishing it and sending it back."""
    back = f"{task.worker} gets your note and takes it up again." if task.worker else "It goes back to the inbox."
    approved = operation("review_task", task.ids, {"decision": "approved"}, COMMENT)
    returned = operation("review_task", task.ids, {"decision": "changes_requested"}, NOTE)
    is_free = not task.blockers
    return [
        answer(
            "approve",
            "A",
            "Approve",
            f"#{task.number} is done.{task.frees}" if is_free else "Refused while it waits for other tasks.",
            approved,
            note=COMMENT,
            recommended=is_free,
            undoable=True,
            in_bulk=True,
        ),
        answer("send_back", "R", "Send back", back, returned, note=NOTE, undoable=True, in_bulk=True),
    ]


KIND = NeedKind("review", "review", find, say, parts_of_tasks, ("approval.", *CHANGES), hold=hold)
