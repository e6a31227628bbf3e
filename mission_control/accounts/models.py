"""People, how they prove who they are, and what was recorded about it."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.database.fields import Changing, Dated, UtcDatetimeField, json_field, nullable, reference


class InstanceSetting(Model):
    """One value of the whole installation, such as the setup code's fingerprint."""

    name = fields.CharField(max_length=64, primary_key=True)
    value = fields.TextField()

    class Meta:
        table = "instance_settings"


class User(Changing):
    """A person."""

    clerk_user_id = fields.CharField(max_length=255, unique=True)
    email = fields.CharField(max_length=320, null=True)
    email_verified = fields.BooleanField(default=False)
    name = fields.TextField(null=True)
    preferred_name = fields.TextField(null=True)
    pronouns = fields.TextField(null=True)
    timezone = nullable(fields.TextField)
    notes = fields.TextField(null=True)
    context = fields.TextField(null=True)
    is_super_admin = fields.BooleanField(default=False)
    password_hash = fields.TextField(null=True)
    welcomed_at = UtcDatetimeField(null=True)  # when name and time zone were asked for
    active_organization = reference("Organization", null=True, on_delete=fields.SET_NULL)

    active_organization_id: UUID | None

    class Meta:
        table = "users"

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
    """A bearer secret of one person (`mcu_`) or one agent (`mca_`). Only its fingerprint is stored."""

    user = reference("User", null=True)
    agent = reference("Agent", null=True)
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
