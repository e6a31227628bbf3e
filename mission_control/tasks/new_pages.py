"""The form of a new task with everything that can be said of it at once: a dialog on the board, or a page."""

from typing import Any
from uuid import UUID

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.boards.cards import crew_of, people_of
from mission_control.boards.models import Board
from mission_control.boards.pages import on_board
from mission_control.boards.query_page import tags_of_organization
from mission_control.boards.statuses import STATUSES
from mission_control.core import zones
from mission_control.core.errors import DomainError, Forbidden, NotFound
from mission_control.core.policy import require
from mission_control.database.sql import rows
from mission_control.tasks.forms import FullTaskForm
from mission_control.tasks.quick_add import QuickTask, understood
from mission_control.tasks.schemas import TaskCreate
from mission_control.web.actions import action
from mission_control.web.forms import go, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.outcomes import Outcome, Refusal
from mission_control.web.shell import shell_page

pages = Blueprint("tasks_new_pages", __name__)
NEW = "/boards/<uuid:board_id>/tasks/new"
MOST_TASKS = 100


@pages.get(NEW)
async def show(board_id: UUID) -> ResponseReturnValue:
    """Show the form; what was typed into quick add comes with it."""
    actor, board = await on_board(board_id)
    require(actor, "task.create", board)
    status = request.args.get("status", "")
    values: dict[str, Any] = {"title": request.args.get("title", "")[:500], "priority": "medium"}
    values["status"] = status if status in STATUSES else "inbox"
    if line := request.args.get("text", "")[:500].strip():
        values |= _values_of(await understood(board, QuickTask(text=line)))
    choices = await _choices(board)
    if is_htmx():
        return render_macro("tasks/new_form.html", "new_dialog", board_id=board.id, choices=choices, values=values)
    context = {"board_id": board.id, "choices": choices, "values": values, "errors": {}}
    return await shell_page(actor, "tasks/new.html", active=f"board-{board.id}", **context)


def _values_of(task: TaskCreate) -> dict[str, Any]:
    """Return the form's values for a task that one line described."""
    given = task.model_dump()
    agent, person, due = given["assigned_agent_id"], given["assigned_user_id"], given["due_at"]
    return {
        "title": given["title"],
        "priority": given["priority"],
        "assignee": f"agent:{agent}" if agent else f"user:{person}" if person else "",
        "due": zones.day_of(due, zones.reader()).isoformat() if due else "",
        "tag_ids": given["tag_ids"],
    }


async def _choices(board: Board) -> dict[str, list[tuple[str, str]]]:
    crew, people, tags = await crew_of(board), await people_of(board), await tags_of_organization(board)
    unfinished = await rows(
        "SELECT t.id, t.number, t.title FROM tasks t WHERE t.board_id = ? AND t.deleted_at IS NULL"
        " AND t.status <> 'done' ORDER BY t.number DESC LIMIT ?",
        board.id,
        MOST_TASKS,
    )
    assignees = [(f"agent:{one['id']}", f"{one['name']} (agent)") for one in crew]
    return {
        "assignees": assignees + [(f"user:{one['id']}", str(one["name"])) for one in people],
        "tags": [(str(one["id"]), str(one["name"])) for one in tags],
        "tasks": [(str(one["id"]), f"#{one['number']} {one['title']}") for one in unfinished],
    }


async def _refused(refusal: Refusal[Board, FullTaskForm]) -> ResponseReturnValue:
    """Answer the form with what was typed and why it was refused."""
    error: Any = refusal.error
    if isinstance(error, DomainError) and isinstance(error, Forbidden | NotFound):
        raise error
    values = {**refusal.values}
    context = {"board_id": refusal.found.id, "choices": await _choices(refusal.found), "errors": refusal.errors}
    return await shell_page(
        refusal.actor, "tasks/new.html", active=f"board-{refusal.found.id}", values=values, **context
    )


@action(pages, "POST", NEW, performs="create_task", form=FullTaskForm, refused=_refused)
async def create(outcome: Outcome[Board, FullTaskForm]) -> ResponseReturnValue:
    """Create the task and show it."""
    return go(f"/boards/{outcome.found.id}/tasks/{outcome.answer['id']}")
