"""Rate limits of the sign-in page that cannot lock another person out of their account.

Failures count by (account, address) and by address. By account alone they only slow down. A browser that
browser that signed in to the account before has a limit of its own.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer
from quart import after_this_request, current_app, request

from mission_control.core.errors import Forbidden
from mission_control.core.ids import fingerprint
from mission_control.core.limits import wrong_passwords, wrong_sign_ins_by_account, wrong_sign_ins_by_address
from mission_control.http.proxies import client_ip, rate_limit_key

COOKIE = "mc_known_browser"
COOKIE_SECONDS = 400 * 24 * 3600  # the maximum that browsers accept
MOST_ACCOUNTS = 5
SECONDS_FOR_EACH, LONGEST_SECONDS = 0.25, 2.0


@asynccontextmanager
async def sign_in_attempt(email: str) -> AsyncIterator[None]:
    """Wrap the check of a password; raise TooMany when this address, or this browser, was wrong too often."""
    if (browser := _known_browser(email)) is not None:
        with wrong_passwords.attempt(f"browser:{browser}:{_name(email)}"):
            yield
        return
    key = rate_limit_key(client_ip())
    with wrong_sign_ins_by_address.attempt(key), wrong_passwords.attempt(f"{key} {_name(email)}"):
        await asyncio.sleep(seconds_to_wait(email))  # before a connection or a hashing slot is taken
        try:
            yield
        except Forbidden:
            wrong_sign_ins_by_account.failed(_name(email))
            raise


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
        response.set_cookie(
            COOKIE,
            value,
            max_age=COOKIE_SECONDS,
            path="/sign-in",
            httponly=True,
            secure=current_app.config["SETTINGS"].secure_cookies,
            samesite="Lax",
        )
        return response


def _known_browser(email: str) -> str | None:
    browser, names = _cookie()
    return browser if browser and _name(email) in names else None


def _cookie() -> tuple[str, list[str]]:
    """Return the browser's id and the accounts it has signed in to."""
    try:
        found = _serializer().loads(request.cookies.get(COOKIE, ""), max_age=COOKIE_SECONDS)
    except BadData:
        return "", []
    return found[0], found[1:]


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="mission control known browser")


def _name(email: str) -> str:
    """Return the key of an account's address: normalized, and unreadable in a cookie."""
    return fingerprint(email.strip().lower())[:24]
