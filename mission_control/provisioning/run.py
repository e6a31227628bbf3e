"""A job at work, with the rows that its steps need."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mission_control.accounts.models import User
from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.gateways.models import Gateway
from mission_control.organizations.models import Member
from mission_control.provisioning.gateway_agent import call
from mission_control.provisioning.models import ProvisioningJob


class StepFailed(Exception):
    """A step cannot succeed as things are; the text says why, for people."""


class AgentGone(Exception):
    """The agent was deleted while it was being provisioned."""


@dataclass(slots=True)
class Run:
    """A job with the rows that its steps need, read anew before each step."""

    job: ProvisioningJob
    agent: Agent
    board: Board | None
    gateway: Gateway

    @classmethod
    async def of(cls, job: ProvisioningJob) -> "Run":
        """Read what a step needs. Raises AgentGone."""
        agent = await Agent.get_or_none(id=job.agent_id).select_related("board")
        gateway = await Gateway.get_or_none(id=job.gateway_id)
        if agent is None or gateway is None or agent.gateway_id != job.gateway_id:
            raise AgentGone
        return cls(job, agent, agent.board, gateway)

    @property
    def key(self) -> str:
        """The agent's id on the gateway."""
        return str(self.agent.gateway_agent_id)

    @property
    def session(self) -> str:
        """The key of the agent's main session."""
        return str(self.agent.openclaw_session_id)

    @property
    def is_first(self) -> bool:
        """Whether the agent was never there, so that nothing of its own can be in its files."""
        return self.job.action == "provision" and self.agent.last_seen_at is None

    async def call(self, method: str, **params: Any) -> Any:
        """Call the agent's gateway."""
        return await call(self.gateway.id, method, params)

    async def person(self) -> User | None:
        """Return the person whom the agent's files describe: who asked for it; a main agent's is an owner otherwise."""
        asked = self.job.options.get("user_id")
        found = await User.get_or_none(id=UUID(asked)) if asked else None
        if found is not None or self.board is not None:
            return found
        owners = Member.filter(organization_id=self.agent.organization_id, role="owner")
        owner = await owners.order_by("created_at").first()
        return None if owner is None else await User.get_or_none(id=owner.user_id)
