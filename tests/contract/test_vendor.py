"""What we copied from packages is what VENDOR.md says it is."""

import base64
import hashlib
import re

from mission_control.core.paths import data_dir

STATIC = data_dir("static")
ROW = re.compile(r"^\| ([\w./-]+) \| \S+ \| [\d.]+ \| [^|]+ \| [^|]+ \| ([A-Za-z0-9+/=]{64}) \|$", re.M)


def rows() -> dict[str, str]:
    return dict(ROW.findall((STATIC / "vendor" / "VENDOR.md").read_text()))


def test_every_vendored_file_is_listed() -> None:
    files = {f"vendor/{path.name}" for path in (STATIC / "vendor").iterdir() if path.suffix != ".md"}
    assert set(rows()) == files | {"icons/sprite.svg"}


def test_every_hash_is_right() -> None:
    for name, expected in rows().items():
        digest = hashlib.sha384((STATIC / name).read_bytes()).digest()
        assert base64.b64encode(digest).decode() == expected, f"{name} is not the file VENDOR.md describes"
