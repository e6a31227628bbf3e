"""Forms in a task's panel that change one thing where it stands: title, custom fields, tags, comments."""

from typing import Any
from uuid import UUID

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.boards.pages import on_board
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid
from mission_control.tasks.attachments import attachment_read, visible_attachment
from mission_control.tasks.board_pages import view_of
from mission_control.tasks.checklist import ChecklistItemCreate
from mission_control.tasks.comments import visible_comment
from mission_control.tasks.forms import CommentEditForm, FieldsForm, NewTagForm, TagsForm, TitleForm, fields_of
from mission_control.tasks.models import Attachment, ChecklistItem, Comment, Task
from mission_control.tasks.pages import TASK, edit_again, explain, panel_answer, saved
from mission_control.tasks.panel import PAGE, panel_in
from mission_control.tasks.panel_sections import FILES as TEMPLATE
from mission_control.tasks.panel_sections import file_shown, found_tasks, preview_of
from mission_control.tasks.queries import visible_task
from mission_control.tasks.tag_queries import tags_of_tasks
from mission_control.web.actions import Outcome, Refusal, action, again, same_form_again
from mission_control.web.forms import EditConflict, Form, FormInvalid, done, is_htmx
from mission_control.web.fragments import read_ahead, render_macro
from mission_control.web.regions import fragment
from mission_control.web.shell import shell_page

pages = Blueprint("tasks_panel_pages", __name__)
COMMENT = f"{TASK}/comments/<uuid:comment_id>"
LINKS, COMMENTS, GONE = "tasks/prop_links.html", "tasks/comment_forms.html", "tasks/panel_gone.html"


def url_of(task: Task) -> str:
    """Return the address of a task's panel."""
    return f"/boards/{task.board_id}/tasks/{task.id}"


async def _title_again(refusal: Refusal[Task, TitleForm]) -> ResponseReturnValue:
    return await edit_again(refusal, "title")


@action(pages, f"{TASK}/title", form=TitleForm, refused=_title_again)
async def update_task(outcome: Outcome[Task, TitleForm]) -> ResponseReturnValue:
    """Save the title, unless somebody else changed it at the same time."""
    task = outcome.found
    if not is_htmx():
        return done(url_of(task))
    return await panel_answer(view_of(outcome.actor, task.board, panel_id=task.id))


async def _field_refused(refusal: Refusal[Task, FieldsForm]) -> ResponseReturnValue:
    """Answer why, and keep what was typed: after a conflict the form knows the present value and may be sent again."""
    task, error = refusal.found, refusal.error
    fields = {one.key: one for one in await fields_of(task.board_id, task.id)}
    if isinstance(error, EditConflict):
        field = fields.get(next(iter(error.theirs)))
        return same_form_again(error, f"version-field-{field.id if field else ''}-{task.id}")
    sentence = _why(error.detail, fields) if isinstance(error, Invalid) else ""
    if not is_htmx():
        raise Invalid(f"{sentence or refusal.sentence} Nothing was saved.")
    return render_macro(GONE, "reason", sentence=sentence or refusal.sentence)


def _why(detail: object, fields: dict[str, Any]) -> str:
    """Return why values of custom fields were refused, in the words of the page."""
    if not isinstance(detail, dict):
        return ""
    if reason := detail.get("reason"):
        return str(reason)
    missing = [fields[key].label for key in detail.get("missing_field_keys", ()) if key in fields]
    return f"{' and '.join(missing)}: this board requires a value." if missing else ""


@action(pages, f"{TASK}/fields", performs="update_task", form=FieldsForm, refused=_field_refused)
async def fill_in(outcome: Outcome[Task, FieldsForm]) -> ResponseReturnValue:
    """Change custom fields."""
    return await saved(outcome)


@action(pages, f"{TASK}/tags", performs="update_task", form=TagsForm, refused=explain)
async def tag(outcome: Outcome[Task, TagsForm]) -> ResponseReturnValue:
    """Put a tag on the task, or take it off."""
    return await saved(outcome)


async def _task(actor: Actor, board_id: UUID, task_id: UUID) -> Task:
    return await visible_task(actor, board_id, task_id)


async def _no_new_tag(refusal: Refusal[None, NewTagForm]) -> ResponseReturnValue:
    if not is_htmx():
        raise refusal.error
    return render_macro(COMMENTS, "said", sentence=refusal.sentence)


@action(pages, f"{TASK}/tags/new", form=NewTagForm, at=_task, refused=_no_new_tag)
async def create_tag(outcome: Outcome[None, NewTagForm]) -> ResponseReturnValue:
    """Create a tag; the page then puts it on the task."""
    task: Task = outcome.page
    if not is_htmx():
        return done(url_of(task))
    panel = await panel_in(view_of(outcome.actor, task.board, panel_id=task.id))
    tags = (await tags_of_tasks([task.id])).get(str(task.id), [])
    return render_macro(LINKS, "take_new_tag", panel=panel, tags=tags, tag_id=outcome.answer["id"])


