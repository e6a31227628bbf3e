"""Custom fields as pages of the settings: the list and its order, a new one, changing and deleting one."""

import json
from typing import Literal
from uuid import UUID

from pydantic import Field, ValidationError
from quart import request
from quart.typing import ResponseReturnValue

from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor, can
from mission_control.core.errors import Invalid
from mission_control.core.values import NonEmptyStr
from mission_control.tasks.custom_fields.queries import (
    FieldType,
    PatternTrial,
    TaskCustomFieldDefinitionRead,
    Visibility,
    field_read,
    list_fields,
    number_of_values,
)
from mission_control.tasks.custom_fields.values import WITH_PATTERN
from mission_control.tasks.models import CustomField
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormInvalid, FormValues, VersionedForm, go, is_htmx
from mission_control.web.fragments import PageContext, render_macro
from mission_control.web.lists import Asked, LiveList, Order, Pages, greatest
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import SettingsPage, settings_page

pages = Pages("custom_fields_pages", __name__)
FIELDS = "/settings/custom-fields"
SETTINGS = SettingsPage(
    "custom-fields", "Organization", "Custom fields", FIELDS, "sliders-horizontal", 140, "attributes"
)
FIELD = f"{FIELDS}/<uuid:task_custom_field_definition_id>"
LABELS = {
    "field_key": "Key",
    "label": "Label",
    "field_type": "Type",
    "ui_visibility": "Shown on a task",
    "required": "Required",
    "validation_regex": "Pattern",
    "example": "Example",
    "description": "Description",
    "default_value": "Default",
    "board_ids": "Boards",
}
TYPE_NAMES = {
    "text": "Text, one line",
    "text_long": "Text, several lines",
    "integer": "Whole number",
    "decimal": "Number",
    "boolean": "Yes or no",
    "date": "Date",
    "date_time": "Date and time",
    "url": "Web address",
    "json": "JSON",
}
ORDERS = {
    "tasks": Order("as tasks show them"),
    "name": Order("by name", lambda field: field.label.casefold()),
    "type": Order("by type", lambda field: (TYPE_NAMES[field.field_type], field.label.casefold())),
    "changed": greatest("last change", lambda field: field.updated_at),
}
VISIBILITY_NAMES = {
    "always": "Always",
    "if_set": "Only when it has a value",
    "hidden": "Never; agents and the API see it",
}


def value_of(field_type: str, text: str | None) -> object:
    """Return what was typed as a value of a type. What cannot be read stays text, which the operation refuses."""
    if text is None or not text.strip():
        return None
    if field_type in ("text", "text_long", "date", "date_time", "url"):
        return text if field_type == "text_long" else text.strip()
    if field_type == "boolean":
        return {"true": True, "yes": True, "false": False, "no": False}.get(text.strip().lower(), text)
    try:
        return json.loads(text)
    except ValueError:
        return text


class _Fields(Form):
    label: str | None = None
    field_type: FieldType = "text"
    ui_visibility: Visibility = "always"
    required: bool = False
    validation_regex: str | None = None
    example: str | None = None
    description: str | None = None
    default_value: str | None = None
    board_ids: list[UUID] = Field(default_factory=list)

    def _given(self) -> FormValues:
        if not self.board_ids:
            raise FormInvalid(self.model_dump(), {"board_ids": "Choose at least one board."})
        given = self.model_dump(include=set(LABELS) - {"example", "field_key"})
        return given | {"default_value": value_of(self.field_type, self.default_value)}


class NewFieldForm(_Fields):
    field_key: NonEmptyStr = Field(max_length=255)

    def body(self, found: None) -> Fields:
        return self._given() | {"field_key": self.field_key}


class FieldForm(_Fields, VersionedForm):
    def body(self, found: CustomField) -> Fields:
        given = self._given()
        return given | {"label": given["label"] or found.field_key}

    @classmethod
    def values_of(cls, read: TaskCustomFieldDefinitionRead) -> FormValues:
        shown = {name: getattr(read, name) for name in LABELS if name in cls.model_fields and name != "example"}
        default = read.default_value
        text = default if default is None or isinstance(default, str) else json.dumps(default, ensure_ascii=False)
        return shown | {"default_value": text or ""}

    async def newest(self, field: CustomField) -> TaskCustomFieldDefinitionRead:
        return await field_read(field.id)


class TrialForm(_Fields):
    """A pattern, tried with an example; the other fields come back as they were typed."""

    field_key: str | None = None

    def body(self, found: None) -> PatternTrial:
        try:
            return PatternTrial(pattern=self.validation_regex or "", example=self.example or "")
        except ValidationError as error:
            reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
            raise FormInvalid(self.model_dump(), {"validation_regex": f"{reason[:1].upper()}{reason[1:]}."}) from None


