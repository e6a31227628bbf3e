"""Where statements run on SQLite: short ones on the loop's thread, long ones in threads, COMMIT as the disk is."""

import asyncio
import gc
import sqlite3
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

from mission_control.database.sql import FEW_ROWS, connection, rows
from mission_control.database.sqlite import connection as sqlite_connection
from mission_control.database.sqlite import file as sqlite_file
from mission_control.database.sqlite.connection import (
    COMMITS_BETWEEN_CHECKPOINTS,
    FEW_CHANGES,
    QUICK_IN_A_ROW,
    Commits,
    is_read,
    is_unbounded,
)
from mission_control.database.sqlite.engine import SafeSqliteClient
from mission_control.database.sqlite.file import LONG_READS, QUICK_READS, SqliteFile
from tests.database.small_database import small_database
from tests.database.small_models import Note

pytestmark = [pytest.mark.once, pytest.mark.database]

LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT COUNT(*) AS n FROM n"
COUNT = "SELECT COUNT(*) AS n FROM small_notes"
ENDLESS = LONG.replace("WHERE i < ?", "WHERE i <> ?")


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[SqliteFile]:
    async with small_database(tmp_path) as client:
        if not isinstance(client, SafeSqliteClient):
            pytest.skip("PostgreSQL has no file")
        yield await client.opened()


def threads_of(connection: sqlite3.Connection) -> set[int]:
    """The threads in which a connection begins statements from now on."""
    seen: set[int] = set()
    connection.set_trace_callback(lambda _: seen.add(threading.get_ident()))
    return seen


async def test_short_statements_run_on_the_loops_thread(file: SqliteFile) -> None:
    assert file.reader is not None
    reading, writing = threads_of(file.reader), threads_of(file.writer)
    await Note.all()
    assert reading == {threading.get_ident()}
    assert writing == set()


async def committed_here(file: SqliteFile, notes: int = 1) -> bool:
    """Whether a COMMIT ran on the loop's thread, as BEGIN always does."""
    seen: dict[str, int] = {}
    file.writer.set_trace_callback(lambda text: seen.setdefault(text.split()[0], threading.get_ident()))
    async with in_transaction():
        await Note.bulk_create([Note(text=f"{number}") for number in range(notes)])
    file.writer.set_trace_callback(None)
    assert seen["BEGIN"] == threading.get_ident()
    return seen["COMMIT"] == threading.get_ident()


async def test_commit_leaves_its_thread_once_the_disk_was_quick(
    file: SqliteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_connection, "SHORT_SECONDS", 60.0)
    file.commits = Commits()
    assert [await committed_here(file) for _ in range(QUICK_IN_A_ROW)] == [False] * QUICK_IN_A_ROW
    assert await committed_here(file)
    assert not await committed_here(file, FEW_CHANGES + 1)
    monkeypatch.setattr(sqlite_connection, "SHORT_SECONDS", 0.0)
    assert await committed_here(file)  # too slow, as it turns out
    assert not await committed_here(file)


async def test_log_is_copied_into_the_file_in_a_thread(file: SqliteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_connection, "SHORT_SECONDS", 60.0)
    file.commits = Commits()
    here = [await committed_here(file) for _ in range(COMMITS_BETWEEN_CHECKPOINTS + 2)]
    assert here[QUICK_IN_A_ROW:] == [*[True] * (COMMITS_BETWEEN_CHECKPOINTS - QUICK_IN_A_ROW), False, True]


async def test_long_read_moves_to_a_thread_and_others_go_on(file: SqliteFile) -> None:
    for _ in range(2):
        running = asyncio.create_task(rows(LONG, 1_000_000))
        await asyncio.sleep(0)
        assert await Note.all().count() == 0
        assert not running.done()
        assert await running == [{"n": 1_000_000}]


@pytest.mark.parametrize("statement", [
    COUNT,
    "SELECT id FROM small_notes WHERE text LIKE '%a%'",
    "SELECT id FROM small_notes WHERE instr(unicode_lower(text), 'a') > 0",
    "SELECT SUM(id) AS n FROM small_notes",
    "SELECT text FROM small_notes GROUP BY text",
])  # fmt: skip
async def test_searches_and_counts_never_run_on_the_loops_thread(file: SqliteFile, statement: str) -> None:
    assert file.reader is not None
    reading, writing = threads_of(file.reader), threads_of(file.writer)
    for _ in range(3):
        await rows(statement)
    assert reading == set()
    async with in_transaction():
        writing.clear()
        await rows(statement)
        assert threading.get_ident() not in writing


async def test_long_text_is_written_in_a_thread(file: SqliteFile) -> None:
    async with in_transaction():
        for _ in range(3):
            await Note.create(text="short")
        seen = threads_of(file.writer)
        await Note.create(text="short")
        assert seen == {threading.get_ident()}
        seen.clear()
        await Note.create(text="a" * 900_000)
        assert threading.get_ident() not in seen


