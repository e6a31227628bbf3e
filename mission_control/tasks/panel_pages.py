"""Forms in a task's panel that change one thing where it stands: title, custom fields, tags, comments."""

from typing import Any
from uuid import UUID

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.boards.pages import on_board, view_of
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid
from mission_control.custom_fields.queries import values_of_tasks
from mission_control.tags.queries import tags_of_tasks
from mission_control.tasks.comment_edits import visible_comment
from mission_control.tasks.forms import CommentEditForm, FieldsForm, NewTagForm, TagsForm, TitleForm
from mission_control.tasks.models import Comment, Task
from mission_control.tasks.pages import EDIT_CONFLICT, FACT_CONFLICT, TASK, explain, panel_answer, saved
from mission_control.tasks.panel_fields import fields_of, shown
from mission_control.tasks.panel_props import found_tasks, tags_version
from mission_control.tasks.panel_view import PAGE, panel_in
from mission_control.tasks.queries import visible_task
from mission_control.web.actions import action
from mission_control.web.forms import FormInvalid, done, is_htmx
from mission_control.web.fragments import partial, render_macro
from mission_control.web.outcomes import Outcome, Refusal
from mission_control.web.regions import fragment
from mission_control.web.shell import shell_page
from mission_control.web.versions import EditConflict, version_of_values

pages = Blueprint("tasks_panel_pages", __name__)
COMMENT = f"{TASK}/comments/<uuid:comment_id>"
FIELDS = "tasks/prop_fields.html"
LINKS, COMMENTS, GONE = "tasks/prop_links.html", "tasks/comment_forms.html", "tasks/panel_gone.html"


def url_of(task: Task) -> str:
    """Return the address of a task's panel."""
    return f"/boards/{task.board_id}/tasks/{task.id}"


async def _title_again(refusal: Refusal[Task, TitleForm]) -> ResponseReturnValue:
    conflict = isinstance(refusal.error, EditConflict)
    if not (conflict or isinstance(refusal.error, FormInvalid)):
        raise refusal.error
    errors = {"title": EDIT_CONFLICT} if conflict else refusal.errors
    view = view_of(refusal.actor, refusal.found.board, panel_id=refusal.found.id)
    return await panel_answer(view, edits="title", refusal={"values": refusal.values, "errors": errors})


@action(pages, "POST", f"{TASK}/title", performs="update_task", form=TitleForm, refused=_title_again)
async def rename(outcome: Outcome[Task, TitleForm]) -> ResponseReturnValue:
    """Save the title, unless somebody else changed it at the same time."""
    task = outcome.found
    if not is_htmx():
        return done(url_of(task))
    return await panel_answer(view_of(outcome.actor, task.board, panel_id=task.id))


async def _field_refused(refusal: Refusal[Task, FieldsForm]) -> ResponseReturnValue:
    """Answer why, and keep what was typed: after a conflict the form knows the present value and may be sent again."""
    task, error, form = refusal.found, refusal.error, refusal.form
    fields = {one.key: one for one in await fields_of(task.board_id, task.id)}
    if isinstance(error, EditConflict) and form is not None and error.fields[0] in fields:
        key = error.fields[0]
        present = (await values_of_tasks(task.board_id, [task.id])).of(task.id).get(key)
        words = shown(form.kind[form.key.index(key)], present) or "empty"
        sentence = f"Somebody changed this while you were writing. It is now: {words[:200]}. Save again to use yours."
        name = f"version-field-{fields[key].id}-{task.id}"
        html = render_macro(FIELDS, "version", id=name, version=version_of_values({key: present}))
        if not is_htmx():
            raise error
        return render_macro(GONE, "reason", sentence=sentence) + partial(f"#{name}", html, "outerHTML")
    sentence = _why(error.detail, fields) if isinstance(error, Invalid) else ""
    if not is_htmx():
        raise Invalid(f"{sentence or refusal.sentence} Nothing was saved.")
    return render_macro(GONE, "reason", sentence=sentence or refusal.sentence)


