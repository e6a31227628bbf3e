"""A person's own tasks whose date has passed."""

from datetime import datetime, timedelta
from typing import Any

from mission_control.core import clock, zones
from mission_control.core.times import iso
from mission_control.needs.kinds import NO_LIMIT, Key, NeedKind, Page, Seeker
from mission_control.needs.saying import answer, need, operation
from mission_control.needs.schemas import Need, NeedAnswer, NeedOtherwise
from mission_control.needs.tasks import CHANGES, VERSION, TaskRow, facts_of, hold, lasted, task_rows
from mission_control.tasks.substance import parts_of_tasks


def find(seeker: Seeker) -> tuple[str, list[Any]] | None:
    """Find tasks of people that were due."""
    whose = "t.assigned_user_id IS NOT NULL" if seeker.user_id is None else "t.assigned_user_id = ?"
    return (
        "SELECT 'overdue' AS kind, t.id AS id, t.due_at AS since, t.board_id AS board_id,"
        f" t.assigned_user_id AS owner_id, {NO_LIMIT} AS act_by, {VERSION} AS version"
        f" FROM tasks t JOIN mine ON mine.id = t.board_id WHERE {whose} AND t.due_at < ?"
        " AND t.status <> 'done' AND t.deleted_at IS NULL",
        [*([] if seeker.user_id is None else [seeker.user_id]), clock.now()],
    )


async def say(page: Page) -> list[Need]:
    """Say which tasks were due, and since when."""
    tasks = await task_rows(page.ids)
    return [_need(page, key, tasks[key.id]) for key in page.keys if key.id in tasks]


def _need(page: Page, key: Key, task: TaskRow) -> Need:
    return need(
        page,
        key,
        title=f"{task.name} was due {lasted(key.since, page.now)} ago",
        url=task.url,
        facts=facts_of(task),
        answers=answers_of(task, next_day(key.since, page.now)),
        otherwise=NeedOtherwise(at=None, text="It stays yours, marked as late for everybody."),
        tasks=[task.reference],
    )


def answers_of(task: TaskRow, tomorrow: datetime) -> list[NeedAnswer]:
    """Return finishing it, another date, and handing it to agents."""
    done = operation("move_task", task.ids, {"status": "done", "approve": True})
    later = operation("update_task", task.ids, {"due_at": iso(tomorrow)})
    free = operation("update_task", task.ids, {"assigned_user_id": None, "status": "inbox"})
    is_free = not task.blockers
    effect = f"#{task.number} is done.{task.frees}" if is_free else "Refused while it waits for other tasks."
    return [
        answer("done", "1", "Done", effect, done, undoable=True, in_bulk=True),
        answer("tomorrow", "2", "Due tomorrow", "It is late again only after that.", later, in_bulk=True),
        answer("hand_over", "3", "Hand to an agent", "Agents can claim it.", free),
    ]


def next_day(due_at: datetime, now: datetime) -> datetime:
    """Return the same time of day, tomorrow where the reader is."""
    zone = zones.reader()
    return zones.at(zones.day_of(now, zone) + timedelta(days=1), zones.local(due_at, zone).time(), zone)


KIND = NeedKind("overdue", "own", find, say, parts_of_tasks, CHANGES, hold=hold)
