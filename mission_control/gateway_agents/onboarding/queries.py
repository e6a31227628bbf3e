"""Read the conversations about boards: their shapes, and who may."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError, model_validator

from mission_control.agents.fields import AgentName, Profile, ShortText
from mission_control.agents.models import Agent
from mission_control.boards.commands import GOAL_INCOMPLETE
from mission_control.boards.models import Board
from mission_control.boards.schemas import BoardRead
from mission_control.core import times
from mission_control.core.actor import Actor, OnlySystem, rule
from mission_control.core.errors import ErrorCode, Invalid, NotFound
from mission_control.core.values import BlankToNone, JsonObject, Moment, NonEmptyStr, Schema
from mission_control.gateway_agents.models import OnboardingSession
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.identity import main_session_key

LONGEST_TEXT = 10_000


Trimmed = Annotated[
    ShortText | None, BeforeValidator(lambda value: (value.strip() or None) if isinstance(value, str) else value)
]
Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]


class BoardOnboardingStart(Schema):
    """Begin the conversation; there is nothing to say beforehand."""


class BoardOnboardingAnswer(Schema):
    """An answer to the agent's question; a chosen label, and text."""

    answer: NonEmptyStr
    other_text: str | None = None
    seen: Annotated[
        int | None, Field(ge=0, description="How many messages were read; 409 when something was said since")
    ] = None


class BoardOnboardingUserProfile(Schema):
    """Fields of the profile of the person who confirms."""

    preferred_name: Trimmed = None
    pronouns: Trimmed = None
    timezone: Trimmed = None
    notes: Trimmed = None
    context: Trimmed = None


class BoardOnboardingGoal(Schema):
    """What a board is for; a goal needs an objective and success metrics."""

    board_type: Annotated[str, StringConstraints(max_length=64)]
    objective: Text | None = None
    success_metrics: JsonObject | None = None
    target_date: Moment | None = None

    @model_validator(mode="after")
    def _goal_is_complete(self) -> Self:
        if self.board_type == "goal" and not (self.objective and self.success_metrics):
            raise ValueError(GOAL_INCOMPLETE.rstrip("."))
        return self


class BoardOnboardingConfirm(BoardOnboardingGoal):
    """What a board is for, as a person wants it, and its lead."""

    user_profile: Annotated[
        BoardOnboardingUserProfile | None,
        Field(description="What changes in your own profile; what the agent proposed is not taken over by itself"),
    ] = None
    lead_name: Annotated[AgentName | None, BlankToNone, Field(description="How the lead is called")] = None
    autonomy: Annotated[
        Literal["ask_first", "balanced", "autonomous"] | None,
        Field(description="How much a new lead decides alone; left out, as was proposed"),
    ] = None
    instructions: Annotated[ShortText | None, BlankToNone, Field(description="What a new lead keeps in mind")] = None


class BoardOnboardingLeadAgentDraft(Schema):
    """What the board's lead should be like."""

    name: Annotated[AgentName | None, BlankToNone] = None
    identity_profile: Profile = None
    autonomy_level: Literal["ask_first", "balanced", "autonomous"] | None = None
    verbosity: Literal["concise", "balanced", "detailed"] | None = None
    output_format: Literal["bullets", "mixed", "narrative"] | None = None
    update_cadence: Literal["asap", "hourly", "daily", "weekly"] | None = None
    custom_instructions: Trimmed = None


class BoardOnboardingAgentComplete(BoardOnboardingGoal):
    """The agent's proposal for the whole board."""

    status: Literal["complete"]
    user_profile: Annotated[
        BoardOnboardingUserProfile | None, Field(description="What you learned about the person, who decides about it")
    ] = None
    lead_agent: BoardOnboardingLeadAgentDraft | None = None


class BoardOnboardingQuestionOption(Schema):
    """One possible answer."""

    id: NonEmptyStr
    label: NonEmptyStr


class BoardOnboardingAgentQuestion(Schema):
    """A question of the agent with possible answers."""

    question: NonEmptyStr
    options: Annotated[list[BoardOnboardingQuestionOption], Field(min_length=1)]


class BoardOnboardingRead(Schema):
    """The conversation about a board and what came of it."""

    id: UUID
    board_id: UUID
    session_key: str
    status: str
    messages: list[JsonObject] | None
    draft_goal: BoardOnboardingAgentComplete | None
    delivery_ids: Annotated[list[UUID], Field(description="The message on its way to the agent, or unanswered")]
    silent_at: Annotated[datetime | None, Field(description="Since when the agent's answer is overdue")]
    created_at: datetime
    updated_at: datetime


class BoardConfirmed(BoardRead):
    """The board with its goal; `lead_token` is the token of a lead just made, shown here and never again."""

    lead_agent_id: UUID | None
    lead_token: str | None


async def latest_session(board_id: UUID, *, held: bool = False) -> OnboardingSession | None:
    """The conversation about a board in which something was said last; held until the running command ends.

    Cancelled ones are left out.
    """
    sessions = OnboardingSession.filter(board_id=board_id, cancelled_at=None).order_by("-updated_at", "-created_at")
    return await (sessions.select_for_update() if held else sessions).first()


async def existing_session(board_id: UUID, *, held: bool = False) -> OnboardingSession:
    if (session := await latest_session(board_id, held=held)) is None:
        raise NotFound("There is no conversation about this board: it was not started, or somebody cancelled it.")
    return session


def awaits_agent(session: OnboardingSession) -> bool:
    return bool(session.messages) and session.messages[-1].get("role") == "user"


async def main_agent_of(board: Board) -> Agent:
    """Find the agent that leads the conversation about a board. Raise Invalid for a board without one."""
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
    """Moments of messages are RFC 3339; older ones were stored without `Z`."""
    names = ("id", "board_id", "session_key", "status", "silent_at", "created_at", "updated_at")
    messages = [dict(message) for message in session.messages or ()]
    for message in messages:
        if (moment := times.parse_since(str(message.get("timestamp")))) is not None:
            message["timestamp"] = times.wire(moment)
    return BoardOnboardingRead(
        **{name: getattr(session, name) for name in names},
        messages=messages or session.messages,
        draft_goal=draft_of(session),
        delivery_ids=[session.delivery_id] if session.delivery_id else [],
    )


def draft_of(session: OnboardingSession | None) -> BoardOnboardingAgentComplete | None:
    """A proposal that no longer fits counts as absent."""
    if session is None or not session.draft_goal:
        return None
    try:
        return BoardOnboardingAgentComplete.model_validate(session.draft_goal)
    except ValidationError:
        return None


def session_key_of(agent: Agent) -> str:
    assert agent.gateway_id is not None
    return main_session_key(agent.gateway_id)


@rule("onboarding.hold", "onboarding.confirm")
def may_set_up(actor: Actor, board: Board) -> bool:
    """People who can write on the board."""
    return actor.is_user and actor.writes(board)


@rule("onboarding.report")
def may_report(actor: Actor, board: Board) -> bool:
    """The main agent of the board's gateway, which belongs to no board itself."""
    return actor.is_main and board.gateway_id is not None and actor.gateway_id == board.gateway_id


ONLY_SYSTEM = OnlySystem("onboarding.watch")
