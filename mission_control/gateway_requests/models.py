"""Approvals and questions of gateways for agents that are on no board here."""

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.core.scope import Scope
from mission_control.database.fields import UtcDatetimeField


class GatewayRequest(Model):
    """What a gateway asks for an agent without a board: `kind` is `approval` or `question`.

    An approval is `pending`, `approved` or `rejected`, and has `action_type` and `payload` as those of boards. A
    question is `pending`, `answered` or `withdrawn`, and has `content`, `options`, `allows_text` and
    `chosen_option_id`. `answer` is what the gateway gets; `answer_state` is `waiting` to be sent, `sent`, or `late`.
    `agent_name` is the agent's name here or, where it is unknown, its id on the gateway.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization: Any = fields.ForeignKeyField("models.Organization", related_name=False, on_delete=fields.CASCADE)
    gateway: Any = fields.ForeignKeyField("models.Gateway", related_name=False, on_delete=fields.CASCADE)
    kind = fields.CharField(max_length=16)
    external_id = fields.TextField()
    gateway_agent_id = fields.TextField()
    agent: Any = fields.ForeignKeyField("models.Agent", related_name=False, null=True, on_delete=fields.SET_NULL)
    agent_name = fields.TextField()
    action_type: Any = fields.TextField(null=True)
    payload: Any = fields.JSONField(null=True)
    content: Any = fields.TextField(null=True)
    options: Any = fields.JSONField(null=True)
    allows_text = fields.BooleanField(default=True)
    chosen_option_id: Any = fields.CharField(max_length=64, null=True)
    expires_at: Any = UtcDatetimeField(null=True)
    status = fields.CharField(max_length=16, default="pending")
    answer: Any = fields.TextField(null=True)
    answer_state: Any = fields.CharField(max_length=16, null=True)
    note: Any = fields.TextField(null=True)
    resolved_by_user: Any = fields.ForeignKeyField(
        "models.User", related_name=False, null=True, on_delete=fields.SET_NULL
    )
    resolved_by_name: Any = fields.TextField(null=True)
    resolved_at: Any = UtcDatetimeField(null=True)
    created_at = UtcDatetimeField(default=now)

    organization_id: Any
    gateway_id: Any
    agent_id: Any
    resolved_by_user_id: Any

    class Meta:
        table = "gateway_requests"
        unique_together = (("gateway", "external_id"),)
        indexes = (Index(fields=("organization_id", "status", "created_at")),)

    @property
    def state(self) -> str:
        """The state of a question, as those of boards have it."""
        return "open" if self.status == "pending" else self.status

    def scope(self) -> Scope:
        """Return the scope of events about this request, which stand on its gateway's page."""
        return Scope(organization_id=self.organization_id, subject_id=self.gateway_id)
