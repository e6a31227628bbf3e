"""Where people are reached, what they chose, which needs wait for each, and what was sent."""

from datetime import timedelta
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.core.actor import Scope
from mission_control.database.records import (
    Dated,
    Identified,
    Owned,
    UtcDatetimeField,
    json_field,
    nullable,
    only_reference,
    reference,
    sealed,
)

KEPT = timedelta(days=30)  # what was sent, and devices that ended
NO_LONGER = "It no longer waits for you."  # how a need ended of which no more is known


class ReachChannel(Owned):
    """A channel that admins set up for their organization: a Slack app, a bot, a server of chats.

    `settings` are those that everybody may read, `secrets` the others, as JSON. `state` is `on`, `failing` since
    `failing_since` with the provider's words in `last_error`, or `off`. The process that listens to it has a lease;
    `position` is from where it goes on.
    """

    kind = fields.CharField(max_length=32)
    name = fields.CharField(max_length=120)
    settings: dict[str, str] = json_field(default=dict)
    secrets = sealed(fields.TextField(default=""))
    state = fields.CharField(max_length=16, default="on")
    last_error = nullable(fields.TextField)
    failing_since = UtcDatetimeField(null=True)
    position = fields.TextField(default="")
    leased_by = nullable(fields.CharField, max_length=64)
    leased_until = UtcDatetimeField(null=True)

    organization_id: UUID

    class Meta:
        table = "reach_channels"
        indexes = (Index(fields=("organization_id", "kind")),)

    def scope(self) -> Scope:
        return Scope(organization_id=self.organization_id, subject_id=self.id)


class Device(Dated):
    """A place where a person is reached, in all organizations unless it belongs to a channel of one; or a board's team.

    `who` is the provider's id of the person and `mark` names it among all, null once it has ended, or the provider no
    longer knows the place of a team. `address` is where messages go, `settings` what the person typed for it, as JSON.
    It was made at our address `origin`. `position` is its place in the person's order.
    """

    user = reference("User", null=True)
    board = reference("Board", null=True)
    organization = reference("Organization", null=True)
    kind = fields.CharField(max_length=32)
    channel = reference("ReachChannel", null=True)
    mark = nullable(fields.CharField, max_length=64, unique=True)
    who = fields.TextField(default="")
    address = sealed(fields.TextField())
    settings = sealed(fields.TextField(default=""))
    origin = fields.TextField(default="")
    label = fields.CharField(max_length=200)
    position = fields.IntField(default=0)
    last_ok_at = UtcDatetimeField(null=True)
    last_error = nullable(fields.TextField)
    failed_at = UtcDatetimeField(null=True)
    ended_at = UtcDatetimeField(null=True)

    user_id: UUID | None
    board_id: UUID | None
    organization_id: UUID | None
    channel_id: UUID | None

    class Meta:
        table = "reach_devices"
        indexes = (
            Index(fields=("user_id", "ended_at")),
            Index(fields=("board_id", "ended_at")),
            Index(fields=("organization_id",)),
            Index(fields=("channel_id",)),
        )


class ReachSettings(Identified):
    """What a person chose; who has no row has the defaults.

    `mode` is `devices` (then by mail after `next_after` minutes), `mail` or `page`. Quiet hours are of the clock where
    the person is, such as `22:00`; `days_off` are numbers, Monday is 0. `shows` on lock screens is `title` or
    `nothing`. `kinds` of needs have an own `at_once`, `digest` or `never`. `acted_at` is when the person last did
    something on an open page.
    """

    user = only_reference("User")
    mode = fields.CharField(max_length=16, default="devices")
    next_after = fields.IntField(default=10)
    has_quiet = fields.BooleanField(default=True)
    quiet_from = fields.CharField(max_length=5, default="22:00")
    quiet_to = fields.CharField(max_length=5, default="08:00")
    days_off: list[int] = json_field(default=list)
    wake = fields.BooleanField(default=False)
    shows = fields.CharField(max_length=16, default="title")
    only_blocking = fields.BooleanField(default=False)
    morning = fields.BooleanField(default=False)
    mail = fields.BooleanField(default=True)
    kinds: dict[str, str] = json_field(default=dict)
    acted_at = UtcDatetimeField(null=True)

    user_id: UUID

    class Meta:
        table = "reach_settings"


class ReachBoard(Dated):
    """How a person is reached about a board that differs: `at_once`, also in quiet hours, `digest` or `never`."""

    user = reference("User")
    board = reference("Board")
    how = fields.CharField(max_length=16)

    user_id: UUID
    board_id: UUID

    class Meta:
        table = "reach_boards"
        unique_together = (("user", "board"),)
        indexes = (Index(fields=("board_id",)),)


