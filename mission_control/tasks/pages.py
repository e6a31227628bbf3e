"""The pages of tasks: the panel next to the board, and every form in it."""

import re
from typing import Any
from uuid import UUID

from markupsafe import Markup
from quart import Blueprint, current_app, request
from quart.typing import ResponseReturnValue

from mission_control.boards.pages import on_board
from mission_control.boards.words import LABELS
from mission_control.core.actor import Actor, can, require
from mission_control.core.errors import Conflict, Invalid, NotFound
from mission_control.core.values import parts_of
from mission_control.log.broker import head_of
from mission_control.tasks.board_pages import board_page, view_of
from mission_control.tasks.board_view import BoardView
from mission_control.tasks.forms import ChangeForm, CommentForm, MoveForm, TextForm
from mission_control.tasks.models import Task
from mission_control.tasks.moves import may_approve, position_of, wants_approval
from mission_control.tasks.panel import PAGE, Panel, any_panel_in, neighbours_of, panel_html
from mission_control.tasks.panel_sections import GONE, TEXT, TITLE, size_in_words
from mission_control.tasks.queries import visible_task
from mission_control.tasks.schemas import TaskDependencyCreate
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import EditConflict, FormInvalid, done, is_htmx, open_in_panel, version_of
from mission_control.web.fragments import partial, render_macro
from mission_control.web.regions import fragment, rendered
from mission_control.web.shell import shell_page

pages = Blueprint("tasks_pages", __name__)
TASK = "/boards/<uuid:board_id>/tasks/<uuid:task_id>"
FACT_CONFLICT = "Somebody changed this meanwhile. You see what it is now; choose again to change it."
MOVE_CONFLICT = "Somebody moved this card meanwhile; it stays where it is."
UNSAVED = "Nothing was saved."
FINISH_PAGE, FINISH_FORMS = "tasks/finish.html", "tasks/finish_forms.html"
SAID = "tasks/comment_forms.html"


async def on_task(board_id: UUID, task_id: UUID) -> tuple[Actor, Task]:
    """Return the person who asks and a live task that exists for them."""
    actor, _ = await on_board(board_id)
    return actor, await visible_task(actor, board_id, task_id)


