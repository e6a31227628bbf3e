"""Where the templates, static files and migrations of this installation lie."""

from pathlib import Path
from typing import Literal

PACKAGE = Path(__file__).resolve().parents[1]


def data_dir(name: Literal["templates", "static", "migrations"]) -> Path:
    """Return the folder called `name`: inside the installed wheel, or at the top of a checkout."""
    packaged = PACKAGE / "_data" / name
    return packaged if packaged.is_dir() else PACKAGE.parent / name
