"""What the bar of selected tasks sends."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from mission_control.boards.days import day_of, end_of_day
from mission_control.boards.models import Board
from mission_control.core import clock
from mission_control.tasks.bulk import MOST, TaskChanges
from mission_control.tasks.bulk_undo import SETTABLE
from mission_control.tasks.forms import assignee_fields
from mission_control.tasks.query_words import NOTHING
from mission_control.web.forms import Fields, Form, FormInvalid

KINDS = ("move", "assign", "tag", "untag", "archive", "delete", *SETTABLE)


class BulkForm(Form):
    """The selected tasks and one change, such as `move:review`, `assign:agent:<id>`, `due:fri` or `delete`."""

    task_ids: Annotated[list[UUID], Field(max_length=MOST)] = []
    change: Annotated[str, Field(max_length=200)]
    due: date | None = None

    @property
    def kind(self) -> str:
        """What changes."""
        return self.change.partition(":")[0]

    @property
    def value(self) -> str:
        """What it becomes."""
        return self.change.partition(":")[2]

    @property
    def day(self) -> date | None:
        """The chosen day; None takes the due date away."""
        return (
            day_of(self.value, clock.now()) if self.value and self.value != "none" else None if self.value else self.due
        )

    def body(self, found: Board) -> Fields:
        if not self.task_ids:
            raise FormInvalid({}, {"": "Select tasks first."})
        if self.kind not in KINDS:
            raise FormInvalid({}, {"": "Choose what to change."})
        changes = [{"task_id": task_id, **self._change()} for task_id in dict.fromkeys(self.task_ids)]
        return {"changes": changes, "atomic": False}

    def _change(self) -> dict[str, Any]:
        match self.kind:
            case "move":
                return {"status": self.value}
            case "assign":
                return assignee_fields(self.value)
            case "due":
                if self.value == "" and self.due is None:
                    raise FormInvalid({}, {"": "Choose a day."})
                return {"due_at": end_of_day(self.day) if self.day else None}
            case "tag":
                return {"add_tag_ids": [self.value]}
            case "untag":
                return {"remove_tag_ids": [self.value]}
        if (field := SETTABLE.get(self.kind)) is not None:
            is_nothing = field.is_nullable and self.value in ("", NOTHING)
            return {field.name: None if is_nothing else self.value}
        return {"archived" if self.kind == "archive" else "deleted": True}


class UndoForm(Form):
    """The changes that take a bulk change back."""

    changes: Annotated[str, Field(max_length=200_000)]

    def body(self, found: Board) -> TaskChanges:
        """Return them; a task that changed again may refuse its own."""
        wanted = TaskChanges.model_validate_json(self.changes)
        return wanted.model_copy(update={"atomic": False})
