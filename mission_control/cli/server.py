"""Commands that run or check an installation: `serve`, `demo`, `doctor` and `gateway`."""

import asyncio
import os
import shutil
import socket
import sqlite3
import sys
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mission_control.core.settings import ConfigError, Settings
from mission_control.server.loading import loading

if TYPE_CHECKING:
    from mission_control.gateways.connections.checked_connection import Report
    from mission_control.gateways.protocol.handshake import Identity


@click.command()
@click.option("--host", help="Address to listen on (HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (PORT).")
@click.option("--workers", type=click.IntRange(1), help="Server processes (WORKERS); several need PostgreSQL.")
def serve(host: str | None, port: int | None, workers: int | None) -> None:
    """Run the server until SIGTERM or Ctrl-C."""
    with loading():
        from mission_control.database import setup
        from mission_control.http.request_log import set_up_logging
        from mission_control.server import serving

    settings = _with_options(Settings.from_environment(), host=host, port=port, workers=workers)
    serving.check_workers(settings)
    set_up_logging(settings)
    serving.raise_file_limit()
    with setup.held(settings.sqlite_path):
        listener = serving.bind(settings.host, settings.port)
        migrations, code = asyncio.run(serving.prepare(settings))
        url = serving.visible_url(settings, listener)
        if migrations:
            click.echo(f"The database is ready: {len(migrations)} migrations, up to {migrations[-1]}.")
        click.echo(f"Open {url}/setup and enter the code {code}" if code else f"Mission Control is at {url}")
        if settings.workers == 1:
            from mission_control.server.worker import run_worker

            run_worker(settings, listener)
        else:
            from mission_control.server.supervisor import Supervisor

            sys.exit(Supervisor(settings, listener).run())


@click.command(hidden=True)
@click.argument("listener", type=int)
@click.argument("parent_pipe", type=int)
def worker(listener: int, parent_pipe: int) -> None:
    """Serve on an inherited socket; started by `serve --workers N`."""
    with loading():
        from mission_control.database.fit import Misfit
        from mission_control.http.request_log import set_up_logging
        from mission_control.server.serving import MISFIT
        from mission_control.server.worker import run_worker

    settings = Settings.from_environment()
    set_up_logging(settings)
    try:
        run_worker(settings, socket.socket(fileno=listener), parent_pipe)
    except Misfit as error:
        click.echo(str(error), err=True)
        sys.exit(MISFIT)


def _with_options(settings: Settings, **options: Any) -> Settings:
    return replace(settings, **{name: value for name, value in options.items() if value is not None})


@click.command()
@click.option("--host", help="Address to serve on when no server runs there (HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the server (PORT).")
@click.option("--url", help="Address of a running server that uses the same database.")
@click.option("--agents", type=click.IntRange(1, 8), default=5, show_default=True, help="How many simulated agents.")
@click.option("--speed", type=click.FloatRange(0.1, 100), default=1.0, show_default=True, help="2 is twice as fast.")
@click.option("--wipe", is_flag=True, help="Remove everything that belongs to the demo, and nothing else.")
def demo(host: str | None, port: int | None, url: str | None, agents: int, speed: float, wipe: bool) -> None:
    """Serve invented data with simulated agents at work on it, until Ctrl-C."""
    if wipe:
        from mission_control.cli.database import with_database
        from mission_control.people.sign_in.demo_pages import wipe as wiped

        click.echo("The demo data is removed." if with_database(lambda _: wiped()) else "There is no demo data.")
        return
    with loading():
        from mission_control.cli.demo.run import play
        from mission_control.core.errors import DomainError
        from mission_control.http.request_log import set_up_logging
        from mission_control.server import installation as features

    features.install()
    settings = _with_options(Settings.from_environment(), host=host or None, port=port)
    set_up_logging(replace(settings, log_level=max(settings.log_level, 30)))
    try:
        play(settings, url.rstrip("/") if url else None, agents, speed)
    except DomainError as error:
        raise click.ClickException(error.sentence) from None