async def test_many_long_rows_are_read_in_a_thread(file: SqliteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    await Note.bulk_create([Note(text=f"{number}") for number in range(40)])
    assert file.reader is not None
    monkeypatch.setattr(file.reader.watch, "is_over", lambda: True)
    assert len(await rows("SELECT text FROM small_notes")) == 40
    assert len(file.readers.all) == 1


async def test_quick_reads_do_not_wait_for_long_ones(file: SqliteFile) -> None:
    endless = [asyncio.create_task(rows(f"{ENDLESS} -- {number}", 0)) for number in range(QUICK_READS + LONG_READS + 1)]
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        for _ in range(3):
            assert await rows(COUNT) == [{"n": 0}]
    for one in endless:
        one.cancel()
    await asyncio.gather(*endless, return_exceptions=True)


async def test_statement_that_held_the_loop_is_logged(
    file: SqliteFile, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await rows("SELECT text FROM small_notes")
    assert not caplog.records
    monkeypatch.setattr(sqlite_file, "HELD_SECONDS", 0.0)
    await rows("SELECT text FROM small_notes")
    assert [(one.message, one.__dict__["statement"]) for one in caplog.records] == [
        ("database.loop_held", "SELECT text FROM small_notes")
    ]


async def test_long_read_inside_a_transaction_keeps_what_was_changed(file: SqliteFile) -> None:
    async with in_transaction():
        await Note.create(text="kept")
        assert await rows(LONG, 300_000) == [{"n": 300_000}]
        assert await Note.all().count() == 1
    assert await Note.all().count() == 1


async def test_more_long_reads_than_threads_are_all_answered(file: SqliteFile) -> None:
    found = await asyncio.gather(*(rows(LONG, 100_000 + number) for number in range(LONG_READS * 3)))
    assert [one[0]["n"] for one in found] == [100_000 + number for number in range(LONG_READS * 3)]


async def test_cancelled_long_read_is_interrupted(file: SqliteFile) -> None:
    for _ in range(LONG_READS + 1):
        running = asyncio.create_task(rows(ENDLESS, 0))
        await asyncio.sleep(0.05)
        running.cancel()
        async with asyncio.timeout(30):
            outcomes = await asyncio.gather(running, return_exceptions=True)
        assert isinstance(outcomes[0], asyncio.CancelledError)
    assert await rows(LONG, 200_000) == [{"n": 200_000}]


async def test_read_cancelled_while_its_connection_opens_leaves_it_to_the_next(file: SqliteFile) -> None:
    for _ in range(QUICK_READS + 2):
        running = asyncio.create_task(rows(COUNT))
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert len(file.readers.all) == 1
    assert await rows(LONG, 200_000) == [{"n": 200_000}]
    assert len(file.readers.all) == 1


async def test_read_that_finds_its_new_connection_taken_opens_another(file: SqliteFile) -> None:
    first = asyncio.create_task(file.readers.read(fetched, COUNT, ()))
    async with asyncio.timeout(60):
        while not file.readers.all:
            await asyncio.sleep(0)  # it is there, and the one that opened it goes on later
    second = await file.readers.read(fetched, COUNT, ())
    assert second == await first == [(0,)]


def fetched(connection: sqlite3.Connection, sql: str, values: Sequence[object]) -> list[tuple[int]]:
    return connection.execute(sql, values).fetchall()


async def test_read_sees_what_was_committed_and_nothing_else(file: SqliteFile) -> None:
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with in_transaction():
            await Note.create(text="a")
            begun.set()
            await goes_on.wait()

    writing = asyncio.create_task(write())
    await begun.wait()
    assert await Note.all().count() == 0
    goes_on.set()
    await writing
    assert await Note.all().count() == 1


async def test_what_was_committed_is_seen_after_a_read_was_cut(
    file: SqliteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection would go on to read what was there when the read began, until its rows are let go of."""
    await Note.bulk_create([Note(text=f"{number}") for number in range(40)])
    assert await rows(COUNT) == [{"n": 40}]
    [reader] = file.readers.all
    over = iter((True,))
    monkeypatch.setattr(reader.watch, "is_over", lambda: next(over, False))
    gc.disable()
    try:
        assert len(await rows("SELECT id FROM small_notes WHERE text LIKE '%'")) == 40
        assert next(over, None) is None, "the read was cut"
        await Note.create(text="new")
        assert await rows(COUNT) == [{"n": 41}]
    finally:
        gc.enable()


async def test_writer_waits_for_another_process_without_holding_up_readers(file: SqliteFile, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "mission_control_test", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(Note.create(text="a"))
        changing = asyncio.create_task(write_in_transaction())
        await asyncio.sleep(0.05)
        assert await Note.all().count() == 0
        assert not writing.done() and not changing.done()
        other.execute("ROLLBACK")
        await asyncio.gather(writing, changing)
    assert await Note.all().count() == 2


async def write_in_transaction() -> None:
    async with in_transaction():
        await Note.create(text="b")


async def test_readers_cannot_write(file: SqliteFile) -> None:
    assert file.reader is not None
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        file.reader.execute("DELETE FROM small_notes")


async def test_busy_tasks_take_turns(file: SqliteFile) -> None:
    done: list[str] = []

    async def work(name: str, times: int) -> None:
        for _ in range(times):
            await rows("SELECT 1 AS one")
        done.append(name)

    await asyncio.gather(work("long", 5000), work("short", 3))
    assert done == ["short", "long"]


async def test_an_error_names_the_statement_at_fault(file: SqliteFile) -> None:
    with pytest.raises(OperationalError, match="no such table: nowhere"):
        await rows("SELECT * FROM nowhere")
    with pytest.raises(OperationalError, match="no such table: nowhere"):
        async with in_transaction():
            await rows("SELECT * FROM nowhere")


async def test_a_closed_file_opens_again(file: SqliteFile) -> None:
    await connection().close()
    assert await Note.all().count() == 0


def test_statement_that_counts_few_rows_says_so() -> None:
    count = "SELECT COUNT(*) AS n FROM small_notes"
    assert is_unbounded(count) and not is_unbounded(f"{FEW_ROWS}{count}")
    assert is_read(f"{FEW_ROWS}{count}") and not is_read(f"{FEW_ROWS}DELETE FROM small_notes")
