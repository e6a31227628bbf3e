"""Parse and check the settings of the identity provider."""

import base64
import binascii
import math
import re
from typing import Any
from urllib.parse import urlsplit

from mission_control import config_values as values

MODES = ("local", "clerk", "oidc")


def auth_mode(value: str) -> str:
    """Parse how people sign in."""
    if value.lower() not in MODES:
        raise ValueError("use local, clerk or oidc.")
    return value.lower()


def address(value: str) -> str:
    """Parse an absolute http(s) address, or nothing. It is kept as written: issuers are compared exactly."""
    parts = urlsplit(value)
    if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment):
        raise ValueError("use an absolute address such as https://login.example.org.")
    return value


def publishable_key(value: str) -> str:
    """Parse Clerk's publishable key, which names the front end, or nothing."""
    if value and not clerk_issuer(value):
        raise ValueError("use the key that begins with pk_test_ or pk_live_.")
    return value


def clerk_issuer(key: str) -> str:
    """Return the issuer that a publishable key names, or an empty string."""
    found = re.fullmatch(r"pk_(?:test|live)_([A-Za-z0-9+/_-]+)=*", key)
    if not found:
        return ""
    text = found[1].replace("-", "+").replace("_", "/")
    try:
        host = base64.b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return f"https://{host[:-1]}" if re.fullmatch(r"[a-z0-9.-]+(:[0-9]+)?\$", host) else ""


def seconds(value: str) -> float:
    """Parse a number of seconds, 0 to 300."""
    number = float(value) if re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)?", value) else math.inf
    if number > 300:
        raise ValueError("use a number of seconds from 0 to 300.")
    return number


def words(value: str) -> tuple[str, ...]:
    """Parse words separated by commas or blanks."""
    return tuple(word for word in re.split(r"[\s,]+", value) if word)


def free_text(value: str) -> str:
    """Take any text as it is."""
    return value


def missing(parsed: dict[str, Any]) -> list[str]:
    """Return one sentence for each setting that the chosen way to sign in lacks."""
    mode = parsed["auth_mode"]
    if mode == "clerk" and not parsed["clerk_secret_key"]:
        return ["AUTH_MODE=clerk needs CLERK_SECRET_KEY."]
    if mode == "oidc" and not parsed["oidc_issuer"]:
        return ["AUTH_MODE=oidc needs OIDC_ISSUER."]
    if mode == "oidc" and not (parsed["oidc_client_id"] or parsed["oidc_audience"]):
        return ["AUTH_MODE=oidc needs OIDC_CLIENT_ID for signing in on pages, or OIDC_AUDIENCE for bearer tokens."]
    return []


values.TYPE_NAMES.update(
    {
        auth_mode: "local/clerk/oidc",
        address: "URL",
        publishable_key: "text",
        seconds: "seconds",
        words: "list",
        free_text: "text",
    }
)
