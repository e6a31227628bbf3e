"""What tasks hold in custom fields: nine types, patterns, defaults, required ones, merging."""

from typing import Any

import orjson
import pytest

from mission_control.tasks.custom_fields.values import PatternTimeout, matches
from mission_control.tasks.models import CustomFieldValue
from tests.cast import Cast, changes, events, head
from tests.tasks.test_custom_fields import PATH, make

pytestmark = pytest.mark.dialect

SLOW = "(a|a|b)*(a|a|b)*[cd]"


async def put(cast: Cast, task: Any, values: Any, by: Any = None) -> Any:
    """Send values for a task."""
    return await (by or cast.ada).patch(cast.task(task), {"custom_field_values": values})


@pytest.mark.parametrize(("field_type", "fits", "refused"), [
    ("text", ["", "5", "long " * 50], [5, True, [], {}]),
    ("text_long", ["a\nb"], [1.5, False]),
    ("integer", [0, -3, 2**53], [1.5, "1", True]),
    ("decimal", [0, 1.5, -2], ["1.5", True]),
    ("boolean", [True, False], [0, 1, "true"]),
    ("date", ["2026-12-31"], ["31.12.2026", "2026-02-30", 20261231, ""]),
    ("date_time", ["2026-12-31T08:00:00", "2026-12-31T08:00:00Z", "2026-12-31T08:00:00+02:00"], ["noon", 5]),
    (
        "url",
        ["http://example.org", "https://example.org/a?b=c"],
        ["ftp://example.org", "https://", "x", "http://[", 5],
    ),
    ("json", [{}, {"a": [1, None]}, [], [1, "x"]], ["{}", 5, True]),
])  # fmt: skip
async def test_each_type_accepts_its_values(cast: Cast, field_type: str, fits: list[Any], refused: list[Any]) -> None:
    await make(cast, field_type=field_type)
    task = await cast.add_task()
    for value in fits:
        found = (await put(cast, task, {"effort": value})).ok()["custom_field_values"]
        assert found == {"effort": value} and type(found["effort"]) is type(value)
        assert (await cast.ada.get(cast.task(task))).ok()["custom_field_values"] == {"effort": value}
    for value in refused:
        detail = (await put(cast, task, {"effort": value})).refused(422)
        assert set(detail) == {"message", "field_key", "field_type", "reason"}
        assert (detail["field_key"], detail["field_type"]) == ("effort", field_type)
        (await cast.ada.post(cast.tasks, {"title": "x", "custom_field_values": {"effort": value}})).refused(422)
    assert (await put(cast, task, {"effort": None})).ok()["custom_field_values"] == {"effort": None}


async def test_pattern_must_match_the_whole_text(cast: Cast) -> None:
    await make(cast, validation_regex=" [A-Z]{2}-[0-9]+ ")
    task = await cast.add_task()
    assert (await put(cast, task, {"effort": "AB-12"})).ok()
    for value in ("xAB-12", "AB-12 ", "ab-12"):
        assert (await put(cast, task, {"effort": value})).refused(422)["reason"]


async def test_slow_pattern_times_out(cast: Cast) -> None:
    with pytest.raises(PatternTimeout):
        matches(SLOW, "ab" * 2000)
    await make(cast, validation_regex=SLOW)
    task = await cast.add_task()
    assert "too long" in (await put(cast, task, {"effort": "ab" * 2000})).refused(422)["reason"]
    assert "at most" in (await put(cast, task, {"effort": "a" * 10_001})).refused(422)["reason"]


async def test_unknown_keys_are_listed_in_the_error(cast: Cast) -> None:
    await make(cast)
    await make(cast, field_key="elsewhere", board_ids=[str(cast.other_board.id)])
    task = await cast.add_task()
    values = {"zeta": 1, "effort": "x", "elsewhere": "y"}
    for answer in (
        await put(cast, task, values),
        await cast.ada.post(cast.tasks, {"title": "x", "custom_field_values": values}),
    ):
        detail = answer.refused(422)
        assert set(detail) == {"message", "unknown_field_keys"}
        assert detail["unknown_field_keys"] == ["elsewhere", "zeta"]


