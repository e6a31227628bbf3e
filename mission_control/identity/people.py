"""Making the provider's people ours: found by their subject, linked by a proven address, kept up to date."""

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
from mission_control.identity import policy as policy
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
    """Somebody whom the provider proved; `is_newly_linked` when they were given an account that was here before."""

    id: UUID
    is_newly_linked: bool = False


async def person_behind(provider: Provider, claims: dict[str, Any], details: Details) -> Person | None:
    """The person, made when new; None for an account that was deleted after the token was signed.

    `details` asks the provider for more, once in a while, where the claims leave address or name open. Forbidden for
    somebody who may not come in, or whose address is that of an account in use.
    """
    profile = profile_of_claims(claims)
    _require_group(provider, claims)
    known = await rows("SELECT id, email, email_verified, name FROM users WHERE clerk_user_id = ?", profile.subject)
    row = known[0] if known else None
    if row is None and await _was_deleted_since(claims):
        return None
    wanting = row is None or not (row["email"] and row["name"])
    if row is not None and ((not wanting and not _brings_news(row, profile)) or not _may_ask(profile)):
        _require_domain(provider, _known_profile(row, profile))
        return Person(UUID(str(row["id"])))
    if wanting and not (profile.email and profile.name):
        profile = profile.completed_by(await details())
    _require_domain(provider, profile if profile.email or row is None else _known_profile(row, profile))
    return await _admit(system(NOWHERE), profile)


def _known_profile(row: dict[str, Any], profile: Profile) -> Profile:
    """The address of which the claims tell, else the one that is known."""
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


def _brings_news(row: dict[str, Any], profile: Profile) -> bool:
    if profile.email is None:
        return False
    return profile.email != row["email"] or (profile.email_verified and not row["email_verified"])


def _may_ask(profile: Profile) -> bool:
    """Whether it is time again to look at somebody who is incomplete, or whose address belongs to another account."""
    now, key = time.monotonic(), (profile.subject, profile.email)
    if now - _asked.get(key, -ASK_AGAIN_SECONDS) < ASK_AGAIN_SECONDS:
        return False
    if len(_asked) > 10_000:
        _asked.clear()
    _asked[key] = now
    return True


def forget_asked() -> None:
    """Look at everybody again."""
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
        freshness.forget_rights()
    return Person(user.id, is_newly_linked)


async def _linked(profile: Profile) -> User | None:
    """An account of this installation with the same address, which the provider has verified.

    Forbidden when somebody uses it and nobody let the provider's person take it.
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
    """Let the provider's person into the account of somebody who is signed in; their other sessions end."""
    held = await User.select_for_update().get(id=user.id)
    if held.clerk_user_id == profile.subject:
        return
    if is_linked(held):
        raise Conflict("Your account is linked with another account of the provider already.")
    if await User.filter(clerk_user_id=profile.subject).exists():
        raise Conflict("That account of the provider belongs to another account here.")
    await link_own(held, profile.subject, session_id)


async def _new(profile: Profile) -> User:
    """A new row; of two requests at once the second finds the first one's."""
    fresh = User(clerk_user_id=profile.subject, name=profile.name)
    await User.bulk_create([fresh], ignore_conflicts=True)
    user = await User.select_for_update().get(clerk_user_id=profile.subject)
    if user.id == fresh.id:
        await record_account("account.created", user.id)
    return user


async def _is_free_for(email: str, user: User, *, is_proven: bool) -> bool:
    """Whether an address can be the person's; one who has proved it takes it from another who only claims it."""
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
    freshness.forget_rights()
    return True
