"""Whether this process fits its database: its version, its key, its clock; and how a newer version takes over.

On PostgreSQL processes of several machines serve one database. Each holds a lock, shared with the others, as long as it
serves. A version with new migrations asks the others to leave and waits for that lock, so that no process writes rows
of the version before into tables of the next one.
"""

import asyncio
import hmac
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg

from mission_control.core import times
from mission_control.core.secrets import check_value, existing_secret_key
from mission_control.core.settings import ConfigError, Settings
from mission_control.database.sql import is_postgres, rows

CHANNEL = "mission_control"  # of LISTEN and NOTIFY
UPGRADE = '{"upgrade": true}'  # the message to those that serve
SERVING_LOCK = 0x4D43_5345_5256
SECONDS_TO_LEAVE = 15.0  # a stop takes less than three
NOTICED_SECONDS = 0.25  # smaller differences between clocks are the way to the database and back
TOLERATED_SECONDS = 2.0
ECHO_SECONDS = 3.0
NEW_VERSION = "A newer version takes over the database. Start that version here too."
NOT_NOTIFIED = (
    "Notifications of the database do not arrive: a pooler of transactions passes none on. Set DATABASE_DIRECT_URL to"
    " PostgreSQL itself."
)

_log = logging.getLogger(__name__)


class Misfit(ConfigError):
    """This process must not work on its database: it has another version or another key."""


@asynccontextmanager
async def without_servers(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Hold the database for migrations: processes that serve it are asked to leave, and new ones wait.

    Raises ConfigError when some stay.
    """
    deadline = time.monotonic() + SECONDS_TO_LEAVE
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", SERVING_LOCK):
        if time.monotonic() > deadline:
            raise ConfigError(
                "Servers of another version still work on the database. Stop them on every machine, then start this"
                " version again."
            )
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, UPGRADE)
        await asyncio.sleep(0.1)
    try:
        yield
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", SERVING_LOCK)


def echo(word: str) -> str:
    return f'{{"echo": "{word}"}}'


async def notify(message: str) -> None:
    await rows("SELECT pg_notify(?, ?)", CHANNEL, message)


async def hold_while_serving(connection: asyncpg.Connection) -> None:
    """Take this process's share of the lock on a connection; waits while a newer version migrates."""
    await connection.execute("SELECT pg_advisory_lock_shared($1)", SERVING_LOCK)


CHECK_NAME = "secret_key_check"
OTHER_KEY = (
    "SECRET_KEY (or the file secret_key in DATA_DIR) is not the one this database was made with."
    " Put the former key back; secrets stored in the database cannot be read without it."
    " Every machine that works on this database needs the same SECRET_KEY."
)


async def verify_secret_key(key: str) -> None:
    """Compare the key with the check value in the database; the first key is remembered.

    Raises Misfit for another key: cookies and stored secrets would be lost with it.
    """
    value = check_value(key)
    await rows("INSERT INTO instance_settings (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", CHECK_NAME, value)
    stored = await _check_value()
    if stored is None or not hmac.compare_digest(stored, value):
        raise Misfit(OTHER_KEY)


async def refuse_another_key(settings: Settings) -> None:
    """Raise Misfit where a new key would be made for a database that has one already."""
    if existing_secret_key(settings) is None and await _check_value() is not None:
        raise Misfit(OTHER_KEY)


async def _check_value() -> str | None:
    settings_rows = await rows("SELECT value FROM instance_settings WHERE name = ?", CHECK_NAME)
    return str(settings_rows[0]["value"]) if settings_rows else None


async def seconds_ahead() -> float:
    began = time.time()
    [row] = await rows("SELECT EXTRACT(EPOCH FROM clock_timestamp())::float8 AS now")
    return float(row["now"]) - (began + time.time()) / 2


async def follow_clock() -> None:
    """Go by the database's clock, where that differs: a lease that one machine takes ends for all at one moment."""
    if not is_postgres():
        return
    ahead = await seconds_ahead()
    times.go_by_clock_ahead(timedelta(seconds=ahead if abs(ahead) >= NOTICED_SECONDS else 0))
    if abs(ahead) >= TOLERATED_SECONDS:
        _log.warning("clock.differs_from_database", extra={"seconds_ahead": round(ahead, 1)})


# What `doctor` says beside its other checks


async def examine_key(settings: Settings) -> tuple[bool, str]:
    """Compare the key of these settings with the database's and say so; change nothing."""
    key, stored = existing_secret_key(settings), await _check_value()
    if key is None:
        if stored is None:
            return True, "none yet; the first start makes one"
        return False, "this machine has none. Set SECRET_KEY to the one this database was made with"
    if stored is not None and not hmac.compare_digest(stored, check_value(key)):
        return False, "not the one this database was made with. Every machine needs the same SECRET_KEY"
    if is_postgres() and not settings.secret_key:
        return True, f"kept in {settings.data_dir / 'secret_key'}; further machines need it as SECRET_KEY"
    return True, "the one of this database" if stored is not None else "set"


async def examine_clock() -> tuple[bool, str]:
    ahead = await seconds_ahead()
    fine = abs(ahead) < TOLERATED_SECONDS
    return fine, f"{abs(ahead):.1f} s from the database's" + ("" if fine else ". Keep both by NTP")


async def examine_listening(settings: Settings) -> tuple[bool, str]:
    """Say whether a listening connection hears what another connection notifies."""
    arrived, message = asyncio.Event(), echo(str(time.time_ns()))
    try:
        listener = await asyncpg.connect(settings.direct_url, timeout=ECHO_SECONDS)
        try:
            await listener.add_listener(
                CHANNEL, lambda *notification: arrived.set() if notification[3] == message else None
            )
            await notify(message)
            async with asyncio.timeout(ECHO_SECONDS):
                await arrived.wait()
        finally:
            listener.terminate()
    except TimeoutError:
        return False, NOT_NOTIFIED
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return False, f"DATABASE_DIRECT_URL cannot be reached: {error}"
    return True, "arrive at once"
