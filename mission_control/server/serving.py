"""Prepare an installation and serve it: bind, migrate, check the key, then run one or more workers."""

import errno
import logging
import resource
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Any, NamedTuple

from mission_control.core.settings import ConfigError, Settings
from mission_control.database.migrate import migrate, pending_for
from mission_control.database.outages import outage
from mission_control.database.setup import connect, disconnect
from mission_control.people.audit.log_heads import open_logs
from mission_control.people.sign_in.first_run import issue_setup_code
from mission_control.server import installation

BACKLOG = 1024
MISFIT = 78  # exit code of a worker that does not fit its database: starting it again is of no use
SECONDS_TO_BIND = 3.0
logger = logging.getLogger(__name__)
UNLIMITED_FILES = 65536  # where the system has no limit; it may refuse "no limit" as a number


class Prepared(NamedTuple):
    """The applied migrations, and the code for the first owner where there is none."""

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
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with ExitStack() as undo:
                listener = undo.enter_context(socket.socket(family, kind, protocol))
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(address)
                listener.listen(BACKLOG)
                listener.setblocking(False)
                undo.pop_all()
            return listener
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            reason = error.strerror or str(error)
            setting = "PORT" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "HOST"
            raise ConfigError(f"Cannot listen on {host} port {port}: {reason}. Choose another {setting}.") from error


def raise_file_limit() -> int:
    """Allow as many open files (streams are files) as the system permits, and return that number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = UNLIMITED_FILES if hard == resource.RLIM_INFINITY else hard
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (ValueError, OSError):
        return soft
    return most


def start_worker(listener: socket.socket, alive_pipe: int, **options: Any) -> subprocess.Popen[bytes]:
    """Start a process that serves until the other end of the pipe is closed."""
    shared = (listener.fileno(), alive_pipe)
    command = [sys.executable, "-m", "mission_control.cli", "worker", *map(str, shared)]
    return subprocess.Popen(command, pass_fds=shared, **options)


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
    installation.install()
    await connect(settings)
    try:
        await open_logs(settings)
        code = None
        try:
            code = await issue_setup_code(settings.local_auth_token)
        except Exception as error:  # such as a full disk: reading works without a code
            if (reason := outage(error)) is None:
                raise
            logger.error("setup_code.not_made", extra={"reason": reason})
        return Prepared(applied, code)
    finally:
        await disconnect()


def visible_url(settings: Settings, listener: socket.socket) -> str:
    """Return the address a person opens: BASE_URL, else the one bound."""
    if settings.base_url:
        return settings.base_url
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
