"""The buttons that pause, stop and resume an agent, a board or all agents of an organization, on any page."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.agents.queries import reachable_agent
from mission_control.agents.work_state import set_agent_state
from mission_control.boards.pages import on_board
from mission_control.boards.work_state import set_board_state
from mission_control.core.actor import Actor
from mission_control.core.addresses import parts_of
from mission_control.core.policy import require
from mission_control.organizations.queries import active_organization
from mission_control.organizations.work_state import (
    PAUSED,
    RUNNING,
    STOPPED,
    HasWorkState,
    WorkStateChange,
    set_organization_state,
)
from mission_control.web.forms import FormInvalid, done, is_htmx, read_form
from mission_control.web.fragments import render_macro
from mission_control.web.shell import safe_next, shell_page, signed_in

pages = Blueprint("work_state_pages", __name__)
TOASTS = {RUNNING: "{} may work again", PAUSED: "{} paused", STOPPED: "{} stopped"}


@dataclass(frozen=True, slots=True)
class Switch:
    """What is switched: whose state it is, where its page is, and the command."""

    thing: HasWorkState
    name: str
    home: str
    change: Callable[[Actor, Any, WorkStateChange], Awaitable[Any]]

    @property
    def whose(self) -> str:
        """Who is switched, as the beginning of a sentence."""
        return "All agents" if self.home == "/organization" else self.name

    @property
    def url(self) -> str:
        """Where its state is set."""
        return f"{self.home}/work-state"


async def _of_agent(agent_id: UUID) -> tuple[Actor, Switch]:
    actor = await signed_in()
    agent = await reachable_agent(actor, agent_id)
    require(actor, "agent.set_work_state", agent)
    return actor, Switch(agent, agent.name, f"/agents/{agent_id}", set_agent_state)


async def _of_board(board_id: UUID) -> tuple[Actor, Switch]:
    actor, board = await on_board(board_id)
    require(actor, "board.set_work_state", board)
    return actor, Switch(board, board.name, f"/boards/{board_id}", set_board_state)


async def _of_organization() -> tuple[Actor, Switch]:
    actor = await signed_in()
    organization = await active_organization(actor)
    require(actor, "organization.set_work_state", organization)
    return actor, Switch(organization, organization.name, "/organization", set_organization_state)


@pages.post("/agents/<uuid:agent_id>/work-state")
async def set_agent(agent_id: UUID) -> ResponseReturnValue:
    """Pause, stop or resume an agent."""
    return await _set(*await _of_agent(agent_id))


@pages.get("/agents/<uuid:agent_id>/work-state")
async def ask_agent(agent_id: UUID) -> str:
    """Ask why an agent is paused or stopped."""
    return await _ask(*await _of_agent(agent_id))


@pages.post("/boards/<uuid:board_id>/work-state")
async def set_board(board_id: UUID) -> ResponseReturnValue:
    """Pause, stop or resume the agents of a board."""
    return await _set(*await _of_board(board_id))


@pages.get("/boards/<uuid:board_id>/work-state")
async def ask_board(board_id: UUID) -> str:
    """Ask why a board is paused or stopped."""
    return await _ask(*await _of_board(board_id))


@pages.post("/organization/work-state")
async def set_organization() -> ResponseReturnValue:
    """Pause, stop or resume all agents of the organization."""
    return await _set(*await _of_organization())


@pages.get("/organization/work-state")
async def ask_organization() -> str:
    """Ask why all agents are paused or stopped."""
    return await _ask(*await _of_organization())


async def _set(actor: Actor, switch: Switch) -> ResponseReturnValue:
    """Set the state and go back to where the button was; the message says what happened, and takes it back."""
    try:
        wanted = await read_form(WorkStateChange)
    except FormInvalid as invalid:
        return await _ask(actor, switch, invalid), 422
    before = {"state": switch.thing.work_state, "reason": switch.thing.work_state_reason or ""}
    await switch.change(actor, switch.thing, wanted)
    if wanted.state == before["state"]:
        return done(_back(switch), toast="Reason saved" if wanted.reason else None)
    return done(_back(switch), toast=TOASTS[wanted.state].format(switch.whose), undo_action=switch.url, undo=before)


def _back(switch: Switch) -> str:
    """The page of ours on which the form stood, else the thing's own."""
    came = parts_of(request.headers.get("Referer", ""))
    if came.netloc == request.host and not came.path.endswith("/work-state"):
        return safe_next(came.path + (f"?{came.query}" if came.query else ""))
    return "/boards" if switch.home == "/organization" else switch.home


async def _ask(actor: Actor, switch: Switch, invalid: FormInvalid | None = None) -> str:
    """The form for a reason: a dialog for htmx, else a page."""
    context: dict[str, Any] = {"thing": switch.thing, "url": switch.url, "subject": switch.name}
    context["values"] = invalid.values if invalid else {"reason": switch.thing.work_state_reason}
    context["errors"] = invalid.errors if invalid else {}
    if is_htmx():
        return render_macro("ui/work_state.html", "reason_dialog", **context)
    return await shell_page(actor, "agents/work_state.html", active="agents", back=_back(switch), **context)
