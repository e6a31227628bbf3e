"""Forms: from what a page posts to the body of the operation that it performs, and what answers it.

A form says only what differs from the body of its operation. A form of what others may change while it is open carries
a mark of each field that it shows: a field that was not touched takes the newest value, a field that somebody else
changed too is a conflict, of that field alone. A list is merged by its items: those that were added or removed here are
added or removed there.
"""

import json
import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Self, Union, cast, get_args, get_origin
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from pydantic import BaseModel, Field, PrivateAttr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from quart import Response, request
from werkzeug.datastructures import MultiDict

from mission_control.core.errors import Conflict, ErrorCode
from mission_control.core.text.diffs import steady
from mission_control.core.values import JsonObject, Schema, fingerprint, is_storable

SENTENCES = {
    "missing": "Fill this in.",
    "string_type": "Fill this in.",
    "int_parsing": "Enter a whole number.",
    "int_from_float": "Enter a whole number.",
    "float_parsing": "Enter a number.",
    "decimal_parsing": "Enter a number.",
    "bool_parsing": "Choose yes or no.",
    "date_from_datetime_parsing": "Enter a date such as 2026-03-14.",
    "date_parsing": "Enter a date such as 2026-03-14.",
    "datetime_from_date_parsing": "Enter a date and time such as 2026-03-14 15:00.",
    "datetime_parsing": "Enter a date and time such as 2026-03-14 15:00.",
    "enum": "Choose one of the options.",
    "literal_error": "Choose one of the options.",
    "uuid_parsing": "Choose one of the options.",
    "url_parsing": "Enter a full address that starts with https://.",
    "extra_forbidden": "This field is not known here.",
}
UNSTORABLE = "This text holds a character that cannot be stored, such as NUL."
SHORT = 80


type Fields = Mapping[str, object]
type FormValues = dict[str, Any]  # of a form, by the names of its fields


class FormInvalid(Exception):
    """What was typed cannot be used: the values as they were and one sentence per field."""

    def __init__(self, values: FormValues, errors: dict[str, str]) -> None:
        super().__init__(errors)
        self.values = values
        self.errors = errors


async def read_form[Model: BaseModel](model: type[Model]) -> Model:
    """Read the posted form into the model, or raise FormInvalid with the values kept."""
    values = form_values(model, await request.form)
    if unstorable := {name: UNSTORABLE for name, value in values.items() if not is_storable(value)}:
        raise FormInvalid(_complete(model, values), unstorable)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise FormInvalid(_complete(model, values), sentences(error.errors())) from None


def _complete(model: type[BaseModel], values: Fields) -> FormValues:
    """What was typed, and for every other field its default: templates show every field of a refused form."""
    shown = dict(values)
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key not in shown:
            blank = False if kinds_of(field.annotation) == {bool} else ""
            shown[key] = blank if field.is_required() else field.get_default(call_default_factory=True)
    return shown


def form_values(model: type[BaseModel], form: MultiDict[str, str]) -> FormValues:
    """Turn what browsers send into what models expect: lists, unticked boxes, blanks that mean nothing."""
    values: FormValues = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        kinds = kinds_of(field.annotation)
        if kinds & {list, set, tuple, frozenset}:
            if key in form:
                values[key] = [item for item in form.getlist(key) if item != ""]
        elif key in form:
            _keep(values, key, form[key], kinds, field)
        elif kinds == {bool}:
            values[key] = False
    return values


def _keep(values: FormValues, key: str, text: str, kinds: set[Any], field: FieldInfo) -> None:
    text = text.replace("\r\n", "\n")
    if text.strip():
        values[key] = text
    elif type(None) in kinds:
        values[key] = None
    elif field.is_required():
        if str in kinds:
            values[key] = ""
    elif kinds == {str}:
        values[key] = text


