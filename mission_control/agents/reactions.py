"""What agents are told when something concerns them."""

from uuid import UUID

from mission_control.agents.queries import lead_id_of
from mission_control.core.actor import Actor
from mission_control.core.command import deliver, reacts_to
from mission_control.live.log import NewEvent

NOTICE = "agent.notice"


@reacts_to("approval.decided")
async def tell_decision(actor: Actor, event: NewEvent) -> None:
    """The requester and the board's lead learn of a decision."""
    board_id = event.scope.board_id
    if board_id is None:
        return
    recipients: list[UUID | None] = [event.agent_id, await lead_id_of(board_id)]
    for agent_id in dict.fromkeys(recipients):
        if agent_id is not None:
            _tell(event, agent_id)


def _tell(event: NewEvent, agent_id: UUID) -> None:
    lines = [
        f"Approval: {event.data['approval_id']}",
        f"About: {event.data['action_type']}",
        f"Decision: {event.data['decision']}",
    ]
    if event.data.get("note"):
        lines.append(f"Note: {event.data['note']}")
    lines.append("Go on with this decision.")
    deliver(
        NOTICE,
        event.scope,
        agent_id=agent_id,
        header="APPROVAL DECIDED",
        text="\n".join(lines),
        approval_id=str(event.data["approval_id"]),
        decision=event.data["decision"],
        succeeded="approval.lead_notified",
        failed="approval.lead_notify_failed",
    )
