"""The statuses of tasks, which are the columns of a board."""

from typing import Literal, get_args

TaskStatus = Literal["inbox", "in_progress", "review", "done"]
STATUSES: tuple[TaskStatus, ...] = get_args(TaskStatus)
LABELS: dict[str, str] = {"inbox": "Inbox", "in_progress": "In progress", "review": "Review", "done": "Done"}
