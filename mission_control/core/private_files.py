"""Keep the database, its copies and the secret key from other users of the machine."""

import glob
import os
import stat
from contextlib import suppress
from pathlib import Path

from mission_control.core.settings import Settings

FOLDER_MODE, FILE_MODE = 0o700, 0o600
DATABASE_FILE_ENDINGS = ("", "-wal", "-shm", "-journal", ".before-*", ".replaced-*", "*.lock")


def make_private(settings: Settings) -> None:
    """Create the SQLite file when it is missing, and take other users' access from everything that is there.

    Files of other users are left as they are; `doctor` reports them.
    """
    if (file := settings.sqlite_path) is not None:
        with suppress(OSError):
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, FILE_MODE))
    for path in too_open(settings):
        if path.is_dir() and _is_shared(path):
            continue
        with suppress(OSError):
            path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)


def too_open(settings: Settings) -> list[Path]:
    """What the installation keeps and other users of the machine can read or write: folder, files."""
    files = [settings.data_dir, settings.data_dir / "secret_key"]
    if (file := settings.sqlite_path) is not None:
        for ending in DATABASE_FILE_ENDINGS:
            files += sorted(file.parent.glob(f"{glob.escape(file.name)}{ending}"))
    return [path for path in files if _is_open(path)]


def _is_open(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    except OSError:
        return False


def _is_shared(folder: Path) -> bool:
    """Whether a folder is for more than this installation, such as /tmp, a home folder, or where the program runs."""
    resolved = folder.resolve()
    return (
        bool(resolved.stat().st_mode & stat.S_ISVTX)
        or resolved == Path.home()
        or Path.cwd().is_relative_to(resolved)
        or resolved == Path(resolved.anchor)
    )
