"""Commands on accounts: sign in and out, profiles, passwords, sessions, links to an identity provider."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from itsdangerous import BadData, URLSafeTimedSerializer

from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.errors import Conflict, Forbidden, NotFound, invalid_field
from mission_control.core.extensions import Hook
from mission_control.core.values import fingerprint, new_secret, parse_id
from mission_control.database.sql import lowered, rows
from mission_control.events.commands import command
from mission_control.events.event_log import AccountKind
from mission_control.http import lookups
from mission_control.http.absences import record_return
from mission_control.people.accounts.credentials import hash_password, password_fits
from mission_control.people.accounts.queries import UserUpdate
from mission_control.people.audit.account_log import record_account
from mission_control.people.models import InstanceSetting, Member, Organization, PasswordReset, Session, Token, User

ACCOUNT_EVENTS = (
    AccountKind(
        "account.created",
        "An account was created: by an invitation, on the command line, or for the identity provider.",
    ),
    AccountKind("account.updated", "Somebody changed their profile."),
    AccountKind("account.link_invited", "An admin allowed a person of the identity provider to link an account."),
    AccountKind("account.linked", "An account was linked to a person of the identity provider."),
    AccountKind("account.signed_in", "A session began."),
    AccountKind("account.sessions_ended", "All sessions of a person were ended."),
    AccountKind("account.sign_in_refused", "E-mail and password did not belong together."),
    AccountKind("account.signed_out", "A session was ended by its owner."),
    AccountKind("account.password_changed", "Somebody changed their own password."),
    AccountKind("account.password_reset", "A password was set with a one-time link."),
    AccountKind("account.reset_link_made", "A one-time link was made for a person."),
    AccountKind("token.revoked", "Somebody revoked a personal token."),
)


def may_reset(actor: Actor, places: Mapping[UUID, str]) -> bool:
    """Return whether an actor may create a reset link for a person with these roles by organization.

    The link gives access to all the person's organizations: the actor must be an admin of each, owner where they are.
    """
    mine = {place: actor.memberships[place].role for place in places if place in actor.memberships}
    return all(mine.get(at) == "owner" or (mine.get(at) == "admin" and role != "owner") for at, role in places.items())


SESSION_LIFE = timedelta(days=30)
RESET_LIFE = timedelta(hours=24)


async def proven(email: str, password: str, *, owners_only: bool = False) -> User:
    """Return the person with this e-mail and password. Wrong pair: Forbidden."""
    user = await user_by_email(email)
    fits = await password_fits(password, user.password_hash if user else None)
    if user is None or not fits or (owners_only and not await owns_something(user)):
        await _record_refusal(system(), user.id if user else None)
        raise Forbidden("That e-mail and password do not belong together.")
    return user


async def owns_something(user: User) -> bool:
    return await Member.filter(user_id=user.id, role="owner").exists()


async def user_by_email(email: str) -> User | None:
    users = await rows(f"SELECT id FROM users WHERE {lowered('email')} = ?", email.strip().lower())
    return await User.get(id=users[0]["id"]) if users else None


@command("account.sign_in")
async def _record_refusal(actor: Actor, user_id: UUID | None) -> None:
    await record_account("account.sign_in_refused", user_id)


@command("account.sign_in")
async def start_session(
    actor: Actor,
    user: User,
    user_agent: str | None,
    replaced: tuple[UUID, UUID] | None = None,
    address: str | None = None,
) -> str:
    """Start a session for an authenticated person and return the secret for the cookie.

    The browser's previous session (its person and id) ends.
    """
    if replaced is not None and await Session.filter(id=replaced[1]).delete():
        await record_account("account.signed_out", replaced[0])
        lookups.recheck_streams()
    secret = new_secret("mcs")
    await record_return(user.id, times.clock_now())
    session = await Session.create(
        user_id=user.id,
        fingerprint=fingerprint(secret),
        user_agent=(user_agent or "")[:400] or None,
        address=(address or "")[:64] or None,
        expires_at=times.clock_now() + SESSION_LIFE,
    )
    await Session.filter(expires_at__lt=times.clock_now()).delete()
    await record_account("account.signed_in", user.id, session_id=session.id)
    return secret


@command("account.sign_out")
async def sign_out(actor: Actor, user: User) -> None:
    """End the caller's session."""
    if actor.credential[0] == "session":
        await Session.filter(id=actor.credential[1]).delete()
        await record_account("account.signed_out", user.id)
    lookups.recheck_streams()


@command("account.sign_out")
async def end_session(actor: Actor, user: User, session_id: UUID) -> None:
    """End one of the person's sessions. Gone already: NotFound."""
    if not await Session.filter(id=session_id, user_id=user.id).delete():
        raise NotFound()
    await record_account("account.sessions_ended", user.id, count=1, session_id=session_id)
    lookups.recheck_streams()


