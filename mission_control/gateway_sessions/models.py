"""How much usage of a gateway's sessions is counted already."""

from uuid import UUID

from tortoise import fields

from mission_control.core.clock import now
from mission_control.database.fields import Identified, UtcDatetimeField, reference


class SessionUsage(Identified):
    """The tokens and the cost of a session that were counted; cost is in millionths of a US dollar.

    `session_id` tells a session that began anew from the one before. `session_key` has only the agent of the key
    (`agent:<id>`), because a session that is deleted lives on under another key, with its id and its usage.
    """

    gateway = reference("Gateway")
    session_key = fields.TextField()
    session_id = fields.TextField(default="")
    input_tokens = fields.BigIntField(default=0)
    output_tokens = fields.BigIntField(default=0)
    cost_micros = fields.BigIntField(default=0)
    updated_at = UtcDatetimeField(default=now)

    gateway_id: UUID

    class Meta:
        table = "gateway_session_usage"
        unique_together = (("gateway", "session_key", "session_id"),)
