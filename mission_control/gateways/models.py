"""Gateways, the installation's identity towards them, and calls between processes."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.times import clock_now as now
from mission_control.database.records import Dated, Owned, UtcDatetimeField, json_field, nullable, reference, sealed


class Gateway(Owned):
    """An OpenClaw gateway of an organization, and what is known of the connection to it.

    `state` is `connecting`, `connected`, `pairing` (waits for a person), `unreachable` or `refused`; `state_code` is
    the reason for programs, `last_error` the one for people. `token` and `device_token` are encrypted. `holder` names
    the process that has the connection, until `held_until`. `away_since` is when the connection ended, or was tried for
    the first time; None while there is one. `instance_id` is the gateway's own, by which the organization has it once;
    where another row has it already, `same_as` is that row, and this one is not used.
    """

    name = fields.TextField()
    url = fields.TextField()
    workspace_root = fields.TextField()
    token = sealed(nullable(fields.TextField))
    allow_insecure_tls = fields.BooleanField(default=False)
    disable_device_pairing = fields.BooleanField(default=False)
    state = fields.CharField(max_length=16, default="connecting")
    state_code = nullable(fields.CharField, max_length=64)
    last_error = nullable(fields.TextField)
    state_at = UtcDatetimeField(default=now)
    away_since = UtcDatetimeField(null=True)
    device_token = sealed(nullable(fields.TextField))
    pairing_request_id = nullable(fields.TextField)
    pairing_device_id = nullable(fields.TextField)
    version = nullable(fields.TextField)
    protocol = nullable(fields.IntField)
    role = nullable(fields.TextField)
    scopes = json_field(null=True)
    methods = json_field(null=True)
    events = json_field(null=True)
    capabilities = json_field(null=True)
    boot_id = nullable(fields.TextField)
    instance_id = nullable(fields.CharField, max_length=200)
    same_as = reference("Gateway", null=True, on_delete=fields.SET_NULL)
    holder = nullable(fields.CharField, max_length=64)
    held_until = UtcDatetimeField(null=True)
    connected_at = UtcDatetimeField(null=True)

    same_as_id: UUID | None

    class Meta:
        table = "gateways"
        indexes = (Index(fields=("organization_id", "created_at")),)


class GatewayIdentity(Model):
    """The key by which gateways know this installation: one row, `name` is always `installation`.

    `private_key` is encrypted; `device_id` is the SHA-256 of the public key, in hexadecimal digits.
    """

    name = fields.CharField(max_length=16, primary_key=True, default="installation")
    private_key = sealed(fields.TextField())
    device_id = fields.CharField(max_length=64)
    created_at = UtcDatetimeField(default=now)

    class Meta:
        table = "gateway_identity"


class GatewayCall(Dated):
    """A call of a process to a gateway whose connection another process has: `waiting`, `taken`, `done`, `failed`.

    `params` and `result` are encrypted JSON; `error` is what `GatewayError` says, as JSON.
    """

    gateway = reference("Gateway")
    caller = fields.CharField(max_length=64)
    method = fields.CharField(max_length=128)
    params = sealed(fields.TextField())
    state = fields.CharField(max_length=16, default="waiting")
    result = sealed(nullable(fields.TextField))
    error = json_field(null=True)
    due_by = UtcDatetimeField()

    gateway_id: UUID

    class Meta:
        table = "gateway_calls"
        indexes = (Index(fields=("gateway_id", "state", "created_at")),)
