"""UtcDatetimeField: naive UTC in the program, one order in the database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from mission_control.core.times import clock_now as now
from tests.database.small_database import small_database
from tests.database.small_models import Note

pytestmark = [pytest.mark.dialect, pytest.mark.database]

NOON = datetime(2026, 11, 24, 12)
NOON_IN_BERLIN = datetime(2026, 11, 24, 13, tzinfo=timezone(timedelta(hours=1)))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[BaseDBAsyncClient]:
    async with small_database(tmp_path) as client:
        yield client


@pytest.mark.parametrize("given", [NOON, NOON_IN_BERLIN, NOON.replace(tzinfo=UTC)])
async def test_time_is_read_as_naive_utc(database: BaseDBAsyncClient, given: datetime) -> None:
    note = await Note.create(at=given)
    assert note.at == NOON
    assert (await Note.get(id=note.id)).at == NOON
    assert await Note.filter(id=note.id).values_list("at", flat=True) == [NOON]


async def test_text_and_epoch_are_read_too() -> None:
    field = Note._meta.fields_map["at"]
    assert field.to_python_value("2026-11-24T12:00:00Z") == NOON
    assert field.to_python_value("2026-11-24T13:00:00+01:00") == NOON
    assert field.to_python_value(NOON.replace(tzinfo=UTC).timestamp()) == NOON
    assert field.to_python_value(None) is None


@pytest.mark.parametrize("asked", [NOON, NOON_IN_BERLIN])
async def test_filters_convert_too(database: BaseDBAsyncClient, asked: datetime) -> None:
    await Note.create(at=NOON_IN_BERLIN)
    assert await Note.filter(at=asked).count() == 1
    assert await Note.filter(at__gte=asked, at__lte=asked).count() == 1
    assert await Note.filter(at__in=[asked]).count() == 1
    assert await Note.filter(at__lt=asked).count() == 0
    assert await Note.filter(at=asked).update(at=NOON_IN_BERLIN + timedelta(seconds=1)) == 1
    assert await Note.filter(at__gt=asked).count() == 1


async def test_order_is_the_order_of_time(database: BaseDBAsyncClient) -> None:
    moments = [NOON + timedelta(microseconds=step) for step in (0, 1, 10, 500_000, 999_999, 1_000_000)]
    for moment in reversed(moments):
        await Note.create(at=moment)
    assert await Note.all().order_by("at").values_list("at", flat=True) == moments


async def test_automatic_times_are_naive_utc(database: BaseDBAsyncClient) -> None:
    before = now()
    note = await Note.create()
    assert before <= note.made_at <= note.changed_at <= now()
    made, changed = note.made_at, note.changed_at
    await note.save()
    assert note.made_at == made
    assert note.changed_at > changed
