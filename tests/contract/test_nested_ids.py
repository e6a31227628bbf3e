"""Paths with several ids: what belongs to one thing is not found under another one, however much the caller may."""

import pytest

from mission_control.http.registry import OPERATIONS, Operation
from tests.cast import Caller, Cast, hire
from tests.contract.bodies import body_of
from tests.contract.operation_rights import named
from tests.things import MAKERS, PLACE, filled, things_of

# A dependency that is not there is removed already.
IDEMPOTENT = {"remove_dependency"}


def nested() -> list[tuple[Operation, str]]:
    """The operations on something in something else that callers with credentials reach, with each of its parents."""
    found = [one for one in OPERATIONS if one.who != "anyone" and "<string:" not in one.path]
    return [
        (one, parent)
        for one in sorted(found, key=lambda one: (one.path, one.method))
        for parent in PLACE.findall(one.path)[: 1 if one.name in IDEMPOTENT else -1]
    ]


async def another(cast: Cast, name: str) -> str:
    """Another thing of the kind of a parent; everybody who calls here reaches it."""
    if name == "task_id":
        return str((await cast.add_task())["id"])
    if name == "board_id":
        return str(cast.other_board.id)
    if name == "agent_id":
        return str(cast.rigel.id)
    if name in ("gateway_id", "outgoing_webhook_id", "webhook_id"):
        return str(await MAKERS[name](cast, {}, ""))
    if name == "member_id":  # every member may be on every board: one of another organization
        return str((await cast.eve.get("/organizations/me/member")).ok()["id"])
    assert name == "group_id", name
    group = (await cast.ada.post("/board-groups", {"name": "Day", "slug": "day"})).ok()
    (await cast.ada.patch(f"/boards/{cast.other_board.id}", {"board_group_id": group["id"]})).ok()
    return str(group["id"])


@pytest.mark.once
@pytest.mark.parametrize(("one", "parent"), nested(), ids=lambda one: one if isinstance(one, str) else named(one))
async def test_nested_resources_are_found_only_under_their_parents(cast: Cast, one: Operation, parent: str) -> None:
    made = await things_of(cast, one.path)
    options = {} if one.body is None else {"json": await body_of(one, cast, made)}
    path = filled(one.path, {**made, parent: await another(cast, parent)})
    callers: list[Caller] = [cast.mira, await hire(cast.app, cast.ada, cast.other_board, "Orion", is_lead=True)]
    if parent != PLACE.findall(one.path)[0]:  # on the board of the cast, too
        callers = [cast.atlas]
    people: dict[str, list[Caller]] = {"user": [cast.ada], "agent": callers, "actor": [*callers, cast.ada]}
    # Of colleagues leads know that they exist.
    refusals = (403, 404) if "/agents/<agent_id>" in one.path else (404,)
    for caller in people[one.who]:
        assert (await caller.call(one.method, path, **options)).status in refusals


def test_nested_operations_are_found() -> None:
    assert len(nested()) > 60