@pages.get(f"{TASK}/links")
async def links(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Show the tasks that could be linked: a dialog, the list in it while somebody types, or a page."""
    actor, board = await on_board(board_id)
    task = await visible_task(actor, board_id, task_id)
    text, way = request.args.get("q", "").strip()[:200], request.args.get("way", "")
    way = way if way in ("waits", "needed") else "waits"
    found = await found_tasks(board, task.id, text, needed_by=way == "needed")
    context = {"task": task, "url": url_of(task), "way": way, "text": text, "found": found}
    if not is_htmx():
        return await shell_page(actor, "tasks/links.html", active=f"board-{board.id}", **context)
    is_list = request.headers.get("HX-Target", "").endswith("#links-found")
    return render_macro("tasks/link_forms.html", "found_list" if is_list else "link_dialog", **context)


@pages.get(f"{COMMENT}/edit")
async def comment_form(board_id: UUID, task_id: UUID, comment_id: UUID) -> ResponseReturnValue:
    """Show the form that changes a comment: in its place, or a page."""
    actor, _ = await on_board(board_id)
    comment = await visible_comment(actor, board_id, task_id, comment_id)
    return await _comment_form(actor, comment, CommentEditForm.shown(comment), {})


async def _comment_form(
    actor: Actor, comment: Comment, values: dict[str, object], errors: dict[str, str]
) -> ResponseReturnValue:
    task = comment.task
    context = {"url": url_of(task), "comment_id": comment.id, "values": values, "errors": errors}
    if is_htmx():
        return render_macro(COMMENTS, "edit_form", **context)
    return await shell_page(actor, "tasks/comment.html", active=f"board-{task.board_id}", task=task, **context)


@action(pages, f"{COMMENT}/edits", form=CommentEditForm, refused=again(_comment_form, EditConflict, FormInvalid))
async def edit_task_comment(outcome: Outcome[Comment, CommentEditForm]) -> ResponseReturnValue:
    """Put other words into a comment of one's own."""
    task = outcome.found.task
    if not is_htmx():
        return done(f"{url_of(task)}?comment={outcome.found.id}#comment-{outcome.found.id}")
    return await fragment(PAGE, "timeline", view_of(outcome.actor, task.board, panel_id=task.id), "innerHTML")


@action(pages, f"{COMMENT}/deletion")
async def delete_task_comment(outcome: Outcome[Comment, None]) -> ResponseReturnValue:
    """Delete a comment with its files."""
    return done(f"{url_of(outcome.found.task)}#comments", toast="Comment deleted")


FILE = f"{TASK}/files/<uuid:attachment_id>"


@action(pages, f"{TASK}/files")
async def attach_file(outcome: Outcome[Task, None]) -> ResponseReturnValue:
    """Put a file on the task."""
    return done(url_of(outcome.found))


@pages.get(FILE)
async def show(board_id: UUID, task_id: UUID, attachment_id: UUID) -> ResponseReturnValue:
    """Show a file: a dialog on an open page, else a page."""
    actor, _ = await on_board(board_id)
    attachment = await visible_attachment(actor, board_id, task_id, attachment_id)
    found = await attachment_read(attachment.id)
    panel_url = url_of(attachment.task)
    one = file_shown(found, panel_url, found["author"]["name"] if found["author"] else "", may_remove=False)
    shown = await preview_of(one.name, one.content_type, attachment.id)
    if is_htmx():
        await read_ahead(shown.markdown)
        return render_macro(TEMPLATE, "preview_dialog", one=one, shown=shown)
    active = f"board-{board_id}"
    return await shell_page(actor, "tasks/file.html", active=active, one=one, shown=shown, panel_url=panel_url)


@action(pages, f"{FILE}/removals")
async def remove_attachment(outcome: Outcome[Attachment, None]) -> ResponseReturnValue:
    """Delete a file for good."""
    return done(url_of(outcome.found.task), toast=f"{outcome.found.name} deleted")


STEP = f"{TASK}/checklist/<uuid:item_id>"


class TickForm(Form):
    """Whether a step is done."""

    is_done: bool


@action(pages, f"{TASK}/checklist")
async def add_checklist_item(outcome: Outcome[Task, ChecklistItemCreate]) -> ResponseReturnValue:
    """Add a step at the end."""
    return done(_url(outcome.found))


@action(pages, f"{STEP}/ticks", form=TickForm)
async def change_checklist_item(outcome: Outcome[tuple[Task, ChecklistItem], TickForm]) -> ResponseReturnValue:
    """Tick a step, or untick it."""
    return done(_url(outcome.found[0]))


@action(pages, f"{STEP}/removals")
async def remove_checklist_item(outcome: Outcome[tuple[Task, ChecklistItem], None]) -> ResponseReturnValue:
    """Remove a step."""
    task, item = outcome.found
    undo = {"text": item.text, "is_done": str(item.is_done).lower()}
    return done(_url(task), toast="Step removed", undo_action=f"{_url(task)}/checklist", undo=undo)


def _url(task: Task) -> str:
    return f"/boards/{task.board_id}/tasks/{task.id}"
