"""`mission-control demo`: see a living board in one command."""

from dataclasses import replace

import click

from mission_control.config import Settings


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
        _wipe()
        return
    from mission_control import features
    from mission_control.core.errors import DomainError
    from mission_control.demo.run import play
    from mission_control.http.request_log import set_up_logging

    features.install()
    settings = Settings.from_environment()
    settings = replace(settings, host=host or settings.host, port=settings.port if port is None else port)
    set_up_logging(replace(settings, log_level=max(settings.log_level, 30)))
    try:
        play(settings, url.rstrip("/") if url else None, agents, speed)
    except DomainError as error:
        raise click.ClickException(error.sentence) from None


def _wipe() -> None:
    from mission_control.cli.database import with_database

    async def work(settings: Settings) -> None:
        from mission_control.demo.sign_in_page import wipe

        click.echo("The demo data is removed." if await wipe() else "There is no demo data.")

    with_database(work)


COMMANDS = [demo]
