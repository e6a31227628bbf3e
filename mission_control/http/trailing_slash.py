"""How the API treats addresses otherwise than Quart: trailing slashes, HEAD and OPTIONS."""

from collections.abc import Iterable
from urllib.parse import quote

from quart import Quart, Response, request
from quart.typing import ResponseTypes
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import RequestRedirect

API = "/api/v1/"
ADDED_BY_QUART = {"HEAD", "OPTIONS"}


def refused_or_redirected(app: Quart) -> Response | None:
    """Redirect `/api/v1/things/` to the path without the slash, and refuse HEAD and OPTIONS on the API."""
    if not request.path.startswith(API):
        return None
    if request.path.endswith("/"):
        return _redirect(app)
    if request.method in ADDED_BY_QUART and request.routing_exception is None and _is_added():
        raise MethodNotAllowed(valid_methods=_declared(app))
    return None


def list_declared_methods(app: Quart, response: ResponseTypes) -> None:
    """Name the methods of the API that an address has, where another one was refused."""
    if response.status_code == 405 and request.path.startswith(API):
        response.headers["Allow"] = ", ".join(_declared(app)) or "GET"


def _redirect(app: Quart) -> Response | None:
    path = request.path.rstrip("/")
    if not _methods(app, path):
        return None
    query = request.query_string.decode("latin-1")
    location = f"{request.scheme}://{request.host}{quote(path)}" + (f"?{query}" if query else "")
    return Response("", 307, {"Location": location})


def _is_added() -> bool:
    """HEAD and OPTIONS come with every GET; a route that declares them has no other method."""
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