@pages.get(TASK)
async def show(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Show a task: the panel alone for the open board, else the board's page with the panel."""
    actor, board = await on_board(board_id)
    return await panel_answer(view_of(actor, board, panel_id=task_id), edits=request.args.get("edit", ""))


async def _panel(view: BoardView) -> Panel:
    panel = await any_panel_in(view)
    if panel is None:
        raise NotFound()
    return panel


async def panel_answer(view: BoardView, *, edits: str = "", refusal: dict[str, object] | None = None) -> str:
    """Return what an open page asked for: a section of the panel, or all of it; else the board's page with it.

    `edits` is the section that is shown as a form: the title, or the whole text.
    """
    seq = await head_of(view.board.organization_id)
    panel = await _panel(view)
    edits = edits if panel.may_write else ""
    target = request.headers.get("HX-Target", "") if is_htmx() else ""
    section = target.rpartition("-panel-")[2]
    if section == "timeline":
        return await fragment(PAGE, section, view, "innerHTML")
    forms = {edits: _form(edits, panel, refusal)} if edits in ("title", "text") else {}
    if section in ("title", "text"):
        html = forms.get(section) or _form(section, panel, None, edits=False)
        return html if section == "title" else html + await fragment(PAGE, "title", view)
    regions = await rendered(PAGE, view)
    regions.update({name: Markup(html) for name, html in forms.items()})
    settings = current_app.config["SETTINGS"]
    link = (settings.base_url or request.host_url).rstrip("/") + panel.url
    limit = (size_in_words(settings.max_file_bytes), settings.max_file_bytes)
    html = panel_html(panel, regions, link=link, seq=seq, limit=limit, beside=await neighbours_of(panel))
    if target == "section#panel":
        return f'<section id="panel">{html}</section>'
    title = f"#{panel.number} {panel.title}"
    return await board_page(view, seq, panel=html, page_title=title, column=panel.status)


def _form(section: str, panel: Panel, refusal: dict[str, object] | None, *, edits: bool = True) -> str:
    return render_macro(TITLE if section == "title" else TEXT, section, panel=panel, edits=edits, refusal=refusal)


async def explain(refusal: Refusal[Task, object], sentence: str = "") -> ResponseReturnValue:
    """Answer the reason in a sentence and, in an open panel, the facts as they are."""
    if not is_htmx():
        raise refusal.error
    return render_macro(GONE, "reason", sentence=sentence or refusal.sentence) + await _facts(refusal)


async def _facts(refusal: Refusal[Task, Any]) -> str:
    task = refusal.found
    return await fragment(PAGE, "facts", view_of(refusal.actor, task.board, panel_id=task.id), "innerHTML")


async def saved(outcome: Outcome[Task, Any]) -> ResponseReturnValue:
    """Answer an open panel with the facts as they are now, for the next change of the same form."""
    task = outcome.found
    if not is_htmx():
        return done(_url(task))
    return await fragment(PAGE, "facts", view_of(outcome.actor, task.board, panel_id=task.id))


async def _offer_to_approve(refusal: Refusal[Task, MoveForm]) -> ResponseReturnValue:
    """Offer to approve the task and finish it in one act, where only that is missing: a dialog or a page."""
    task, form = refusal.found, refusal.form
    if isinstance(refusal.error, EditConflict):
        raise Conflict(MOVE_CONFLICT) from refusal.error
    if form is None or not (wants_approval(refusal.error) and may_approve(refusal.actor, task)):
        return await explain(refusal)
    context = {
        "task": task,
        "fields": form.hidden(),
        "url": f"{_url(task)}/moves",
        "back": back_to_board(task.board_id),
    }
    if not is_htmx():
        return await shell_page(refusal.actor, FINISH_PAGE, active=f"board-{task.board_id}", **context)
    dialog = render_macro(FINISH_FORMS, "finish_dialog", **context)
    return partial("#dialogs", dialog, "innerHTML") + await _facts(refusal)


@action(pages, f"{TASK}/moves", form=MoveForm, before=position_of, refused=_offer_to_approve)
async def move_task(outcome: Outcome[Task, MoveForm]) -> ResponseReturnValue:
    """Move a card: drag, menu, keyboard and plain forms come here."""
    task, form, before = outcome.found, outcome.form, outcome.before
    status = form.status or before.status
    if status == before.status and not (form.place or form.before_task_id or form.after_task_id):
        return done(back_to_board(task.board_id))
    within = "within" if status == before.status else "to"
    toast = f"#{task.number} {'approved and ' if form.approve else ''}moved {within} {LABELS[status]}"
    moved = {"version": version_of({"status": status})}
    undo = None if form.assignee is not None else before.fields() | moved
    return done(back_to_board(task.board_id), toast=toast, undo_action=f"{_url(task)}/moves" if undo else "", undo=undo)


async def edit_again(refusal: Refusal[Task, object], section: str) -> str:
    """Answer the form with what was typed, when it is invalid or the task changed under it."""
    refusal.only(EditConflict, FormInvalid)
    view = view_of(refusal.actor, refusal.found.board, panel_id=refusal.found.id)
    return await panel_answer(view, edits=section, refusal={"values": refusal.values, "errors": refusal.errors})


async def _text_again(refusal: Refusal[Task, TextForm]) -> ResponseReturnValue:
    return await edit_again(refusal, "text")


@action(pages, f"{TASK}/text", form=TextForm, refused=_text_again)
async def update_task(outcome: Outcome[Task, TextForm]) -> ResponseReturnValue:
    """Save title and description, unless somebody else changed them at the same time."""
    task = outcome.found
    if not is_htmx():
        return done(_url(task))
    return await panel_answer(view_of(outcome.actor, task.board, panel_id=task.id))


async def _not_changed(refusal: Refusal[Task, ChangeForm]) -> ResponseReturnValue:
    """Answer the reason; a plain browser also reads that nothing was saved."""
    if not is_htmx() and isinstance(refusal.error, FormInvalid):
        raise Invalid(f"{refusal.sentence} {UNSAVED}")
    if isinstance(refusal.error, FormInvalid):  # what was typed stays in its field
        return render_macro(GONE, "reason", sentence=refusal.sentence)
    conflict = isinstance(refusal.error, EditConflict)
    return await explain(refusal, FACT_CONFLICT if conflict else "")


@action(pages, f"{TASK}/changes", performs="update_task", form=ChangeForm, refused=_not_changed)
async def change(outcome: Outcome[Task, ChangeForm]) -> ResponseReturnValue:
    """Change priority, due date or assignee."""
    return await saved(outcome)


@action(pages, f"{TASK}/comments", form=CommentForm)
async def create_task_comment(outcome: Outcome[Task, CommentForm]) -> ResponseReturnValue:
    """Comment on a task."""
    return done(f"{_url(outcome.found)}#comments")


async def _not_linked(refusal: Refusal[Task, TaskDependencyCreate]) -> ResponseReturnValue:
    """Answer why, beside the list in which the task was chosen."""
    if not is_htmx():
        raise refusal.error
    return render_macro(SAID, "said", sentence=refusal.sentence)


@action(pages, f"{TASK}/dependencies", refused=_not_linked)
async def add_dependency(outcome: Outcome[Task, TaskDependencyCreate]) -> ResponseReturnValue:
    """Make the task wait for another one."""
    return done(_url(outcome.found))


@action(pages, f"{TASK}/dependencies/<uuid:depends_on_task_id>/removals")
async def remove_dependency(outcome: Outcome[tuple[Task, UUID], None]) -> ResponseReturnValue:
    """Let the task no longer wait for another one."""
    task, other_id = outcome.found
    url, undo = _url(task), {"task_id": str(other_id)}
    return done(url, toast="Dependency removed", undo_action=f"{url}/dependencies", undo=undo)


@action(pages, f"{TASK}/duplicates")
async def duplicate_task(outcome: Outcome[Task, None]) -> ResponseReturnValue:
    """Copy a task and open the copy with its title to be changed; undo deletes the copy."""
    task, copy = outcome.found, outcome.answer
    url = f"/boards/{task.board_id}/tasks/{copy['id']}"
    toast = f"#{task.number} copied as #{copy['number']}"
    return open_in_panel(
        done(f"{url}?edit=title", toast=toast, undo_action=f"{url}/deletion"), f"{url}?edit=title", push=url
    )


@action(pages, f"{TASK}/deletion")
async def delete_task(outcome: Outcome[Task, None]) -> ResponseReturnValue:
    """Delete a task; it can be restored."""
    task = outcome.found
    return done(_url(task), toast=f"#{task.number} deleted", undo_action=f"{_url(task)}/restoration")


@action(pages, f"{TASK}/restoration")
async def restore_task(outcome: Outcome[Task, None]) -> ResponseReturnValue:
    """Restore a deleted task."""
    return done(_url(outcome.found))


def _url(task: Task) -> str:
    return f"/boards/{task.board_id}/tasks/{task.id}"


def back_to_board(board_id: UUID) -> str:
    """Return the board's page that the form stood on, with its filter; else the board."""
    came = parts_of(request.headers.get("Referer", ""))
    base = f"/boards/{board_id}"
    if came.netloc != request.host or not re.fullmatch(rf"{base}(/tasks/[0-9a-f-]+)?", came.path):
        return base
    return came.path + (f"?{came.query}" if came.query else "")


@pages.get(f"{TASK}/moves")
async def moves(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Show where a task can be moved."""
    actor, task = await on_task(board_id, task_id)
    require(actor, "task.move", task)
    context = {"task": task, "column": LABELS[task.status], "may_copy": can(actor, "task.duplicate", task)}
    return await shell_page(actor, "tasks/move.html", active=f"board-{board_id}", **context)
