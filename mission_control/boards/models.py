"""The rows of the room `boards`."""

from uuid import UUID

from tortoise import fields
from tortoise.expressions import Q
from tortoise.indexes import Index
from tortoise.queryset import QuerySet

from mission_control.core.actor import Actor, Scope
from mission_control.core.times import clock_now as now
from mission_control.database.records import Changing, Identified, UtcDatetimeField, json_field, nullable, reference


class Board(Changing):
    """A board with its rules."""

    organization = reference("Organization")
    organization_id: UUID
    name = fields.TextField()
    slug = fields.TextField()
    description = fields.TextField(default="")
    gateway_id = fields.UUIDField(null=True, db_index=True)
    board_group = reference("BoardGroup", null=True, on_delete=fields.SET_NULL)
    board_group_id: UUID | None
    board_type = fields.CharField(max_length=64, default="goal")
    objective = fields.TextField(null=True)
    success_metrics = json_field(null=True)
    target_date = UtcDatetimeField(null=True)
    goal_confirmed = fields.BooleanField(default=False)
    goal_source = fields.TextField(null=True)
    require_approval_for_done = fields.BooleanField(default=True)
    require_review_before_done = fields.BooleanField(default=False)
    comment_required_for_review = fields.BooleanField(default=False)
    block_status_changes_with_pending_approval = fields.BooleanField(default=False)
    only_lead_can_change_status = fields.BooleanField(default=False)
    done_when_merged = fields.BooleanField(default=False)
    done_needs = json_field(null=True)
    approvals_needed = fields.IntField(default=1)
    programs_need_quorum = fields.BooleanField(default=False)
    escalation = json_field(null=True)
    max_agents = fields.IntField(default=1)
    wip_limits = json_field(null=True)
    brief = fields.TextField(default="")
    resume_after_seconds = fields.IntField(default=3600)
    session_detail = fields.CharField(max_length=16, default="names")
    call_rules = json_field(null=True)
    codex_wait_seconds = fields.IntField(default=45)
    work_state = fields.CharField(max_length=16, default="running")
    work_state_reason = nullable(fields.TextField)
    work_state_at = UtcDatetimeField(null=True)
    task_count = fields.IntField(default=0)
    deleted_at = UtcDatetimeField(null=True)
    # When a staged import or erasure began. Until it ends `deleted_at` is set too, so that nobody can see the board.
    absent_since = UtcDatetimeField(null=True)

    class Meta:
        table = "boards"
        indexes = (Index(fields=("board_group_id",)), Index(fields=("organization_id", "created_at")))

    @classmethod
    def visible_to(cls, actor: Actor) -> QuerySet["Board"]:
        if actor.is_agent:
            theirs = {"gateway_id": actor.gateway_id} if actor.is_main else {"id": actor.board_id}
            return cls.filter(**theirs, organization_id=actor.organization_id, deleted_at=None)
        whole, single = actor.readable_boards()
        return cls.filter(Q(organization_id__in=whole) | Q(id__in=single), deleted_at=None)

    def is_visible_to(self, actor: Actor) -> bool:
        if actor.is_agent:
            return actor.reads(self)
        whole, single = actor.readable_boards()
        return self.organization_id in whole or self.id in single

    def scope(self) -> Scope:
        return Scope(organization_id=self.organization_id, board_id=self.id, subject_id=self.id)


class SavedView(Changing):
    """A query of a board and how its tasks are shown, under a name: of one person, or shared with the board."""

    board = reference("Board")
    board_id: UUID
    user = reference("User", null=True, on_delete=fields.SET_NULL)
    user_id: UUID | None
    name = fields.TextField()
    kind = fields.CharField(max_length=16, default="board")
    query = fields.TextField(default="")
    sort = fields.TextField(default="")
    columns = json_field(default=list)
    is_shared = fields.BooleanField(default=False)
    is_default = fields.BooleanField(default=False)
    position = fields.FloatField(default=0.0)

    class Meta:
        table = "board_views"
        indexes = (Index(fields=("board_id", "position")), Index(fields=("user_id",)))

    def scope(self) -> Scope:
        """`board` must be loaded."""
        return Scope(organization_id=self.board.organization_id, board_id=self.board_id, subject_id=self.id)


STATES = ("running", "completed", "released", "expired", "superseded")


class Run(Identified):
    """One assignment of a task to an agent. While it is `running`, it is the task's lease.

    `fence` is the task's number of assignments at that moment. `cost_micros` is in millionths of a US dollar.

    `code` is what it changed in a repository; its diff and the output of its tests are attachments.

    A run waits for people from `parked_at` on, without an expiry. From `ready_at` on its agent may go on: everything
    that it asked is settled, or something with `resumes_on_any`.

    `lease_seconds` is for how long its agent wanted the lease, by which turns renew it.

    `hold_id` names the hold of the worker that keeps it while it waits.

    One that its agent gave back names in `rests_until` from when that agent may be given the task again by itself.
    """

    board = reference("Board")
    board_id: UUID
    task = reference("Task")
    task_id: UUID
    agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    agent_id: UUID | None
    agent_name = fields.TextField()
    fence = fields.IntField()
    state = fields.CharField(max_length=16, default="running")
    started_at = UtcDatetimeField(default=now)
    lease_expires_at = UtcDatetimeField(null=True)
    lease_seconds = fields.IntField(default=900)
    parked_at = UtcDatetimeField(null=True)
    ready_at = UtcDatetimeField(null=True)
    resumes_on_any = fields.BooleanField(default=False)
    ended_at = UtcDatetimeField(null=True)
    end_reason = nullable(fields.TextField)
    hold_id = nullable(fields.UUIDField)
    rests_until = UtcDatetimeField(null=True)
    summary = nullable(fields.TextField)
    checked = nullable(fields.TextField)
    evidence = json_field(null=True)
    code = json_field(null=True)
    input_tokens = fields.BigIntField(default=0)
    output_tokens = fields.BigIntField(default=0)
    cached_tokens = fields.BigIntField(default=0)
    written_tokens = fields.BigIntField(default=0)
    unpriced_tokens = fields.BigIntField(default=0)
    gaps = fields.IntField(default=0)
    cost_micros = fields.BigIntField(default=0)

    class Meta:
        table = "task_runs"
        unique_together = (("task", "fence"),)
        indexes = (Index(fields=("board_id", "started_at")), Index(fields=("agent_id", "started_at")))


class ForgeState(Identified):
    """What a forge told of a pull request, a branch or a commit (`kind`), by its number, name or id.

    `repository` is its address without the scheme, in lower case. `branch` is that of a pull request.
    """

    board = reference("Board")
    board_id: UUID
    repository = fields.CharField(max_length=500)
    kind = fields.CharField(max_length=16)
    name = fields.CharField(max_length=255)
    branch = nullable(fields.CharField, max_length=255)
    facts = json_field(default=dict)
    reported_at = UtcDatetimeField(default=now)

    class Meta:
        table = "forge_states"
        unique_together = (("board", "repository", "kind", "name"),)
