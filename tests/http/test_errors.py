"""Errors: the envelope, the shape of each 422, the order of checks, and values no database takes."""

import re
from typing import Any, get_args
from uuid import uuid4

import pytest
from pydantic import TypeAdapter, ValidationError

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.http import authentication
from mission_control.http.inputs import _item
from mission_control.http.registry import OPERATIONS
from tests.cast import Cast

pytestmark = pytest.mark.dialect

BAD_JSON = {"data": b'{"title": ', "headers": {"Content-Type": "application/json"}}


async def item(answer: Any) -> dict[str, Any]:
    """The one thing that is wrong."""
    [found] = answer.refused(422)
    assert set(found) <= {"type", "loc", "msg", "input", "ctx"}
    return dict(found)


async def test_error_body_carries_the_request_id(cast: Cast) -> None:
    for path in ("/nowhere", f"/boards/{uuid4()}", "/users/me"):
        answer = await cast.nobody.get(path, headers={"X-Request-Id": "  abc-123 "})
        assert answer.body["request_id"] == answer.headers["X-Request-Id"] == "abc-123"
        made = await cast.nobody.get(path)
        assert len(made.refused(made.status)) > 0
        assert len(made.body["request_id"]) == 32
    assert (await cast.ada.get("/users/me", headers={"X-Request-Id": "mine"})).headers["X-Request-Id"] == "mine"
    assert (await cast.nobody.get("/nowhere")).refused(404) == "Not Found"


async def test_wrong_type_is_refused(cast: Cast) -> None:
    assert await item(await cast.ada.patch(cast.home, {"name": 5})) == {
        "type": "string_type", "loc": ["body", "name"], "msg": "Input should be a valid string", "input": 5,
    }  # fmt: skip


async def test_what_is_no_id_is_refused_by_words_that_say_what_is(cast: Cast) -> None:
    number = "The id of a task is wanted, not its number; the list of tasks with q=12 finds #12"
    assert (await item(await cast.vega.post("/agent/next", {"task_id": "12"})))["msg"] == number
    sent = {"title": "Polish", "depends_on_task_ids": ["#12"]}
    assert (await item(await cast.ada.post(cast.tasks, sent)))["msg"] == number
    assert (await item(await cast.ada.get(f"{cast.tasks}?assigned_agent_id=x")))["msg"].startswith("An id is wanted")
    assert (await cast.vega.get(f"/agent{cast.tasks}/12/comments")).refused(404) == f"`12` is no id. {number}."
    assert (await cast.vega.get("/agent/boards/x/tasks")).refused(404).startswith("`x` is no id. An id is wanted")


async def test_broken_json_is_refused(cast: Cast) -> None:
    found = await item(await cast.ada.call("POST", cast.tasks, **BAD_JSON))
    assert (found["type"], found["msg"], found["input"]) == ("json_invalid", "JSON decode error", {})
    assert found["loc"] == ["body", 10] and list(found["ctx"]) == ["error"]
    for text in (b"\xff\xfe", b"[" * 100_000, b"{'a': 1}", b"nul", b'{"title": %s}' % (b"9" * 5000)):
        answer = await cast.ada.call("POST", cast.tasks, data=text, headers={"Content-Type": "application/json"})
        assert (await item(answer))["type"] == "json_invalid"


async def test_missing_fields_are_named(cast: Cast) -> None:
    missing = {"type": "missing", "msg": "Field required"}
    for options in ({}, {"data": b"  "}):
        assert await item(await cast.ada.call("POST", cast.tasks, **options)) == missing | {
            "loc": ["body"], "input": None,
        }  # fmt: skip
    body = {"priority": "low"}
    assert await item(await cast.ada.post(cast.tasks, body)) == missing | {"loc": ["body", "title"], "input": body}


