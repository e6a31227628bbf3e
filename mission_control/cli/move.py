"""`mission-control move sqlite-to-postgres`."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import aclosing, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mission_control.core.setting_values import DATABASE_URL, sqlite_url, without_password
from mission_control.core.settings import ConfigError, Settings

if TYPE_CHECKING:
    from mission_control.database.move_source import Fault, Rows, Source, Table
    from mission_control.database.move_target import Progress, Target

MOST_FAULTS = 10
SECONDS_BETWEEN_LINES = 10
AGAIN = "Start the same command again: it goes on where it was."
RESTART = "With --restart what was moved so far is deleted from the target, and the move begins anew."


@click.group()
def move() -> None:
    """Move everything to another kind of database."""


def _address(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    try:
        return DATABASE_URL(value) if value else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@move.command("sqlite-to-postgres")
@click.option(
    "--from", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The SQLite file; without it the one of DATABASE_URL or DATA_DIR.",
)  # fmt: skip
@click.option("--to", "url", callback=_address, help="postgres://user:password@host/name; without it DATABASE_URL.")
@click.option("--check", is_flag=True, help="Only look whether everything can be moved; the server may run.")
@click.option("--restart", is_flag=True, help="Delete from the target what an unfinished move brought, and begin anew.")
def sqlite_to_postgres(file: Path | None, url: str | None, check: bool, restart: bool) -> None:
    """Move an installation from its SQLite file to an empty PostgreSQL database; the server must be stopped.

    The SQLite file is only read, but for pending migrations, before which it is copied. A move that was interrupted
    goes on where it was when the same command is given again. Until it is complete no server uses the target. At the
    end every row is compared and every log is verified. SECRET_KEY, or DATA_DIR with the file secret_key, must be
    those of the installation.
    """
    from mission_control.database.setup import held

    settings = Settings.from_environment()
    source = replace(settings, database_url=sqlite_url(file or _default_file(settings)))
    target = replace(settings, database_url=url or settings.database_url)
    if target.uses_sqlite:
        raise ConfigError("Name the PostgreSQL database with --to, or in DATABASE_URL.")
    path = source.sqlite_path
    assert path is not None
    if not path.exists():
        raise ConfigError(f"There is no SQLite file {path}. Name it with --from.")
    mover = Mover(source, target, is_check=check)
    try:
        if check:
            sys.exit(asyncio.run(mover.run(restart=False)))
        with held(path, "Stop it first."):
            sys.exit(asyncio.run(mover.run(restart=restart)))
    except KeyboardInterrupt:
        raise click.ClickException(f"Interrupted. {AGAIN}") from None


def _default_file(settings: Settings) -> Path:
    return settings.sqlite_path or settings.data_dir / "mission-control.sqlite3"


class Mover:
    """One run of the command: from the settings of the SQLite file to those of the target."""

    def __init__(self, source: Settings, target: Settings, *, is_check: bool) -> None:
        self._source, self._target, self._is_check = source, target, is_check
        assert source.sqlite_path is not None
        self._path = source.sqlite_path
        self._unreadable: Counter[str] = Counter()
        self._secrets = 0

    async def run(self, *, restart: bool) -> int:
        import asyncpg

        from mission_control.database.move_source import Source, tables
        from mission_control.database.move_target import Target
        from mission_control.database.setup import disconnect, read_models
        from mission_control.server import installation

        installation.install()
        try:
            async with aclosing(await Target.opened(self._target)) as target:
                if not await self._is_up_to_date():
                    return 0
                if restart and (progress := await target.progress()):
                    await target.abandon(progress)
                    click.echo("What was moved before is deleted from the target.")
                with closing(Source(self._path, is_alone=not self._is_check)) as source:
                    progress = await self._ready(target, source)
                    await read_models(self._target)
                    try:
                        return await self._move(target, source, tables(), progress)
                    finally:
                        await disconnect()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise ConfigError(f"The target failed: {str(error) or type(error).__name__}. {AGAIN}") from error
        except asyncpg.InternalClientError as error:  # by a connection that broke within a statement
            raise ConfigError(f"The connection to the target broke. {AGAIN}") from error

    async def _is_up_to_date(self) -> bool:
        """Migrate the SQLite file, or say that this would be done when nothing may be changed."""
        from mission_control.database.migrate import migrate, pending_for

        if waiting := await pending_for(self._source):
            if waiting[0].startswith("0_"):
                raise ConfigError(f"{self._path} holds no installation of Mission Control.")
            click.echo(f"{self._path} lacks {len(waiting)} migration(s), which are applied first, after a copy.")
            if self._is_check:
                click.echo("The rest can be checked when that is done.")
                return False
            await migrate(self._source)
        return True

    async def _ready(self, target: "Target", source: "Source") -> "Progress | None":
        """Check key and target, and migrate the target; return the progress of an earlier move."""
        from mission_control.database.migrate import migrate, newest_migration, pending_for

        self._check_key(source)
        if (progress := await target.progress()) is None:
            await (pending_for if self._is_check else migrate)(self._target)
            await target.refuse_rows()
        elif progress.source != source.state:
            raise ConfigError(f"{self._path} is another file than was moved before, or was changed since. {RESTART}")
        elif progress.migration != newest_migration():
            raise ConfigError(f"The program is another version than began the move. {RESTART}")
        return progress

    def _check_key(self, source: "Source") -> None:
        from mission_control.core.secrets import check_value, load_or_create_secret_key
        from mission_control.database.fit import CHECK_NAME

        file = self._source.data_dir / "secret_key"
        given = "Set SECRET_KEY, or DATA_DIR, as the server of the installation has it."
        if not self._source.secret_key and not file.exists():
            raise ConfigError(f"There is no key in {file}, and SECRET_KEY is not set. {given}")
        known = source.setting(CHECK_NAME)
        if known is not None and known != check_value(load_or_create_secret_key(self._source)):
            raise ConfigError(f"SECRET_KEY (or {file}) is not the one that {self._path} was made with. {given}")

    async def _move(
        self, target: "Target", source: "Source", tables: "list[Table]", progress: "Progress | None"
    ) -> int:
        rows = {table.name: source.count(table) for table in tables}
        total, size = sum(rows.values()), self._path.stat().st_size
        click.echo(f"From  {self._path}, {size / 2**20:,.0f} MiB")
        where = without_password(self._target.database_url)
        click.echo(f"To    {where}, PostgreSQL {await target.version()}; needs about the same space")
        click.echo(f"Rows  {total:,} in {sum(map(bool, rows.values()))} of {len(tables)} tables; files are among them")
        if progress is None or self._is_check:
            self._check_values(source, tables, total)
        if self._is_check:
            click.echo("Everything can be moved.")
            return 0
        progress = progress or await target.begin(source)
        before = sum(place.rows for place in progress.places.values())
        began = time.monotonic()
        with _bar("Copying", total) as advance:
            advance(before)
            for table in tables:
                await target.copy(table, source, progress, advance)
        seconds = time.monotonic() - began
        again = f", {before:,} of them before" if before else ""
        click.echo(f"{total:,} rows{again}; {(total - before) / max(seconds, 0.001):,.0f} rows a second.")
        with _bar("Indexes", len(progress.statements)) as advance:
            await target.make_indexes(progress, advance)
        if not progress.is_compared:
            await self._compare(target, source, tables, total)
            await target.note_compared(progress)
        return await self._finish(target)

    def _check_values(self, source: "Source", tables: "list[Table]", total: int) -> None:
        faults: list[Fault] = []
        with _bar("Checking", total) as advance:
            for table in tables:
                faults += source.faults(table, advance)
        faults += source.broken_references()
        if faults:
            more = len(faults) - MOST_FAULTS
            raise ConfigError(
                [
                    *map(str, faults[:MOST_FAULTS]),
                    *([f"... and {more:,} more"] if more > 0 else []),
                    "PostgreSQL does not take these values. Nothing was moved. Change them, and start again.",
                ]
            )

    async def _compare(self, target: "Target", source: "Source", tables: "list[Table]", total: int) -> None:
        from mission_control.core.secrets import load_or_create_secret_key

        key = load_or_create_secret_key(self._source)
        with _bar("Comparing", total) as advance:
            for table in tables:

                def seen(rows: "Rows", table: "Table" = table) -> None:
                    self._read_secrets(table, rows, key)
                    advance(len(rows))

                await target.compare(table, source, seen)
        click.echo("Every row is the same in both databases.")
        click.echo(f"Stored secrets: {self._secrets:,}, of which {self._unreadable.total():,} cannot be read.")
        for name, count in self._unreadable.items():
            click.echo(f"{name}: {count:,} were written with another SECRET_KEY; in the SQLite file they are the same.")

    def _read_secrets(self, table: "Table", rows: "Rows", key: str) -> None:
        from mission_control.core.secrets import is_readable

        for at, column in enumerate(table.columns):
            if column.is_sealed:
                values = [value for row in rows if isinstance(value := row[at], str) and value]
                self._secrets += len(values)
                if unreadable := sum(not is_readable(value, key) for value in values):
                    self._unreadable[f"{table.name}.{column.name}"] += unreadable

    async def _finish(self, target: "Target") -> int:
        """Verify the logs, and let servers use the target."""
        from mission_control.cli.database import walk_logs
        from mission_control.people.audit.log_heads import open_logs

        await open_logs(self._target)
        code = await walk_logs()
        await target.complete()
        key = "SECRET_KEY" if self._source.secret_key else f"{self._source.data_dir / 'secret_key'}"
        click.echo(
            f"The move is complete. Start the server with DATABASE_URL set to the target and the same {key}."
            f" {self._path} remains as it was; no server should use it from now on."
        )
        return code


@contextmanager
def _bar(label: str, total: int) -> "Iterator[Callable[[int], None]]":
    """Yield a function to call with the number of steps done. It moves a bar; without a terminal it prints lines."""
    if sys.stdout.isatty():
        with click.progressbar(length=total, label=f"{label:<9}", show_pos=True) as bar:
            yield bar.update
        return
    done, printed_at = 0, time.monotonic()

    def advance(steps: int) -> None:
        nonlocal done, printed_at
        done += steps
        if time.monotonic() - printed_at > SECONDS_BETWEEN_LINES:
            printed_at = time.monotonic()
            click.echo(f"{label:<9}  {done:,} of {total:,}")

    yield advance
    click.echo(f"{label:<9}  {total:,}")
