"""Files that only their owner reads."""

from __future__ import annotations

import contextlib
import os
import stat
import sys

from mission_control.client.problems import NotSignedIn


def folder_of(variable: str, otherwise: str) -> str:
    base = os.environ.get(variable, "")
    return os.path.join(base if os.path.isabs(base) else os.path.expanduser(otherwise), "mission-control")


def write(path: str, content: bytes, mode: int = 0o600) -> None:
    """Replace a file in one step; a folder that is made for it is the owner's alone."""
    make_folder(path)
    written = f"{path}.{os.getpid()}"
    try:
        with open(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(written, mode)
        os.replace(written, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(written)
        raise


def make_folder(path: str) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)


def read_private(path: str) -> str | None:
    """Return a file, None when there is none. Raise NotSignedIn when others may read or write it."""
    try:
        file = open(path, encoding="utf-8", errors="replace")  # noqa: SIM115
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotSignedIn(f"{path} cannot be read: {error.strerror}.", "token_unreadable") from error
    with file:
        found = os.fstat(file.fileno())
        if os.name == "posix" and (found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077):
            owner = "" if found.st_uid == os.getuid() else f" and be yours (its owner is user {found.st_uid})"
            raise NotSignedIn(
                f"{path} holds a token, so only you may read it{owner}. Mend it: chmod 600 '{path}'. If others may have"
                " read it, revoke the token and sign in again.",
                "token_exposed",
            )
        return file.read()


def typed() -> bytes:
    return b"" if sys.stdin is None else sys.stdin.buffer.read()


def remove(path: str) -> bool:
    """Remove a file, and return whether there was one."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True
