"""Every setting of the program: one table, read from the environment, checked all at once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import urlsplit

from mission_control import config_identity as identity
from mission_control import config_values as values
from mission_control.config_values import ConfigError

__all__ = ["SETTINGS", "ConfigError", "Setting", "Settings", "read_env_file"]


@dataclass(frozen=True)
class Setting:
    """One row of the table: what an operator may set, and what it means."""

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


SETTINGS: tuple[Setting, ...] = (
    Setting("HOST", values.text, "127.0.0.1", "Address to listen on; 0.0.0.0 for all."),
    Setting("PORT", values.port, "8000", "TCP port to listen on; 0 takes a free one."),
    Setting("WORKERS", values.positive, "1", "Server processes; more than one needs PostgreSQL."),
    Setting("DATA_DIR", values.path, "data", "Folder for the SQLite file and the secret key."),
    Setting(
        "DATABASE_URL",
        values.database_url,
        "",
        "Database; empty means <DATA_DIR>/mission-control.sqlite3. Also sqlite:///path or postgres://...",
        secret=True,
    ),
    Setting("DB_AUTO_MIGRATE", values.boolean, "true", "Apply pending migrations when the server starts."),
    Setting("DB_POOL_SIZE", values.pool_size, "10", "PostgreSQL connections per process, 2 or more."),
    Setting(
        "BASE_URL",
        values.base_url,
        "",
        "Public http(s) address, for links in messages and webhooks; MCP answers to its host.",
    ),
    Setting(
        "AUTH_MODE",
        identity.auth_mode,
        "local",
        "How people sign in: local (passwords), clerk, or oidc (any OpenID Connect provider).",
    ),
    Setting(
        "LOCAL_AUTH_TOKEN",
        values.local_auth_token,
        "",
        "Optional bearer token of the instance owner in local mode, 50 characters or more.",
        secret=True,
    ),
    Setting("OIDC_ISSUER", identity.address, "", "Issuer of the provider, exactly as its tokens name it."),
    Setting(
        "OIDC_CLIENT_ID",
        identity.free_text,
        "",
        "Client for signing in on pages; its redirect is <BASE_URL>/sign-in/callback.",
    ),
    Setting(
        "OIDC_CLIENT_SECRET", identity.free_text, "", "Secret of that client; empty for a public one.", secret=True
    ),
    Setting(
        "OIDC_AUDIENCE", identity.words, "", "Audiences of bearer tokens; without, they must be of OIDC_CLIENT_ID."
    ),
    Setting("OIDC_SCOPES", identity.words, "openid email profile", "What signing in on pages asks for."),
    Setting("OIDC_NAME", identity.free_text, "", "What people call the provider; empty takes the issuer's host."),
    Setting("OIDC_LEEWAY", identity.seconds, "10", "Seconds that the provider's clock may differ."),
    Setting("CLERK_SECRET_KEY", identity.free_text, "", "Clerk's secret key, needed in clerk mode.", secret=True),
    Setting(
        "CLERK_PUBLISHABLE_KEY",
        identity.publishable_key,
        "",
        "Clerk's publishable key; it names the issuer, which is then checked.",
        former_name="NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY",
    ),
    Setting("CLERK_API_URL", identity.address, "https://api.clerk.com", "Clerk's backend."),
    Setting("CLERK_LEEWAY", identity.seconds, "10.0", "Seconds that Clerk's clock may differ."),
    Setting("CLERK_VERIFY_IAT", values.boolean, "true", "Refuse Clerk's tokens that were issued in the future."),
    Setting(
        "CLERK_AUTHORIZED_PARTIES",
        identity.words,
        "",
        "Origins whose session tokens count; empty takes all of the issuer's.",
    ),
    Setting(
        "SECRET_KEY",
        values.secret_key,
        "",
        "Signs cookies and encrypts secrets; made and kept in <DATA_DIR>/secret_key when unset.",
        secret=True,
    ),
    Setting("SECURE_COOKIES", values.auto_boolean, "auto", "Send cookies over TLS only; auto: as BASE_URL says."),
    Setting("CORS_ORIGINS", values.origins, "", "Origins of other web clients, comma separated."),
    Setting(
        "SECURITY_HEADER_X_CONTENT_TYPE_OPTIONS",
        values.header,
        "nosniff",
        "X-Content-Type-Options of every answer; blank leaves it out.",
        keeps_blank=True,
    ),
    Setting(
        "SECURITY_HEADER_X_FRAME_OPTIONS",
        values.header,
        "DENY",
        "X-Frame-Options of every answer; blank leaves it out.",
        keeps_blank=True,
    ),
    Setting(
        "SECURITY_HEADER_REFERRER_POLICY",
        values.header,
        "strict-origin-when-cross-origin",
        "Referrer-Policy of every answer; blank leaves it out.",
        keeps_blank=True,
    ),
    Setting(
        "SECURITY_HEADER_PERMISSIONS_POLICY",
        values.header,
        "",
        "Permissions-Policy of every answer; blank leaves it out.",
        keeps_blank=True,
    ),
    Setting(
        "AGENT_REQUESTS_PER_MINUTE",
        values.not_negative,
        "600",
        "Requests a minute of an agent's token whose own number is not set, per server process; 0: no limit.",
    ),
    Setting(
        "PERSON_REQUESTS_PER_MINUTE",
        values.not_negative,
        "600",
        "The same of a person's API token; browsers have no limit.",
    ),
    Setting("MAX_BODY_BYTES", values.positive, "1048576", "Largest request body; more is answered 413."),
    Setting(
        "WEBHOOK_MAX_PAYLOAD_BYTES",
        values.positive,
        "1048576",
        "Largest payload that a board's webhook takes; more is answered 413.",
    ),
    Setting("MAX_FILE_BYTES", values.positive, "10485760", "Largest request that attaches a file to a task."),
    Setting("IMPORT_MAX_BYTES", values.positive, "20971520", "Largest file that a board can be imported from."),
    Setting(
        "OUTBOUND_ALLOW_PRIVATE",
        values.boolean,
        "false",
        "Let requests to the outside reach private and loopback addresses.",
    ),
    Setting(
        "SOULS_DIRECTORY_URL",
        values.base_url,
        "https://souls.directory",
        "Where souls are searched; blank: nowhere.",
        keeps_blank=True,
    ),
    Setting(
        "SKILLS_GIT_BASE_URL",
        values.git_base_url,
        "https://github.com",
        "Where the repositories of skill packs are cloned from: GitHub, or a mirror of it.",
    ),
    Setting(
        "TRUSTED_PROXIES",
        values.networks,
        "",
        "Addresses or networks of reverse proxies whose X-Forwarded-* headers count, comma separated.",
    ),
    Setting("ENVIRONMENT", values.text, "dev", "Name of this installation, shown in logs."),
    Setting("LOG_LEVEL", values.log_level, "INFO", "A level name, TRACE among them, or a number."),
    Setting("LOG_FORMAT", values.log_format, "text", "text or json (one object a line)."),
    Setting("LOG_USE_UTC", values.boolean, "false", "Print UTC times in text logs."),
    Setting("REQUEST_LOG_SLOW_MS", values.not_negative, "1000", "Warn about slower requests; 0 turns it off."),
    Setting("REQUEST_LOG_INCLUDE_HEALTH", values.boolean, "false", "Log health checks as well."),
)


@dataclass(frozen=True)
class Settings:
    """The checked settings; one field for each row of `SETTINGS`, in lower case."""

    host: str
    port: int
    workers: int
    data_dir: Path
    database_url: str
    db_auto_migrate: bool
    db_pool_size: int
    base_url: str
    auth_mode: str
    local_auth_token: str
    oidc_issuer: str
    oidc_client_id: str
    oidc_client_secret: str
    oidc_audience: tuple[str, ...]
    oidc_scopes: tuple[str, ...]
    oidc_name: str
    oidc_leeway: float
    clerk_secret_key: str
    clerk_publishable_key: str
    clerk_api_url: str
    clerk_leeway: float
    clerk_verify_iat: bool
    clerk_authorized_parties: tuple[str, ...]
    secret_key: str
    secure_cookies: bool
    cors_origins: tuple[str, ...]
    security_header_x_content_type_options: str
    security_header_x_frame_options: str
    security_header_referrer_policy: str
    security_header_permissions_policy: str
    agent_requests_per_minute: int
    person_requests_per_minute: int
    max_body_bytes: int
    webhook_max_payload_bytes: int
    max_file_bytes: int
    import_max_bytes: int
    outbound_allow_private: bool
    souls_directory_url: str
    skills_git_base_url: str
    trusted_proxies: tuple[values.Network, ...]
    environment: str
    log_level: int
    log_format: str
    log_use_utc: bool
    request_log_slow_ms: int
    request_log_include_health: bool

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
        return self.oidc_issuer or identity.clerk_issuer(self.clerk_publishable_key)

    @property
    def sign_in_provider(self) -> str:
        """Return the name of the provider with which people sign in on pages, empty when there is none."""
        if not (self.issuer and self.oidc_client_id):
            return ""
        return self.oidc_name or urlsplit(self.issuer).netloc

    def shown(self) -> dict[str, str]:
        """Return every setting as text for people, secrets masked."""
        return {row.name: self._shown(row) for row in SETTINGS}

    def _shown(self, row: Setting) -> str:
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
    if problems:
        raise ConfigError(problems)
    return parsed


def _with_derived(parsed: dict[str, Any]) -> dict[str, Any]:
    if problems := identity.missing(parsed):
        raise ConfigError(problems)
    if not parsed["database_url"]:
        file = cast(Path, parsed["data_dir"]) / "mission-control.sqlite3"
        parsed["database_url"] = values.sqlite_url(file)
    if parsed["secure_cookies"] is None:
        parsed["secure_cookies"] = parsed["base_url"].startswith("https://")
    return parsed


assert [field.name for field in fields(Settings)] == [row.name.lower() for row in SETTINGS]