@command("account.sign_out")
async def end_other_sessions(actor: Actor, user: User) -> int:
    """End all sessions of the person except the caller's own. Return how many."""
    mine = actor.credential[1] if actor.credential[0] == "session" else None
    ended = await Session.filter(user_id=user.id).exclude(id=mine or UUID(int=0)).delete()
    if ended:
        await record_account("account.sessions_ended", user.id, count=ended)
    lookups.recheck_streams()
    return ended


@command("account.sign_out")
async def end_everything(actor: Actor, user: User) -> None:
    """End all access to an account: sessions, personal tokens and reset links."""
    ended = await Session.filter(user_id=user.id).delete()
    await PasswordReset.filter(user_id=user.id, used_at=None).delete()
    await record_account("account.sessions_ended", user.id, count=ended)
    await _end_tokens(user.id)
    lookups.recheck_streams()


# Inside a command: ends what else signs in because a person allowed it.
tokens_ended = Hook[Callable[[UUID], Awaitable[None]]]()


async def _end_tokens(user_id: UUID) -> None:
    """Inside a command: revoke a person's tokens, and those of programs that the person connected."""
    for end in tokens_ended.functions:
        await end(user_id)
    for token in await Token.filter(user_id=user_id, revoked_at=None):
        await Token.filter(id=token.id).update(revoked_at=times.clock_now())
        await record_account("token.revoked", user_id, token_id=token.id)


@command("account.update")
async def update_profile(actor: Actor, user: User, change: UserUpdate) -> User:
    """Change one's own profile fields; those that were not sent stay."""
    changes = change.model_dump(exclude_unset=True)
    if (stand_in := changes.get("stand_in_id")) is not None and not await shares_organization(user.id, stand_in):
        raise invalid_field("stand_in_id", "Choose another person of one of your organizations.")
    if changes:
        await User.filter(id=user.id).update(**changes, updated_at=times.clock_now())
        await record_account("account.updated", user.id, fields=sorted(changes))
    return await User.get(id=user.id)


async def shares_organization(user_id: UUID, other_id: UUID) -> bool:
    mine = Member.filter(user_id=user_id).values_list("organization_id", flat=True)
    return user_id != other_id and await Member.filter(user_id=other_id, organization_id__in=await mine).exists()


async def change_password(actor: Actor, user: User, current: str, password: str, *, ends_tokens: bool = False) -> None:
    """Change one's own password. Other sessions and reset links end, and tokens if requested.

    Wrong current password: Forbidden.
    """
    if not await password_fits(current, user.password_hash):
        raise Forbidden("That is not your current password.")
    await _set_password(actor, user, await hash_password(password), ends_tokens)


@command("account.change_password")
async def _set_password(actor: Actor, user: User, password_hash: str, ends_tokens: bool) -> None:
    await User.filter(id=user.id).update(password_hash=password_hash, updated_at=times.clock_now())
    mine = actor.credential[1] if actor.credential[0] == "session" else None
    await Session.filter(user_id=user.id).exclude(id=mine or UUID(int=0)).delete()
    await PasswordReset.filter(user_id=user.id, used_at=None).delete()
    await record_account("account.password_changed", user.id)
    if ends_tokens:
        await _end_tokens(user.id)
    lookups.recheck_streams()


@command("account.invite_reset")
async def make_reset_link(actor: Actor, user: User) -> str:
    """Return the secret of a one-time reset link that is valid for 24 hours."""
    if actor.is_user:
        await require_account_admin(actor, user)
    secret = new_secret("mcr")
    await PasswordReset.filter(user_id=user.id, used_at=None).delete()
    await PasswordReset.create(
        user_id=user.id, fingerprint=fingerprint(secret), expires_at=times.clock_now() + RESET_LIFE
    )
    await record_account("account.reset_link_made", user.id)
    return secret


async def require_account_admin(actor: Actor, user: User) -> None:
    """Raise Forbidden unless the actor administers all the person's organizations, NotFound if it administers none."""
    places = {member.organization_id: member.role for member in await Member.filter(user_id=user.id)}
    if not any(may_reset(actor, {place: places[place]}) for place in places):
        raise NotFound()
    if not may_reset(actor, places):
        raise Forbidden(
            "This person also belongs to an organization in which you may not do this."
            " On the server, `mission-control user reset-password` makes a link."
        )


async def reset_target(secret: str) -> PasswordReset | None:
    return await PasswordReset.get_or_none(
        fingerprint=fingerprint(secret), used_at=None, expires_at__gt=times.clock_now()
    )


