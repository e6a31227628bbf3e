"""The pages of tasks: the panel beside the board, and every form in it."""

import re
from typing import Any
from uuid import UUID

from quart import Blueprint, current_app, request
from quart.typing import ResponseReturnValue

from mission_control.boards import live
from mission_control.boards.live import Rights
from mission_control.boards.models import Board
from mission_control.boards.pages import board_page, on_board
from mission_control.boards.statuses import LABELS
from mission_control.core.actor import Actor
from mission_control.core.addresses import parts_of
from mission_control.core.errors import Conflict, NotFound
from mission_control.tasks.forms import ChangeForm, CommentForm, DependencyForm, MoveForm, NewTaskForm, TextForm
from mission_control.tasks.models import Task
from mission_control.tasks.moves import may_approve, position_of, wants_approval
from mission_control.tasks.panel import REGIONS, Panel, other_tasks, panel_html, panel_of, panel_partials
from mission_control.tasks.queries import visible_task
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import FormInvalid, done, is_htmx
from mission_control.web.fragments import partial, render_macro
from mission_control.web.shell import shell_page
from mission_control.web.versions import ChangedMeanwhile

pages = Blueprint("tasks_pages", __name__)
live.extras.panels = panel_partials
TASK = "/boards/<uuid:board_id>/tasks/<uuid:task_id>"
CHANGED_MEANWHILE = "Somebody changed this task while you were writing. Your text is kept below; save again to use it."
UNSAVED = "Nothing was saved."
FINISH_PAGE, FINISH_FORMS = "tasks/finish.html", "tasks/finish_forms.html"


async def on_task(board_id: UUID, task_id: UUID) -> tuple[Actor, Task]:
    """Return the person who asks and a live task that exists for them."""
    actor, _ = await on_board(board_id)
    return actor, await visible_task(actor, board_id, task_id)


@action(pages, "POST", "/boards/<uuid:board_id>/tasks", performs="create_task", form=NewTaskForm)
async def create(outcome: Outcome[Board, NewTaskForm]) -> ResponseReturnValue:
    """Add a task by its title."""
    is_filtered = "?" in parts_of(request.headers.get("HX-Current-URL", "")).geturl()
    added = f"#{outcome.answer['number']} added to {LABELS[outcome.form.status]}. The filter may hide it."
    return done(_back(outcome.found.id), toast=added if is_filtered else None)


