"""Custom fields: defined, listed, changed, deleted; by whom; and what was recorded."""

import asyncio
from typing import Any
from uuid import uuid4

import orjson
import pytest

from mission_control.tasks.models import CustomField, CustomFieldBoard
from tests.cast import Cast, events, head, kinds

pytestmark = pytest.mark.dialect

PATH = "/organizations/me/custom-fields"
KEYS = [
    "field_key", "label", "field_type", "ui_visibility", "validation_regex", "description", "required",
    "default_value", "id", "organization_id", "board_ids", "created_at", "updated_at",
]  # fmt: skip


def new(cast: Cast, **fields: Any) -> dict[str, Any]:
    """The body that makes a field."""
    return {"field_key": "effort", "board_ids": [str(cast.board.id)], **fields}


async def make(cast: Cast, **fields: Any) -> dict[str, Any]:
    """A field that Ada makes."""
    field: dict[str, Any] = (await cast.ada.post(PATH, new(cast, **fields))).ok()
    return field


async def test_admins_define_fields(cast: Cast) -> None:
    before = await head(cast)
    boards = sorted([str(cast.board.id), str(cast.other_board.id)], reverse=True)
    field = (await cast.ben.post(PATH, new(cast, field_key="  Effort ", board_ids=[*boards, boards[0]]))).ok()
    assert list(field) == KEYS
    assert (field["field_key"], field["label"], field["field_type"]) == ("Effort", "Effort", "text")
    assert (field["ui_visibility"], field["required"], field["default_value"]) == ("always", False, None)
    assert field["board_ids"] == boards
    assert [one["board_ids"] for one in (await cast.ada.get(PATH)).ok()] == [sorted(boards)]
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_id, str(event.subject_id)) == ("custom_field.created", cast.ben.id, field["id"])
    assert orjson.loads(event.data)["field_key"] == "Effort"


@pytest.mark.parametrize(("sent", "stored"), [
    ("TEXT (long)", "text_long"), ("long_text", "text_long"), (" True/False ", "boolean"),
    ("Date & Time", "date_time"), ("datetime", "date_time"), ("decimal", "decimal"), ("JSON", "json"),
])  # fmt: skip
async def test_type_aliases_are_accepted(cast: Cast, sent: str, stored: str) -> None:
    field = await make(cast, field_type=sent, ui_visibility=" If Set ")
    assert (field["field_type"], field["ui_visibility"]) == (stored, "if_set")


@pytest.mark.parametrize(("change", "loc"), [
    ({"validation_regex": "("}, ["body", "validation_regex"]),
    ({"validation_regex": "((((a{99}){99}){99}){99})"}, ["body", "validation_regex"]),
    ({"validation_regex": "(?x) a"}, ["body", "validation_regex"]),
    ({"validation_regex": "(?:abc){e<=20}"}, ["body", "validation_regex"]),
    ({"validation_regex": "a", "field_type": "integer"}, ["body"]),
])  # fmt: skip
async def test_invalid_fields_are_refused(cast: Cast, change: Any, loc: list[str]) -> None:
    [item] = (await cast.ada.post(PATH, new(cast, **change))).refused(422)
    assert item["loc"] == loc and item["msg"]
    assert await CustomField.all().count() == 0


async def test_foreign_boards_are_named_in_the_refusal(cast: Cast) -> None:
    strangers = [str(uuid4()), str(cast.foreign_board.id)]
    field = await make(cast)
    for answer in (
        await cast.ada.post(PATH, new(cast, field_key="x", board_ids=[str(cast.board.id), *strangers])),
        await cast.ada.patch(f"{PATH}/{field['id']}", {"board_ids": strangers}),
    ):
        detail = answer.refused(422)
        assert set(detail) == {"message", "invalid_board_ids"} and detail["invalid_board_ids"] == strangers


@pytest.mark.parametrize(
    ("fields", "value"),
    [({"field_type": "integer"}, "5"), ({"field_type": "boolean"}, 1), ({"validation_regex": "[a-z]+"}, "A1")],
)
async def test_default_must_match_the_type(cast: Cast, fields: Any, value: Any) -> None:
    assert isinstance((await cast.ada.post(PATH, new(cast, **fields, default_value=value))).refused(422), str)


@pytest.mark.parametrize("value", ["text", "5", "null", '{"a": 1}', "", "é"])
async def test_text_defaults_stay_text(cast: Cast, value: str) -> None:
    field = await make(cast, default_value=value)
    assert field["default_value"] == value
    assert (await cast.add_task())["custom_field_values"] == {"effort": value}
    changed = (await cast.ada.patch(f"{PATH}/{field['id']}", {"default_value": f"{value}!"})).ok()
    assert changed["default_value"] == f"{value}!"


