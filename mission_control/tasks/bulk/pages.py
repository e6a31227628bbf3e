"""Many tasks at once on a board's page: one change for all that are selected, and taking it back."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field
from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.boards.days import day_of, end_of_day
from mission_control.boards.models import Board
from mission_control.boards.statuses import LABELS
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.values import parse_id, to_json
from mission_control.tasks.bulk.commands import MOST, SETTABLE, Before, TaskChanges, before_bulk, undo_of
from mission_control.tasks.forms import assignee_fields
from mission_control.tasks.panel.pages import back_to_board
from mission_control.tasks.query import NOTHING
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import Fields, Form, FormInvalid, FormValues, done, is_htmx
from mission_control.web.fragments import PageContext, partial, render_macro
from mission_control.web.shell import shell_page

KINDS = ("move", "assign", "tag", "untag", "archive", "delete", *SETTABLE)


class BulkForm(Form):
    """The selected tasks and one change, such as `move:review`, `assign:agent:<id>`, `due:fri` or `delete`.

    `seen` are the substances of shown tasks with code in review, each after the id of its task.
    """

    task_ids: Annotated[list[UUID], Field(max_length=MOST)] = []
    seen: Annotated[list[str], Field(max_length=1000)] = []
    change: Annotated[str, Field(max_length=200)]
    due: date | None = None

    @property
    def kind(self) -> str:
        return self.change.partition(":")[0]

    @property
    def value(self) -> str:
        return self.change.partition(":")[2]

    @property
    def day(self) -> date | None:
        if not self.value:
            return self.due
        return None if self.value == NOTHING else day_of(self.value, times.clock_now())

    def body(self, found: Board) -> Fields:
        if not self.task_ids:
            raise FormInvalid({}, {"": "Select tasks first."})
        if self.kind not in KINDS:
            raise FormInvalid({}, {"": "Choose what to change."})
        seen = dict(one.split(" ", 1) for one in self.seen if " " in one) if self.kind == "move" else {}
        changes = [
            {
                "task_id": task_id,
                **self._change(),
                **({"substance": seen[str(task_id)]} if str(task_id) in seen else {}),
            }
            for task_id in dict.fromkeys(self.task_ids)
        ]
        return {"changes": changes, "atomic": False}

    def _change(self) -> FormValues:
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
            try:
                return {field.name: None if is_nothing else field.typed(self.value)}
            except ValueError as error:
                raise FormInvalid({}, {"": f"This is no value of {field.label.lower()}: {self.value}"}) from error
        return {"archived" if self.kind == "archive" else "deleted": True}


class UndoForm(Form):
    changes: Annotated[str, Field(max_length=200_000)]

    def body(self, found: Board) -> TaskChanges:
        wanted = TaskChanges.model_validate_json(self.changes)
        return wanted.model_copy(update={"atomic": False})


pages = Blueprint("tasks_bulk_pages", __name__)
RESULT = "boards/bulk_result.html"
DONE = {
    "assign": "assigned", "priority": "got a priority", "due": "got a due date", "tag": "got the tag",
    "not_before": "got another earliest start", "untag": "lost the tag", "archive": "archived", "delete": "deleted",
}  # fmt: skip


async def _before(actor: Actor, board: Board) -> Before:
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


@action(pages, "/boards/<uuid:board_id>/tasks/bulk", form=BulkForm, before=_before)
async def update_tasks(outcome: Outcome[Board, BulkForm]) -> ResponseReturnValue:
    form, board, before = outcome.form, outcome.found, outcome.before
    results = outcome.answer["results"]
    changed = {UUID(str(result["task_id"])) for result in results if result["ok"]}
    refused = [_refusal(result, before) for result in results if not result["ok"]]
    changes = undo_of(form.kind, before, changed)
    undo = to_json({"changes": changes}).decode() if changes else ""
    said = {"board_id": board.id, "changed": len(changed), "said": _said(form)}
    context = {**said, "undo": undo, "refused": refused}
    if is_htmx():
        return partial("#bulk-result", render_macro(RESULT, "result", **context), "innerHTML")
    if not refused:
        return done(back_to_board(board.id))
    active = f"board-{board.id}"
    return await shell_page(outcome.actor, "boards/bulk.html", active=active, back=back_to_board(board.id), **context)


def _refusal(result: PageContext, before: Before) -> PageContext:
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


@action(pages, "/boards/<uuid:board_id>/tasks/changes", performs="update_tasks", form=UndoForm)
async def undo(outcome: Outcome[Board, UndoForm]) -> ResponseReturnValue:
    failed = outcome.answer["failed"]
    words = f"{outcome.answer['changed']} as before" + (f"; {failed} changed again meanwhile" if failed else "")
    return done(back_to_board(outcome.found.id), toast=words)
