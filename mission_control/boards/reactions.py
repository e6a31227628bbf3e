"""What happens to boards because of other changes."""

from mission_control.boards.models import Board
from mission_control.commands.reactions import Reactions
from mission_control.commands.unit_of_work import record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.live.log import NewEvent

reactions = Reactions()


@reactions.to("gateway.deleted")
async def leave_deleted_gateway(actor: Actor, event: NewEvent) -> None:
    """Let boards live on without their gateway, those in the trash too."""
    gateway_id = event.scope.subject_id
    for board in await Board.select_for_update(no_key=True).filter(gateway_id=gateway_id).order_by("id"):
        board.gateway_id, board.updated_at = None, clock.now()
        await board.save(update_fields=["gateway_id", "updated_at"])
        before, after = {"gateway_id": gateway_id}, {"gateway_id": None}
        record("board.updated", board, f"Board changed: {board.name}.", before=before, after=after)
