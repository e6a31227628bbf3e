"""The buttons that pause, stop and resume an agent, a board or all agents of an organization, on any page."""

from functools import partial
from uuid import UUID

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.agents.models import Agent
from mission_control.agents.page_frame import agent_of_page
from mission_control.agents.queries import reachable_agent, visible_agents
from mission_control.boards.models import Board
from mission_control.boards.pages import on_board
from mission_control.core.actor import Actor, require
from mission_control.core.values import parts_of
from mission_control.database.sql import rows
from mission_control.people.models import Organization
from mission_control.people.organizations.queries import active_organization
from mission_control.people.organizations.work_state import PAUSED, RUNNING, STOPPED, HasWorkState, WorkStateChange
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import FormInvalid, done, is_htmx
from mission_control.web.fragments import PageContext, render_macro
from mission_control.web.shell import safe_next, shell_page, signed_in

pages = Blueprint("work_state_pages", __name__)
NAMED = 6  # tasks that a stop's dialog names one by one
TOASTS = {RUNNING: "{} may work again", PAUSED: "{} paused", STOPPED: "{} stopped"}


# What is paused, stopped or resumed.
type Switched = Agent | Board | Organization


def _home_of(thing: Switched) -> str:
    if isinstance(thing, Organization):
        return "/organization"
    return f"/{'agents' if isinstance(thing, Agent) else 'boards'}/{thing.id}"


@pages.get("/agents/<uuid:agent_id>/work-state")
@pages.get("/boards/<uuid:board_id>/work-state")
@pages.get("/organization/work-state")
async def ask(agent_id: UUID | None = None, board_id: UUID | None = None) -> str:
    actor = await signed_in()
    thing: Switched
    if agent_id is not None:
        thing, verb = await reachable_agent(actor, agent_id), "agent.set_work_state"
    elif board_id is not None:
        (actor, thing), verb = await on_board(board_id), "board.set_work_state"
    else:
        thing, verb = await active_organization(actor), "organization.set_work_state"
    require(actor, verb, thing)
    return await _ask(actor, thing)


async def _state_of(actor: Actor, thing: HasWorkState) -> dict[str, str]:
    return {"state": thing.work_state, "reason": thing.work_state_reason or ""}


async def _not_set(refusal: Refusal[Switched, WorkStateChange]) -> ResponseReturnValue:
    if not isinstance(refusal.error, FormInvalid):
        raise refusal.error
    return await _ask(refusal.actor, refusal.found, refusal.error)


_sets = partial(action, pages, before=_state_of, refused=_not_set)


@_sets("/agents/<uuid:agent_id>/work-state", performs="set_agent_work_state", at=agent_of_page)
@_sets("/boards/<uuid:board_id>/work-state", performs="set_board_work_state")
@_sets("/organization/work-state", performs="set_my_org_work_state")
async def set_state(outcome: Outcome[Switched, WorkStateChange]) -> ResponseReturnValue:
    """Pause, stop or resume; go back to where the button was with a message that offers to undo it."""
    thing, wanted, before = outcome.found, outcome.form, outcome.before
    if wanted.state == before["state"]:
        return done(_back(thing), toast="Reason saved" if wanted.reason else None)
    label = "Resume" if wanted.state == STOPPED else "Undo"  # tasks that a stop took back do not return
    toast = TOASTS[wanted.state].format("All agents" if isinstance(thing, Organization) else thing.name)
    url, undo = f"{_home_of(thing)}/work-state", before | {"expects": wanted.state}
    return done(_back(thing), toast=toast, undo_action=url, undo=undo, undo_label=label)


def _back(thing: Switched) -> str:
    """Return the page of ours on which the form stood, else the thing's own."""
    came = parts_of(request.headers.get("Referer", ""))
    if came.netloc == request.host and not came.path.endswith("/work-state"):
        return safe_next(came.path + (f"?{came.query}" if came.query else ""))
    return "/boards" if isinstance(thing, Organization) else _home_of(thing)


async def _ask(actor: Actor, thing: Switched, invalid: FormInvalid | None = None) -> str:
    if request.args.get("to") == STOPPED and invalid is None:
        return await _confirm_stop(actor, thing)
    context: PageContext = {"thing": thing, "url": f"{_home_of(thing)}/work-state", "subject": thing.name}
    context["values"] = invalid.values if invalid else {"reason": thing.work_state_reason}
    context["errors"] = invalid.errors if invalid else {}
    if is_htmx():
        return render_macro("ui/work_state_forms.html", "reason_dialog", **context)
    return await shell_page(actor, "agents/work_state.html", active="agents", back=_back(thing), **context)


async def _confirm_stop(actor: Actor, thing: Switched) -> str:
    agents = visible_agents(actor)
    scope = thing.id
    if isinstance(thing, Agent):
        whose, column = thing.name, "t.assigned_agent_id"
    else:
        is_board = isinstance(thing, Board)
        count = await (agents.filter(board_id=scope) if is_board else agents.filter(organization_id=scope)).count()
        whose, column = f"{count} agent{'' if count == 1 else 's'}", "t.board_id" if is_board else "b.organization_id"
    held = await rows(
        "SELECT t.number, b.name AS board FROM tasks t JOIN boards b ON b.id = t.board_id"
        " WHERE t.status = 'in_progress' AND t.assigned_agent_id IS NOT NULL AND t.deleted_at IS NULL"
        f" AND b.deleted_at IS NULL AND {column} = ? ORDER BY t.in_progress_at DESC, t.number DESC",
        scope,
    )
    names = [f"#{one['number']}" + (f" of {one['board']}" if column.startswith("b.") else "") for one in held]
    context: PageContext = {
        "url": f"{_home_of(thing)}/work-state",
        "whose": whose,
        "consequence": consequence_of(names),
    }
    if is_htmx():
        return render_macro("ui/work_state_forms.html", "stop_dialog", **context)
    return await shell_page(actor, "agents/stop.html", active="agents", back=_back(thing), **context)


def consequence_of(names: list[str]) -> str:
    """Say which tasks a stop takes back: `#3 and #1 go back to the inbox.`"""
    if not names:
        return "No task is in progress."
    named = names if len(names) <= NAMED else [*names[: NAMED - 1], f"{len(names) - NAMED + 1} more"]
    listed = " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))
    return f"{listed} {'goes' if len(names) == 1 else 'go'} back to the inbox."
