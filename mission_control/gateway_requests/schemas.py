"""Shapes of what gateways ask for agents that are on no board."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from mission_control.core.paging import Paging
from mission_control.core.schemas import ActorRef, Body, example
from mission_control.core.substance import Seen, Substance
from mission_control.questions.schemas import OptionRead

RequestKind = Literal["approval", "question"]
RequestStatus = Literal["pending", "approved", "rejected", "answered", "withdrawn"]


class GatewayRequestQuery(Paging):
    """Which requests to list."""

    gateway_id: UUID | None = None
    status: RequestStatus | None = None


class GatewayRequestDecision(Body):
    """A person's decision on an approval that a gateway asks for."""

    model_config = Body.model_config | example(decision="approved")

    decision: Literal["approved", "rejected"]
    always: Annotated[bool, Field(description="Approve the next times too; only where the gateway takes that")] = False
    substance: Seen = None

    @model_validator(mode="after")
    def _always_goes_with_approved(self) -> Self:
        if self.always and self.decision != "approved":
            raise ValueError("`always` goes with approved only")
        return self


class GatewayRequestRead(BaseModel):
    """What a gateway asks for an agent that is on no board, and how it ended.

    An approval says in `payload.gateway_request` what for. `answer_state` is `waiting` until the gateway has the
    answer, then `sent`, or `late` when it had another one already; `resolved_by_name` is who settled it, perhaps on
    the gateway.
    """

    id: UUID
    gateway_id: UUID
    gateway_name: str
    kind: RequestKind
    heading: str
    gateway_agent_id: str
    agent_id: UUID | None
    agent_name: str
    action_type: str | None
    payload: dict[str, Any] | None
    content: str | None
    options: list[OptionRead]
    allows_text: bool
    chosen_option_id: str | None
    expires_at: datetime | None
    status: RequestStatus
    answer: str | None
    answer_state: Literal["waiting", "sent", "late"] | None
    note: str | None
    resolved_by: ActorRef | None
    resolved_by_name: str | None
    resolved_at: datetime | None
    created_at: datetime
    substance: Substance
