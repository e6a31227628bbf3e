"""The rows of the room `people`."""

from typing import Self
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.actor import Scope
from mission_control.core.times import clock_now as now
from mission_control.core.values import new_id
from mission_control.database.records import (
    Changing,
    Dated,
    Owned,
    UtcDatetimeField,
    json_field,
    nullable,
    reference,
    sealed,
)
from mission_control.events.event_log import GENESIS, sign

LOCAL = "local-"


class InstanceSetting(Model):
    """One value of the whole installation, such as the setup code's fingerprint."""

    name = fields.CharField(max_length=64, primary_key=True)
    value = fields.TextField()

    class Meta:
        table = "instance_settings"

    @classmethod
    async def put(cls, name: str, value: str) -> None:
        """Store a value in place of the one before, in one statement: servers that start together do the same."""
        await cls.bulk_create([cls(name=name, value=value)], on_conflict=["name"], update_fields=["value"])

    @classmethod
    async def read(cls, name: str) -> str | None:
        setting = await cls.get_or_none(name=name)
        return setting.value if setting else None


class User(Changing):
    """A person."""

    # The id at the identity provider; an account without one has an id of its own.
    clerk_user_id = fields.CharField(max_length=255, unique=True, default=lambda: f"{LOCAL}{new_id().hex}")
    email = fields.CharField(max_length=320, null=True)
    email_verified = fields.BooleanField(default=False)
    name = fields.TextField(null=True)
    preferred_name = fields.TextField(null=True)
    pronouns = fields.TextField(null=True)
    timezone = nullable(fields.TextField)
    notes = fields.TextField(null=True)
    context = fields.TextField(null=True)
    is_super_admin = fields.BooleanField(default=False)
    # While they are away, another person is asked when they are asked by name.
    away_until = UtcDatetimeField(null=True)
    stand_in = reference("User", null=True, on_delete=fields.SET_NULL)
    # The last absence: from the last sign in any browser to the return.
    absent_since = UtcDatetimeField(null=True)
    back_at = UtcDatetimeField(null=True)
    password_hash = fields.TextField(null=True)
    welcomed_at = UtcDatetimeField(null=True)  # when name and time zone were asked for
    active_organization = reference("Organization", null=True, on_delete=fields.SET_NULL)

    active_organization_id: UUID | None
    stand_in_id: UUID | None

    class Meta:
        table = "users"
        indexes = (Index(fields=("stand_in_id",)),)

    @property
    def is_linked(self) -> bool:
        """Whether the account belongs to a person of the identity provider."""
        return not self.clerk_user_id.startswith(LOCAL)

    @property
    def display_name(self) -> str:
        """Return the name shown to others: the preferred name, the name, the address, or "User"."""
        return self.preferred_name or self.name or self.email or "User"


class Session(Dated):
    """A signed-in browser. The cookie carries a secret; its fingerprint is stored here."""

    user = reference("User")
    fingerprint = fields.CharField(max_length=64, unique=True)
    user_agent = fields.TextField(null=True)
    address = nullable(fields.CharField, max_length=64)
    expires_at = UtcDatetimeField()
    last_seen_at = UtcDatetimeField(default=now)

    user_id: UUID

    class Meta:
        table = "sessions"


class Token(Dated):
    """A bearer secret of one person (`mcu_`) or one agent (`mca_`). Only its fingerprint is stored.

    One of an agent may belong to a connection, and ends with it, not when the agent's own token is replaced.
    """

    user = reference("User", null=True)
    agent = reference("Agent", null=True)
    connection = reference("Connection", null=True)
    name = fields.TextField(default="")
    prefix = fields.CharField(max_length=16)
    fingerprint = fields.CharField(max_length=64, unique=True)
    scopes = json_field(null=True)
    requests_per_minute = nullable(fields.IntField)
    expires_at = UtcDatetimeField(null=True)
    revoked_at = UtcDatetimeField(null=True)
    last_used_at = UtcDatetimeField(null=True)

    user_id: UUID | None
    agent_id: UUID | None
    connection_id: UUID | None

    class Meta:
        table = "tokens"


class PasswordReset(Dated):
    """A one-time link with which a person sets a new password."""

    user = reference("User")
    fingerprint = fields.CharField(max_length=64, unique=True)
    expires_at = UtcDatetimeField()
    used_at = UtcDatetimeField(null=True)

    user_id: UUID

    class Meta:
        table = "password_resets"


class MailRequest(Dated):
    """Somebody without a session asked for a mail: counted for an hour by account and by address, in every process.

    `key` is the fingerprint of what counts, whether or not there is such an account.
    """

    key = fields.CharField(max_length=64)

    class Meta:
        table = "mail_requests"
        indexes = (Index(fields=("key", "created_at")), Index(fields=("created_at",)))


class AccountEvent(Dated):
    """One entry of the account log: sign-ins, passwords, tokens. Numbered and chained like events."""

    seq = fields.BigIntField(unique=True)
    kind = fields.CharField(max_length=64)
    user_id = fields.UUIDField(null=True)
    actor_id = fields.UUIDField(null=True)
    data = fields.TextField(default="{}")
    prev_hash = fields.CharField(max_length=64)
    hash = fields.CharField(max_length=64)

    class Meta:
        table = "account_events"
        indexes = (Index(fields=("user_id", "seq")),)


