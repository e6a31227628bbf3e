"""Every operation, whatever it does: nobody, the wrong kind of caller, outsiders, ended credentials, odd bodies."""

import re
import threading
from typing import Any, get_args
from uuid import uuid4

import pytest
from pydantic import BaseModel

from mission_control.core import times
from mission_control.http import operation as doing
from mission_control.http.inputs import validated
from mission_control.http.registry import OPERATIONS, Operation
from mission_control.people.models import Token
from tests.cast import Answer, Caller, Cast
from tests.samples import sampled
from tests.things import MAKERS, path_of

NAMES = [one.operation_id for one in OPERATIONS if one.who != "anyone"]
ANSWERS_OUTSIDERS = {"delete_agent": "an unknown id is fine, and stays untouched"}
ONLY_MAIN_AGENTS = {"agent_main_message_board_lead": "who is no gateway's main agent learns nothing of any board"}
SAFE = {"GET"}
# What these are about is found in a gateway that the query names.
OF_A_GATEWAY = {
    "get_gateway_session", "get_session_history", "send_gateway_session_message", "abort_gateway_session",
    "install_marketplace_skill", "uninstall_marketplace_skill",
}  # fmt: skip


def operation(name: str) -> Operation:
    """An operation by its id."""
    return next(one for one in OPERATIONS if one.operation_id == name)


async def send(caller: Caller, one: Operation, path: str, body: Any = None) -> Answer:
    """Call it; with a body when it takes one."""
    return await caller.call(one.method, path, *([] if one.body is None else [{} if body is None else body]))


@pytest.mark.once
@pytest.mark.parametrize("name", NAMES)
async def test_operations_refuse_wrong_callers_and_bodies(cast: Cast, name: str) -> None:
    """One after the other, for none of them changes anything; ended credentials come last."""
    one = operation(name)
    path = await path_of(cast, one)
    await no_json_is_told_before_anything_else(cast, one, path)
    await nobody_and_the_wrong_kind_of_caller(cast, one, path)
    if "_id>" in one.path:
        await outsiders_find_nothing(cast, one, path)
    await ended_credentials(cast, one, path)


async def no_json_is_told_before_anything_else(cast: Cast, one: Operation, path: str) -> None:
    if one.method not in SAFE:
        answer = await cast.nobody.call(one.method, path, data=b"{", headers={"Content-Type": "application/json"})
        assert answer.status == (401 if one.body is None else 422)


async def nobody_and_the_wrong_kind_of_caller(cast: Cast, one: Operation, path: str) -> None:
    assert (await send(cast.nobody, one, path)).refused(401) == "Unauthorized"
    if one.who == "user":
        assert (await send(cast.atlas, one, path)).refused(401) == "Unauthorized"
    if one.who == "agent":
        assert (await send(cast.ada, one, path)).refused(401) == "Unauthorized"


async def outsiders_find_nothing(cast: Cast, one: Operation, path: str) -> None:
    insider: Caller = cast.atlas if one.who == "agent" else cast.ada
    unknown_path = re.sub(r"<(\w+)>", str(uuid4()), one.path)
    if one.name in OF_A_GATEWAY:
        path += f"?gateway_id={await MAKERS['gateway_id'](cast, {}, one.path)}"
        unknown_path += f"?gateway_id={uuid4()}"
    body = {"content": "Hello."} if one.name.startswith("send_gateway_session") else None
    unknown = await send(insider, one, unknown_path, body)
    callers: dict[str, list[Caller]] = {
        "user": [cast.eve],
        "agent": [cast.nova, cast.mira],
        "actor": [cast.eve, cast.nova, cast.mira],
    }
    for caller in callers[one.who]:
        answer = await send(caller, one, path, body)
        if one.name in ANSWERS_OUTSIDERS:
            assert answer.ok() == unknown.ok() == {"ok": True}
            assert await Token.filter(agent_id=cast.vega.id, revoked_at=None).exists()
        elif one.name in ONLY_MAIN_AGENTS:
            assert answer.refused(403) == unknown.refused(403)
        else:
            assert answer.refused(404) == unknown.refused(404)


async def ended_credentials(cast: Cast, one: Operation, path: str) -> None:
    await Token.filter(user_id=cast.ada.id).update(revoked_at=times.clock_now())
    await Token.filter(agent_id=cast.atlas.id).update(expires_at=times.clock_now())
    for caller in (cast.ada, cast.atlas):
        assert (await send(caller, one, path)).refused(401) == "Unauthorized"


ODD: list[Any] = [
    None, "", " ", "x" * 70_000, "\u00e9\U0001f600", 0, -1, 2**62, 1.5, 1e300, True, [], [None], [[]], {}, {"a": None},
    str(uuid4()), [str(uuid4())], "2026-11-24", "9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:00", -1e18,
]  # fmt: skip
WELL: dict[str, Any] = {
    "name": "Odd", "slug": "odd", "description": "Odd.", "title": "Odd", "message": "Odd.", "action_type": "odd",
    "confidence": 5, "lead_reasoning": "Odd.", "content": "Odd.", "every": "5m", "text": "Odd.", "status": "inbox",
    "source_url": "https://github.com/observatory/skills", "invited_email": "gil@example.org", "field_key": "odder",
    "done_before": "2026-01-01T00:00:00", "delete": False,
}  # fmt: skip


def fields(one: Operation) -> list[str]:
    """The fields of an operation's body."""
    shapes: tuple[type[BaseModel], ...] = get_args(one.body) or (one.body,)
    return list(dict.fromkeys(name for shape in shapes for name in shape.model_fields))


@pytest.mark.parametrize("name", sampled(name for name in NAMES if operation(name).body is not None))
async def test_extreme_field_values_never_cause_an_error(cast: Cast, name: str) -> None:
    one = operation(name)
    path = await path_of(cast, one)
    caller = cast.atlas if one.who == "agent" else cast.ada
    for field in fields(one):
        for value in ODD:
            known = {key: text for key, text in WELL.items() if key in fields(one) and one.method == "POST"}
            answer = await send(caller, one, path, known | {field: value})
            assert answer.status < 500, f"{field}: {str(value)[:60]!r}: {answer.body}"


async def test_large_body_is_validated_in_a_thread(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = []

    def noted(*given: Any, **more: Any) -> dict[str, Any]:
        beside.append(threading.current_thread() is not threading.main_thread())
        return validated(*given, **more)

    monkeypatch.setattr(doing, "validated", noted)
    for text in ("Short", "x" * doing.LARGE):
        (await cast.ada.post(cast.tasks, {"title": "T", "description": text})).ok()
    (await cast.ada.post(cast.tasks, {"title": "\x00", "description": text})).refused(422)
    assert beside == [False, True, True]
