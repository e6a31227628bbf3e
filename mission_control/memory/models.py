"""Entries of board memory and group memory."""

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.core.scope import Scope
from mission_control.database.fields import UtcDatetimeField


class BoardMemory(Model):
    """Something written down for everybody on a board: a chat message or a note."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    board: Any = fields.ForeignKeyField("models.Board", related_name=False, on_delete=fields.CASCADE)
    content = fields.TextField()
    tags: Any = fields.JSONField(null=True)
    is_chat = fields.BooleanField(default=False)
    source: Any = fields.TextField(null=True)
    author_user: Any = fields.ForeignKeyField("models.User", related_name=False, null=True, on_delete=fields.SET_NULL)
    author_agent: Any = fields.ForeignKeyField("models.Agent", related_name=False, null=True, on_delete=fields.SET_NULL)
    edited_at: Any = UtcDatetimeField(null=True)
    created_at = UtcDatetimeField(default=now)

    board_id: Any
    author_user_id: Any
    author_agent_id: Any

    class Meta:
        table = "board_memory"
        indexes = (Index(fields=("board_id", "is_chat", "created_at")), Index(fields=("board_id", "created_at")))

    def scope(self) -> Scope:
        """Where an event about this entry belongs; `board` must be loaded."""
        return Scope(organization_id=self.board.organization_id, board_id=self.board_id, subject_id=self.id)


class GroupMemory(Model):
    """Something written down for every board of a group."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    board_group: Any = fields.ForeignKeyField("models.BoardGroup", related_name=False, on_delete=fields.CASCADE)
    content = fields.TextField()
    tags: Any = fields.JSONField(null=True)
    is_chat = fields.BooleanField(default=False)
    source: Any = fields.TextField(null=True)
    author_user: Any = fields.ForeignKeyField("models.User", related_name=False, null=True, on_delete=fields.SET_NULL)
    author_agent: Any = fields.ForeignKeyField("models.Agent", related_name=False, null=True, on_delete=fields.SET_NULL)
    edited_at: Any = UtcDatetimeField(null=True)
    created_at = UtcDatetimeField(default=now)

    board_group_id: Any
    author_user_id: Any
    author_agent_id: Any

    class Meta:
        table = "board_group_memory"
        indexes = (
            Index(fields=("board_group_id", "is_chat", "created_at")),
            Index(fields=("board_group_id", "created_at")),
        )

    def scope(self) -> Scope:
        """Where an event about this entry belongs; `board_group` must be loaded."""
        return Scope(organization_id=self.board_group.organization_id, subject_id=self.id)
