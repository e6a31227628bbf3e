"""What gateways ask for agents on no board."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.core.actor import Scope
from mission_control.database.records import Dated, UtcDatetimeField, json_field, nullable, reference


class GatewayRequest(Dated):
    """What a gateway asks for an agent without a board: `kind` is `approval` or `question`.

    An approval is `pending`, `approved` or `rejected`, and has `action_type` and `payload` as those of boards. A
    question is `pending`, `answered` or `withdrawn`, and has `content`, `options`, `allows_text` and
    `chosen_option_id`. `answer` is what the gateway gets; `answer_state` is `waiting` to be sent, `sent`, or `late`.
    `agent_name` is the agent's name here or, where it is unknown, its id on the gateway.
    """

    organization = reference("Organization")
    gateway = reference("Gateway")
    kind = fields.CharField(max_length=16)
    external_id = fields.TextField()
    gateway_agent_id = fields.TextField()
    agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    agent_name = fields.TextField()
    action_type = nullable(fields.TextField)
    payload = json_field(null=True)
    content = nullable(fields.TextField)
    options = json_field(null=True)
    allows_text = fields.BooleanField(default=True)
    chosen_option_id = nullable(fields.CharField, max_length=64)
    expires_at = UtcDatetimeField(null=True)
    status = fields.CharField(max_length=16, default="pending")
    answer = nullable(fields.TextField)
    answer_state = nullable(fields.CharField, max_length=16)
    note = nullable(fields.TextField)
    resolved_by_user = reference("User", null=True, on_delete=fields.SET_NULL)
    resolved_by_name = nullable(fields.TextField)
    resolved_at = UtcDatetimeField(null=True)

    organization_id: UUID
    gateway_id: UUID
    agent_id: UUID | None
    resolved_by_user_id: UUID | None

    class Meta:
        table = "gateway_requests"
        unique_together = (("gateway", "external_id"),)
        indexes = (Index(fields=("organization_id", "status", "created_at")),)

    @property
    def state(self) -> str:
        return "open" if self.status == "pending" else self.status

    def scope(self) -> Scope:
        """Events about this request stand on its gateway's page."""
        return Scope(organization_id=self.organization_id, subject_id=self.gateway_id)
