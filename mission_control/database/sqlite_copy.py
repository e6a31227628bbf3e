"""Copies of the SQLite file, made before a migration changes it."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

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
