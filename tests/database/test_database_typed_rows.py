"""Rows as instances of a dataclass, with equal values from SQLite and PostgreSQL."""

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from mission_control.core.values import to_json
from mission_control.database.sql import is_postgres, rows, select, select_columns, select_one
from tests.database.small_database import small_database

pytestmark = [pytest.mark.dialect, pytest.mark.database]

ID = UUID("0193f0a1-4c5b-7d2e-8f3a-1b2c3d4e5f60")
NOON = datetime(2026, 11, 24, 12, 0, 0, 250)
TABLE = """
CREATE TABLE typed_boats (
    id {id} PRIMARY KEY,
    name TEXT NOT NULL,
    is_afloat {bool} NOT NULL,
    sails INT NOT NULL,
    cost BIGINT,
    length DOUBLE PRECISION,
    crew {json},
    built_at TIMESTAMP,
    owner_id {id}
)
"""
TYPES = {
    False: {"id": "CHAR(36)", "bool": "INT", "json": "JSON"},
    True: {"id": "UUID", "bool": "BOOLEAN", "json": "JSONB"},
}
INSERT = "INSERT INTO typed_boats VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
ALL = "SELECT id, name, is_afloat, sails, cost, length, crew, built_at, owner_id FROM typed_boats ORDER BY name"


@dataclass(slots=True)
class Boat:
    id: UUID
    name: str
    is_afloat: bool
    sails: int
    cost: int | None
    length: float | None
    crew: dict[str, Any] | None
    built_at: datetime | None
    owner_id: UUID | None


FULL = Boat(ID, "Argo", True, 3, 2**40, 7.5, {"names": ["Ada"]}, NOON, ID)
EMPTY = Boat(UUID(int=1), "Bare", False, 0, None, None, None, None, None)


@pytest.fixture
async def boats(tmp_path: Path) -> AsyncIterator[BaseDBAsyncClient]:
    async with small_database(tmp_path) as client:
        await client.execute_script(f"DROP TABLE IF EXISTS typed_boats; {TABLE.format(**TYPES[is_postgres()])};")
        crew = '{"names":["Ada"]}'
        await rows(INSERT, ID, "Argo", True, 3, 2**40, 7.5, crew, NOON, ID)
        await rows(INSERT, UUID(int=1), "Bare", False, 0, None, None, None, None, None)
        yield client
        await client.execute_script("DROP TABLE typed_boats")


async def test_values_have_the_types_of_the_annotations(boats: BaseDBAsyncClient) -> None:
    found = await select(Boat, ALL)
    assert found == [FULL, EMPTY]
    assert isinstance(found[0].id, UUID)
    assert found[0].is_afloat is True and found[1].is_afloat is False
    assert found[0].built_at is not None and found[0].built_at.tzinfo is None


async def test_columns_may_come_in_any_order(boats: BaseDBAsyncClient) -> None:
    backwards = (
        "SELECT owner_id, built_at, crew, length, cost, sails, is_afloat, name, id FROM typed_boats WHERE id = ?"
    )
    assert await select(Boat, backwards, ID) == [FULL]


async def test_a_sum_is_an_integer_and_an_id_can_be_text(boats: BaseDBAsyncClient) -> None:
    @dataclass(slots=True)
    class Total:
        id: str
        spent: int
        note: str = "none"

    sql = "SELECT id, SUM(cost) AS spent FROM typed_boats WHERE id = ? GROUP BY id"
    [total] = await select(Total, sql, ID)
    assert total == Total(str(ID), 2**40)
    assert type(total.id) is str and type(total.spent) is int


async def test_one_row_or_none(boats: BaseDBAsyncClient) -> None:
    one = f"SELECT * FROM ({ALL}) AS boats WHERE name = ?"
    assert await select_one(Boat, one, "Bare") == EMPTY
    assert await select_one(Boat, one, "Clio") is None
    assert await select(Boat, one, "Clio") == []


async def test_columns_for_answers(boats: BaseDBAsyncClient) -> None:
    kinds = {one.name: one.type for one in fields(Boat)}
    found = await select_columns(kinds, ALL)
    assert {type(one) for one in found["id"]} == {str}
    assert list(found["is_afloat"]) == [True, False] and list(found["crew"]) == [{"names": ["Ada"]}, None]
    answers = [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]
    assert to_json(answers) == to_json([asdict(FULL), asdict(EMPTY)])
    assert orjson.loads(to_json(found["built_at"])) == ["2026-11-24T12:00:00.000250Z", None]
    nowhere = f"SELECT * FROM ({ALL}) AS boats WHERE name = ?"
    assert await select_columns(kinds, nowhere, "Clio") == dict.fromkeys(kinds, ())
    with pytest.raises(TypeError, match="id do not fit the columns id, name"):
        await select_columns({"id": UUID}, "SELECT id, name FROM typed_boats")


async def test_missing_and_unknown_columns_are_refused(boats: BaseDBAsyncClient) -> None:
    @dataclass
    class Name:
        name: str

    with pytest.raises(TypeError, match="Name does not fit the columns name, sails"):
        await select(Name, "SELECT name, sails FROM typed_boats")
    with pytest.raises(TypeError, match="Boat does not fit the columns name"):
        await select(Boat, "SELECT name FROM typed_boats")
