"""Tasks that failed several times and are not assigned again before a person has looked."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.needs.kinds import NO_LIMIT, Key, NeedKind, Page, Seeker
from mission_control.needs.saying import answer, need, operation
from mission_control.needs.schemas import Need, NeedAnswer, NeedOtherwise
from mission_control.needs.tasks import CHANGES, VERSION, TaskRow, cost_of, facts_of, hold, task_rows
from mission_control.tasks.substance import parts_of_tasks

HINT = ("message", "What should the next agent know?", False)


def find(seeker: Seeker) -> tuple[str, list[Any]] | None:
    """Find flagged tasks."""
    return (
        f"SELECT 'flagged' AS kind, t.id AS id, t.flagged_at AS since, t.board_id AS board_id,"
        f" CAST(NULL AS UUID) AS owner_id, {NO_LIMIT} AS act_by, {VERSION} AS version"
        " FROM mine JOIN tasks t ON t.board_id = mine.id"
        " WHERE t.flagged_at IS NOT NULL AND t.status <> 'done' AND t.deleted_at IS NULL",
        [],
    )


async def say(page: Page) -> list[Need]:
    """Say which tasks failed, and why."""
    tasks = await task_rows(page.ids)
    return [_need(page, key, tasks[key.id]) for key in page.keys if key.id in tasks]


def _need(page: Page, key: Key, task: TaskRow) -> Need:
    return need(
        page,
        key,
        title=f"{task.name} failed {_times(task.failed_attempts)}",
        reason=task.flag_reason,
        url=task.url,
        facts=[*facts_of(task), *cost_of(task)],
        answers=answers_of(page.actor, task),
        otherwise=NeedOtherwise(at=None, text="No agent gets it until a person has looked."),
        tasks=[task.reference],
        agent=task.who,
    )


def _times(number: int) -> str:
    return {0: "", 1: "once", 2: "twice", 3: "three times"}.get(number, f"{number} times")


def answers_of(actor: Actor, task: TaskRow) -> list[NeedAnswer]:
    """Return trying again, taking it, and dropping it."""
    comment = operation("create_task_comment", task.ids, {}, HINT)
    mine = {"assigned_user_id": str(actor.user_id)}
    return [
        answer(
            "retry",
            "1",
            "Try again",
            "Agents can claim it at once, with all attempts.",
            operation("clear_flag", task.ids),
            note=HINT,
            note_operation=comment,
            recommended=True,
            in_bulk=True,
        ),
        answer("take", "2", "Take it", "It is yours alone.", operation("update_task", task.ids, mine), course="person"),
        answer(
            "drop",
            "3",
            "Drop",
            "It goes to the trash.",
            operation("delete_task", task.ids),
            course="stop",
            undoable=True,
            in_bulk=True,
        ),
    ]


KIND = NeedKind(
    "flagged",
    "unblock",
    find,
    say,
    parts_of_tasks,
    ("task.flagged", "task.unflagged", "task.lease_expired", *CHANGES),
    hold=hold,
)
