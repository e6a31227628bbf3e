"""The form of a new task with everything that can be said of it at once: a dialog on the board, or a page."""

import json
from urllib.parse import urlencode

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board
from mission_control.boards.queries import crew_of, people_of
from mission_control.boards.statuses import LABELS, STATUSES
from mission_control.core.actor import Actor
from mission_control.core.errors import Forbidden, Invalid, NotFound
from mission_control.core.values import parts_of
from mission_control.database.sql import rows
from mission_control.tasks.fields import Surface, alike_at, in_form
from mission_control.tasks.forms import FullTaskForm, NewTaskForm, assignee_value, fields_of
from mission_control.tasks.panel.pages import back_to_board
from mission_control.tasks.query import LIVING, STATES
from mission_control.tasks.quick_add import QuickTask, not_understood, understood
from mission_control.tasks.tags.commands import tags_offered
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, FormValues, done, go, is_htmx
from mission_control.web.fragments import PageContext, partial, render_macro
from mission_control.web.shell import NamedBoard, PaletteEntry, shell_page

pages = Blueprint("tasks_new_pages", __name__)
NEW = "/boards/<uuid:board_id>/tasks/new"
MOST_TASKS = 100


async def _asked(actor: Actor, board: Board) -> FormValues:
    status = request.args.get("status", "")
    line = (request.args.get("text") or request.args.get("title", ""))[:500].strip()
    values = {"title": "", "priority": "medium", "status": status if status in STATUSES else "inbox"}
    if not line:
        return values
    return values | await understood_values(board, QuickTask.model_validate({"text": line, "status": values["status"]}))


async def _form(
    actor: Actor, board: Board, values: Fields, errors: dict[str, str], choices: Fields | None = None
) -> str:
    if is_htmx() and not errors:
        return await new_dialog(board, values)
    context = {"board_id": board.id, "choices": choices or await _choices(board), "values": values, "errors": errors}
    return await shell_page(actor, "tasks/new.html", active=f"board-{board.id}", **context)


async def understood_values(board: Board, line: QuickTask) -> FormValues:
    found = (await understood(board, line)).model_dump()
    assignee = assignee_value(found["assigned_agent_id"], found["assigned_user_id"])
    shown = {name: found[name] for name in ("title", "status", "tag_ids", "parent_id")}
    return {**shown, **in_form(found.__getitem__), "assignee": assignee}


async def new_dialog(board: Board, values: Fields) -> str:
    choices = await _choices(board)
    return render_macro("tasks/new_form.html", "new_dialog", board_id=board.id, choices=choices, values=values)


def misses_fields(error: object) -> list[str]:
    """Return the keys of the required custom fields whose absence refused a task."""
    detail = error.detail if isinstance(error, Invalid) else None
    return list(detail.get("missing_field_keys", [])) if isinstance(detail, dict) else []


async def _choices(board: Board) -> PageContext:
    crew, people, tags = await crew_of(board), await people_of(board), await tags_offered(board)
    unfinished = await rows(
        f"SELECT t.id, t.number, t.title FROM tasks t WHERE t.board_id = ? AND {LIVING} AND {STATES['open']}"
        f" ORDER BY t.number + 0 DESC LIMIT {MOST_TASKS}",
        board.id,
    )
    assignees = [(f"agent:{one['id']}", f"{one['name']} (agent)") for one in crew]
    return {
        "assignees": assignees + [(f"user:{one['id']}", str(one["name"])) for one in people],
        "tags": [(str(one.id), one.name) for one in tags],
        "others": alike_at(Surface.PANEL),
        "fields": await fields_of(board.id, None),
        "tasks": [(str(one["id"]), f"#{one['number']} {one['title']}") for one in unfinished],
    }


async def _refused(refusal: Refusal[Board, FullTaskForm]) -> ResponseReturnValue:
    if isinstance(refusal.error, Forbidden | NotFound):
        raise refusal.error
    values, choices, missing = {**refusal.values}, await _choices(refusal.found), misses_fields(refusal.error)
    if refusal.form is not None:
        values["fields"] = refusal.form.fields
    errors = refusal.errors | {field.name: "Fill this in." for field in choices["fields"] if field.key in missing}
    return await _form(refusal.actor, refusal.found, values, errors, choices)


@action(pages, NEW, form=FullTaskForm, refused=_refused, page=NEW, shows=_form, starts=_asked)
async def create_task(outcome: Outcome[Board, FullTaskForm]) -> ResponseReturnValue:
    return go(f"/boards/{outcome.found.id}/tasks/{outcome.answer['id']}")


async def _with_details(refusal: Refusal[Board, NewTaskForm]) -> ResponseReturnValue:
    """Where a line cannot say all that the board requires, open the form with everything and what was typed."""
    board, form = refusal.found, refusal.form
    if form is None or not misses_fields(refusal.error):
        raise refusal.error
    if not is_htmx():
        return go(f"/boards/{board.id}/tasks/new?{urlencode({'title': form.title, 'status': form.status})}")
    return partial("#dialogs", await new_dialog(board, await understood_values(board, form.body(board))), "innerHTML")


@action(pages, "/boards/<uuid:board_id>/tasks", form=NewTaskForm, refused=_with_details)
async def quick_add_task(outcome: Outcome[Board, NewTaskForm]) -> ResponseReturnValue:
    made = outcome.answer
    is_filtered = "?" in parts_of(request.headers.get("HX-Current-URL", "")).geturl()
    said = ["The filter may hide it."] if is_filtered else []
    if left := not_understood(made["title"]):
        said.append(f"The board does not know {', '.join(left)}: that stays in the title.")
    toast = " ".join([f"#{made['number']} added to {LABELS[outcome.form.status]}.", *said]) if said else None
    response = done(back_to_board(outcome.found.id), toast=toast)
    if is_htmx():  # the next one of the same form stands below it
        events = json.loads(response.headers.get("HX-Trigger", "{}"))
        response.headers["HX-Trigger"] = json.dumps(events | {"added": {"id": str(made["id"])}})
    return response


def _writes(actor: Actor, board: NamedBoard | None) -> bool:
    return board is not None and actor.writes(board)


NEW_TASK = PaletteEntry(
    "New task on {board}", "/boards/{board_id}#new-task-inbox", "plus", position=10, group="Do", may=_writes
)
RESTORE_TASK = PaletteEntry(
    "Restore a deleted or archived task of {board}", "/boards/{board_id}/trash", "trash-2", position=20, group="Do",
    may=_writes,
)  # fmt: skip
