"""The settings of a running program: all that an operator may make, read from the environment and checked at once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import urlsplit

from mission_control import config_values as values
from mission_control.config_values import ConfigError

__all__ = ["SETTINGS", "ConfigError", "Setting", "Settings", "read_env_file"]


@dataclass(frozen=True)
class Setting:
    """What an operator may set, and what it means."""

    name: str
    parse: values.Parser
    default: str
    doc: str
    secret: bool = False
    keeps_blank: bool = False
    former_name: str = ""

    @property
    def type(self) -> str:
        """Return the word for the values this setting takes."""
        return values.TYPE_NAMES[self.parse]


def setting(parse: values.Parser, default: str, doc: str, **more: object) -> Any:
    """Declare a field of `Settings`: how it is read, its default as an operator would write it, and what it means."""
    return field(metadata={"parse": parse, "default": default, "doc": doc, **more})


@dataclass(frozen=True)
class Settings:
    """The checked settings. Each is set by its name in capital letters."""

    host: str = setting(values.text, "127.0.0.1", "Address to listen on; 0.0.0.0 for all.")
    port: int = setting(values.port, "8000", "TCP port to listen on; 0 takes a free one.")
    workers: int = setting(values.positive, "1", "Server processes; more than one needs PostgreSQL.")
    data_dir: Path = setting(values.path, "data", "Folder for the SQLite file and the secret key.")
    database_url: str = setting(
        values.database_url,
        "",
        "Database; empty means <DATA_DIR>/mission-control.sqlite3. Also sqlite:///path or postgres://...",
        secret=True,
    )
    db_auto_migrate: bool = setting(values.boolean, "true", "Apply pending migrations when the server starts.")
    db_pool_size: int = setting(values.pool_size, "10", "PostgreSQL connections per process, 2 or more.")
    base_url: str = setting(
        values.base_url,
        "",
        "Public http(s) address, for links in messages and webhooks; MCP and pages answer to it and local hosts only.",
    )
    smtp_url: str = setting(
        values.smtp_url,
        "",
        "Mail server that sends invitations and password links, as smtp://user:password@host:587 or smtps://...;"
        " empty sends none.",
        secret=True,
    )
    mail_from: str = setting(
        values.sender, "", "Address that mail comes from, such as Mission Control <mission@example.org>."
    )
    auth_mode: str = setting(
        values.auth_mode,
        "local",
        "How people sign in: local (passwords), clerk, or oidc (any OpenID Connect provider).",
    )
    local_auth_token: str = setting(
        values.local_auth_token,
        "",
        "Optional bearer token of the instance owner in local mode, 50 characters or more; a setup code too.",
        secret=True,
    )
    oidc_issuer: str = setting(values.address, "", "Issuer of the provider, exactly as its tokens name it.")
    oidc_client_id: str = setting(
        values.free_text, "", "Client for signing in on pages; its redirect is <BASE_URL>/sign-in/callback."
    )
    oidc_client_secret: str = setting(
        values.free_text, "", "Secret of that client; empty for a public one.", secret=True
    )
    oidc_audience: tuple[str, ...] = setting(
        values.words, "", "Audiences of bearer tokens; without, they must be of OIDC_CLIENT_ID."
    )
    oidc_scopes: tuple[str, ...] = setting(values.words, "openid email profile", "What signing in on pages asks for.")
    oidc_allowed_domains: tuple[str, ...] = setting(
        values.words, "", "Domains of verified addresses that may sign in with the provider; empty lets in all."
    )
    oidc_allowed_groups: tuple[str, ...] = setting(
        values.words, "", "Groups, as `groups` of its tokens names them, of which one is needed; empty needs none."
    )
    oidc_name: str = setting(values.free_text, "", "What people call the provider; empty takes the issuer's host.")
    oidc_leeway: float = setting(values.seconds, "10", "Seconds that the provider's clock may differ.")
    clerk_secret_key: str = setting(values.free_text, "", "Clerk's secret key, needed in clerk mode.", secret=True)
    clerk_publishable_key: str = setting(
        values.publishable_key,
        "",
        "Clerk's publishable key; it names the issuer, which is then checked.",
        former_name="NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY",
    )
    clerk_api_url: str = setting(values.address, "https://api.clerk.com", "Clerk's backend.")
    clerk_leeway: float = setting(values.seconds, "10.0", "Seconds that Clerk's clock may differ.")
    clerk_verify_iat: bool = setting(values.boolean, "true", "Refuse Clerk's tokens that were issued in the future.")
    clerk_authorized_parties: tuple[str, ...] = setting(
        values.words, "", "Origins whose session tokens count; empty takes all of the issuer's."
    )
    secret_key: str = setting(
        values.secret_key,
        "",
        "Signs cookies and encrypts secrets; made and kept in <DATA_DIR>/secret_key when unset.",
        secret=True,
    )
    secure_cookies: bool = setting(values.auto_boolean, "auto", "Send cookies over TLS only; auto: as BASE_URL says.")
    cors_origins: tuple[str, ...] = setting(values.origins, "", "Origins of other web clients, comma separated.")
    security_header_x_content_type_options: str = setting(
        values.header, "nosniff", "X-Content-Type-Options of every answer; blank leaves it out.", keeps_blank=True
    )
    security_header_x_frame_options: str = setting(
        values.header, "DENY", "X-Frame-Options of every answer; blank leaves it out.", keeps_blank=True
    )
    security_header_referrer_policy: str = setting(
        values.header,
        "strict-origin-when-cross-origin",
        "Referrer-Policy of every answer; blank leaves it out.",
        keeps_blank=True,
    )
    security_header_permissions_policy: str = setting(
        values.header, "", "Permissions-Policy of every answer; blank leaves it out.", keeps_blank=True
    )
    agent_requests_per_minute: int = setting(
        values.not_negative,
        "600",
        "Requests a minute of an agent, by all tokens without a number of their own, per server process; 0: no limit.",
    )
    agent_checkin_seconds: int = setting(
        values.positive,
        "300",
        "Seconds in which an agent on a gateway has to call after it was woken; it is woken three times.",
    )
    person_requests_per_minute: int = setting(
        values.not_negative, "600", "The same of a person's API tokens; browsers have no limit."
    )
    max_body_bytes: int = setting(values.positive, "1048576", "Largest request body; more is answered 413.")
    webhook_max_payload_bytes: int = setting(
        values.positive, "1048576", "Largest payload that a board's webhook takes; more is answered 413."
    )
    max_file_bytes: int = setting(values.positive, "10485760", "Largest request that attaches a file to a task.")
    import_max_bytes: int = setting(values.positive, "20971520", "Largest file that a board can be imported from.")
    max_bodies_bytes: int = setting(
        values.positive,
        "134217728",
        "Request bodies held at the same time, of one address half of it; those above 64 KiB leave a quarter free."
        " More is answered 503.",
    )
    gateway_min_version: str = setting(
        values.gateway_version, "2026.02.9", "Oldest OpenClaw gateway that is accepted.", keeps_blank=True
    )
    outbound_allow_private: bool = setting(
        values.boolean, "false", "Let requests to the outside reach private and loopback addresses."
    )
    gateways_allow_private: bool | None = setting(
        values.auto_boolean,
        "auto",
        "Let gateways be at private and loopback addresses; auto: while there is one organization.",
    )
    souls_directory_url: str = setting(
        values.base_url, "https://souls.directory", "Where souls are searched; blank: nowhere.", keeps_blank=True
    )
    skills_git_base_url: str = setting(
        values.git_base_url,
        "https://github.com",
        "Where the repositories of skill packs are cloned from: GitHub, or a mirror of it.",
    )
    trusted_proxies: tuple[values.Network, ...] = setting(
        values.networks,
        "",
        "Addresses or networks of reverse proxies whose X-Forwarded-* headers count, comma separated.",
    )
    max_connections_per_address: int = setting(
        values.positive,
        "1000",
        "Open connections of one address (/64 of IPv6) per server process, at most half of its files."
        " Of clients behind TRUSTED_PROXIES: requests at the same time.",
    )
    http2: bool = setting(values.boolean, "false", "Speak HTTP/2 without TLS (h2c) too, for a proxy that wants it.")
    environment: str = setting(values.text, "dev", "Name of this installation, shown in logs.")
    log_level: int = setting(values.log_level, "INFO", "A level name, TRACE among them, or a number.")
    log_format: str = setting(values.log_format, "text", "text or json (one object a line).")
    log_use_utc: bool = setting(values.boolean, "false", "Print UTC times in text logs.")
    request_log_slow_ms: int = setting(values.not_negative, "1000", "Warn about slower requests; 0 turns it off.")
    request_log_include_health: bool = setting(values.boolean, "false", "Log health checks as well.")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the process environment and, below it, a `.env` file; or exactly `environ` when given.

        Raises ConfigError with one sentence for every wrong value.
        """
        if environ is None:
            environ = read_env_file(Path(".env")) | dict(os.environ)
        raw = {name.upper(): value.strip() for name, value in environ.items()}
        return cls(**_with_derived(_parse_all(raw)))

    @property
    def sqlite_path(self) -> Path | None:
        """Return the SQLite file, or None on PostgreSQL."""
        return values.sqlite_path(self.database_url)

    @property
    def uses_sqlite(self) -> bool:
        """Return whether the database is a SQLite file."""
        return self.sqlite_path is not None

    @property
    def issuer(self) -> str:
        """Return the identity provider's issuer, empty in local mode or when nothing names it."""
        if self.auth_mode == "local":
            return ""
        return self.oidc_issuer or values.clerk_issuer(self.clerk_publishable_key)

    @property
    def sign_in_provider(self) -> str:
        """Return the name of the provider with which people sign in on pages, empty when there is none."""
        if not (self.issuer and self.oidc_client_id):
            return ""
        return self.oidc_name or urlsplit(self.issuer).netloc

    def masked(self) -> dict[str, str]:
        """Return every setting as text for people, secrets masked."""
        return {row.name: self._masked(row) for row in SETTINGS}

    def _masked(self, row: Setting) -> str:
        value = getattr(self, row.name.lower())
        if row.name == "DATABASE_URL":
            return values.without_password(self.database_url)
        if row.name == "LOG_LEVEL":
            return values.level_name(self.log_level)
        if row.secret:
            return "(set)" if value else "(not set)"
        return values.printed(value)


