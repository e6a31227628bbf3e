"""Shapes of provisioning, and who may."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from mission_control.agents.fields import AgentName
from mission_control.agents.models import Agent
from mission_control.core.actor import Actor, OnlySystem, rule
from mission_control.core.values import Body, NonEmptyStr, Schema, example
from mission_control.gateway_agents.models import LABELS, ProvisioningJob
from mission_control.gateway_agents.provisioning.gateway_agent import ListedAgent
from mission_control.gateways.models import Gateway


class ProvisioningRequest(Body):
    """How to set an agent up anew; everything that is left out stays as it is."""

    model_config = Body.model_config | example(rotate_token=False)

    rotate_token: bool = Field(
        default=False, description="Give the agent another token; the present one ends an hour later"
    )
    reset_session: bool = Field(default=False, description="Begin its conversation anew")
    force_bootstrap: bool = Field(default=False, description="Have a lead start from its BOOTSTRAP.md again")
    overwrite: bool = Field(default=False, description="Replace USER.md and MEMORY.md, which belong to the agent, too")


class ProvisioningStep(Schema):
    """One step of a job."""

    key: str
    label: str
    state: Literal["waiting", "running", "done", "skipped", "failed"]
    at: datetime | None
    note: str


class ProvisioningRead(Schema):
    """One job of an agent, with its steps as far as they are made."""

    id: UUID
    agent_id: UUID | None
    gateway_id: UUID
    action: str
    state: Literal["waiting", "running", "done", "failed"]
    steps: list[ProvisioningStep]
    attempts: int
    last_error: str | None
    next_attempt_at: datetime | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, job: ProvisioningJob) -> "ProvisioningRead":
        steps = [{**step, "label": LABELS[step["key"]]} for step in job.steps]
        names = ("id", "agent_id", "gateway_id", "action", "state", "attempts", "last_error", "created_at")
        values = {name: getattr(job, name) for name in (*names, "finished_at")}
        due = job.due_at if job.state == "waiting" else None
        return cls.model_validate({**values, "steps": steps, "next_attempt_at": due})


class TemplatesSyncQuery(Schema):
    """Whose files a template sync writes, and how."""

    include_main: bool = True
    lead_only: bool = False
    reset_sessions: bool = False
    rotate_tokens: bool = False
    force_bootstrap: bool = False
    overwrite: bool = False
    board_id: UUID | None = None


class TemplatesSyncRequest(TemplatesSyncQuery):
    """Whose files a template sync writes, and how."""

    model_config = Body.model_config | example(include_main=True, rotate_tokens=False)


class GatewayRemoval(Body):
    """How a gateway is deleted while it is connected."""

    model_config = Body.model_config | example(remove_agents=True)

    remove_agents: bool = Field(
        True, description="Remove the agents that were made on it, with files and sessions; linked ones are unlinked"
    )
    force: bool = Field(False, description="Delete it although boards use it; they stay, without a gateway")


class GatewayTemplatesSyncError(Schema):
    """Why an agent was not updated."""

    agent_id: UUID | None = None
    agent_name: str | None = None
    board_id: UUID | None = None
    message: str


class GatewayTemplatesSyncResult(Schema):
    """What a template sync did so far; `finished: false` says that it goes on as `job_id`."""

    gateway_id: UUID
    include_main: bool
    reset_sessions: bool
    agents_updated: int
    agents_skipped: int
    main_updated: bool
    errors: list[GatewayTemplatesSyncError] = Field(default_factory=list)
    finished: bool = True
    job_id: UUID | None = None


class GatewayAgentRead(Schema):
    """An agent that exists on a gateway, and which of ours it is."""

    id: str
    name: str
    workspace: str | None
    model: str | None
    agent_id: UUID | None
    agent_name: str | None
    board_id: UUID | None
    is_adopted: bool

    @classmethod
    def of(cls, there: ListedAgent, ours: Agent | None) -> "GatewayAgentRead":
        return cls(
            id=there.id, name=there.name, workspace=there.workspace, model=there.model,
            agent_id=ours.id if ours else None, agent_name=ours.name if ours else None,
            board_id=ours.board_id if ours else None, is_adopted=bool(ours and ours.is_adopted),
        )  # fmt: skip


class Adoption(Body):
    """An agent of a gateway to link to a board."""

    model_config = Body.model_config | example(
        gateway_agent_id="researcher", board_id="01a21801-cbeb-7469-b2bd-fd4c742e2f5a", name="Researcher"
    )

    gateway_agent_id: NonEmptyStr = Field(max_length=200, description="Its id on the gateway")
    board_id: UUID
    name: AgentName
    is_board_lead: bool = False
    remember: bool = Field(False, description="Add a line about the board to its MEMORY.md, too")


@rule("gateway.sync_templates", "gateway.adopt")
def may_change_agents_of(actor: Actor, gateway: Gateway) -> bool:
    """Owners and admins of the organization."""
    return actor.is_user and actor.administers(gateway.organization_id)


ONLY_SYSTEM = OnlySystem("provisioning.run")
