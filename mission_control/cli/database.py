"""Commands on the database and its logs: `migrate`, `backup`, `restore` and `audit`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, TextIO

import click

from mission_control.core.errors import DomainError
from mission_control.core.setting_values import made_folder
from mission_control.core.settings import ConfigError, Settings
from mission_control.core.text.diffs import steady
from mission_control.server.loading import loading


def with_database[R](work: Callable[[Settings], Awaitable[R]], *, with_its_key: bool = True) -> R:
    """Run `work` with the configured database open; refusals end in one sentence.

    ConfigError when SECRET_KEY is not the database's, unless `with_its_key` is False; nothing may be written then.
    """
    settings = Settings.from_environment()
    try:
        return asyncio.run(_opened(settings, work, with_its_key))
    except DomainError as error:
        raise click.ClickException(error.sentence) from None


def in_database[**P](work: Callable[Concatenate[Settings, P], Awaitable[int | None]]) -> Callable[P, None]:
    """Make a command of a function that needs the settings and their database; what it returns is the exit code."""

    @wraps(work)
    def command(*arguments: P.args, **options: P.kwargs) -> None:
        sys.exit(with_database(lambda settings: work(settings, *arguments, **options)))

    return command


async def _opened[R](settings: Settings, work: Callable[[Settings], Awaitable[R]], with_its_key: bool) -> R:
    with loading():
        from mission_control.database.migrate import pending_for
        from mission_control.database.setup import connect, disconnect
        from mission_control.people.audit.log_heads import open_logs, use_settings_key
        from mission_control.server import installation

    if waiting := await pending_for(settings):
        raise ConfigError(
            f"The database lacks {len(waiting)} migration(s): start the server once, or run `mission-control migrate`."
        )
    installation.install()
    await connect(settings)
    try:
        if with_its_key:
            await open_logs(settings)
        else:
            use_settings_key(settings)
        return await work(settings)
    finally:
        await disconnect()


def table(heads: tuple[str, ...], lines: list[tuple[str, ...]]) -> None:
    widths = [max(len(line[at]) for line in [heads, *lines]) for at in range(len(heads))]
    for line in [heads, *lines]:
        click.echo("  ".join(steady(text).ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


USE_PG_DUMP = (
    "The database is PostgreSQL: {verb} with `{tool}`, for example `{example}`; keep DATA_DIR/secret_key with it."
)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Copy the database to FILE while the server runs; an existing file is never overwritten."""
    from mission_control.database.migrate import copy_whole

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
    from mission_control.database import migrate as sqlite_copy

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


@click.command()
def migrate() -> None:
    """Apply pending migrations and say what was done."""
    from mission_control.database.migrate import migrate as apply_pending

    applied = asyncio.run(apply_pending(Settings.from_environment()))
    for name in applied:
        click.echo(f"Applied {name}")
    click.echo(f"{len(applied)} migration(s) applied." if applied else "The database is up to date.")


if TYPE_CHECKING:
    from mission_control.people.audit.log_heads import LogHead

FAULT, UNDECIDED = 1, 2
ANOTHER_KEY = (
    "was signed with another SECRET_KEY than the present one; what the signature proves is not known."
    " That is no sign of tampering when the key was changed on purpose."
)


@click.group()
def audit() -> None:
    """The event logs of organizations and the account log."""


@audit.command("head")
@in_database
async def head(settings: Settings) -> int:
    """Print the newest number of every log, its hash and its signature, one JSON object a line.

    Keep them out of reach of anyone who can write to the database: `audit verify --against FILE` checks them.
    """
    from mission_control.events.event_log import Verdict
    from mission_control.people.audit.log_heads import heads

    code = 0
    for one in await heads():
        if one.verdict is Verdict.VALID:
            click.echo(one.line())
        else:
            click.echo(
                f"{one.name} ({one.log}): the head is not genuine; run `mission-control audit verify`.", err=True
            )
            code = FAULT
    return code


