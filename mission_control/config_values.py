"""How each kind of setting is read from text; every function raises ValueError with the rule."""

import base64
import binascii
import ipaddress
import logging
import math
import os
import re
from collections.abc import Callable, Sequence
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

type Parser = Callable[[str], Any]
type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

TRACE = 5
MODES = ("local", "clerk", "oidc")
POSTGRES_SCHEMES = {"postgres", "postgresql", "postgresql+psycopg", "postgresql+asyncpg", "asyncpg"}
PLACEHOLDER_TOKENS = {"change-me", "changeme", "replace-me", "replace-with-strong-random-token"}
SHORTEST_TOKEN = 50
SHORTEST_SECRET_KEY = 32


class ConfigError(Exception):
    """The installation cannot run as it is configured; the text is meant for its operator."""

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


def made_folder(folder: Path) -> Path:
    """Make a folder that is not there yet, for this user only; ConfigError when that cannot be."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"The folder {folder} cannot be made: {reason}. Set DATA_DIR to one that can.") from error
    return folder


def text(value: str) -> str:
    """Take any text that is not empty."""
    if not value:
        raise ValueError("it must not be empty.")
    return value


def gateway_version(value: str) -> str:
    """Take a version of OpenClaw, such as 2026.3.13 or 2026.7.1-beta.2; blank takes every version known to work."""
    if value and not re.fullmatch(r"v?\d{4}\.\d{1,2}\.\d{1,6}(-[0-9A-Za-z.]+)?", value):
        raise ValueError("it must be a version such as 2026.3.13.")
    return value


def header(value: str) -> str:
    """Take the value of an HTTP header."""
    if not value.isascii() or any(ord(character) < 32 for character in value):
        raise ValueError("a header may hold printable ASCII characters only.")
    return value


def path(value: str) -> Path:
    """Take a folder; `~` is the home directory."""
    return Path(value).expanduser()


def boolean(value: str) -> bool:
    """Take a yes or no in any of its usual spellings."""
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError("use true or false.")


def auto_boolean(value: str) -> bool | None:
    """Take true, false or auto (None)."""
    return None if value.lower() == "auto" else boolean(value)


def not_negative(value: str) -> int:
    """Take a whole number, 0 or more."""
    if not re.fullmatch(r"[0-9]{1,15}", value):
        raise ValueError("use a whole number, 0 or more.")
    return int(value)


def positive(value: str) -> int:
    """Take a whole number, 1 or more."""
    if not re.fullmatch(r"[0-9]{1,15}", value) or int(value) < 1:
        raise ValueError("use a whole number, 1 or more.")
    return int(value)


def pool_size(value: str) -> int:
    """Take the number of database connections; a migration needs two."""
    if positive(value) < 2:
        raise ValueError("use a whole number, 2 or more.")
    return int(value)


def port(value: str) -> int:
    """Take a TCP port; 0 means any free one."""
    if not re.fullmatch(r"[0-9]{1,5}", value) or int(value) > 65535:
        raise ValueError("use a whole number from 0 to 65535.")
    return int(value)


def base_url(value: str) -> str:
    """Take an absolute http(s) address, without its trailing slash."""
    parts = urlsplit(value)
    if value and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise ValueError("use an absolute address such as https://mission.example.org.")
    return value.rstrip("/")


def git_base_url(value: str) -> str:
    """Take what the clone address of `/owner/repository` begins with; git's local files are allowed for mirrors."""
    parts = urlsplit(value)
    if parts.scheme not in {"https", "file"} or (parts.scheme == "https" and not parts.hostname):
        raise ValueError("use an https address, or file:///path of a mirror.")
    return value.rstrip("/")


def local_auth_token(value: str) -> str:
    """Take a token that cannot be guessed, or nothing."""
    if not value:
        return ""
    if value.lower() in PLACEHOLDER_TOKENS:
        raise ValueError("it is a placeholder from an example; make a random token.")
    if len(value) < SHORTEST_TOKEN:
        raise ValueError(f"it must be at least {SHORTEST_TOKEN} characters long.")
    return value


def secret_key(value: str) -> str:
    """Take a key that cannot be guessed, or nothing."""
    if value and len(value) < SHORTEST_SECRET_KEY:
        raise ValueError(f"it must be at least {SHORTEST_SECRET_KEY} characters long.")
    return value


def origins(value: str) -> tuple[str, ...]:
    """Take web origins (scheme, host, port), comma separated."""
    found = tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
    for origin in found:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path:
            raise ValueError("use origins such as https://app.example.org, separated by commas.")
    return found


def networks(value: str) -> tuple[Network, ...]:
    """Take IP addresses and networks, comma separated."""
    try:
        return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise ValueError("use addresses or networks such as 10.0.0.0/8, separated by commas.") from error


