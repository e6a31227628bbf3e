"""The settings of a running program, read from the environment and checked all at once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import urlsplit

from mission_control import config_identity as identity
from mission_control import config_mail as mail
from mission_control import config_values as values
from mission_control.config_table import SETTINGS, Setting
from mission_control.config_values import ConfigError

__all__ = ["ConfigError", "Settings", "read_env_file"]


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
    smtp_url: str
    mail_from: str
    auth_mode: str
    local_auth_token: str
    oidc_issuer: str
    oidc_client_id: str
    oidc_client_secret: str
    oidc_audience: tuple[str, ...]
    oidc_scopes: tuple[str, ...]
    oidc_allowed_domains: tuple[str, ...]
    oidc_allowed_groups: tuple[str, ...]
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
    agent_checkin_seconds: int
    person_requests_per_minute: int
    max_body_bytes: int
    webhook_max_payload_bytes: int
    max_file_bytes: int
    import_max_bytes: int
    max_bodies_bytes: int
    gateway_min_version: str
    outbound_allow_private: bool
    gateways_allow_private: bool | None
    souls_directory_url: str
    skills_git_base_url: str
    trusted_proxies: tuple[values.Network, ...]
    max_connections_per_address: int
    http2: bool
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
    if problems := [*identity.missing(parsed), *mail.missing(parsed)]:
        raise ConfigError(problems)
    if not parsed["database_url"]:
        file = cast(Path, parsed["data_dir"]) / "mission-control.sqlite3"
        parsed["database_url"] = values.sqlite_url(file)
    if parsed["secure_cookies"] is None:
        parsed["secure_cookies"] = parsed["base_url"].startswith("https://")
    return parsed


assert [field.name for field in fields(Settings)] == [row.name.lower() for row in SETTINGS]
