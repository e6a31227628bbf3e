"""Copies of the SQLite file: before a migration changes it, and as backups."""

import os
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from mission_control.config_values import ConfigError

KEPT = 3


def before_migration(file: Path, version: str) -> Path | None:
    """Copy `file` to `<file>.before-<version>` when it holds tables, and keep the newest three copies."""
    with closing(sqlite3.connect(file)) as source:
        if not _has_tables(source):
            return None
        copy = file.with_name(f"{file.name}.before-{version}")
        _copy(source, copy)
    for old in _copies(file)[KEPT:]:
        old.unlink(missing_ok=True)
    return copy


def copy_whole(source: Path, target: Path) -> None:
    """Copy a database in use to a new file, checked before it gets its name; ConfigError when that cannot be."""
    if target.exists():
        raise ConfigError(f"{target} exists already; choose another name.")
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(source, timeout=30)) as opened, closing(sqlite3.connect(unfinished)) as written:
            opened.backup(written)
            written.execute("PRAGMA journal_mode=DELETE")
            _check(written, unfinished)
        os.link(unfinished, target)  # unlike a rename it overwrites nothing
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"{source} could not be copied to {target}: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def check_backup(file: Path) -> None:
    """Raise ConfigError unless the file is a sound database of this program."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            _check(opened, file)
            opened.execute("SELECT log_seq FROM organizations LIMIT 1")
    except sqlite3.Error as error:
        raise ConfigError(f"{file} is no backup of Mission Control: {error}") from error


def _check(opened: sqlite3.Connection, file: Path) -> None:
    [(verdict,), *_] = opened.execute("PRAGMA integrity_check(1)").fetchall()
    if verdict != "ok":
        raise ConfigError(f"{file} is damaged: {verdict}")


def set_aside(file: Path) -> Path:
    """Give a database that nobody uses another name; ConfigError while a server has it open."""
    try:
        with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as opened:
            opened.execute("PRAGMA journal_mode=DELETE")  # refused while somebody else has the file open
    except sqlite3.OperationalError as error:
        raise ConfigError(f"{file} is in use: stop the server first.") from error
    except sqlite3.DatabaseError:
        pass  # damaged, which is why it is being replaced
    kept = file.with_name(f"{file.name}.replaced-{datetime.now():%Y%m%d-%H%M%S}")  # noqa: DTZ005 - a name for people
    file.rename(kept)
    for rest in ("-wal", "-shm"):
        file.with_name(file.name + rest).unlink(missing_ok=True)
    return kept


def _has_tables(source: sqlite3.Connection) -> bool:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return any(name != "aerich" for (name,) in source.execute(query))


def _copy(source: sqlite3.Connection, copy: Path) -> None:
    unfinished = copy.with_name(f"{copy.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_CREAT | os.O_WRONLY, 0o600))
    with closing(sqlite3.connect(unfinished)) as target:
        source.backup(target)
    unfinished.replace(copy)


def _copies(file: Path) -> list[Path]:
    found = file.parent.glob(f"{file.name}.before-*")
    return sorted(found, key=lambda copy: copy.stat().st_mtime_ns, reverse=True)
