"""Custom fields over HTTP."""

from mission_control.core.actor import Actor
from mission_control.core.values import OK, ErrorResponse, JsonObject, OkResponse, Page, page_of
from mission_control.http.operation_api import Api
from mission_control.tasks.custom_fields import commands as custom_field_commands
from mission_control.tasks.custom_fields.queries import (
    FieldDeletion,
    FieldOrder,
    PatternTrial,
    PatternTrialRead,
    TaskCustomFieldDefinitionCreate,
    TaskCustomFieldDefinitionRead,
    TaskCustomFieldDefinitionUpdate,
    field_read,
    list_fields,
)
from mission_control.tasks.custom_fields.values import pattern_mismatch
from mission_control.tasks.models import CustomField

api = Api(__name__, "custom-fields", below="/organizations/me/custom-fields")
FIELD = "/<task_custom_field_definition_id>"


@api.get("")
async def list_org_custom_fields(actor: Actor) -> list[TaskCustomFieldDefinitionRead]:
    """List the active organization's custom fields: those that were put in order, then the others by label."""
    return await list_fields(actor.organization_id)


@api.post("", rule="custom_field.create")
async def create_org_custom_field(actor: Actor, data: TaskCustomFieldDefinitionCreate) -> TaskCustomFieldDefinitionRead:
    """Add a field to the tasks of some boards."""
    field = await custom_field_commands.create_field(actor, data)
    return await field_read(field.id, data.board_ids)


@api.get(FIELD)
async def get_org_custom_field(actor: Actor, field: CustomField) -> TaskCustomFieldDefinitionRead:
    """Read a custom field."""
    return await field_read(field.id)


@api.patch(FIELD, rule="custom_field.update")
async def update_org_custom_field(
    actor: Actor, field: CustomField, data: TaskCustomFieldDefinitionUpdate
) -> TaskCustomFieldDefinitionRead:
    """Change a field; only the sent attributes. Values on boards that lose the field stay stored but hidden."""
    await custom_field_commands.update_field(actor, field, data)
    return await field_read(field.id, data.board_ids)


@api.delete(FIELD, rule="custom_field.delete")
async def delete_org_custom_field(actor: Actor, field: CustomField, query: FieldDeletion) -> OkResponse:
    """Delete a field that has no values, or, with `with_values`, also those."""
    await custom_field_commands.delete_field(actor, field, with_values=query.with_values)
    return OK


@api.put("/order", Page[TaskCustomFieldDefinitionRead], rule="custom_field.order", errors={409: ErrorResponse})
async def order_org_custom_fields(actor: Actor, data: FieldOrder) -> JsonObject:
    """Put all fields of the active organization in order, as lists and tasks show them."""
    await custom_field_commands.order_fields(actor, actor.organization_id, data.field_ids)
    return page_of(await list_fields(actor.organization_id))


@api.post("/pattern-trials", rule="custom_field.create")
async def try_org_custom_field_pattern(actor: Actor, data: PatternTrial) -> PatternTrialRead:
    """Try a pattern with an example before a field gets it. Nothing is stored."""
    reason = pattern_mismatch(data.pattern, data.example)
    return PatternTrialRead(matches=reason is None, reason=reason)