def kinds_of(annotation: Any) -> set[Any]:
    """The plain types behind an annotation: `Annotated[list[UUID] | None, ...]` gives list and NoneType."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return kinds_of(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return set().union(*(kinds_of(part) for part in get_args(annotation)))
    return {origin or annotation}


def sentences(errors: list[ErrorDetails]) -> dict[str, str]:
    """The first problem of each field as a sentence; problems of the whole form stand under `""`."""
    found: dict[str, str] = {}
    for error in errors:
        found.setdefault(str(error["loc"][0]) if error["loc"] else "", _sentence(error))
    return found


def _sentence(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "string_too_short":
        least = context["min_length"]
        typed = least > 1 and error.get("input")
        return f"Use at least {least} characters." if typed else "Fill this in."
    if kind == "string_too_long":
        return f"Use at most {context['max_length']} characters."
    if kind == "greater_than":
        return f"Enter more than {context['gt']}."
    if kind == "greater_than_equal":
        return f"Enter {context['ge']} or more."
    if kind == "less_than_equal":
        return f"Enter {context['le']} or less."
    if kind in ("value_error", "assertion_error"):
        message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ").strip()
        return message[:1].upper() + message[1:].rstrip(".") + "."
    return SENTENCES.get(kind, "This value cannot be used.")


class Form(Schema):
    """What a page's form sends, where that is not simply the body of its operation."""

    def body(self, found: Any) -> BaseModel | Fields | None:
        """Return the body of the operation, or its fields by name; `found` is what the operation looked up.

        Without a method of its own a form gives those of its fields that the body has. FormInvalid or pydantic's
        ValidationError refuse what was typed (422).
        """
        return self

    def query(self, ids: Fields) -> Fields:
        """Return the query of the operation; by default the ids of the form's address, and its fields."""
        return self.model_dump() | dict(ids)

    @classmethod
    async def read(cls) -> Self:
        """Read the posted form. A form with a file reads it itself. FormInvalid refuses what was sent."""
        return await read_form(cls)


class TypedName(Form):
    """The name of what is about to be deleted, typed to be sure."""

    what: ClassVar[str]
    field: ClassVar[str] = "typed"  # where the template shows what was typed, and the reason
    name: str = Field("", max_length=400)

    def body(self, found: Any) -> BaseModel | Fields | None:
        if self.name.strip() != found.name.strip():
            sentence = f"Type the {self.what}'s name exactly as it is written above."
            raise FormInvalid({self.field: self.name}, {self.field: sentence})
        return self


class VersionedForm(Form):
    """A form of what others may change while it is open. Without a version everything is saved as it was sent.

    `_untouched` names the fields that were sent as they were shown, once the form was merged with what is stored.
    """

    version: str = Field("", max_length=10_000)
    _untouched: set[str] = PrivateAttr(default_factory=set)

    @property
    def is_versioned(self) -> bool:
        return bool(self.version)

    @classmethod
    def values_of(cls, thing: Any) -> FormValues:
        """Return what the form shows of a thing, by the names of its fields."""
        return {name: getattr(thing, name) for name in cls.model_fields if name != "version"}

    @classmethod
    def version_of(cls, thing: Any, *names: str) -> str:
        """The version of a thing as the form shows it, or of the fields that a part of the form shows."""
        values = cls.values_of(thing)
        return version_of({name: values[name] for name in names or values})

    @classmethod
    def shown(cls, thing: Any) -> FormValues:
        return cls.values_of(thing) | {"version": cls.version_of(thing)}

    async def merged(self, thing: Any) -> Self:
        """Return the form with the newest value in every field that was not touched, or raise EditConflict."""
        present, lists = self.values_of(await self.newest(thing)), self._lists()
        typed = {name: getattr(self, name) for name in present if name in self.model_fields_set - lists}
        typed |= {name: getattr(self, name) or [] for name in present if name in lists}
        values, theirs, untouched = merge(self.version, typed, present)
        form = self.model_copy(update=values | {"version": version_of(present)})
        if theirs:
            raise EditConflict(self.model_dump() | values | {"version": form.version}, theirs)
        form._untouched = untouched
        return form

    async def newest(self, thing: Any) -> Any:
        """Return what `values_of` reads of a thing as it is stored now."""
        return thing

    @classmethod
    def _lists(cls) -> set[str]:
        """The names of lists, of which a browser sends nothing when they are empty."""
        return {name for name, field in cls.model_fields.items() if list in kinds_of(field.annotation)}


