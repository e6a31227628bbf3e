"""One server at a time may have a SQLite file: what one process changes, another would not push to its readers."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mission_control.config_values import ConfigError, made_folder


@contextmanager
def held(sqlite_file: Path | None) -> Iterator[None]:
    """Keep other servers off the file (None: PostgreSQL, which needs no such thing) until this process ends, however it
    ends; ConfigError when another one has it.
    """
    if sqlite_file is None:
        yield
        return
    file = sqlite_file.resolve()
    lock = made_folder(file.parent) / f"{file.name}.server.lock"
    try:
        opened = lock.open("a+", encoding="ascii")
    except OSError as error:
        raise ConfigError(f"{lock} cannot be written: {error.strerror or error}.") from error
    with opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            opened.seek(0)
            raise ConfigError(
                f"Another server (process {opened.read().strip() or 'unknown'}) uses {sqlite_file}, and SQLite serves"
                " one only. Stop it, set another DATA_DIR, or set DATABASE_URL to a PostgreSQL database."
            ) from None
        _sign(lock)
        yield


def _sign(lock: Path) -> None:
    """Say who has it; on a full disk nobody is named."""
    with suppress(OSError):
        lock.write_text(f"{os.getpid()}\n", encoding="ascii")
