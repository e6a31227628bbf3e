"""The OpenAPI document is what it was: `document.txt` has a digest of each operation and component, in its order.

`python -m pytest tests/contract/test_document.py --write-document` writes it anew; read the difference before you
commit it: it names what callers will see changed.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from mission_control.http.openapi import document

FILE = Path(__file__).with_name("document.txt")


def parts(whole: dict[str, Any]) -> dict[str, Any]:
    """The parts of the document by name: operations, components, and what is left but for the version."""
    found = {f"{method.upper()} {path}": entry for path, of in whole["paths"].items() for method, entry in of.items()}
    found |= {f"{kind} {name}": one for kind, of in whole["components"].items() for name, one in of.items()}
    rest = {name: one for name, one in whole.items() if name not in ("paths", "components")}
    return found | {"the rest": rest | {"info": {**rest["info"], "version": ""}}}


def test_document_is_what_it_was(request: pytest.FixtureRequest) -> None:
    found = [
        f"{hashlib.sha256(json.dumps(one).encode()).hexdigest()[:12]} {name}"
        for name, one in parts(document("https://mission.example.org")).items()
    ]
    if request.config.getoption("--write-document"):
        FILE.write_text("\n".join(found) + "\n", encoding="utf-8")
    known = FILE.read_text(encoding="utf-8").splitlines()
    assert sorted(set(found) ^ set(known)) == []
    assert found == known
