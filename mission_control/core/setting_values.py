"""How each kind of setting is read from text, and the rule of each."""

import base64
import binascii
import ipaddress
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

TRACE = 5
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


@dataclass(frozen=True)
class Parser:
    """One kind of setting: the rule that wrong values break, and how text is read."""

    rule: str = ""
    accepts: Callable[[str], object] = lambda value: True
    read: Callable[[str], Any] = str

    def __call__(self, value: str) -> Any:
        if not self.accepts(value):
            raise ValueError(self.rule)
        return self.read(value)


def _matches(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern).fullmatch


def _words(rule: str, values: Mapping[str, object]) -> Parser:
    """Take words, whatever their case, each for a value."""
    return Parser(rule, lambda word: word.lower() in values, lambda word: values[word.lower()])


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _is_address(value: str) -> bool:
    parts = urlsplit(value)
    return not value or (parts.scheme in {"http", "https"} and bool(parts.hostname))


def _is_issuer(value: str) -> bool:
    return _is_address(value) and not (urlsplit(value).query or urlsplit(value).fragment)


def _is_git_address(value: str) -> bool:
    """Whether clone addresses may begin with this; git's local files are allowed for mirrors."""
    parts = urlsplit(value)
    return parts.scheme == "file" or (parts.scheme == "https" and bool(parts.hostname))


def _is_origin(value: str) -> bool:
    parts = urlsplit(value)
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and not parts.path


def _is_mail_server(value: str) -> bool:
    parts = urlsplit(value)
    try:
        is_good = parts.scheme in {"smtp", "smtps"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return not value or (is_good and parts.path in {"", "/"} and not parts.query)


def _is_sender(value: str) -> bool:
    address = parseaddr(value)[1]
    return not value or (address.count("@") == 1 and value.isprintable() and all(address.split("@")))


def _networks(value: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part, strict=False) for part in _listed(value))
    except ValueError as error:
        raise ValueError("use addresses or networks such as 10.0.0.0/8, separated by commas.") from error


def _local_auth_token(value: str) -> str:
    if value.lower() in PLACEHOLDER_TOKENS:
        raise ValueError("it is a placeholder from an example; make a random token.")
    if value and len(value) < SHORTEST_TOKEN:
        raise ValueError(f"it must be at least {SHORTEST_TOKEN} characters long.")
    return value


def _database_url(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if separator and scheme in POSTGRES_SCHEMES:
        url = f"postgres://{rest}"
        try:
            name, _ = urlsplit(url).path.strip("/"), urlsplit(url).port
        except ValueError as error:
            raise ValueError("the host or port of the PostgreSQL address cannot be read.") from error
        if not name:
            raise ValueError("a PostgreSQL address must end in the name of a database.")
        return url
    if separator and scheme == "sqlite" and rest.removeprefix("/"):
        return sqlite_url(Path(rest.removeprefix("/")).expanduser())
    if value:
        raise ValueError("use sqlite:///path/to/file or postgres://user:password@host:5432/database.")
    return ""


def clerk_issuer(key: str) -> str:
    """Return the issuer that a publishable key names, or an empty string."""
    match = re.fullmatch(r"pk_(?:test|live)_([A-Za-z0-9+/_-]+)=*", key)
    if not match:
        return ""
    text = match[1].replace("-", "+").replace("_", "/")
    try:
        host = base64.b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return f"https://{host[:-1]}" if re.fullmatch(r"[a-z0-9.-]+(:[0-9]+)?\$", host) else ""


YES_OR_NO = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("0", "false", "no", "off"), False)
LEVELS = {name.lower(): level for name, level in logging.getLevelNamesMapping().items()} | {"trace": TRACE}

TEXT = Parser("it must not be empty.", bool)
FREE_TEXT = Parser()
HEADER = Parser("a header may hold printable ASCII characters only.", _matches(r"[\x20-\x7f]*"))
GATEWAY_VERSION = Parser(
    "it must be a version such as 2026.3.13.", _matches(r"(v?\d{4}\.\d{1,2}\.\d{1,6}(-[0-9A-Za-z.]+)?)?")
)
FOLDER = Parser(read=lambda value: Path(value).expanduser())
BOOLEAN = _words("use true or false.", YES_OR_NO)
AUTO_BOOLEAN = _words("use true or false.", YES_OR_NO | {"auto": None})
NOT_NEGATIVE = Parser("use a whole number, 0 or more.", _matches(r"[0-9]{1,15}"), int)
POSITIVE = Parser("use a whole number, 1 or more.", _matches(r"(?!0+$)[0-9]{1,15}"), int)
# A migration needs two connections.
POOL_SIZE = Parser("use a whole number, 2 or more.", _matches(r"(?!0*[01]$)[0-9]{1,15}"), int)
PORT = Parser(
    "use a whole number from 0 to 65535.", lambda value: re.fullmatch("[0-9]{1,5}", value) and int(value) <= 65535, int
)
SECONDS = Parser(
    "use a number of seconds from 0 to 300.",
    lambda value: re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)?", value) and float(value) <= 300,
    float,
)
BASE_URL = Parser(
    "use an absolute address such as https://mission.example.org.", _is_address, lambda value: value.rstrip("/")
)
# Kept as written: issuers are compared exactly.
ADDRESS = Parser("use an absolute address such as https://login.example.org.", _is_issuer)
GIT_BASE_URL = Parser(
    "use an https address, or file:///path of a mirror.", _is_git_address, lambda value: value.rstrip("/")
)
DATABASE_URL = Parser(read=_database_url)
SMTP_URL = Parser(
    "use smtp://host:587 or smtps://host, with user:password@ before the host if it needs them.", _is_mail_server
)
SENDER = Parser('use an address such as "Mission Control <mission@example.org>".', _is_sender)
LOCAL_AUTH_TOKEN = Parser(read=_local_auth_token)
SECRET_KEY = Parser(
    f"it must be at least {SHORTEST_SECRET_KEY} characters long.",
    lambda value: not value or len(value) >= SHORTEST_SECRET_KEY,
)
PUBLISHABLE_KEY = Parser(
    "use the key that begins with pk_test_ or pk_live_.", lambda value: not value or clerk_issuer(value)
)
ORIGINS = Parser(
    "use origins such as https://app.example.org, separated by commas.",
    lambda value: all(_is_origin(origin.rstrip("/")) for origin in _listed(value)),
    lambda value: tuple(origin.rstrip("/") for origin in _listed(value)),
)
NETWORKS = Parser(read=_networks)
HOSTS = Parser(
    "use hosts such as push.example.org, without https://.",
    _matches(r"[A-Za-z0-9.:\[\], -]*"),
    lambda value: tuple(value.lower().replace(",", " ").split()),
)
WORDS = Parser(read=lambda value: tuple(value.replace(",", " ").split()))
LOG_LEVEL = Parser(
    "use TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL or a number.",
    lambda value: value.isdigit() or value.lower() in LEVELS,
    lambda value: int(value) if value.isdigit() else LEVELS[value.lower()],
)
LOG_FORMAT = _words("use text or json.", {"text": "text", "json": "json"})
AUTH_MODE = _words("use local, clerk or oidc.", {mode: mode for mode in ("local", "clerk", "oidc")})


def sqlite_url(file: Path) -> str:
    return f"sqlite:///{file}"


def sqlite_path(url: str) -> Path | None:
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def without_password(url: str) -> str:
    parts = urlsplit(url)
    if not parts.password and not parts.query:
        return url
    user = f"{parts.username or ''}:****@" if parts.password else ""
    return urlunsplit(parts._replace(netloc=f"{user}{parts.netloc.rpartition('@')[2]}", query=""))
