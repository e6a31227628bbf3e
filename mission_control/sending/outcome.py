"""Record the outcome of a delivery."""

from uuid import UUID

from mission_control.commands.unit_of_work import record
from mission_control.core.scope import Scope
from mission_control.delivery.models import Delivery


def scope_of(delivery: Delivery) -> Scope:
    """Return the scope of events about a delivery."""
    assert delivery.organization_id is not None  # only mails of accounts are of none
    return Scope(
        delivery.organization_id,
        board_id=delivery.board_id,
        task_id=delivery.task_id,
        agent_id=delivery.agent_id,
        subject_id=delivery.id,
    )


def record_outcome(delivery: Delivery, *, arrived: bool) -> bool:
    """Record the event that the delivery names for this outcome; False when it names none.

    `event` in its data is what the event says beside that: `agent_id` whose act it was, `about` for the sentence.
    """
    kind = delivery.data.get("succeeded" if arrived else "failed")
    if not kind:
        return False
    facts = dict(delivery.data.get("event") or {})
    agent_id, about = facts.pop("agent_id", None), facts.pop("about", delivery.header)
    outcome = "Notice delivered" if arrived else "Notice could not be delivered"
    record(
        kind,
        scope_of(delivery),
        f"{outcome}: {about}.",
        agent_id=UUID(agent_id) if agent_id else None,
        delivery_id=delivery.id,
        **facts,
    )
    return True
