"""Routing of slashes, HEAD and OPTIONS in the API, which Quart does otherwise."""

from collections.abc import Iterable
from urllib.parse import quote

from quart import Quart, Response, request
from quart.typing import ResponseTypes
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import RequestRedirect

from mission_control.config import Settings

API = "/api/v1/"
ADDED_BY_QUART = {"HEAD", "OPTIONS"}


def install(app: Quart, settings: Settings) -> None:
    """Redirect `/api/v1/things/` to the path without the slash, and refuse HEAD and OPTIONS on the API.

    Two slashes are not taken for one.
    """
    app.url_map.merge_slashes = False

    async def route_as_api() -> Response | None:
        if not request.path.startswith(API):
            return None
        if request.path.endswith("/"):
            return _redirect(app)
        if request.routing_exception is None and request.method in ADDED_BY_QUART and _is_added():
            raise MethodNotAllowed(valid_methods=_declared(app))
        return None

    async def tell_declared_methods(response: ResponseTypes) -> ResponseTypes:
        if response.status_code == 405 and request.path.startswith(API):
            response.headers["Allow"] = ", ".join(_declared(app)) or "GET"
        return response

    app.before_request(route_as_api)
    app.after_request(tell_declared_methods)


def _redirect(app: Quart) -> Response | None:
    path = request.path.rstrip("/")
    if not _methods(app, path):
        return None
    query = request.query_string.decode("latin-1")
    location = f"{request.scheme}://{request.host}{quote(path)}" + (f"?{query}" if query else "")
    return Response("", 307, {"Location": location})


def _is_added() -> bool:
    """HEAD and OPTIONS stand beside every GET; a route that declares them has no other method."""
    rule = request.url_rule
    return rule is None or rule.methods is None or not set(rule.methods) <= ADDED_BY_QUART


def _declared(app: Quart) -> list[str]:
    return sorted(set(_methods(app, request.path)) - ADDED_BY_QUART)


def _methods(app: Quart, path: str) -> Iterable[str]:
    adapter = app.create_url_adapter(request)
    if adapter is None:
        return []
    try:
        return adapter.allowed_methods(path)
    except RequestRedirect:
        return []