def _why(detail: Any, fields: dict[str, Any]) -> str:
    """Return why values of custom fields were refused, in the words of the page."""
    if not isinstance(detail, dict):
        return ""
    if reason := detail.get("reason"):
        return str(reason)
    missing = [fields[key].label for key in detail.get("missing_field_keys", ()) if key in fields]
    return f"{' and '.join(missing)}: this board requires a value." if missing else ""


@action(pages, "POST", f"{TASK}/fields", performs="update_task", form=FieldsForm, refused=_field_refused)
async def fill_in(outcome: Outcome[Task, FieldsForm]) -> ResponseReturnValue:
    """Change custom fields."""
    return await saved(outcome)


async def _not_tagged(refusal: Refusal[Task, TagsForm]) -> ResponseReturnValue:
    return await explain(refusal, FACT_CONFLICT if isinstance(refusal.error, EditConflict) else "")


@action(pages, "POST", f"{TASK}/tags", performs="update_task", form=TagsForm, refused=_not_tagged)
async def tag(outcome: Outcome[Task, TagsForm]) -> ResponseReturnValue:
    """Put a tag on the task, or take it off."""
    return await saved(outcome)


async def _task(actor: Actor, board_id: UUID, task_id: UUID) -> Task:
    return await visible_task(actor, board_id, task_id)


async def _no_new_tag(refusal: Refusal[None, NewTagForm]) -> ResponseReturnValue:
    if not is_htmx():
        raise refusal.error
    return render_macro(COMMENTS, "said", sentence=refusal.sentence)


@action(pages, "POST", f"{TASK}/tags/new", performs="create_tag", form=NewTagForm, at=_task, refused=_no_new_tag)
async def new_tag(outcome: Outcome[None, NewTagForm]) -> ResponseReturnValue:
    """Create a tag; the page then puts it on the task."""
    task: Task = outcome.page
    if not is_htmx():
        return done(url_of(task))
    panel = await panel_in(view_of(outcome.actor, task.board, panel_id=task.id))
    tags = (await tags_of_tasks([task.id])).get(str(task.id), [])
    version = tags_version(tags)
    return render_macro(LINKS, "take_new_tag", panel=panel, tags=tags, version=version, tag_id=outcome.answer["id"])


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
    return await _comment_form(actor, comment, {"message": comment.message}, {})


async def _comment_form(
    actor: Actor, comment: Comment, values: dict[str, Any], errors: dict[str, str]
) -> ResponseReturnValue:
    task, version = comment.task, CommentEditForm.version_of(comment)
    context = {"url": url_of(task), "comment_id": comment.id, "values": values, "errors": errors, "version": version}
    if is_htmx():
        return render_macro(COMMENTS, "edit_form", **context)
    return await shell_page(actor, "tasks/comment.html", active=f"board-{task.board_id}", task=task, **context)


async def _comment_again(refusal: Refusal[Comment, CommentEditForm]) -> ResponseReturnValue:
    comment, conflict = refusal.found, isinstance(refusal.error, EditConflict)
    if not (conflict or isinstance(refusal.error, FormInvalid)):
        raise refusal.error
    await comment.refresh_from_db(["message"])
    errors = {"message": f"It was changed meanwhile. It now says: {comment.message}"} if conflict else refusal.errors
    return await _comment_form(refusal.actor, comment, refusal.values, errors)


@action(
    pages, "POST", f"{COMMENT}/edits", performs="edit_task_comment", form=CommentEditForm, refused=_comment_again
)  # fmt: skip
async def edit_comment(outcome: Outcome[Comment, CommentEditForm]) -> ResponseReturnValue:
    """Put other words into a comment of one's own."""
    task = outcome.found.task
    if not is_htmx():
        return done(f"{url_of(task)}?comment={outcome.found.id}#comment-{outcome.found.id}")
    return await fragment(PAGE, "timeline", view_of(outcome.actor, task.board, panel_id=task.id), "innerHTML")


@action(pages, "POST", f"{COMMENT}/deletion", performs="delete_task_comment")
async def delete_comment(outcome: Outcome[Comment, None]) -> ResponseReturnValue:
    """Delete a comment with its files."""
    return done(f"{url_of(outcome.found.task)}#comments", toast="Comment deleted")
