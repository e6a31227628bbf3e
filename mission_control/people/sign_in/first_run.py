"""The first run: a one-time code, the owner, the account behind LOCAL_AUTH_TOKEN; roles by the command line."""

import secrets
from typing import Annotated
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, StringConstraints
from quart import current_app

from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.errors import Conflict, Forbidden, Invalid, NotFound
from mission_control.core.values import Schema, fingerprint
from mission_control.events.commands import command
from mission_control.events.event_log import AccountKind
from mission_control.http import authentication
from mission_control.http.authentication import LOCAL_SUBJECT
from mission_control.people.accounts.credentials import hash_password
from mission_control.people.accounts.queries import NewPassword
from mission_control.people.audit.account_log import record_account
from mission_control.people.models import InstanceSetting, Member, Organization, User
from mission_control.people.organizations.commands import found
from mission_control.people.organizations.members import change_role
from mission_control.web.shell import needs_setup

ACCOUNT_EVENTS = (AccountKind("account.set_up", "The installation got its first owner."),)

CODE_NAME = "setup_code"
LOCAL_EMAIL = "admin@home.local"  # of an owner who has named none yet


def _address(text: str) -> str:
    name, at, host = text.rpartition("@")
    if not (name and at and host) or any(letter.isspace() for letter in text):
        raise ValueError("Enter an e-mail address such as mara@example.org")
    return text


def zone(text: str | None) -> str | None:
    """Refuse a time zone that does not exist."""
    if text is not None and text not in available_timezones():
        raise ValueError("Choose a time zone of the list, such as Europe/Zurich")
    return text


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Email = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=320), AfterValidator(_address)]


class SetupForm(Schema):
    """The first owner and their organization."""

    code: Line
    organization_name: Line
    name: Line
    email: Email
    password: NewPassword
    timezone: Annotated[str | None, AfterValidator(zone)] = None


async def is_open() -> bool:
    """Return whether /setup is open: no owner of an organization has a password."""
    owners = await Member.filter(role="owner").values_list("user_id", flat=True)
    return not await User.filter(id__in=owners, password_hash__not_isnull=True).exists()


@needs_setup
async def is_setup_pending() -> bool:
    """Return whether people without a session are redirected to /setup; never with an identity provider."""
    return current_app.config["SETTINGS"].auth_mode == "local" and await is_open()


async def issue_setup_code(local_token: str = "") -> str | None:
    """Return a new one-time code, or None if an owner has a password. Older codes end.

    An owner who works with LOCAL_AUTH_TOKEN needs none: that token is as good as a code.
    """
    if not await is_open() or (local_token and await User.exists(clerk_user_id=LOCAL_SUBJECT)):
        return None
    code = "-".join("".join(secrets.choice("ABCDEFGHJKMNPQRSTUVWXYZ23456789") for _ in range(4)) for _ in range(3))
    await InstanceSetting.put(CODE_NAME, fingerprint(code))
    return code


def spelled(code: str) -> str:
    """Normalize a typed code: case, blanks and dashes do not matter."""
    letters = "".join(letter for letter in code.upper() if letter.isalnum())
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


async def complete_setup(form: SetupForm, *, local_token: str = "") -> User:
    """Create the first owner. Wrong code: Forbidden; already done: Conflict. LOCAL_AUTH_TOKEN is a code, too."""
    is_local = bool(local_token) and secrets.compare_digest(local_token.encode(), form.code.strip().encode())
    return await _set_up(system(), form, await hash_password(form.password), needs_code=not is_local)


@command("account.set_up")
async def _set_up(actor: Actor, form: SetupForm, password_hash: str, needs_code: bool) -> User:
    issued = InstanceSetting.filter(name=CODE_NAME)
    if not needs_code:
        await issued.delete()
    elif not await issued.filter(value=fingerprint(spelled(form.code))).delete():
        raise Forbidden("This is not the setup code that the server printed last. Check its output.")
    if not await is_open():
        raise Conflict("An owner exists already. Sign in instead.")
    user = await _local_owner(actor)
    await Organization.filter(id=user.active_organization_id).update(
        name=form.organization_name, updated_at=times.clock_now()
    )
    changes = {"name": form.name, "email": form.email, "timezone": form.timezone, "password_hash": password_hash}
    user.update_from_dict(changes | {"updated_at": times.clock_now()})
    await user.save(update_fields=[*changes, "updated_at"])
    await record_account("account.set_up", user.id, organization_id=user.active_organization_id)
    return user


@authentication.local_owner
async def ensure_local_owner() -> UUID:
    """Return the id of the account of LOCAL_AUTH_TOKEN; create it with organization "Personal" if missing."""
    owners = await User.filter(clerk_user_id=LOCAL_SUBJECT).values("id", "active_organization_id")
    if owners and owners[0]["active_organization_id"] is not None:
        return UUID(str(owners[0]["id"]))
    return (await _make_local_owner(system())).id


@command("account.set_up")
async def _make_local_owner(actor: Actor) -> User:
    return await _local_owner(actor)


async def _local_owner(actor: Actor) -> User:
    fresh = User(clerk_user_id=LOCAL_SUBJECT, email=LOCAL_EMAIL, name="Local User")
    await User.bulk_create([fresh], ignore_conflicts=True)
    user = await User.select_for_update().get(clerk_user_id=LOCAL_SUBJECT)
    if user.active_organization_id is None:
        member = await Member.filter(user_id=user.id).order_by("created_at").first()
        if member is None:
            _, member = await found(user, "Personal", personal=True)
        user.active_organization_id = member.organization_id
        await User.filter(id=user.id).update(active_organization_id=member.organization_id)
    return user


def mail_address(email: str | None) -> str:
    return "" if email is None or email == LOCAL_EMAIL else email


async def set_role(actor: Actor, organization_id: UUID, user: User, role: str) -> None:
    """Give a person another role and its boards. Not a member: NotFound; the last owner: Conflict."""
    member = await Member.get_or_none(organization_id=organization_id, user_id=user.id)
    if member is None:
        raise NotFound(f"{user.display_name} does not belong to this organization.")
    try:
        await change_role(actor, member, role, with_boards=True)
    except Invalid:
        raise Conflict(f"{user.display_name} is the only owner; make somebody else an owner first.") from None
