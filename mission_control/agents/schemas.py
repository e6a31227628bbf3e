"""Shapes of agents, of their tokens, and of what agents ask of each other."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field

from mission_control.agents.fields import (
    CHANGED,
    FIELDS,
    SOUL_LENGTH,
    AgentName,
    HeartbeatConfig,
    Profile,
    ShortText,
    Soul,
)
from mission_control.agents.holds.schemas import AgentHold
from mission_control.agents.models import Agent
from mission_control.boards.queries import is_recent
from mission_control.core import times
from mission_control.core.field_tables import answered, changed, completed, created
from mission_control.core.limits import TokenScope
from mission_control.core.values import (
    ActorRef,
    BlankToNone,
    Body,
    Moment,
    NonEmptyStr,
    NotNull,
    OkResponse,
    Paging,
    Schema,
    Wait,
    example,
)
from mission_control.people.models import Token

MAIN = "is_gateway_main"
DEFAULT_HEARTBEAT: dict[str, object] = {"every": "10m", "target": "last", "includeReasoning": False}


@completed(created(FIELDS))
class AgentCreate(Schema):
    """An agent to be made. Without a gateway it is a direct agent and the answer carries its token."""

    model_config = example(name="Vega", identity_profile={"role": "Tester"})

    board_id: UUID | None = None
    name: AgentName
    heartbeat_config: HeartbeatConfig = None
    identity_profile: Profile = None
    identity_template: Soul = None
    soul_template: Soul = None
    gateway_id: UUID | None = None
    is_board_lead: bool = False


@completed(changed(CHANGED))
class AgentUpdate(Schema):
    """What to change on an agent; absent leaves."""

    model_config = example(name="Vega")

    is_gateway_main: bool | None = None
    status: str | None = None
    board_id: UUID | None = None
    name: str | None = None


class AgentSoulUpdate(Body):
    """Another soul for an agent, or none, and why."""

    model_config = Body.model_config | example(content="You test before you report.", reason="Two wrong reports.")

    content: Soul
    reason: Annotated[ShortText | None, BlankToNone] = None


class AgentHeartbeat(Schema):
    """A sign of life."""

    status: Annotated[Annotated[str, Field(max_length=64)] | None, BlankToNone] = None


class AgentHeartbeatCreate(AgentHeartbeat):
    """A sign of life of an agent that may not exist yet."""

    model_config = example(name="Vega")

    name: AgentName
    board_id: UUID | None = None


@completed(answered(FIELDS))
class AgentRead(Schema):
    """An agent."""

    @classmethod
    def of(cls, agent: Agent, **more: Any) -> Self:
        """The answer for an agent, with its computed status."""
        values: dict[str, Any] = {name: getattr(agent, name) for name in AgentRead.model_fields if name != MAIN}
        values |= {"status": computed_status(agent), MAIN: agent.board_id is None, "hold": AgentHold.stored(agent.hold)}
        return cls.model_construct(**values, **more)


class AgentCreated(AgentRead):
    """An agent just made; `token` is shown here and never again."""

    token: str | None = None


Directive = Literal["continue", "pause", "stop"]


class AgentWait(Wait):
    """How long to wait for another directive than the agent knows."""

    known: Annotated[Directive, Field(description="The directive that you have; another one is answered at once")] = (
        "continue"
    )


class AgentCheckedIn(AgentRead):
    """An agent after a sign of life, and what it should do: go on, pause (take nothing new), or stop."""

    directive: Directive
    directive_reason: str | None


class AgentCheckedInOrCreated(AgentCreated, AgentCheckedIn):
    """An agent after a sign of life; `token` is shown when the call has made it, and never again."""


def computed_status(agent: Agent) -> str:
    """What programs read. Before its first call an agent of a gateway is provisioning, any other one offline.

    Then an agent of a gateway is offline while that is away, any other one after 15 minutes without a call, else as
    stored. An agent that was woken in vain is offline too.
    """
    if agent.status in ("updating", "deleting", "error"):
        return agent.status
    if agent.last_seen_at is None:
        return "offline" if agent.gateway_id is None or agent.status == "offline" else "provisioning"
    is_there = (
        is_recent(agent.last_seen_at, times.clock_now()) if agent.gateway_id is None else agent.gateway_away_at is None
    )
    return agent.status if is_there else "offline"


class AgentHealthStatusResponse(Schema):
    """Who the token belongs to."""

    ok: Literal[True] = True
    agent_id: UUID
    board_id: UUID | None
    gateway_id: UUID | None
    status: str
    is_board_lead: bool
    scopes: list[str] | None
    token_expires_at: datetime | None
    hold: AgentHold | None


class AgentRosterQuery(Paging):
    """Which agents of its surroundings an agent lists."""

    board_id: UUID | None = None


class AgentQuery(AgentRosterQuery):
    """Which agents to list."""

    gateway_id: UUID | None = None


class AgentStreamQuery(Schema):
    """Which agents to follow, and from where."""

    board_id: UUID | None = None
    since: str | None = None
    after: str | None = None


class ForceQuery(Schema):
    """Whether to write an agent's files on its gateway anew; a direct agent has none."""

    force: bool = False


