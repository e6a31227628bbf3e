"""Notices to a group's agents when a board joins or leaves it."""

from typing import Any
from uuid import UUID

from mission_control.agents.queries import agents_to_notify
from mission_control.agents.reactions import NOTICE
from mission_control.boards.models import Board
from mission_control.commands.reactions import Reactions
from mission_control.commands.unit_of_work import deliver
from mission_control.core.actor import Actor
from mission_control.groups.models import BoardGroup
from mission_control.live.log import NewEvent

reactions = Reactions()

ON_JOINING = (
    "Look at what the other boards of the group do before you plan.\n"
    "Write what several boards need to know to the group's memory.\n"
    "Tell the other leads of dependencies between boards early."
)
ON_LEAVING = (
    "Work on this board no longer depends on the group's plans.\n"
    "Finish or hand over what was agreed between the boards.\n"
    "Read the group's memory once more for open agreements."
)


@reactions.to("board.updated")
async def notify_group(actor: Actor, event: NewEvent) -> None:
    """Notify all agents of the old group and of the new one, the board's own included."""
    if "board_group_id" not in event.data["after"]:
        return
    board = await Board.get(id=event.scope.board_id)
    if (left := event.data["before"]["board_group_id"]) is not None:
        await _notify(board, left, joins=False)
    if (joined := event.data["after"]["board_group_id"]) is not None:
        await _notify(board, joined, joins=True)


async def _notify(board: Board, group_id: UUID, *, joins: bool) -> None:
    group = await BoardGroup.get_or_none(id=group_id)
    if group is None:
        return
    named: dict[Any, str] = {one.id: one.name for one in await Board.filter(board_group_id=group.id, deleted_at=None)}
    named[board.id] = board.name
    for agent in await agents_to_notify(list(named)):
        lines = [
            f"{'Joined' if joins else 'Left'} board: {board.name} ({board.id})",
            f"Your board: {named[agent.board_id]} ({agent.board_id})",
            f"Group: {group.name} ({group.id})",
            "",
            ON_JOINING if joins else ON_LEAVING,
        ]
        deliver(
            NOTICE,
            agent.scope(),
            agent_id=agent.id,
            header="BOARD GROUP UPDATED",
            text="\n".join(lines),
            succeeded="board.group.join.notified" if joins else "board.group.leave.notified",
            failed="board.group.join.notify_failed" if joins else "board.group.leave.notify_failed",
        )
