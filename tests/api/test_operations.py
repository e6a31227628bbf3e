"""Every operation, whatever it does: nobody, the wrong kind of caller, outsiders, ended credentials, odd bodies."""

import re
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel

from mission_control import features
from mission_control.accounts.models import Token
from mission_control.core import clock
from mission_control.core.registry import OPERATIONS, Operation
from tests.api.test_attachments import send as send_file
from tests.api.test_custom_fields import make as make_field
from tests.cast import Answer, Caller, Cast

assert features.BLUEPRINTS
NAMES = [one.operation_id for one in OPERATIONS]
ANSWERS_OUTSIDERS = {"delete_agent_api_v1_agents__agent_id__delete": "an unknown id is fine, and stays untouched"}
SAFE = {"GET"}


def operation(name: str) -> Operation:
    """An operation by its id."""
    return next(one for one in OPERATIONS if one.operation_id == name)


async def _group(cast: Cast) -> dict[str, Any]:
    group = (await cast.ada.post("/board-groups", {"name": "Night", "slug": ""})).ok()
    (await cast.ada.patch(cast.home, {"board_group_id": group["id"]})).ok()
    return {"group_id": group["id"]}


async def _entry(cast: Cast) -> dict[str, Any]:
    return {"memory_id": (await cast.ada.post(f"{cast.home}/memory", {"content": "Odd."})).ok()["id"]}


async def _group_entry(cast: Cast) -> dict[str, Any]:
    group = await _group(cast)
    entry = (await cast.ada.post(f"{cast.home}/group-memory", {"content": "Odd."})).ok()
    return {**group, "memory_id": entry["id"]}


async def _member(cast: Cast) -> dict[str, Any]:
    return {"member_id": (await cast.cleo.get("/organizations/me/member")).ok()["id"]}


async def _invite(cast: Cast) -> dict[str, Any]:
    invited = {"invited_email": "fay@example.org"}
    return {"invite_id": (await cast.ada.post("/organizations/me/invites", invited)).ok()["id"]}


async def _tag(cast: Cast) -> dict[str, Any]:
    return {"tag_id": (await cast.ada.post("/tags", {"name": "Odd"})).ok()["id"]}


async def _field(cast: Cast) -> dict[str, Any]:
    field = (await make_field(cast, field_key="odd"))["id"]
    return {"task_custom_field_definition_id": field}


async def _comment(cast: Cast) -> dict[str, Any]:
    task = await cast.add_task()
    comment = (await cast.ada.post(f"{cast.task(task)}/comments", {"message": "Odd."})).ok()
    return {"task_id": task["id"], "comment_id": comment["id"]}


async def _item(cast: Cast) -> dict[str, Any]:
    task = await cast.add_task()
    item = (await cast.ada.post(f"{cast.task(task)}/checklist", {"text": "Odd."})).ok()
    return {"task_id": task["id"], "item_id": item["id"]}


async def _attachment(cast: Cast) -> dict[str, Any]:
    task = await cast.add_task()
    return {"task_id": task["id"], "attachment_id": (await send_file(cast, task, by=cast.ada)).ok()["id"]}


# What must exist before an operation can be called, by a part of its path; the last that fits decides.
MAKERS: dict[str, Callable[[Cast], Awaitable[dict[str, Any]]]] = {
    "/board-groups/<group_id>": _group,
    "<board_id>/memory/<memory_id>": _entry,
    "<group_id>/memory/<memory_id>": _group_entry,
    "/group-memory/<memory_id>": _group_entry,
    "/members/<member_id>": _member,
    "/invites/<invite_id>": _invite,
    "/tags/<tag_id>": _tag,
    "/custom-fields/<": _field,
    "/comments/<comment_id>": _comment,
    "/checklist/<item_id>": _item,
    "/attachments/<attachment_id>": _attachment,
}


async def path_of(cast: Cast, one: Operation) -> str:
    """The operation's path with things of the cast in it."""
    task = await cast.add_task()
    values = {
        "board_id": cast.board.id,
        "agent_id": cast.vega.id,
        "task_id": task["id"],
        "approval_id": (await cast.ask(cast.vega, task))["id"],
        "token_id": (await Token.get(agent_id=cast.vega.id)).id,
    }
    for part, make in MAKERS.items():
        if part in one.path:
            values.update(await make(cast))
    return re.sub(r"<(\w+)>", lambda found: str(values[found[1]]), one.path)


