"""`mission-control backup` and `restore`: whole copies of the SQLite file."""

from pathlib import Path

import click

from mission_control.config import ConfigError, Settings
from mission_control.config_values import made_folder

USE_PG_DUMP = (
    "The database is PostgreSQL: {verb} with `{tool}`, for example `{example}`; keep DATA_DIR/secret_key with it."
)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Copy the database to FILE while the server runs; an existing file is never overwritten."""
    from mission_control.database.sqlite_copy import copy_whole

    settings = Settings.from_environment()
    source = settings.sqlite_path
    if source is None:
        example = 'pg_dump --format=custom --file=FILE "$DATABASE_URL"'
        raise ConfigError(USE_PG_DUMP.format(verb="back it up", tool="pg_dump", example=example))
    if not source.exists():
        raise ConfigError(f"There is no database at {source} yet.")
    copy_whole(source, file)
    click.echo(f"{file}: {file.stat().st_size:,} bytes, checked.")
    if not settings.secret_key:
        click.echo(f"Keep {settings.data_dir / 'secret_key'} with it; stored secrets cannot be read without that file.")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Put it in place of the present database, which is kept next to it.")
def restore(file: Path, replace: bool) -> None:
    """Restore a backup; the server must be stopped."""
    from mission_control.database import sqlite_copy

    settings = Settings.from_environment()
    target = settings.sqlite_path
    if target is None:
        example = 'pg_restore --clean --if-exists --dbname="$DATABASE_URL" FILE'
        raise ConfigError(USE_PG_DUMP.format(verb="restore it", tool="pg_restore", example=example))
    sqlite_copy.check_backup(file)
    made_folder(target.parent)
    if target.exists():
        if not replace:
            raise ConfigError(f"{target} exists. With --replace it is kept as a copy and the backup takes its place.")
        kept = sqlite_copy.set_aside(target)
        click.echo(f"The present database is kept as {kept}.")
    sqlite_copy.copy_whole(file, target)
    click.echo(f"{target} is restored from {file}.")


COMMANDS = [backup, restore]
