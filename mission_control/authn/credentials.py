"""Credentials become Actors: tokens, the installation's own token, a provider's signed tokens, session cookies."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from quart import current_app
from quart_auth import current_user

from mission_control.authn import lookups, token_use
from mission_control.authn.lookups import Caller, Credential
from mission_control.core.actor import Actor
from mission_control.core.ids import fingerprint

# The account behind LOCAL_AUTH_TOKEN has this instead of a subject at an identity provider.
LOCAL_SUBJECT = "local-auth-user"


@dataclass(slots=True)
class Callbacks:
    """What features add.

    The owner behind LOCAL_AUTH_TOKEN, an organization for a person without one, the person and the expiry of a token
    that the identity provider signed, and what an agent's request means for its presence.
    """

    local_owner: Callable[[], Awaitable[UUID]] | None = None
    ensure_membership: Callable[[UUID], Awaitable[None]] | None = None
    provider_token: Callable[[str], Awaitable[tuple[UUID, datetime] | None]] | None = None
    agent_seen: Callable[[Actor, datetime | None], Awaitable[None]] | None = None
    # Deletes an account at the identity provider, by its subject.
    delete_at_provider: Callable[[str], Awaitable[None]] | None = None


callbacks = Callbacks()


async def known_token(secret: str) -> Caller | None:
    """Return the person or agent behind a token that is live."""
    return await lookups.token_by_fingerprint(fingerprint(secret))


async def user_of(caller: Caller) -> Actor | None:
    """Return the person whose token it is, None when it is an agent's."""
    if caller.agent_id is not None or caller.user_id is None:
        return None
    _remember_use(caller)
    return await _at_home(caller, caller.user_id)


async def agent_of(caller: Caller, *, touches: bool = True) -> Actor | None:
    """Return the agent whose token it is, None when it is a person's; record its presence when it `touches`."""
    if caller.agent_id is None or caller.actor is None:
        return None
    _remember_use(caller)
    if touches and callbacks.agent_seen is not None:
        await callbacks.agent_seen(caller.actor, caller.last_seen_at)
    return caller.actor


def _remember_use(caller: Caller) -> None:
    if (token_id := caller.credential[1]) is not None:
        token_use.remember(token_id, caller.last_used_at)


async def agent_by_token(secret: str) -> Actor | None:
    """Return the agent behind a secret."""
    caller = await known_token(secret)
    return await agent_of(caller) if caller is not None else None


async def user_without_row(secret: str) -> Actor | None:
    """Return the person behind the installation's LOCAL_AUTH_TOKEN or a token that the provider signed."""
    settings = current_app.config["SETTINGS"]
    local = settings.local_auth_token if settings.auth_mode == "local" else ""
    if local and hmac.compare_digest(local.encode(), secret.encode("utf-8", "surrogatepass")):
        return await _local_owner()
    if secret.count(".") != 2 or callbacks.provider_token is None:
        return None
    known = await callbacks.provider_token(secret)
    if known is None:
        return None
    actor = await user_at_home(known[0], ("provider", None))
    return replace(actor, expires_at=known[1]) if actor else None


async def _local_owner() -> Actor | None:
    """Return the account behind LOCAL_AUTH_TOKEN, made when it is missing or has no active organization."""
    known = await lookups.person_by_subject(LOCAL_SUBJECT)
    if known is not None and known.actor is not None and known.has_active_organization:
        return replace(known.actor, credential=("local", None))
    return None if callbacks.local_owner is None else await user_at_home(await callbacks.local_owner(), ("local", None))


async def session_of_browser() -> Caller | None:
    """Return the person whose live session the browser's cookie names, wherever the request came from."""
    secret = current_user.auth_id
    return await lookups.session_by_fingerprint(fingerprint(secret)) if secret else None


async def live_session() -> tuple[UUID, UUID] | None:
    """Return the ids of the person and of the session that the browser's cookie names."""
    caller = await session_of_browser()
    if caller is None or caller.user_id is None or caller.credential[1] is None:
        return None
    return caller.user_id, caller.credential[1]


async def person_of_session(caller: Caller) -> Actor | None:
    """Return the person of a live session, and remember its use."""
    if caller.credential[1] is not None:
        token_use.remember_session(caller.credential[1], caller.last_used_at)
    return None if caller.user_id is None else await _at_home(caller, caller.user_id)


async def _at_home(caller: Caller, user_id: UUID) -> Actor | None:
    """Return a caller's actor; a person without an organization gets one first."""
    if caller.actor is not None or callbacks.ensure_membership is None:
        return caller.actor
    await callbacks.ensure_membership(user_id)
    current = await lookups.by_credential(caller.credential, user_id)
    return None if current is None else current.actor


async def user_at_home(user_id: UUID, credential: Credential) -> Actor | None:
    """Return a person, who gets an organization first when they have none."""
    actor = await user_actor(user_id, credential)
    if actor is None and callbacks.ensure_membership is not None:
        await callbacks.ensure_membership(user_id)
        actor = await user_actor(user_id, credential)
    return actor


async def user_actor(user_id: UUID, credential: Credential) -> Actor | None:
    """Return a person with everything they reach, or None when the account is gone or has no organization."""
    known = await lookups.person_by_id(user_id)
    return None if known is None or known.actor is None else replace(known.actor, credential=credential)
