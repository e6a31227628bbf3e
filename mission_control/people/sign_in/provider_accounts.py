"""Accounts of the provider's people: their profiles, found by subject, linked by a verified address."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Self
from urllib.parse import quote
from uuid import UUID

from mission_control.background.sending import GiveUp, Send
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.errors import Conflict, Forbidden, Unreachable
from mission_control.core.values import JsonObject, is_storable
from mission_control.database.sql import Row, as_id, lowered, rows
from mission_control.events.commands import command
from mission_control.events.event_log import AccountKind
from mission_control.events.leases import Delivery
from mission_control.http import lookups
from mission_control.people.accounts.commands import is_in_use, is_invited, link_account
from mission_control.people.accounts.deletion import deleted_at
from mission_control.people.audit.account_log import record_account
from mission_control.people.models import User
from mission_control.people.sign_in.errors import ProviderUnreachable
from mission_control.people.sign_in.identity_provider import Provider, ask, bearer, read_object

ACCOUNT_EVENTS = (
    AccountKind("account.address_lost", "An address that a person claimed became that of somebody who proved it."),
)

LONGEST_EMAIL = 320
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Profile:
    """What the provider says about a person. `email_verified` applies to this address only."""

    subject: str
    email: str | None = None
    email_verified: bool = False
    name: str | None = None

    def completed_by(self, fuller: "Profile | None") -> Self:
        """Return the profile with the fuller source's address, and its name where this one has none."""
        if fuller is None or fuller.subject != self.subject:
            return self
        profile = replace(self, name=self.name or fuller.name)
        if fuller.email is None:
            return profile
        verified = fuller.email_verified or (self.email_verified and self.email == fuller.email)
        return replace(profile, email=fuller.email, email_verified=verified)


def profile_of_claims(claims: JsonObject) -> Profile:
    named = [_address(claims.get(name)) for name in ("email", "email_address", "primary_email_address")]
    email, verified = next((address for address in named if address), None), claims.get("email_verified") is True
    if email is None:
        email, verified = _listed_email(claims.get("email_addresses"), claims.get("primary_email_address_id"))
    return Profile(claims["sub"], email, verified, _text(claims, "name", "full_name") or _joined(claims))


def profile_of_clerk(user: JsonObject) -> Profile | None:
    subject = user.get("id")
    if not isinstance(subject, str):
        return None
    email, verified = _listed_email(user.get("email_addresses"), user.get("primary_email_address_id"))
    name = _text(user, "full_name", "name") or _joined(user) or _text(user, "username")
    return Profile(subject, email, verified, name)


def _listed_email(listed: object, primary: object) -> tuple[str | None, bool]:
    """Return the primary address of a list of texts or objects, else the first one, and whether it is verified."""
    entries = [entry for entry in listed if isinstance(entry, str | dict)] if isinstance(listed, list) else []
    primaries = (entry for entry in entries if isinstance(entry, dict) and primary and entry.get("id") == primary)
    chosen = next(primaries, entries[0] if entries else None)
    return _email_of(chosen) if isinstance(chosen, dict) else (_address(chosen), False)


def _email_of(entry: JsonObject) -> tuple[str | None, bool]:
    proof, address = entry.get("verification"), _address(entry.get("email_address")) or _address(entry.get("email"))
    return address, address is not None and isinstance(proof, dict) and proof.get("status") == "verified"


def _address(value: object) -> str | None:
    text = value.strip().lower() if isinstance(value, str) else ""
    return text if "@" in text and len(text) <= LONGEST_EMAIL and is_storable(text) else None


def _joined(claims: JsonObject) -> str | None:
    parts = (_text(claims, "given_name", "first_name"), _text(claims, "family_name", "last_name"))
    return " ".join(part for part in parts if part) or None


def _text(claims: JsonObject, *names: str) -> str | None:
    for name in names:
        value = claims.get(name)
        if isinstance(value, str) and value.strip() and is_storable(value):
            return value.strip()[:LONGEST_NAME]
    return None


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


async def person_behind(provider: Provider, claims: JsonObject, details: Details) -> Person | None:
    """Return the claims' person, creating the account when it is new.

    Returns None when the account was deleted after the token was signed. `details` asks the provider for the address
    or name that the claims lack, once an hour at most. Raises Forbidden when the settings exclude the person, or when
    their address belongs to an account in use.
    """
    profile = profile_of_claims(claims)
    _require_group(provider, claims.get("groups"))
    users = await rows("SELECT id, email, email_verified, name FROM users WHERE clerk_user_id = ?", profile.subject)
    row = next(iter(users), None)
    if row is None and await _was_deleted(claims):
        return None
    if row is not None and not _is_worth_asking(row, profile):
        _require_domain(provider, _known_profile(row, profile))
        return Person(UUID(str(row["id"])))
    if _is_incomplete(row) and not (profile.email and profile.name):
        profile = profile.completed_by(await details())
    _require_domain(provider, profile if profile.email or row is None else _known_profile(row, profile))
    return await _admit(system(), profile)