@pytest.mark.parametrize(("query", "kind", "ctx", "given"), [
    ("limit=0", "greater_than_equal", {"ge": 1}, "0"),
    ("limit=201", "less_than_equal", {"le": 200}, "201"),
    ("offset=-1", "greater_than_equal", {"ge": 0}, "-1"),
    ("limit=many", "int_parsing", None, "many"),
    ("unassigned=maybe", "bool_parsing", None, "maybe"),
    ("assigned_agent_id=nope", "uuid_parsing", ..., "nope"),
])  # fmt: skip
async def test_invalid_query_parameters_are_refused(cast: Cast, query: str, kind: str, ctx: Any, given: str) -> None:
    found = await item(await cast.ada.get(f"{cast.tasks}?{query}"))
    assert (found["type"], found["loc"], found["input"]) == (kind, ["query", query.partition("=")[0]], given)
    assert ctx is ... or found.get("ctx") == ctx


async def test_all_problems_are_reported_together(cast: Cast) -> None:
    found = (await cast.ada.get(f"{cast.tasks}?limit=0&offset=-1&unassigned=x")).refused(422)
    assert sorted(one["loc"][1] for one in found) == ["limit", "offset", "unassigned"]
    found = (await cast.ada.post("/boards", {"name": 1})).refused(422)
    assert sorted(one["loc"][1] for one in found) == ["description", "name", "slug"]


@pytest.mark.parametrize("limit", ["1", "200"])
async def test_bounds_are_inclusive(cast: Cast, limit: str) -> None:
    page = (await cast.ada.get(f"{cast.tasks}?limit={limit}&offset=0")).ok()
    assert page == {"items": [], "total": 0, "limit": int(limit), "offset": 0}


@pytest.mark.parametrize(
    ("total", "words"), [(0, "true 1 YES on t Y"), (1, "false 0 No OFF f n")], ids=["true", "false"]
)
async def test_accepted_spellings_of_flags(cast: Cast, total: int, words: str) -> None:
    await cast.add_task(assigned_agent_id=cast.vega.id)
    for word in words.split():
        assert (await cast.ada.get(f"{cast.tasks}?unassigned={word}")).ok()["total"] == total, word


async def test_accepted_spellings_of_ids(cast: Cast) -> None:
    task = await cast.add_task()
    plain = task["id"].replace("-", "")
    for spelling in (task["id"].upper(), plain, f"urn:uuid:{task['id']}"):
        assert (await cast.ada.get(f"{cast.tasks}/{spelling}")).ok() == task


@pytest.mark.parametrize("body", [{}, {"question": 5}, {"status": "complete", "board_type": "goal"}, {"Odd": 1}])
def test_place_of_an_error_has_no_name_of_the_validator(body: dict[str, Any]) -> None:
    shapes = [one.body for one in OPERATIONS if "BoardOnboardingAgent" in str(one.body)]
    assert shapes and all(len(get_args(one)) > 1 for one in shapes)
    for shape in shapes:
        with pytest.raises(ValidationError) as refused:
            TypeAdapter(shape).validate_python(body)
        places = [_item(error, "body")["loc"] for error in refused.value.errors()]
        assert all(re.fullmatch(r"[a-z_]+|Odd", str(part)) for place in places for part in place), places


async def test_enum_and_literal_errors(cast: Cast) -> None:
    found = await item(await cast.ada.post(cast.tasks, {"title": "x", "status": "doing"}))
    assert found["type"] == "literal_error"
    assert found["ctx"] == {"expected": "'inbox', 'in_progress', 'review' or 'done'"}


async def test_blank_text_error(cast: Cast) -> None:
    found = await item(await cast.ada.patch(cast.home, {"description": " "}))
    assert (found["type"], found["ctx"]) == ("string_too_short", {"min_length": 1})
    assert found["msg"] == "String should have at least 1 character"


async def test_error_about_the_whole_body(cast: Cast) -> None:
    body = {"name": "x", "slug": "x", "description": "x", "goal_confirmed": True}
    found = await item(await cast.ada.post("/boards", body))
    assert (found["type"], found["loc"]) == ("value_error", ["body"])
    assert found["msg"] == f"Value error, {found['ctx']['error']}"


