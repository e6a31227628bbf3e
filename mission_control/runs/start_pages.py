"""Start on a card: who is ready for its task, and handing it to one of them."""

from datetime import timedelta
from typing import Self
from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.agents.models import Agent
from mission_control.agents.token_pages import base_url
from mission_control.boards.statuses import LABELS
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict
from mission_control.database.sql import rows
from mission_control.events.broker import News
from mission_control.events.models import Event
from mission_control.people.models import User
from mission_control.runs.claims.readiness import WorkerRead, workers_of
from mission_control.runs.connect_pages import Wanted
from mission_control.runs.sessions.queries import OWN
from mission_control.runs.sessions.view import program_of
from mission_control.tasks.board.view import BoardView
from mission_control.tasks.forms import assignee_value
from mission_control.tasks.models import Task
from mission_control.tasks.panel.frame import Panel, concerns_panel, panel_region
from mission_control.tasks.panel.pages import TASK
from mission_control.tasks.rules import Limits, blockers_of, full
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import Fields, FormValues, VersionedForm, done
from mission_control.web.fragments import PageContext, render_macro
from mission_control.web.regions import Concerns
from mission_control.web.shell import dialog_or_page

pages = Blueprint("start_pages", __name__)
TEMPLATE = "runs/start_parts.html"
QUIET_FOR = timedelta(hours=1)
# Sessions of programs at which somebody may work on the task already, those with the newest signs.
SESSIONS = (
    "SELECT s.id, s.title, s.agent_name, s.client, s.client_version, s.host_label FROM agent_sessions s"
    " LEFT JOIN task_runs r ON r.id = s.run_id AND r.ended_at IS NULL WHERE s.board_id = ? AND s.last_seen_at > ?"
    f" AND s.ended_at IS NULL AND s.agent_id IS NOT NULL AND s.parent_id IS NULL AND s.client <> '{OWN}'"
    " AND r.id IS NULL ORDER BY s.last_seen_at DESC LIMIT 5"
)


class StartForm(VersionedForm):
    """Which worker a task of the inbox is handed to; the version says where the task was, and whose."""

    agent_id: UUID

    def body(self, found: Task) -> Fields:
        return {"assigned_agent_id": self.agent_id} | ({"not_before": None} if _is_early(found) else {})

    @classmethod
    def values_of(cls, task: Task) -> FormValues:
        assignee = assignee_value(task.assigned_agent_id, task.assigned_user_id)
        return {"status": task.status, "assignee": assignee}

    async def merged(self, found: Task) -> Self:
        """Refuse to hand out what somebody began, finished or gave away since the form was shown."""
        if self.version != self.version_of(found):
            raise Conflict(f"Somebody was faster: {await _where_now(found)}")
        return self


def _is_early(task: Task) -> bool:
    return task.not_before is not None and task.not_before > times.clock_now()


async def _where_now(task: Task) -> str:
    named: Agent | User | None = None
    if task.assigned_agent_id is not None:
        named = await Agent.get_or_none(id=task.assigned_agent_id)
    who = named.name if named is not None else "a person" if task.assigned_user_id is not None else ""
    where = "" if task.status == "inbox" else f"is in the column {LABELS[task.status]}"
    owner = f"is {who}'s now" if who else "" if where else "is nobody's now"
    return f"#{task.number} {' and '.join(filter(None, (where, owner)))}."


async def _ask(actor: Actor, task: Task, values: FormValues, errors: dict[str, str]) -> ResponseReturnValue:
    """Show who is ready: a dialog for htmx, else a page."""
    if not errors and (why := await _why_not(task)):
        raise Conflict(why)
    board = task.board
    context: PageContext = {"task": task, "workers": await workers_of(board)}
    sessions = await rows(SESSIONS, board.id, times.clock_now() - QUIET_FOR)
    context["sessions"] = [session | {"program": program_of(session)} for session in sessions]
    context["lines"] = f"{Wanted('other', base_url(), board.id).sign_in} &&\npython3 client.pyz work --agent claude"
    context["early"] = task.not_before if _is_early(task) else None
    context["full"] = await full(Limits.of(None, board.wip_limits), None, board.id)
    context |= {"values": StartForm.shown(task) | values, "errors": errors}
    context["values"]["version"] = StartForm.version_of(task)
    return await dialog_or_page(
        actor, TEMPLATE, "start_form", f"Start #{task.number}", active=f"board-{task.board_id}", subtitle=task.title,
        back=(task.url, "the task"), is_again=bool(errors), **context,
    )  # fmt: skip


async def _why_not(task: Task) -> str:
    if task.status != "inbox" or task.archived_at is not None:
        return f"Only what is in the inbox can be started: {await _where_now(task)}"
    if task.board.only_lead_can_change_status:
        return "On this board only the lead starts work."
    if await blockers_of(task.id):
        return f"#{task.number} waits for other tasks. It can be started when they are done."
    return ""


@action(
    pages, f"{TASK}/start", performs="update_task", form=StartForm, page=f"{TASK}/start", shows=_ask,
)  # fmt: skip
async def start_task(outcome: Outcome[Task, StartForm]) -> ResponseReturnValue:
    task = outcome.found
    worker = next((one for one in await workers_of(task.board) if one.agent_id == outcome.form.agent_id), None)
    name = worker.agent_name if worker else "The agent"
    then = "begins it" if worker is not None and worker.state == "ready" else "takes it when it asks for work"
    return done(task.url, toast=f"#{task.number} is handed to {name}, which {then}")


async def box(view: BoardView, panel: Panel) -> str:
    if not await _is_startable(view, panel):
        return ""
    workers: list[WorkerRead] = await view.reads.get(("workers", view.board.id), lambda: workers_of(view.board))
    own = next((worker for worker in workers if worker.agent_id == panel.assigned_agent_id), None)
    if panel.assigned_agent_id is not None and own is None:
        return ""  # the lead's
    if panel.assigned_user_id is not None and all(worker.state != "ready" for worker in workers):
        return ""  # a person does it
    return render_macro("runs/start_box.html", "box", panel=panel, workers=workers, own=own)


async def _is_startable(view: BoardView, panel: Panel) -> bool:
    is_open = panel.status == "inbox" and panel.may_write and panel.archived_at is None
    return is_open and not view.board.only_lead_can_change_status and not await blockers_of(panel.id)


def _concerns(view: BoardView, news: News) -> bool:
    if not isinstance(news, Event):
        return news.get("board_id") == str(view.board.id)
    return concerns_panel(view, news) if news.kind == "task.updated" else news.board_id in (view.board.id, None)


KINDS = ("task.updated", "task.status_changed", "task.lease_expired", "agent.", "board.", "organization.")
NEWS = Concerns[BoardView](KINDS, ("workers_on", "agent_id"), _concerns)
REGIONS = (panel_region("start", NEWS, box),)