def _require_group(provider: Provider, listed: object) -> None:
    groups = {group for group in (listed if isinstance(listed, list) else [listed]) if isinstance(group, str)}
    if provider.allowed_groups and not groups & set(provider.allowed_groups):
        raise Forbidden(NOT_ALLOWED)


async def _was_deleted(claims: JsonObject) -> bool:
    """Whether the account was deleted here after the token was signed."""
    moment = await deleted_at(claims["sub"])
    return moment is not None and claims.get("iat", 0) <= moment.replace(tzinfo=UTC).timestamp()


def _known_profile(row: Row, profile: Profile) -> Profile:
    if profile.email:
        return profile
    return replace(profile, email=row["email"], email_verified=bool(row["email_verified"]))


def _require_domain(provider: Provider, profile: Profile) -> None:
    if not provider.allowed_domains:
        return
    domain = (profile.email or "").rpartition("@")[2].lower()
    if not profile.email_verified or domain not in provider.allowed_domains:
        raise Forbidden(NOT_ALLOWED)


def _is_incomplete(row: Row | None) -> bool:
    return row is None or not (row["email"] and row["name"])


def _is_worth_asking(row: Row, profile: Profile) -> bool:
    return (_is_incomplete(row) or _differs_from_profile(row, profile)) and _may_ask(profile)


def _differs_from_profile(row: Row, profile: Profile) -> bool:
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
    changes: dict[str, str | bool] = {}
    if profile.email and (profile.email, profile.email_verified) != (user.email, user.email_verified):
        if await _is_free_for(profile.email, user, is_proven=profile.email_verified):
            changes |= {"email": profile.email, "email_verified": profile.email_verified}
    if profile.name and not user.name:
        changes["name"] = profile.name
    if changes:
        user.update_from_dict({**changes, "updated_at": times.clock_now()})
        await user.save(update_fields=[*changes, "updated_at"])
        lookups.recheck_streams()
    return Person(user.id, is_newly_linked)


async def _linked(profile: Profile) -> User | None:
    """Link and return the local account with the same verified address, if there is one.

    Raises Forbidden when that account is in use and no owner allowed the link.
    """
    if not (profile.email and profile.email_verified):
        return None
    users = await rows(
        f"SELECT id FROM users WHERE {lowered('email')} = ? AND clerk_user_id LIKE 'local-%'", profile.email
    )
    user = await User.select_for_update().get_or_none(id=users[0]["id"]) if users else None
    if user is None:
        return None
    if await is_in_use(user) and not await is_invited(user):
        raise Forbidden(IN_USE)
    await link_account(user, profile.subject)
    return await User.select_for_update().get(id=user.id)


@command("account.link")
async def link(actor: Actor, user: User, profile: Profile, session_id: UUID) -> None:
    """Link the provider's person to the account of the person signed in, and end its other sessions."""
    locked = await User.select_for_update().get(id=user.id)
    if locked.clerk_user_id == profile.subject:
        return
    if locked.is_linked:
        raise Conflict("Your account is linked with another account of the provider already.")
    if await User.filter(clerk_user_id=profile.subject).exists():
        raise Conflict("That account of the provider belongs to another account here.")
    await link_account(locked, profile.subject, session_id)


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
    await rows("UPDATE users SET email = NULL, updated_at = ? WHERE id = ?", times.clock_now(), loser)
    await record_account("account.address_lost", as_id(loser))
    lookups.recheck_streams()
    return True


_log = logging.getLogger(__name__)


async def clerk_profile(provider: Provider, subject: str) -> Profile | None:
    """Return a person's profile at Clerk. Return None, and log it, when Clerk does not answer."""
    try:
        return profile_of_clerk(await read_object(_clerk_address(provider, subject), headers=bearer(provider.api_key)))
    except ProviderUnreachable as error:
        _log.warning("profile not read", extra={"reason": str(error.__cause__ or error.detail)})
        return None


def account_deleter(provider: Provider) -> Send:
    """Return the sender that deletes accounts at Clerk. An account that is already gone counts as deleted."""

    async def delete_account(delivery: Delivery) -> None:
        subject = delivery.data.get("subject")
        if not isinstance(subject, str):
            raise GiveUp("The delivery names no account.")
        await _delete(provider, subject)
        await Delivery.filter(id=delivery.id).update(data={})  # keep no personal data

    return delete_account


async def delete_now(provider: Provider, subject: str) -> None:
    """Delete an account at Clerk. Raises Unreachable when that fails; an account that is gone counts as deleted."""
    try:
        await _delete(provider, subject)
    except ProviderUnreachable as error:
        _log.warning("account not deleted at clerk", extra={"reason": str(error.__cause__ or error.detail)})
        raise Unreachable("Clerk could not delete the account. Nothing was deleted; try again later.") from error


async def _delete(provider: Provider, subject: str) -> None:
    response = await ask("DELETE", _clerk_address(provider, subject), headers=bearer(provider.api_key))
    if response.status_code >= 300 and response.status_code != 404:
        raise ProviderUnreachable(f"Clerk answered {response.status_code}.")


def _clerk_address(provider: Provider, subject: str) -> str:
    return f"{provider.api_url}/users/{quote(subject, safe='')}"
