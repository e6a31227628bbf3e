"""The settings of a running program: all that an operator may make, read from the environment and checked at once."""

import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self
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


def setting(parse: values.Parser, default: str, doc: str, **more: object) -> Any:
    """Declare a field of `Settings`: how it is read, its default as an operator would write it, and what it means."""
    return field(metadata={"parse": parse, "default": default, "doc": doc, **more})


@dataclass(frozen=True)
class Settings:
    """The checked settings. Each is set by its name in capital letters."""

    host: str = setting(values.TEXT, "127.0.0.1", "Address to listen on; 0.0.0.0 for all.")
    port: int = setting(values.PORT, "8000", "TCP port to listen on; 0 takes a free one.")
    workers: int = setting(values.POSITIVE, "1", "Server processes; more than one needs PostgreSQL.")
    data_dir: Path = setting(values.FOLDER, "data", "Folder for the SQLite file and the secret key.")
    database_url: str = setting(
        values.DATABASE_URL,
        "",
        "Database; empty means <DATA_DIR>/mission-control.sqlite3. Also sqlite:///path or postgres://...",
        secret=True,
    )
    database_direct_url: str = setting(
        values.DATABASE_URL,
        "",
        "PostgreSQL itself, where DATABASE_URL is a pooler: for notifications and migrations. Empty: DATABASE_URL.",
        secret=True,
    )
    db_auto_migrate: bool = setting(values.BOOLEAN, "true", "Apply pending migrations when the server starts.")
    db_pool_size: int = setting(values.POOL_SIZE, "10", "PostgreSQL connections per process, 2 or more.")
    base_url: str = setting(
        values.BASE_URL,
        "",
        "Public http(s) address, for links in messages and webhooks; MCP and pages answer to it and local hosts only.",
    )
    smtp_url: str = setting(
        values.SMTP_URL,
        "",
        "Mail server that sends invitations, password links and what needs people, as smtp://user:password@host:587"
        " or smtps://...; empty sends none.",
        secret=True,
    )
    mail_from: str = setting(
        values.SENDER, "", "Address that mail comes from, such as Mission Control <mission@example.org>."
    )
    auth_mode: str = setting(
        values.AUTH_MODE,
        "local",
        "How people sign in: local (passwords), clerk, or oidc (any OpenID Connect provider).",
    )
    local_auth_token: str = setting(
        values.LOCAL_AUTH_TOKEN,
        "",
        "Optional bearer token of the instance owner in local mode, 50 characters or more; a setup code too.",
        secret=True,
    )
    oidc_issuer: str = setting(values.ADDRESS, "", "Issuer of the provider, exactly as its tokens name it.")
    oidc_client_id: str = setting(
        values.FREE_TEXT, "", "Client for signing in on pages; its redirect is <BASE_URL>/sign-in/callback."
    )
    oidc_client_secret: str = setting(
        values.FREE_TEXT, "", "Secret of that client; empty for a public one.", secret=True
    )
    oidc_audience: tuple[str, ...] = setting(
        values.WORDS, "", "Audiences of bearer tokens; without, they must be of OIDC_CLIENT_ID."
    )
    oidc_scopes: tuple[str, ...] = setting(values.WORDS, "openid email profile", "What signing in on pages asks for.")
    oidc_allowed_domains: tuple[str, ...] = setting(
        values.WORDS, "", "Domains of verified addresses that may sign in with the provider; empty lets in all."
    )
    oidc_allowed_groups: tuple[str, ...] = setting(
        values.WORDS, "", "Groups, as `groups` of its tokens names them, of which one is needed; empty needs none."
    )
    oidc_name: str = setting(values.FREE_TEXT, "", "What people call the provider; empty takes the issuer's host.")
    oidc_leeway: float = setting(values.SECONDS, "10", "Seconds that the provider's clock may differ.")
    clerk_secret_key: str = setting(values.FREE_TEXT, "", "Clerk's secret key, needed in clerk mode.", secret=True)
    clerk_publishable_key: str = setting(
        values.PUBLISHABLE_KEY,
        "",
        "Clerk's publishable key; it names the issuer, which is then checked.",
        former_name="NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY",
    )
    clerk_api_url: str = setting(values.ADDRESS, "https://api.clerk.com", "Clerk's backend.")
    clerk_leeway: float = setting(values.SECONDS, "10.0", "Seconds that Clerk's clock may differ.")
    clerk_verify_iat: bool = setting(values.BOOLEAN, "true", "Refuse Clerk's tokens that were issued in the future.")
    clerk_authorized_parties: tuple[str, ...] = setting(
        values.WORDS, "", "Origins whose session tokens count; empty takes all of the issuer's."
    )
    secret_key: str = setting(
        values.SECRET_KEY,
        "",
        "Signs cookies and encrypts secrets; made and kept in <DATA_DIR>/secret_key when unset.",
        secret=True,
    )
    secure_cookies: bool = setting(values.AUTO_BOOLEAN, "auto", "Send cookies over TLS only; auto: as BASE_URL says.")
    cors_origins: tuple[str, ...] = setting(values.ORIGINS, "", "Origins of other web clients, comma separated.")
    security_header_x_content_type_options: str = setting(
        values.HEADER, "nosniff", "X-Content-Type-Options of every answer; blank leaves it out.", keeps_blank=True
    )
    security_header_strict_transport_security: str = setting(
        values.HEADER,
        "max-age=31536000",
        "Strict-Transport-Security of every answer over HTTPS, also behind a trusted proxy; blank leaves it out.",
        keeps_blank=True,
    )
    security_header_x_frame_options: str = setting(
        values.HEADER, "DENY", "X-Frame-Options of every answer; blank leaves it out.", keeps_blank=True
    )
    security_header_referrer_policy: str = setting(
        values.HEADER,
        "strict-origin-when-cross-origin",
        "Referrer-Policy of every answer; blank leaves it out.",
        keeps_blank=True,
    )
    security_header_permissions_policy: str = setting(
        values.HEADER, "", "Permissions-Policy of every answer; blank leaves it out.", keeps_blank=True
    )
    agent_requests_per_minute: int = setting(
        values.NOT_NEGATIVE,
        "600",
        "Requests a minute of an agent, by all tokens without a number of their own, per server process; 0: no limit.",
    )
    agent_checkin_seconds: int = setting(
        values.POSITIVE,
        "300",
        "Seconds in which an agent on a gateway has to call after it was woken; it is woken three times.",
    )
    person_requests_per_minute: int = setting(
        values.NOT_NEGATIVE, "600", "The same of a person's API tokens; browsers have no limit."
    )
    activity_days: int = setting(
        values.NOT_NEGATIVE, "30", "Days for which what agents did in their sessions is kept; 0: for ever."
    )
    max_body_bytes: int = setting(values.POSITIVE, "1048576", "Largest request body; more is answered 413.")
    webhook_max_payload_bytes: int = setting(
        values.POSITIVE, "1048576", "Largest payload that a board's webhook takes; more is answered 413."
    )
    max_file_bytes: int = setting(values.POSITIVE, "10485760", "Largest request that attaches a file to a task.")
    import_max_bytes: int = setting(values.POSITIVE, "20971520", "Largest file that a board can be imported from.")
    response_cache_mb: int = setting(
        values.NOT_NEGATIVE,
        "64",
        "Megabytes of answers that each process keeps while nothing they show changes; 0: none.",
    )
    max_bodies_bytes: int = setting(
        values.POSITIVE,
        "134217728",
        "Request bodies held at the same time, of one address half of it; those above 64 KiB leave a quarter free."
        " More is answered 503.",
    )
    gateway_min_version: str = setting(
        values.GATEWAY_VERSION, "2026.02.9", "Oldest OpenClaw gateway that is accepted.", keeps_blank=True
    )
    outbound_allow_private: bool = setting(
        values.BOOLEAN, "false", "Let requests to the outside reach private and loopback addresses."
    )
    push_hosts: tuple[str, ...] = setting(
        values.HOSTS,
        "",
        "Push services besides those of the browsers' makers, as push.example.org or with a port, comma separated.",
    )
    reach_channels: tuple[str, ...] = setting(
        values.WORDS, "", "Modules with channels of your own, which are imported at the start, comma separated."
    )
    gateways_allow_private: bool | None = setting(
        values.AUTO_BOOLEAN,
        "auto",
        "Let gateways be at private and loopback addresses; auto: those of the first organization.",
    )
    souls_directory_url: str = setting(
        values.BASE_URL, "https://souls.directory", "Where souls are searched; blank: nowhere.", keeps_blank=True
    )
    skills_git_base_url: str = setting(
        values.GIT_BASE_URL,
        "https://github.com",
        "Where the repositories of skill packs are cloned from: GitHub, or a mirror of it.",
    )
    trusted_proxies: tuple[values.Network, ...] = setting(
        values.NETWORKS,
        "",
        "Addresses or networks of reverse proxies whose X-Forwarded-* headers count, comma separated.",
    )
    max_connections_per_address: int = setting(
        values.POSITIVE,
        "1000",
        "Open connections of one address (/64 of IPv6), and of each caller who is known by a token or session, per"
        " server process, at most half of its files."
        " Of clients behind TRUSTED_PROXIES: requests at the same time.",
    )
    http2: bool = setting(values.BOOLEAN, "false", "Speak HTTP/2 without TLS (h2c) too, for a proxy that wants it.")
    environment: str = setting(values.TEXT, "dev", "Name of this installation, shown in logs.")
    log_level: int = setting(values.LOG_LEVEL, "INFO", "A level name, TRACE among them, or a number.")
    log_format: str = setting(values.LOG_FORMAT, "text", "text or json (one object a line).")
    log_use_utc: bool = setting(values.BOOLEAN, "false", "Print UTC times in text logs.")
    request_log_slow_ms: int = setting(values.NOT_NEGATIVE, "1000", "Warn about slower requests; 0 turns it off.")
    request_log_include_health: bool = setting(values.BOOLEAN, "false", "Log health checks as well.")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the process environment and, below it, a `.env` file; or exactly `environ` when given.

        Raises ConfigError with one sentence for every wrong value.
        """
        if environ is None:
            environ = read_env_file(Path(".env")) | dict(os.environ)
        raw = {name.upper(): value.strip() for name, value in environ.items()}
        parsed = _parse_all(raw)
        parsed["database_url"] = parsed["database_url"] or values.sqlite_url(
            parsed["data_dir"] / "mission-control.sqlite3"
        )
        if parsed["secure_cookies"] is None:
            parsed["secure_cookies"] = parsed["base_url"].startswith("https://")
        return cls(**parsed)

    @property
    def direct_url(self) -> str:
        """Return the address of the database without a pooler in between."""
        return self.database_direct_url or self.database_url

    @property
    def sqlite_path(self) -> Path | None:
        return values.sqlite_path(self.database_url)

    @property
    def uses_sqlite(self) -> bool:
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
        shown = {row.name: _printed(getattr(self, row.name.lower()), is_secret=row.secret) for row in SETTINGS}
        level = "TRACE" if self.log_level == values.TRACE else logging.getLevelName(self.log_level)
        return shown | {
            "DATABASE_URL": values.without_password(self.database_url),
            "DATABASE_DIRECT_URL": values.without_password(self.database_direct_url),
            "LOG_LEVEL": level.removeprefix("Level "),
        }


def _printed(value: object, *, is_secret: bool) -> str:
    """Return a checked value as an operator would write it."""
    if is_secret:
        return "(set)" if value else "(not set)"
    if value is None:
        return "auto"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_env_file(file: Path) -> dict[str, str]:
    """Read NAME=value lines; `#` starts a comment line, quotes around a value and `export` are dropped."""
    found: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        name, separator, value = line.strip().removeprefix("export ").partition("=")
        if separator and not name.startswith("#"):
            quoted = re.fullmatch(r"(['\"])(.*)\1", value.strip())
            found[name.strip()] = quoted[2] if quoted else value.strip().split(" #", 1)[0].rstrip()
    return found


def _parse_all(raw: Mapping[str, str]) -> dict[str, Any]:
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
    if problems := problems or list(_lacking(parsed)):
        raise ConfigError(problems)
    return parsed


def _lacking(parsed: Mapping[str, Any]) -> Iterator[str]:
    """Yield one sentence for each setting that the chosen way to sign in, or sending mail, lacks."""
    if parsed["auth_mode"] == "clerk" and not parsed["clerk_secret_key"]:
        yield "AUTH_MODE=clerk needs CLERK_SECRET_KEY."
    if parsed["auth_mode"] == "oidc":
        if not parsed["oidc_issuer"]:
            yield "AUTH_MODE=oidc needs OIDC_ISSUER."
        elif not (parsed["oidc_client_id"] or parsed["oidc_audience"]):
            yield "AUTH_MODE=oidc needs OIDC_CLIENT_ID for signing in on pages, or OIDC_AUDIENCE for bearer tokens."
    if parsed["database_direct_url"] and not all(
        parsed[name].startswith("postgres://") for name in ("database_url", "database_direct_url")
    ):
        yield "DATABASE_DIRECT_URL is for PostgreSQL: it and DATABASE_URL must begin with postgres://."
    if parsed["smtp_url"]:
        if not parsed["mail_from"]:
            yield "SMTP_URL needs MAIL_FROM, the address that mail comes from."
        if not parsed["base_url"]:
            yield "SMTP_URL needs BASE_URL, because mails hold links."


# All of them, in the order in which they are printed.
SETTINGS = tuple(Setting(one.name.upper(), **one.metadata) for one in fields(Settings))
