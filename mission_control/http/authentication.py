"""Authenticate requests: headers and cookies become an Actor, within the caller's rate limit."""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, Container
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from itsdangerous import BadSignature
from quart import Quart, Response, current_app, g, has_request_context, request
from quart_auth import Action, AuthUser, QuartAuth, current_user
from tortoise.transactions import in_transaction

from mission_control.background.loops import Loop
from mission_control.core import limits, times
from mission_control.core.actor import Actor
from mission_control.core.errors import Forbidden, Invalid, Unauthenticated
from mission_control.core.extensions import Hook
from mission_control.core.limits import SAFE_METHODS, Allowance
from mission_control.core.values import fingerprint, whole_number
from mission_control.database.sql import is_postgres, placeholders, rows
from mission_control.http import lookups
from mission_control.http.absences import remember_return, write_returns
from mission_control.http.body_limit import admit_body
from mission_control.http.exchange import count_as
from mission_control.http.lookups import Caller, Credential
from mission_control.http.proxies import client_ip, rate_limit_key


class SessionCookies(QuartAuth):
    """Reads cookies of any age: after a clock was set back they seem to come from the future, and would be refused."""

    async def after_request(self, response: Response) -> Response:
        """Write the cookie after a sign-in or a sign-out; the cookies of other requests are not read for it."""
        user: AuthUser | None = g.get(self.attribute_name)
        if user is None or user.action is Action.PASS:
            return response
        return await super().after_request(response)

    def load_token(self, token: str, app: Quart | None = None) -> str | None:
        """The secret in a cookie that this server signed; None in every other one."""
        key: str = (app or current_app).config["SECRET_KEY"]
        serializer = self.serializer_class(key, str(self.salt))
        try:
            secret: str = serializer.loads(token)
        except BadSignature:
            return None
        return secret


WRITTEN_AGAIN_AFTER = timedelta(seconds=60)
AT_ONCE = 100
# Rows that are locked are skipped: another process records the same use, or the token is being changed.
UPDATE = (
    "UPDATE {table} SET {column} = used.column2 FROM (VALUES {values}) AS used WHERE {table}.id = used.column1"
    " AND ({table}.{column} IS NULL OR {table}.{column} < used.column2)"
)
NOT_HELD = " AND {table}.id IN (SELECT id FROM {table} WHERE id IN ({ids}) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)"
TOKENS, SESSIONS = ("tokens", "last_used_at"), ("sessions", "last_seen_at")

# A token of a connection ends when it was not used for so long. Each use puts that off, at most once a day.
CONNECTED_FOR, RENEWED_AFTER = timedelta(days=90), timedelta(days=1)
RENEWAL = (
    "UPDATE tokens SET expires_at = ? WHERE revoked_at IS NULL AND expires_at > ? AND expires_at < ? AND id IN ({ids})"
)

_used: dict[UUID, datetime] = {}
_renewed: dict[UUID, datetime] = {}
_seen: dict[UUID, datetime] = {}
_log = logging.getLogger(__name__)


def remember(uses: dict[UUID, datetime], row_id: UUID, last_used_at: datetime | None) -> None:
    """Remember that a token or a session was used, unless its row says so since less than a minute ago."""
    now = times.clock_now()
    if last_used_at is None or now - last_used_at > WRITTEN_AGAIN_AFTER:
        uses[row_id] = now


async def write_down() -> None:
    """Write the remembered uses; keep them for the next time when that fails."""
    await _write_all(_used, *TOKENS)
    try:
        await write_returns()
    except Exception:  # the new signs would hide an absence: they wait with it
        _log.exception("writing down who came back failed")
    else:
        await _write_all(_seen, *SESSIONS)
    await _renew()


async def _renew() -> None:
    """Put off the ends of the tokens of connections that were used, as of their earliest use."""
    while taken := dict(list(_renewed.items())[:AT_ONCE]):
        first = min(taken.values())
        ends = first + CONNECTED_FOR
        free = NOT_HELD.format(table="tokens", ids=placeholders(len(taken))) if is_postgres() else ""
        ids = (*taken, *(taken if free else ()))
        sql = RENEWAL.format(ids=placeholders(len(taken))) + free
        try:
            await rows(sql, ends, first, ends - RENEWED_AFTER, *ids)
        except Exception:
            _log.exception("renewing the tokens of connections failed")
            return
        for token_id in taken:
            _renewed.pop(token_id, None)


async def _write_all(remembered: dict[UUID, datetime], table: str, column: str) -> None:
    if not remembered:
        return
    taken = dict(remembered)
    remembered.clear()
    # One transaction is one wait for SQLite's disk; on PostgreSQL it would lock rows that rotations need.
    together: Any = nullcontext() if is_postgres() else in_transaction()
    try:
        async with together:
            used = list(taken.items())
            for start in range(0, len(used), AT_ONCE):
                await _write(used[start : start + AT_ONCE], table, column)
    except asyncio.CancelledError:  # the application stops, and writes once more when its loops have ended
        remembered.update(taken | remembered)
        raise
    except Exception:
        remembered.update(taken | remembered)
        _log.exception("writing down the use of %s failed", table)


