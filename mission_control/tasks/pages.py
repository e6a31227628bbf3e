"""The pages of tasks: the panel beside the board, and every form in it."""

import re
from typing import Any
from uuid import UUID

from quart import Blueprint, current_app, request
from quart.typing import ResponseReturnValue

from mission_control.boards import live
from mission_control.boards.live import WORDS, Rights
from mission_control.boards.models import Board
from mission_control.boards.pages import board_page, on_board
from mission_control.core.actor import Actor
from mission_control.core.addresses import parts_of
from mission_control.core.errors import Conflict, DomainError, NotFound
from mission_control.core.policy import require
from mission_control.tasks.commands import change_task, create_task
from mission_control.tasks.comments import add_comment
from mission_control.tasks.dependencies import dependency_ids
from mission_control.tasks.forms import ChangeForm, CommentForm, DependencyForm, MoveForm, NewTaskForm, TextForm
from mission_control.tasks.leaving import delete_task, restore_task
from mission_control.tasks.models import Task
from mission_control.tasks.moves import may_approve, move_card, position_of, wants_approval
from mission_control.tasks.panel import REGIONS, Panel, is_stale, other_tasks, panel_html, panel_of, panel_partials
from mission_control.tasks.queries import any_task, visible_task
from mission_control.tasks.schemas import TaskCreate
from mission_control.web.forms import FormInvalid, done, is_htmx, read_form
from mission_control.web.fragments import partial, render_macro
from mission_control.web.shell import shell_page

pages = Blueprint("tasks_pages", __name__)
live.extras.panels = panel_partials
TASK = "/boards/<uuid:board_id>/tasks/<uuid:task_id>"
CHANGED_MEANWHILE = "Somebody changed this task while you were writing. Yours is kept below; save again to use it."
UNSAVED = "Nothing was saved."
FINISH_PAGE, FINISH_FORMS = "tasks/finish.html", "tasks/finish_forms.html"


async def on_task(board_id: UUID, task_id: UUID) -> tuple[Actor, Task]:
    """The person who asks and a live task that exists for them."""
    actor, _ = await on_board(board_id)
    return actor, await visible_task(actor, board_id, task_id)


@pages.post("/boards/<uuid:board_id>/tasks")
async def create(board_id: UUID) -> ResponseReturnValue:
    """Quick add."""
    actor, board = await on_board(board_id)
    form = await read_form(NewTaskForm)
    task = await create_task(actor, board, TaskCreate.model_validate(form.model_dump()))
    hidden = "?" in parts_of(request.headers.get("HX-Current-URL", "")).geturl()
    toast = f"#{task.number} added to {WORDS[task.status]}. The filter may hide it." if hidden else None
    return done(_back(board_id), toast=toast)