@audit.command("verify")
@click.option("--against", type=click.File(encoding="utf-8"), help="Lines that `audit head` printed earlier.")
def verify(against: TextIO | None) -> None:
    """Verify every log. Exit code 1: a fault; 2: a signature could not be checked."""
    kept = _read(against) if against else []

    async def work(settings: Settings) -> int:
        known = await _check_key(settings)
        codes = [known, await walk_logs(), await _walk_sessions(settings.activity_days), await _compare(kept)]
        if known == 0:
            codes.append(await _check_signers(kept))
        return FAULT if FAULT in codes else max(codes)

    sys.exit(with_database(work, with_its_key=False))


async def _check_key(settings: Settings) -> int:
    from mission_control.people.audit.log_heads import open_logs

    try:
        await open_logs(settings)
    except ConfigError as error:
        click.echo(f"{error} Signatures were not checked.", err=True)
        return UNDECIDED
    return 0


def _read(file: TextIO) -> list[tuple[str, "LogHead"]]:
    from mission_control.people.audit.log_heads import LogHead

    found = []
    for number, line in enumerate(file, start=1):
        if line.strip():
            try:
                found.append((f"{file.name}, line {number}", LogHead.parse(line)))
            except ValueError:
                raise click.ClickException(
                    f"{file.name}, line {number} is not a head as `audit head` prints it."
                ) from None
    if not found:
        raise click.ClickException(f"{file.name} holds no heads.")
    return found


async def walk_logs() -> int:
    """Verify every log and print what was found; return the exit code."""
    from mission_control.people.audit.log_heads import verify_all

    code = 0
    for name, count, fault in await verify_all():
        if fault is not None:
            click.echo(f"{name}: {fault}", err=True)
            code = FAULT
        else:
            word = ("entry" if count == 1 else "entries") if name == "Accounts" else f"event{'' if count == 1 else 's'}"
            click.echo(f"{name}: {count} {word}, all as written.")
    return code


async def _walk_sessions(days: int) -> int:
    from mission_control.runs.sessions.ends import digest_faults

    count, faults = await digest_faults(days)
    for fault in faults:
        click.echo(fault, err=True)
    if count and not faults:
        click.echo(f"{count} session{'' if count == 1 else 's'} of agents, all as reported.")
    return FAULT if faults else 0


async def _compare(kept: list[tuple[str, "LogHead"]]) -> int:
    from mission_control.people.audit.log_heads import fault_against

    faults = [f"{where}, {one.name}: {fault}" for where, one in kept if (fault := await fault_against(one))]
    for fault in faults:
        click.echo(fault, err=True)
    if kept and not faults:
        click.echo(f"{len(kept)} head{'' if len(kept) == 1 else 's'} kept elsewhere, all still in the logs.")
    return FAULT if faults else 0


async def _check_signers(kept: list[tuple[str, "LogHead"]]) -> int:
    from mission_control.events.event_log import Verdict
    from mission_control.people.audit.log_heads import heads

    everywhere = [(f"{one.name} ({one.log})", one) for one in await heads()] + kept
    others = [(where, one.seq) for where, one in everywhere if one.verdict is Verdict.OTHER_KEY]
    for where, seq in others:
        click.echo(f"{where}: the head at number {seq} {ANOTHER_KEY}", err=True)
    return UNDECIDED if others else 0


@audit.command("sign")
@click.confirmation_option(prompt="Have the present state of the logs signed, whatever was done to them?")
@in_database
async def sign(settings: Settings) -> None:
    """Sign heads with an invalid signature as they are, after investigating the fault. The account log records it."""
    from mission_control.events.event_log import Verdict
    from mission_control.people.audit.log_heads import heads, sign_again

    faulty = [one for one in await heads() if one.verdict is not Verdict.VALID]
    await sign_again(faulty)
    for one in faulty:
        click.echo(f"{one.name} ({one.log}): signed at number {one.seq}.")