async def _write(used: list[tuple[UUID, datetime]], table: str, column: str) -> None:
    """One statement for many rows."""
    pairs = [value for pair in used for value in pair]
    if is_postgres():
        sql = UPDATE.format(table=table, column=column, values=", ".join(["(?::uuid, ?::timestamp)"] * len(used)))
        free = NOT_HELD.format(table=table, ids=placeholders(len(used)))
        await rows(sql + free, *pairs, *(one_id for one_id, _ in used))
    else:
        await rows(UPDATE.format(table=table, column=column, values=", ".join(["(?, ?)"] * len(used))), *pairs)


WRITER = Loop(name="writing down the use of tokens", look=write_down, pause=15.0, stop=write_down)


# The account behind LOCAL_AUTH_TOKEN has this instead of a subject at an identity provider.
LOCAL_SUBJECT = "local-auth-user"


# The owner behind LOCAL_AUTH_TOKEN; an organization for a person without one; the person and the expiry of a token that
# the identity provider signed; what an agent's request means for its presence, and what one without a statement does.
local_owner = Hook[Callable[[], Awaitable[UUID]]](is_single=True)
ensure_membership = Hook[Callable[[UUID], Awaitable[None]]](is_single=True)
provider_token = Hook[Callable[[str], Awaitable[tuple[UUID, datetime] | None]]](is_single=True)
agent_seen = Hook[Callable[[Actor, datetime | None], Awaitable[None]]](is_single=True)
quiet_agent_seen = Hook[Callable[[Actor], None]](is_single=True)


async def user_of(caller: Caller) -> Actor | None:
    if caller.agent_id is not None or caller.user_id is None:
        return None
    _remember_use(caller)
    return await _at_home(caller, caller.user_id)


async def agent_of(caller: Caller, *, touches: bool = True) -> Actor | None:
    """Return the agent whose token it is, None when it is a person's; record its presence when it `touches`."""
    if caller.agent_id is None or caller.actor is None:
        return None
    _remember_use(caller)
    if touches and agent_seen.function is not None:
        await agent_seen.function(caller.actor, caller.last_seen_at)
    return caller.actor


def _remember_use(caller: Caller) -> None:
    kind, row_id = caller.credential
    if row_id is not None:
        remember(_seen if kind == "session" else _used, row_id, caller.last_used_at)
        if kind == "session":
            remember_return(caller.user_id, caller.last_used_at)
        if caller.connection_id is not None and caller.expires_at is not None:
            now = times.clock_now()
            if caller.expires_at < now + CONNECTED_FOR - RENEWED_AFTER:
                _renewed.setdefault(row_id, now)


async def agent_by_token(secret: str) -> Actor | None:
    caller = await lookups.caller_by("token", fingerprint(secret))
    return await agent_of(caller) if caller is not None else None


async def user_without_row(secret: str) -> Actor | None:
    """Return the person behind the installation's LOCAL_AUTH_TOKEN or a token that the provider signed."""
    settings = current_app.config["SETTINGS"]
    local = settings.local_auth_token if settings.auth_mode == "local" else ""
    if local and hmac.compare_digest(local.encode(), secret.encode("utf-8", "surrogatepass")):
        return await _local_owner()
    if secret.count(".") != 2 or provider_token.function is None:
        return None
    person = await provider_token.function(secret)
    if person is None:
        return None
    actor = await user_at_home(person[0], ("provider", None))
    return replace(actor, expires_at=person[1]) if actor else None


async def _local_owner() -> Actor | None:
    """Return the account behind LOCAL_AUTH_TOKEN, made when it is missing or has no active organization."""
    caller = await lookups.caller_by("local subject", LOCAL_SUBJECT)
    if caller is not None and caller.actor is not None and caller.has_active_organization:
        return caller.actor
    owner = local_owner.function
    return None if owner is None else await user_at_home(await owner(), ("local", None))


async def session_of_browser() -> Caller | None:
    secret = current_user.auth_id
    return await lookups.caller_by("session", fingerprint(secret)) if secret else None


async def live_session() -> tuple[UUID, UUID] | None:
    caller = await session_of_browser()
    if caller is None or caller.user_id is None or caller.credential[1] is None:
        return None
    return caller.user_id, caller.credential[1]


async def _at_home(caller: Caller, user_id: UUID) -> Actor | None:
    if caller.actor is not None or ensure_membership.function is None:
        return caller.actor
    await ensure_membership.function(user_id)
    current = await lookups.by_credential(caller.credential, user_id)
    return None if current is None else current.actor


async def user_at_home(user_id: UUID, credential: Credential) -> Actor | None:
    actor = await user_actor(user_id, credential)
    if actor is None and ensure_membership.function is not None:
        await ensure_membership.function(user_id)
        actor = await user_actor(user_id, credential)
    return actor


