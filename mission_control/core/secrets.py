"""The installation's secret key: where it is kept, how it is checked, and what it encrypts."""

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from mission_control.core.setting_values import made_folder
from mission_control.core.settings import ConfigError, Settings


def load_or_create_secret_key(settings: Settings) -> str:
    """Return SECRET_KEY, else the key kept in DATA_DIR, which is made on first use (mode 0600)."""
    if (key := existing_secret_key(settings)) is not None:
        return key
    file = made_folder(settings.data_dir) / "secret_key"
    try:
        _make_key(file)
    except OSError as error:
        raise ConfigError(f"The secret key cannot be kept in {file}: {error.strerror or error}.") from error
    return load_or_create_secret_key(settings)


def existing_secret_key(settings: Settings) -> str | None:
    """Return SECRET_KEY, else the key kept in DATA_DIR, None when there is none yet."""
    if settings.secret_key:
        return settings.secret_key
    file = settings.data_dir / "secret_key"
    try:
        key = file.read_text(encoding="ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"The secret key cannot be kept in {file}: {error.strerror or error}.") from error
    if not key:
        raise ConfigError(
            f"The file {file} is empty; it should hold the secret key. Put the former key back, or delete the file when"
            " this installation has none yet."
        )
    return key


def _make_key(file: Path) -> None:
    """Write a new key file atomically; an existing one stays."""
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        with os.fdopen(
            os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="ascii"
        ) as opened:
            opened.write(f"{secrets.token_urlsafe(48)}\n")
            opened.flush()
            os.fsync(opened.fileno())
        with contextlib.suppress(FileExistsError):
            _name(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)


def _name(unfinished: Path, file: Path) -> None:
    try:
        os.link(unfinished, file)  # unlike a rename it overwrites nothing
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        unfinished.rename(file)


def check_value(key: str) -> str:
    return _derived(key, "check").hex()


def audit_key(key: str) -> bytes:
    return _derived(key, "audit")


def stop_key(key: str) -> bytes:
    return _derived(key, "stop mail")


def encrypt_bytes(content: bytes, key: str) -> str:
    """Encrypt what is no text for the database."""
    return _cipher(key).encrypt(content).decode("ascii")


def decrypt_bytes(text: str, key: str) -> bytes:
    """Read what `encrypt_bytes` wrote; raises ConfigError when it was written with another key."""
    try:
        return _cipher(key).decrypt(text.encode("ascii"))
    except InvalidToken as error:
        raise ConfigError("A stored secret cannot be read with the present SECRET_KEY.") from error


def is_readable(text: str, key: str) -> bool:
    """Return whether a stored secret, maybe with a word and a colon before it, was written with this key."""
    try:
        decrypt_bytes(text.rpartition(":")[2], key)
    except (ConfigError, UnicodeEncodeError):
        return False
    return True


def encrypt(text: str, key: str) -> str:
    return encrypt_bytes(text.encode(), key)


def decrypt(text: str, key: str) -> str:
    """Read a secret from the database; raises ConfigError when it was written with another key."""
    return decrypt_bytes(text, key).decode()


@lru_cache(maxsize=4)
def _cipher(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_derived(key, "encryption")))


def _derived(key: str, purpose: str) -> bytes:
    return hmac.digest(key.encode(), f"mission-control {purpose}".encode(), hashlib.sha256)
