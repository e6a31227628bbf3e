"""The settings: read from the environment and checked at once. The README says what each means.

A table of our own: importing pydantic, for its settings, would nearly double the start of the command line.
"""

import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from mission_control.core import setting_values as values
from mission_control.core.setting_values import ConfigError

__all__ = ["SETTINGS", "ConfigError", "Settings", "read_env_file"]


class Setting(NamedTuple):
    """How a setting is read, and its default as an operator would write it."""

    parse: values.Parser
    default: str = ""
    secret: bool = False
    keeps_blank: bool = False
    former_name: str = ""


def setting(parse: values.Parser, default: str = "", **more: Any) -> Any:
    """Declare a field of `Settings`."""
    return field(metadata={"setting": Setting(parse, default, **more)})


@dataclass(frozen=True)
class Settings:
    """The checked settings. Each is set by its name in capital letters."""

    host: str = setting(values.TEXT, "127.0.0.1")
    port: int = setting(values.PORT, "8000")
    workers: int = setting(values.POSITIVE, "1")
    data_dir: Path = setting(values.FOLDER, "data")
    database_url: str = setting(values.DATABASE_URL, secret=True)
    database_direct_url: str = setting(values.DATABASE_URL, secret=True)
    db_auto_migrate: bool = setting(values.BOOLEAN, "true")
    db_pool_size: int = setting(values.POOL_SIZE, "10")
    base_url: str = setting(values.BASE_URL)
    smtp_url: str = setting(values.SMTP_URL, secret=True)
    mail_from: str = setting(values.SENDER)
    auth_mode: str = setting(values.AUTH_MODE, "local")
    local_auth_token: str = setting(values.LOCAL_AUTH_TOKEN, secret=True)
    oidc_issuer: str = setting(values.ADDRESS)
    oidc_client_id: str = setting(values.FREE_TEXT)
    oidc_client_secret: str = setting(values.FREE_TEXT, secret=True)
    oidc_audience: tuple[str, ...] = setting(values.WORDS)
    oidc_scopes: tuple[str, ...] = setting(values.WORDS, "openid email profile")
    oidc_allowed_domains: tuple[str, ...] = setting(values.WORDS)
    oidc_allowed_groups: tuple[str, ...] = setting(values.WORDS)
    oidc_name: str = setting(values.FREE_TEXT)
    oidc_leeway: float = setting(values.SECONDS, "10")
    clerk_secret_key: str = setting(values.FREE_TEXT, secret=True)
    clerk_publishable_key: str = setting(values.PUBLISHABLE_KEY, former_name="NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY")
    clerk_api_url: str = setting(values.ADDRESS, "https://api.clerk.com")
    clerk_leeway: float = setting(values.SECONDS, "10.0")
    clerk_verify_iat: bool = setting(values.BOOLEAN, "true")
    clerk_authorized_parties: tuple[str, ...] = setting(values.WORDS)
    secret_key: str = setting(values.SECRET_KEY, secret=True)
    secure_cookies: bool = setting(values.AUTO_BOOLEAN, "auto")
    cors_origins: tuple[str, ...] = setting(values.ORIGINS)
    security_header_x_content_type_options: str = setting(values.HEADER, "nosniff", keeps_blank=True)
    security_header_strict_transport_security: str = setting(values.HEADER, "max-age=31536000", keeps_blank=True)
    security_header_x_frame_options: str = setting(values.HEADER, "DENY", keeps_blank=True)
    security_header_referrer_policy: str = setting(values.HEADER, "strict-origin-when-cross-origin", keeps_blank=True)
    security_header_permissions_policy: str = setting(values.HEADER, keeps_blank=True)
    agent_requests_per_minute: int = setting(values.NOT_NEGATIVE, "600")
    agent_checkin_seconds: int = setting(values.POSITIVE, "300")
    person_requests_per_minute: int = setting(values.NOT_NEGATIVE, "600")
    activity_days: int = setting(values.NOT_NEGATIVE, "30")
    max_body_bytes: int = setting(values.POSITIVE, "1048576")
    webhook_max_payload_bytes: int = setting(values.POSITIVE, "1048576")
    max_file_bytes: int = setting(values.POSITIVE, "10485760")
    import_max_bytes: int = setting(values.POSITIVE, "20971520")
    response_cache_mb: int = setting(values.NOT_NEGATIVE, "64")
    max_bodies_bytes: int = setting(values.POSITIVE, "134217728")
    gateway_min_version: str = setting(values.GATEWAY_VERSION, "2026.02.9", keeps_blank=True)
    outbound_allow_private: bool = setting(values.BOOLEAN, "false")
    push_hosts: tuple[str, ...] = setting(values.HOSTS)
    reach_channels: tuple[str, ...] = setting(values.WORDS)
    gateways_allow_private: bool | None = setting(values.AUTO_BOOLEAN, "auto")
    souls_directory_url: str = setting(values.BASE_URL, "https://souls.directory", keeps_blank=True)
    skills_git_base_url: str = setting(values.GIT_BASE_URL, "https://github.com")
    trusted_proxies: tuple[values.Network, ...] = setting(values.NETWORKS)
    max_connections_per_address: int = setting(values.POSITIVE, "1000")
    http2: bool = setting(values.BOOLEAN, "false")
    environment: str = setting(values.TEXT, "dev")
    log_level: int = setting(values.LOG_LEVEL, "INFO")
    log_format: str = setting(values.LOG_FORMAT, "text")
    log_use_utc: bool = setting(values.BOOLEAN, "false")
    request_log_slow_ms: int = setting(values.NOT_NEGATIVE, "1000")
    request_log_include_health: bool = setting(values.BOOLEAN, "false")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the process environment and, below it, a `.env` file; or exactly `environ` when given.

        Raises ConfigError with one sentence for every wrong value.
        """
        if environ is None:
            environ = read_env_file(Path(".env")) | dict(os.environ)
        parsed = _parse_all({name.upper(): value.strip() for name, value in environ.items()})
        parsed["database_url"] = parsed["database_url"] or values.sqlite_url(
            parsed["data_dir"] / "mission-control.sqlite3"
        )
        if parsed["secure_cookies"] is None:
            parsed["secure_cookies"] = parsed["base_url"].startswith("https://")
        settings = cls(**parsed)
        if problems := list(settings._missing()):
            raise ConfigError(problems)
        return settings

    def _missing(self) -> Iterator[str]:
        """Yield one sentence for each setting that the chosen way to sign in, or sending mail, lacks."""
        yield from self._missing_to_sign_in()
        urls = (self.database_url, self.database_direct_url)
        if urls[1] and not all(url.startswith("postgres://") for url in urls):
            yield "DATABASE_DIRECT_URL is for PostgreSQL: it and DATABASE_URL must begin with postgres://."
        if self.smtp_url and not self.mail_from:
            yield "SMTP_URL needs MAIL_FROM, the address that mail comes from."
        if self.smtp_url and not self.base_url:
            yield "SMTP_URL needs BASE_URL, because mails hold links."

    def _missing_to_sign_in(self) -> Iterator[str]:
        match self.auth_mode:
            case "clerk" if not self.clerk_secret_key:
                yield "AUTH_MODE=clerk needs CLERK_SECRET_KEY."
            case "oidc" if not self.oidc_issuer:
                yield "AUTH_MODE=oidc needs OIDC_ISSUER."
            case "oidc" if not (self.oidc_client_id or self.oidc_audience):
                yield "AUTH_MODE=oidc needs OIDC_CLIENT_ID for signing in on pages, or OIDC_AUDIENCE for bearer tokens."

    @property
    def direct_url(self) -> str:
        """The address of the database without a pooler in between."""
        return self.database_direct_url or self.database_url

    @property
    def sqlite_path(self) -> Path | None:
        return values.sqlite_path(self.database_url)

    @property
    def uses_sqlite(self) -> bool:
        return self.sqlite_path is not None

    @property
    def issuer(self) -> str:
        """The identity provider's issuer, empty in local mode or when nothing names it."""
        if self.auth_mode == "local":
            return ""
        return self.oidc_issuer or values.clerk_issuer(self.clerk_publishable_key)

    @property
    def sign_in_provider(self) -> str:
        """The name of the provider with which people sign in on pages, empty when there is none."""
        if not (self.issuer and self.oidc_client_id):
            return ""
        return self.oidc_name or urlsplit(self.issuer).netloc

    def masked(self) -> dict[str, str]:
        """Return every setting as text for people, secrets masked."""
        texts = {name: _printed(getattr(self, name.lower()), is_secret=row.secret) for name, row in SETTINGS.items()}
        level = "TRACE" if self.log_level == values.TRACE else logging.getLevelName(self.log_level)
        return texts | {
            "DATABASE_URL": values.without_password(self.database_url),
            "DATABASE_DIRECT_URL": values.without_password(self.database_direct_url),
            "LOG_LEVEL": level.removeprefix("Level "),
        }


