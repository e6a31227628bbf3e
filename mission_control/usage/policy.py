"""Who may report what agents use up, read it, and limit it."""

from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.policy import rule


@rule("usage.report")
def may_report_usage(actor: Actor, agent_id: UUID | None) -> bool:
    """The agent itself."""
    return actor.is_agent and agent_id in (None, actor.id)