REPLY_TAGS = ("gateway_main", "lead_reply")
REPLY_SOURCE = "lead_to_gateway_main"
OptionalShortText = Annotated[ShortText | None, BlankToNone]


class AgentNudge(Schema):
    """A word to a colleague; it is passed on as it is."""

    model_config = example(message="How far are you with the login?")

    message: Annotated[NonEmptyStr, Field(max_length=10_000)]


class OkDelivered(OkResponse):
    """It is on its way to the agent."""

    delivery_ids: list[UUID] = Field(default_factory=list)


class SoulUpdateRequest(Schema):
    """An agent's new soul, where it comes from and why."""

    model_config = example(content="You test before you report.", reason="Two reports were wrong.")

    content: Annotated[NonEmptyStr, Field(max_length=SOUL_LENGTH)]
    source_url: OptionalShortText = None
    reason: OptionalShortText = None


class SoulRead(Schema):
    """One text that is or was an agent's soul; empty when it was taken away."""

    id: UUID
    content: str
    source_url: str | None
    reason: str | None
    author: ActorRef
    created_at: datetime


class GatewayLeadMessageRequest(Schema):
    """What a gateway's main agent asks of a board's lead, or hands over to it."""

    kind: Literal["question", "handoff"] = "question"
    correlation_id: str | None = None
    content: NonEmptyStr
    reply_tags: list[str] = Field(default_factory=lambda: list(REPLY_TAGS))
    reply_source: str | None = REPLY_SOURCE


class GatewayLeadBroadcastRequest(GatewayLeadMessageRequest):
    """The same for the leads of some boards; without ids for all boards of the gateway."""

    board_ids: list[UUID] | None = None


class GatewayLeadMessageResponse(Schema):
    """Which lead got the message."""

    ok: bool = True
    board_id: UUID
    lead_agent_id: UUID | None = None
    lead_agent_name: str | None = None
    lead_created: bool = False
    delivery_ids: list[UUID] = Field(default_factory=list)


class GatewayLeadBroadcastBoardResult(Schema):
    """How it went on one board."""

    board_id: UUID
    lead_agent_id: UUID | None = None
    lead_agent_name: str | None = None
    ok: bool = False
    error: str | None = None


class GatewayLeadBroadcastResponse(Schema):
    """How many leads the message was accepted for, and how it went on each board."""

    ok: bool = True
    sent: int = 0
    failed: int = 0
    results: list[GatewayLeadBroadcastBoardResult] = Field(default_factory=list)
    delivery_ids: list[UUID] = Field(default_factory=list)


LONGEST_OVERLAP = 7 * 24 * 3600
SOON = timedelta(seconds=LONGEST_OVERLAP)
Scopes = Annotated[list[TokenScope], Field(min_length=1), AfterValidator(lambda scopes: list(dict.fromkeys(scopes)))]
TokenState = Literal["active", "expiring", "expired", "revoked"]
Budget = Annotated[int, Field(ge=1, le=100_000)]
TokenName = Annotated[str, Field(max_length=200)]
ABOUT_SCOPES = (
    "connect, for what a program reports of itself; read; work, which implies both; lead, which implies all and lets a"
    " lead act as one. null: all."
)
ABOUT_BUDGETS = "null: as many as the server grants to every agent."


class TokenCreate(Body):
    """A new token that replaces the live ones.

    A name, scopes or budget that is absent stays that of the replaced one.
    """

    overlap_seconds: int = Field(600, ge=0, le=LONGEST_OVERLAP)
    scopes: Scopes | None = Field(default=None, description=ABOUT_SCOPES)
    expires_at: Moment | None = None
    name: TokenName = ""
    requests_per_minute: Budget | None = Field(default=None, description=ABOUT_BUDGETS)


class TokenUpdate(Body):
    """What to change on a token; absent leaves. For `expires_at` null is never."""

    scopes: Scopes | None = Field(default=None, description=ABOUT_SCOPES)
    expires_at: Moment | None = None
    name: Annotated[TokenName | None, NotNull] = None
    requests_per_minute: Budget | None = Field(default=None, description=ABOUT_BUDGETS)


class TokenRenewal(Body):
    """How long the old token stays valid."""

    overlap_seconds: int = Field(600, ge=0, le=LONGEST_OVERLAP)


class TokenRead(Schema):
    """A token without its secret.

    `state`: `active`; `expiring`, when it ends within a week, as every replaced one does; `expired`; `revoked`.
    """

    id: UUID
    prefix: str
    scopes: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    name: str
    requests_per_minute: int | None
    connection_id: Annotated[UUID | None, Field(description="The connection that it belongs to and ends with")]
    state: TokenState

    @classmethod
    def of(cls, token: Token) -> "TokenRead":
        values = {name: getattr(token, name) for name in cls.model_fields if name != "state"}
        return cls(**values, state=state_of(token))


def state_of(token: Token) -> TokenState:
    if token.revoked_at is not None:
        return "revoked"
    if token.expires_at is None:
        return "active"
    left = token.expires_at - times.clock_now()
    if left <= timedelta(0):
        return "expired"
    return "expiring" if left <= SOON else "active"


class TokenCreated(Schema):
    """A token just made; the secret is shown here and never again."""

    id: UUID
    token: str
    prefix: str
    expires_at: datetime | None
    replaced_until: datetime | None
