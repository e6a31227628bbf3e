"""One application, one event loop and one database for the whole run; every test begins with empty tables."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from asyncpg import DeadlockDetectedError
from quart import Quart
from quart.typing import TestClientProtocol
from tortoise.connection import get_connection
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

from mission_control.core import current_app
from mission_control.core.limits import (
    agent_requests,
    person_requests,
    terminals,
    unknown_tokens,
    wrong_codes,
    wrong_passwords,
    wrong_sign_ins_by_account,
    wrong_sign_ins_by_address,
)
from mission_control.core.programs import PROGRAMS
from mission_control.core.settings import Settings
from mission_control.database.fit import CHECK_NAME
from mission_control.database.migrate import migrate
from mission_control.database.sql import is_postgres, rows
from mission_control.http import lookups
from mission_control.runs.hooks import queue as hook_queue
from mission_control.runs.hooks.reading import Program
from mission_control.server import installation
from mission_control.webhooks.outgoing import sending
from tests import own_database
from tests.cast import Cast, assemble
from tests.cast_copies import Original, cast_for_a_test
from tests.deliveries import look_away
from tests.gateways.fake import FakeGateway, hold_nothing, patch_at_once
from tests.node_packages import Installer, installed
from tests.outside import Receiver, a_receiver
from tests.programs import installing

NEVER_EMPTIED = {"aerich"}
_tables: list[str] = []  # those that tests fill

gc.set_threshold(200_000, 20, 100)  # what was collected stays; to look through it again takes a twentieth of the time
installation.install()  # before tests are collected, many of which go through what is installed


def pytest_sessionstart() -> None:
    """Let workers of pytest-xdist share nothing."""
    own_database.own_database_of_worker()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what uses the application's database; these tests run on SQLite and on PostgreSQL, all others once.

    What uses a real OpenClaw gateway, real coding agents or packages of npm runs by `make test-gateway` and
    `make test-programs` only.
    """
    for item in items:
        if "npm" in getattr(item, "fixturenames", ()):
            item.add_marker("programs")
    for alone in ("gateway", "programs"):
        if alone not in config.option.markexpr:
            left_out = [item for item in items if item.get_closest_marker(alone)]
            items[:] = [item for item in items if item not in left_out]
            config.hook.pytest_deselected(items=left_out)
    for item in items:
        if "app" in getattr(item, "fixturenames", ()) or item.get_closest_marker("postgres"):
            item.add_marker("database")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let no test that runs once use a database of both kinds."""
    own_database.permit(database=item.get_closest_marker("database") is not None)


@pytest.fixture(scope="session")
def npm() -> Installer:
    """Install packages of npm; what uses this is marked `programs`."""
    return installed


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder with the programs that people run, installed once for all."""
    return installing.programs()


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("data")
    return Settings.from_environment(
        {
            "DATA_DIR": str(folder),
            "DATABASE_URL": own_database.database_url_for_tests(folder),
            "SECRET_KEY": "a-secret-key-for-tests-that-is-long-enough",
            # No test reaches out of the house.
            "SOULS_DIRECTORY_URL": "",
            "SKILLS_GIT_BASE_URL": "file:///nowhere",
            "GATEWAYS_ALLOW_PRIVATE": "true",  # the cast has two organizations, and gateways on this machine
        }
    )


@pytest.fixture(scope="session")
async def app(settings: Settings) -> AsyncIterator[Quart]:
    """The application, started once, on a database made by the real migrations."""
    from mission_control.server.app import create_app

    await migrate(settings)
    application = create_app(settings)
    async with application.test_app():
        if settings.uses_sqlite:
            await get_connection("default").execute_script("PRAGMA synchronous=OFF")  # a disk is not what is tested
        await _empty_all_tables()
        yield application


@pytest.fixture(scope="session")
async def original_cast(app: Quart) -> Original:
    """Everybody as commands make them, before any test."""
    original = await Original.read(await assemble(app))
    await _empty_all_tables()
    return original


@pytest.fixture
def client(app: Quart) -> TestClientProtocol:
    return app.test_client()


@pytest.fixture
async def cast(app: Quart, original_cast: Original) -> Cast:
    """Everybody, see `tests/cast.py`."""
    current_app.keep(app)  # tests before this one may have made an application of their own
    return await cast_for_a_test(app, original_cast)


