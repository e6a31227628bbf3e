"""Files of other programs: what would change is shown, what was there is kept, and comes back byte for byte."""

from __future__ import annotations

import hashlib
import json
import os
import stat

from mission_control.client import files
from mission_control.client.printing import plain
from mission_control.client.problems import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def folder() -> str:
    return os.path.join(files.folder_of("XDG_STATE_HOME", "~/.local/state"), "connect")


def connected() -> list[dict[str, str]]:
    clients = sorted(os.listdir(folder())) if os.path.isdir(folder()) else []
    kept = {client: Kept(client) for client in clients}
    return [
        {"client": client, **{name: str(one.value.get(name, "")) for name in ("version", "name", "url")}}
        for client, one in kept.items()
        if one.is_there
    ]


class Change:
    """A file as it is, as it was without us, and as it becomes.

    `is_whole`: what it was without us is what it was before the first connect. `is_secret`: a token is in it.
    """

    def __init__(self, path: str, without: bytes | None, after: bytes, *, is_whole: bool, is_secret: bool) -> None:
        self.path, self.without, self.after, self.is_whole, self.is_secret = path, without, after, is_whole, is_secret
        self.now = _bytes(path)
        self.mode = stat.S_IMODE(os.stat(path).st_mode) if self.now is not None else 0o600

    def shown(self, token: str) -> str:
        from difflib import unified_diff

        before, after = (
            plain((one or b"").decode("utf-8", "replace").replace("\r\n", "\n")).replace(token or "\0", "...")
            for one in (self.now, self.after)
        )
        name = f"{self.path}{'' if self.now is not None else ' (new)'}"
        lines = unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm="")
        return "\n".join(lines)


class Kept:
    """What we changed for a program, and the old bytes, in a folder of ours."""

    def __init__(self, client: str) -> None:
        self.folder = os.path.join(folder(), client)
        self.path = os.path.join(self.folder, "kept.json")
        content = _bytes(self.path)
        self.value: dict[str, Any] = json.loads(content) if content else {"files": {}}

    @property
    def is_there(self) -> bool:
        return _bytes(self.path) is not None

    def change(
        self, path: str, add: Callable[[bytes], bytes], strip: Callable[[bytes], bytes], is_secret: bool = False
    ) -> Change:
        path = os.path.realpath(path)
        without, is_whole = self.without(path, strip)
        after = add(without or b"")
        return Change(path, without, after, is_whole=is_whole, is_secret=is_secret)

    def without(self, path: str, strip: Callable[[bytes], bytes]) -> tuple[bytes | None, bool]:
        """Return a file without what we added, None when there was none, and whether that is as it was."""
        now, known = _bytes(path), self.value["files"].get(path)
        if now is None:
            return None, True
        if known is not None and known["sha256"] == _hash(now):
            return self.copy_of(path), bool(known["is_whole"])
        without = strip(now)
        return without, without == now

    def copy_of(self, path: str) -> bytes | None:
        copy = self.value["files"][path]["copy"]
        return _bytes(os.path.join(self.folder, copy)) if copy else None

    def write(self, changes: list[Change]) -> None:
        """Keep what was there, then write; every file is looked at before the first is written."""
        for change in changes:
            parent = os.path.dirname(change.path)
            is_open = os.access(change.path, os.W_OK) if change.now is not None else True
            if not is_open or (os.path.isdir(parent) and not os.access(parent, os.W_OK)):
                raise Problem(f"{change.path} cannot be written. Nothing was changed.", "read_only")
            if _bytes(change.path) != change.now:
                raise Problem(f"{change.path} was changed meanwhile. Run the command again.", "changed")
        for change in changes:
            self.keep(change.path, change.without, change.after, change.mode, is_whole=change.is_whole)
        self.save()
        for change in changes:
            files.write(change.path, change.after, change.mode & 0o600 if change.is_secret else change.mode)

    def keep(self, path: str, without: bytes | None, after: bytes, mode: int, *, is_whole: bool) -> None:
        """Remember the bytes of a file without us, and by what we know that nobody changed it since."""
        known = self.value["files"].get(path, {"mode": mode})
        copy = (
            f"{hashlib.sha256(path.encode()).hexdigest()[:12]}-{os.path.basename(path)}" if without is not None else ""
        )
        if without is not None:
            files.write(os.path.join(self.folder, copy), without)
        self.value["files"][path] = {"copy": copy, "sha256": _hash(after), "mode": known["mode"], "is_whole": is_whole}

    def save(self, **more: Any) -> None:
        self.value.update(more)
        files.write(self.path, json.dumps(self.value, indent=1).encode())

    def restore(self, path: str, strip: Callable[[bytes], bytes]) -> str:
        """Take what we added out of a file, and return what was done, in a line."""
        path = os.path.realpath(path)
        now = _bytes(path)
        without, is_same = self.without(path, strip)
        mode = self.value["files"].get(path, {}).get("mode", 0o600)
        if now is None or without == now:
            return f"{path}: nothing of ours is in it."
        known = self.value["files"].get(path, {"copy": "?"})
        if without is None or (without == b"" and not known["copy"]):
            os.unlink(path)
            return f"{path}: removed, there was none before."
        files.write(path, without, mode)
        how = "as it was, byte for byte" if is_same else "our entries are out; the rest is as others left it"
        return f"{path}: {how}."

    def forget(self) -> None:
        import shutil

        shutil.rmtree(self.folder, ignore_errors=True)


def _bytes(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}. Nothing was changed.", "unreadable") from error


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
