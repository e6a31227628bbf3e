"""Shapes of agents."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints

from mission_control.agents.models import Agent
from mission_control.core import clock
from mission_control.core.paging import Paging
from mission_control.core.schemas import BlankToNone, Body, NonEmptyStr, NotNull, example
from mission_control.organizations.work_state import State

OFFLINE_AFTER = timedelta(minutes=10)
DEFAULT_HEARTBEAT: dict[str, Any] = {"every": "10m", "target": "last", "includeReasoning": False}
SOUL_LENGTH = 18_000
FIELD_LENGTH = 2_000


def _profile(value: Any) -> dict[str, str] | None:
    """An identity profile as text by key; what is no mapping, null or blank is left out."""
    if not isinstance(value, Mapping):
        return None
    kept: dict[str, str] = {}
    for key, one in value.items():
        text = ", ".join(str(part) for part in one) if isinstance(one, list) else str(one)
        if one is not None and str(key).strip() and text.strip():
            kept[str(key).strip()] = text.strip()
    return kept or None


EVERY = r"^[0-9]{1,5}(s|m|h|d)$"


def _heartbeat(config: dict[str, Any] | None) -> dict[str, Any] | None:
    every = (config or {}).get("every", "10m")
    if not (isinstance(every, str) and re.fullmatch(EVERY, every)):
        raise ValueError("every is a number and s, m, h or d, such as 30s or 10m; 0m is off")
    return config


HeartbeatConfig = Annotated[dict[str, Any] | None, AfterValidator(_heartbeat)]
ShortText = Annotated[str, StringConstraints(max_length=FIELD_LENGTH)]
Profile = Annotated[dict[str, ShortText] | None, BeforeValidator(_profile)]
SoulText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=SOUL_LENGTH)]
Soul = Annotated[SoulText | None, BlankToNone]
AgentName = Annotated[NonEmptyStr, Field(max_length=200)]


def _tags(slugs: list[str] | None) -> list[str] | None:
    """The slugs once each; an empty list is no restriction."""
    return list(dict.fromkeys(slugs or [])) or None


TagSlug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=255)]
ClaimTags = Annotated[
    list[TagSlug] | None,
    Field(max_length=50, description="Slugs of tags: of what is nobody's, only tasks with one of them are handed out"),
    AfterValidator(_tags),
]
WipLimit = Annotated[
    int | None, Field(ge=1, lt=2**31, description="As many tasks in progress it has at most; null is any number")
]


class AgentCreate(BaseModel):
    """An agent to be made. Without a gateway it is a direct agent and the answer carries its token."""

    model_config = example(name="Vega", identity_profile={"role": "Tester"})

    board_id: UUID | None = None
    name: AgentName
    status: str = "provisioning"
    heartbeat_config: HeartbeatConfig = None
    identity_profile: Profile = None
    identity_template: Soul = None
    soul_template: Soul = None
    gateway_id: UUID | None = None
    is_board_lead: bool = False
    wip_limit: WipLimit = None
    claim_tags: ClaimTags = None


class AgentUpdate(BaseModel):
    """What to change on an agent; absent leaves."""

    model_config = example(name="Vega")

    board_id: UUID | None = None
    is_gateway_main: bool | None = None
    name: Annotated[AgentName | None, NotNull] = None
    status: str | None = None
    heartbeat_config: HeartbeatConfig = None
    identity_profile: Profile = None
    identity_template: Soul = None
    soul_template: Soul = None
    is_board_lead: Annotated[bool | None, NotNull] = None
    wip_limit: WipLimit = None
    claim_tags: ClaimTags = None


class AgentSoulUpdate(Body):
    """Another soul for an agent, or none, and why."""

    model_config = Body.model_config | example(soul_template="You test before you report.", reason="Two wrong reports.")

    soul_template: Soul
    reason: Annotated[ShortText | None, BlankToNone] = None


class AgentHeartbeat(BaseModel):
    """A sign of life."""

    status: Annotated[Annotated[str, Field(max_length=64)] | None, BlankToNone] = None


class AgentHeartbeatCreate(AgentHeartbeat):
    """A sign of life of an agent that may not exist yet."""

    model_config = example(name="Vega")

    name: AgentName
    board_id: UUID | None = None


class AgentRead(BaseModel):
    """An agent."""

    board_id: UUID | None
    name: str
    status: str
    heartbeat_config: dict[str, Any] | None
    identity_profile: dict[str, Any] | None
    identity_template: str | None
    soul_template: str | None
    id: UUID
    gateway_id: UUID | None
    is_board_lead: bool
    is_gateway_main: bool
    openclaw_session_id: str | None
    wip_limit: int | None
    claim_tags: list[str] | None
    work_state: State
    work_state_reason: str | None
    work_state_at: datetime | None
    last_seen_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, agent: Agent) -> "AgentRead":
        """The answer for an agent, with its computed status."""
        return cls.model_construct(**_values(agent))


class AgentCreated(AgentRead):
    """An agent just made; `token` is shown here and never again."""

    token: str | None = None

    @classmethod
    def of_new(cls, agent: Agent, token: str | None) -> "AgentCreated":
        """The answer for a new agent with its secret."""
        return cls.model_construct(**_values(agent), token=token)


class AgentCheckedIn(AgentRead):
    """An agent after a sign of life, and what it should do: go on, pause (take nothing new), or stop."""

    directive: Literal["continue", "pause", "stop"]
    directive_reason: str | None

    @classmethod
    def of_directed(cls, agent: Agent, directive: Mapping[str, Any]) -> "AgentCheckedIn":
        """The answer to a heartbeat."""
        return cls.model_construct(**_values(agent), **directive)


class AgentCheckedInOrCreated(AgentCreated, AgentCheckedIn):
    """An agent after a sign of life; `token` is shown when the call has made it, and never again."""

    @classmethod
    def of_made(cls, agent: Agent, directive: Mapping[str, Any], token: str | None) -> "AgentCheckedInOrCreated":
        """The answer to a heartbeat that may have made the agent."""
        return cls.model_construct(**_values(agent), **directive, token=token)


def _values(agent: Agent) -> dict[str, Any]:
    values = {name: getattr(agent, name) for name in AgentRead.model_fields if name != "is_gateway_main"}
    return values | {
        "status": computed_status(agent.status, agent.last_seen_at),
        "is_gateway_main": agent.board_id is None,
    }


def computed_status(stored: str, last_seen_at: datetime | None) -> str:
    """What people see: never seen is provisioning, not seen for ten minutes is offline, else as stored."""
    if stored in ("updating", "deleting"):
        return stored
    if last_seen_at is None:
        return "provisioning"
    return "offline" if clock.now() - last_seen_at > OFFLINE_AFTER else stored


class AgentHealthStatusResponse(BaseModel):
    """Who the token belongs to."""

    ok: Literal[True] = True
    agent_id: UUID
    board_id: UUID | None
    gateway_id: UUID | None
    status: str
    is_board_lead: bool
    scopes: list[str] | None
    token_expires_at: datetime | None


class AgentQuery(Paging):
    """Which agents to list."""

    board_id: UUID | None = None
    gateway_id: UUID | None = None


class AgentRosterQuery(Paging):
    """Which agents of its surroundings an agent lists."""

    board_id: UUID | None = None


class AgentStreamQuery(BaseModel):
    """Which agents to follow, and from where."""

    board_id: UUID | None = None
    since: str | None = None
    after: str | None = None


class ForceQuery(BaseModel):
    """Whether to provision anew; a direct agent has nothing to provision."""

    force: bool = False
