"""Entries of memory: of boards and of groups."""

from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.core.actor import Scope
from mission_control.database.records import Dated, UtcDatetimeField, json_field, nullable, reference

if TYPE_CHECKING:
    from mission_control.boards.models import Board
from mission_control.groups.models import BoardGroup


class Entry(Dated):
    """A chat message or a note. `HOME` is the field of its board or group, `EVENTS` begins the kinds of its events."""

    HOME: ClassVar[str]
    EVENTS: ClassVar[str]

    content = fields.TextField()
    tags = json_field(null=True)
    is_chat = fields.BooleanField(default=False)
    source = nullable(fields.TextField)
    author_user = reference("User", null=True, on_delete=fields.SET_NULL)
    author_agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    edited_at = UtcDatetimeField(null=True)

    author_user_id: UUID | None
    author_agent_id: UUID | None

    class Meta:
        abstract = True

    @property
    def home(self) -> "Board | BoardGroup":
        home: Board | BoardGroup = getattr(self, self.HOME)
        return home

    @classmethod
    def home_column(cls) -> str:
        return f"{cls.HOME}_id"

    def scope(self) -> Scope:
        board_id = getattr(self, "board_id", None)
        return Scope(organization_id=self.home.organization_id, board_id=board_id, subject_id=self.id)


class BoardMemory(Entry):
    """An entry for everybody on a board."""

    HOME, EVENTS = "board", "memory."
    board = reference("Board")
    board_id: UUID

    class Meta:
        table = "board_memory"
        indexes = (Index(fields=("board_id", "is_chat", "created_at")), Index(fields=("board_id", "created_at")))


class GroupMemory(Entry):
    """An entry for every board of a group."""

    HOME, EVENTS = "board_group", "group_memory."
    board_group = reference("BoardGroup")
    board_group_id: UUID

    class Meta:
        table = "board_group_memory"
        indexes = (
            Index(fields=("board_group_id", "is_chat", "created_at")),
            Index(fields=("board_group_id", "created_at")),
        )
