"""What people say to an agent at work, stopping it, and putting its session to a task, on pages."""

from typing import Annotated
from uuid import UUID

from markupsafe import Markup
from pydantic import Field
from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.boards.attempts import running
from mission_control.boards.pages import on_board
from mission_control.core.actor import Actor, require
from mission_control.core.errors import Conflict
from mission_control.core.values import NonEmptyStr
from mission_control.database.sql import rows
from mission_control.runs.models import AgentSession
from mission_control.runs.notes.commands import LONGEST_NOTE
from mission_control.runs.notes.stop import RunStop
from mission_control.runs.sessions.pages import SESSION
from mission_control.runs.sessions.queries import visible_session
from mission_control.runs.sessions.task_links import SessionAttach
from mission_control.tasks.board.view import BoardView
from mission_control.tasks.models import Task
from mission_control.tasks.panel.frame import Panel, of_panel, panel_region
from mission_control.tasks.panel.pages import TASK
from mission_control.tasks.query import LIVING, matching
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormValues, done, is_htmx
from mission_control.web.fragments import PageContext, as_html, render_macro
from mission_control.web.shell import dialog_or_page, shell_page

pages = Blueprint("steering_pages", __name__)
STOPPING, SESSIONS = "runs/stopping.html", "runs/session_steering.html"


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


async def _ask(actor: Actor, task: Task, values: FormValues, errors: dict[str, str]) -> ResponseReturnValue:
    """Ask before an agent is stopped: a dialog for htmx, else a page."""
    run = await running(task.id)
    if run is None and not errors:
        raise Conflict("Nobody works on this task any longer.")
    name = run.agent_name if run else "the agent"
    context = {"url": task.url, "name": name, "number": task.number, "values": values, "errors": errors}
    return await _ask_to_stop(actor, f"board-{task.board_id}", f"#{task.number} {task.title}", context)


async def _ask_to_stop(actor: Actor, active: str, back: str, context: PageContext) -> ResponseReturnValue:
    title, way_back = f"Stop {context['name']}?", (context["url"], back)
    return await dialog_or_page(
        actor, STOPPING, "stop_form", title, active=active, back=way_back, is_again=bool(context["errors"]), **context
    )


@action(pages, f"{TASK}/stop", page=f"{TASK}/stop", shows=_ask)
async def stop_task(outcome: Outcome[Task, RunStop]) -> ResponseReturnValue:
    task, run = outcome.found, outcome.answer
    return done(task.url, toast=f"{run['agent_name']} is stopped, #{task.number} is in the inbox")


def _url(session: AgentSession) -> str:
    return f"/boards/{session.board_id}/sessions/{session.id}"


async def _ask_session(
    actor: Actor, session: AgentSession, values: FormValues, errors: dict[str, str]
) -> ResponseReturnValue:
    """Ask before a session is stopped: a dialog for htmx, else a page."""
    run = "SELECT t.number FROM task_runs r JOIN tasks t ON t.id = r.task_id WHERE r.id = ? AND r.ended_at IS NULL"
    found = await rows(run, session.run_id)
    context: PageContext = {"url": _url(session), "name": session.agent_name, "values": values, "errors": errors}
    context["number"] = found[0]["number"] if found else None
    return await _ask_to_stop(actor, "agents", "the session", context)


@action(pages, f"{SESSION}/stop", page=f"{SESSION}/stop", shows=_ask_session)
async def stop_session(outcome: Outcome[AgentSession, RunStop]) -> ResponseReturnValue:
    return done(_url(outcome.found), toast=f"{outcome.found.agent_name} is stopped")


@pages.get(f"{SESSION}/task")
async def attachable(board_id: UUID, session_id: UUID) -> ResponseReturnValue:
    """Show the tasks that a session can be put to: a dialog, the list in it while somebody types, or a page."""
    actor, board = await on_board(board_id)
    session = await visible_session(actor, board_id, session_id)
    require(actor, "session.attach", session)
    text = request.args.get("q", "").strip()[:200]
    matches = await matching(text)
    conditions = "".join(f" AND {one}" for one, _ in matches)
    found = await rows(
        f"SELECT t.id, t.number, t.title, t.status FROM tasks t WHERE t.board_id = ? AND t.status = 'inbox'"
        f" AND {LIVING}{conditions} ORDER BY t.position, t.created_at DESC LIMIT 20",
        board.id,
        *(value for _, values in matches for value in values),
    )
    context = {"url": _url(session), "text": text, "found": found}
    if not is_htmx():
        return await shell_page(actor, "runs/session_attach.html", active="agents", **context)
    is_list = request.headers.get("HX-Target", "").endswith("#attach-found")
    if is_list:
        return render_macro(SESSIONS, "found_list", **context)
    dialog = render_macro(SESSIONS, "attach_form", **context, in_dialog=True)
    return render_macro("ui/overlay.html", "form_dialog", title="On which task does it work?", html=Markup(dialog))


async def _not_attached(refusal: Refusal[AgentSession, SessionAttach]) -> ResponseReturnValue:
    if not is_htmx():
        raise refusal.error
    return render_macro("tasks/comment_forms.html", "said", sentence=refusal.sentence)


@action(pages, f"{SESSION}/task", refused=_not_attached)
async def attach_session(outcome: Outcome[AgentSession, SessionAttach]) -> ResponseReturnValue:
    return done(_url(outcome.found), toast=f"It works on #{outcome.answer['task_number']} now")


@action(pages, f"{SESSION}/task/removals")
async def detach_session(outcome: Outcome[AgentSession, None]) -> ResponseReturnValue:
    return done(_url(outcome.found), toast="Taken off its task, which is in the inbox")


async def worker(_view: BoardView, panel: Panel) -> str:
    return as_html(panel.agent_name or "the agent")


REGIONS = (panel_region("worker", of_panel("task.updated", "task.status_changed"), worker),)
