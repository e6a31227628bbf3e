"""Rules for custom fields."""

from mission_control.core.actor import Actor
from mission_control.core.policy import Rules
from mission_control.custom_fields.models import CustomField

rules = Rules()


@rules.rule("custom_field.create")
@rules.rule("custom_field.order")
def may_create_field(actor: Actor, thing: object) -> bool:
    """Allow owners and admins of the active organization."""
    return actor.is_user and actor.administers(actor.organization_id)


@rules.rule("custom_field.update")
@rules.rule("custom_field.delete")
def may_change_field(actor: Actor, field: CustomField) -> bool:
    """Allow owners and admins of the field's organization."""
    return actor.is_user and actor.administers(field.organization_id)
