"""Settings: defaults, spellings, and sentences about what is wrong."""

import re
from pathlib import Path

import pytest

from mission_control.core.settings import SETTINGS, ConfigError, Settings, read_env_file


def test_the_readme_has_every_setting_with_its_default() -> None:
    readme = Path("README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \| (?:`(.*?)`)? \| .+\. \|$", readme, re.M)
    assert dict(rows) == {name: setting.default for name, setting in SETTINGS.items()}


def test_defaults_serve_a_sqlite_file_on_the_loopback() -> None:
    settings = Settings.from_environment({})
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)
    assert settings.sqlite_path == Path("data/mission-control.sqlite3")
    assert settings.uses_sqlite
    assert settings.db_auto_migrate


@pytest.mark.parametrize(
    "given",
    ["postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d", "postgresql+asyncpg://u:p@h/d"],
)
def test_postgres_in_its_usual_spellings(given: str) -> None:
    settings = Settings.from_environment({"DATABASE_URL": given})
    assert settings.database_url == "postgres://u:p@h/d"
    assert not settings.uses_sqlite


@pytest.mark.parametrize(
    ("given", "file"),
    [("sqlite:////srv/mc.db", "/srv/mc.db"), ("sqlite:///mc.db", "mc.db"), ("sqlite://mc.db", "mc.db")],
)
def test_sqlite_paths(given: str, file: str) -> None:
    assert Settings.from_environment({"DATABASE_URL": given}).sqlite_path == Path(file)


@pytest.mark.parametrize(("name", "value", "says"), [
    ("PORT", "http", "0 to 65535"),
    ("PORT", "70000", "0 to 65535"),
    ("WORKERS", "0", "1 or more"),
    ("MAX_BODY_BYTES", "-1", "1 or more"),
    ("DB_POOL_SIZE", "1", "2 or more"),
    ("REQUEST_LOG_SLOW_MS", "x", "0 or more"),
    ("AUTH_MODE", "ldap", "use local"),
    ("AUTH_MODE", "clerk", "CLERK_SECRET_KEY"),
    ("AUTH_MODE", "oidc", "OIDC_ISSUER"),
    ("OIDC_ISSUER", "login.example.org", "absolute address"),
    ("OIDC_LEEWAY", "301", "0 to 300"),
    ("CLERK_PUBLISHABLE_KEY", "pk_test_x", "pk_live_"),
    ("BASE_URL", "mission.example.org", "absolute address"),
    ("LOCAL_AUTH_TOKEN", "short", "50 characters"),
    ("LOCAL_AUTH_TOKEN", "Change-Me", "placeholder"),
    ("SECRET_KEY", "short", "32 characters"),
    ("CORS_ORIGINS", "example.org", "use origins"),
    ("TRUSTED_PROXIES", "10.0.0.0/99", "networks"),
    ("LOG_LEVEL", "LOUD", "TRACE"),
    ("LOG_FORMAT", "xml", "text or json"),
    ("DB_AUTO_MIGRATE", "maybe", "true or false"),
    ("DATABASE_URL", "mysql://h/d", "sqlite:///"),
    ("DATABASE_URL", "postgres://h", "name of a database"),
    ("SECURITY_HEADER_X_FRAME_OPTIONS", "a\nb", "printable"),
])  # fmt: skip
def test_wrong_value_is_reported_with_its_rule(name: str, value: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_environment({name: value})
    (problem,) = caught.value.problems
    assert problem.startswith(name)
    assert says in problem


def test_all_problems_are_reported_without_secrets() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_environment({"PORT": "x", "WORKERS": "y", "SECRET_KEY": "hush"})
    assert len(caught.value.problems) == 3
    assert "hush" not in str(caught.value)


def test_names_ignore_case_and_blank_means_default() -> None:
    settings = Settings.from_environment({"port": " 9000 ", "HOST": "", "SECURITY_HEADER_X_FRAME_OPTIONS": ""})
    assert (settings.port, settings.host) == (9000, "127.0.0.1")
    assert settings.security_header_x_frame_options == ""


def test_secure_cookies_follow_the_base_url() -> None:
    assert Settings.from_environment({"BASE_URL": "https://mc.example.org/"}).secure_cookies
    assert not Settings.from_environment({"BASE_URL": "http://mc.example.org"}).secure_cookies
    assert Settings.from_environment({"SECURE_COOKIES": "true"}).secure_cookies


def test_shown_settings_hide_secrets() -> None:
    token = "t" * 50
    settings = Settings.from_environment({"LOCAL_AUTH_TOKEN": token, "DATABASE_URL": "postgres://u:hush@h/d"})
    shown = settings.masked()
    assert set(shown) == set(SETTINGS)
    assert token not in str(shown) and "hush" not in str(shown)
    assert shown["LOG_LEVEL"] == "INFO"
    assert shown["DATABASE_URL"] == "postgres://u:****@h/d"


def test_env_file_is_read_below_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text("# comment\nexport PORT=9001 # here\nLOG_FORMAT='json'\n\nnonsense\nWORKERS=2\n")
    assert read_env_file(file) == {"PORT": "9001", "LOG_FORMAT": "json", "WORKERS": "2"}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORT", "9002")
    settings = Settings.from_environment()
    assert (settings.port, settings.log_format) == (9002, "json")
