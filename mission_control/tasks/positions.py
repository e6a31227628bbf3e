"""Where a card stands in its column."""

from uuid import UUID

from mission_control.core.errors import NotFound
from mission_control.tasks.models import Task


async def position_next_to(task: Task, neighbour_id: UUID, *, above: bool) -> float:
    """The position right before or after another card of the column; NotFound when that one is gone."""
    column = [
        one
        for one in await Task.filter(board_id=task.board_id, status=task.status, deleted_at=None)
        .order_by("position", "-created_at")
        .only("id", "position")
        if one.id != task.id
    ]
    index = next((at for at, one in enumerate(column) if one.id == neighbour_id), None)
    if index is None:
        raise NotFound("The neighbouring card is no longer in this column.")
    slot = index if above else index + 1
    low = column[slot - 1].position if slot > 0 else column[0].position - 2.0
    high = column[slot].position if slot < len(column) else column[-1].position + 2.0
    middle = (low + high) / 2
    if not low < middle < high:
        for at, one in enumerate(column):
            await Task.filter(id=one.id).update(
                position=low + 2.0 * (at - slot + 1) if at >= slot else low - 2.0 * (slot - 1 - at)
            )
        return low + 1.0
    return middle
