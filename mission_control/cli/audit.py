"""`mission-control audit verify`: prove that nothing was changed or removed in the logs."""

import sys

import click

from mission_control.cli.database import with_database
from mission_control.config import Settings


@click.group()
def audit() -> None:
    """The event log and the account log."""


@audit.command("verify")
def verify() -> None:
    """Walk every chain; the exit code is 1 at the first fault."""
    sys.exit(0 if with_database(_all_hold) else 1)


async def _all_hold(settings: Settings) -> bool:
    from mission_control.accounts import log as account_log
    from mission_control.live import log
    from mission_control.organizations.models import Organization

    for organization in await Organization.all().order_by("created_at"):
        count, fault = await log.verify(organization.id)
        if not _tell(f"{organization.name} ({organization.id})", count, "event", fault):
            return False
    count, fault = await account_log.verify()
    return _tell("Accounts", count, "entry", fault)


def _tell(name: str, count: int, word: str, fault: str | None) -> bool:
    if fault is not None:
        click.echo(f"{name}: {fault}", err=True)
        return False
    plural = {"event": "events", "entry": "entries"}[word]
    click.echo(f"{name}: {count} {word if count == 1 else plural}, all as written.")
    return True


COMMANDS = [audit]
