"""Rights to export and import boards."""

from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.policy import Rules
from mission_control.exports.models import BoardImport

rules = Rules()


@rules.rule("board.export")
def may_export(actor: Actor, board: Board) -> bool:
    """People who reach the board."""
    return actor.is_user and actor.reads(board)


@rules.rule("board.import")
def may_import(actor: Actor, organization_id: UUID | None) -> bool:
    """Owners and admins of the organization."""
    return actor.is_user and actor.administers(organization_id or actor.organization_id)


@rules.rule("board_import.change")
def may_change_import(actor: Actor, waiting: BoardImport) -> bool:
    """Who gave the file, as long as they administer its organization."""
    return may_import(actor, waiting.organization_id)