SMALLEST_FREE_BYTES = 200 * 1024 * 1024
SMALLEST_FILE_LIMIT = 1024
MOST_PROBLEMS = 5


@click.command()
@click.option("--recount-figures", is_flag=True, help="Count the figures of metrics anew from the log, beside serving.")
def doctor(recount_figures: bool) -> None:
    """Show settings and checks; the exit code is 1 when something is wrong."""
    from mission_control.core.private_files import too_open
    from mission_control.server.serving import raise_file_limit

    settings = Settings.from_environment()
    for name, value in settings.masked().items():
        click.echo(f"{name} = {value}")
    click.echo()
    folder = settings.data_dir
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    is_writable = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    free, files = shutil.disk_usage(existing).free, raise_file_limit()
    shared = ", ".join(f"{path} ({path.stat().st_mode & 0o777:o})" for path in too_open(settings))
    privacy = "cannot read the data folder, the database and the secret key"
    if shared:
        privacy = f"can reach {shared}; start the server once, or use `chmod go= FILE`"
    checks = {
        "Database": _database(settings),
        **_fit(settings),
        "Database pages": _pages(settings),
        "Data folder": (is_writable, f"{folder} can{'' if is_writable else 'not'} be written"),
        "Other users": (not shared, privacy),
        "Free disk": (free >= SMALLEST_FREE_BYTES, f"{free // (1024 * 1024)} MiB under {existing}"),
        "Open files": (files >= SMALLEST_FILE_LIMIT, f"{files} allowed; every open stream needs one"),
        "Workers": _workers(settings),
    }
    if checks["Database"][0] and checks["Database pages"][0]:
        checks["Figures"] = _figures(recount=recount_figures)
        checks["Search"] = _search()
        checks["Activities"] = _activities(settings)
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


def _fit(settings: Settings) -> dict[str, tuple[bool, str]]:
    """Whether this machine may work on the database; nothing while that has not all migrations."""
    from mission_control.database import fit
    from mission_control.database.migrate import own_connection, pending_for

    async def examined() -> dict[str, tuple[bool, str]]:
        if await pending_for(settings):
            return {}
        async with own_connection(settings, is_direct=False):
            found = {"Secret key": await fit.examine_key(settings)}
            if not settings.uses_sqlite:
                found |= {"Clock": await fit.examine_clock(), "Notifications": await fit.examine_listening(settings)}
            return found

    try:
        return asyncio.run(examined())
    except ConfigError:
        return {}  # the line before says so


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


def _figures(*, recount: bool) -> tuple[bool, str]:
    """Compare what is counted for metrics with the log, or have it counted anew."""
    from mission_control.cli.database import with_database
    from mission_control.metrics import recounting

    async def look(_: Settings) -> tuple[list[str], str]:
        if recount:
            await recounting.recount()
            return [], "are counted anew while the server runs; `doctor` says when they are complete"
        return await recounting.faults()

    try:
        faults, progress = with_database(look, with_its_key=False)
    except ConfigError as error:
        return True, f"not compared with the log: {error}"
    if faults:
        named = "; ".join(faults[:MOST_PROBLEMS])
        return False, f"{len(faults)} are wrong: {named}. Count anew with `mission-control doctor --recount-figures`."
    return True, progress or "agree with the log"


def _search() -> tuple[bool, str]:
    """Say how many texts wait to be indexed for the search; note those that are neither in the index nor wait."""
    from mission_control.cli.database import with_database
    from mission_control.database.search_index import note_missing

    async def look(_: Settings) -> tuple[int, int]:
        return await note_missing()

    try:
        waiting, missing = with_database(look, with_its_key=False)
    except ConfigError as error:
        return True, f"not looked at: {error}"
    if missing:
        return False, f"lacked {missing} texts. They were noted, and a running server indexes them."
    return True, f"{waiting} texts wait to be indexed, which a running server does" if waiting else "has every text"


