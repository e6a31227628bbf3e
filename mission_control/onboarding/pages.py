"""The page that sets up a board: its goal and its lead."""

from dataclasses import replace
from uuid import UUID

from quart import Blueprint, current_app, request
from quart.typing import ResponseReturnValue

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.policy import can, require
from mission_control.onboarding.conversation import Learned, learned_about
from mission_control.onboarding.forms import AUTONOMY, LABELS, SetUpForm, kinds_of, values_of
from mission_control.onboarding.queries import latest_session, read_session
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, FormInvalid, go
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("onboarding_pages", __name__)


async def settable_board(board_id: UUID) -> tuple[Actor, Board]:
    """Return the person who asks, in the organization of a board that they may set up, and the board."""
    actor = await signed_in()
    board = await visible_board(actor, board_id)
    require(actor, "onboarding.confirm", board)
    return replace(actor, organization_id=board.organization_id), board


def ways_of(board: Board) -> list[tuple[str, str, str, None]]:
    """Return the tabs of a board that can be set up in a conversation, and by the form."""
    return [
        ("conversation", "Conversation", f"/boards/{board.id}/onboarding", None),
        ("form", "Form", f"/boards/{board.id}/setup", None),
    ]


@pages.get("/boards/<uuid:board_id>/setup")
async def set_up_form(board_id: UUID) -> ResponseReturnValue:
    """Show the form for a board's goal, and for its lead if it has none."""
    actor, board = await settable_board(board_id)
    session = await latest_session(board.id)
    draft = read_session(session).draft_goal if session and session.status != "confirmed" else None
    return await _form(actor, board, values_of(board, draft), {}, await learned_about(actor, session))


async def _form(actor: Actor, board: Board, values: Fields, errors: dict[str, str], learned: list[Learned]) -> str:
    context: dict[str, object] = {"values": values, "errors": errors, "labels": LABELS, "autonomy": AUTONOMY}
    context["learned"] = learned
    context |= {"kinds": kinds_of(board), "ways": ways_of(board)}
    lead = await Agent.get_or_none(board_id=board.id, is_board_lead=True)
    active = f"board-{board.id}"
    return await shell_page(actor, "onboarding/setup.html", active=active, board=board, lead=lead, **context)


async def _not_set_up(refusal: Refusal[Board, SetUpForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid)
    learned = await learned_about(refusal.actor, await latest_session(refusal.found.id), refusal.values)
    return await _form(refusal.actor, refusal.found, refusal.values, refusal.errors, learned)


@action(pages, "POST", "/boards/<uuid:board_id>/setup", performs="set_up_board", form=SetUpForm, refused=_not_set_up)
async def set_up(outcome: Outcome[Board, SetUpForm]) -> ResponseReturnValue:
    """Say what a board is for; a new lead's token is shown, once."""
    board, answer = outcome.found, outcome.answer
    if answer.lead_token is None:
        was_discussed = board.gateway_id is not None and await latest_session(board.id) is not None
        return go(f"/boards/{board.id}/onboarding" if was_discussed else f"/boards/{board.id}")
    return await _ready(outcome.actor, board, answer.lead_agent_id, answer.lead_token)


async def _ready(actor: Actor, board: Board, lead_id: UUID, token: str) -> str:
    lead = await Agent.get(id=lead_id).select_related("board")
    base = (current_app.config["SETTINGS"].base_url or request.host_url).rstrip("/")
    context: dict[str, object] = {
        "lead": lead,
        "token": token,
        "base": base,
        "may_read": can(actor, "agent.read", lead),
    }
    return await shell_page(actor, "onboarding/ready.html", active=f"board-{board.id}", board=board, **context)
