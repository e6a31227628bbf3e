"""The event log, and answers kept for safe retries."""

from tortoise import fields
from tortoise.indexes import Index

from mission_control.database.records import Dated, nullable, sealed


class Event(Dated):
    """A fact in the past tense, numbered without a hole per organization and chained by hash.

    Ids are plain values without foreign keys, so that the log outlives what it tells about. `data` is the
    canonical JSON text that was hashed. `actor_name` is that of an agent or of the system; a person's name is looked
    up, never stored here. `version` says which fields the hash covers.
    """

    organization_id = fields.UUIDField()
    seq = fields.BigIntField()
    version = fields.SmallIntField(default=1)
    kind = fields.CharField(max_length=96)
    actor_kind = fields.CharField(max_length=16)
    actor_id = fields.UUIDField(null=True)
    actor_name = fields.TextField(null=True)
    surface = fields.CharField(max_length=16)
    board_id = fields.UUIDField(null=True)
    task_id = fields.UUIDField(null=True)
    agent_id = fields.UUIDField(null=True)
    subject_id = fields.UUIDField(null=True)
    message = fields.TextField(null=True)
    data = fields.TextField(default="{}")
    request_id = fields.CharField(max_length=200, null=True)
    prev_hash = fields.CharField(max_length=64)
    hash = fields.CharField(max_length=64)

    class Meta:
        table = "events"
        unique_together = (("organization_id", "seq"),)
        indexes = (
            Index(fields=("board_id", "seq")),
            Index(fields=("task_id", "seq")),
            Index(fields=("agent_id", "seq")),
            Index(fields=("organization_id", "created_at", "board_id")),
            Index(fields=("actor_id", "seq", "board_id")),
        )


class IdempotencyRecord(Dated):
    """The answer to a write that came with an `Idempotency-Key`, kept for a day."""

    actor_id = fields.UUIDField()
    key = fields.CharField(max_length=255)
    request_hash = fields.CharField(max_length=64)
    status = nullable(fields.IntField)
    answer = sealed(nullable(fields.TextField))

    class Meta:
        table = "kept_answers"
        unique_together = (("actor_id", "key"),)
        indexes = (Index(fields=("created_at",)),)
