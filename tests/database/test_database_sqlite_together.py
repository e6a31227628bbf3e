"""One COMMIT for several transactions that wait for a disk that is not quick, on SQLite."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

from mission_control.database.sql import rows
from mission_control.database.sqlite import connection as sqlite_connection
from mission_control.database.sqlite.engine import SafeSqliteClient
from mission_control.database.sqlite.file import SqliteFile
from tests.database.small_database import small_database
from tests.database.small_models import Note

pytestmark = [pytest.mark.once, pytest.mark.database]


@pytest.fixture
async def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqliteFile]:
    monkeypatch.setattr(sqlite_connection, "SHORT_SECONDS", 0.0)  # a slow disk
    async with small_database(tmp_path) as client:
        if not isinstance(client, SafeSqliteClient):
            pytest.skip("PostgreSQL has no file")
        yield await client.opened()


@pytest.fixture
def commits(file: SqliteFile) -> list[str]:
    """The COMMITs of the writer from now on."""
    seen: list[str] = []
    file.writer.set_trace_callback(lambda text: seen.append(text) if text == "COMMIT" else None)
    return seen


async def write(text: str, *, fails: bool = False) -> list[str]:
    """A transaction; returns the notes that others see when it is over."""
    with contextlib.suppress(KeyError):
        async with in_transaction():
            await Note.create(text=text)
            await asyncio.sleep(0)  # the others queue
            if fails:
                raise KeyError
    return await seen_outside()


async def seen_outside() -> list[str]:
    return sorted(row["text"] for row in await rows("SELECT text FROM small_notes"))


async def test_transactions_that_wait_share_a_commit(file: SqliteFile, commits: list[str]) -> None:
    texts = [f"{number:02}" for number in range(20)]
    seen = await asyncio.gather(*map(write, texts))
    assert len(commits) == 1
    assert all(one == texts for one in seen), "everybody is answered after the COMMIT"


async def test_nothing_is_seen_before_the_commit(file: SqliteFile, commits: list[str]) -> None:
    reached, goes_on = asyncio.Event(), asyncio.Event()

    async def last() -> None:
        async with in_transaction():
            reached.set()
            await goes_on.wait()

    first = asyncio.create_task(write("first"))
    await asyncio.sleep(0)
    second = asyncio.create_task(last())
    await reached.wait()
    await asyncio.sleep(0.05)
    assert await seen_outside() == [] and not first.done() and not commits
    goes_on.set()
    assert await first == ["first"]
    await second


async def test_failed_one_leaves_the_others(file: SqliteFile, commits: list[str]) -> None:
    seen = await asyncio.gather(write("a"), write("b", fails=True), write("c"), write("d", fails=True))
    assert len(commits) == 1
    assert list(seen) == [["a", "c"]] * 4, "a refusal too may depend on what the COMMIT writes"


async def test_first_that_fails_is_undone_alone(file: SqliteFile, commits: list[str]) -> None:
    await asyncio.gather(write("a", fails=True), write("b"), write("c"))
    assert await seen_outside() == ["b", "c"]


async def test_savepoints_nest(file: SqliteFile) -> None:
    async def nested(text: str) -> None:
        async with in_transaction():
            await Note.create(text=text)
            with contextlib.suppress(KeyError):
                async with in_transaction():
                    await Note.create(text="undone")
                    raise KeyError

    await asyncio.gather(nested("a"), nested("b"), nested("c"))
    assert await seen_outside() == ["a", "b", "c"]


async def test_failed_commit_fails_all(file: SqliteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(file.commits, "commit_in_thread", fail)
    failures = await asyncio.gather(*map(write, "abc"), return_exceptions=True)
    assert all(isinstance(one, OperationalError) and "disk is full" in str(one) for one in failures)
    monkeypatch.undo()
    assert await write("d") == ["d"]


async def test_what_sqlite_undoes_fails_all_before_it(file: SqliteFile) -> None:
    async def undo() -> None:
        async with in_transaction():
            file.writer.rollback()  # as SQLite does when the disk is full
            raise OperationalError("database or disk is full")

    failures = await asyncio.gather(write("a"), undo(), write("c"), return_exceptions=True)
    assert [isinstance(one, OperationalError) for one in failures] == [True, True, False]
    assert "disk is full" in str(failures[0])
    assert await seen_outside() == ["c"]


async def test_statement_that_stands_alone_commits_them_first(file: SqliteFile, commits: list[str]) -> None:
    alone = "INSERT INTO small_notes (text, made_at, changed_at) VALUES ('alone', '2026-01-01', '2026-01-01')"
    await asyncio.gather(write("a"), rows(alone), write("b"))
    assert await seen_outside() == ["a", "alone", "b"]
    assert len(commits) == 2


@pytest.mark.parametrize("which", [0, 1, 2])
async def test_cancelled_one_holds_up_nobody(file: SqliteFile, which: int) -> None:
    writing = [asyncio.create_task(write(text)) for text in "abc"]
    await asyncio.sleep(0)
    writing[which].cancel()
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*writing, return_exceptions=True)
    assert isinstance(answers[which], asyncio.CancelledError)
    assert {"a", "b", "c"} - {"abc"[which]} <= set(await seen_outside())
    assert file.together is None
