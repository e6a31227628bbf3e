"""Conversations about a board's goal and lead."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.database.fields import Changing, UtcDatetimeField, json_field, nullable, reference


class OnboardingSession(Changing):
    """One conversation about a board: `active`, `completed` by the agent, `confirmed` by a person, or cancelled.

    While the agent has to answer, `delivery_id` names the message that it has to answer; `silent_at` is when the wait
    became too long.
    """

    board = reference("Board")
    session_key = fields.TextField(default="")
    status = fields.CharField(max_length=16, default="active")
    messages = json_field(default=list)
    draft_goal = json_field(null=True)
    delivery_id = nullable(fields.UUIDField)
    silent_at = UtcDatetimeField(null=True)
    cancelled_at = UtcDatetimeField(null=True)

    board_id: UUID

    class Meta:
        table = "board_onboarding_sessions"
        indexes = (Index(fields=("board_id", "updated_at")),)
