"""The secret key: made once, kept private, checked against the database."""

import errno
import os
from pathlib import Path

import pytest
from quart import Quart

from mission_control.core.secrets import decrypt, encrypt, load_or_create_secret_key
from mission_control.core.settings import ConfigError, Settings
from mission_control.database.fit import verify_secret_key

pytestmark = pytest.mark.dialect


def test_key_is_created_once_and_private(tmp_path: Path) -> None:
    settings = Settings.from_environment({"DATA_DIR": str(tmp_path / "data")})
    key = load_or_create_secret_key(settings)
    file = tmp_path / "data" / "secret_key"
    assert len(key) >= 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_or_create_secret_key(settings) == key


def test_key_from_the_environment_is_not_stored(tmp_path: Path) -> None:
    settings = Settings.from_environment({"DATA_DIR": str(tmp_path), "SECRET_KEY": "k" * 40})
    assert load_or_create_secret_key(settings) == "k" * 40
    assert not (tmp_path / "secret_key").exists()


def test_failed_key_write_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.from_environment({"DATA_DIR": str(tmp_path)})

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(ConfigError, match="No space left"):
            load_or_create_secret_key(settings)
    assert list(tmp_path.iterdir()) == []
    assert len(load_or_create_secret_key(settings)) >= 32


def test_empty_key_file_reports_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch()
    with pytest.raises(ConfigError, match="empty"):
        load_or_create_secret_key(Settings.from_environment({"DATA_DIR": str(tmp_path)}))


def test_secrets_need_their_key() -> None:
    packed = encrypt("gateway token", "k" * 40)
    assert "gateway" not in packed
    assert decrypt(packed, "k" * 40) == "gateway token"
    with pytest.raises(ConfigError, match="SECRET_KEY"):
        decrypt(packed, "l" * 40)


async def test_different_key_is_refused(app: Quart, settings: Settings) -> None:
    await verify_secret_key(settings.secret_key)
    await verify_secret_key(settings.secret_key)
    with pytest.raises(ConfigError, match="not the one"):
        await verify_secret_key("another key that is long enough for this")
