"""Passwords (argon2id, in threads), bearer tokens, and limits of sign-in that lock no one else out."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from itsdangerous import BadData, URLSafeTimedSerializer
from quart import Response, after_this_request, current_app, request

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Forbidden
from mission_control.core.limits import (
    PersonScope,
    wrong_codes,
    wrong_passwords,
    wrong_sign_ins_by_account,
    wrong_sign_ins_by_address,
)
from mission_control.core.values import fingerprint, new_secret
from mission_control.database.sql import Row
from mission_control.events.commands import command
from mission_control.events.event_log import AccountKind
from mission_control.events.reader_wakeups import publish_wakeup
from mission_control.events.wakeup_channels import PROCESS, on_notify_family
from mission_control.http import lookups
from mission_control.http.authentication import CONNECTED_FOR
from mission_control.http.proxies import client_ip, rate_limit_key
from mission_control.people.audit.account_log import record_account
from mission_control.people.models import Token, User

ACCOUNT_EVENTS = (AccountKind("token.created", "Somebody made a personal token."),)

MINIMUM_LENGTH = 10
MAXIMUM_LENGTH = 1000

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_at_once = asyncio.Semaphore(2)
# The hash of an unused password, with the parameters above: computing it here would delay every start.
_nobody = "$argon2id$v=19$m=19456,t=2,p=1$FwPdA6F/T1dqGbHSIkJEpQ$gcfSR7DSZx1qh774qPBI0aYoNbSBqSstlZp992BRKRg"


LEAST_SCORE, LONGEST_LOOKED_AT = 2, 72  # of zxcvbn: below it, a million guesses find the password
TOO_COMMON = "This password is too easy to guess: many people have it, or it is a pattern. Take several words."


def uncommon(password: str) -> str:
    """Return a new password as it is. Raise ValueError for one of those that are tried first."""
    from zxcvbn import zxcvbn  # its lists are read only where somebody sets a password

    if zxcvbn(password[:LONGEST_LOOKED_AT])["score"] < LEAST_SCORE:
        raise ValueError(TOO_COMMON)
    return password


async def hash_password(password: str) -> str:
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


async def password_fits(password: str, stored: str | None) -> bool:
    """Return whether the password matches. Takes the same time when no password is stored."""
    async with _at_once:
        return await asyncio.to_thread(_fits, password, stored or _nobody) and stored is not None


def _fits(password: str, stored: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


PREFIX_LENGTH = 10
EVERYTHING: PersonScope = "admin"  # what a personal token without scopes may
USUAL_LIFE = timedelta(days=90)  # of a personal token, unless another end is named
CONNECTION_SCOPES = ["connect", "work"]


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made; `secret` is never readable again."""

    row: Token
    secret: str
    replaced_until: datetime | None = None


@command("token.create_personal")
async def create_personal_token(
    actor: Actor, user: User, name: str, expires_at: datetime | None = None, scopes: list[str] | None = None
) -> NewToken:
    """Create a token that acts as the person, within the scopes; without any it may all that the person may."""
    made = await _make("mcu", name=name, expires_at=expires_at, user_id=user.id, scopes=scopes)
    await record_account("token.created", user.id, token_id=made.row.id, name=name, scopes=scopes or [EVERYTHING])
    return made


@command("token.revoke_personal")
async def revoke_personal_token(actor: Actor, token: Token) -> None:
    """End a token at once."""
    await Token.filter(id=token.id, revoked_at=None).update(revoked_at=times.clock_now())
    await record_account("token.revoked", token.user_id, token_id=token.id)
    lookups.recheck_streams()


async def make_agent_token(agent_id: UUID, *, overlap_seconds: int = 0, **traits: object) -> NewToken:
    """Inside a command: create a token for an agent; its active ones end after the overlap (0: at once).

    Those of its connections go on.
    """
    until = times.clock_now() + timedelta(seconds=overlap_seconds)
    replaced = await end_agent_tokens(agent_id, until, connection_id=None)
    return await _make("mca", until if replaced else None, agent_id=agent_id, **traits)


async def make_connection_token(connection_id: UUID, agent_id: UUID, name: str) -> NewToken:
    """Inside a command: create the token of a connection, which is renewed as long as it is used."""
    ends = times.clock_now() + CONNECTED_FOR
    about: Row = {"name": name, "scopes": CONNECTION_SCOPES, "expires_at": ends}
    return await _make("mca", agent_id=agent_id, connection_id=connection_id, **about)