class EditConflict(Conflict):
    """Somebody else changed fields that were changed in a form too.

    `values` are those of the form to send again: what was typed, else the newest. `theirs` is what the others wrote.
    """

    def __init__(self, values: Fields, theirs: Fields) -> None:
        value = _to(next(iter(theirs.values()))) if len(theirs) == 1 else ""
        message = f"Somebody changed this{value} while you were writing."
        super().__init__(ErrorCode.EDIT_CONFLICT.detail(message, fields=[*theirs]))
        self.values = {**values, "theirs": theirs}
        self.theirs = theirs

    @property
    def errors(self) -> dict[str, str]:
        return {name: f"Somebody changed it{_to(value)}. Saving replaces that." for name, value in self.theirs.items()}


def _to(value: object) -> str:
    return "" if isinstance(value, UUID) else f" to {in_words(value)}"


def in_words(value: object) -> str:
    """Return a field's value as it stands in a sentence, such as `on`, `empty` or `“Telescope”`."""
    if isinstance(value, bool):
        return "on" if value else "off"
    text = ", ".join(value) if isinstance(value, list) else str(value if value is not None else "")
    return f"“{text[:SHORT]}{'…' if len(text) > SHORT else ''}”" if text else "empty"


def version_of(values: Fields) -> str:
    """The marks of the values that a form shows, as its hidden field `version`."""
    return urlencode({name: _mark(value) for name, value in values.items()})


def _mark(value: object) -> str:
    return ".".join(sorted(map(_mark_of_one, value))) if isinstance(value, list) else _mark_of_one(value)


def _mark_of_one(value: object) -> str:
    """Nothing, blank and unticked are the same to a form; browsers change line breaks and drop a first one."""
    text = "" if value is None or value is False else str(value)
    return fingerprint(text.replace("\r\n", "\n").lstrip("\n").rstrip())[:12]


def merge(version: str, typed: Fields, present: Fields) -> tuple[FormValues, FormValues, set[str]]:
    """Return the values to save, those of others that they would overwrite, and the names of untouched fields.

    A field without a mark in the version is saved as typed, one that was not sent is left out.
    """
    merged, theirs, untouched = dict(typed), {}, set()
    for name, mark in parse_qsl(version, keep_blank_values=True):
        if name not in present or name not in typed:
            continue
        now, sent = _mark(present[name]), _mark(typed[name])
        if sent == mark:
            untouched.add(name)
            merged[name] = present[name]
        elif isinstance(items := typed[name], list):
            merged[name] = _merged_items(mark.split("."), items, cast("list[object]", present[name] or []))
        elif now not in (mark, sent):
            theirs[name] = present[name]
    return merged, theirs, untouched


def _merged_items(shown: Iterable[str], typed: list[object], present: list[object]) -> list[object]:
    shown, wanted, now = set(shown), {_mark(one) for one in typed}, {_mark(one) for one in present}
    kept = [one for one in present if _mark(one) in wanted or _mark(one) not in shown]
    return kept + [one for one in typed if _mark(one) not in shown | now]


def is_htmx() -> bool:
    """Whether htmx asks; it then swaps what it gets instead of showing a page."""
    return request.headers.get("HX-Request") == "true"


def done(
    to: str,
    toast: str | None = None,
    undo_action: str = "",
    undo: Mapping[str, str] | None = None,
    undo_label: str = "Undo",
) -> Response:
    """The change is made. htmx: 204, the stream brings the news. Else: on to the page `to`.

    `undo_action` is the address and `undo` the fields of the form that takes it back.
    """
    if not is_htmx():
        return Response("", 303, {"Location": to})
    response = Response("", 204)
    if toast:
        detail: JsonObject = {"message": steady(toast), "target": "body"}
        if undo_action:
            label = {"label": undo_label} if undo_label != "Undo" else {}
            detail["undo"] = {"action": undo_action, "fields": dict(undo or {}), **label}
        response.headers["HX-Trigger"] = json.dumps({"toast": detail})
    return response


def open_in_panel(response: Response, url: str, push: str) -> Response:
    """Let an open board show beside it what is at `url`, and `push` as the address; others follow their redirect."""
    if is_htmx():
        look = {"target": "#panel", "select": "#panel > *", "swap": "innerHTML"}
        headers = {"HX-Target": "section#panel"}
        response.headers["HX-Location"] = json.dumps({"path": url, "push": push, **look, "headers": headers})
    return response


def go(to: str) -> Response:
    """Lead the browser to another page after a form: a redirect that htmx follows as a page too."""
    if is_htmx():
        return Response("", 204, {"HX-Redirect": to})
    return Response("", 303, {"Location": to})
