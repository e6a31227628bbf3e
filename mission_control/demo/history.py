"""The four weeks before the demo's story: finished tasks, decisions of people and what agents spent, by commands."""

from collections.abc import Mapping
from datetime import timedelta

from mission_control.approvals.commands import request_approval
from mission_control.approvals.decisions import decide_approval
from mission_control.approvals.schemas import ApprovalCreate
from mission_control.boards.models import Board
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.tasks.archive import archive_old_tasks
from mission_control.tasks.changes import TaskChange
from mission_control.tasks.commands import change_task, create_task
from mission_control.tasks.schemas import TaskCreate
from mission_control.usage.commands import report_usage

# Finished tasks of each day, the oldest first; the last one is the day before the story begins.
DAYS = (1, 0, 2, 1, 0, 0, 1, 1, 2, 1, 1, 0, 1, 1, 2, 1, 0, 0, 2, 3, 1, 2, 3, 2, 1, 1)
STORY_DAYS = 2
LENGTH = timedelta(days=len(DAYS) + STORY_DAYS + 1)
WORKERS = ("Juno", "Kit")
DECIDERS = ("Mara", "Mara", "Tomás")
WAITS = (8, 14, 25, 40, 11, 60, 18)  # minutes until somebody decides
TITLES = (
    "Check links of the week", "Compress new photos", "Answer questions about roasts", "Update the price list",
    "Write alt texts", "Read the error log",
)  # fmt: skip


async def play_history(actors: Mapping[str, Actor], board: Board) -> None:
    """Play the weeks before the story on a board, and archive what was finished then."""
    number = 0
    for age, finished in zip(range(len(DAYS) + STORY_DAYS, STORY_DAYS, -1), DAYS, strict=True):
        for at in range(finished):
            number += 1
            await _play_task(actors, board, number, timedelta(days=age) - timedelta(hours=2 * at))
    await archive_old_tasks(actors["Mara"], board, clock.now() - timedelta(days=STORY_DAYS))


async def _play_task(actors: Mapping[str, Actor], board: Board, number: int, ago: timedelta) -> None:
    worker = actors[WORKERS[number % len(WORKERS)]]
    decider = actors[DECIDERS[number % len(DECIDERS)]]
    work, wait = timedelta(minutes=20 + 7 * (number % 9)), timedelta(minutes=WAITS[number % len(WAITS)])
    with clock.travelled(-ago - wait - work):
        task = await create_task(actors["Mara"], board, TaskCreate(title=TITLES[number % len(TITLES)]))
        await change_task(worker, task, TaskChange(status="in_progress"))
    tokens = 9_000 + 1_700 * (number % 11)
    with clock.travelled(-ago - wait):
        request = ApprovalCreate(
            action_type="task.finish", task_id=task.id, confidence=70 + number % 28, lead_reasoning="Checked twice."
        )
        approval = await request_approval(worker, board, request)
        assert worker.agent_id is not None
        await report_usage(
            worker,
            worker.agent_id,
            board_id=board.id,
            task_id=task.id,
            input_tokens=tokens,
            output_tokens=tokens // 12,
            cost_micros=14 * tokens,
        )
    with clock.travelled(-ago):
        await decide_approval(decider, approval, "approved", None)
        await change_task(worker, task, TaskChange(status="done"))
