"""Commands on custom fields."""

from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Invalid, existing
from mission_control.core.values import to_json
from mission_control.database.sql import as_json, held, placeholders, rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import record
from mission_control.tasks.custom_fields.queries import (
    TaskCustomFieldDefinitionCreate,
    TaskCustomFieldDefinitionUpdate,
    number_of_values,
)
from mission_control.tasks.custom_fields.values import WITH_PATTERN, mismatch, type_mismatch
from mission_control.tasks.models import CustomField, CustomFieldBoard

EVENTS = (
    Kind.named(
        "custom_field.created", "A custom field was added to the tasks of some boards.", "made the custom field"
    ),
    Kind.named(
        "custom_field.updated", "A custom field or the boards that have it changed.", "changed the custom field"
    ),
    Kind(
        "custom_field.ordered", "The custom fields were put in another order.", "put the custom fields in order, first"
    ),
    Kind.named("custom_field.deleted", "A custom field was deleted.", "deleted the custom field"),
)


@command("custom_field.create")
async def create_field(actor: Actor, new: TaskCustomFieldDefinitionCreate) -> CustomField:
    """Create a field. A taken key: Conflict; unknown boards or an invalid default: Invalid."""
    await _check_boards(actor.organization_id, new.board_ids)
    field = CustomField(
        organization_id=actor.organization_id,
        label=new.label or new.field_key,
        **new.model_dump(exclude={"label", "default_value", "board_ids"}),
    )
    _check_default(field, new.default_value)
    try:
        async with in_transaction():
            await field.save(force_create=True)
    except IntegrityError:
        raise Conflict(f"The organization has a field with the key {field.field_key} already.") from None
    await _store_default(field, new.default_value)
    await _bind(field, new.board_ids)
    record(
        "custom_field.created", field, f"Custom field created: {field.label}.",
        field_key=field.field_key, field_type=field.field_type, board_ids=new.board_ids,
    )  # fmt: skip
    return field


@command("custom_field.update")
async def update_field(actor: Actor, field: CustomField, change: TaskCustomFieldDefinitionUpdate) -> CustomField:
    """Change a field. A type that stored values do not match: Conflict; an invalid combination: Invalid."""
    sent, board_ids = change.model_dump(exclude_unset=True, exclude={"board_ids"}), change.board_ids
    field = await existing(CustomField.select_for_update().get_or_none(id=field.id))
    stored = {name: getattr(field, name) for name in sent}
    before = {name: old for name, old in stored.items() if type(old) is not type(sent[name]) or old != sent[name]}
    for name in before:
        setattr(field, name, sent[name])
    if field.validation_regex is not None and field.field_type not in WITH_PATTERN:
        raise Invalid("Only text, date and address fields take a pattern.")
    _check_default(field, field.default_value)
    if board_ids is not None:
        await _check_boards(field.organization_id, board_ids)
    if "field_type" in before:
        await _refuse_misfits(field)
    after = {name: sent[name] for name in before}
    if before:
        field.updated_at = times.clock_now()
        await field.save(update_fields=[*(before.keys() - {"default_value"}), "updated_at"])
    if "default_value" in before:
        await _store_default(field, field.default_value)
    if board_ids is not None and (bound := await _bound_boards(field)) != {str(board_id) for board_id in board_ids}:
        await _bind(field, board_ids)
        before["board_ids"], after["board_ids"] = sorted(bound), sorted(map(str, board_ids))
    if before:
        record("custom_field.updated", field, f"Custom field changed: {field.label}.", before=before, after=after)
    return field


async def _refuse_misfits(field: CustomField) -> None:
    values = await rows("SELECT value FROM task_custom_field_values WHERE field_id = ?", field.id)
    if any(type_mismatch(field.field_type, as_json(row["value"])) for row in values):
        raise Conflict(f"Tasks have values in this field that are not of type {field.field_type}. Clear them first.")


@command("custom_field.delete")
async def delete_field(actor: Actor, field: CustomField, *, with_values: bool = False) -> None:
    """Delete a field that has no values, or `with_values` one that has; otherwise: Conflict."""
    field = await existing(CustomField.select_for_update().get_or_none(id=field.id))
    number = await number_of_values(field.id)
    if number and not with_values:
        raise Conflict(
            "Tasks have values in this field. Clear them first, hide the field, or delete it with its values"
            " (with_values)."
        )
    message = f"Custom field deleted: {field.label}."
    record("custom_field.deleted", field, message, field_key=field.field_key, values=number)
    await field.delete()


@command("custom_field.order")
async def order_fields(actor: Actor, organization_id: UUID, field_ids: list[UUID]) -> None:
    """Put an organization's fields in order. Raise Conflict unless these are all of them, once each."""
    fields = await CustomField.filter(organization_id=organization_id).select_for_update()
    if sorted(field_ids) != sorted(field.id for field in fields):
        raise Conflict("Somebody added or deleted a field meanwhile. Load the list again.")
    by_id = {field.id: field for field in fields}
    ordered = [by_id[field_id] for field_id in field_ids]
    moved = [(position, field) for position, field in enumerate(ordered) if field.position != position]
    for position, field in moved:
        await CustomField.filter(id=field.id).update(position=position)
    if moved:
        order = [field.field_key for field in ordered]
        record("custom_field.ordered", ordered[0], "Custom fields put in another order.", order=order)


async def _check_boards(organization_id: UUID, board_ids: list[UUID]) -> None:
    named = f"organization_id = ? AND deleted_at IS NULL AND id IN ({placeholders(len(board_ids))})"
    existing_ids = await held("boards", named, organization_id, *board_ids)
    if strange := [str(board_id) for board_id in board_ids if board_id not in existing_ids]:
        raise Invalid({"message": "Some boards do not belong to this organization.", "invalid_board_ids": strange})


def _check_default(field: CustomField, value: object) -> None:
    if reason := mismatch(field, value):
        raise Invalid(f"The default value does not fit the field. {reason}")


async def _store_default(field: CustomField, value: object) -> None:
    """Store the default by SQL, because Tortoise treats a string as JSON text."""
    text = None if value is None else to_json(value).decode()
    await rows("UPDATE task_custom_field_definitions SET default_value = ? WHERE id = ?", text, field.id)


async def _bound_boards(field: CustomField) -> set[str]:
    links = await rows(
        "SELECT b.board_id FROM board_task_custom_fields b JOIN boards o ON o.id = b.board_id"
        " WHERE b.field_id = ? AND o.deleted_at IS NULL",
        field.id,
    )
    return {str(row["board_id"]) for row in links}


async def _bind(field: CustomField, board_ids: list[UUID]) -> None:
    bound = await _bound_boards(field)
    gone = bound - {str(board_id) for board_id in board_ids}
    await CustomFieldBoard.filter(field_id=field.id, board_id__in=[UUID(board_id) for board_id in gone]).delete()
    await CustomFieldBoard.bulk_create(
        CustomFieldBoard(field_id=field.id, board_id=board_id) for board_id in board_ids if str(board_id) not in bound
    )
