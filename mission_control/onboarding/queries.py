"""Reading the conversations about boards."""

from typing import Any
from uuid import UUID

from pydantic import ValidationError

from mission_control.core import clock
from mission_control.onboarding.models import OnboardingSession
from mission_control.onboarding.schemas import BoardOnboardingAgentComplete, BoardOnboardingRead


async def latest_session(board_id: UUID, *, held: bool = False) -> OnboardingSession | None:
    """The conversation about a board in which something was said last; held until the running command ends."""
    sessions = OnboardingSession.filter(board_id=board_id).order_by("-updated_at", "-created_at")
    return await (sessions.select_for_update() if held else sessions).first()


def read_session(session: OnboardingSession) -> BoardOnboardingRead:
    """The answer for a conversation."""
    return BoardOnboardingRead(
        id=session.id,
        board_id=session.board_id,
        session_key=session.session_key,
        status=session.status,
        messages=[_message(one) for one in session.messages] if session.messages else session.messages,
        draft_goal=_draft(session),
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
