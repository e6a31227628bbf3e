"""Authenticate requests: headers and cookies become an Actor, within the caller's rate limits.

A token is looked up first. The failures of an address count only when the token is unknown, so a valid token does not
suffer from a neighbour's wrong ones. A valid token of the wrong kind is 401, but not a failure.
"""

from collections.abc import Container
from dataclasses import replace
from typing import Literal
from urllib.parse import urlsplit

from quart import current_app, g, request

from mission_control.authn.credentials import (
    agent_of,
    known_token,
    person_of_session,
    session_of_browser,
    user_of,
    user_without_row,
)
from mission_control.authn.lookups import Caller
from mission_control.core import limits, zones
from mission_control.core.actor import Actor
from mission_control.core.errors import Forbidden, Invalid, Unauthenticated
from mission_control.core.limits import Allowance
from mission_control.core.token_scopes import SAFE_METHODS
from mission_control.http.body_limit import admit_body
from mission_control.http.proxies import client_ip, rate_limit_key

Who = Literal["user", "agent", "actor", "anyone"]
KINDS: dict[Who, frozenset[str]] = {
    "user": frozenset({"user"}),
    "agent": frozenset({"agent"}),
    "actor": frozenset({"user", "agent"}),
}


async def authenticate(who: Who, *, touches: bool = True) -> Actor | None:
    """Return the caller, or None for `anyone`; raise Unauthenticated (401) or TooMany (429) otherwise.

    An agent's request records its presence, unless `touches` is False because the operation does so itself.
    """
    if who == "anyone":
        return None
    agent_header, bearer = request.headers.get("X-Agent-Token", "").strip(), bearer_token()
    actor: Actor | None = None
    if agent_header and who != "user":
        actor = await _by_token(agent_header, {"agent"}, touches)
    elif bearer:
        actor = await user_without_row(bearer) if who != "agent" else None
        actor = actor or await _by_token(bearer, KINDS[who], touches)
    elif who != "agent":
        actor = await user_by_session()
        if actor is None and agent_header:
            await _by_token(agent_header, (), touches)
    if actor is None:
        raise Unauthenticated()
    if actor.is_agent and (text := request.headers.get("X-Task-Fence", "").strip()):
        actor = replace(actor, fence=fence_of(text))
    g.actor = actor
    zones.read_by(actor)
    admit_body()
    return actor


async def caller_for(secret: str, ip: str) -> tuple[Actor, Allowance | None]:
    """Return the owner of a bearer token, and what is left of their budget, outside of a Quart request.

    Raise Unauthenticated or TooMany otherwise; their `headers` belong in the answer. Needs an application context.
    """
    if (person := await user_without_row(secret)) is not None:
        return person, None
    caller, allowance = await _admitted(secret, ip)
    actor = await agent_of(caller) if caller.agent_id is not None else await user_of(caller)
    if actor is None:
        raise Unauthenticated()
    return actor, allowance


async def _by_token(secret: str, kinds: Container[str], touches: bool) -> Actor | None:
    caller, g.allowance = await _admitted(secret, client_ip())
    if caller.agent_id is not None:
        return await agent_of(caller, touches=touches) if "agent" in kinds else None
    return await user_of(caller) if "user" in kinds else None


async def _admitted(secret: str, ip: str) -> tuple[Caller, Allowance | None]:
    """Return the caller with a live token and take one request of its budget; count an unknown token as a failure."""
    caller = await known_token(secret)
    if caller is None:
        key = rate_limit_key(ip)
        limits.unknown_tokens.check(key)
        limits.unknown_tokens.failed(key)
        raise Unauthenticated()
    budget = limits.agent_requests if caller.agent_id is not None else limits.person_requests
    # The budget belongs to the owner of a token: several tokens, or a rotated one, give nothing more.
    owner = (caller.agent_id or caller.user_id, caller.requests_per_minute)
    return caller, budget.spend(owner, caller.requests_per_minute)


def bearer_token() -> str:
    """Return the bearer token of the request, or an empty string."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def fence_of(text: str) -> int:
    """Return the fence of the assignment for which an agent writes, from `X-Task-Fence`."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid("X-Task-Fence is the whole number that the claim answered.")
    return int(text)


async def user_by_session() -> Actor | None:
    """Return the person whose browser sent a session cookie; unsafe requests must come from our own pages."""
    caller = await session_of_browser()
    if caller is None:
        return None
    if request.method not in SAFE_METHODS:
        require_same_origin()
    admit_body()
    return await person_of_session(caller)


def require_same_origin() -> None:
    """Refuse an unsafe request that another site's page made in the name of a signed-in browser."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        allowed = site in ("same-origin", "none")
    else:
        origin = request.headers.get("Origin")
        base_url = urlsplit(current_app.config["SETTINGS"].base_url)
        ours = {f"{request.scheme}://{request.host}", f"{base_url.scheme}://{base_url.netloc}"}
        allowed = origin in ours
    if not allowed:
        raise Forbidden("This request did not come from a page of this server.")
