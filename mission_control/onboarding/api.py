"""Setting up a board over HTTP: for people, and for the main agent of the board's gateway."""

from typing import Any
from uuid import UUID

from mission_control.agents.main_api import only_main_agents
from mission_control.agents.token_pages import base_url
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.boards.schemas import BoardRead
from mission_control.core.actor import Actor
from mission_control.core.policy import can
from mission_control.onboarding.commands import Confirmed, confirm_goal, set_up_board, store_main_agent_message
from mission_control.onboarding.conversation import (
    answer_agent,
    cancel_conversation,
    no_conversation,
    send_again,
    start_conversation,
)
from mission_control.onboarding.queries import (
    BoardConfirmed,
    BoardOnboardingAgentComplete,
    BoardOnboardingAgentQuestion,
    BoardOnboardingAnswer,
    BoardOnboardingConfirm,
    BoardOnboardingRead,
    BoardOnboardingStart,
    BoardSetup,
    latest_session,
    read_session,
)
from mission_control.operations.api import Api
from mission_control.operations.hints import ALL_ROLES, hints
from mission_control.operations.operation import operation

api = Api("onboarding_api", __name__, url_prefix="/api/v1")
TAGS = ("board-onboarding",)
ONBOARDING = "/boards/<board_id>/onboarding"
REPORT = "onboarding.report"
Said = BoardOnboardingAgentComplete | BoardOnboardingAgentQuestion


@operation(
    api,
    "GET",
    ONBOARDING,
    operation_id="get_onboarding_api_v1_boards__board_id__onboarding_get",
    tags=TAGS,
    who="user",
    find=visible_board,
    verb="board.read",
    returns=BoardOnboardingRead,
)
async def get_onboarding(actor: Actor, board: Board) -> BoardOnboardingRead:
    """Read the latest conversation about a board's goal; 404 when there was none."""
    session = await latest_session(board.id)
    if session is None:
        raise no_conversation()
    return read_session(session)


@operation(
    api,
    "POST",
    f"{ONBOARDING}/start",
    operation_id="start_onboarding_api_v1_boards__board_id__onboarding_start_post",
    tags=TAGS,
    who="user",
    find=visible_board,
    verb="onboarding.hold",
    body=BoardOnboardingStart,
    returns=BoardOnboardingRead,
)
async def start_onboarding(actor: Actor, board: Board, data: BoardOnboardingStart) -> BoardOnboardingRead:
    """Start a conversation with the main agent of the board's gateway; 422 for a board without one.

    An active conversation is returned, and what the agent has not answered in it is sent again.
    """
    return read_session(await start_conversation(actor, board, base_url()))


@operation(
    api,
    "POST",
    f"{ONBOARDING}/answer",
    operation_id="answer_onboarding_api_v1_boards__board_id__onboarding_answer_post",
    tags=TAGS,
    who="user",
    find=visible_board,
    verb="onboarding.hold",
    body=BoardOnboardingAnswer,
    returns=BoardOnboardingRead,
)
async def answer_onboarding(actor: Actor, board: Board, data: BoardOnboardingAnswer) -> BoardOnboardingRead:
    """Answer the agent's question, or add to its proposal; 422 for a board without a gateway."""
    text = f"{data.answer}: {data.other_text}" if data.other_text else data.answer
    return read_session(await answer_agent(actor, board, text, data.seen))


@operation(
    api,
    "POST",
    f"{ONBOARDING}/resends",
    operation_id="resend_onboarding",
    tags=TAGS,
    who="user",
    find=visible_board,
    verb="onboarding.hold",
    returns=BoardOnboardingRead,
)
async def resend_onboarding(actor: Actor, board: Board) -> BoardOnboardingRead:
    """Send the agent again what it has not answered; 409 when it has answered."""
    return read_session(await send_again(actor, board))


@operation(
    api,
    "POST",
    f"{ONBOARDING}/cancellations",
    operation_id="cancel_onboarding",
    tags=TAGS,
    who="user",
    find=visible_board,
    verb="onboarding.hold",
    returns=BoardOnboardingRead,
)
async def cancel_onboarding(actor: Actor, board: Board) -> BoardOnboardingRead:
    """End the conversation without a result. The board stays as it is, and another one can be started."""
    return read_session(await cancel_conversation(actor, board))


@operation(
    api,
    "POST",
    f"{ONBOARDING}/confirm",
    operation_id="confirm_onboarding_api_v1_boards__board_id__onboarding_confirm_post",
    tags=TAGS,
    who="user",
    find=visible_board,
    verb="onboarding.confirm",
    body=BoardOnboardingConfirm,
    returns=BoardConfirmed,
)
async def confirm_onboarding(actor: Actor, board: Board, data: BoardOnboardingConfirm) -> BoardConfirmed:
    """Confirm what a board is for.

    A board without a lead gets one, with the proposed name and profile; `lead_token` is shown only now. A lead that is
    there gets the proposed name. Of your own profile only what you send in `user_profile` changes.
    """
    return _confirmed(await confirm_goal(actor, board, data))


def _confirmed(done: Confirmed) -> BoardConfirmed:
    known = {name: getattr(done.board, name) for name in BoardRead.model_fields}
    return BoardConfirmed.model_construct(**known, lead_agent_id=done.lead_id, lead_token=done.token)


@operation(
    api,
    "POST",
    "/boards/<board_id>/setups",
    operation_id="set_up_board",
    tags=TAGS,
    who="user",
    find=visible_board,
    verb="onboarding.confirm",
    body=BoardSetup,
    returns=BoardConfirmed,
)
async def set_up(actor: Actor, board: Board, data: BoardSetup) -> BoardConfirmed:
    """Say what a board is for, and create its lead when it has none.

    `lead_token` is the new lead's token, shown this once. With a lead that may decide everything alone, tasks need no
    approval before they are done.
    """
    return _confirmed(await set_up_board(actor, board, data))


async def reported_board(actor: Actor, board_id: UUID) -> Board:
    """Return the board of a gateway's main agent; an agent that works on the board is refused with a reason."""
    board = await visible_board(actor, board_id)
    if not can(actor, REPORT, board):
        raise only_main_agents()
    return board


async def update_onboarding(actor: Actor, board: Board, data: Said) -> BoardOnboardingRead:
    """Ask the next question of the conversation about a board, or propose its goal and lead.

    Only the main agent of the board's gateway does this.
    """
    return read_session(await store_main_agent_message(actor, board, data))


shared: dict[str, Any] = {"who": "agent", "find": reported_board, "body": Said, "returns": BoardOnboardingRead}

operation(
    api,
    "POST",
    f"{ONBOARDING}/agent",
    operation_id="agent_onboarding_update_api_v1_boards__board_id__onboarding_agent_post",
    tags=TAGS,
    **shared,
)(update_onboarding)

operation(
    api,
    "POST",
    f"/agent{ONBOARDING}",
    operation_id="update_onboarding_api_v1_agent_boards__board_id__onboarding_post",
    tags=ALL_ROLES,
    hints=hints(
        "agent_board_onboarding_update",
        "any_agent",
        use="As a gateway's main agent in a conversation about a new board, to ask or to propose.",
        avoid="Not as an agent of a board; read its goal there.",
        needs="You are the main agent of the board's gateway and the conversation was started.",
        effects="People see the question or the proposal; a proposal waits until one of them confirms it.",
        never="Do not ask several questions at once, and do not answer in a chat instead.",
        route="Main agents of gateways only; everybody else is refused.",
        example="propose a goal for a new board",
    ),
    **shared,
)(update_onboarding)
