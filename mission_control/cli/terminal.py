"""The commands of agents and people at a terminal, which are also the program `/client.pyz`."""

import sys
from collections.abc import Callable, Iterator

import click

from mission_control.client.__main__ import COMMANDS, main


def commands() -> Iterator[click.Command]:
    """Yield a command for each of the program's, which reads its own arguments."""
    for name, (_, _, says) in COMMANDS.items():
        arguments = click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)
        yield click.Command(
            name, params=[arguments], help=f"{says[:1].upper()}{says[1:]}.", add_help_option=False,
            context_settings={"ignore_unknown_options": True}, callback=_running(name),
        )  # fmt: skip


def _running(name: str) -> Callable[[tuple[str, ...]], None]:
    def run(arguments: tuple[str, ...]) -> None:
        sys.exit(main([name, *arguments]))

    return run
