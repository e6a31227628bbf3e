"""The rows of the room `agents`."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.actor import Scope
from mission_control.database.records import (
    Changing,
    Dated,
    UtcDatetimeField,
    json_field,
    nullable,
    only_reference,
    reference,
    sealed,
)

WARN_AT_PERCENT = 80


class UsageEntry(Dated):
    """Tokens and money of an agent, counted at once. `cost_micros` is in millionths of a US dollar.

    `source` is `agent` for what it reported itself, `program` or `acp` for what its program or its client told, and
    `gateway` for what its gateway measured. Of an agent on a gateway each counts only what goes beyond the other.

    Of the `input_tokens`, `cached_tokens` came from the model's cache, and `written_tokens` were written to it. `key`
    is how the agent's program knows one request to its model: a second report of it counts nothing.

    `priced` says where the cost comes from: `told` with the usage, by the price `list` as it was checked on the day
    `price_date`, or by an `own` price since that day; it is `unpriced`, and its tokens are `unpriced_tokens`, when
    neither has the model. An amount that was counted stays as it is when prices change. `gaps` is how many requests
    may be missing in it: with any, here or in a sum, at least so much was used.
    """

    organization = reference("Organization")
    board = reference("Board", null=True, on_delete=fields.SET_NULL)
    agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    run = reference("Run", null=True, on_delete=fields.SET_NULL)
    task_id = fields.UUIDField(null=True)
    day = fields.CharField(max_length=10)
    input_tokens = fields.BigIntField(default=0)
    output_tokens = fields.BigIntField(default=0)
    cached_tokens = fields.BigIntField(default=0)
    written_tokens = fields.BigIntField(default=0)
    unpriced_tokens = fields.BigIntField(default=0)
    gaps = fields.IntField(default=0)
    cost_micros = fields.BigIntField(default=0)
    priced = fields.CharField(max_length=16, default="told")
    price_date = nullable(fields.CharField, max_length=10)
    model = nullable(fields.TextField)
    source = fields.CharField(max_length=16, default="agent")
    session_id = nullable(fields.UUIDField)
    key = nullable(fields.CharField, max_length=200)

    organization_id: UUID
    board_id: UUID | None
    agent_id: UUID | None
    run_id: UUID | None

    class Meta:
        table = "usage_entries"
        unique_together = (("agent", "key"),)
        indexes = (
            Index(fields=("organization_id", "day")),
            Index(fields=("board_id", "day")),
            Index(fields=("agent_id", "day")),
        )


class ModelPrice(Dated):
    """What an organization pays for a model since a day, in millionths of a US dollar for a million tokens.

    `model` is the name that `prices.plain` makes of it. Tokens read from a cache, or written to one, without a price of
    their own cost what other input costs.
    """

    organization = reference("Organization")
    organization_id: UUID
    model = fields.CharField(max_length=200)
    since = fields.CharField(max_length=10)
    input_micros = fields.BigIntField()
    output_micros = fields.BigIntField()
    cached_micros = nullable(fields.BigIntField)
    written_micros = nullable(fields.BigIntField)

    class Meta:
        table = "model_prices"
        unique_together = (("organization", "model", "since"),)


class GatewayAgentUsage(Model):
    """What an agent used in all, as its gateway measured it and as it reported it; the larger one counts."""

    agent = only_reference("Agent", primary_key=True)
    measured_input = fields.BigIntField(default=0)
    measured_output = fields.BigIntField(default=0)
    measured_micros = fields.BigIntField(default=0)
    reported_input = fields.BigIntField(default=0)
    reported_output = fields.BigIntField(default=0)
    reported_micros = fields.BigIntField(default=0)

    agent_id: UUID

    class Meta:
        table = "gateway_agent_usage"


class Budget(Changing):
    """A limit for one agent, one board, or (neither given) the organization, for each UTC day or in total.

    `unit` is `tokens` (input and output together) or `cost` (millionths of a US dollar). `used_amount` is what was used
    on the day `used_on`, or ever when the period is `total`: it grows with every report, under the budget's lock, as do
    the `unpriced_tokens` of that time, of which the cost is not known, and its `gaps`.
    `state_at` is when it was nearly or fully used up.
    """

    organization = reference("Organization")
    board = reference("Board", null=True)
    agent = reference("Agent", null=True)
    unit = fields.CharField(max_length=16)
    period = fields.CharField(max_length=16, default="day")
    limit_amount = fields.BigIntField()
    used_amount = fields.BigIntField(default=0)
    unpriced_tokens = fields.BigIntField(default=0)
    gaps = fields.IntField(default=0)
    used_on = nullable(fields.CharField, max_length=10)
    warned_on = nullable(fields.CharField, max_length=10)
    exceeded_on = nullable(fields.CharField, max_length=10)
    state_at = UtcDatetimeField(null=True)

    organization_id: UUID
    board_id: UUID | None
    agent_id: UUID | None

    class Meta:
        table = "budgets"

    @property
    def subject(self) -> str:
        return "agent" if self.agent_id else "board" if self.board_id else "organization"

    @property
    def subject_id(self) -> UUID:
        return self.agent_id or self.board_id or self.organization_id

    def used(self, day: str) -> int:
        return self.used_amount if self.period == "total" or self.used_on == day else 0

    def unpriced(self, day: str) -> int:
        """Return how many tokens a budget of money does not count, as they have no price."""
        return self.unpriced_tokens if self.unit == "cost" and (self.period == "total" or self.used_on == day) else 0

    def gaps_on(self, day: str) -> int:
        return self.gaps if self.period == "total" or self.used_on == day else 0

    def stands(self, line: str | None, day: str) -> bool:
        """Return whether `warned_on` or `exceeded_on` still holds on a day."""
        return line is not None and (self.period == "total" or line == day)

    def state(self, day: str) -> str:
        """`ok`, `warning` from 80 % on, or `exceeded`."""
        used = self.used(day)
        if used >= self.limit_amount:
            return "exceeded"
        return "warning" if used * 100 >= self.limit_amount * WARN_AT_PERCENT else "ok"


class Agent(Changing):
    """A lead or worker of a board. Without a gateway it is a direct agent: any program with a token."""

    organization = reference("Organization")
    board = reference("Board", null=True)
    gateway_id = fields.UUIDField(null=True, db_index=True)
    name = fields.TextField()
    status = fields.CharField(max_length=64, default="provisioning")
    is_board_lead = fields.BooleanField(default=False)
    heartbeat_config = json_field(null=True)
    identity_profile = json_field(null=True)
    identity_template = fields.TextField(null=True)
    soul_template = fields.TextField(null=True)
    openclaw_session_id = fields.TextField(null=True)
    # On a gateway: its agent there, the folder of its files, and its token for them, encrypted.
    gateway_agent_id = nullable(fields.TextField)
    workspace_path = nullable(fields.TextField)
    workspace_token = sealed(nullable(fields.TextField))
    is_adopted = fields.BooleanField(default=False)
    last_provision_error = nullable(fields.TextField)
    wake_attempts = fields.IntField(default=0)
    last_wake_sent_at = UtcDatetimeField(null=True)
    checkin_deadline_at = UtcDatetimeField(null=True)
    # Since when its gateway has been away, and since when it has been in a turn there.
    gateway_away_at = UtcDatetimeField(null=True)
    run_began_at = UtcDatetimeField(null=True)
    wip_limit = nullable(fields.IntField)
    claim_tags = json_field(null=True)
    callback_url = nullable(fields.TextField)
    callback_secret = sealed(nullable(fields.TextField))
    work_state = fields.CharField(max_length=16, default="running")
    work_state_reason = nullable(fields.TextField)
    work_state_at = UtcDatetimeField(null=True)
    hold = json_field(null=True)  # `AgentHold`: a worker of it waits
    last_seen_at = UtcDatetimeField(null=True)

    organization_id: UUID
    board_id: UUID | None

    class Meta:
        table = "agents"
        indexes = (
            Index(fields=("organization_id", "created_at")),
            Index(fields=("board_id", "created_at")),
            Index(fields=("last_seen_at",)),
        )

    def scope(self) -> Scope:
        return Scope(organization_id=self.organization_id, board_id=self.board_id, agent_id=self.id, subject_id=self.id)


class Connection(Dated):
    """A program on somebody's machine that works as an agent: a person approved it, and it has a token of its own.

    `client` is the program. `checked` is what the program last found when it looked whether its connection works: lines
    with `name`, `state`, `text` and `at`. `must` are patterns of the calls that it holds until a person says yes. One
    that ended stays, without a live token.
    """

    organization = reference("Organization")
    board = reference("Board")
    agent = reference("Agent")
    user = reference("User")
    client = fields.CharField(max_length=32)
    client_version = nullable(fields.CharField, max_length=64)
    host_label = nullable(fields.CharField, max_length=255)
    user_label = nullable(fields.CharField, max_length=255)
    system = nullable(fields.CharField, max_length=255)
    checked = json_field(null=True)
    checked_at = UtcDatetimeField(null=True)
    must = json_field(null=True)
    ended_at = UtcDatetimeField(null=True)

    organization_id: UUID
    board_id: UUID
    agent_id: UUID
    user_id: UUID

    class Meta:
        table = "connections"
        indexes = (
            Index(fields=("organization_id", "created_at")),
            Index(fields=("user_id", "created_at")),
            Index(fields=("agent_id",)),
            Index(fields=("board_id",)),
        )


class DeviceCode(Dated):
    """A terminal that asks to be signed in, as RFC 8628 has it: `pending`, `approved`, `refused`, or `used`.

    The terminal has the secret of the fingerprint, its person the `user_code`. `wanted_board` and `wanted_agent` are
    what it named, by id or name. Approved, it is for a board, and for an agent; without one, for a new agent.
    """

    fingerprint = fields.CharField(max_length=64, unique=True)
    user_code = fields.CharField(max_length=16, unique=True)
    client = fields.CharField(max_length=32)
    host_label = nullable(fields.CharField, max_length=255)
    user_label = nullable(fields.CharField, max_length=255)
    system = nullable(fields.CharField, max_length=255)
    wanted_board = nullable(fields.CharField, max_length=255)
    wanted_agent = nullable(fields.CharField, max_length=255)
    address = fields.CharField(max_length=64)
    expires_at = UtcDatetimeField()
    interval_seconds = fields.IntField(default=5)
    polled_at = UtcDatetimeField(null=True)
    state = fields.CharField(max_length=16, default="pending")
    user_id = nullable(fields.UUIDField)
    board_id = nullable(fields.UUIDField)
    agent_id = nullable(fields.UUIDField)

    class Meta:
        table = "device_codes"
        indexes = (Index(fields=("expires_at",)),)


class AgentSoul(Dated):
    """A version of an agent's soul, its author and the reason; the newest is the current one."""

    agent = reference("Agent")
    content = fields.TextField()
    source_url = fields.TextField(null=True)
    reason = fields.TextField(null=True)
    author_kind = fields.CharField(max_length=16)
    author_id = fields.UUIDField(null=True)
    author_name = fields.TextField(null=True)

    agent_id: UUID

    class Meta:
        table = "agent_souls"
        indexes = (Index(fields=("agent_id", "created_at")),)
