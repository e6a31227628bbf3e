"""Prepare an installation and serve it: bind, migrate, check the key, then run one or more workers."""

import asyncio
import errno
import logging
import resource
import socket
import time
from dataclasses import dataclass

from mission_control import features
from mission_control.config import ConfigError, Settings
from mission_control.database.migrate import migrate, pending_for
from mission_control.database.outages import outage
from mission_control.database.setup import connect, disconnect
from mission_control.people.heads import open_logs
from mission_control.people.setup import issue_setup_code

BACKLOG = 1024
SECONDS_TO_BIND = 3.0
logger = logging.getLogger(__name__)
UNLIMITED_FILES = 65536  # where the system has no limit; it may refuse "no limit" as a number


@dataclass(frozen=True)
class Prepared:
    """The results of the preparation, with messages for the operator."""

    migrations: list[str]
    setup_code: str | None


def check_workers(settings: Settings) -> None:
    """Refuse more than one worker on SQLite: one process owns the file."""
    if settings.workers > 1 and settings.uses_sqlite:
        raise ConfigError(
            f"WORKERS is {settings.workers}, but SQLite serves one process only."
            " Use one worker, or set DATABASE_URL to a PostgreSQL database."
        )


def bind(host: str, port: int) -> socket.socket:
    """Listen on an address, so that a taken port is reported before anything else is done.

    It waits a little for a taken port: the workers of a killed server exit by themselves.
    """
    deadline = time.monotonic() + SECONDS_TO_BIND
    while True:
        try:
            return _listening(host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            reason = error.strerror or str(error)
            setting = "PORT" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "HOST"
            raise ConfigError(f"Cannot listen on {host} port {port}: {reason}. Choose another {setting}.") from error


def _listening(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def raise_file_limit() -> int:
    """Allow as many open files (streams are files) as the system permits, and return that number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = UNLIMITED_FILES if hard == resource.RLIM_INFINITY else hard
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError):
        return soft
    return wanted


async def prepare(settings: Settings) -> Prepared:
    """Migrate if configured, check the secret key, open the logs, and create the setup code if needed."""
    applied: list[str] = []
    if settings.db_auto_migrate:
        applied = await migrate(settings)
    elif waiting := await pending_for(settings):
        raise ConfigError(
            f"The database lacks {len(waiting)} migration(s) and DB_AUTO_MIGRATE is off:"
            " run `mission-control migrate` first."
        )
    features.install()
    await connect(settings)
    try:
        await open_logs(settings)
        return Prepared(applied, await _setup_code(settings))
    finally:
        await disconnect()


async def _setup_code(settings: Settings) -> str | None:
    """Return the code for the first owner, None when a full disk keeps it from being made: reading works without it."""
    try:
        return await issue_setup_code(settings.local_auth_token)
    except Exception as error:
        if (reason := outage(error)) is None:
            raise
        logger.error("setup_code.not_made", extra={"reason": reason})
        return None


def visible_url(settings: Settings, listener: socket.socket) -> str:
    """Return the address a person opens: BASE_URL, else the one bound."""
    if settings.base_url:
        return settings.base_url
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run_prepare(settings: Settings) -> Prepared:
    """Run `prepare` in an event loop of its own."""
    return asyncio.run(prepare(settings))