async def end_agent_tokens(agent_id: UUID, moment: datetime, **which: object) -> int:
    """End an agent's active tokens at a time, never later than they would expire. Return how many."""
    count = 0
    now = times.clock_now()
    for token in await Token.filter(agent_id=agent_id, revoked_at=None, **which):
        if token.expires_at is not None and token.expires_at <= min(now, moment):
            continue
        if moment <= now:
            await Token.filter(id=token.id).update(revoked_at=now)
        elif token.expires_at is None or token.expires_at > moment:
            await Token.filter(id=token.id).update(expires_at=moment)
        count += 1
    lookups.recheck_streams()
    return count


async def _make(prefix: str, replaced_until: datetime | None = None, **traits: Any) -> NewToken:
    secret = new_secret(prefix)
    row = await Token.create(prefix=secret[:PREFIX_LENGTH], fingerprint=fingerprint(secret), **traits)
    return NewToken(row, secret, replaced_until)


COOKIE = "mc_known_browser"
COOKIE_SECONDS = 400 * 24 * 3600  # the maximum that browsers accept
MOST_ACCOUNTS = 5
SECONDS_FOR_EACH, LONGEST_SECONDS = 0.25, 2.0


@asynccontextmanager
async def sign_in_attempt(email: str) -> AsyncIterator[None]:
    """Wrap the check of a password; raise TooMany when this address, or this browser, was wrong too often."""
    browser, names = _cookie()
    if browser and _name(email) in names:
        async with attempt(password=f"browser:{browser}:{_name(email)}"):
            yield
        return
    key = rate_limit_key(client_ip())
    async with attempt(address=key, password=f"{key} {_name(email)}"):
        await asyncio.sleep(seconds_to_wait(email))  # before a connection or a hashing slot is taken
        try:
            yield
        except Forbidden:
            wrong_sign_ins_by_account.failed(_name(email))
            await _count_elsewhere("account", _name(email))
            raise


FAMILY = "wrong-credentials"
LIMITS = {
    "password": wrong_passwords,
    "address": wrong_sign_ins_by_address,
    "account": wrong_sign_ins_by_account,
    "code": wrong_codes,
}


@asynccontextmanager
async def attempt(**keys: str) -> AsyncIterator[None]:
    """Wrap a check of credentials; raise TooMany when the key of one of these limits has used up its failures.

    When the block raises Forbidden, the failure counts in every process of the database.
    """
    with ExitStack() as stack:
        for limit, key in keys.items():
            stack.enter_context(LIMITS[limit].attempt(key))
        try:
            yield
        except Forbidden:
            for limit, key in keys.items():
                await _count_elsewhere(limit, key)
            raise


async def _count_elsewhere(limit: str, key: str) -> None:
    await publish_wakeup(f"{FAMILY}:{PROCESS}:{limit}:{key}")


@on_notify_family(FAMILY)
def on_wrong_credentials(channel: str) -> None:
    """Count a failure that another process saw."""
    _, process, limit, key = channel.split(":", 3)
    if process != PROCESS and limit in LIMITS:
        LIMITS[limit].failed(key)


def seconds_to_wait(email: str) -> float:
    """Return the delay of a check, from an account's failures anywhere."""
    more = wrong_sign_ins_by_account.failures(_name(email)) - wrong_sign_ins_by_account.count
    return min(LONGEST_SECONDS, SECONDS_FOR_EACH * max(0, more))


def remember_browser(email: str) -> None:
    """Mark the browser as known for this account, by a cookie of the running response."""
    browser, names = _cookie()
    names = [_name(email), *(name for name in names if name != _name(email))][:MOST_ACCOUNTS]
    value = str(_serializer().dumps([browser or secrets.token_hex(8), *names]))

    @after_this_request
    async def remember(response: Any) -> Any:
        set_cookie(response, COOKIE, value, COOKIE_SECONDS)
        return response


def set_cookie(response: Response, name: str, value: str, seconds: int) -> None:
    """Set a cookie that only the pages of signing in get, also on the way back by a link from another site."""
    response.set_cookie(
        name, value, max_age=seconds, path="/sign-in", httponly=True,
        secure=current_app.config["SETTINGS"].secure_cookies, samesite="Lax",
    )  # fmt: skip


def _cookie() -> tuple[str, list[str]]:
    """Return the browser's id and the accounts it has signed in to."""
    try:
        browser, *names = _serializer().loads(request.cookies.get(COOKIE, ""), max_age=COOKIE_SECONDS)
    except BadData:
        return "", []
    return browser, names


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="mission control known browser")


def _name(email: str) -> str:
    """Return the key of an account's address: normalized, and unreadable in a cookie."""
    return fingerprint(email.strip().lower())[:24]