def _activities(settings: Settings) -> tuple[bool, str]:
    """Say how old the oldest stored activity of an agent is, and whether older ones are deleted."""
    from mission_control.cli.database import with_database
    from mission_control.runs.sessions.ends import oldest_age

    async def look(_: Settings) -> int | None:
        return await oldest_age()

    try:
        days = with_database(look, with_its_key=False)
    except ConfigError as error:
        return True, f"not looked at: {error}"
    if days is None:
        return True, "none are stored"
    kept = f"kept for {settings.activity_days} days" if settings.activity_days else "kept for ever"
    is_deleted = not settings.activity_days or days <= settings.activity_days + 2
    return is_deleted, f"{kept}, the oldest is {days} days old{'' if is_deleted else '; start the server'}"


def _workers(settings: Settings) -> tuple[bool, str]:
    from mission_control.server.serving import check_workers

    try:
        check_workers(settings)
    except ConfigError as error:
        return False, str(error)
    return True, f"{settings.workers}"


TOKEN = "OPENCLAW_GATEWAY_TOKEN"
EXIT_CODES = {"ok": 0, "refused": 1, "pairing": 3, "unreachable": 4}
PASSING = (
    "This installation has no identity yet, so a passing one was used: add the gateway in Mission Control, and approve"
    " the request that it then shows."
)


@click.group()
def gateway() -> None:
    """OpenClaw gateways: check one."""


@gateway.command()
@click.argument("url")
@click.option("--token-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Holds the token.")
@click.option("--insecure-tls", is_flag=True, help="Take any certificate.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def check(url: str, token_file: Path | None, insecure_tls: bool, as_json: bool) -> None:
    """Connect to the gateway at URL (ws:// or wss://) and say what is missing and what to do.

    The token is read from --token-file, from OPENCLAW_GATEWAY_TOKEN, or asked for; it is shown nowhere. The exit code
    is 0 when all is well, 1 when the gateway refuses or something is missing, 3 when it waits for a pairing to be
    approved, 4 when it cannot be reached.
    """
    from mission_control.core.values import to_json
    from mission_control.gateways.connections.checked_connection import check as check_gateway
    from mission_control.gateways.protocol.handshake import Identity
    from mission_control.gateways.protocol.target import Target, url_problem

    if (problem := url_problem(url)) is not None:
        raise click.UsageError(problem)
    settings = Settings.from_environment()
    identity = _identity()
    target = Target(
        url, token=_token(token_file), allow_insecure_tls=insecure_tls, minimum_version=settings.gateway_min_version
    )
    report = asyncio.run(check_gateway(target, identity or Identity.new()))
    if as_json:
        click.echo(to_json(asdict(report) | {"has_passing_identity": identity is None}))
    else:
        _print(target.address, report, is_passing=identity is None)
    sys.exit(EXIT_CODES[report.state] or int(not all(one.is_fine for one in report.findings)))


def _token(file: Path | None) -> str | None:
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(f"{file} cannot be read: {error}") from None
    if (given := os.environ.get(TOKEN, "").strip()) or not sys.stdin.isatty():
        return given or None
    asked: str = click.prompt("Token of the gateway", hide_input=True, default="", show_default=False, err=True)
    return asked.strip() or None


def _identity() -> "Identity | None":
    """Return this installation's identity; None where its database is not there yet or cannot be read."""
    from mission_control.cli.database import with_database

    async def work(settings: Settings) -> "Identity":
        from mission_control.gateways.protocol import identity as installation

        installation.keep_settings(settings)
        return await installation.identity()

    try:
        return with_database(work)
    except ConfigError:
        return None


def _print(address: str, report: "Report", *, is_passing: bool) -> None:
    click.echo(f"Gateway {address}")
    for one in report.findings:
        click.echo(f"{'ok     ' if one.is_fine else 'PROBLEM'}  {one.name}: {one.sentence}")
        if one.remedy:
            click.echo(f"         {one.remedy}")
    if report.state == "pairing":
        click.echo(f"         Device {report.device_id}, request {report.request_id or 'unknown'}.")
    if is_passing:
        click.echo(PASSING, err=True)
