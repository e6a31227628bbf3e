"""Shapes of agents."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AliasChoices, BaseModel, Field

from mission_control.agents.fields import CHANGED, FIELDS, AgentName, HeartbeatConfig, Profile, ShortText, Soul
from mission_control.agents.models import Agent
from mission_control.boards.presence import is_recent
from mission_control.core import clock
from mission_control.core.declared import answered, changed, completed, created
from mission_control.core.paging import Paging, Wait
from mission_control.core.schemas import BlankToNone, Body, example

DEFAULT_HEARTBEAT: dict[str, Any] = {"every": "10m", "target": "last", "includeReasoning": False}


@completed(created(FIELDS))
class AgentCreate(BaseModel):
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
class AgentUpdate(BaseModel):
    """What to change on an agent; absent leaves."""

    model_config = example(name="Vega")

    is_gateway_main: bool | None = None
    status: str | None = None


class AgentSoulUpdate(Body):
    """Another soul for an agent, or none, and why."""

    model_config = Body.model_config | example(content="You test before you report.", reason="Two wrong reports.")

    # As every other text of a soul is named; `soul_template` is taken for one more release.
    content: Annotated[Soul, Field(validation_alias=AliasChoices("content", "soul_template"))]
    reason: Annotated[ShortText | None, BlankToNone] = None


class AgentHeartbeat(BaseModel):
    """A sign of life."""

    status: Annotated[Annotated[str, Field(max_length=64)] | None, BlankToNone] = None


class AgentHeartbeatCreate(AgentHeartbeat):
    """A sign of life of an agent that may not exist yet."""

    model_config = example(name="Vega")

    name: AgentName
    board_id: UUID | None = None


@completed(answered(FIELDS))
class AgentRead(BaseModel):
    """An agent."""

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
        "status": computed_status(agent),
        "is_gateway_main": agent.board_id is None,
    }


def computed_status(agent: Agent) -> str:
    """What programs read. Before its first call an agent of a gateway is provisioning, any other one offline.

    Then an agent of a gateway is offline while that is away, any other one after ten minutes without a call, else as
    stored. An agent that was woken in vain is offline too.
    """
    if agent.status in ("updating", "deleting", "error"):
        return agent.status
    if agent.last_seen_at is None:
        return "offline" if agent.gateway_id is None or agent.status == "offline" else "provisioning"
    is_there = is_recent(agent.last_seen_at, clock.now()) if agent.gateway_id is None else agent.gateway_away_at is None
    return agent.status if is_there else "offline"


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
    """Whether to write an agent's files on its gateway anew; a direct agent has none."""

    force: bool = False
