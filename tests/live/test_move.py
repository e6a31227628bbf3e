"""`mission-control move sqlite-to-postgres`: every row, whatever interrupts it; refusals; serving afterwards."""

import asyncio
import re
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
from tortoise import Tortoise
from tortoise.context import TortoiseContext
from tortoise.models import Model

from mission_control.database.move_source import tables
from mission_control.database.setup import orm_config
from mission_control.people.models import User
from tests.cast import NO_ID
from tests.filled import fill
from tests.live.scenarios import check_whole, new_board, write_some
from tests.live.servers import API, PATIENCE, Follower, Installation
from tests.own_database import empty_database, migrated_database

pytestmark = [pytest.mark.dialect, pytest.mark.postgres]
MOVE = ("move", "sqlite-to-postgres")
DYING = (sys.executable, "-m", "tests.live.dying_command")
# Before a move has begun, within a batch, at its end, between batches, while indexes are made, before the comparison.
DEATHS = (
    (1, "CREATE TABLE unfinished_move"), (2, "COPY users"), (9, "UPDATE unfinished_move"), (20, "COMMIT"),
    (5, "CREATE INDEX"), (1, "ANALYZE"),
)  # fmt: skip
CATALOG = (
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
    "SELECT tgname, pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
)


@pytest.fixture
async def home(tmp_path: Path) -> Installation:
    made = Installation(tmp_path, f"sqlite:///{tmp_path / 'data' / 'mission-control.sqlite3'}")
    await made.command("migrate")
    await made.command("user", "create", "ada@example.org", "--name", "Ada", "--role", "owner")
    return made


@pytest.fixture
async def target(tmp_path: Path) -> AsyncIterator[str]:
    """The address of an empty PostgreSQL database."""
    async with empty_database(tmp_path) as url:
        yield url


async def test_every_value_arrives_however_often_the_move_is_killed(home: Installation, target: str) -> None:
    assert home.sqlite_file is not None
    async with models_of(home.database_url) as models:
        fill(home.sqlite_file, [one.name for one in tables()])
        before = {one: await cells(one) for one in models}
    assert all(before.values())
    for number, words in DEATHS:
        code, said = await dying(home, number, words, *MOVE, "--to", target)
        assert code == -9, said
        if words != DEATHS[0][1]:
            await refused(replace(home, database_url=target), "holds an unfinished move", "audit", "head")
    code, said = await home.run(*MOVE, "--to", target)
    assert code == 0
    order = [said.index(one) for one in ("Every row is the same", "cannot be read", "all as written", "is complete")]
    assert order == sorted(order)
    async with models_of(target) as models:
        assert {one: await cells(one) for one in models} == before
    async with migrated_database(home.folder) as other:
        assert await schema(target) == await schema(other)


@pytest.mark.thorough
async def test_people_and_agents_go_on_after_the_move(home: Installation, target: str) -> None:
    said = await home.command("user", "reset-password", "ada@example.org")
    link = re.search(r"/reset/\S+", said)
    async with home.served() as server, server.client() as client:
        assert link is not None
        answer = await client.post(
            link[0], data={"password": "a-long-password-of-ada"}, headers={"Sec-Fetch-Site": "same-origin"}
        )
        cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0], "Authorization": ""}
        board = await new_board(server)
        await write_some(server, board, writers=2, each=3)
        follower = Follower(server.url, f"{board}/tasks/stream", 0)
        await follower.until(12)
        await follower.close()
        await refused(home, "Stop it first.", *MOVE, "--to", target)
        assert "Everything can be moved." in await home.command(*MOVE, "--to", target, "--check")
        export = await exported(client, board)
        found = await searched(client)
    await home.command(*MOVE, "--to", target)
    moved = replace(home, database_url=target)
    async with moved.served() as server, server.client() as client:
        assert await exported(client, board) == export
        assert await searched(client) == found != []
        me = await client.get(f"{API}/users/me", headers=cookie)
        assert me.json()["email"] == "ada@example.org"
        resumed = Follower(server.url, f"{board}/tasks/stream", follower.last)
        await write_some(server, board, writers=1, each=1)
        await resumed.until(follower.last + 1)
        await resumed.close()
        assert resumed.ids[0] == follower.last + 1
    await check_whole(moved)
    await refused(home, "The target is not empty: there are rows in", *MOVE, "--to", target)


