"""`mission-control migrate`: bring the database up to date."""

import asyncio

import click

from mission_control.config import Settings


@click.command()
def migrate() -> None:
    """Apply pending migrations and say what was done."""
    from mission_control.database.migrate import migrate as apply_pending

    applied = asyncio.run(apply_pending(Settings.from_environment()))
    for name in applied:
        click.echo(f"Applied {name}")
    click.echo(f"{len(applied)} migration(s) applied." if applied else "The database is up to date.")


COMMANDS = [migrate]
