"""Ask for an approval, as a person: what is to be allowed for a task, why, and until when."""

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import Field
from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.asks.deadlines import HOURS
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Invalid, NotFound
from mission_control.core.ids import parse_id
from mission_control.core.policy import require
from mission_control.database.sql import rows
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormInvalid, done, is_htmx
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("approval_asking_pages", __name__)
PATH = "/boards/<uuid:board_id>/approvals/new"
# What people ask each other for; each reads as a verb in the heading of the approval.
ACTIONS = [
    ("task.finish", "Finish the task"),
    ("publish", "Publish its result"),
    ("deploy", "Deploy it"),
    ("send", "Send it"),
    ("buy", "Buy what it needs"),
    ("delete", "Delete what it is about"),
]
CERTAIN = 100  # a person who asks states no confidence


class AskForm(Form):
    """What is to be allowed, why, and until when."""

    task: UUID
    action_type: str = Field(max_length=80)
    reason: str = Field(max_length=20_000)
    hours: Literal["", "1", "4", "24", "72", "168"] = ""

    def body(self, found: Board) -> Fields:
        deadline = {"decide_by": clock.now() + timedelta(hours=int(self.hours))} if self.hours else {}
        asked = {"action_type": self.action_type, "task_id": self.task, "lead_reasoning": self.reason}
        return {**asked, "confidence": CERTAIN, **deadline}


@pages.get(PATH)
async def new_approval(board_id: UUID) -> ResponseReturnValue:
    """Show the form for a task."""
    actor = await signed_in()
    board = await visible_board(actor, board_id)
    require(actor, "approval.request", board)
    page = await _page(actor, board, {"task": request.args.get("task", "")}, {})
    if page is None:
        raise NotFound()
    return page


async def _page(actor: Actor, board: Board, values: dict[str, Any], errors: dict[str, str]) -> str | None:
    """Return the form for a task; None when the task is not on the board."""
    task = parse_id(str(values.get("task") or ""))
    found = await rows(
        "SELECT id, number, title FROM tasks WHERE id = ? AND board_id = ? AND deleted_at IS NULL", task, board.id
    )
    if not found:
        return None
    context = {"board": board, "task": found[0], "values": values, "errors": errors, "actions": ACTIONS}
    return await shell_page(actor, "approvals/new.html", active="approvals", hours=list(HOURS.items()), **context)


async def _not_asked(refusal: Refusal[Board, AskForm]) -> ResponseReturnValue:
    error, errors = refusal.error, refusal.errors
    if is_htmx() or not isinstance(error, FormInvalid | Invalid | Conflict):
        raise error
    if not isinstance(error, FormInvalid):
        errors = errors or {"action_type": error.sentence}
    page = await _page(refusal.actor, refusal.found, refusal.values, errors)
    if page is None:
        raise Invalid("The task of this form is not on the board any more.")
    return page


@action(
    pages,
    "POST",
    PATH,
    performs="create_approval",
    form=AskForm,
    refused=_not_asked,
)
async def ask(outcome: Outcome[Board, AskForm]) -> ResponseReturnValue:
    """Ask the people who may decide on the board."""
    url = f"/boards/{outcome.found.id}/tasks/{outcome.form.task}"
    return done(url, toast="Asked. It waits for the people who may decide on this board.")