async def test_target_of_another_encoding_is_refused(home: Installation, target: str) -> None:
    name = "mission_control_ascii_test"
    await execute(target, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    try:
        url = urlunsplit(urlsplit(target)._replace(path=f"/{name}"))
        await refused(home, "The target's encoding is SQL_ASCII. Make the database anew", *MOVE, "--to", url)
    finally:
        await execute(target, f"DROP DATABASE {name}")


async def exported(client: httpx.AsyncClient, board: str) -> Any:
    """A board's file without the time at which it was written."""
    file = (await client.get(f"{board}/export")).raise_for_status().json()
    return {name: value for name, value in file.items() if name != "exported_at"}


async def searched(client: httpx.AsyncClient) -> list[str]:
    found = (await client.get(f"{API}/search", params={"q": "task"})).raise_for_status().json()
    return sorted(one["id"] for one in found["items"])


@pytest.mark.thorough
async def test_target_that_a_server_was_started_on_counts_as_empty(home: Installation, target: str) -> None:
    async with replace(home, database_url=target).served():
        await refused(home, "A Mission Control server uses the target. Stop it first.", *MOVE, "--to", target)
    assert "is complete" in await home.command(*MOVE, DATABASE_URL=target)


@pytest.mark.thorough
async def test_changed_source_needs_a_restart(home: Installation, target: str) -> None:
    await dying(home, 5, "UPDATE unfinished_move", *MOVE, "--to", target)
    assert "Everything can be moved." in await home.command(*MOVE, "--to", target, "--check")
    await home.command("user", "create", "ben@example.org", "--name", "Ben", "--role", "member")
    await refused(home, "was changed since. With --restart", *MOVE, "--to", target)
    assert "is complete" in await home.command(*MOVE, "--to", target, "--restart")
    async with models_of(target):
        assert await User.filter(name="Ben").count() == 1


@pytest.mark.thorough
async def test_damaged_row_in_the_target_is_found(home: Installation, target: str) -> None:
    await dying(home, 1, "ANALYZE", *MOVE, "--to", target)
    for change, sentence in (
        ("UPDATE users SET name = 'Eve' WHERE name = 'Ada'", r"users, \S+: name differs in the target\."),
        ("DELETE FROM organization_members", r"organization_members: the target lacks rows, \S+ among them\."),
    ):
        await execute(target, change)
        code, said = await home.run(*MOVE, "--to", target)
        assert code == 1 and re.search(sentence, said), said
        await execute(target, "UPDATE users SET name = 'Ada' WHERE name = 'Eve'")
    await home.command(*MOVE, "--to", target, "--restart")


async def test_values_that_postgres_does_not_take_are_listed_before_anything_is_moved(
    home: Installation, target: str
) -> None:
    assert home.sqlite_file is not None
    async with models_of(home.database_url):
        fill(home.sqlite_file, [one.name for one in tables()])
    await home.command(*MOVE, "--to", target, "--check")
    changes = (
        ("tasks SET title = 'a' || char(0)", "tasks, KEY: title holds a NUL character"),
        ("tasks SET number = 3000000000", "tasks, KEY: number is not from -2147483648 to 2147483647"),
        ("tasks SET priority = PRINTF('%.65c', 'x')", "tasks, KEY: priority is longer than 64 characters"),
        ("tasks SET due_at = 'soon'", "tasks, KEY: due_at Invalid isoformat string: 'soon'"),
        ("tasks SET auto_created = 2", "tasks, KEY: auto_created is neither true nor false"),
        ("tasks SET title = x'00'", "tasks, KEY: title is a value of SQLite's kind bytes"),
        ("gateway_requests SET payload = '[1'", "gateway_requests, KEY: payload unexpected end"),
        ("gateway_requests SET payload = '\"\\u0000\"'", "gateway_requests, KEY: payload holds a NUL character"),
        ("boards SET name = PRINTF('%.2601c', 'x')", "boards, KEY: name is longer than 2600 bytes"),
        ("tasks SET assigned_agent_id = 'x'", "tasks, KEY: assigned_agent_id invalid UUID"),
        (f"tasks SET board_id = '{NO_ID}'", r"tasks, row \d+: it refers to a row of boards that is not there"),
    )
    for change, sentence in changes:
        copy = home.folder / "copy.sqlite3"
        shutil.copy(home.sqlite_file, copy)
        with closing(sqlite3.connect(copy)) as opened, opened:
            table = change.partition(" ")[0]
            opened.execute(f"UPDATE {change} WHERE id = (SELECT MAX(id) FROM {table})")
        code, said = await home.run(*MOVE, "--to", target, "--from", str(copy))
        assert code == 1 and re.search(sentence.replace("KEY", r"\S{36}"), said), said
        assert said.endswith("Nothing was moved. Change them, and start again.\n")


async def test_wrong_settings_are_one_sentence_each(home: Installation, target: str, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite3"
    other.touch()
    for sentence, arguments, settings in (
        ("Name the PostgreSQL database with --to", (), {}),
        ("There is no SQLite file", ("--to", target), {"DATABASE_URL": "", "DATA_DIR": str(tmp_path / "none")}),
        ("holds no installation of Mission Control", ("--to", target, "--from", str(other)), {}),
        ("is not the one that", ("--to", target), {"SECRET_KEY": "another-secret-key-that-is-long-enough"}),
        ("There is no key in", ("--to", target, "--from", str(home.sqlite_file)), {"DATA_DIR": str(tmp_path / "none")}),
        ("cannot be opened", ("--to", "postgres://nobody@127.0.0.1:1/none"), {}),
        ("use sqlite:///path/to/file or postgres://", ("--to", "mysql://nobody@127.0.0.1/none"), {}),
    ):
        code, said = await home.run(*MOVE, *arguments, **settings)
        assert code in (1, 2) and sentence in said and "Traceback" not in said, said
    await execute(target, "CREATE TABLE tasks (id INT)")
    await refused(home, "The database holds tables of another program: tasks.", *MOVE, "--to", target)


async def dying(home: Installation, number: int, words: str, *arguments: str) -> tuple[int | None, str]:
    """Run a command in a process that is killed after the statement of this number with these words."""
    process = await asyncio.create_subprocess_exec(
        *DYING, str(number), words, *arguments, env=home.environment(), cwd=home.folder,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE):
        printed, _ = await process.communicate()
    return process.returncode, printed.decode()


async def execute(url: str, sql: str) -> None:
    """Change a PostgreSQL database without the program."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def refused(home: Installation, sentence: str, *arguments: str) -> None:
    code, said = await home.run(*arguments)
    assert code == 1 and sentence in said, said


@asynccontextmanager
async def models_of(url: str) -> AsyncIterator[list[type[Model]]]:
    """Yield all models, connected to a database; afterwards they speak the language of the one of before again."""
    spoken = [(one._meta, one._meta.basequery, one._meta.basequery_all_fields) for one in every_model(Model)]
    try:
        async with TortoiseContext() as context:
            await context.init(config=orm_config(url, 2))
            yield [*Tortoise.apps["models"].values()]
    finally:
        for meta, query, whole in spoken:
            meta.basequery, meta.basequery_all_fields = query, whole


def every_model(above: type[Model]) -> Iterator[type[Model]]:
    for one in above.__subclasses__():
        yield one
        yield from every_model(one)


async def cells(model: type[Model]) -> list[dict[str, Any]]:
    """Every row of a table as the program reads it."""
    return sorted(await model.all().values(), key=lambda row: str(row[model._meta.pk_attr]))


async def schema(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        found = [str(tuple(row)) for sql in CATALOG for row in await connection.fetch(sql)]
        return [re.sub(r"::character varying|::text|[][()]", "", one) for one in found]  # casts move when read again
    finally:
        await connection.close()