@pages.get(TASK)
async def show(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Show a task: the panel alone for the open board, else the board's page with the panel."""
    actor, board = await on_board(board_id)
    panel = await _panel(actor, board, task_id)
    return await _answer(actor, board, panel, edits=request.args.get("edit") == "text" and panel.may_write)


async def _panel(actor: Actor, board: Board, task_id: UUID) -> Panel:
    everything = request.args.get("comments") == "all"
    panel = await panel_of(board, task_id, Rights.of(actor, board), all_comments=everything)
    if panel is None:
        raise NotFound()
    return panel


async def _answer(
    actor: Actor, board: Board, panel: Panel, *, edits: bool = False, refusal: dict[str, Any] | None = None
) -> str:
    others = await other_tasks(board, panel) if panel.may_write else []
    link = (current_app.config["SETTINGS"].base_url or request.host_url).rstrip("/") + panel.url
    html = panel_html(panel, others, edits=edits, refusal=refusal, link=link)
    target = request.headers.get("HX-Target", "")
    if is_htmx() and target.endswith("-panel-text"):
        title = partial(f"#task-{panel.id}-panel-title", render_macro(REGIONS, "title", panel=panel))
        return render_macro(REGIONS, "text", panel=panel, edits=edits, refusal=refusal) + title
    if is_htmx() and target == "section#panel":
        return f'<section id="panel">{html}</section>'
    return await board_page(actor, board, panel=html, page_title=f"#{panel.number} {panel.title}")


async def _explain(refusal: Refusal[Task, Any]) -> ResponseReturnValue:
    """Answer the reason in a sentence and, in an open panel, the facts as they are."""
    if not is_htmx():
        raise refusal.error
    return render_macro(REGIONS, "reason", sentence=refusal.sentence) + await _facts(refusal)


async def _facts(refusal: Refusal[Task, Any]) -> str:
    panel = await _panel(refusal.actor, refusal.found.board, refusal.found.id)
    return partial(f"#task-{panel.id}-panel-facts", render_macro(REGIONS, "facts", panel=panel), "innerHTML")


async def _offer_to_approve(refusal: Refusal[Task, MoveForm]) -> ResponseReturnValue:
    """Offer to approve the task and finish it in one act, where only that is missing: a dialog or a page."""
    task, form = refusal.found, refusal.form
    if form is None or not (wants_approval(refusal.error) and may_approve(refusal.actor, task)):
        return await _explain(refusal)
    context = {"task": task, "fields": form.hidden(), "url": f"{_url(task)}/moves", "back": _back(task.board_id)}
    if not is_htmx():
        return await shell_page(refusal.actor, FINISH_PAGE, active=f"board-{task.board_id}", **context)
    dialog = render_macro(FINISH_FORMS, "finish_dialog", **context)
    return partial("#dialogs", dialog, "innerHTML") + await _facts(refusal)


@action(
    pages, "POST", f"{TASK}/moves",
    performs="move_task", form=MoveForm, before=position_of, refused=_offer_to_approve,
)  # fmt: skip
async def move(outcome: Outcome[Task, MoveForm]) -> ResponseReturnValue:
    """Move a card: drag, menu, keyboard and plain forms come here."""
    task, form, before = outcome.found, outcome.form, outcome.before
    if form.status == before.status:
        return done(_back(task.board_id))
    toast = f"#{task.number} {'approved and ' if form.approve else ''}moved to {LABELS[form.status]}"
    undo = None if form.assignee is not None else before.fields()
    return done(_back(task.board_id), toast=toast, undo_action=f"{_url(task)}/moves" if undo else "", undo=undo)


async def _edit_again(refusal: Refusal[Task, TextForm]) -> ResponseReturnValue:
    """Answer the form with what was typed, when it is invalid or the task changed meanwhile."""
    changed = isinstance(refusal.error, ChangedMeanwhile)
    if not (changed or isinstance(refusal.error, FormInvalid)):
        raise refusal.error
    task = refusal.found
    panel = await _panel(refusal.actor, task.board, task.id)
    errors = {"": CHANGED_MEANWHILE} if changed else refusal.errors
    return await _answer(
        refusal.actor, task.board, panel, edits=True, refusal={"values": refusal.values, "errors": errors}
    )


@action(pages, "POST", f"{TASK}/text", performs="update_task", form=TextForm, refused=_edit_again)
async def write(outcome: Outcome[Task, TextForm]) -> ResponseReturnValue:
    """Save title and description, unless somebody else changed them meanwhile."""
    task = outcome.found
    if not is_htmx():
        return done(_url(task))
    return await _answer(outcome.actor, task.board, await _panel(outcome.actor, task.board, task.id))


async def _not_changed(refusal: Refusal[Task, ChangeForm]) -> ResponseReturnValue:
    """Answer the reason; a plain browser is told besides that nothing was saved."""
    if not is_htmx() and isinstance(refusal.error, FormInvalid):
        raise Conflict(f"{refusal.sentence} {UNSAVED}")
    return await _explain(refusal)


@action(pages, "POST", f"{TASK}/changes", performs="update_task", form=ChangeForm, refused=_not_changed)
async def change(outcome: Outcome[Task, ChangeForm]) -> ResponseReturnValue:
    """Change priority, due date or assignee."""
    return done(_url(outcome.found))


@action(pages, "POST", f"{TASK}/comments", performs="create_task_comment", form=CommentForm)
async def comment(outcome: Outcome[Task, CommentForm]) -> ResponseReturnValue:
    """Comment on a task."""
    return done(f"{_url(outcome.found)}#comments")


@action(pages, "POST", f"{TASK}/dependencies", performs="add_dependency", form=DependencyForm)
async def wait_for(outcome: Outcome[Task, DependencyForm]) -> ResponseReturnValue:
    """Make the task wait for another one."""
    return done(_url(outcome.found))


@action(pages, "POST", f"{TASK}/dependencies/<uuid:depends_on_task_id>/removals", performs="remove_dependency")
async def stop_waiting(outcome: Outcome[tuple[Task, UUID], None]) -> ResponseReturnValue:
    """Let the task no longer wait for another one."""
    task, other_id = outcome.found
    url, undo = _url(task), {"task_id": str(other_id)}
    return done(url, toast="Dependency removed", undo_action=f"{url}/dependencies", undo=undo)


@action(pages, "POST", f"{TASK}/deletion", performs="delete_task")
async def delete(outcome: Outcome[Task, None]) -> ResponseReturnValue:
    """Delete a task; it can be restored."""
    task = outcome.found
    return done(_url(task), toast=f"#{task.number} deleted", undo_action=f"{_url(task)}/restoration")


@action(pages, "POST", f"{TASK}/restoration", performs="restore_task")
async def restore(outcome: Outcome[Task, None]) -> ResponseReturnValue:
    """Restore a deleted task."""
    return done(_url(outcome.found))


def _url(task: Task) -> str:
    return f"/boards/{task.board_id}/tasks/{task.id}"


def _back(board_id: UUID) -> str:
    """Return the board's page that the form stood on, with its filter; else the board."""
    came = parts_of(request.headers.get("Referer", ""))
    base = f"/boards/{board_id}"
    if came.netloc != request.host or not re.fullmatch(rf"{base}(/tasks/[0-9a-f-]+)?", came.path):
        return base
    return came.path + (f"?{came.query}" if came.query else "")