async def test_field_key_is_unique(cast: Cast) -> None:
    await make(cast)
    assert isinstance((await cast.ada.post(PATH, new(cast))).refused(409), str)
    assert (await cast.eve.post(PATH, new(cast, board_ids=[str(cast.foreign_board.id)]))).status == 200
    answers = await asyncio.gather(*(cast.ada.post(PATH, new(cast, field_key="race")) for _ in range(3)))
    assert sorted(one.status for one in answers) == [200, 409, 409]


async def test_members_list_fields_by_label(cast: Cast) -> None:
    for label in ("beta", "Alpha"):
        await make(cast, field_key=label, label=label, board_ids=[str(cast.other_board.id)])
    await cast.eve.post(PATH, new(cast, board_ids=[str(cast.foreign_board.id)]))
    for person in (cast.ada, cast.dan):
        assert [one["label"] for one in (await person.get(PATH)).ok()] == ["Alpha", "beta"]


async def test_field_is_changed(cast: Cast) -> None:
    field = await make(cast, validation_regex="[a-z]+", default_value="abc", description="How much")
    path, before = f"{PATH}/{field['id']}", await head(cast)
    both = sorted([str(cast.board.id), str(cast.other_board.id)], reverse=True)
    changed = (await cast.ada.patch(path, {"label": "Work", "board_ids": both})).ok()
    assert (changed["label"], changed["board_ids"]) == ("Work", both)
    assert (await cast.ada.patch(path, {"label": "Work", "board_ids": None})).ok()["board_ids"] == sorted(both)
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_id) == ("custom_field.updated", cast.ada.id)
    assert orjson.loads(event.data)["before"] == {"label": "effort", "board_ids": [str(cast.board.id)]}
    cleared = {"default_value": None, "description": None, "validation_regex": None}
    changed = (await cast.ada.patch(path, cleared)).ok()
    assert {name: changed[name] for name in cleared} == cleared
    assert (await cast.ada.patch(path, {"board_ids": [both[0]]})).ok()["board_ids"] == [both[0]]
    assert await CustomFieldBoard.all().count() == 1


@pytest.mark.parametrize("body", [
    {}, {"field_key": "effort"}, {"field_key": "effort", "label": "x"}, {"label": None}, {"label": " "},
    {"field_type": None}, {"ui_visibility": None}, {"required": None}, {"board_ids": []},
    {"field_type": "colour"}, {"ui_visibility": "sometimes"}, {"validation_regex": "["},
])  # fmt: skip
async def test_malformed_changes_are_refused(cast: Cast, body: Any) -> None:
    field = await make(cast)
    items = (await cast.ada.patch(f"{PATH}/{field['id']}", body)).refused(422)
    assert isinstance(items, list) and items[0]["msg"]


async def test_changes_with_an_invalid_result_are_refused(cast: Cast) -> None:
    field = await make(cast, validation_regex="[a-z]+", default_value="abc")
    path = f"{PATH}/{field['id']}"
    for body in ({"field_type": "integer"}, {"default_value": "ABC"}, {"validation_regex": "[0-9]+"}):
        assert isinstance((await cast.ada.patch(path, body)).refused(422), str)
    both = {"field_type": "integer", "validation_regex": None}
    assert isinstance((await cast.ada.patch(path, both)).refused(422), str)
    changed = (await cast.ada.patch(path, both | {"default_value": 3})).ok()
    assert (changed["field_type"], changed["default_value"]) == ("integer", 3)


async def test_type_cannot_change_while_values_would_be_invalid(cast: Cast) -> None:
    field = await make(cast, field_type="integer")
    path = f"{PATH}/{field['id']}"
    task = await cast.add_task(custom_field_values={"effort": 3})
    assert isinstance((await cast.ada.patch(path, {"field_type": "text"})).refused(409), str)
    assert (await cast.ada.patch(path, {"field_type": "decimal"})).ok()["field_type"] == "decimal"
    (await cast.ada.patch(cast.task(task), {"custom_field_values": {"effort": None}})).ok()
    assert (await cast.ada.patch(path, {"field_type": "text"})).ok()["field_type"] == "text"


async def test_field_is_deleted(cast: Cast) -> None:
    field = await make(cast)
    path = f"{PATH}/{field['id']}"
    task = await cast.add_task(custom_field_values={"effort": "much"})
    assert isinstance((await cast.ada.delete(path)).refused(409), str)
    (await cast.ada.patch(cast.task(task), {"custom_field_values": {"effort": None}})).ok()
    before = await head(cast)
    assert (await cast.ada.delete(path)).ok() == {"ok": True}
    assert await kinds(cast, before) == [("custom_field.deleted", None)]
    assert await CustomFieldBoard.all().count() == 0
    (await cast.ada.delete(path)).refused(404)
