"""Rules for reporting, reading and limiting usage."""

from typing import Any
from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.policy import Rules
from mission_control.usage.models import Budget

rules = Rules()


@rules.rule("usage.report")
def may_report_usage(actor: Actor, agent_id: UUID | None) -> bool:
    """The agent itself."""
    return actor.is_agent and agent_id in (None, actor.id)


@rules.rule("usage.measure")
def may_measure_usage(actor: Actor, thing: Any) -> bool:
    """Only the system, which reads it from gateways."""
    return False


@rules.rule("usage.read")
def may_read_usage(actor: Actor, thing: None) -> bool:
    """People; they see that of the boards they read."""
    return actor.is_user


@rules.rule("budget.manage")
def may_manage_budgets(actor: Actor, thing: Budget | UUID | None) -> bool:
    """Owners and admins of the budget's organization, or of one that is named."""
    organization_id = thing.organization_id if isinstance(thing, Budget) else thing or actor.organization_id
    return actor.is_user and actor.administers(organization_id)