async def test_required_fields_need_a_value(cast: Cast) -> None:
    task = await cast.add_task()
    for key in ("beta", "alpha"):
        await make(cast, field_key=key, required=True)
    await make(cast, field_key="gamma", required=True, default_value="x")
    detail = (await cast.ada.post(cast.tasks, {"title": "x"})).refused(422)
    assert set(detail) == {"message", "missing_field_keys"} and detail["missing_field_keys"] == ["alpha", "beta"]
    assert (await put(cast, task, None)).refused(422)["missing_field_keys"] == ["alpha", "beta"]
    assert (await cast.ada.patch(cast.task(task), {"title": "Untouched"})).ok()["title"] == "Untouched"
    whole = {"alpha": "a", "beta": "b"}
    assert (await put(cast, task, whole)).ok()["custom_field_values"] == whole | {"gamma": "x"}
    assert (await put(cast, task, {"gamma": None})).refused(422)["missing_field_keys"] == ["gamma"]
    made = (await cast.ada.post(cast.tasks, {"title": "x", "custom_field_values": whole | {"gamma": None}})).refused(
        422
    )
    assert made["missing_field_keys"] == ["gamma"]


async def test_new_tasks_store_defaults(cast: Cast) -> None:
    old = await cast.add_task()
    field = await make(cast, default_value="usual")
    new = await cast.add_task()
    (await cast.ada.patch(f"{PATH}/{field['id']}", {"default_value": "other"})).ok()
    listed = {one["id"]: one["custom_field_values"] for one in (await cast.ada.get(cast.tasks)).ok()["items"]}
    assert listed == {old["id"]: {"effort": "other"}, new["id"]: {"effort": "usual"}}
    cards = {one["id"]: one for one in (await cast.ada.get(f"{cast.home}/snapshot")).ok()["tasks"]}
    assert {key: card["custom_field_values"] for key, card in cards.items()} == listed


async def test_values_are_merged_and_recorded(cast: Cast) -> None:
    await make(cast, field_key="one")
    await make(cast, field_key="two", field_type="integer")
    task = await cast.add_task(custom_field_values={"one": "a", "two": 2})
    before = await head(cast)
    for caller in (cast.cleo, cast.vega, cast.atlas):
        values = {"two": 3, "one": caller.headers.get("X-Agent-Token", "")[:3]}
        assert (await put(cast, task, values, caller)).ok()["custom_field_values"] == values
        (await put(cast, task, {"two": 3}, caller)).ok()
        (await put(cast, task, {}, caller)).ok()
    assert [kind for kind, _ in await changes(cast, before)] == ["task.updated"] * 2
    found = await events(before, kind="task.updated")
    assert orjson.loads(found[0].data) == {
        "before": {"custom_field_values": {"one": "a", "two": 2}},
        "after": {"custom_field_values": {"one": "", "two": 3}},
    }
    (await put(cast, task, {"two": None})).ok()
    assert await CustomFieldValue.filter(task_id=task["id"]).count() == 1
    assert (await put(cast, task, {"two": 1}, cast.dan)).refused(403) == "Forbidden"


async def test_values_of_unbound_boards_are_hidden_not_lost(cast: Cast) -> None:
    field = await make(cast)
    task = await cast.add_task(custom_field_values={"effort": "kept"})
    path = f"{PATH}/{field['id']}"
    (await cast.ada.patch(path, {"board_ids": [str(cast.other_board.id)]})).ok()
    assert (await cast.ada.get(cast.task(task))).ok()["custom_field_values"] == {}
    (await cast.ada.patch(path, {"board_ids": [str(cast.board.id)]})).ok()
    assert (await cast.ada.get(cast.task(task))).ok()["custom_field_values"] == {"effort": "kept"}


async def test_nesting_of_values_is_limited(cast: Cast) -> None:
    await make(cast, field_type="json")
    task = await cast.add_task()
    for depth, status in ((90, 200), (150, 422), (900, 422)):
        text = '{"custom_field_values": {"effort": %s}}' % ("[" * depth + "]" * depth)
        headers = {"Content-Type": "application/json"}
        answer = await cast.ada.call("PATCH", cast.task(task), data=text, headers=headers)
        assert answer.status == status
        if status == 422:
            assert (answer.detail[0]["type"], answer.detail[0]["loc"][0]) == ("nested_too_deeply", "body")
