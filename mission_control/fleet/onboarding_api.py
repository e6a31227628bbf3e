"""Setting up a board over HTTP: for people, and for the main agent of the board's gateway."""

from uuid import UUID

from mission_control.agents.lead_api import only_main_agents
from mission_control.agents.token_pages import base_url
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor, can
from mission_control.fleet import onboarding_commands
from mission_control.fleet.conversation import answer_agent, cancel_conversation, send_again, start_conversation
from mission_control.fleet.onboarding_commands import confirm_goal, store_main_agent_message
from mission_control.fleet.onboarding_queries import (
    BoardConfirmed,
    BoardOnboardingAgentComplete,
    BoardOnboardingAgentQuestion,
    BoardOnboardingAnswer,
    BoardOnboardingConfirm,
    BoardOnboardingRead,
    BoardOnboardingStart,
    BoardSetup,
    existing_session,
    read_session,
)
from mission_control.http.operation_api import ALL_ROLES, Api, hints

api = Api(__name__, "board-onboarding")
ONBOARDING = "/boards/<board_id>/onboarding"


@api.get(ONBOARDING, rule="board.read")
async def get_onboarding(actor: Actor, board: Board) -> BoardOnboardingRead:
    """Read the latest conversation about a board's goal; 404 when there was none."""
    return read_session(await existing_session(board.id))


@api.post(f"{ONBOARDING}/start", rule="onboarding.hold")
async def start_onboarding(actor: Actor, board: Board, data: BoardOnboardingStart) -> BoardOnboardingRead:
    """Start a conversation with the main agent of the board's gateway; 422 for a board without one.

    An active conversation is returned, and what the agent has not answered in it is sent again.
    """
    return read_session(await start_conversation(actor, board, base_url()))


@api.post(f"{ONBOARDING}/answer", rule="onboarding.hold")
async def answer_onboarding(actor: Actor, board: Board, data: BoardOnboardingAnswer) -> BoardOnboardingRead:
    """Answer the agent's question, or add to its proposal; 422 for a board without a gateway."""
    text = f"{data.answer}: {data.other_text}" if data.other_text else data.answer
    return read_session(await answer_agent(actor, board, text, data.seen))


@api.post(f"{ONBOARDING}/resends", rule="onboarding.hold")
async def resend_onboarding(actor: Actor, board: Board) -> BoardOnboardingRead:
    """Send the agent again what it has not answered; 409 when it has answered."""
    return read_session(await send_again(actor, board))


@api.post(f"{ONBOARDING}/cancellations", rule="onboarding.hold")
async def cancel_onboarding(actor: Actor, board: Board) -> BoardOnboardingRead:
    """End the conversation without a result. The board stays as it is, and another one can be started."""
    return read_session(await cancel_conversation(actor, board))


@api.post(f"{ONBOARDING}/confirm", rule="onboarding.confirm")
async def confirm_onboarding(actor: Actor, board: Board, data: BoardOnboardingConfirm) -> BoardConfirmed:
    """Confirm what a board is for.

    A board without a lead gets one, with the proposed name and profile; `lead_token` is shown only now. A lead that is
    there gets the proposed name. Of your own profile only what you send in `user_profile` changes.
    """
    return await confirm_goal(actor, board, data)


@api.post("/boards/<board_id>/setups", rule="onboarding.confirm")
async def set_up_board(actor: Actor, board: Board, data: BoardSetup) -> BoardConfirmed:
    """Say what a board is for, and create its lead when it has none.

    `lead_token` is the new lead's token, shown this once. With a lead that may decide everything alone, tasks need no
    approval before they are done.
    """
    return await onboarding_commands.set_up_board(actor, board, data)


async def reported_board(actor: Actor, board_id: UUID) -> Board:
    """Return the board of a gateway's main agent; an agent that works on the board is refused with a reason."""
    board = await visible_board(actor, board_id)
    if not can(actor, "onboarding.report", board):
        raise only_main_agents()
    return board


@api.post(
    f"/agent{ONBOARDING}",
    find=reported_board,
    hints=hints(
        "agent_board_onboarding_update",
        roles=ALL_ROLES,
        use="As a gateway's main agent in a conversation about a new board, to ask or to propose.",
        avoid="Not as an agent of a board; read its goal there.",
        needs="You are the main agent of the board's gateway and the conversation was started.",
        effects="People see the question or the proposal; a proposal waits until one of them confirms it.",
        never="Do not ask several questions at once, and do not answer in a chat instead.",
        route="Main agents of gateways only; everybody else is refused.",
        example="propose a goal for a new board",
    ),
)
@api.post(f"{ONBOARDING}/agent", who="agent", find=reported_board)
async def update_onboarding(
    actor: Actor, board: Board, data: BoardOnboardingAgentComplete | BoardOnboardingAgentQuestion
) -> BoardOnboardingRead:
    """Ask the next question of the conversation about a board, or propose its goal and lead.

    Only the main agent of the board's gateway does this.
    """
    return read_session(await store_main_agent_message(actor, board, data))
