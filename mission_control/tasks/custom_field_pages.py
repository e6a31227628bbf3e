"""Custom fields as pages of the settings: the list and its order, a new one, changing and deleting one."""

from typing import Any
from uuid import UUID

from quart import request
from quart.typing import ResponseReturnValue

from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor, can
from mission_control.core.errors import Invalid
from mission_control.tasks import custom_field_queries
from mission_control.tasks.custom_field_forms import (
    LABELS,
    TYPE_NAMES,
    VISIBILITY_NAMES,
    FieldForm,
    MoveForm,
    NewFieldForm,
    TrialForm,
)
from mission_control.tasks.models import CustomField
from mission_control.tasks.values import WITH_PATTERN
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, FormInvalid, go, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.lists import Asked, LiveList, Order, Pages, greatest
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import SettingsPage, settings_page

pages = Pages("custom_fields_pages", __name__)
FIELDS = "/settings/custom-fields"
SETTINGS = SettingsPage(
    "custom-fields", "Organization", "Custom fields", FIELDS, "sliders-horizontal", 140, "attributes"
)
FIELD = f"{FIELDS}/<uuid:task_custom_field_definition_id>"
ORDERS = {
    "tasks": Order("as tasks show them"),
    "name": Order("by name", lambda field: field["label"].casefold()),
    "type": Order("by type", lambda field: (TYPE_NAMES[field["field_type"]], field["label"].casefold())),
    "changed": greatest("last change", lambda field: field["updated_at"]),
}


async def _listed(actor: Actor, asked: Asked) -> dict[str, object]:
    found = ORDERS[asked.order].sorted(await custom_field_queries.list_fields(actor.organization_id))
    boards = {str(board.id): board.name for board in await boards_of(actor)}
    may_change = can(actor, "custom_field.create")
    return {"fields": found, "boards": boards, "types": TYPE_NAMES, "may_change": may_change, "errors": {}}


NEWS = Concerns[View](("custom_field.", "board."))
LIST = LiveList(
    pages=pages, place=SETTINGS, template="custom_fields/index.html", read=_listed, news=NEWS, orders=ORDERS
)  # fmt: skip


async def _not_moved(actor: Actor, found: None, values: Fields, errors: dict[str, str]) -> str:
    return await LIST.show(actor, errors=errors)


@action(pages, f"{FIELDS}/order", form=MoveForm, shows=_not_moved)
async def order_org_custom_fields(outcome: Outcome[None, MoveForm]) -> ResponseReturnValue:
    """Move a field up or down in the list."""
    return go(f"{FIELDS}#move-{outcome.form.field_id}")


async def _new(actor: Actor, found: None) -> dict[str, Any]:
    boards = [str(board.id) for board in await boards_of(actor)]
    return {"field_type": "text", "ui_visibility": "always", "board_ids": boards}


async def _form(
    actor: Actor, field: CustomField | None, values: dict[str, Any], errors: dict[str, str], trial: object = None
) -> str:
    return await settings_page(
        actor,
        "custom_fields/form.html",
        SETTINGS.key,
        field=field,
        values=values,
        chosen={str(one) for one in values.get("board_ids") or ()},
        errors=errors,
        labels=LABELS,
        types=list(TYPE_NAMES.items()),
        visibilities=list(VISIBILITY_NAMES.items()),
        with_pattern=" ".join(sorted(WITH_PATTERN)),
        boards=await boards_of(actor),
        trial=trial,
    )


@action(pages, FIELDS, form=NewFieldForm, page=f"{FIELDS}/new", shows=_form, starts=_new)
async def create_org_custom_field(outcome: Outcome[None, NewFieldForm]) -> ResponseReturnValue:
    """Create a field."""
    return go(f"{FIELDS}#field-{outcome.answer['id']}")


async def _present(actor: Actor, field: CustomField) -> dict[str, Any]:
    return FieldForm.shown(await custom_field_queries.field_read(field.id))


@action(pages, FIELD, form=FieldForm, page=FIELD, shows=_form, starts=_present)
async def update_org_custom_field(outcome: Outcome[CustomField, FieldForm]) -> ResponseReturnValue:
    """Change a field."""
    return go(f"{FIELDS}#field-{outcome.found.id}")


async def _not_tried(refusal: Refusal[None, TrialForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid, Invalid)
    if is_htmx():
        return render_macro("custom_fields/parts.html", "trial", result=None, error=" ".join(refusal.errors.values()))
    return await _form(refusal.actor, await _tried_field(refusal.actor), refusal.values, refusal.errors)


async def _tried_field(actor: Actor) -> CustomField | None:
    field_id = request.args.get("field", "", type=str)
    return await CustomField.get_or_none(id=UUID(field_id), organization_id=actor.organization_id) if field_id else None


@action(pages, f"{FIELDS}/pattern-trials", form=TrialForm, refused=_not_tried)
async def try_org_custom_field_pattern(outcome: Outcome[None, TrialForm]) -> ResponseReturnValue:
    """Try a pattern with an example: beside the fields for htmx, else on the page of the form."""
    if is_htmx():
        return render_macro("custom_fields/parts.html", "trial", result=outcome.answer)
    field = await _tried_field(outcome.actor)
    return await _form(outcome.actor, field, outcome.form.model_dump(), {}, outcome.answer)


async def _deletion(actor: Actor, field: CustomField, values: Fields, errors: dict[str, str]) -> str:
    number = await custom_field_queries.number_of_values(field.id)
    context: dict[str, object] = {"field": field, "number": number, "errors": errors}
    return await settings_page(actor, "custom_fields/delete.html", SETTINGS.key, **context)


@action(pages, f"{FIELD}/deletions", page=f"{FIELD}/delete", shows=_deletion)
async def delete_org_custom_field(outcome: Outcome[CustomField, None]) -> ResponseReturnValue:
    """Delete a field."""
    return go(FIELDS)
