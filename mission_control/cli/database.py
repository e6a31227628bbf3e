"""Open the database for a command, and turn its errors into one sentence."""

import asyncio
from collections.abc import Awaitable, Callable

import click

from mission_control.config import ConfigError, Settings
from mission_control.core.errors import DomainError


def with_database[R](work: Callable[[Settings], Awaitable[R]], *, with_its_key: bool = True) -> R:
    """Run `work` with the configured database open; refusals end in one sentence.

    ConfigError when SECRET_KEY is not the database's, unless `with_its_key` is False; nothing may be written then.
    """
    settings = Settings.from_environment()
    try:
        return asyncio.run(_opened(settings, work, with_its_key))
    except DomainError as error:
        raise click.ClickException(error.sentence) from None


async def _opened[R](settings: Settings, work: Callable[[Settings], Awaitable[R]], with_its_key: bool) -> R:
    from mission_control import features
    from mission_control.audit import open_logs, use_settings_key
    from mission_control.database.migrate import pending_for
    from mission_control.database.setup import connect, disconnect

    if waiting := await pending_for(settings):
        raise ConfigError(
            f"The database lacks {len(waiting)} migration(s): start the server once, or run `mission-control migrate`."
        )
    features.install()
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
    """Print lines below their heads, in columns."""
    widths = [max(len(line[at]) for line in [heads, *lines]) for at in range(len(heads))]
    for line in [heads, *lines]:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