@pytest.fixture
async def fake_gateway(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeGateway]:
    """An OpenClaw gateway in this process, over a real socket, see `tests/gateways/fake.py`."""
    hold_nothing(monkeypatch)
    patch_at_once(monkeypatch)
    async with FakeGateway() as gateway:
        yield gateway


@pytest.fixture
async def receiver(app: Quart) -> AsyncIterator[Receiver]:
    """A receiver that accepts everything, see `tests/outside.py`."""
    async with a_receiver(app) as found:
        yield found


@pytest.fixture
async def by_hand(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application's own loop sends nothing to outgoing webhooks: the test does."""
    await look_away(monkeypatch, sending.SENDING)


@pytest.fixture(autouse=True)
async def empty_tables(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Leave nothing behind for the next test."""
    # Tests call as fast as they can, and some make an application of their own, which sets the budgets of all.
    agent_requests.per_minute = person_requests.per_minute = 0
    yield
    if "app" in request.fixturenames:
        for limit in (
            unknown_tokens,
            terminals,
            wrong_codes,
            wrong_passwords,
            wrong_sign_ins_by_account,
            wrong_sign_ins_by_address,
            agent_requests,
            person_requests,
        ):
            limit.clear()
        hook_queue.forget()
        await _empty_all_tables()
        lookups.recheck_local_streams()  # agents of the next test may have the same ids


async def _empty_all_tables() -> None:
    client = get_connection("default")
    if client.capabilities.dialect == "sqlite":
        deletes = await _deletes()
        # This connection is all of the process; constraints cannot be switched inside a transaction.
        await client.execute_script(f"PRAGMA foreign_keys=OFF; BEGIN; {deletes} COMMIT; PRAGMA foreign_keys=ON;")
        return
    for pause in (0.1, 0.3, 1.0, 2.0, None):
        try:
            async with in_transaction() as transaction:
                deletes = await _deletes()
                await transaction.execute_script(f"SET LOCAL session_replication_role = replica; {deletes}")
            return
        except (
            OperationalError,
            DeadlockDetectedError,
        ):  # a deadlock with what the test left running, such as the connection to a gateway
            if pause is None:
                raise
            await asyncio.sleep(pause)


async def _deletes() -> str:
    """Statements that empty the tables in which something is; most tests write to few of them."""
    if not _tables:
        _tables.extend(await _table_names())
    sql = " UNION ALL ".join(f"SELECT '{name}' AS name WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in _tables)
    return "".join(_delete(row["name"]) for row in await rows(sql))


async def _table_names() -> list[str]:
    if is_postgres():
        found = await rows("SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()")
    else:
        # Those of FTS5 are the tables behind its own.
        found = await rows(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
            " AND name NOT LIKE 'sqlite_%' AND name NOT GLOB 'search_[wv]*_*'"
        )
    return [row["name"] for row in found if row["name"] not in NEVER_EMPTIED]


def _delete(table: str) -> str:
    kept = f" WHERE name <> '{CHECK_NAME}'" if table == "instance_settings" else ""
    return f'DELETE FROM "{table}"{kept}; '


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the table of rights, and the digests of the document, be written anew."""
    parser.addoption("--write-rights", action="store_true", help="write tests/contract/operation_rights.csv anew")
    parser.addoption("--write-document", action="store_true", help="write tests/contract/document.txt anew")


@pytest.fixture
def unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No program waits for people: what it asks is a sign of its session and nothing else."""
    for client, program in PROGRAMS.items():
        if isinstance(program, Program):
            monkeypatch.setitem(PROGRAMS, client, replace(program, waits=timedelta()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell `tools/parts` how many tests passed, and which were left out for what reason."""
    folder = os.environ.get("PARTS")
    if not folder:
        return
    passed, skipped = (terminalreporter.stats.get(outcome, []) for outcome in ("passed", "skipped"))
    Path(folder, "passed").write_text(f"{len(passed)} passed")
    with Path(folder, "left").open("a") as left:
        for report in skipped:
            left.write(f"{report.nodeid}: {report.longrepr[2].removeprefix('Skipped: ')}\n")
