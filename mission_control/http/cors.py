"""Let web clients of other, configured origins use the API."""

from quart import Quart, Response, request
from quart.typing import ResponseTypes

from mission_control.config import Settings

METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
EXPOSED = ", ".join(
    (
        "X-Total-Count",
        "X-Limit",
        "X-Offset",
        "X-Request-Id",
        "RateLimit-Limit",
        "RateLimit-Remaining",
        "RateLimit-Reset",
        "Retry-After",
    )
)
MAX_AGE_SECONDS = "600"


def install(app: Quart, settings: Settings) -> None:
    """Answer preflights and mark answers, when CORS_ORIGINS names any origin."""
    allowed = frozenset(settings.cors_origins)
    if not allowed:
        return

    async def answer_preflight() -> Response | None:
        if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
            return None
        return _preflight(_origin() in allowed)

    async def mark(response: ResponseTypes) -> ResponseTypes:
        response.headers.add("Vary", "Origin")
        if _origin() in allowed:
            response.headers["Access-Control-Allow-Origin"] = _origin()
            response.headers["Access-Control-Allow-Credentials"] = "true"
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
        return response

    app.before_request(answer_preflight)
    app.after_request(mark)


def _origin() -> str:
    return request.headers.get("Origin", "")


def _preflight(known: bool) -> Response:
    if not known:
        return Response("Disallowed CORS origin", 400, mimetype="text/plain")
    response = Response("OK", mimetype="text/plain")
    response.headers["Access-Control-Allow-Methods"] = METHODS
    response.headers["Access-Control-Max-Age"] = MAX_AGE_SECONDS
    wanted = request.headers.get("Access-Control-Request-Headers")
    if wanted:
        response.headers["Access-Control-Allow-Headers"] = wanted
    return response
