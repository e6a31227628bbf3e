"""Paths with several ids: what belongs to one thing is not found under another one, however much the caller may."""

import pytest

from mission_control.http.registry import OPERATIONS, Operation
from tests.cast import Caller, Cast, hire
from tests.contract.bodies import body_of
from tests.things import MAKERS, PLACE, filled, things_of


def nested() -> list[Operation]:
    """The operations on something in something else that callers with credentials reach."""
    found = [one for one in OPERATIONS if len(PLACE.findall(one.path)) > 1 and "<string:" not in one.path]
    return sorted((one for one in found if one.who != "anyone"), key=lambda one: (one.path, one.method))


async def another(cast: Cast, name: str) -> str:
    """Another thing of the kind that a path begins with; everybody who calls here reaches it."""
    if name == "board_id":
        return str(cast.other_board.id)
    if name == "agent_id":
        return str(cast.rigel.id)
    if name in ("gateway_id", "outgoing_webhook_id"):
        return str(await MAKERS[name](cast, {}, ""))
    if name == "member_id":  # every member may be on every board: one of another organization
        return str((await cast.eve.get("/organizations/me/member")).ok()["id"])
    assert name == "group_id", name
    group = (await cast.ada.post("/board-groups", {"name": "Day", "slug": "day"})).ok()
    (await cast.ada.patch(f"/boards/{cast.other_board.id}", {"board_group_id": group["id"]})).ok()
    return str(group["id"])


@pytest.mark.once
@pytest.mark.parametrize("one", nested(), ids=lambda one: f"{one.method} {one.path}")
async def test_nested_resources_are_found_only_under_their_parent(cast: Cast, one: Operation) -> None:
    made = await things_of(cast, one.path)
    options = {} if one.body is None else {"json": await body_of(one, cast, made)}
    first = PLACE.findall(one.path)[0]
    path = filled(one.path, {**made, first: await another(cast, first)})
    lead = await hire(cast.app, cast.ada, cast.other_board, "Orion", is_lead=True)
    callers: list[Caller] = [cast.ada] if one.who == "user" else [cast.mira, lead]
    for caller in [*callers, cast.ada] if one.who == "actor" else callers:
        refusals = (
            (403, 404) if "/agents/<agent_id>" in one.path else (404,)
        )  # of colleagues leads know that they exist
        assert (await caller.call(one.method, path, **options)).status in refusals


def test_nested_operations_are_found() -> None:
    assert len(nested()) > 60
