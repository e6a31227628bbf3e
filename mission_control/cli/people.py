"""`mission-control user ...` and `token ...`: people, their roles and passwords, and personal API tokens."""

import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from mission_control.cli.database import in_database, table
from mission_control.core.settings import Settings
from mission_control.people.accounts.names import chosen_name

if TYPE_CHECKING:
    from mission_control.core.actor import Actor
    from mission_control.people.models import Organization, User

ROLES = click.Choice(["owner", "admin", "member"])
ACCESS = click.Choice(["none", "read", "write"])
SAID = {
    "none": " and sees no board yet",
    "read": " and can read all boards, but change none",
    "write": " and can change all boards",
}
in_organization = click.option("--organization", help="Its name or id, where there are several.")


@click.group()
def user() -> None:
    """People: add them, list them, change their role or password."""


@user.command("create")
@click.argument("email")
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", type=ROLES, default="member", show_default=True)
@click.option("--all-boards", type=ACCESS, help="What a member may do on every board; read, unless you say so.")
@in_organization
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@in_database
async def create(
    settings: Settings,
    email: str,
    name: str,
    role: str,
    all_boards: str | None,
    organization: str | None,
    password_stdin: bool,
) -> None:
    """Add a person; without a password, print a link with which they set one."""
    from mission_control.people.accounts.commands import create_user

    access = _access_of(role, all_boards)
    password = read_password() if password_stdin else None
    home = await organization_named(organization)
    made = await create_user(email, name, role, home, password, access)
    click.echo(f"{name} <{email}> belongs to {home.name} as {role}{SAID[access]}.")
    if access != "write":
        click.echo(f"To change that: mission-control user set-access {email} write")
    if password is None:
        await _print_link(settings, made)


def _access_of(role: str, all_boards: str | None) -> str:
    if role != "member" and all_boards not in (None, "write"):
        raise click.UsageError(f"An {role} can change every board; --all-boards is for members.")
    return all_boards or ("read" if role == "member" else "write")


@user.command("set-access")
@click.argument("email")
@click.argument("all_boards", type=ACCESS)
@in_organization
@in_database
async def set_access(settings: Settings, email: str, all_boards: str, organization: str | None) -> None:
    """Set what a member may do on every board: none, read or write."""
    from mission_control.core.actor import system
    from mission_control.people.models import Member
    from mission_control.people.organizations.members import change_access

    person, home = await user_named(email), await organization_named(organization)
    member = await Member.get_or_none(user_id=person.id, organization_id=home.id)
    if member is None:
        raise click.ClickException(f"{email} does not belong to {home.name}.")
    _access_of(member.role, all_boards)
    read, write = all_boards != "none", all_boards == "write"
    await change_access(system(home.id), member, read=read, write=write, boards=[])
    click.echo(f"{email} belongs to {home.name} as {member.role}{SAID[all_boards]}.")


@user.command("list")
@in_database
async def list_users(settings: Settings) -> None:
    """List people, one line for each organization they belong to."""
    from mission_control.database.sql import rows

    found = await rows(
        f"SELECT u.email, {chosen_name('u')} AS name, m.role, o.name AS organization,"
        " CASE WHEN u.password_hash IS NOT NULL THEN 'yes' ELSE 'no' END AS signs_in FROM users u"
        " LEFT JOIN organization_members m ON m.user_id = u.id"
        " LEFT JOIN organizations o ON o.id = m.organization_id"
        " ORDER BY LOWER(u.email), m.created_at"
    )
    texts = [tuple(str(value or "-") for value in row.values()) for row in found]
    table(("E-MAIL", "NAME", "ROLE", "ORGANIZATION", "PASSWORD"), texts)


@user.command("reset-password")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Set the password read from standard input instead.")
@in_database
async def reset_password(settings: Settings, email: str, password_stdin: bool) -> None:
    """Print a one-time link, valid for 24 hours, with which the person sets a new password."""
    from mission_control.people.accounts import commands as account_commands

    password, person = read_password() if password_stdin else None, await user_named(email)
    if password is None:
        await _print_link(settings, person)
        return
    await account_commands.reset_password(await account_commands.make_reset_link(_for(person), person), password)
    click.echo(f"The password of {email} is changed; all sessions and tokens have ended.")


@user.command("let-link")
@click.argument("email")
@in_database
async def let_link(settings: Settings, email: str) -> None:
    """Allow the verified owner of this address to link the account within 14 days."""
    from mission_control.people.accounts.commands import invite_to_link

    person = await user_named(email)
    await invite_to_link(_for(person), person)
    click.echo(f"The person who proves {email} to the identity provider within 14 days gets this account.")


@user.command("end-sessions")
@click.argument("email")
@in_database
async def end_sessions(settings: Settings, email: str) -> None:
    """End a person's sessions, personal tokens, devices, and links for a new password."""
    from mission_control.people.accounts.commands import end_everything

    person = await user_named(email)
    await end_everything(_for(person), person)
    click.echo(f"All sessions, tokens, devices and links of {email} have ended.")


