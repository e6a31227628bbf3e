"""Keep personal answers out of caches."""

from quart import request
from quart.typing import ResponseTypes


def never_cache_personal(response: ResponseTypes) -> None:
    """Forbid caches to keep an answer that says nothing about caching; static files may be kept."""
    if "Cache-Control" not in response.headers and not request.path.startswith("/static/"):
        response.headers["Cache-Control"] = "no-store" if request.path.startswith("/api/") else "no-cache"