class ReachNeed(Dated):
    """A need that waits for a person, or of a board whose team has a place (`device_id`): `reader_id` is either's id.

    `tried` are the links, moments and reasons of what was sent, `failed` the links that did not take it; since
    `given_up_at` there is none left. What is kept for a digest is due at `next_at`. A row is deleted when its need no
    longer waits; one that is kept for a digest says there how it ended: `ended_how`.
    """

    reader_id = fields.UUIDField()
    organization = reference("Organization")
    user = reference("User", null=True)
    device = reference("Device", null=True)
    kind = fields.CharField(max_length=16)
    subject_id = fields.UUIDField()
    version = fields.TextField()
    substance = fields.TextField(default="")
    board_id = nullable(fields.UUIDField)
    since = UtcDatetimeField()
    act_by = UtcDatetimeField(null=True)
    named = fields.BooleanField(default=False)
    seen_at = UtcDatetimeField(null=True)
    tried: list[list[str]] = json_field(default=list)
    failed: list[str] = json_field(default=list)
    next_at = UtcDatetimeField(null=True)
    given_up_at = UtcDatetimeField(null=True)
    ended_at = UtcDatetimeField(null=True)
    ended_how = nullable(fields.TextField)

    organization_id: UUID
    user_id: UUID | None
    device_id: UUID | None

    class Meta:
        table = "reach_needs"
        unique_together = (("reader_id", "kind", "subject_id"),)
        indexes = (
            Index(fields=("organization_id", "ended_at")),
            Index(fields=("organization_id", "given_up_at")),
            Index(fields=("user_id",)),
            Index(fields=("device_id",)),
        )


class ReachMessage(Dated):
    """What was sent, or is to be, to a person or a team; mail has no device.

    `why` is `first`, `unseen`, `last call`, `digest`, `test` or `team`. `state` is `queued`, `sent`, `seen`,
    `answered` (there), `elsewhere` (answered or ended elsewhere), `expired`, `failed` (given up), or `withdrawn` (ended
    before it left). `edited` is what was last shown there, so that nothing is edited twice. `topic` names its thread.
    Until `awaits_until`, what its person writes there next is the words for the answer `awaits`.
    """

    organization = reference("Organization", null=True)
    user = reference("User", null=True)
    device = reference("Device", null=True)
    kind = fields.CharField(max_length=32)
    why = fields.CharField(max_length=16)
    state = fields.CharField(max_length=16, default="queued")
    title = fields.TextField()
    topic = fields.CharField(max_length=64, default="")
    is_first = fields.BooleanField(default=True)
    provider_name = nullable(fields.TextField)
    expires_at = UtcDatetimeField(null=True)
    sent_at = UtcDatetimeField(null=True)
    seen_at = UtcDatetimeField(null=True)
    ended_at = UtcDatetimeField(null=True)
    ended_how = nullable(fields.TextField)
    error = nullable(fields.TextField)
    edited = fields.TextField(default="")
    awaits = nullable(fields.CharField, max_length=80)
    awaits_until = UtcDatetimeField(null=True)

    organization_id: UUID | None
    user_id: UUID | None
    device_id: UUID | None

    class Meta:
        table = "reach_messages"
        indexes = (
            Index(fields=("user_id", "created_at")),
            Index(fields=("device_id", "created_at")),
            Index(fields=("organization_id", "created_at")),
        )


class ReachMessageNeed(Identified):
    """A need in a message: what was shown of it, and which answers its buttons give, in their order."""

    message = reference("ReachMessage")
    position = fields.IntField()
    kind = fields.CharField(max_length=16)
    subject_id = fields.UUIDField()
    substance = fields.TextField(default="")
    answers: list[str] = json_field(default=list)
    ended_how = nullable(fields.TextField)
    ended_at = UtcDatetimeField(null=True)

    message_id: UUID

    class Meta:
        table = "reach_message_needs"
        indexes = (Index(fields=("message_id", "position")), Index(fields=("subject_id", "kind")))


class ReachCode(Dated):
    """A one-time code that links an account of a chat to a person: kept as a hash.

    Once it was sent to the bot, `who`, `address` and `label` say from where, and the person is asked whether that is
    them.
    """

    user = reference("User")
    channel = reference("ReachChannel")
    hash = fields.CharField(max_length=64, unique=True)
    expires_at = UtcDatetimeField()
    used_at = UtcDatetimeField(null=True)
    who = fields.TextField(default="")
    address = sealed(fields.TextField(default=""))
    label = fields.CharField(max_length=200, default="")

    user_id: UUID
    channel_id: UUID

    class Meta:
        table = "reach_codes"
        indexes = (Index(fields=("user_id",)), Index(fields=("channel_id",)))
