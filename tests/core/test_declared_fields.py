"""The tables of a board's and an agent's fields name every column, and what they declare is saved and answered."""

from datetime import datetime
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from tortoise.models import Model

from mission_control.agents import fields as agents
from mission_control.agents.models import Agent
from mission_control.agents.schemas import AgentCreate
from mission_control.boards import schemas as boards
from mission_control.boards.models import Board
from mission_control.boards.schemas import BoardCreate, BoardFields
from mission_control.core.field_tables import DeclaredField
from tests.cast import Cast

pytestmark = pytest.mark.dialect

SAMPLES: dict[str, Any] = {
    "board_type": "general", "success_metrics": {"visitors": 5}, "wip_limits": {"review": 3},
    "heartbeat_config": {"every": "30s"}, "identity_profile": {"role": "Tester"}, "claim_tags": ["docs"],
    "session_detail": "commands", "done_needs": ["check"],
}  # fmt: skip


def sample(one: DeclaredField, present: Any) -> Any:
    """Return a value that a field does not have."""
    if one.name in SAMPLES:
        return SAMPLES[one.name]
    kinds = {one.kind, *get_args(one.kind)}
    samples: dict[Any, Any] = {str: "Another text", datetime: "2027-02-03T04:05:06Z", int: 77, bool: not present}
    return next(value for kind, value in samples.items() if kind in kinds)


@pytest.mark.parametrize(("table", "model"), [(boards.FIELDS, Board), (agents.FIELDS, Agent)])
async def test_every_column_is_in_the_table(cast: Cast, table: tuple[DeclaredField, ...], model: type[Model]) -> None:
    assert {one.name for one in table if one.is_column} == set(model._meta.fields_db_projection)
    assert len({one.name for one in table}) == len(table)


@pytest.mark.parametrize(
    ("model", "table"), [(BoardFields, boards.FIELDS), (BoardCreate, boards.FIELDS), (AgentCreate, agents.FIELDS)]
)
def test_a_field_that_a_model_names_is_the_tables(model: type[BaseModel], table: tuple[DeclaredField, ...]) -> None:
    named = model.__bases__[0]
    assert issubclass(named, BaseModel)
    for name in named.model_fields.keys() & {one.name for one in table}:
        one, same = named.model_fields[name], model.model_fields[name]
        assert (one.annotation, one.default) == (same.annotation, same.default), name


@pytest.mark.parametrize("one", boards.OWN, ids=lambda one: one.name)
async def test_a_boards_own_field_is_saved_and_exported(cast: Cast, one: DeclaredField) -> None:
    complete = {"objective": "More visitors.", "success_metrics": {"visitors": 4}}
    present = (await cast.ada.patch(cast.home, complete if one.name == "goal_confirmed" else {})).ok()[one.name]
    value = sample(one, present)
    assert present != value
    assert (await cast.ada.patch(cast.home, {one.name: value})).ok()[one.name] == value
    assert (await cast.ada.get(cast.home)).ok()[one.name] == value
    assert (await cast.ada.get(f"{cast.home}/export")).ok()["board"][one.name] == value


@pytest.mark.parametrize("name", agents.PLAIN)
async def test_an_agents_plain_field_is_saved_by_every_way_of_sending_it(cast: Cast, name: str) -> None:
    [one] = [one for one in agents.FIELDS if one.name == name]
    path = f"/agents/{cast.vega.id}"
    present = (await cast.ada.get(path)).ok()[name]
    value = sample(one, present)
    if name == "is_board_lead":
        await Agent.filter(board_id=cast.board.id, is_board_lead=True).update(is_board_lead=False)
    assert (await cast.ada.patch(path, {name: value})).ok()[name] == value
    assert (await cast.ada.get(path)).ok()[name] == value
    if name == "is_board_lead":
        await Agent.filter(id=cast.vega.id).update(is_board_lead=False)
    body = {"name": "Deneb", "board_id": str(cast.board.id)} | ({} if name == "name" else {name: value})
    made = (await cast.ada.post("/agents", body)).ok()
    assert (await cast.ada.get(f"/agents/{made['id']}")).ok()[name] == body[name]
