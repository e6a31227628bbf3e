"""Custom fields over HTTP."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.schemas import OK, OkResponse
from mission_control.custom_fields import commands, queries
from mission_control.custom_fields.models import CustomField
from mission_control.custom_fields.schemas import (
    TaskCustomFieldDefinitionCreate,
    TaskCustomFieldDefinitionRead,
    TaskCustomFieldDefinitionUpdate,
)
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
    """List the active organization's custom fields by label."""
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
    returns=OkResponse,
)
async def delete_field(actor: Actor, field: CustomField) -> dict[str, bool]:
    """Delete a field that has no values."""
    await commands.delete_field(actor, field)
    return OK
