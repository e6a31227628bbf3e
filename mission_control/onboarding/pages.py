"""The page that sets up a board: its goal and its lead."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from quart import Blueprint, current_app, request
from quart.typing import ResponseReturnValue

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.policy import can, require
from mission_control.onboarding.forms import AUTONOMY, KINDS, LABELS, SetUpForm, values_of
from mission_control.onboarding.queries import latest_session, read_session
from mission_control.web.actions import action
from mission_control.web.forms import FormInvalid, go
from mission_control.web.outcomes import Outcome, Refusal
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("onboarding_pages", __name__)


async def _settable(board_id: UUID) -> tuple[Actor, Board]:
    actor = await signed_in()
    board = await visible_board(actor, board_id)
    require(actor, "onboarding.confirm", board)
    return replace(actor, organization_id=board.organization_id), board


@pages.get("/boards/<uuid:board_id>/setup")
async def set_up_form(board_id: UUID) -> ResponseReturnValue:
    """Show the form for a board's goal, and for its lead if it has none."""
    actor, board = await _settable(board_id)
    session = await latest_session(board.id)
    draft = read_session(session).draft_goal if session and session.status != "confirmed" else None
    return await _form(actor, board, values_of(board, draft), {})


async def _form(actor: Actor, board: Board, values: dict[str, Any], errors: dict[str, str]) -> str:
    kinds = KINDS if board.board_type in dict(KINDS) else [*KINDS, (board.board_type, board.board_type)]
    context = {"values": values, "errors": errors, "labels": LABELS, "kinds": kinds, "autonomy": AUTONOMY}
    lead = await Agent.get_or_none(board_id=board.id, is_board_lead=True)
    active = f"board-{board.id}"
    return await shell_page(actor, "onboarding/setup.html", active=active, board=board, lead=lead, **context)


async def _not_set_up(refusal: Refusal[Board, SetUpForm]) -> ResponseReturnValue:
    if not isinstance(refusal.error, FormInvalid):
        raise refusal.error
    return await _form(refusal.actor, refusal.found, refusal.values, refusal.errors)


@action(pages, "POST", "/boards/<uuid:board_id>/setup", performs="set_up_board", form=SetUpForm, refused=_not_set_up)
async def set_up(outcome: Outcome[Board, SetUpForm]) -> ResponseReturnValue:
    """Say what a board is for; a new lead's token is shown, once."""
    board, answer = outcome.found, outcome.answer
    if answer.lead_token is None:
        return go(f"/boards/{board.id}")
    return await _ready(outcome.actor, board, answer.lead_agent_id, answer.lead_token)


async def _ready(actor: Actor, board: Board, lead_id: UUID, token: str) -> str:
    lead = await Agent.get(id=lead_id).select_related("board")
    base = (current_app.config["SETTINGS"].base_url or request.host_url).rstrip("/")
    context: dict[str, Any] = {"lead": lead, "token": token, "base": base, "may_read": can(actor, "agent.read", lead)}
    return await shell_page(actor, "onboarding/ready.html", active=f"board-{board.id}", board=board, **context)
