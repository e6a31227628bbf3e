"""Groups of boards."""

from typing import TYPE_CHECKING
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.database.records import Owned, nullable

if TYPE_CHECKING:
    from mission_control.boards.models import Board


class BoardGroup(Owned):
    """Boards that are planned together and share a memory. `boards` holds the live ones once they are loaded."""

    name = fields.TextField()
    slug = fields.TextField()
    description = nullable(fields.TextField)

    boards: "list[Board]"

    class Meta:
        table = "board_groups"
        indexes = (Index(fields=("organization_id", "created_at")),)

    @property
    def board_ids(self) -> list[UUID]:
        return [board.id for board in self.boards]
