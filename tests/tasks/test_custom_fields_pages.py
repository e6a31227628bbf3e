"""Custom fields as pages: creating, ordering, changing and deleting them, and trying patterns."""

from typing import Any

from mission_control.tasks.models import CustomField, CustomFieldValue
from tests.cast import Cast, kinds
from tests.visitor import visitor

FIELDS = "/settings/custom-fields"
API = "/organizations/me/custom-fields"


async def add(cast: Cast, key: str, **more: Any) -> str:
    """Create a field on the cast's board."""
    field = {"field_key": key, "board_ids": [str(cast.board.id)], **more}
    return str((await cast.ada.post(API, field)).ok()["id"])


def typed(cast: Cast, **more: Any) -> dict[str, Any]:
    """What somebody types."""
    form = {"label": "Lens", "field_key": "lens", "field_type": "text", "ui_visibility": "always"}
    return {**form, "board_ids": [str(cast.board.id)], **more}


async def test_field_is_created_with_its_default_of_every_type(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(FIELDS)).is_status(200).has("No custom fields yet")
    (await ada.get(f"{FIELDS}/new")).is_status(200).has("checked", str(cast.board.name))
    given = {
        "text": (" clear ", "clear"), "integer": ("12", 12), "decimal": ("2.5", 2.5), "boolean": ("yes", True),
        "date": (" 2026-12-31", "2026-12-31"), "url": (" https://example.org ", "https://example.org"),
        "json": ('{"a": 1}', {"a": 1}), "date_time": ("2026-12-31T08:00:00Z ", "2026-12-31T08:00:00Z"),
        "text_long": ("  two\nlines\n", "  two\nlines\n"),
    }  # fmt: skip
    for kind, (text, _) in given.items():
        form = typed(cast, field_key=f"a_{kind}", field_type=kind, default_value=text)
        assert (await ada.post(FIELDS, form)).status == 303
    read = {one["field_type"]: one["default_value"] for one in (await cast.ada.get(API)).ok()}
    assert read == {kind: value for kind, (_, value) in given.items()}


async def test_refused_field_keeps_what_was_typed(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.post(FIELDS, typed(cast, board_ids=[]))).is_status(422).has("at least one board", 'value="lens"')
    form = typed(cast, field_type="integer", default_value="a lot")
    (await ada.post(FIELDS, form)).is_status(422).has("a whole number", "a lot")
    await add(cast, "lens")
    (await ada.post(FIELDS, typed(cast))).is_status(409).has("already")


async def test_pattern_is_tried_with_an_example(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    tried = {"validation_regex": "[A-Z]-[0-9]+", "example": "A-12"}
    (await ada.with_htmx.post(f"{FIELDS}/pattern-trials", tried)).is_status(200).has("is accepted")
    (await ada.with_htmx.post(f"{FIELDS}/pattern-trials", tried | {"example": "b"})).has("is refused")
    (await ada.with_htmx.post(f"{FIELDS}/pattern-trials", tried | {"validation_regex": "("})).has("cannot be read")
    page = await ada.post(f"{FIELDS}/pattern-trials", typed(cast, **tried))
    page.is_status(200).has("is accepted", 'value="A-12"', "Create the field")
    assert not await CustomField.exists()


async def test_fields_are_put_in_order(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    ids = [await add(cast, key) for key in ("a", "b", "c")]
    move = {"ids": ids, "field_id": ids[2], "by": "-1"}
    assert (await ada.post(f"{FIELDS}/order", move)).status == 303
    assert [one["field_key"] for one in (await cast.ada.get(API)).ok()] == ["a", "c", "b"]
    assert "custom_field.ordered" in {kind for kind, _ in await kinds(cast, 0)}
    (await ada.post(f"{FIELDS}/order", move | {"ids": ids[:2], "field_id": ids[0]})).is_status(409).has("Load the list")


async def test_key_is_fixed_and_another_change_is_not_overwritten(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    field = await add(cast, "lens", label="Lens")
    page = (await ada.get(f"{FIELDS}/{field}")).is_status(200).has("readonly", "A key is fixed").text
    version = page.partition('name="version" value="')[2].partition('"')[0].replace("&#34;", '"').replace("&amp;", "&")
    (await cast.ben.patch(f"{API}/{field}", {"label": "Glass"})).ok()
    (await ada.post(f"{FIELDS}/{field}", typed(cast, label="Mirror", version=version))).is_status(409)
    assert (await ada.post(f"{FIELDS}/{field}", typed(cast, label="Mirror"))).status == 303
    assert (await CustomField.get()).label == "Mirror"


async def test_deletion_names_the_values_and_takes_them_only_when_told(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    field = await add(cast, "lens")
    await cast.add_task(custom_field_values={"lens": "12"})
    (await ada.get(f"{FIELDS}/{field}/delete")).is_status(200).has("1 task has a value")
    (await ada.post(f"{FIELDS}/{field}/deletions")).is_status(409).has("Tasks have values")
    assert (await ada.post(f"{FIELDS}/{field}/deletions", {"with_values": "true"})).leads_to == FIELDS
    assert not await CustomField.exists() and not await CustomFieldValue.exists()


async def test_readers_see_fields_and_why_they_cannot_change_them(cast: Cast) -> None:
    field = await add(cast, "lens")
    cleo, eve = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.eve)
    (await cleo.get(FIELDS)).is_status(200).has("lens", "Owners and admins").lacks("New field")
    (await cleo.get(f"{FIELDS}/{field}")).is_status(403)
    (await eve.get(f"{FIELDS}/{field}")).is_status(404)
