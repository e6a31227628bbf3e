"""Lists of what grows without end find their page and their number by an index, whatever else is in the tables."""

from collections.abc import Sequence
from typing import Any

import pytest
from tortoise.transactions import in_transaction

from mission_control.core.request_facts import current_request_id
from mission_control.database import sql
from mission_control.database.sql import fetch, is_postgres, rows
from tests.cast import Cast

pytestmark = pytest.mark.dialect

Statement = tuple[str, tuple[Any, ...]]


async def finds(statement: Statement, table: str, *indexes: str) -> None:
    """Hold that the database finds rows of a table by one of these indexes; PostgreSQL chooses by what is in it."""
    text, values = statement
    async with in_transaction():
        if is_postgres():
            await rows("SET LOCAL enable_seqscan = off")
        found = await rows(f"EXPLAIN {'' if is_postgres() else 'QUERY PLAN '}{text}", *values)
    plan = " ".join(str(value) for row in found for value in row.values())
    assert f"Seq Scan on {table}" not in plan if is_postgres() else any(one in plan for one in indexes), plan


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Statement]:
    """The statements of requests, not those of loops beside them."""
    heard: list[Statement] = []

    async def listened(text: str, values: Sequence[Any]) -> tuple[tuple[str, ...], Sequence[Sequence[Any]]]:
        if current_request_id() is not None:
            heard.append((text, tuple(values)))
        return await fetch(text, values)

    monkeypatch.setattr(sql, "fetch", listened)
    return heard


@pytest.mark.parametrize(("path", "table", "indexes"), [
    ("/activity", "events", ["idx_events_board_i_102a6a", "idx_events_board_i_102a6a"]),
    ("/activity?kind=board", "events", ["idx_events_kind", "idx_events_kind"]),
    ("/activity/task-comments", "task_comments", ["idx_task_comments_counted", "idx_task_comments_shown"]),
    ("/metrics/dashboard", "events", ["sqlite_autoindex_events_2", "idx_events_organiz_2bc0ee"]),
])  # fmt: skip
async def test_lists_use_their_index(
    cast: Cast, asked: list[Statement], path: str, table: str, indexes: list[str]
) -> None:
    statements: list[Statement] = []
    while not statements:  # the loop of figures may have counted the newest event already
        await cast.add_task()
        asked.clear()
        (await cast.ada.get(path)).ok()
        statements = [one for one in asked if f"FROM {table} " in one[0]]
    assert len(statements) <= len(indexes)
    for statement in statements:
        await finds(statement, table, *indexes)


async def test_approval_history_uses_its_index(cast: Cast, asked: list[Statement]) -> None:
    approval = await cast.ask(cast.vega)
    asked.clear()
    (await cast.ada.get(f"{cast.approvals}/{approval['id']}/history")).ok()["items"]
    [statement] = [one for one in asked if "FROM events" in one[0]]
    await finds(statement, "events", "idx_events_kind")


async def test_number_of_kept_answers_is_found_by_its_index(cast: Cast, asked: list[Statement]) -> None:
    (await cast.ada.get(cast.tasks)).ok()
    [statement] = {one for one in asked if "AS everywhere" in one[0]}
    await finds(statement, "events", "idx_events_nowhere")
