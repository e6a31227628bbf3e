"""The main agents of gateways: what they reach, which is the boards of their gateway, and what each role may do."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from mission_control.boards.models import Board
from mission_control.gateways.models import Gateway
from tests.agents_on_gateways import add_gateway, hire_main, hire_on
from tests.cast import Caller, Cast, Program, ids

YES, NO, ABSENT = 200, 403, 404


@dataclass(slots=True)
class Fleet:
    """Two gateways of one organization and one of another, each with its main agent."""

    gateway: Gateway
    main: Program
    neighbour: Program
    stranger: Program
    attic: Board


@pytest.fixture
async def fleet(cast: Cast) -> AsyncIterator[Fleet]:
    """The board on the first gateway, the dome on the second, the cellar on that of the other organization."""
    gateway = await add_gateway(cast.organization.id, cast.board)
    second = await add_gateway(cast.organization.id, cast.other_board, name="Second")
    foreign = await add_gateway(cast.elsewhere.id, cast.foreign_board)
    attic = await Board.create(
        organization_id=cast.organization.id, name="Attic", slug="attic", description="", gateway_id=gateway.id
    )
    yield Fleet(
        gateway,
        await hire_main(cast.app, gateway),
        await hire_main(cast.app, second, "Second main"),
        await hire_main(cast.app, foreign, "Foreign main"),
        attic,
    )


READS = ("", "/tasks", "/tags", "/memory", "/approvals")


@pytest.mark.parametrize("tail", READS)
async def test_main_agent_reads_the_boards_of_its_gateway_and_no_others(cast: Cast, fleet: Fleet, tail: str) -> None:
    for board in (cast.board, fleet.attic):
        assert (await fleet.main.get(f"/agent/boards/{board.id}{tail}")).status == YES
    for board in (cast.other_board, cast.foreign_board):
        assert (await fleet.main.get(f"/agent/boards/{board.id}{tail}")).status == ABSENT
    for other in (fleet.neighbour, fleet.stranger):
        assert (await other.get(f"/agent/boards/{cast.board.id}{tail}")).status == ABSENT


async def test_lists_of_a_main_agent_hold_what_it_reaches(cast: Cast, fleet: Fleet) -> None:
    lead = await hire_on(cast.app, fleet.gateway, fleet.attic, "Attic lead", is_lead=True)
    boards = (await fleet.main.get("/agent/boards")).ok()
    assert set(ids(boards["items"])) == {str(cast.board.id), str(fleet.attic.id)}
    theirs = {str(one.id) for one in (cast.atlas, cast.vega, cast.rigel, lead, fleet.main)}
    assert set(ids((await fleet.main.get("/agent/agents")).ok()["items"])) == theirs
    there = (await fleet.main.get("/agent/agents", query_string={"board_id": str(fleet.attic.id)})).ok()
    assert ids(there["items"]) == [str(lead.id)]
    for board in (cast.other_board, cast.foreign_board):
        foreign = await fleet.main.get("/agent/agents", query_string={"board_id": str(board.id)})
        assert foreign.status == ABSENT
    health = (await fleet.main.get("/agent/healthz")).ok()
    assert (health["board_id"], health["gateway_id"]) == (None, str(fleet.gateway.id))


async def test_reach_follows_the_board_at_once(cast: Cast, fleet: Fleet) -> None:
    path = f"/agent/boards/{cast.board.id}"
    assert (await fleet.main.get(path)).status == YES
    await Board.filter(id=cast.board.id).update(gateway_id=None)
    assert (await fleet.main.get(path)).status == ABSENT
    assert ids((await fleet.main.get("/agent/boards")).ok()["items"]) == [str(fleet.attic.id)]


# What the three roles get on the board: worker, lead, main; the main agent of another gateway always gets 404 there.
ACTS: dict[str, tuple[str, str, Any, tuple[int, int, int]]] = {
    "read a task": ("GET", "/agent{board}/tasks", ..., (YES, YES, YES)),
    "create a task": ("POST", "/agent{board}/tasks", {"title": "New"}, (NO, YES, NO)),
    "take a task": ("PATCH", "/agent{board}/tasks/{task}", {"status": "in_progress"}, (YES, NO, YES)),
    "assign a task": ("PATCH", "/agent{board}/tasks/{task}", {"assigned_agent_id": "{worker}"}, (NO, YES, NO)),
    "delete a task": ("DELETE", "/agent{board}/tasks/{task}", ..., (NO, YES, NO)),
    "comment": ("POST", "/agent{board}/tasks/{task}/comments", {"message": "Seen."}, (YES, NO, YES)),
    "ask for an approval": (
        "POST",
        "/agent{board}/approvals",
        {"action_type": "deploy", "confidence": 50, "lead_reasoning": "Because."},
        (YES, YES, YES),
    ),
    "write memory": ("POST", "/agent{board}/memory", {"content": "A fact."}, (YES, YES, YES)),
    "create an agent": ("POST", "/agent/agents", {"name": "Newcomer", "board_id": "{board_id}"}, (NO, YES, NO)),
    "delete an agent": ("DELETE", "/agent{board}/agents/{worker}", ..., (NO, YES, NO)),
    "nudge": ("POST", "/agent{board}/agents/{worker}/nudge", {"message": "Hello?"}, (NO, YES, NO)),
    "write a soul": ("PUT", "/agent{board}/agents/{worker}/soul", {"content": "Be kind."}, (NO, YES, NO)),
    "read a colleague's soul": ("GET", "/agent{board}/agents/{other}/soul", ..., (NO, YES, NO)),
    "ask the user": ("POST", "/agent{board}/gateway/main/ask-user", {"content": "Red or blue?"}, (NO, YES, NO)),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", ["worker", "lead", "main", "neighbour", "stranger"])
async def test_roles_may_do_what_the_table_says(cast: Cast, fleet: Fleet, act: str, role: str) -> None:
    method, path, body, expected = ACTS[act]
    await cast.put(await cast.add_task(), status="inbox")
    known = {
        "board": f"/boards/{cast.board.id}",
        "board_id": str(cast.board.id),
        "task": str((await cast.add_task())["id"]),
        "worker": str(cast.vega.id),
        "other": str(cast.rigel.id),
    }
    if isinstance(body, dict):
        body = {name: text.format(**known) if isinstance(text, str) else text for name, text in body.items()}
    callers: dict[str, Caller] = {"worker": cast.vega, "lead": cast.atlas, "main": fleet.main}
    callers |= {"neighbour": fleet.neighbour, "stranger": fleet.stranger}
    answer = await callers[role].call(method, path.format(**known), body)
    if role in ("neighbour", "stranger"):
        assert answer.status == (ABSENT if "{board}" in path else NO)
    else:
        assert answer.status == expected[("worker", "lead", "main").index(role)], answer.body


async def test_main_agent_is_no_colleague_on_a_board(cast: Cast, fleet: Fleet) -> None:
    """An agent without a board is found on none: the lead can neither nudge it nor read or write its soul."""
    path = f"/agent/boards/{cast.board.id}/agents/{fleet.main.id}"
    assert (await cast.atlas.post(f"{path}/nudge", {"message": "Hello?"})).status == ABSENT
    assert (await cast.atlas.get(f"{path}/soul")).status == ABSENT
    assert (await fleet.main.get(f"{path}/soul")).status == ABSENT
    assert (await cast.atlas.call("PUT", f"{path}/soul", {"content": "Be kind."})).status == ABSENT


async def test_main_agent_asks_as_itself_and_for_a_decision_of_people(cast: Cast, fleet: Fleet) -> None:
    wanted = {"action_type": "deploy", "confidence": 50, "lead_reasoning": "Because."}
    claimed = {**wanted, "status": "approved", "agent_id": str(cast.vega.id)}
    made = (await fleet.main.post(f"/agent/boards/{cast.board.id}/approvals", claimed)).ok()
    assert (made["status"], made["agent_id"]) == ("pending", str(fleet.main.id))


async def test_main_agent_does_not_create_finished_tasks(cast: Cast, fleet: Fleet) -> None:
    path = f"/agent/boards/{cast.board.id}/tasks"
    assert (await fleet.main.post(path, {"title": "Done", "status": "done"})).status == NO


async def test_group_of_a_board_is_reached_through_the_board(cast: Cast, fleet: Fleet) -> None:
    made = (await cast.ada.post("/board-groups", {"name": "Roof", "slug": "roof"})).ok()
    (await cast.ada.patch(f"/boards/{cast.board.id}", {"board_group_id": made["id"]})).ok()
    assert (await fleet.main.get(f"/boards/{cast.board.id}/group-memory")).status == YES
    assert (await fleet.neighbour.get(f"/boards/{cast.board.id}/group-memory")).status == ABSENT
    beat = {"every": "5m"}
    assert (await fleet.main.post(f"/board-groups/{made['id']}/heartbeat", beat)).status == NO
    assert (await fleet.neighbour.post(f"/board-groups/{made['id']}/heartbeat", beat)).status == ABSENT
