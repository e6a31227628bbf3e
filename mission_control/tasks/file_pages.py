"""Files of a task as pages: attached, shown, deleted."""

from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.boards.index_pages import on_board
from mission_control.tasks.attachments import attachment_read, visible_attachment
from mission_control.tasks.models import Attachment, Task
from mission_control.tasks.pages import TASK
from mission_control.tasks.panel_files import TEMPLATE, file_shown, preview_of
from mission_control.tasks.panel_pages import url_of
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import done, is_htmx
from mission_control.web.fragments import read_ahead, render_macro
from mission_control.web.shell import shell_page

pages = Blueprint("tasks_file_pages", __name__)
FILE = f"{TASK}/files/<uuid:attachment_id>"


@action(pages, "POST", f"{TASK}/files", performs="attach_file")
async def attach(outcome: Outcome[Task, None]) -> ResponseReturnValue:
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


@action(pages, "POST", f"{FILE}/removals", performs="remove_attachment")
async def remove(outcome: Outcome[Attachment, None]) -> ResponseReturnValue:
    """Delete a file for good."""
    return done(url_of(outcome.found.task), toast=f"{outcome.found.name} deleted")
