"""Rights on memory. Entries come with their board or group, a group with its boards."""

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.policy import Rules
from mission_control.groups.models import BoardGroup
from mission_control.groups.policy import holds_board_of, reaches_group
from mission_control.memory.models import BoardMemory, Entry, GroupMemory

rules = Rules()


@rules.rule("memory.write")
def may_write(actor: Actor, board: Board) -> bool:
    """People with write access and the board's agents."""
    return actor.writes(board)


@rules.rule("memory.edit")
@rules.rule("memory.delete")
def may_edit(actor: Actor, entry: BoardMemory) -> bool:
    """Its author, and admins who can write on the board."""
    if not actor.writes(entry.board):
        return False
    return _wrote(actor, entry) or actor.administers(entry.board.organization_id)


@rules.rule("group_memory.write")
def may_write_for_group(actor: Actor, group: BoardGroup) -> bool:
    """People who can write in the group and the agents of its boards."""
    return reaches_group(actor, group, write=True) or holds_board_of(actor, group)


@rules.rule("group_memory.edit")
@rules.rule("group_memory.delete")
def may_edit_for_group(actor: Actor, entry: GroupMemory) -> bool:
    """Its author, and admins who can write in the group."""
    if not may_write_for_group(actor, entry.board_group):
        return False
    return _wrote(actor, entry) or actor.administers(entry.board_group.organization_id)


def _wrote(actor: Actor, entry: Entry) -> bool:
    if actor.is_agent:
        return bool(entry.author_agent_id == actor.id)
    return actor.is_user and bool(entry.author_user_id == actor.id)
