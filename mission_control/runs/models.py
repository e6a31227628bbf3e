"""The rows of the room `runs`: sessions, what happens in them, and notes. A run's own row is beside the board's."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.core.actor import Scope
from mission_control.core.times import clock_now as now
from mission_control.database.records import Dated, Identified, UtcDatetimeField, json_field, nullable, reference


class AgentSession(Identified):
    """One conversation of an agent's program, wherever it runs. It serves a run (`run_id`) at a time, or none.

    `client` is the program, such as `api`, `openclaw` or `claude-code`, and `external_id` how it calls the session.
    `state` is what was reported last: `working`, `waiting`, `idle` or `ended`; whether it is lost follows from
    `last_seen_at`; `lost` says that this was recorded. `doing` is the title of the last activity that began and has not
    ended (`doing_ref` is its `ref`), else of the last that ended. `plan` is a list of steps with `text` and `state`.
    `seq` is the number of its newest activity. `failures` is how often the error `failing` came in a row. `digest`
    is the SHA-256 over the activities of one that ended. `usage_sources` is how much each source said was used, and
    how much of it was `counted`: input, output, millionths of a dollar. `usage_windows` is what its program told
    last of those of its subscription. `is_check`: it only looks whether the connection works. `stopped_at` is when
    a person stopped its turn while it served no run, `attached_at` when one put it to the task of its run.
    """

    board = reference("Board")
    board_id: UUID
    agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    agent_id: UUID | None
    agent_name = fields.TextField()
    user = reference("User", null=True, on_delete=fields.SET_NULL)
    user_id: UUID | None
    gateway_id = nullable(fields.UUIDField)
    connection_id = nullable(fields.UUIDField)
    run_id = nullable(fields.UUIDField)
    task_id = nullable(fields.UUIDField)
    parent_id = nullable(fields.UUIDField)
    client = fields.CharField(max_length=32, default="api")
    external_id = fields.CharField(max_length=255)
    client_version = nullable(fields.CharField, max_length=64)
    host_label = nullable(fields.CharField, max_length=255)
    cwd_label = nullable(fields.CharField, max_length=255)
    branch = nullable(fields.CharField, max_length=255)
    model = nullable(fields.CharField, max_length=200)
    mode = nullable(fields.CharField, max_length=64)
    title = nullable(fields.CharField, max_length=200)
    state = fields.CharField(max_length=16, default="working")
    state_at = UtcDatetimeField(default=now)
    started_at = UtcDatetimeField(default=now)
    last_seen_at = UtcDatetimeField(default=now)
    ended_at = UtcDatetimeField(null=True)
    end_reason = nullable(fields.TextField)
    doing = nullable(fields.CharField, max_length=200)
    doing_at = UtcDatetimeField(null=True)
    is_doing_over = fields.BooleanField(default=True)
    doing_ref = nullable(fields.CharField, max_length=255)
    failures = fields.IntField(default=0)
    failing = nullable(fields.CharField, max_length=200)
    plan = json_field(null=True)
    seq = fields.IntField(default=0)
    digest = nullable(fields.CharField, max_length=64)
    input_tokens = fields.BigIntField(default=0)
    output_tokens = fields.BigIntField(default=0)
    cached_tokens = fields.BigIntField(default=0)
    written_tokens = fields.BigIntField(default=0)
    unpriced_tokens = fields.BigIntField(default=0)
    gaps = fields.IntField(default=0)
    cost_micros = fields.BigIntField(default=0)
    usage_sources = json_field(null=True)
    usage_windows = json_field(null=True)
    stopped_at = UtcDatetimeField(null=True)
    stop_reason = nullable(fields.TextField)
    attached_at = UtcDatetimeField(null=True)
    is_check = fields.BooleanField(default=False)

    class Meta:
        table = "agent_sessions"
        unique_together = (("agent", "board", "client", "external_id"),)
        indexes = (
            Index(fields=("board_id", "last_seen_at")),
            Index(fields=("run_id",)),
            Index(fields=("task_id", "started_at")),
        )

    def scope(self) -> Scope:
        """`board` must be loaded."""
        return Scope(
            organization_id=self.board.organization_id,
            board_id=self.board_id,
            task_id=self.task_id,
            agent_id=self.agent_id,
            subject_id=self.id,
        )


class Activity(Identified):
    """Something that an agent did in a session; its id follows from the session and the program's key for it.

    `ref` joins the beginning and the end of one call. `detail` is what else is shown of it, at most 4 KB.
    """

    session = reference("AgentSession")
    session_id: UUID
    seq = fields.IntField()
    run_id = nullable(fields.UUIDField)
    at = UtcDatetimeField()
    kind = fields.CharField(max_length=32)
    title = fields.CharField(max_length=200)
    state = nullable(fields.CharField, max_length=16)
    ref = nullable(fields.CharField, max_length=255)
    detail = json_field(null=True)

    class Meta:
        table = "session_activities"
        unique_together = (("session", "seq"),)
        indexes = (Index(fields=("at",)), Index(fields=("run_id",)))


class Note(Dated):
    """What a person tells an agent about its run or session.

    Its id is that of the notice that carries it, which says how far it came. One that was not offered by `expires_at`,
    or before its run ended, has `expired_at`.
    """

    board = reference("Board")
    board_id: UUID
    agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    agent_id: UUID | None
    user = reference("User", null=True, on_delete=fields.SET_NULL)
    user_id: UUID | None
    task_id = nullable(fields.UUIDField)
    run_id = nullable(fields.UUIDField)
    session_id = nullable(fields.UUIDField)
    text = fields.TextField()
    expires_at = UtcDatetimeField()
    expired_at = UtcDatetimeField(null=True)

    class Meta:
        table = "run_notes"
        indexes = (Index(fields=("task_id", "created_at")), Index(fields=("session_id", "created_at")))
