"""Moving a card as people do it, and taking it back."""

from dataclasses import dataclass
from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.command import command
from mission_control.database.sql import rows
from mission_control.tasks import policy as policy
from mission_control.tasks.commands import change_task, move_task
from mission_control.tasks.forms import MoveForm, assignee_fields, assignee_value
from mission_control.tasks.models import Task


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card was: the fields of the form that puts it back."""

    status: str
    before_task_id: UUID | None
    after_task_id: UUID | None
    assignee: str

    def fields(self) -> dict[str, str]:
        """As a form sends it."""
        neighbours = {"before_task_id": self.before_task_id, "after_task_id": self.after_task_id}
        kept = {name: str(value) for name, value in neighbours.items() if value is not None}
        return {"status": self.status, "assignee": self.assignee, **kept}


async def place_of(task: Task) -> Place:
    """The column and neighbour of a card, and whose it is."""
    column = [
        UUID(str(row["id"]))
        for row in await rows(
            "SELECT id FROM tasks WHERE board_id = ? AND status = ? AND deleted_at IS NULL"
            " ORDER BY position, created_at DESC",
            task.board_id,
            task.status,
        )
    ]
    at = column.index(task.id) if task.id in column else 0
    following = column[at + 1] if at + 1 < len(column) else None
    previous = column[at - 1] if following is None and at > 0 else None
    return Place(task.status, following, previous, assignee_value(task.assigned_agent_id, task.assigned_user_id))


@command("task.move")
async def move_card(actor: Actor, task: Task, form: MoveForm) -> Task:
    """Move a card; a move that is taken back also gives the task back to whom it belonged."""
    moved = await move_task(actor, task, form.status, form.before_task_id, form.after_task_id)
    if form.assignee:
        moved = await change_task(actor, moved, assignee_fields(form.assignee))
    return moved
