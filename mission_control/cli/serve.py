"""`mission-control serve`: run the server."""

import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from mission_control.config import Settings

if TYPE_CHECKING:
    from mission_control.serving import Prepared


@click.command()
@click.option("--host", help="Address to listen on (HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (PORT).")
@click.option("--workers", type=click.IntRange(1), help="Server processes (WORKERS); several need PostgreSQL.")
def serve(host: str | None, port: int | None, workers: int | None) -> None:
    """Run the server until SIGTERM or Ctrl-C."""
    from mission_control import serving
    from mission_control.database import server_lock
    from mission_control.http.request_log import set_up_logging

    settings = _with_options(Settings.from_environment(), host, port, workers)
    serving.check_workers(settings)
    set_up_logging(settings)
    serving.raise_file_limit()
    with server_lock.held(settings.sqlite_path):
        listener = serving.bind(settings.host, settings.port)
        prepared = serving.run_prepare(settings)
        _print_address(prepared, serving.visible_url(settings, listener))
        _run(settings, listener)


@click.command(hidden=True)
@click.argument("listener", type=int)
@click.argument("parent_pipe", type=int)
def worker(listener: int, parent_pipe: int) -> None:
    """Serve on an inherited socket; started by `serve --workers N`."""
    from mission_control.http.request_log import set_up_logging
    from mission_control.worker import run_worker

    settings = Settings.from_environment()
    set_up_logging(settings)
    run_worker(settings, socket.socket(fileno=listener), parent_pipe)


def _with_options(settings: Settings, host: str | None, port: int | None, workers: int | None) -> Settings:
    options = {"host": host, "port": port, "workers": workers}
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    return replace(settings, **given)


def _print_address(prepared: "Prepared", url: str) -> None:
    if prepared.migrations:
        click.echo(f"The database is ready: {len(prepared.migrations)} migrations, up to {prepared.migrations[-1]}.")
    if prepared.setup_code:
        click.echo(f"Open {url}/setup and enter the code {prepared.setup_code}")
    else:
        click.echo(f"Mission Control is at {url}")


def _run(settings: Settings, listener: socket.socket) -> None:
    if settings.workers == 1:
        from mission_control.worker import run_worker

        run_worker(settings, listener)
    else:
        from mission_control.supervisor import Supervisor

        Supervisor(settings, listener).run()


COMMANDS = [serve, worker]
