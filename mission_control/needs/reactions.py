"""Bring needs back that people put off, when others are reminded or asked."""

from mission_control.commands.reactions import Reactions
from mission_control.core.actor import Actor
from mission_control.database.sql import rows
from mission_control.live.log import NewEvent

reactions = Reactions()


@reactions.to("approval.reminded", "approval.asked_another", "question.reminded", "question.asked_another")
async def show_again(actor: Actor, event: NewEvent) -> None:
    """Show what waits too long to everybody again."""
    kind = event.kind.partition(".")[0]
    await rows("DELETE FROM need_snoozes WHERE kind = ? AND subject_id = ?", kind, event.scope.subject_id)
