"""Accounts of the provider's people: found by subject, linked by a verified address, kept up to date."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any
from uuid import UUID

from mission_control.accounts.deletion import deleted_at
from mission_control.accounts.log import record_account
from mission_control.accounts.models import User
from mission_control.accounts.provider_links import is_in_use, is_invited, is_linked, link_own, take_over
from mission_control.authn import freshness
from mission_control.commands.command import command
from mission_control.core import clock
from mission_control.core.actor import Actor, system
from mission_control.core.errors import Conflict, Forbidden
from mission_control.database.sql import as_id, lowered, rows
from mission_control.identity.profile import Profile, profile_of_claims
from mission_control.identity.provider import Provider
from mission_control.organizations.commands import NOWHERE

ASK_AGAIN_SECONDS = 3600.0
NOT_ALLOWED = "This installation does not let your account in. Ask one of its owners."
IN_USE = (
    "An account with your address is in use here. Sign in to it and link it in Settings, or ask an owner to let you"
    " link it."
)
_asked: dict[tuple[str, str | None], float] = {}

type Details = Callable[[], Awaitable[Profile | None]]


@dataclass(frozen=True, slots=True)
class Person:
    """A person the provider authenticated; `is_newly_linked` when they have just taken over an existing account."""

    id: UUID
    is_newly_linked: bool = False


async def person_behind(provider: Provider, claims: dict[str, Any], details: Details) -> Person | None:
    """Return the claims' person, creating the account when it is new.

    Returns None when the account was deleted after the token was signed. `details` asks the provider for the address
    or name that the claims lack, once an hour at most. Raises Forbidden when the settings exclude the person, or when
    their address belongs to an account in use.
    """
    profile = profile_of_claims(claims)
    _require_group(provider, claims)
    known = await rows("SELECT id, email, email_verified, name FROM users WHERE clerk_user_id = ?", profile.subject)
    row = known[0] if known else None
    if row is None and await _was_deleted_since(claims):
        return None
    wanting = row is None or not (row["email"] and row["name"])
    if row is not None and ((not wanting and not _differs_from_profile(row, profile)) or not _may_ask(profile)):
        _require_domain(provider, _known_profile(row, profile))
        return Person(UUID(str(row["id"])))
    if wanting and not (profile.email and profile.name):
        profile = profile.completed_by(await details())
    _require_domain(provider, profile if profile.email or row is None else _known_profile(row, profile))
    return await _admit(system(NOWHERE), profile)


def _known_profile(row: dict[str, Any], profile: Profile) -> Profile:
    """Return the profile with the stored address where the claims have none."""
    if profile.email:
        return profile
    return replace(profile, email=row["email"], email_verified=bool(row["email_verified"]))


def _require_group(provider: Provider, claims: dict[str, Any]) -> None:
    listed = claims.get("groups")
    groups = {one for one in (listed if isinstance(listed, list) else [listed]) if isinstance(one, str)}
    if provider.allowed_groups and not groups & set(provider.allowed_groups):
        raise Forbidden(NOT_ALLOWED)


def _require_domain(provider: Provider, profile: Profile) -> None:
    if not provider.allowed_domains:
        return
    domain = (profile.email or "").rpartition("@")[2].lower()
    if not profile.email_verified or domain not in provider.allowed_domains:
        raise Forbidden(NOT_ALLOWED)


async def _was_deleted_since(claims: dict[str, Any]) -> bool:
    moment = await deleted_at(claims["sub"])
    return moment is not None and claims.get("iat", 0) <= moment.replace(tzinfo=UTC).timestamp()


def _differs_from_profile(row: dict[str, Any], profile: Profile) -> bool:
    if profile.email is None:
        return False
    return profile.email != row["email"] or (profile.email_verified and not row["email_verified"])


def _may_ask(profile: Profile) -> bool:
    """Return whether an incomplete person, or one whose address another account has, may be looked up again."""
    now, key = time.monotonic(), (profile.subject, profile.email)
    if now - _asked.get(key, -ASK_AGAIN_SECONDS) < ASK_AGAIN_SECONDS:
        return False
    if len(_asked) > 10_000:
        _asked.clear()
    _asked[key] = now
    return True


def clear_lookups() -> None:
    """Forget who was looked up within the hour."""
    _asked.clear()


@command("account.admit")
async def _admit(actor: Actor, profile: Profile) -> Person:
    user, is_newly_linked = await User.select_for_update().get_or_none(clerk_user_id=profile.subject), False
    if user is None:
        user = await _linked(profile)
        is_newly_linked = user is not None
    if user is None:
        user = await _new(profile)
    changes: dict[str, Any] = {}
    if profile.email and (profile.email, profile.email_verified) != (user.email, user.email_verified):
        if await _is_free_for(profile.email, user, is_proven=profile.email_verified):
            changes |= {"email": profile.email, "email_verified": profile.email_verified}
    if profile.name and not user.name:
        changes["name"] = profile.name
    if changes:
        user.update_from_dict({**changes, "updated_at": clock.now()})
        await user.save(update_fields=[*changes, "updated_at"])
        freshness.recheck_streams()
    return Person(user.id, is_newly_linked)


async def _linked(profile: Profile) -> User | None:
    """Link and return the local account with the same verified address, if there is one.

    Raises Forbidden when that account is in use and no owner allowed the link.
    """
    if not (profile.email and profile.email_verified):
        return None
    found = await rows(
        f"SELECT id FROM users WHERE {lowered('email')} = ? AND clerk_user_id LIKE 'local-%'", profile.email
    )
    user = await User.select_for_update().get_or_none(id=found[0]["id"]) if found else None
    if user is None:
        return None
    if await is_in_use(user) and not await is_invited(user):
        raise Forbidden(IN_USE)
    await take_over(user, profile.subject)
    return await User.select_for_update().get(id=user.id)


@command("account.link")
async def link(actor: Actor, user: User, profile: Profile, session_id: UUID) -> None:
    """Link the provider's person to the account of the person signed in, and end its other sessions."""
    held = await User.select_for_update().get(id=user.id)
    if held.clerk_user_id == profile.subject:
        return
    if is_linked(held):
        raise Conflict("Your account is linked with another account of the provider already.")
    if await User.filter(clerk_user_id=profile.subject).exists():
        raise Conflict("That account of the provider belongs to another account here.")
    await link_own(held, profile.subject, session_id)


async def _new(profile: Profile) -> User:
    """Return a new account; of two concurrent requests the second gets the row that the first one created."""
    fresh = User(clerk_user_id=profile.subject, name=profile.name)
    await User.bulk_create([fresh], ignore_conflicts=True)
    user = await User.select_for_update().get(clerk_user_id=profile.subject)
    if user.id == fresh.id:
        await record_account("account.created", user.id)
    return user


async def _is_free_for(email: str, user: User, *, is_proven: bool) -> bool:
    """Return whether the address is free. A verified claim takes it from an account that never verified it."""
    other = await rows(
        f"SELECT id, email_verified, clerk_user_id FROM users WHERE {lowered('email')} = ? AND id <> ?", email, user.id
    )
    if not other:
        return True
    if not is_proven or other[0]["email_verified"] or other[0]["clerk_user_id"].startswith("local-"):
        return False
    loser = other[0]["id"]
    await rows("UPDATE users SET email = NULL, updated_at = ? WHERE id = ?", clock.now(), loser)
    await record_account("account.address_lost", as_id(loser))
    freshness.recheck_streams()
    return True