async def reset_password(secret: str, password: str, *, ends_others: bool = True) -> User:
    """Set a new password with a one-time link. Sessions and tokens end unless the person keeps them.

    Unknown or used link: NotFound.
    """
    return await _use_reset(system(), secret, await hash_password(password), ends_others)


@command("account.reset_password")
async def _use_reset(actor: Actor, secret: str, password_hash: str, ends_others: bool) -> User:
    reset = await reset_target(secret)
    if reset is None or not await PasswordReset.filter(id=reset.id, used_at=None).update(used_at=times.clock_now()):
        raise NotFound("This link was used already or has expired.")
    await User.filter(id=reset.user_id).update(password_hash=password_hash, updated_at=times.clock_now())
    await record_account("account.password_reset", reset.user_id, ends_others=ends_others)
    if ends_others:
        await Session.filter(user_id=reset.user_id).delete()
        await _end_tokens(reset.user_id)
    lookups.recheck_streams()
    return await User.get(id=reset.user_id)


async def create_user(
    email: str, name: str, role: str, organization: Organization, password: str | None, access: str | None = None
) -> User:
    """Add a person to an organization from the command line. Taken address: Conflict.

    `access` is what a member may do on every board: none, read (the default) or write.
    """
    password_hash = await hash_password(password) if password else None
    person = User(email=email.strip(), name=name, password_hash=password_hash, active_organization_id=organization.id)
    return await _create_user(system(organization.id), organization, person, role, access)


@command("account.set_up")
async def _create_user(
    actor: Actor, organization: Organization, person: User, role: str, access: str | None = None
) -> User:
    if await user_by_email(person.email or ""):
        raise Conflict(f"Somebody with the address {person.email} exists already.")
    access = "write" if role in ("owner", "admin") else access or "read"
    await person.save(force_create=True)
    await Member.create(
        organization_id=organization.id,
        user_id=person.id,
        role=role,
        all_boards_read=access != "none",
        all_boards_write=access == "write",
    )
    await record_account("account.created", person.id, organization_id=organization.id, role=role)
    return person


TICKET_SECONDS = 3600
INVITATION_LIFE = timedelta(days=14)


def link_ticket(session_id: UUID, key: str) -> str:
    """Return a value that only this session's page shows, so that no other site can start linking."""
    return str(_serializer(key).dumps(str(session_id)))


def session_of_ticket(ticket: str, key: str) -> UUID | None:
    """Return the session that showed the ticket within the last hour."""
    try:
        return parse_id(_serializer(key).loads(ticket, max_age=TICKET_SECONDS))
    except BadData:
        return None


def _serializer(key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key, salt="mission control provider link")


async def is_in_use(user: User) -> bool:
    if user.password_hash:
        return True
    users = await rows(
        "SELECT 1 AS found FROM sessions WHERE user_id = ? AND expires_at > ? UNION ALL"
        " SELECT 1 FROM tokens WHERE user_id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)"
        " LIMIT 1",
        user.id,
        times.clock_now(),
        user.id,
        times.clock_now(),
    )
    return bool(users)


@command("account.invite_link")
async def invite_to_link(actor: Actor, user: User) -> None:
    """Allow the verified owner of the account's address to link the account within 14 days."""
    if actor.is_user:
        await require_account_admin(actor, user)
    until = (times.clock_now() + INVITATION_LIFE).isoformat()
    await InstanceSetting.put(_name(user.id), until)
    await record_account("account.link_invited", user.id)


async def is_invited(user: User) -> bool:
    until = await InstanceSetting.read(_name(user.id))
    return until is not None and datetime.fromisoformat(until) > times.clock_now()


def _name(user_id: UUID) -> str:
    return f"link:{user_id}"


async def link_account(user: User, subject: str, session_id: UUID | None = None) -> None:
    """Inside a command: link an account to the provider's person. All other access to it ends.

    A person who links their own account keeps the session in which they do, their password and their tokens.
    """
    password = {} if session_id else {"password_hash": None}
    await User.filter(id=user.id).update(clerk_user_id=subject, updated_at=times.clock_now(), **password)
    others = Session.filter(user_id=user.id)
    sessions, tokens = await (others.exclude(id=session_id) if session_id else others).delete(), 0
    if session_id is None:
        tokens = await Token.filter(user_id=user.id, revoked_at=None).update(revoked_at=times.clock_now())
        for end in tokens_ended.functions:
            await end(user.id)
    await PasswordReset.filter(user_id=user.id, used_at=None).delete()
    await InstanceSetting.filter(name=_name(user.id)).delete()
    await record_account("account.linked", user.id, sessions_ended=sessions, tokens_ended=tokens)
    lookups.recheck_streams()
