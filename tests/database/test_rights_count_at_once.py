"""A change of rights counts from the next request on, whichever command or program made it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.http import lookups
from mission_control.people.models import BoardAccess, Member, Organization, Token, User
from tests.cast import Cast, Person, Program
from tests.rights_changes import PROBES, Probe

pytestmark = pytest.mark.dialect


async def answer(cast: Cast, probe: Probe) -> tuple[int, Any]:
    somebody: Person | Program = getattr(cast, probe.who)
    path = probe.path(cast)
    found = await (somebody.get(path) if probe.body is None else somebody.post(path, probe.body))
    return found.status, found.body


@pytest.mark.parametrize("name", PROBES)
async def test_change_of_rights_counts_from_the_next_request(cast: Cast, name: str) -> None:
    probe = PROBES[name]
    for _ in range(2):  # the second one finds its actor built already
        status, body = await answer(cast, probe)
        assert status == 200, body
    if probe.status == 200:
        assert not probe.shows(body)
    await probe.change(cast)
    status, body = await answer(cast, probe)
    assert (status, probe.status != 200 or probe.shows(body)) == (probe.status, True), body


PERSON: dict[str, tuple[Any, dict[str, Any]]] = {
    "role": (Member, {"role": "admin"}),
    "all boards to read": (Member, {"all_boards_read": True}),
    "all boards to write": (Member, {"all_boards_write": True}),
    "one board to write": (BoardAccess, {"can_write": True}),
    "one board to read": (BoardAccess, {"can_read": False}),
    "no board": (BoardAccess, {}),
    "name": (User, {"preferred_name": "Danuta"}),
    "organization's name": (Organization, {"name": "Planetarium"}),
    "scopes": (Token, {"scopes": ["read"]}),
}
AGENT: dict[str, tuple[Any, dict[str, Any]]] = {
    "scopes": (Token, {"scopes": ["read"]}),
    "end": (Token, {"expires_at": times.clock_now() + timedelta(days=1)}),
    "name": (Agent, {"name": "Atlas Two"}),
    "lead": (Agent, {"is_board_lead": False}),
    "board": (Agent, {"board_id": None}),
}


@pytest.mark.parametrize("name", PERSON)
async def test_column_of_a_person_that_another_program_changed_is_read(cast: Cast, name: str) -> None:
    model, values = PERSON[name]
    await assert_is_read(cast.dan.token_id, model, values)


@pytest.mark.parametrize("name", AGENT)
async def test_column_of_an_agent_that_another_program_changed_is_read(cast: Cast, name: str) -> None:
    model, values = AGENT[name]
    [token] = await Token.filter(agent_id=cast.atlas.id)
    await assert_is_read(token.id, model, values, **({"id": cast.atlas.id} if model is Agent else {}))


async def assert_is_read(token_id: UUID, model: Any, values: dict[str, Any], **where: Any) -> None:
    before = await lookups.by_credential(("token", token_id), None)
    assert before is not None
    assert await lookups.by_credential(("token", token_id), None) is before  # equal rows are not built again
    await (model.filter(**where).update(**values) if values else model.all().delete())
    after = await lookups.by_credential(("token", token_id), None)
    assert after is not None and after.actor != before.actor


@pytest.mark.parametrize(
    "values", [{"revoked_at": times.clock_now()}, {"expires_at": times.clock_now()}], ids=["revoked", "over"]
)
async def test_token_that_another_program_ended_is_unknown(cast: Cast, values: dict[str, Any]) -> None:
    for somebody in (cast.dan, cast.vega):
        path = "/users/me" if somebody is cast.dan else "/agent/boards"
        (await somebody.get(path)).ok()
        await Token.all().update(**values)
        (await somebody.get(path)).refused(401)
        await Token.all().update(revoked_at=None, expires_at=None)
        (await somebody.get(path)).ok()


async def test_token_ends_by_the_clock(cast: Cast) -> None:
    await Token.all().update(expires_at=times.clock_now() + timedelta(minutes=1))
    (await cast.vega.get("/agent/boards")).ok()
    with times.travelled(timedelta(minutes=2)):
        (await cast.vega.get("/agent/boards")).refused(401)


async def test_agents_of_a_deleted_board_are_unknown(cast: Cast) -> None:
    (await cast.vega.get("/agent/boards")).ok()
    await Board.filter(id=cast.board.id).update(deleted_at=times.clock_now())
    (await cast.vega.get("/agent/boards")).refused(401)
