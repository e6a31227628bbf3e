"""What people say to an agent at work, and stopping it, on pages."""

from typing import Annotated, Any

from markupsafe import escape
from pydantic import Field
from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.boards.attempts import running
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict
from mission_control.core.values import NonEmptyStr
from mission_control.runs.models import AgentSession
from mission_control.runs.notes import LONGEST_NOTE
from mission_control.runs.session_pages import SESSION
from mission_control.runs.stop import RunStop
from mission_control.tasks.board_view import BoardView
from mission_control.tasks.models import Task
from mission_control.tasks.pages import TASK
from mission_control.tasks.panel import Panel, of_panel, panel_region
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import Fields, Form, done, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.shell import shell_page

pages = Blueprint("steering_pages", __name__)
TEMPLATE = "runs/steering.html"


class NoteForm(Form):
    """What an agent should know."""

    message: Annotated[NonEmptyStr, Field(max_length=LONGEST_NOTE)]

    def body(self, found: Task | AgentSession) -> Fields:
        return {"text": self.message}


@action(pages, f"{TASK}/notes", form=NoteForm)
async def send_note(outcome: Outcome[Task, NoteForm]) -> ResponseReturnValue:
    return done(f"{outcome.found.url}#comments")


@action(pages, f"{SESSION}/notes", form=NoteForm)
async def send_session_note(outcome: Outcome[AgentSession, NoteForm]) -> ResponseReturnValue:
    session = outcome.found
    return done(f"/boards/{session.board_id}/sessions/{session.id}")


async def _ask(actor: Actor, task: Task, values: dict[str, Any], errors: dict[str, str]) -> ResponseReturnValue:
    """Ask before an agent is stopped: a dialog for htmx, else a page."""
    run = await running(task.id)
    if run is None and not errors:
        raise Conflict("Nobody works on this task any longer.")
    context: dict[str, Any] = {"task": task, "name": run.agent_name if run else "the agent"}
    context |= {"values": values, "errors": errors}
    if not is_htmx():
        return await shell_page(actor, "runs/stop.html", active=f"board-{task.board_id}", **context)
    if errors:
        return render_macro(TEMPLATE, "stop_form", **context, in_dialog=True)
    return render_macro(TEMPLATE, "stop_dialog", **context)


@action(pages, f"{TASK}/stop", page=f"{TASK}/stop", shows=_ask)
async def stop_task(outcome: Outcome[Task, RunStop]) -> ResponseReturnValue:
    task, run = outcome.found, outcome.answer
    return done(task.url, toast=f"{run['agent_name']} is stopped, #{task.number} is in the inbox")


async def worker(_view: BoardView, panel: Panel) -> str:
    """Return whom a note goes to."""
    return str(escape(panel.agent_name or "the agent"))


REGIONS = (panel_region("worker", of_panel("task.updated", "task.status_changed"), worker),)
