"""Two tables for tests of the database layer, made by the test's own migration."""

from typing import Any

from tortoise import fields
from tortoise.models import Model

from mission_control.database.records import UtcDatetimeField


class Note(Model):
    id = fields.IntField(primary_key=True)
    text = fields.TextField(default="")
    at = UtcDatetimeField(null=True)
    made_at = UtcDatetimeField(auto_now_add=True)
    changed_at = UtcDatetimeField(auto_now=True)

    class Meta:
        table = "small_notes"


class Tag(Model):
    id = fields.IntField(primary_key=True)
    note: Any = fields.ForeignKeyField("models.Note", related_name=False, on_delete=fields.CASCADE)

    class Meta:
        table = "small_tags"
