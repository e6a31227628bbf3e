"""Tests begin with a copy of the cast, which must be what the commands would have written."""

from datetime import timedelta

from quart import Quart

from mission_control.core import times
from mission_control.database import records
from mission_control.people.audit.log_heads import verify_all
from mission_control.people.models import InstanceSetting
from tests.cast import Cast, assemble, everybody
from tests.cast_copies import ID, TABLES, Original
from tests.catalog import models

HASHES = {"hash", "prev_hash", "log_hash", "log_signature"}
TIMES = {"created_at", "updated_at"}


async def test_every_table_that_commands_fill_is_copied(app: Quart) -> None:
    await assemble(app)
    assert {model for model in models() if await model.exists()} == {*TABLES, InstanceSetting}


async def test_copy_differs_in_ids_times_and_hashes_only(cast: Cast, original_cast: Original) -> None:
    for model, originals in original_cast.rows.items():
        copies = await records.find_all(model, f"1 = 1 ORDER BY {TABLES[model]}")
        assert len(copies) == len(originals)
        for one, original in zip(copies, originals, strict=True):
            for name in set(model._meta.fields_db_projection) - HASHES - TIMES:
                found, expected = str(getattr(one, name)), str(getattr(original, name))
                assert ID.sub("id", found) == ID.sub("id", expected), (model, name)
                assert found != expected or not ID.search(found), (model, name)


async def test_copied_logs_hold(cast: Cast) -> None:
    found = await verify_all()
    assert [(entries, fault) for _, entries, fault in found] == [(6, None), (2, None), (10, None)]


async def test_copied_callers_are_known(cast: Cast) -> None:
    for caller in everybody(cast).values():
        assert (await caller.actor()).id == caller.id


async def test_copy_was_made_by_the_clock_of_its_test(app: Quart, original_cast: Original) -> None:
    with times.travelled(timedelta(days=3)):
        cast = await original_cast.copied()
    assert timedelta(days=3) < cast.board.created_at - original_cast.cast.board.created_at < timedelta(days=4)
    assert (await cast.ada.get(cast.home)).ok()["created_at"] == times.wire(cast.board.created_at)
