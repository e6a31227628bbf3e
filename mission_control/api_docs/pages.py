"""Documentation of the API: /openapi.json for programs, /llms.txt for models, /docs for people."""

from functools import cache, lru_cache

from quart import Blueprint, Response, current_app, redirect, render_template, request
from quart.typing import ResponseReturnValue

from mission_control.api_docs import guide, reference
from mission_control.core.errors import ErrorCode, NotFound
from mission_control.core.values import to_json
from mission_control.http import authentication
from mission_control.http.openapi import REASONS, document
from mission_control.http.registry import tag_of, tagged
from mission_control.web.shell import PaletteEntry, shell_page

pages = Blueprint("docs_pages", __name__)
LONGEST_QUERY = 200


@pages.get("/openapi.json")
async def openapi() -> Response:
    """The OpenAPI document, or with `?tag=` (repeatable) the part of it that these tags need."""
    body = _written(current_app.config["SETTINGS"].base_url, _wanted())
    response = Response(body, content_type="application/json")
    response.headers["Cache-Control"] = "no-cache"
    return tagged(response, tag_of(body))


@lru_cache(64)
def _written(base_url: str, wanted: frozenset[str]) -> bytes:
    """Return the rendered document, cached: rendering blocks the event loop for half a second."""
    known = _document() | {"servers": [{"url": base_url or "/"}]}
    return to_json(reference.sliced(known, wanted) if wanted else known)


@pages.get("/llms.txt")
async def llms() -> Response:
    """Send what a worker needs, for language models."""
    return Response(guide.llms(_base()), content_type="text/plain; charset=utf-8")


@pages.get("/llms-full.txt")
async def llms_full() -> Response:
    """Send the same with every operation that agents may call, or with `?tag=` (repeatable) those of these tags."""
    return Response(_whole(_base(), _wanted()), content_type="text/plain; charset=utf-8")


@lru_cache(16)
def _whole(base: str, wanted: frozenset[str]) -> str:
    known = reference.sliced(_document(), wanted) if wanted else _document()
    return reference.whole(known, guide.llms(base))


def _wanted() -> frozenset[str]:
    wanted = frozenset(request.args.getlist("tag"))
    if unknown := sorted(wanted - {one.name for one in reference.tags(_document())}):
        raise NotFound(f"No operation has the tag {unknown[0][:LONGEST_QUERY]!r}.")
    return wanted


@pages.get("/redoc")
async def redoc() -> ResponseReturnValue:
    """Redirect from the predecessor's second documentation."""
    return redirect("/docs", 307)


@pages.get("/docs")
async def docs() -> str:
    """Show the guide and the list of operations, or the results of a search."""
    query = request.args.get("q", "")[:LONGEST_QUERY].strip()
    base = _base()
    hits = reference.search(_document(), query) if query else []
    lines = {
        "loop": guide.LOOP.format(base=base),
        "change": guide.CHANGE.format(base=base),
        "clients": guide.CLIENTS.format(base=base),
        "reasons": REASONS.items(),
        "codes": list(ErrorCode),
    }
    return await _page("api_docs/index.html", query=query, hits=hits, base=base, **lines)


@pages.get("/docs/<tag>")
async def docs_of_tag(tag: str) -> str:
    """Show the operations of a tag."""
    known = _tag(tag)
    entries = [entry for _, entry in reference.entries_for(_document(), lambda one: tag in one["tags"], _base())]
    shapes = len(reference.shapes(_document(), tag))
    return await _page("api_docs/tag.html", tag=known, entries=entries, shapes=shapes)


@pages.get("/docs/<tag>/shapes")
async def docs_of_shapes(tag: str) -> str:
    """Show the schemas that the operations of a tag need."""
    return await _page("api_docs/shapes.html", tag=_tag(tag), shapes=reference.shapes(_document(), tag))


def _tag(name: str) -> reference.Tag:
    known = next((one for one in reference.tags(_document()) if one.name == name), None)
    if known is None:
        raise NotFound("There is no such page in the documentation.")
    return known


async def _page(template: str, **context: object) -> str:
    context = {"query": "", "tags": reference.tags(_document())} | context
    actor = await authentication.user_by_session()
    if actor is None:
        return await render_template(template, layout="layouts/bare.html", shell=None, full=True, **context)
    return await shell_page(actor.on("page"), template, active="docs", layout="layouts/app.html", **context)


def _base() -> str:
    return str(current_app.config["SETTINGS"].base_url or request.host_url).rstrip("/")


@cache
def _document() -> dict[str, object]:
    return document("")


ENTRY = PaletteEntry("API and documents", "/docs", "book-open", "help openapi", position=55)
