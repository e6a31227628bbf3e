"""The page that a browser shows without the server, and the worker that keeps it and nothing else."""

import json
import re

from tests.cast import Cast
from tests.visitor import Visitor, visitor


async def test_worker_keeps_one_page_and_what_it_needs(cast: Cast) -> None:
    nobody = Visitor(cast.app)
    seen = (await nobody.get("/service-worker.js")).is_status(200)
    assert seen.headers["Cache-Control"] == "no-cache" and "javascript" in seen.headers["Content-Type"]
    found = re.search(r"^const FILES = (\[.*\]);$", seen.text, re.M)
    assert found
    page, *files = json.loads(found[1])
    assert page == "/offline" and all(name.startswith("/static/") for name in files)
    for name in files:
        assert (await cast.app.test_client().get(name)).status_code == 200
    offline = (await nobody.get(page)).is_status(200).has("cannot be reached", "Try again")
    needed = re.findall(r'(?:src|href)="(/[^"#]*)', offline.text)
    assert needed and set(needed) <= set(files)


async def test_manifest_names_icons_and_places(cast: Cast) -> None:
    page = await (await visitor(cast.app, cast.ada)).get("/notifications")
    found = re.search(r'rel="manifest" href="([^"]+)"', page.text)
    assert found
    manifest = json.loads((await Visitor(cast.app).get(found[1])).is_status(200).text)
    assert {one.get("purpose", "any") for one in manifest["icons"]} == {"any", "maskable"}
    assert {"/approvals", "/notifications"} <= {one["url"] for one in manifest["shortcuts"]}
