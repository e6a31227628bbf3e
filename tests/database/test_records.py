"""Rows read and written by prepared SQL are the same as those that Tortoise reads and writes."""

from typing import Any

import pytest
from tortoise.connection import get_connection
from tortoise.context import require_context
from tortoise.models import Model
from tortoise.transactions import in_transaction

from mission_control.core.times import clock_now as now
from mission_control.core.values import new_id
from mission_control.database.records import delete_all, find, find_all, insert, update, update_all
from mission_control.tasks.models import Task
from tests.cast import Cast
from tests.database.small_models import Note
from tests.statements import counted

pytestmark = pytest.mark.dialect


def models() -> list[type[Model]]:
    """Every model of the application whose key is its own."""
    app = require_context().apps
    assert app is not None
    return [one for one in app["models"].values() if one._meta.db_pk_column == "id"]


def fields_of(instance: Model) -> dict[str, Any]:
    """All columns of an instance by name."""
    return {name: getattr(instance, name) for name in instance._meta.fields_db_projection}


async def test_records_are_as_tortoise_reads_them(cast: Cast) -> None:
    task = await cast.add_task(title="Read me", description="Ünïcode", due_at="2026-12-01T12:00:00.000250Z")
    (await cast.ada.post(f"{cast.task(task)}/comments", {"message": "Hello"})).ok()
    compared = 0
    for model in models():
        expected = {one.pk: fields_of(one) for one in await model.all()}
        found = {one.pk: fields_of(one) for one in await find_all(model, "1 = 1")}
        assert found == expected, model.__name__
        for key, values in found.items():
            kinds = {name: type(value) for name, value in expected[key].items() if not name.endswith("id")}
            assert {name: type(value) for name, value in values.items() if not name.endswith("id")} == kinds
        compared += len(found)
    assert compared > 20


async def test_inserted_record_is_as_tortoise_writes_it(cast: Cast) -> None:
    known = await Task.get(id=(await cast.add_task(title="As before", due_at="2026-12-01T12:00:00Z"))["id"])
    one, other = (Task(**{**fields_of(known), "id": new_id(), "number": known.number + n}) for n in (1, 2))
    await insert(one)
    await other.save(force_create=True)
    sql = f"SELECT * FROM tasks WHERE id IN ('{one.id}', '{other.id}') ORDER BY number"
    first, second = await get_connection("default").execute_query_dict(sql)
    differing = {name for name in first if first[name] != second[name]}
    assert differing == {"id", "number"}
    assert one._saved_in_db


async def test_update_writes_the_named_fields_only(cast: Cast) -> None:
    task = await find(Task, "id = ?", (await cast.add_task(title="Old"))["id"])
    assert task is not None
    task.title, task.description, task.due_at = "New", "not saved", now()
    await update(task, "title", "due_at")
    stored = await Task.get(id=task.id)
    assert (stored.title, stored.due_at) == ("New", task.due_at)
    assert stored.description != "not saved"


async def test_a_missing_record_is_none(cast: Cast) -> None:
    assert await find(Task, "id = ?", new_id()) is None
    assert await find_all(Task, "id = ?", new_id()) == []


async def test_many_records_take_one_statement(cast: Cast) -> None:
    known = await Task.get(id=(await cast.add_task())["id"])
    tasks = [Task(**{**fields_of(known), "id": new_id(), "number": known.number + n}) for n in range(1, 21)]
    with counted() as found:
        await insert(*tasks)
    assert len(found) == 1
    assert await Task.filter(board_id=known.board_id).count() == 21


async def test_records_that_become_alike_are_changed_and_deleted_together(cast: Cast) -> None:
    tasks = [await find(Task, "id = ?", (await cast.add_task())["id"]) for _ in range(6)]
    known = [one for one in tasks if one is not None]
    for place, one in enumerate(known):
        one.title, one.description = f"Title {place % 2}", "not saved"
    with counted() as found:
        await update_all(known[:5], "title")
        await update_all([], "title")
    assert len(found) == 2
    stored = {one.id: one for one in await Task.filter(id__in=[one.id for one in known])}
    assert [stored[one.id].title for one in known[:5]] == ["Title 0", "Title 1", "Title 0", "Title 1", "Title 0"]
    assert stored[known[5].id].title not in ("Title 0", "Title 1")
    assert {one.description for one in stored.values()}.isdisjoint({"not saved"})
    with counted() as found:
        await delete_all(known[:4])
    assert len(found) == 1
    assert {one.id for one in await Task.filter(id__in=list(stored))} == {one.id for one in known[4:]}


async def test_lock_is_without_the_key(cast: Cast) -> None:
    known = await Task.get(id=(await cast.add_task())["id"])
    with counted() as found:
        async with in_transaction():
            await find(Task, "id = ?", known.id, lock=True)
    is_postgres = get_connection("default").capabilities.dialect == "postgres"
    assert [one.endswith("FOR NO KEY UPDATE") for one in found] == [is_postgres]


async def test_a_model_without_its_own_key_cannot_be_inserted() -> None:
    with pytest.raises(TypeError, match="Note gets its id from the database"):
        await insert(Note(text="a"))
