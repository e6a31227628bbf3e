"""Many tasks at once on a board's page: one change for all that are selected, and taking it back."""

from typing import Any
from uuid import UUID

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board
from mission_control.boards.statuses import LABELS
from mission_control.core.actor import Actor
from mission_control.core.ids import parse_id
from mission_control.core.json import to_json
from mission_control.tasks.bulk_forms import BulkForm, UndoForm
from mission_control.tasks.bulk_undo import SETTABLE, Before, before_bulk, undo_of
from mission_control.tasks.pages import back_to_board
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import done, is_htmx
from mission_control.web.fragments import partial, render_macro
from mission_control.web.shell import shell_page

pages = Blueprint("tasks_bulk_pages", __name__)
RESULT = "boards/bulk_result.html"
DONE = {
    "assign": "assigned", "priority": "got a priority", "due": "got a due date", "tag": "got the tag",
    "untag": "lost the tag", "archive": "archived", "delete": "deleted",
}  # fmt: skip


async def _before(actor: Actor, board: Board) -> Before:
    """Return what the selected tasks are before they change."""
    selected = [parse_id(one) for one in (await request.form).getlist("task_ids")][:200]
    return await before_bulk(board, [one for one in selected if one is not None])


def _said(form: BulkForm) -> str:
    if form.kind == "move":
        return f"moved to {LABELS.get(form.value, form.value)}"
    if form.kind == "assign" and not form.value:
        return "unassigned"
    if form.kind == "due" and form.day is None:
        return "lost the due date"
    return DONE.get(form.kind) or f"got the {SETTABLE[form.kind].label.lower()} {form.value}"


@action(pages, "POST", "/boards/<uuid:board_id>/tasks/bulk", performs="update_tasks", form=BulkForm, before=_before)
async def change(outcome: Outcome[Board, BulkForm]) -> ResponseReturnValue:
    """Change the selected tasks; say which could not change, and why."""
    form, board, before = outcome.form, outcome.found, outcome.before
    results = outcome.answer["results"]
    changed = {UUID(str(one["task_id"])) for one in results if one["ok"]}
    refused = [_refusal(one, before) for one in results if not one["ok"]]
    undo = undo_of(form.kind, before, changed)
    context: dict[str, Any] = {
        "board_id": board.id,
        "changed": len(changed),
        "said": _said(form),
        "undo": to_json({"changes": undo}).decode() if undo else "",
        "refused": refused,
    }
    if is_htmx():
        return partial("#bulk-result", render_macro(RESULT, "result", **context), "innerHTML")
    if not refused:
        return done(back_to_board(board.id))
    active = f"board-{board.id}"
    return await shell_page(outcome.actor, "boards/bulk.html", active=active, back=back_to_board(board.id), **context)


def _refusal(result: dict[str, Any], before: Before) -> dict[str, Any]:
    """Return why a task could not change, with its number and title as far as it is there."""
    known = before.get(UUID(str(result["task_id"])), {})
    detail = result["detail"]
    reason = detail.get("message", "") if isinstance(detail, dict) else detail if isinstance(detail, str) else ""
    gone = "It is no longer on the board."
    return {
        "task_id": result["task_id"],
        "number": known.get("number"),
        "title": known.get("title", ""),
        "reason": gone if result["status"] == 404 and not known else reason or "It cannot change so.",
    }


@action(pages, "POST", "/boards/<uuid:board_id>/tasks/changes", performs="update_tasks", form=UndoForm)
async def undo(outcome: Outcome[Board, UndoForm]) -> ResponseReturnValue:
    """Take a bulk change back."""
    failed = outcome.answer["failed"]
    words = f"{outcome.answer['changed']} as before" + (f"; {failed} changed again meanwhile" if failed else "")
    return done(back_to_board(outcome.found.id), toast=words)
