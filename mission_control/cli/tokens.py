"""`mission-control token ...`: personal API tokens."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import click

from mission_control.cli.accounts import user_named
from mission_control.cli.database import table, with_database
from mission_control.config import Settings

MAY = "Read; also work on boards; or all that the person may."


@click.group()
def token() -> None:
    """Personal API tokens: make, list and revoke them."""


@token.command("create")
@click.argument("email")
@click.option("--name", default="command line", show_default=True, help="What the token is for.")
@click.option("--may", type=click.Choice(("read", "work", "admin")), default="work", show_default=True, help=MAY)
@click.option("--days", type=click.IntRange(0, 3650), default=90, show_default=True, help="Its life; 0: without end.")
def create(email: str, name: str, may: str, days: int) -> None:
    """Make a token that acts as the person; it is shown this once."""

    async def work(settings: Settings) -> None:
        from mission_control.accounts.credentials import create_personal_token
        from mission_control.core import clock
        from mission_control.core.actor import system

        person = await user_named(email)
        ends = clock.now() + timedelta(days=days) if days else None
        made = await create_personal_token(
            system(person.active_organization_id or UUID(int=0)), person, name, ends, [may]
        )
        click.echo(made.secret)
        click.echo("Keep it now: it is not shown again.", err=True)

    with_database(work)


@token.command("list")
@click.argument("email", required=False)
def list_tokens(email: str | None) -> None:
    """List the live tokens of one person, or of all."""

    async def work(settings: Settings) -> None:
        from mission_control.accounts.credentials import EVERYTHING
        from mission_control.accounts.models import Token

        person = await user_named(email) if email else None
        query = Token.filter(user_id__not_isnull=True, revoked_at=None).select_related("user").order_by("created_at")
        found = await (query.filter(user_id=person.id) if person else query)
        table(
            ("ID", "BEGINS", "PERSON", "NAME", "MAY", "MADE", "LAST USED", "ENDS"),
            [
                (
                    str(one.id), one.prefix, str(one.user.email or "-"), one.name,
                    ", ".join(one.scopes or [EVERYTHING]),
                    _day(one.created_at), _day(one.last_used_at), _day(one.expires_at),
                )
                for one in found
            ],
        )  # fmt: skip

    with_database(work)


@token.command("revoke")
@click.argument("token_id")
def revoke(token_id: str) -> None:
    """End a token at once; its id stands in `token list`."""

    async def work(settings: Settings) -> None:
        from mission_control.accounts.credentials import revoke_personal_token
        from mission_control.accounts.models import Token
        from mission_control.core.actor import system
        from mission_control.core.ids import parse_id

        known = parse_id(token_id)
        found = await Token.get_or_none(id=known, user_id__not_isnull=True, revoked_at=None) if known else None
        if found is None:
            raise click.ClickException(f"There is no valid token with the id {token_id}.")
        await found.fetch_related("user")
        await revoke_personal_token(system(found.user.active_organization_id), found)
        click.echo(f"The token {found.prefix}... of {found.user.email} has ended.")

    with_database(work)


def _day(moment: Any) -> str:
    return moment.strftime("%Y-%m-%d %H:%M") if moment else "-"


COMMANDS = [token]