@user.command("set-role")
@click.argument("email")
@click.argument("role", type=ROLES)
@in_organization
@in_database
async def set_role(settings: Settings, email: str, role: str, organization: str | None) -> None:
    """Make a person an owner, an admin or a member."""
    from mission_control.core.actor import system
    from mission_control.people.sign_in.first_run import set_role as change

    person, home = await user_named(email), await organization_named(organization)
    await change(system(home.id), home.id, person, role)
    click.echo(f"{email} is {role} of {home.name}.")


def read_password() -> str:
    """Return the first line of standard input, if long enough for a password."""
    from mission_control.people.accounts.credentials import MINIMUM_LENGTH, uncommon

    if sys.stdin.isatty():
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if len(password) < MINIMUM_LENGTH:
        raise click.ClickException(f"A password has at least {MINIMUM_LENGTH} characters.")
    try:
        return uncommon(password)
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def _for(person: "User") -> "Actor":
    from mission_control.core.actor import system

    return system(person.active_organization_id)


async def user_named(email: str) -> "User":
    """Return the person with this address; else exit with a sentence."""
    from mission_control.people.accounts.commands import user_by_email

    person = await user_by_email(email)
    if person is None:
        raise click.ClickException(f"Nobody has the address {email}.")
    return person


async def organization_named(text: str | None) -> "Organization":
    """Return the organization with this name or id; without a name, the only one except the demo."""
    from mission_control.people.models import Organization
    from mission_control.people.sign_in.first_run import ensure_local_owner

    known = await Organization.all().order_by("created_at")
    if text is None and not any(not one.is_demo for one in known):
        await ensure_local_owner()
        known = await Organization.all().order_by("created_at")
    fitting = [one for one in known if (not one.is_demo if text is None else text in (one.name, str(one.id)))]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(f"{one.name} ({one.id})" for one in known) or "none"
    raise click.ClickException(f"Name one organization with --organization; there are: {names}.")


async def _print_link(settings: Settings, person: "User") -> None:
    from mission_control.people.accounts.commands import make_reset_link

    secret = await make_reset_link(_for(person), person)
    base = settings.base_url or f"http://127.0.0.1:{settings.port}"
    click.echo(f"To set a password within 24 hours, open {base}/reset/{secret}")


@click.group()
def token() -> None:
    """Personal API tokens: make, list and revoke them."""


@token.command("create")
@click.argument("email")
@click.option("--name", default="command line", show_default=True, help="What the token is for.")
@click.option(
    "--may",
    type=click.Choice(("read", "work", "admin")),
    default="work",
    show_default=True,
    help="Read; also work on boards; or all that the person may.",
)
@click.option("--days", type=click.IntRange(0, 3650), default=90, show_default=True, help="Its life; 0: without end.")
@in_database
async def create_token(settings: Settings, email: str, name: str, may: str, days: int) -> None:
    """Make a token that acts as the person; it is shown this once."""
    from mission_control.core import times
    from mission_control.people.accounts.credentials import create_personal_token

    person = await user_named(email)
    ends = times.clock_now() + timedelta(days=days) if days else None
    made = await create_personal_token(_for(person), person, name, ends, [may])
    click.echo(made.secret)
    click.echo("Keep it now: it is not shown again.", err=True)


@token.command("list")
@click.argument("email", required=False)
@in_database
async def list_tokens(settings: Settings, email: str | None) -> None:
    """List the live tokens of one person, or of all."""
    from mission_control.people.accounts.credentials import EVERYTHING
    from mission_control.people.models import Token

    person = await user_named(email) if email else None
    query = Token.filter(user_id__not_isnull=True, revoked_at=None).select_related("user").order_by("created_at")
    found = await (query.filter(user_id=person.id) if person else query)
    table(
        ("ID", "BEGINS", "PERSON", "NAME", "MAY", "MADE", "LAST USED", "ENDS"),
        [
            (
                str(token.id), token.prefix, str(token.user.email or "-"), token.name,
                ", ".join(token.scopes or [EVERYTHING]),
                _day(token.created_at), _day(token.last_used_at), _day(token.expires_at),
            )
            for token in found
        ],
    )  # fmt: skip


@token.command("revoke")
@click.argument("token_id")
@in_database
async def revoke(settings: Settings, token_id: str) -> None:
    """End a token at once; its id stands in `token list`."""
    from mission_control.core.values import parse_id
    from mission_control.people.accounts.credentials import revoke_personal_token
    from mission_control.people.models import Token

    live = Token.filter(user_id__not_isnull=True, revoked_at=None).select_related("user")
    known = parse_id(token_id)
    found = await live.get_or_none(id=known) if known else None
    if found is None:
        raise click.ClickException(f"There is no valid token with the id {token_id}.")
    await revoke_personal_token(_for(found.user), found)
    click.echo(f"The token {found.prefix}... of {found.user.email} has ended.")


def _day(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M") if moment else "-"
