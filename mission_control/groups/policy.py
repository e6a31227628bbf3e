"""Rights on board groups. A group's boards must be loaded (`group.boards`)."""

from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.policy import Rules
from mission_control.groups.models import BoardGroup

rules = Rules()


def reaches_group(actor: Actor, group: BoardGroup, *, write: bool) -> bool:
    """Return whether a person reaches a group: by all boards, by one of its boards, or as admin of an empty one."""
    membership = actor.memberships.get(group.organization_id)
    if membership is None:
        return False
    if membership.all_boards_write or (membership.all_boards_read and not write):
        return True
    if not group.boards:
        return actor.administers(group.organization_id)
    return any(actor.writes(board) if write else actor.reads(board) for board in group.boards)


def holds_board_of(actor: Actor, group: BoardGroup) -> bool:
    """Return whether an agent works on one of the group's boards."""
    return actor.is_agent and any(actor.writes(board) for board in group.boards)


@rules.rule("board_group.create")
def may_create_group(actor: Actor, organization_id: UUID | None) -> bool:
    """Owners and admins of the organization."""
    return actor.is_user and actor.administers(organization_id or actor.organization_id)


@rules.rule("board_group.read")
def may_read_group(actor: Actor, group: BoardGroup) -> bool:
    """People who reach the group."""
    return actor.is_user and reaches_group(actor, group, write=False)


@rules.rule("board_group.update")
@rules.rule("board_group.delete")
def may_change_group(actor: Actor, group: BoardGroup) -> bool:
    """Owners and admins who can write in the group."""
    return actor.is_user and actor.administers(group.organization_id) and reaches_group(actor, group, write=True)


@rules.rule("board_group.apply_heartbeat")
def may_apply_heartbeat(actor: Actor, group: BoardGroup) -> bool:
    """The same people, and the lead of one of the group's boards."""
    return may_change_group(actor, group) or (actor.is_lead and holds_board_of(actor, group))