async def user_actor(user_id: UUID, credential: Credential) -> Actor | None:
    caller = await lookups.caller_by("person id", user_id)
    return None if caller is None or caller.actor is None else replace(caller.actor, credential=credential)


Who = Literal["user", "agent", "actor", "anyone"]
KINDS: dict[Who, frozenset[str]] = {
    "user": frozenset({"user"}),
    "agent": frozenset({"agent"}),
    "actor": frozenset({"user", "agent"}),
}


async def authenticate(
    who: Who, *, touches: bool = True, spends: bool = True, takes_basic: bool = False
) -> Actor | None:
    """Return the caller, or None for `anyone`; raise Unauthenticated (401) or TooMany (429) otherwise.

    An agent's request records its presence, unless `touches` is False because the operation does so itself. It takes
    one of the caller's requests a minute, unless `spends` is False. `takes_basic`: an agent's token may be the password
    of HTTP Basic, as programs send it that know an address and no headers.
    """
    if who == "anyone":
        return None
    actor = await _identified(who, touches, spends, takes_basic)
    if actor is None:
        raise Unauthenticated()
    if actor.is_agent and (text := request.headers.get("X-Task-Fence", "").strip()):
        if (fence := whole_number(text, 9)) is None:
            raise Invalid("X-Task-Fence is the whole number that the claim answered.")
        actor = replace(actor, fence=fence)
    g.actor = actor
    count_as(request.scope, actor.id)
    times.read_by(actor)
    admit_body()
    return actor


def _sent_tokens(takes_basic: bool) -> tuple[str, str]:
    """Return the token of an agent and the bearer token that the request carries; empty where it carries none."""
    agent_token, authorization = request.headers.get("X-Agent-Token", "").strip(), request.authorization
    if takes_basic and not agent_token and authorization is not None and authorization.type == "basic":
        agent_token = authorization.password or ""
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return agent_token, bearer.strip() if scheme.lower() == "bearer" else ""


async def _identified(who: Who, touches: bool, spends: bool, takes_basic: bool) -> Actor | None:
    agent_token, bearer = _sent_tokens(takes_basic)
    if agent_token and who != "user":
        return await _by_token(agent_token, {"agent"}, touches, spends)
    if bearer:
        person = await user_without_row(bearer) if who != "agent" else None
        return person or await _by_token(bearer, KINDS[who], touches, spends)
    if who == "agent":
        return None
    actor = await user_by_session()
    if actor is None and agent_token:
        await _by_token(agent_token, (), touches, spends)  # an unknown one counts as a failure
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


async def _by_token(secret: str, kinds: Container[str], touches: bool, spends: bool) -> Actor | None:
    quiet = lookups.quiet_caller(fingerprint(secret), question()) if "agent" in kinds else None
    if quiet is not None and quiet.actor is not None:
        g.allowance = _spent(quiet) if spends else None
        _remember_use(quiet)
        if quiet_agent_seen.function is not None:
            quiet_agent_seen.function(quiet.actor)
        return quiet.actor
    caller, g.allowance = await _admitted(secret, client_ip(), spends=spends)
    if caller.agent_id is not None:
        return await agent_of(caller, touches=touches) if "agent" in kinds else None
    return await user_of(caller) if "user" in kinds else None


async def _admitted(secret: str, ip: str, *, spends: bool = True) -> tuple[Caller, Allowance | None]:
    """Return the caller with a live token and take one request of its budget; count an unknown token as a failure."""
    caller = await lookups.caller_by("token", fingerprint(secret))
    if caller is None:
        key = rate_limit_key(ip)
        limits.unknown_tokens.check(key)
        limits.unknown_tokens.failed(key)
        raise Unauthenticated()
    return caller, _spent(caller) if spends else None


def _spent(caller: Caller) -> Allowance | None:
    """Take one request of a caller's budget, and return what is left of it."""
    budget = limits.agent_requests if caller.agent_id is not None else limits.person_requests
    # The budget belongs to the owner of a token: several tokens, or a rotated one, give nothing more.
    owner = (caller.agent_id or caller.user_id, caller.requests_per_minute)
    return budget.spend(owner, caller.requests_per_minute)


def question() -> bytes:
    """Return what the running request asks: its method, path and query; b"" outside of one, as for a call of MCP."""
    if not has_request_context():
        return b""
    return b"%b %b?%b" % (request.method.encode(), request.path.encode(), request.query_string)


async def user_by_session() -> Actor | None:
    """Return the person whose browser sent a session cookie; unsafe requests must come from our own pages."""
    caller = await session_of_browser()
    if caller is None:
        return None
    if request.method not in SAFE_METHODS:
        require_same_origin()
    admit_body()
    _remember_use(caller)
    return None if caller.user_id is None else await _at_home(caller, caller.user_id)


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