async def send(caller: Caller, one: Operation, path: str, body: Any = None) -> Answer:
    """Call it; with a body when it takes one."""
    return await caller.call(one.method, path, *([] if one.body is None else [{} if body is None else body]))


@pytest.mark.parametrize("name", NAMES)
async def test_nobody_and_the_wrong_kind_of_caller(cast: Cast, name: str) -> None:
    one = operation(name)
    path = await path_of(cast, one)
    assert (await send(cast.nobody, one, path)).refused(401) == "Unauthorized"
    if one.who == "user":
        assert (await send(cast.atlas, one, path)).refused(401) == "Unauthorized"
    if one.who == "agent":
        assert (await send(cast.ada, one, path)).refused(401) == "Unauthorized"


@pytest.mark.parametrize("name", NAMES)
async def test_ended_credentials(cast: Cast, name: str) -> None:
    one = operation(name)
    path = await path_of(cast, one)
    await Token.filter(user_id=cast.ada.id).update(revoked_at=clock.now())
    await Token.filter(agent_id=cast.atlas.id).update(expires_at=clock.now())
    for caller in (cast.ada, cast.atlas):
        assert (await send(caller, one, path)).refused(401) == "Unauthorized"


@pytest.mark.parametrize("name", [name for name in NAMES if "<" in operation(name).path])
async def test_outsiders_find_nothing(cast: Cast, name: str) -> None:
    one = operation(name)
    path = await path_of(cast, one)
    callers: dict[str, list[Caller]] = {
        "user": [cast.eve],
        "agent": [cast.nova, cast.mira],
        "actor": [cast.eve, cast.nova, cast.mira],
    }
    for caller in callers[one.who]:
        answer = await send(caller, one, path)
        if name in ANSWERS_OUTSIDERS:
            assert answer.ok() == {"ok": True}
            assert await Token.filter(agent_id=cast.vega.id, revoked_at=None).exists()
        else:
            assert answer.refused(404) == "Not Found"
    unknown = re.sub(r"<(\w+)>", str(uuid4()), one.path)
    if name not in ANSWERS_OUTSIDERS:
        insider: Caller = cast.atlas if one.who == "agent" else cast.ada
        assert (await send(insider, one, unknown)).refused(404) == "Not Found"


@pytest.mark.parametrize("name", [name for name in NAMES if operation(name).method not in SAFE])
async def test_a_body_that_is_no_json_is_told_before_anything_else(cast: Cast, name: str) -> None:
    one = operation(name)
    path = await path_of(cast, one)
    answer = await cast.nobody.call(one.method, path, data=b"{", headers={"Content-Type": "application/json"})
    assert answer.status == (401 if one.body is None else 422)


ODD: list[Any] = [
    None, "", " ", "x" * 70_000, "\u00e9\U0001f600", 0, -1, 2**62, 1.5, 1e300, True, [], [None], [[]], {}, {"a": None},
    str(uuid4()), [str(uuid4())], "2026-11-24", "9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:00", -1e18,
]  # fmt: skip
WELL: dict[str, Any] = {
    "name": "Odd", "slug": "odd", "description": "Odd.", "title": "Odd", "message": "Odd.", "action_type": "odd",
    "confidence": 5, "lead_reasoning": "Odd.", "content": "Odd.", "every": "5m",
}  # fmt: skip


def fields(one: Operation) -> list[str]:
    """The fields of an operation's body."""
    assert issubclass(one.body, BaseModel)
    return list(one.body.model_fields)


@pytest.mark.parametrize("name", [name for name in NAMES if operation(name).body is not None])
async def test_no_value_of_any_field_is_a_surprise(cast: Cast, name: str) -> None:
    one = operation(name)
    path = await path_of(cast, one)
    caller = cast.atlas if one.who == "agent" else cast.ada
    for field in fields(one):
        for value in ODD:
            known = {key: text for key, text in WELL.items() if key in fields(one) and one.method == "POST"}
            answer = await send(caller, one, path, known | {field: value})
            assert answer.status < 500, f"{field}: {str(value)[:60]!r}: {answer.body}"