class MoveForm(Form):
    """Which way a field moves in the list."""

    by: Literal["-1", "1"]
    ids: list[UUID] = Field(default_factory=list)
    field_id: UUID

    def body(self, found: None) -> Fields:
        at = self.ids.index(self.field_id) if self.field_id in self.ids else 0
        to = max(0, min(len(self.ids) - 1, at + int(self.by)))
        ids = [one for one in self.ids if one != self.field_id]
        ids.insert(to, self.field_id)
        return {"field_ids": ids}


async def _listed(actor: Actor, asked: Asked) -> PageContext:
    found = ORDERS[asked.order].sorted(await list_fields(actor.organization_id))
    boards = {board.id: board.name for board in await boards_of(actor)}
    may_change = can(actor, "custom_field.create")
    return {"fields": found, "boards": boards, "types": TYPE_NAMES, "may_change": may_change, "errors": {}}


NEWS = Concerns[View](("custom_field.", "board."))
LIST = LiveList(
    pages=pages, place=SETTINGS, template="tasks/custom_fields/index.html", read=_listed, news=NEWS, orders=ORDERS
)  # fmt: skip


async def _not_moved(actor: Actor, found: None, values: Fields, errors: dict[str, str]) -> str:
    return await LIST.show(actor, errors=errors)


@action(pages, f"{FIELDS}/order", form=MoveForm, shows=_not_moved)
async def order_org_custom_fields(outcome: Outcome[None, MoveForm]) -> ResponseReturnValue:
    """Move a field up or down in the list."""
    return go(f"{FIELDS}#move-{outcome.form.field_id}")


async def _new(actor: Actor, found: None) -> FormValues:
    boards = [str(board.id) for board in await boards_of(actor)]
    return {"field_type": "text", "ui_visibility": "always", "board_ids": boards}


async def _form(
    actor: Actor, field: CustomField | None, values: FormValues, errors: dict[str, str], trial: object = None
) -> str:
    return await settings_page(
        actor, "tasks/custom_fields/form.html", SETTINGS.key, field=field, values=values, errors=errors, labels=LABELS,
        types=list(TYPE_NAMES.items()), visibilities=list(VISIBILITY_NAMES.items()), boards=await boards_of(actor),
        chosen={str(board_id) for board_id in values.get("board_ids") or ()}, trial=trial,
        with_pattern=" ".join(sorted(WITH_PATTERN)),
    )  # fmt: skip


@action(pages, FIELDS, form=NewFieldForm, page=f"{FIELDS}/new", shows=_form, starts=_new)
async def create_org_custom_field(outcome: Outcome[None, NewFieldForm]) -> ResponseReturnValue:
    """Create a field."""
    return go(f"{FIELDS}#field-{outcome.answer.id}")


async def _present(actor: Actor, field: CustomField) -> FormValues:
    return FieldForm.shown(await field_read(field.id))


@action(pages, FIELD, form=FieldForm, page=FIELD, shows=_form, starts=_present)
async def update_org_custom_field(outcome: Outcome[CustomField, FieldForm]) -> ResponseReturnValue:
    """Change a field."""
    return go(f"{FIELDS}#field-{outcome.found.id}")


async def _not_tried(refusal: Refusal[None, TrialForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid, Invalid)
    if is_htmx():
        return render_macro(
            "tasks/custom_fields/parts.html", "trial", result=None, error=" ".join(refusal.errors.values())
        )
    return await _form(refusal.actor, await _tried_field(refusal.actor), refusal.values, refusal.errors)


async def _tried_field(actor: Actor) -> CustomField | None:
    field_id = request.args.get("field", "", type=str)
    return await CustomField.get_or_none(id=UUID(field_id), organization_id=actor.organization_id) if field_id else None


@action(pages, f"{FIELDS}/pattern-trials", form=TrialForm, refused=_not_tried)
async def try_org_custom_field_pattern(outcome: Outcome[None, TrialForm]) -> ResponseReturnValue:
    """Try a pattern with an example: beside the fields for htmx, else on the page of the form."""
    if is_htmx():
        return render_macro("tasks/custom_fields/parts.html", "trial", result=outcome.answer)
    field = await _tried_field(outcome.actor)
    return await _form(outcome.actor, field, outcome.form.model_dump(), {}, outcome.answer)


async def _deletion(actor: Actor, field: CustomField, values: Fields, errors: dict[str, str]) -> str:
    number = await number_of_values(field.id)
    context = {"field": field, "number": number, "errors": errors}
    return await settings_page(actor, "tasks/custom_fields/delete.html", SETTINGS.key, **context)


@action(pages, f"{FIELD}/deletions", page=f"{FIELD}/delete", shows=_deletion)
async def delete_org_custom_field(outcome: Outcome[CustomField, None]) -> ResponseReturnValue:
    """Delete a field."""
    return go(FIELDS)
