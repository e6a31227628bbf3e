"""The pages of tasks: the panel next to the board, and every form in it."""

import re
from functools import partial as filled
from uuid import UUID

from markupsafe import Markup
from quart import Blueprint, current_app, request
from quart.typing import ResponseReturnValue

from mission_control.approvals.views import pending_of
from mission_control.boards.pages import on_board
from mission_control.boards.statuses import LABELS
from mission_control.core.actor import Actor, can
from mission_control.core.errors import Conflict, Invalid, NotFound
from mission_control.core.values import parts_of
from mission_control.events.broker import head_of
from mission_control.http.body_limit import BodyLimit
from mission_control.needs.wording import others_missing
from mission_control.tasks import forms
from mission_control.tasks.attachments import attachment_read, visible_attachment
from mission_control.tasks.board.pages import board_page
from mission_control.tasks.board.view import BoardView, view_of
from mission_control.tasks.comments import visible_comment
from mission_control.tasks.models import Attachment, ChecklistItem, Comment, Task, TaskLink
from mission_control.tasks.moves import may_approve, position_of, wants_approval
from mission_control.tasks.panel import sections as panel_sections
from mission_control.tasks.panel.frame import PAGE, Panel, any_panel_in, neighbours_of, panel_in
from mission_control.tasks.panel.related_tasks import WAYS, found_tasks
from mission_control.tasks.panel.sections import FILES, GONE, TEXT, TITLE, file_shown
from mission_control.tasks.queries import visible_task
from mission_control.tasks.seen import code_seen
from mission_control.tasks.tags.commands import tags_of_tasks
from mission_control.web.actions import Outcome, Refusal, action, again, same_form_again
from mission_control.web.forms import EditConflict, Fields, FormInvalid, done, is_htmx, open_in_panel, version_of
from mission_control.web.fragments import partial, read_ahead, render_macro
from mission_control.web.regions import fragment, rendered
from mission_control.web.shell import shell_page

pages = Blueprint("tasks_pages", __name__)
TASK = "/boards/<uuid:board_id>/tasks/<uuid:task_id>"
COMMENT, FILE = f"{TASK}/comments/<uuid:comment_id>", f"{TASK}/files/<uuid:attachment_id>"
STEP = f"{TASK}/checklist/<uuid:item_id>"
TAGS, COMMENTS = "tasks/prop_tags.html", "tasks/comment_forms.html"


