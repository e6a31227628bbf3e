"""The command line: `mission-control COMMAND`. It starts the application; the demo is in `demo`.

Read `server.py` (what serves and checks an installation) first.
"""

import sys

import click

from mission_control import __version__
from mission_control.cli import database, move, people, server, terminal
from mission_control.core.settings import ConfigError

COMMANDS = (
    server.serve,
    server.worker,
    server.demo,
    database.migrate,
    people.user,
    people.token,
    server.gateway,
    database.audit,
    database.backup,
    database.restore,
    move.move,
    server.doctor,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mission-control")
def commands() -> None:
    """A live board where people and agents work together."""


for command in COMMANDS:
    commands.add_command(command)
for client_command in terminal.commands():
    commands.add_command(client_command)


def main() -> None:
    """Run the command line. Problems of settings or database end in one sentence each and exit code 1."""
    try:
        commands(prog_name="mission-control")
    except ConfigError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(1)
    except Exception as error:
        from mission_control.database.outages import outage

        if outage(error) is None:
            raise
        click.echo(f"The database cannot be used: {error}", err=True)
        sys.exit(1)
