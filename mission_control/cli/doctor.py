"""`mission-control doctor`: show the settings and problems of the installation."""

import asyncio
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import click

from mission_control.config import ConfigError, Settings

SMALLEST_FREE_BYTES = 200 * 1024 * 1024
SMALLEST_FILE_LIMIT = 1024
MOST_PROBLEMS = 5


@click.command()
def doctor() -> None:
    """Show settings and checks; the exit code is 1 when something is wrong."""
    settings = Settings.from_environment()
    for name, value in settings.masked().items():
        click.echo(f"{name} = {value}")
    click.echo()
    checks = {
        "Database": _database(settings),
        "Database pages": _pages(settings),
        "Data folder": _folder(settings.data_dir),
        "Other users": _privacy(settings),
        "Free disk": _disk(settings.data_dir),
        "Open files": _open_files(),
        "Workers": _workers(settings),
    }
    for name, (fine, sentence) in checks.items():
        click.echo(f"{'ok     ' if fine else 'PROBLEM'}  {name}: {sentence}")
    sys.exit(0 if all(fine for fine, _ in checks.values()) else 1)


def _database(settings: Settings) -> tuple[bool, str]:
    from mission_control.database.migrate import pending_for

    try:
        waiting = asyncio.run(pending_for(settings))
    except ConfigError as error:
        return False, str(error)
    if not waiting:
        return True, "reachable, all migrations applied"
    how = "`serve` applies them" if settings.db_auto_migrate else "run `mission-control migrate`"
    return settings.db_auto_migrate, f"reachable, {len(waiting)} migration(s) pending; {how}"


def _pages(settings: Settings) -> tuple[bool, str]:
    """Read the whole SQLite file."""
    file = settings.sqlite_path
    if file is None:
        return True, "PostgreSQL checks what it reads (`initdb --data-checksums`, `pg_amcheck`)"
    if not file.exists():
        return True, f"{file} is not there yet"
    try:
        with closing(sqlite3.connect(file)) as connection:
            found = [str(row[0]) for row in connection.execute(f"PRAGMA quick_check({MOST_PROBLEMS})")]
            count = connection.execute("PRAGMA page_count").fetchone()[0]
    except sqlite3.Error as error:
        return False, f"{file} cannot be checked: {error}"
    if found == ["ok"]:
        return True, f"all {count} were read and are well-formed"
    problems = "; ".join(one.replace("\n", " ") for one in found)
    return False, f"{file} is damaged: {problems}. Stop the server and go back to a backup."


def _folder(folder: Path) -> tuple[bool, str]:
    existing = _existing(folder)
    fine = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    return fine, f"{folder} can{'' if fine else 'not'} be written"


def _privacy(settings: Settings) -> tuple[bool, str]:
    from mission_control.private_files import too_open

    found = [f"{path} ({path.stat().st_mode & 0o777:o})" for path in too_open(settings)]
    if not found:
        return True, "cannot read the data folder, the database and the secret key"
    return False, f"can reach {', '.join(found)}; start the server once, or use `chmod go= FILE`"


def _existing(folder: Path) -> Path:
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def _disk(folder: Path) -> tuple[bool, str]:
    existing = _existing(folder)
    free = shutil.disk_usage(existing).free
    return free >= SMALLEST_FREE_BYTES, f"{free // (1024 * 1024)} MiB under {existing}"


def _open_files() -> tuple[bool, str]:
    from mission_control.serving import raise_file_limit

    limit = raise_file_limit()
    return limit >= SMALLEST_FILE_LIMIT, f"{limit} allowed; every open stream needs one"


def _workers(settings: Settings) -> tuple[bool, str]:
    from mission_control.serving import check_workers

    try:
        check_workers(settings)
    except ConfigError as error:
        return False, str(error)
    return True, f"{settings.workers}"


COMMANDS = [doctor]