def read_env_file(file: Path) -> dict[str, str]:
    """Read NAME=value lines; `#` starts a comment line, quotes around a value and `export` are dropped."""
    if not file.is_file():
        return {}
    found: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        name, separator, value = line.strip().removeprefix("export ").partition("=")
        if separator and not name.startswith("#"):
            found[name.strip()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value.split(" #", 1)[0].rstrip()


def _parse_all(raw: Mapping[str, str]) -> dict[str, object]:
    parsed: dict[str, Any] = {}
    problems: list[str] = []
    for row in SETTINGS:
        given = raw.get(row.name) or raw.get(row.former_name) if row.former_name else raw.get(row.name)
        value = row.default if given is None or (not given and not row.keeps_blank) else given
        try:
            parsed[row.name.lower()] = row.parse(value)
        except ValueError as error:
            refused = f"{row.name} is wrong" if row.secret else f'{row.name} cannot be "{value}"'
            problems.append(f"{refused}: {error}")
    if problems:
        raise ConfigError(problems)
    return parsed


def _with_derived(parsed: dict[str, Any]) -> dict[str, Any]:
    if problems := [*values.missing_of_provider(parsed), *values.missing_of_mail(parsed)]:
        raise ConfigError(problems)
    if not parsed["database_url"]:
        file = cast(Path, parsed["data_dir"]) / "mission-control.sqlite3"
        parsed["database_url"] = values.sqlite_url(file)
    if parsed["secure_cookies"] is None:
        parsed["secure_cookies"] = parsed["base_url"].startswith("https://")
    return parsed


# All of them, in the order in which they are printed.
SETTINGS = tuple(Setting(one.name.upper(), **one.metadata) for one in fields(Settings))
