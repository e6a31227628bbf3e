"""Let web clients of other, configured origins use the API."""

from quart import Response, request
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
        "ETag",
        "Idempotency-Replayed",
        "Location",
    )
)
MAX_AGE_SECONDS = "600"


class Cors:
    """What web clients of the origins in CORS_ORIGINS may do."""

    def __init__(self, settings: Settings) -> None:
        self._allowed = frozenset(settings.cors_origins)

    @property
    def is_on(self) -> bool:
        """Whether any origin is named."""
        return bool(self._allowed)

    def preflight(self) -> Response | None:
        """Return the answer to a preflight, None when the request is something else."""
        if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
            return None
        return _preflight(_origin() in self._allowed)

    def mark(self, response: ResponseTypes) -> None:
        """Let a page of an allowed origin read the answer."""
        response.headers.add("Vary", "Origin")
        if (origin := _origin()) in self._allowed:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"
            response.headers["Access-Control-Expose-Headers"] = EXPOSED


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
