"""Shapes of setting up a board: its goal, its lead, and the conversation that finds both."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, model_validator

from mission_control.agents.fields import AgentName, Profile, ShortText
from mission_control.boards.commands import GOAL_INCOMPLETE
from mission_control.boards.schemas import BoardRead
from mission_control.core.schemas import BlankToNone, Body, Moment, NonEmptyStr, example

LONGEST_TEXT = 10_000


def _trimmed(value: Any) -> Any:
    return (value.strip() or None) if isinstance(value, str) else value


Trimmed = Annotated[ShortText | None, BeforeValidator(_trimmed)]
Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]


class BoardOnboardingStart(BaseModel):
    """Begin the conversation; there is nothing to say beforehand."""


class BoardOnboardingAnswer(BaseModel):
    """An answer to the agent's question; a chosen label, and text."""

    answer: NonEmptyStr
    other_text: str | None = None
    seen: Annotated[
        int | None, Field(ge=0, description="How many messages were read; 409 when something was said since")
    ] = None


class BoardOnboardingUserProfile(BaseModel):
    """Fields of the profile of the person who confirms."""

    preferred_name: Trimmed = None
    pronouns: Trimmed = None
    timezone: Trimmed = None
    notes: Trimmed = None
    context: Trimmed = None


class OwnProfile(BoardOnboardingUserProfile, Body):
    """Fields of one's own profile."""


class BoardOnboardingConfirm(BaseModel):
    """What a board is for; a goal needs an objective and success metrics."""

    board_type: Annotated[str, StringConstraints(max_length=64)]
    objective: Text | None = None
    success_metrics: dict[str, Any] | None = None
    target_date: Moment | None = None
    user_profile: Annotated[
        BoardOnboardingUserProfile | None,
        Field(description="What changes in your own profile; what the agent proposed is not taken over by itself"),
    ] = None

    @model_validator(mode="after")
    def _goal_is_complete(self) -> Self:
        if self.board_type == "goal" and not (self.objective and self.success_metrics):
            raise ValueError(GOAL_INCOMPLETE.rstrip("."))
        return self


class BoardSetup(BoardOnboardingConfirm):
    """What a board is for, and its lead when it has none yet."""

    model_config = Body.model_config | example(
        board_type="goal", objective="The shop sells abroad.", success_metrics={"countries": 5}, lead_name="Atlas"
    )

    user_profile: Annotated[OwnProfile | None, Field(description="What changes in your own profile")] = None
    lead_name: Annotated[AgentName | None, BlankToNone, Field(description="How the lead is called")] = None
    autonomy: Annotated[
        Literal["ask_first", "balanced", "autonomous"], Field(description="How much the new lead decides alone")
    ] = "balanced"
    instructions: Annotated[ShortText | None, BlankToNone, Field(description="What the new lead keeps in mind")] = None


class BoardOnboardingLeadAgentDraft(BaseModel):
    """What the board's lead should be like."""

    name: Annotated[AgentName | None, BlankToNone] = None
    identity_profile: Profile = None
    autonomy_level: Literal["ask_first", "balanced", "autonomous"] | None = None
    verbosity: Literal["concise", "balanced", "detailed"] | None = None
    output_format: Literal["bullets", "mixed", "narrative"] | None = None
    update_cadence: Literal["asap", "hourly", "daily", "weekly"] | None = None
    custom_instructions: Trimmed = None


class BoardOnboardingAgentComplete(BoardOnboardingConfirm):
    """The agent's proposal for the whole board."""

    status: Literal["complete"]
    user_profile: Annotated[
        BoardOnboardingUserProfile | None, Field(description="What you learned about the person, who decides about it")
    ] = None
    lead_agent: BoardOnboardingLeadAgentDraft | None = None


class BoardOnboardingQuestionOption(BaseModel):
    """One possible answer."""

    id: NonEmptyStr
    label: NonEmptyStr


class BoardOnboardingAgentQuestion(BaseModel):
    """A question of the agent with possible answers."""

    question: NonEmptyStr
    options: Annotated[list[BoardOnboardingQuestionOption], Field(min_length=1)]


class BoardOnboardingRead(BaseModel):
    """The conversation about a board and what came of it."""

    id: UUID
    board_id: UUID
    session_key: str
    status: str
    messages: list[dict[str, Any]] | None
    draft_goal: BoardOnboardingAgentComplete | None
    delivery_ids: Annotated[list[UUID], Field(description="The message on its way to the agent, or unanswered")]
    silent_at: Annotated[datetime | None, Field(description="Since when the agent's answer is overdue")]
    created_at: datetime
    updated_at: datetime


class BoardConfirmed(BoardRead):
    """The board with its goal; `lead_token` is the token of a lead just made, shown here and never again."""

    lead_agent_id: UUID | None
    lead_token: str | None
