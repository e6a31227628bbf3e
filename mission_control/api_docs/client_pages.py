"""The program for terminals: the package `client` as one file, which any Python from 3.9 on runs."""

import io
import zipfile
from functools import lru_cache

from quart import Blueprint, Response, current_app, request

from mission_control.core.paths import PACKAGE
from mission_control.http.registry import tag_of, tagged

pages = Blueprint("client_pages", __name__)

SHEBANG = b"#!/usr/bin/env python3\n"
START = "import sys\n\nfrom mission_control.client.__main__ import main\n\nsys.exit(main())\n"
ORIGIN = "client/origin.py"
# The same bytes whenever they are made: no compression, whose libraries differ, and one moment for all files.
MOMENT = (1980, 1, 1, 0, 0, 0)


@pages.get("/client.pyz")
async def client() -> Response:
    """Send the program; it knows the address at which it was fetched."""
    body = program(str(current_app.config["SETTINGS"].base_url or request.host_url).rstrip("/"))
    response = Response(body, content_type="application/zip")
    response.headers["Cache-Control"] = "no-cache"
    return tagged(response, tag_of(body))


@pages.get("/mc")
async def mc() -> Response:
    """Send the same to agents whose workspace was written when it had another name."""
    return await client()


@lru_cache(8)
def program(base: str) -> bytes:
    files = (path for path in (PACKAGE / "client").rglob("*") if path.suffix in (".py", ".js"))
    names = ["__init__.py", *sorted(path.relative_to(PACKAGE).as_posix() for path in files)]
    texts = {f"mission_control/{name}": (PACKAGE / name).read_text(encoding="utf-8") for name in names}
    texts[f"mission_control/{ORIGIN}"] = texts[f"mission_control/{ORIGIN}"].replace('URL = ""', f"URL = {base!r}")
    packed = io.BytesIO(SHEBANG)
    packed.seek(0, io.SEEK_END)
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_STORED) as archive:
        for name, text in {"__main__.py": START, **texts}.items():
            entry = zipfile.ZipInfo(name, MOMENT)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text.encode())
    return packed.getvalue()
