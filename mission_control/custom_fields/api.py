"""Custom fields over HTTP."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.schemas import OK, ErrorResponse, OkResponse
from mission_control.custom_fields import commands, queries
from mission_control.custom_fields.models import CustomField
from mission_control.custom_fields.schemas import (
    FieldDeletion,
    FieldOrder,
    PatternTrial,
    PatternTrialRead,
    TaskCustomFieldDefinitionCreate,
    TaskCustomFieldDefinitionRead,
    TaskCustomFieldDefinitionUpdate,
)
from mission_control.custom_fields.values import pattern_mismatch
from mission_control.operations.api import Api
from mission_control.operations.operation import operation

api = Api("custom_fields_api", __name__, url_prefix="/api/v1/organizations/me/custom-fields")
TAGS = ("custom-fields",)
FIELD = "/<task_custom_field_definition_id>"
NAME = "org_custom_field"
PATH = "api_v1_organizations_me_custom_fields"


@operation(
    api,
    "GET",
    "",
    operation_id=f"list_{NAME}s_{PATH}_get",
    tags=TAGS,
    who="user",
    returns=list[TaskCustomFieldDefinitionRead],
)
async def list_fields(actor: Actor) -> list[dict[str, Any]]:
    """List the active organization's custom fields: those that were put in order, then the others by label."""
    return await queries.list_fields(actor.organization_id)


@operation(
    api,
    "POST",
    "",
    operation_id=f"create_{NAME}_{PATH}_post",
    tags=TAGS,
    who="user",
    verb="custom_field.create",
    body=TaskCustomFieldDefinitionCreate,
    returns=TaskCustomFieldDefinitionRead,
)
async def create_field(actor: Actor, data: TaskCustomFieldDefinitionCreate) -> dict[str, Any]:
    """Add a field to the tasks of some boards."""
    field = await commands.create_field(actor, data)
    return await queries.field_read(field.id, data.board_ids)


@operation(
    api,
    "GET",
    FIELD,
    operation_id=f"get_{NAME}",
    tags=TAGS,
    who="user",
    find=queries.visible_field,
    returns=TaskCustomFieldDefinitionRead,
)
async def get_field(actor: Actor, field: CustomField) -> dict[str, Any]:
    """Read a custom field."""
    return await queries.field_read(field.id)


@operation(
    api,
    "PATCH",
    FIELD,
    operation_id=f"update_{NAME}_{PATH}__task_custom_field_definition_id__patch",
    tags=TAGS,
    who="user",
    find=queries.visible_field,
    verb="custom_field.update",
    body=TaskCustomFieldDefinitionUpdate,
    returns=TaskCustomFieldDefinitionRead,
)
async def update_field(actor: Actor, field: CustomField, data: TaskCustomFieldDefinitionUpdate) -> dict[str, Any]:
    """Change a field; only the sent attributes. Values on boards that lose the field stay stored but hidden."""
    await commands.update_field(actor, field, data.model_dump(exclude_unset=True))
    return await queries.field_read(field.id, data.board_ids)


@operation(
    api,
    "DELETE",
    FIELD,
    operation_id=f"delete_{NAME}_{PATH}__task_custom_field_definition_id__delete",
    tags=TAGS,
    who="user",
    find=queries.visible_field,
    verb="custom_field.delete",
    query=FieldDeletion,
    returns=OkResponse,
)
async def delete_field(actor: Actor, field: CustomField, query: FieldDeletion) -> dict[str, bool]:
    """Delete a field that has no values, or, with `with_values`, also those."""
    await commands.delete_field(actor, field, with_values=query.with_values)
    return OK


@operation(
    api,
    "PUT",
    "/order",
    operation_id="order_org_custom_fields",
    tags=TAGS,
    who="user",
    verb="custom_field.order",
    body=FieldOrder,
    returns=list[TaskCustomFieldDefinitionRead],
    errors={409: ErrorResponse},
)
async def order_fields(actor: Actor, data: FieldOrder) -> list[dict[str, Any]]:
    """Put all fields of the active organization in order, as lists and tasks show them."""
    await commands.order_fields(actor, actor.organization_id, data.field_ids)
    return await queries.list_fields(actor.organization_id)


@operation(
    api,
    "POST",
    "/pattern-trials",
    operation_id="try_org_custom_field_pattern",
    tags=TAGS,
    who="user",
    verb="custom_field.create",
    body=PatternTrial,
    returns=PatternTrialRead,
)
async def try_pattern(actor: Actor, data: PatternTrial) -> PatternTrialRead:
    """Try a pattern with an example before a field gets it. Nothing is stored."""
    reason = pattern_mismatch(data.pattern, data.example)
    return PatternTrialRead(matches=reason is None, reason=reason)