async def test_only_json_bodies_are_accepted(cast: Cast) -> None:
    text = b'{"title": "x"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        found = await item(await cast.ada.call("POST", cast.tasks, data=text, headers={"Content-Type": kind}))
        assert (found["type"], found["loc"]) == ("model_attributes_type", ["body"])
        assert found["msg"].endswith("; send it as Content-Type: application/json")
    for headers in (
        {},
        {"Content-Type": "application/vnd.x+json"},
        {"Content-Type": "application/json; charset=utf-8"},
    ):
        (await cast.ada.call("POST", cast.tasks, data=text, headers=headers)).ok()
    for body in ([1], "text", 5, None):
        assert (await cast.ada.post(cast.tasks, body)).refused(422)[0]["loc"] == ["body"]


@pytest.mark.parametrize(("text", "kind", "loc"), [
    (r'{"title": "a\u0000b"}', "string_unicode", ["body", "title"]),
    (r'{"title": "\ud800"}', "string_unicode", ["body", "title"]),
    (r'{"title": "x", "custom_field_values": {"a": [1, "\u0000"]}}', "string_unicode",
     ["body", "custom_field_values", "a", 1]),
    ('{"title": "x", "extra": 9223372036854775808}', "int_parsing_size", ["body", "extra"]),
    ('{"title": "x", "extra": -9223372036854775809}', "int_parsing_size", ["body", "extra"]),
    ('{"title": "x", "extra": NaN}', "finite_number", ["body", "extra"]),
    ('{"title": "x", "extra": 1e999}', "finite_number", ["body", "extra"]),
    (r'"\ud800"', "model_attributes_type", ["body"]),
])  # fmt: skip
async def test_unstorable_characters_are_refused(cast: Cast, text: str, kind: str, loc: list[Any]) -> None:
    answer = await cast.ada.call("POST", cast.tasks, data=text.encode(), headers={"Content-Type": "application/json"})
    found = await item(answer)
    assert (found["type"], found["loc"]) == (kind, loc)


async def test_nul_is_refused_in_keys_queries_and_paths(cast: Cast) -> None:
    body = {"action_type": "a", "confidence": 1, "payload": {"reason": "r", "a\0b": 1}}
    assert (await item(await cast.vega.post(cast.approvals, body)))["type"] == "string_unicode"
    assert (await item(await cast.ada.get(f"{cast.tasks}?status=%00")))["type"] == "string_unicode"
    (await cast.ada.get("/boards/%00")).refused(404)
    (await cast.ada.get(f"{cast.tasks}/%00")).refused(404)
    for number in (2**31, 2**63 - 1):
        assert (await cast.ada.get(f"{cast.tasks}?offset={number}")).ok()["offset"] == number
    for number in (2**63, 2**70):
        found = await item(await cast.ada.get(f"{cast.tasks}?offset={number}"))
        assert (found["type"], found["loc"]) == ("int_parsing_size", ["query", "offset"])
    (await cast.ada.patch(cast.home, {"max_agents": 2**40})).refused(422)


async def test_largest_numbers_are_stored(cast: Cast) -> None:
    payload = {"reason": "r", "big": 2**63 - 1, "small": -(2**63)}
    made = (await cast.vega.post(cast.approvals, {"action_type": "a", "confidence": 1, "payload": payload})).ok()
    assert made["payload"] == payload


async def test_checks_have_a_fixed_order(cast: Cast) -> None:
    nowhere = f"/boards/{uuid4()}/tasks"
    found = await item(await cast.nobody.call("POST", nowhere, **BAD_JSON))
    assert found["type"] == "json_invalid"
    (await cast.nobody.post(nowhere, {"title": 5})).refused(401)
    (await cast.nobody.get(f"{cast.tasks}/nope?limit=0")).refused(401)
    (await cast.ada.post(nowhere, {"title": 5})).refused(404)
    (await cast.dan.post(cast.tasks, {"title": 5})).refused(403)
    (await cast.dan.post(cast.tasks)).refused(403)
    (await cast.cleo.post("/agents", {"name": 5})).refused(403)
    assert (await cast.ada.post(cast.tasks, {"title": 5})).refused(422)[0]["loc"] == ["body", "title"]
    (await cast.ada.post(cast.tasks, {"title": "x", "assigned_agent_id": str(uuid4())})).refused(404)