# By name, in the order in which they are printed.
SETTINGS: dict[str, Setting] = {declared.name.upper(): declared.metadata["setting"] for declared in fields(Settings)}


def _printed(value: object, *, is_secret: bool) -> str:
    if is_secret:
        return "(set)" if value else "(not set)"
    if value is None:
        return "auto"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_env_file(file: Path) -> dict[str, str]:
    """Read NAME=value lines; `#` starts a comment line, quotes around a value and `export` are dropped."""
    variables: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        name, separator, value = line.strip().removeprefix("export ").partition("=")
        if separator and not name.startswith("#"):
            quoted = re.fullmatch(r"(['\"])(.*)\1", value.strip())
            variables[name.strip()] = quoted[2] if quoted else value.strip().split(" #", 1)[0].rstrip()
    return variables


def _parse_all(raw: Mapping[str, str]) -> dict[str, Any]:
    parsed: dict[str, Any] = {}
    problems: list[str] = []
    for name, row in SETTINGS.items():
        text = raw.get(name) or raw.get(row.former_name or name)
        if not text and (text is None or not row.keeps_blank):
            text = row.default
        try:
            parsed[name.lower()] = row.parse(text)
        except ValueError as error:
            refused = f"{name} is wrong" if row.secret else f'{name} cannot be "{text}"'
            problems.append(f"{refused}: {error}")
    if problems:
        raise ConfigError(problems)
    return parsed
