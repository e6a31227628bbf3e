"""Board groups."""

from typing import TYPE_CHECKING
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.core.scope import Scope
from mission_control.database.fields import Changing, nullable, reference

if TYPE_CHECKING:
    from mission_control.boards.models import Board


class BoardGroup(Changing):
    """Boards that are planned together and share a memory. `boards` holds the live ones once they are loaded."""

    organization = reference("Organization")
    name = fields.TextField()
    slug = fields.TextField()
    description = nullable(fields.TextField)

    organization_id: UUID
    boards: "list[Board]"

    class Meta:
        table = "board_groups"
        indexes = (Index(fields=("organization_id", "created_at")),)

    def scope(self) -> Scope:
        """Return where an event about this group belongs."""
        return Scope(organization_id=self.organization_id, subject_id=self.id)