def log_level(value: str) -> int:
    """Take the name or number of a logging level."""
    if value.isdigit():
        return int(value)
    known = logging.getLevelNamesMapping() | {"TRACE": TRACE}
    if value.upper() not in known:
        raise ValueError("use TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL or a number.")
    return known[value.upper()]


def level_name(level: int) -> str:
    """Return the name of a logging level, else its number."""
    return "TRACE" if level == TRACE else logging.getLevelName(level).removeprefix("Level ")


def log_format(value: str) -> str:
    """Take the shape of log lines."""
    if value.lower() not in {"text", "json"}:
        raise ValueError("use text or json.")
    return value.lower()


def database_url(value: str) -> str:
    """Take the address of a database, in one of its usual spellings, and return the one used here."""
    if not value:
        return ""
    scheme, separator, rest = value.partition("://")
    if separator and scheme in POSTGRES_SCHEMES:
        _check_postgres(f"postgres://{rest}")
        return f"postgres://{rest}"
    if separator and scheme == "sqlite" and rest.removeprefix("/"):
        return sqlite_url(Path(rest.removeprefix("/")).expanduser())
    raise ValueError("use sqlite:///path/to/file or postgres://user:password@host:5432/database.")


def _check_postgres(url: str) -> None:
    try:
        named = urlsplit(url).path.strip("/")
        _ = urlsplit(url).port
    except ValueError as error:
        raise ValueError("the host or port of the PostgreSQL address cannot be read.") from error
    if not named:
        raise ValueError("a PostgreSQL address must end in the name of a database.")


def sqlite_url(file: Path) -> str:
    """Return the address of a SQLite file; an absolute path gives four slashes."""
    return f"sqlite:///{file}"


def sqlite_path(url: str) -> Path | None:
    """Return the file behind a SQLite address, None for any other database."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def without_password(url: str) -> str:
    """Return a database address fit for a screen."""
    parts = urlsplit(url)
    if not parts.password and not parts.query:
        return url
    user = f"{parts.username or ''}:****@" if parts.password else ""
    return urlunsplit(parts._replace(netloc=f"{user}{parts.netloc.rpartition('@')[2]}", query=""))


def printed(value: object) -> str:
    """Return a checked value as an operator would write it."""
    if value is None:
        return "auto"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return os.fspath(value) if isinstance(value, Path) else str(value)


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
    return value


def missing_of_provider(parsed: dict[str, object]) -> list[str]:
    """Return one sentence for each setting that the chosen way to sign in lacks."""
    mode = parsed["auth_mode"]
    if mode == "clerk" and not parsed["clerk_secret_key"]:
        return ["AUTH_MODE=clerk needs CLERK_SECRET_KEY."]
    if mode == "oidc" and not parsed["oidc_issuer"]:
        return ["AUTH_MODE=oidc needs OIDC_ISSUER."]
    if mode == "oidc" and not (parsed["oidc_client_id"] or parsed["oidc_audience"]):
        return ["AUTH_MODE=oidc needs OIDC_CLIENT_ID for signing in on pages, or OIDC_AUDIENCE for bearer tokens."]
    return []


def smtp_url(value: str) -> str:
    """Take the address of a mail server, such as smtps://user:password@mail.example.org."""
    parts = urlsplit(value)
    try:
        is_good = parts.scheme in {"smtp", "smtps"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if value and not (is_good and parts.path in {"", "/"} and not parts.query):
        raise ValueError("use smtp://host:587 or smtps://host, with user:password@ before the host if it needs them.")
    return value


def sender(value: str) -> str:
    """Take an address that mail comes from, with or without a name."""
    address = parseaddr(value)[1]
    if value and (address.count("@") != 1 or not value.isprintable() or not all(address.split("@"))):
        raise ValueError('use an address such as "Mission Control <mission@example.org>".')
    return value


def missing_of_mail(parsed: dict[str, object]) -> list[str]:
    """Return one sentence for each setting that sending mail lacks."""
    if not parsed["smtp_url"]:
        return []
    needed = {
        "mail_from": "SMTP_URL needs MAIL_FROM, the address that mail comes from.",
        "base_url": "SMTP_URL needs BASE_URL, because mails hold links.",
    }
    return [sentence for name, sentence in needed.items() if not parsed[name]]


TYPE_NAMES: dict[Parser, str] = {
    text: "text",
    header: "text",
    gateway_version: "version",
    path: "folder",
    boolean: "true/false",
    auto_boolean: "true/false/auto",
    not_negative: "number",
    positive: "number",
    pool_size: "number",
    port: "port",
    base_url: "URL",
    git_base_url: "URL",
    local_auth_token: "secret",
    secret_key: "secret",
    origins: "list",
    networks: "list",
    log_level: "level",
    log_format: "text/json",
    database_url: "URL",
    auth_mode: "local/clerk/oidc",
    address: "URL",
    publishable_key: "text",
    seconds: "seconds",
    words: "list",
    free_text: "text",
    smtp_url: "URL",
    sender: "address",
}