class Organization(Changing):
    """Everything that belongs together: boards, agents, members, and one event log."""

    name = fields.TextField()
    is_demo = fields.BooleanField(default=False)
    log_seq = fields.BigIntField(default=0)
    log_hash = fields.CharField(max_length=64, default=GENESIS)
    log_signature = fields.CharField(max_length=96, default="")
    delivery_seq = fields.BigIntField(default=0)
    work_state = fields.CharField(max_length=16, default="running")
    work_state_reason = nullable(fields.TextField)
    work_state_at = UtcDatetimeField(null=True)

    class Meta:
        table = "organizations"

    @classmethod
    async def found(cls, name: str, *, is_demo: bool = False) -> Self:
        """Insert an organization with an empty log whose head is signed."""
        id = new_id()
        return await cls.create(id=id, name=name, is_demo=is_demo, log_signature=sign(str(id), 0, GENESIS))

    def scope(self) -> Scope:
        """Where an event about this organization belongs."""
        return Scope(organization_id=self.id, subject_id=self.id)


class Reaching(Owned):
    """What a person is in an organization, or is invited to be."""

    role = fields.CharField(max_length=16, default="member")
    all_boards_read = fields.BooleanField(default=False)
    all_boards_write = fields.BooleanField(default=False)

    class Meta:
        abstract = True


class Member(Reaching):
    """A person's place in an organization: owner, admin or member.

    `report_closed_at` is when the person closed what Home says of an absence.
    """

    user = reference("User")
    report_closed_at = UtcDatetimeField(null=True)

    user_id: UUID

    class Meta:
        table = "organization_members"
        unique_together = (("organization", "user"),)


class OnBoard(Changing):
    """What somebody without an all-boards flag may do on one board."""

    board = reference("Board")
    can_read = fields.BooleanField(default=True)
    can_write = fields.BooleanField(default=False)

    board_id: UUID

    class Meta:
        abstract = True


class BoardAccess(OnBoard):
    """What a member may do on one board."""

    organization_member = reference("Member")

    organization_member_id: UUID

    class Meta:
        table = "organization_board_access"
        unique_together = (("organization_member", "board"),)


class Invite(Reaching):
    """An invitation; its token is stored as a fingerprint and shown once."""

    invited_email = fields.CharField(max_length=320, db_index=True)
    fingerprint = fields.CharField(max_length=64, unique=True)
    encrypted_token = sealed(nullable(fields.TextField))  # until it is used
    created_by_user = reference("User", null=True, on_delete=fields.SET_NULL)
    accepted_by_user = reference("User", null=True, on_delete=fields.SET_NULL)
    accepted_at = UtcDatetimeField(null=True)
    mail_delivery_id = nullable(fields.UUIDField)
    expires_at = UtcDatetimeField()

    created_by_user_id: UUID | None
    accepted_by_user_id: UUID | None

    class Meta:
        table = "organization_invites"

    @property
    def is_expired(self) -> bool:
        return bool(self.expires_at <= now())

    @property
    def is_open(self) -> bool:
        """Whether somebody can accept it."""
        return self.accepted_at is None and not self.is_expired


class InviteBoardAccess(OnBoard):
    """What an invited member will be able to do on one board."""

    organization_invite = reference("Invite")

    organization_invite_id: UUID

    class Meta:
        table = "organization_invite_board_access"
        unique_together = (("organization_invite", "board"),)


class Job(Changing):
    """One piece of long work: `running`, `done`, `failed` or `interrupted`.

    `step` says what is being done, `done` of `total` how far that is; `total` is None where nobody knows. `runner` is
    the process that works on it; without one its state is kept elsewhere and survives every process. `updated_at` is
    touched while it runs. `read_at` is when its result was read. `about_id` is what it changes, where that says so.
    """

    organization = reference("Organization")
    user = reference("User", null=True, on_delete=fields.SET_NULL)
    kind = fields.CharField(max_length=32)
    title = fields.TextField()
    about_id = fields.UUIDField(null=True)
    state = fields.CharField(max_length=16, default="running")
    step = fields.TextField(default="")
    done = fields.IntField(default=0)
    total = nullable(fields.IntField)
    result = json_field(null=True)
    error = nullable(fields.TextField)
    runner = nullable(fields.CharField, max_length=64)
    finished_at = UtcDatetimeField(null=True)
    read_at = UtcDatetimeField(null=True)

    organization_id: UUID
    user_id: UUID | None

    class Meta:
        table = "jobs"
        indexes = (
            Index(fields=("organization_id", "created_at")),
            Index(fields=("user_id", "read_at")),
            Index(fields=("state", "updated_at")),
        )

    @property
    def is_running(self) -> bool:
        return self.state == "running"

    @property
    def outcome(self) -> str:
        """Its state in one word; `partly` when it is done and has noted problems."""
        return "partly" if self.result and self.result.get("problems") else self.state

    @property
    def percent(self) -> int | None:
        """How much of its present step is done, of 100; None where nobody knows."""
        return None if not self.total else min(100, 100 * self.done // self.total)