@pages.get(TASK)
async def show(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    actor, board = await on_board(board_id)
    return await panel_answer(view_of(actor, board, panel_id=task_id), edits=request.args.get("edit", ""))


async def panel_answer(view: BoardView, *, edits: str = "", refusal: Fields | None = None) -> str:
    """Return what an open page asked for: a section of the panel, or all of it; else the board's page with it.

    `edits` is the section that is shown as a form: the title, or the whole text.
    """
    seq = await head_of(view.board.organization_id)
    panel = await any_panel_in(view)
    if panel is None:
        raise NotFound()
    edits = edits if panel.may_write else ""
    target = request.headers.get("HX-Target", "") if is_htmx() else ""
    section = target.rpartition("-panel-")[2]
    if section == "timeline":
        return await fragment(PAGE, section, view, "innerHTML")
    edited = {edits: _form(edits, panel, refusal)} if edits in ("title", "text") else {}
    if section in ("title", "text"):
        html = edited.get(section) or _form(section, panel, None, edits=False)
        return html if section == "title" else html + await fragment(PAGE, "title", view)
    regions = await rendered(PAGE, view)
    regions.update({name: Markup(html) for name, html in edited.items()})
    settings = current_app.config["SETTINGS"]
    link = (settings.base_url or request.host_url).rstrip("/") + panel.url
    limit = (panel_sections.size_in_words(settings.max_file_bytes), settings.max_file_bytes)
    html = render_macro(
        "tasks/panel.html", "panel", panel=panel, regions=regions, ways=WAYS, link=link, seq=seq, limit=limit,
        beside=await neighbours_of(panel),
    )  # fmt: skip
    if target == "section#panel":
        return f'<section id="panel">{html}</section>'
    title = f"#{panel.number} {panel.title}"
    return await board_page(view, seq, panel=html, page_title=title, column=panel.status)


def _form(section: str, panel: Panel, refusal: Fields | None, *, edits: bool = True) -> str:
    return render_macro(
        TITLE if section == "title" else TEXT,
        section,
        panel=panel,
        edits=edits,
        refusal=refusal,
    )


async def _explain(refusal: Refusal[Task, object], sentence: str = "") -> ResponseReturnValue:
    if not is_htmx():
        raise refusal.error
    return render_macro(GONE, "reason", sentence=sentence or refusal.sentence) + await _facts(refusal, "innerHTML")


async def _facts(answered: Refusal[Task, object] | Outcome[Task, object], swap: str = "") -> str:
    task = answered.found
    return await fragment(PAGE, "facts", view_of(answered.actor, task.board, panel_id=task.id), swap)


async def _said(refusal: Refusal[object, object]) -> ResponseReturnValue:
    if not is_htmx():
        raise refusal.error
    return render_macro(COMMENTS, "said", sentence=refusal.sentence)


async def _places(actor: Actor, task: Task, values: Fields, errors: dict[str, str]) -> ResponseReturnValue:
    _, seen = (await code_seen([task.id])).get(task.id, (None, "")) if task.status == "review" else (None, "")
    may_copy = can(actor, "task.duplicate", task)
    context = {"task": task, "column": LABELS[task.status], "may_copy": may_copy, "seen": seen}
    return await shell_page(actor, "tasks/move.html", active=f"board-{task.board_id}", **context)


async def _offer_to_approve(refusal: Refusal[Task, forms.MoveForm]) -> ResponseReturnValue:
    """Offer to approve the task and finish it in one act, where only that is missing: a dialog or a page."""
    task, form = refusal.found, refusal.form
    if isinstance(refusal.error, EditConflict):
        raise Conflict("Somebody moved this card meanwhile; it stays where it is.") from refusal.error
    if form is None or not (wants_approval(refusal.error) and may_approve(refusal.actor, task)):
        return await _explain(refusal)
    back = back_to_board(task.board_id)
    context = {"task": task, "fields": form.hidden(), "url": f"{task.url}/moves", "back": back}
    if not is_htmx():
        return await shell_page(refusal.actor, "tasks/finish.html", active=f"board-{task.board_id}", **context)
    dialog = render_macro("tasks/finish_forms.html", "finish_dialog", **context)
    return partial("#dialogs", dialog, "innerHTML") + await _facts(refusal, "innerHTML")


@action(
    pages, f"{TASK}/moves", form=forms.MoveForm, before=position_of, refused=_offer_to_approve,
    page=f"{TASK}/moves", shows=_places,
)  # fmt: skip
async def move_task(outcome: Outcome[Task, forms.MoveForm]) -> ResponseReturnValue:
    """Move a card: drag, menu, keyboard and plain forms come here."""
    task, form, before = outcome.found, outcome.form, outcome.before
    status = form.status or before["status"]
    if status == before["status"] and not (form.place or form.before_task_id or form.after_task_id):
        return done(back_to_board(task.board_id))
    within = "within" if status == before["status"] else "to"
    toast = f"#{task.number} {'approved and ' if form.approve else ''}moved {within} {LABELS[status]}"
    if form.approve and outcome.answer["status"] != status:
        return await _waits_for_others(task)
    moved = {"version": version_of({"status": status})}
    undo = None if form.assignee is not None else before | moved
    return done(back_to_board(task.board_id), toast=toast, undo_action=f"{task.url}/moves" if undo else "", undo=undo)


async def _waits_for_others(task: Task) -> ResponseReturnValue:
    """Say that a task was approved, and stays where it is until others have approved it too."""
    asked = await pending_of(task.id)
    toast = f"#{task.number} approved. {others_missing(asked['approvals_missing'] if asked else 1)}"
    undo = {"needs": f"approval:{asked['id']}"} if asked else None
    return done(back_to_board(task.board_id), toast=toast, undo_action="/needs/undos" if undo else "", undo=undo)


def back_to_board(board_id: UUID) -> str:
    """Return the board's page that the form stood on, with its filter; else the board."""
    came = parts_of(request.headers.get("Referer", ""))
    base = f"/boards/{board_id}"
    if came.netloc != request.host or not re.fullmatch(rf"{base}(/tasks/[0-9a-f-]+)?", came.path):
        return base
    return came.path + (f"?{came.query}" if came.query else "")


async def _edit_again(refusal: Refusal[Task, object], section: str) -> str:
    """Answer the form with what was typed, when it is invalid or the task changed under it."""
    refusal.only(EditConflict, FormInvalid)
    view = view_of(refusal.actor, refusal.found.board, panel_id=refusal.found.id)
    return await panel_answer(view, edits=section, refusal={"values": refusal.values, "errors": refusal.errors})


@action(pages, f"{TASK}/text", form=forms.TextForm, refused=filled(_edit_again, section="text"))
@action(pages, f"{TASK}/title", form=forms.TitleForm, refused=filled(_edit_again, section="title"))
async def update_task(outcome: Outcome[Task, forms.TextForm | forms.TitleForm]) -> ResponseReturnValue:
    """Save title and description, unless somebody else changed them at the same time."""
    task = outcome.found
    if not is_htmx():
        return done(task.url)
    return await panel_answer(view_of(outcome.actor, task.board, panel_id=task.id))


async def _not_changed(refusal: Refusal[Task, forms.ChangeForm]) -> ResponseReturnValue:
    """Answer the reason; a plain browser also reads that nothing was saved."""
    if isinstance(refusal.error, EditConflict):
        return await _explain(
            refusal, "Somebody changed this meanwhile. You see what it is now; choose again to change it."
        )
    if not isinstance(refusal.error, FormInvalid):
        return await _explain(refusal)
    if not is_htmx():
        raise Invalid(f"{refusal.sentence} Nothing was saved.")
    return render_macro(GONE, "reason", sentence=refusal.sentence)  # what was typed stays in its field


async def _field_refused(refusal: Refusal[Task, forms.FieldsForm]) -> ResponseReturnValue:
    """Answer why, and keep what was typed: after a conflict the form knows the present value and may be sent again."""
    task, error = refusal.found, refusal.error
    fields = {one.key: one for one in await forms.fields_of(task.board_id, task.id)}
    if isinstance(error, EditConflict):
        field = fields.get(next(iter(error.theirs)))
        return same_form_again(error, f"version-field-{field.id if field else ''}-{task.id}")
    sentence = refusal.sentence
    if isinstance(error, Invalid) and isinstance(error.detail, dict):
        sentence = str(error.detail.get("reason") or "") or sentence
    if not is_htmx():
        raise Invalid(f"{sentence} Nothing was saved.")
    return render_macro(GONE, "reason", sentence=sentence)


@action(pages, f"{TASK}/changes", performs="update_task", form=forms.ChangeForm, refused=_not_changed)
@action(pages, f"{TASK}/fields", performs="update_task", form=forms.FieldsForm, refused=_field_refused)
@action(pages, f"{TASK}/tags", performs="update_task", form=forms.TagsForm, refused=_explain)
async def change(outcome: Outcome[Task, forms.ChangeForm | forms.FieldsForm | forms.TagsForm]) -> ResponseReturnValue:
    """Change facts, custom fields or tags, and answer an open panel with the facts for the next change."""
    return await _facts(outcome) if is_htmx() else done(outcome.found.url)


async def _task(actor: Actor, board_id: UUID, task_id: UUID) -> Task:
    return await visible_task(actor, board_id, task_id)


@action(pages, f"{TASK}/tags/new", form=forms.NewTagForm, at=_task, refused=_said)
async def create_tag(outcome: Outcome[None, forms.NewTagForm]) -> ResponseReturnValue:
    task: Task = outcome.page
    if not is_htmx():
        return done(task.url)
    panel = await panel_in(view_of(outcome.actor, task.board, panel_id=task.id))
    tags = (await tags_of_tasks([task.id])).get(str(task.id), [])
    return render_macro(TAGS, "take_new_tag", panel=panel, tags=tags, tag_id=outcome.answer.id)


@pages.get(f"{TASK}/links")
async def links(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    actor, board = await on_board(board_id)
    task = await visible_task(actor, board_id, task_id)
    text, way = request.args.get("q", "").strip()[:200], request.args.get("way", "")
    way = way if way in WAYS and WAYS[way].adds else "waits"
    found, title = await found_tasks(board, task.id, text, way), WAYS[way].asks.format(task.number)
    context = {"task": task, "url": task.url, "way": way, "title": title, "text": text, "found": found}
    if not is_htmx():
        return await shell_page(actor, "tasks/links.html", active=f"board-{board.id}", **context)
    is_list = request.headers.get("HX-Target", "").endswith("#links-found")
    return render_macro("tasks/link_forms.html", "found_list" if is_list else "link_dialog", **context)


@action(pages, f"{TASK}/dependencies", performs="add_dependency", refused=_said)
@action(pages, f"{TASK}/links", performs="link_task", refused=_said)
@action(pages, f"{TASK}/checklist", performs="add_checklist_item")
@action(pages, f"{TASK}/files", performs="attach_file")
@action(pages, f"{TASK}/restoration", performs="restore_task")
@action(pages, f"{TASK}/archivals/removals", performs="unarchive_task")
async def to_task(outcome: Outcome[Task, object]) -> ResponseReturnValue:
    return done(outcome.found.url)


@action(pages, f"{TASK}/dependencies/<uuid:depends_on_task_id>/removals")
async def remove_dependency(outcome: Outcome[tuple[Task, UUID], None]) -> ResponseReturnValue:
    task, other_id = outcome.found
    undo = {"task_id": str(other_id)}
    return done(task.url, toast="Dependency removed", undo_action=f"{task.url}/dependencies", undo=undo)


async def _parent_of(actor: Actor, task: Task) -> UUID | None:
    return task.parent_id


@action(pages, f"{TASK}/parent", performs="update_task", form=forms.ParentForm, before=_parent_of, refused=_said)
async def change_parent(outcome: Outcome[Task, forms.ParentForm]) -> ResponseReturnValue:
    """Make a task a part of another one or of none, and say whether it holds that up."""
    task, former = outcome.found, outcome.before
    if outcome.form.blocks_parent is not None or outcome.form.parent_id is not None or former is None:
        return done(task.url)
    undo = {"parent_id": str(former)}
    return done(task.url, toast=f"#{task.number} is a part no longer", undo_action=f"{task.url}/parent", undo=undo)


@action(pages, f"{TASK}/links/<uuid:link_id>/removals")
async def unlink_task(outcome: Outcome[TaskLink, None]) -> ResponseReturnValue:
    link = outcome.found
    undo = {"kind": link.kind, "task_id": str(link.other_id)}
    return done(link.task.url, toast="Link removed", undo_action=f"{link.task.url}/links", undo=undo)


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
    return done(task.url, toast=f"#{task.number} deleted", undo_action=f"{task.url}/restoration")


@action(pages, f"{TASK}/archivals")
async def archive_task(outcome: Outcome[Task, None]) -> ResponseReturnValue:
    task = outcome.found
    return done(task.url, toast=f"#{task.number} archived", undo_action=f"{task.url}/archivals/removals")


@action(pages, f"{TASK}/comments", form=forms.CommentForm)
async def create_task_comment(outcome: Outcome[Task, forms.CommentForm]) -> ResponseReturnValue:
    return done(f"{outcome.found.url}#comments")


@pages.get(f"{COMMENT}/edit")
async def comment_form(board_id: UUID, task_id: UUID, comment_id: UUID) -> ResponseReturnValue:
    actor, _ = await on_board(board_id)
    comment = await visible_comment(actor, board_id, task_id, comment_id)
    return await _comment_form(actor, comment, forms.CommentEditForm.shown(comment), {})


async def _comment_form(
    actor: Actor, comment: Comment, values: dict[str, object], errors: dict[str, str]
) -> ResponseReturnValue:
    task = comment.task
    context = {"url": task.url, "comment_id": comment.id, "values": values, "errors": errors}
    if is_htmx():
        return render_macro(COMMENTS, "edit_form", **context)
    return await shell_page(actor, "tasks/comment.html", active=f"board-{task.board_id}", task=task, **context)


@action(pages, f"{COMMENT}/edits", form=forms.CommentEditForm, refused=again(_comment_form, EditConflict, FormInvalid))
async def edit_task_comment(outcome: Outcome[Comment, forms.CommentEditForm]) -> ResponseReturnValue:
    task = outcome.found.task
    if not is_htmx():
        return done(f"{task.url}?comment={outcome.found.id}#comment-{outcome.found.id}")
    return await fragment(PAGE, "timeline", view_of(outcome.actor, task.board, panel_id=task.id), "innerHTML")


@action(pages, f"{COMMENT}/deletion")
async def delete_task_comment(outcome: Outcome[Comment, None]) -> ResponseReturnValue:
    return done(f"{outcome.found.task.url}#comments", toast="Comment deleted")


@pages.get(FILE)
async def show_file(board_id: UUID, task_id: UUID, attachment_id: UUID) -> ResponseReturnValue:
    actor, _ = await on_board(board_id)
    attachment = await visible_attachment(actor, board_id, task_id, attachment_id)
    found = await attachment_read(attachment.id)
    panel_url = attachment.task.url
    one = file_shown(found, panel_url, found["author"]["name"] if found["author"] else "", may_remove=False)
    shown = await panel_sections.preview_of(found["name"], found["content_type"], attachment.id)
    if is_htmx():
        await read_ahead(shown.markdown)
        return render_macro(FILES, "preview_dialog", one=one, shown=shown)
    active = f"board-{board_id}"
    return await shell_page(actor, "tasks/file.html", active=active, one=one, shown=shown, panel_url=panel_url)


@action(pages, f"{FILE}/removals")
async def remove_attachment(outcome: Outcome[Attachment, None]) -> ResponseReturnValue:
    return done(outcome.found.task.url, toast=f"{outcome.found.name} deleted")


@action(pages, f"{STEP}/ticks", form=forms.TickForm)
async def change_checklist_item(outcome: Outcome[tuple[Task, ChecklistItem], forms.TickForm]) -> ResponseReturnValue:
    return done(outcome.found[0].url)


@action(pages, f"{STEP}/removals")
async def remove_checklist_item(outcome: Outcome[tuple[Task, ChecklistItem], None]) -> ResponseReturnValue:
    task, item = outcome.found
    undo = {"text": item.text, **{name: str(getattr(item, name)).lower() for name in ("is_done", "is_criterion")}}
    return done(task.url, toast="Step removed", undo_action=f"{task.url}/checklist", undo=undo)


UPLOADS = BodyLimit("POST", "/boards/[^/]+/tasks/[^/]+/files", "max_file_bytes")
