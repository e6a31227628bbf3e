"""The API, described: /openapi.json for programs, /docs for people."""

from functools import cache
from typing import Any

from quart import Blueprint, Response, current_app, redirect, request
from quart.typing import ResponseReturnValue

from mission_control.core import authn
from mission_control.core.json import to_json
from mission_control.core.openapi import document
from mission_control.docs import reference
from mission_control.web.fragments import render_page
from mission_control.web.shell import shell_page

pages = Blueprint("docs_pages", __name__)
LONGEST_QUERY = 200


@pages.get("/openapi.json")
async def openapi() -> Response:
    """The OpenAPI document."""
    return Response(_written(current_app.config["SETTINGS"].base_url), content_type="application/json")


@cache
def _written(base_url: str) -> bytes:
    """Written once: half a second of work in which nobody else would be answered."""
    return to_json(document(base_url))


@pages.get("/redoc")
async def redoc() -> ResponseReturnValue:
    """Where the predecessor had a second description."""
    return redirect("/docs", 307)


@pages.get("/docs")
async def docs() -> str:
    """The documentation, for everybody; inside the shell for those who are signed in."""
    base = (current_app.config["SETTINGS"].base_url or request.host_url).rstrip("/")
    query = request.args.get("q", "")[:LONGEST_QUERY].strip()
    described = _document()
    context = {
        "query": query,
        "groups": reference.groups(described, query, base),
        "shapes": [] if query else reference.shapes(described),
        "base": base,
    }
    actor = await authn.user_by_session()
    if actor is None:
        return await render_page("docs/index.html", layout="layouts/bare.html", shell=None, full=True, **context)
    return await shell_page(actor.on("page"), "docs/index.html", active="docs", layout="layouts/app.html", **context)


@cache
def _document() -> dict[str, Any]:
    return document("")
