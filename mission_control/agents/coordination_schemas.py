"""Shapes of what agents ask of each other."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from mission_control.agents.fields import SOUL_LENGTH, ShortText
from mission_control.core.schemas import ActorRef, BlankToNone, NonEmptyStr, OkResponse, example

REPLY_TAGS = ("gateway_main", "lead_reply")
REPLY_SOURCE = "lead_to_gateway_main"
OptionalShortText = Annotated[ShortText | None, BlankToNone]


class AgentNudge(BaseModel):
    """A word to a colleague; it is passed on as it is."""

    model_config = example(message="How far are you with the login?")

    message: Annotated[NonEmptyStr, Field(max_length=10_000)]


class OkDelivered(OkResponse):
    """It is on its way to the agent."""

    delivery_ids: list[UUID] = Field(default_factory=list)


class SoulUpdateRequest(BaseModel):
    """An agent's new soul, where it comes from and why."""

    model_config = example(content="You test before you report.", reason="Two reports were wrong.")

    content: Annotated[NonEmptyStr, Field(max_length=SOUL_LENGTH)]
    source_url: OptionalShortText = None
    reason: OptionalShortText = None


class SoulRead(BaseModel):
    """One text that is or was an agent's soul; empty when it was taken away."""

    id: UUID
    content: str
    source_url: str | None
    reason: str | None
    author: ActorRef
    created_at: datetime


class GatewayLeadMessageRequest(BaseModel):
    """What a gateway's main agent asks of a board's lead, or hands over to it."""

    kind: Literal["question", "handoff"] = "question"
    correlation_id: str | None = None
    content: NonEmptyStr
    reply_tags: list[str] = Field(default_factory=lambda: list(REPLY_TAGS))
    reply_source: str | None = REPLY_SOURCE


class GatewayLeadBroadcastRequest(GatewayLeadMessageRequest):
    """The same for the leads of some boards; without ids for all boards of the gateway."""

    board_ids: list[UUID] | None = None


class GatewayLeadMessageResponse(BaseModel):
    """Which lead got the message."""

    ok: bool = True
    board_id: UUID
    lead_agent_id: UUID | None = None
    lead_agent_name: str | None = None
    lead_created: bool = False
    delivery_ids: list[UUID] = Field(default_factory=list)


class GatewayLeadBroadcastBoardResult(BaseModel):
    """How it went on one board."""

    board_id: UUID
    lead_agent_id: UUID | None = None
    lead_agent_name: str | None = None
    ok: bool = False
    error: str | None = None


class GatewayLeadBroadcastResponse(BaseModel):
    """How many leads the message was accepted for, and how it went on each board."""

    ok: bool = True
    sent: int = 0
    failed: int = 0
    results: list[GatewayLeadBroadcastBoardResult] = Field(default_factory=list)
    delivery_ids: list[UUID] = Field(default_factory=list)
