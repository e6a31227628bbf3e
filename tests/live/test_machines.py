"""Processes on several machines, as far as one can show it: each with its own address and folder, one database."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import asyncpg
import pytest

from mission_control.core import times
from mission_control.core.limits import wrong_passwords
from mission_control.core.settings import ConfigError, Settings
from mission_control.database import fit
from mission_control.database.migrate import migrate, migration_folder
from mission_control.events.wakeup_channels import PROCESS
from mission_control.people.accounts.credentials import FAMILY, on_wrong_credentials
from tests.gateways.real import free_port
from tests.live.machines import NGINX, SETTINGS, machines, play
from tests.live.scenarios import check_followers, check_whole, new_board, write_some
from tests.live.servers import PATIENCE, Follower, Installation
from tests.own_database import empty_database, migrated_database

pytestmark = [pytest.mark.dialect, pytest.mark.postgres]

PGBOUNCER = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")

NEXT = """
RUN_IN_TRANSACTION = True


async def upgrade(db):
    return "CREATE TABLE of_the_next_version (id INT)"
"""


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Installation]:
    async with migrated_database(tmp_path) as url:
        yield Installation(tmp_path, url, settings=SETTINGS)


def settings_of(home: Installation) -> Settings:
    """What its processes are configured with."""
    return Settings.from_environment(home.environment())


def of_the_next_version(folder: Path) -> Path:
    made = folder / "migrations"
    shutil.copytree(migration_folder(), made)
    (made / "9999_20300101_next.py").write_text(NEXT)
    return made


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
async def test_killed_and_restarted_processes_lose_double_and_miss_nothing(tmp_path: Path) -> None:
    async with empty_database(tmp_path) as url, machines(tmp_path, url) as made:
        verdict = await play(made, streams=12, pages=3, agents=4, seconds=8)
    assert verdict.acknowledged > 0 and verdict.cuts >= 15


@pytest.mark.parametrize(("options", "code"), [((), 1), (("--workers", "2"), 78)], ids=["one process", "workers"])
@pytest.mark.thorough
async def test_newer_version_takes_over_when_servers_have_left(
    home: Installation, options: tuple[str, ...], code: int
) -> None:
    async with home.served(*options) as server:
        applied = await migrate(settings_of(home), of_the_next_version(home.folder))
        async with asyncio.timeout(PATIENCE):
            assert await server.process.wait() == code
        assert fit.NEW_VERSION in server.log.read_text()
    assert applied == ["9999_20300101_next.py"]
    code_of_next, printed = await home.run("serve", "--port", "0")
    assert code_of_next == 1 and "newer than this program" in printed


async def test_migration_waits_for_servers_and_names_them_when_they_stay(
    home: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit, "SECONDS_TO_LEAVE", 0.3)
    stays = await asyncpg.connect(home.database_url)
    try:
        await fit.hold_while_serving(stays)
        with pytest.raises(ConfigError, match="another version still work on the database"):
            await migrate(settings_of(home), of_the_next_version(home.folder))
    finally:
        await stays.close()


@pytest.mark.thorough
async def test_machine_with_another_key_is_told_so(home: Installation) -> None:
    async with home.served():
        pass
    code, printed = await home.run("doctor")
    assert code == 0 and "ok       Secret key: the one of this database" in printed
    assert "ok       Clock: 0.0 s" in printed and "ok       Notifications: arrive at once" in printed
    for key in ("", "another-secret-key-that-is-long-enough-for-it"):
        other = Installation(home.folder / "other", home.database_url, settings=SETTINGS | {"SECRET_KEY": key})
        other.folder.mkdir(exist_ok=True)
        code, printed = await other.run("doctor")
        assert code == 1 and "PROBLEM  Secret key" in printed
        code, printed = await other.run("serve", "--port", "0")
        assert code == 1 and "Every machine that works on this database needs the same SECRET_KEY" in printed
        assert not (other.folder / "data" / "secret_key").exists()


async def test_process_goes_by_the_clock_of_the_database(cast: object, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ahead() -> float:
        return 90.0

    before = times.clock_now()
    monkeypatch.setattr(fit, "seconds_ahead", ahead)
    try:
        await fit.follow_clock()
        assert timedelta(seconds=89) < times.clock_now() - before < timedelta(seconds=90 + PATIENCE)
    finally:
        times.go_by_clock_ahead(timedelta(0))


async def test_wrong_password_at_another_machine_counts_here() -> None:
    for _ in range(wrong_passwords.count):
        on_wrong_credentials(f"{FAMILY}:another:password:2001:db8::/64 name")
        on_wrong_credentials(f"{FAMILY}:{PROCESS}:password:10.0.0.1 name")
    assert wrong_passwords.failures("2001:db8::/64 name") == wrong_passwords.count
    assert not wrong_passwords.failures("10.0.0.1 name")


@asynccontextmanager
async def pooled(home: Installation) -> AsyncIterator[str]:
    """The address of a PgBouncer in transaction mode before the database."""
    assert PGBOUNCER is not None
    parts, port, folder = urlsplit(home.database_url), free_port(), Path(tempfile.mkdtemp(prefix="mc-pooler-"))
    at = dict(parse_qsl(parts.query)).get("host") or parts.hostname
    owner = Path(str(at)).owner() if str(at).startswith("/") else "nobody"
    user = owner if os.geteuid() == 0 else None  # PgBouncer refuses to run as root
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={at} port={parts.port or 5432} user={parts.username}\n[pgbouncer]\nauth_type = any\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\npool_mode = transaction\n"
        "default_pool_size = 4\nmax_prepared_statements = 200\n"
    )
    folder.chmod(0o755)
    log = (folder / "log").open("wb")
    process = subprocess.Popen([PGBOUNCER, str(folder / "pgbouncer.ini")], stdout=log, stderr=log, user=user)
    try:
        yield f"postgres://{parts.username}@127.0.0.1:{port}{parts.path}"
    finally:
        process.send_signal(signal.SIGINT)
        await asyncio.to_thread(process.wait)
        log.close()
        shutil.rmtree(folder)


@pytest.mark.skipif(PGBOUNCER is None, reason="PgBouncer is not installed")
async def test_pooler_of_transactions_carries_all_but_notifications(home: Installation) -> None:
    async with pooled(home) as url:
        direct = {"DATABASE_URL": url, "DATABASE_DIRECT_URL": home.database_url}
        async with home.served(**direct) as server:
            board = await new_board(server)
            follower = Follower(server.url, f"{board}/tasks/stream", 0)
            try:
                await write_some(server, board, writers=8, each=5)
                await check_followers(home, [follower])
                await check_whole(home)
            finally:
                await follower.close()
        assert "Notifications: arrive at once" in (await home.run("doctor", **direct))[1]
        async with home.served(waits_for="/healthz", DATABASE_URL=url) as server, server.client() as client:
            answer = await client.get("/readyz")
            assert (answer.status_code, answer.json()["checks"]["events"]) == (503, fit.NOT_NOTIFIED)
        code, printed = await home.run("doctor", DATABASE_URL=url)
        assert code == 1 and "PROBLEM  Notifications" in printed