async def test_unknown_methods_are_refused(cast: Cast) -> None:
    for method, path, allow in (
        ("HEAD", "/agents/stream", {"GET"}), ("OPTIONS", "/boards", {"GET", "HEAD", "POST"}),
        ("PUT", "/boards", {"GET", "HEAD", "POST"}), ("HEAD", "/users/me/password", {"POST"}),
        ("PUT", "/users/me", {"GET", "PATCH", "DELETE"}), ("DELETE", f"{cast.approvals}/{uuid4()}", {"GET", "PATCH"}),
    ):  # fmt: skip
        answer = await cast.ada.call(method, path)
        assert answer.status == 405
        assert allow <= set(answer.headers["Allow"].replace(" ", "").split(","))
        if method != "HEAD":
            assert answer.refused(405) == "Method Not Allowed"


async def test_head_of_a_read_answers_as_the_read(cast: Cast) -> None:
    for path in ("/boards", cast.home):
        read, head = await cast.ada.get(path), await cast.ada.call("HEAD", path)
        assert (head.status, head.headers["ETag"]) == (200, read.headers["ETag"])
    assert (await cast.eve.call("HEAD", cast.home)).status == 404


async def test_missing_credentials_have_a_code(cast: Cast) -> None:
    for path in ("/boards", "/agent/healthz"):
        assert (await cast.nobody.get(path)).body["code"] == "unauthorized"


async def test_unexpected_error_is_500_with_an_error_body(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(Board, "visible_to", broken)
    monkeypatch.setitem(cast.app.config, "PROPAGATE_EXCEPTIONS", False)
    answer = await cast.ada.get("/boards")
    assert answer.refused(500) == "Internal Server Error"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_row_deleted_between_two_reads_is_not_found(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    async def seen(actor: Actor, last_seen_at: Any) -> None:
        await Agent.filter(id=actor.id).delete()

    monkeypatch.setattr(authentication.agent_seen, "functions", [seen])
    monkeypatch.setitem(cast.app.config, "PROPAGATE_EXCEPTIONS", False)
    (await cast.vega.post("/agent/usage", {"input_tokens": 1})).refused(404)


async def test_number_of_reported_problems_is_limited(cast: Cast) -> None:
    """A request of one megabyte could otherwise have an answer of fifty."""
    for wrong in ({"tag_ids": ["x"] * 500}, {"more": ["\x00"] * 500}):
        assert len((await cast.ada.post(cast.tasks, {"title": "x"} | wrong)).refused(422)) == 100


async def test_people_get_a_sentence_with_a_code_and_agents_an_object(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.ada.call("PUT", f"{cast.home}/work-state", {"state": "paused", "reason": "Night."})).ok()
    agent = await cast.vega.patch(cast.task(task), {"status": "in_progress"})
    detail = agent.refused_as(409, "board_paused")
    assert set(detail) == {"message", "code"} and "code" not in agent.body
    person = await cast.ada.post(f"{cast.home}/onboarding/start", {})
    sentence = person.refused_as(422, "board_without_gateway")
    assert isinstance(sentence, str) and person.body["code"] == "board_without_gateway"


async def test_detailed_error_stays_an_object_with_its_code(cast: Cast) -> None:
    waits = await cast.add_task(depends_on_task_ids=[(await cast.add_task())["id"]])
    answer = await cast.cleo.patch(cast.task(waits), {"status": "done"})
    detail = answer.refused_as(409, "task_blocked_cannot_transition")
    assert detail["blocked_by_task_ids"] and answer.body["code"] == detail["code"]