@pages.get(TASK)
async def show(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """A task: the panel alone for the open board, else the board's page with the panel."""
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


@pages.post(f"{TASK}/moves")
async def move(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Move a card: drag, menu, keyboard and plain forms come here."""
    actor, task = await on_task(board_id, task_id)
    before = await position_of(task)
    form = await read_form(MoveForm)
    try:
        moved = await move_card(actor, task, form)
    except DomainError as error:
        if wants_approval(error) and may_approve(actor, task):
            return await _offer_to_approve(actor, task, form)
        return await _refused(actor, task, error)
    if moved.status == before.status:
        return done(_back(board_id))
    toast = f"#{task.number} {'approved and ' if form.approve else ''}moved to {WORDS[moved.status]}"
    undo = None if form.assignee is not None else before.fields()
    return done(_back(board_id), toast=toast, undo_action=_url(task) + "/moves" if undo else "", undo=undo)


async def _offer_to_approve(actor: Actor, task: Task, form: MoveForm) -> ResponseReturnValue:
    """Offer to approve the task and finish it in one act: a dialog, or a page without JavaScript."""
    context = {"task": task, "fields": form.hidden(), "url": f"{_url(task)}/moves", "back": _back(task.board_id)}
    if not is_htmx():
        return await shell_page(actor, FINISH_PAGE, active=f"board-{task.board_id}", **context), 409
    panel = await _panel(actor, task.board, task.id)
    facts = partial(f"#task-{task.id}-panel-facts", render_macro(REGIONS, "facts", panel=panel), "innerHTML")
    return partial("#dialogs", render_macro(FINISH_FORMS, "finish_dialog", **context), "innerHTML") + facts, 409


@pages.post(f"{TASK}/text")
async def write(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Save title and description, unless somebody else changed them meanwhile."""
    actor, task = await on_task(board_id, task_id)
    try:
        form = await read_form(TextForm)
        if is_stale(task, form.version):
            require(actor, "task.change", task)
            raise FormInvalid(form.model_dump(), {"": CHANGED_MEANWHILE})
    except FormInvalid as invalid:
        panel = await _panel(actor, task.board, task_id)
        refusal = {"values": invalid.values, "errors": invalid.errors}
        status = 409 if "" in invalid.errors else 422
        return await _answer(actor, task.board, panel, edits=True, refusal=refusal), status
    await change_task(actor, task, {"title": form.title, "description": form.description})
    if not is_htmx():
        return done(_url(task))
    return await _answer(actor, task.board, await _panel(actor, task.board, task_id))


@pages.post(f"{TASK}/changes")
async def change(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Change priority, due date or assignee."""
    actor, task = await on_task(board_id, task_id)
    try:
        sent = (await read_form(ChangeForm)).sent()
        if "assigned_agent_id" in sent or "assigned_user_id" in sent:
            sent = _changed_values(task, sent)
        await change_task(actor, task, sent)
    except (DomainError, FormInvalid) as error:
        return await _refused(actor, task, error)
    return done(_url(task))


def _changed_values(task: Task, sent: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sent.items() if getattr(task, name) != value or value is not None}


async def _refused(actor: Actor, task: Task, error: DomainError | FormInvalid) -> ResponseReturnValue:
    """The reason in a sentence and, in an open panel, the facts as they are."""
    if not is_htmx():
        if isinstance(error, FormInvalid):
            raise Conflict(" ".join([*error.errors.values(), UNSAVED]))
        raise error
    sentence = error.sentence if isinstance(error, DomainError) else " ".join(error.errors.values())
    status = error.status if isinstance(error, DomainError) else 422
    panel = await _panel(actor, task.board, task.id)
    facts = partial(f"#task-{task.id}-panel-facts", render_macro(REGIONS, "facts", panel=panel), "innerHTML")
    return render_macro(REGIONS, "reason", sentence=sentence) + facts, status


@pages.post(f"{TASK}/comments")
async def comment(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Say something."""
    actor, task = await on_task(board_id, task_id)
    form = await read_form(CommentForm)
    await add_comment(actor, task, form.message)
    return done(f"{_url(task)}#comments")


@pages.post(f"{TASK}/dependencies")
async def wait_for(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Make the task wait for another."""
    actor, task = await on_task(board_id, task_id)
    wanted = (await read_form(DependencyForm)).task_id
    known = await dependency_ids(task.id)
    await change_task(actor, task, {"depends_on_task_ids": list(dict.fromkeys([*known, wanted]))})
    return done(_url(task))


@pages.post(f"{TASK}/dependencies/removals")
async def no_longer_wait(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Let the task no longer wait for another."""
    actor, task = await on_task(board_id, task_id)
    gone = (await read_form(DependencyForm)).task_id
    known = await dependency_ids(task.id)
    await change_task(actor, task, {"depends_on_task_ids": [one for one in known if one != gone]})
    undo = {"task_id": str(gone)}
    return done(_url(task), toast="Dependency removed", undo_action=_url(task) + "/dependencies", undo=undo)


@pages.post(f"{TASK}/deletion")
async def delete(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Take a task off the board; it can be put back."""
    actor, task = await on_task(board_id, task_id)
    await delete_task(actor, task)
    return done(_url(task), toast=f"#{task.number} deleted", undo_action=f"{_url(task)}/restoration")


@pages.post(f"{TASK}/restoration")
async def restore(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Put a deleted task back."""
    actor, _ = await on_board(board_id)
    task = await any_task(actor, board_id, task_id)
    await restore_task(actor, task)
    return done(_url(task))


def _url(task: Task) -> str:
    return f"/boards/{task.board_id}/tasks/{task.id}"


def _back(board_id: UUID) -> str:
    """The board's page that the form stood on, with its filter; else the board."""
    came = parts_of(request.headers.get("Referer", ""))
    base = f"/boards/{board_id}"
    if came.netloc != request.host or not re.fullmatch(rf"{base}(/tasks/[0-9a-f-]+)?", came.path):
        return base
    return came.path + (f"?{came.query}" if came.query else "")
