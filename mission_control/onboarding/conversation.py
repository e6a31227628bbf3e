"""Commands of the conversation about a board: a person speaks, and the gateway's main agent gets it as a delivery.

What was said is stored in the same transaction as its delivery, so the agent never answers something unknown, and
neither a crash nor a gateway that is down loses anything.
"""

from mission_control.agents.models import Agent
from mission_control.agents.reactions import NOTICE
from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import deliver, notify, record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict, NotFound
from mission_control.delivery import pace
from mission_control.delivery.models import Delivery
from mission_control.onboarding.models import OnboardingSession
from mission_control.onboarding.prompt import HEADER, start_prompt
from mission_control.onboarding.queries import (
    active_session,
    awaits_agent,
    latest_session,
    main_agent_of,
    session_key_of,
)

ANSWER_HEADER = "BOARD ONBOARDING ANSWER"


def no_conversation() -> NotFound:
    """Return the refusal where a conversation was not started, or was cancelled."""
    return NotFound("There is no conversation about this board: it was not started, or somebody cancelled it.")


@command("onboarding.hold")
async def start_conversation(actor: Actor, board: Board, base: str) -> OnboardingSession:
    """Begin a conversation, or return the active one; what the agent has not answered in it is sent again.

    `base` is the address at which agents find this server. Raise Invalid for a board without a working gateway.
    """
    board = await locked_board(board)
    agent = await main_agent_of(board)
    session = await active_session(board.id)
    if session is not None and session.session_key != session_key_of(agent):
        await _leave_behind(session)
    elif session is not None:
        return await _sent_again(session, board, agent) if awaits_agent(session) else session
    session = OnboardingSession(board_id=board.id, session_key=session_key_of(agent), messages=[])
    _say(session, board, agent, start_prompt(board, base))
    await session.save(force_create=True)
    record("onboarding.started", board, f"Conversation about {board.name} started.", session_id=session.id)
    return session


@command("onboarding.hold")
async def answer_agent(actor: Actor, board: Board, text: str, seen: int | None = None) -> OnboardingSession:
    """Answer the agent's question, or add to its proposal. Raise NotFound without a conversation.

    With `seen`, the number of messages that the person has read, raise Conflict when something was said since.
    """
    board = await locked_board(board)
    session = await latest_session(board.id, held=True)
    if session is None:
        raise no_conversation()
    if seen is not None and seen != len(session.messages or []):
        raise Conflict(ErrorCode.ONBOARDING_WENT_ON.detail())
    agent = await _same_agent(session, board)
    _say(session, board, agent, text, what_for=await _name_where_several(session, board))
    await _save(session)
    record("onboarding.answered", board, f"Answered about {board.name}.", session_id=session.id)
    return session


@command("onboarding.hold")
async def send_again(actor: Actor, board: Board) -> OnboardingSession:
    """Send the agent again what it has not answered. Raise NotFound without a conversation, Conflict if it answered."""
    board = await locked_board(board)
    session = await latest_session(board.id, held=True)
    if session is None:
        raise no_conversation()
    if session.status == "confirmed" or not awaits_agent(session):
        raise Conflict(ErrorCode.ONBOARDING_ANSWERED.detail())
    return await _sent_again(session, board, await _same_agent(session, board))


@command("onboarding.hold")
async def cancel_conversation(actor: Actor, board: Board) -> OnboardingSession:
    """End a conversation without a result; what has not reached the agent is no longer sent."""
    board = await locked_board(board)
    session = await latest_session(board.id, held=True)
    if session is None:
        raise no_conversation()
    if session.status == "confirmed":
        raise Conflict(ErrorCode.ONBOARDING_CONFIRMED.detail())
    await withdraw(session)
    session.cancelled_at = session.updated_at = clock.now()
    await session.save(update_fields=["cancelled_at", "updated_at", "delivery_id", "silent_at"])
    record("onboarding.cancelled", board, f"Conversation about {board.name} cancelled.", session_id=session.id)
    return session


async def _same_agent(session: OnboardingSession, board: Board) -> Agent:
    """Return the agent of a conversation. Raise Conflict when the board has got another gateway since."""
    agent = await main_agent_of(board)
    if session.session_key != session_key_of(agent):
        raise Conflict(ErrorCode.ONBOARDING_GATEWAY_CHANGED.detail())
    return agent


async def _leave_behind(session: OnboardingSession) -> None:
    """Cancel a conversation with the agent of a gateway that the board no longer has."""
    await withdraw(session)
    session.cancelled_at = session.updated_at = clock.now()
    await session.save(update_fields=["cancelled_at", "updated_at", "delivery_id", "silent_at"])


async def withdraw(session: OnboardingSession) -> None:
    """Stop waiting for the agent, and stop the message that has not reached it; the caller saves the session."""
    if session.delivery_id is not None:
        left = {"state": "failed", "last_error": "The conversation ended before."}
        await Delivery.filter(id=session.delivery_id, state="waiting").update(**left)
    session.delivery_id = session.silent_at = None


def _say(session: OnboardingSession, board: Board, agent: Agent, text: str, what_for: str = "") -> None:
    """Append what a person says to a conversation, and have it delivered."""
    now = clock.now()
    message = {"role": "user", "content": text, "timestamp": clock.wire(now)}
    session.messages = [*(session.messages or []), message]
    session.updated_at, session.silent_at = now, None
    _deliver(session, board, agent, text, what_for)


def _deliver(session: OnboardingSession, board: Board, agent: Agent, text: str, what_for: str = "") -> None:
    """Write the delivery; only the request has a header, because an answer arrives as it was typed."""
    is_request = text.startswith(HEADER)
    sent = deliver(
        NOTICE,
        board.scope(),
        agent_id=agent.id,
        header=HEADER if is_request else ANSWER_HEADER,
        text=text.removeprefix(HEADER).lstrip() if is_request else what_for + text,
        raw=not is_request,
        session_id=str(session.id),
        succeeded="onboarding.agent_notified",
        failed="onboarding.agent_notify_failed",
    )
    session.delivery_id = sent.id


async def _sent_again(session: OnboardingSession, board: Board, agent: Agent) -> OnboardingSession:
    """Try the same delivery again when it has not arrived, so that it arrives once; else write a new one."""
    now = clock.now()
    again = {"state": "waiting", "attempts": 0, "due_at": now}
    retried = Delivery.filter(id=session.delivery_id, agent_id=agent.id)
    if await retried.filter(state__in=("waiting", "failed")).update(**again):
        notify(pace.CHANNEL)
    elif not await retried.filter(state="sending").exists():
        text = session.messages[-1]["content"]
        _deliver(session, board, agent, text, await _name_where_several(session, board))
    session.updated_at, session.silent_at = now, None
    await _save(session)
    record("onboarding.resent", board, f"Sent again to the agent of {board.name}.", session_id=session.id)
    return session


async def _name_where_several(session: OnboardingSession, board: Board) -> str:
    """Return a line that names the board, where the agent holds other conversations in the same chat."""
    others = OnboardingSession.filter(session_key=session.session_key, cancelled_at=None).exclude(id=session.id)
    if await others.filter(status__in=("active", "completed")).exists():
        return f"About the board {board.name} ({board.id}):\n"
    return ""


async def _save(session: OnboardingSession) -> None:
    await session.save(update_fields=["messages", "updated_at", "delivery_id", "silent_at"])
