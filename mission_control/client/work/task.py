"""What is known of a task on this machine, in a file of its own."""

from __future__ import annotations

import contextlib
import json
import os

from mission_control.client import files

# The states in which a task is stored here.
BEGUN, ENDED, WORKED, HANDED_IN, KEPT = "begun", "ended", "worked", "handed in", "kept"


class TaskFile:
    """A task as it was claimed, and how far it is. `save` writes each step before the next begins."""

    task = board = title = run = state = ""
    number = fence = 0
    # The worktree, and what WORKFLOW.md says of it.
    base = commit = setup = check = words = branch = top = ""
    is_set_up, mend = False, 0
    # The program and its session; of its turns, how many began, and of how many the usage is reported.
    session = version = mode = ""
    prompted = counted = 0
    answered = ""  # the question with whose answer it goes on
    # The result; `checked` is the exit code of the check, `tests` what it printed, `checked_tree` on what it ran.
    summary = tests = checked_tree = head = why = ""
    checked: int | None = None

    def __init__(self, folder: str) -> None:
        with (
            contextlib.suppress(OSError, ValueError),
            open(os.path.join(folder, "task.json"), encoding="utf-8") as file,
        ):
            vars(self).update(json.load(file))
        self.folder = folder

    def save(self, **values: str | int | None) -> None:
        vars(self).update(values)
        stored = {name: value for name, value in vars(self).items() if name != "folder"}
        files.write(os.path.join(self.folder, "task.json"), json.dumps(stored).encode())

    @property
    def tree(self) -> str:
        return os.path.join(self.folder, "tree")

    @property
    def path(self) -> str:
        """Its path in the API."""
        return f"/api/v1/agent/boards/{self.board}/tasks/{self.task}"
