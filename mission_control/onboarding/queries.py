"""Reading the conversations about boards."""

from typing import Any
from uuid import UUID

from pydantic import ValidationError

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core import clock
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Invalid
from mission_control.gateways.keys import main_session_key
from mission_control.gateways.models import Gateway
from mission_control.onboarding.models import OnboardingSession
from mission_control.onboarding.schemas import BoardOnboardingAgentComplete, BoardOnboardingRead


async def latest_session(board_id: UUID, *, held: bool = False) -> OnboardingSession | None:
    """The conversation about a board in which something was said last; held until the running command ends.

    Cancelled ones are left out.
    """
    sessions = OnboardingSession.filter(board_id=board_id, cancelled_at=None).order_by("-updated_at", "-created_at")
    return await (sessions.select_for_update() if held else sessions).first()


async def active_session(board_id: UUID) -> OnboardingSession | None:
    """The active conversation about a board, held until the running command ends. A board has one at most."""
    active = OnboardingSession.filter(board_id=board_id, status="active", cancelled_at=None)
    return await active.select_for_update().first()


def awaits_agent(session: OnboardingSession) -> bool:
    """Return whether a person spoke last."""
    return bool(session.messages) and session.messages[-1].get("role") == "user"


async def main_agent_of(board: Board) -> Agent:
    """Return the agent that leads the conversation about a board. Raise Invalid for a board without one."""
    if board.gateway_id is None:
        message = "The conversation is led by a gateway's main agent, and this board has no gateway. Confirm its goal."
        raise Invalid({"message": message, "code": ErrorCode.BOARD_WITHOUT_GATEWAY})
    gateway = await Gateway.get_or_none(id=board.gateway_id, organization_id=board.organization_id)
    if gateway is None:
        raise Invalid(ErrorCode.GATEWAY_GONE.detail())
    if gateway.state == "refused":
        message = f"The gateway {gateway.name} refuses the connection: {gateway.last_error or gateway.state_code}"
        raise Invalid({"message": message, "code": ErrorCode.GATEWAY_REFUSED})
    agent = await Agent.get_or_none(board_id=None, gateway_id=gateway.id)
    if agent is None:
        message = f"The gateway {gateway.name} has no main agent. Synchronize its templates with its main agent."
        raise Invalid({"message": message, "code": ErrorCode.GATEWAY_WITHOUT_MAIN_AGENT})
    return agent


def read_session(session: OnboardingSession) -> BoardOnboardingRead:
    """The answer for a conversation."""
    return BoardOnboardingRead(
        id=session.id,
        board_id=session.board_id,
        session_key=session.session_key,
        status=session.status,
        messages=[_message(one) for one in session.messages] if session.messages else session.messages,
        draft_goal=_draft(session),
        delivery_ids=[session.delivery_id] if session.delivery_id else [],
        silent_at=session.silent_at,
        created_at=session.created_at,
        updated_at=session.updated_at,
    )


def _message(said: dict[str, Any]) -> dict[str, Any]:
    """A message with its moment as RFC 3339; older ones were stored without `Z`."""
    moment = clock.parse_since(str(said.get("timestamp")))
    return said if moment is None else {**said, "timestamp": clock.wire(moment)}


def _draft(session: OnboardingSession) -> BoardOnboardingAgentComplete | None:
    try:
        return BoardOnboardingAgentComplete.model_validate(session.draft_goal) if session.draft_goal else None
    except ValidationError:
        return None


def session_key_of(agent: Agent) -> str:
    """Return the session in which a main agent is spoken to."""
    assert agent.gateway_id is not None
    return main_session_key(agent.gateway_id)
