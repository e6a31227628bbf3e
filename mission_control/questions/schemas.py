"""Shapes of questions to people."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from mission_control.core.paging import Paging
from mission_control.core.schemas import ActorRef, BlankToNone, NonEmptyStr, example

REPLY_TAGS = ("gateway_main", "user_reply")
REPLY_SOURCE = "user_via_gateway_main"
LONGEST_QUESTION = 10_000
LONGEST_ANSWER = 20_000
QuestionState = Literal["open", "answered", "withdrawn"]
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
OptionalShortText = Annotated[ShortText | None, BlankToNone]


class GatewayMainAskUserRequest(BaseModel):
    """A question to people. The answer is written into the board's memory with these tags and this source."""

    model_config = example(content="Which of the two accounts pays for the domain?", reply_tags=["billing"])

    correlation_id: OptionalShortText = None
    content: Annotated[NonEmptyStr, Field(max_length=LONGEST_QUESTION)]
    preferred_channel: OptionalShortText = None
    reply_tags: list[ShortText] = Field(default_factory=lambda: list(REPLY_TAGS), max_length=20)
    reply_source: OptionalShortText = REPLY_SOURCE


class GatewayMainAskUserResponse(BaseModel):
    """Where the question went: people find it at `question_id`; no main agent passes it on without a gateway."""

    ok: bool = True
    board_id: UUID
    main_agent_id: UUID | None = None
    main_agent_name: str | None = None
    question_id: UUID


class QuestionAnswer(BaseModel):
    """What people answer."""

    answer: Annotated[NonEmptyStr, Field(max_length=LONGEST_ANSWER)]


class QuestionRead(BaseModel):
    """A question to people and what became of it."""

    id: UUID
    board_id: UUID
    agent_id: UUID | None
    agent_name: str
    content: str
    correlation_id: str | None
    preferred_channel: str | None
    reply_tags: list[str]
    reply_source: str | None
    state: QuestionState
    answer: str | None
    answered_by: ActorRef | None
    answered_at: datetime | None
    created_at: datetime


class QuestionQuery(Paging):
    """Which questions to list."""

    state: QuestionState | None = None
