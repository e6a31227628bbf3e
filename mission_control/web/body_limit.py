"""Refuse request bodies that are too large, without ever holding more of them in memory than is allowed."""

import re
from typing import Any

from quart import Quart, Request, request
from quart.wrappers.request import Body
from werkzeug.exceptions import RequestEntityTooLarge

from mission_control.config import Settings

_own_limits: list[tuple[str, re.Pattern[str], str]] = []


def limit_apart(method: str, path: str, setting: str) -> None:
    """Give the operation whose whole path this expression matches the limit that a setting names.

    It is met when the body is read, and not before the request reaches its handler.
    """
    _own_limits.append((method, re.compile(path), setting))


def own_limit(settings: Settings, method: str, path: str) -> int | None:
    """The limit of one operation, None when MAX_BODY_BYTES holds."""
    for own_method, pattern, setting in _own_limits:
        if method == own_method and pattern.fullmatch(path.rstrip("/")):
            limit: int = getattr(settings, setting)
            return limit
    return None


class LimitedBody(Body):
    """A body of which nothing is kept once it is larger than its limit."""

    _received = 0

    async def put(self, data: bytes) -> None:
        """Take the next piece, or refuse the whole body from now on."""
        self._received += len(data)
        if self._must_raise is not None:
            return
        if self._max_content_length is not None and self._received > self._max_content_length:
            self._must_raise = RequestEntityTooLarge()
            self.set_complete()
            return
        await super().put(data)


def install(app: Quart, settings: Settings) -> None:
    """Answer 413 to more than MAX_BODY_BYTES: at once when the length is announced, else while reading."""
    limit = settings.max_body_bytes
    app.config["MAX_CONTENT_LENGTH"] = limit

    class LimitedRequest(Request):
        """A request whose body may be as long as its operation says."""

        body_class = LimitedBody

        def __init__(self, method: str, scheme: str, path: str, *args: Any, **kwargs: Any) -> None:
            self.own_limit = own_limit(settings, method, path)
            if self.own_limit is not None:
                kwargs["max_content_length"] = self.own_limit
            super().__init__(method, scheme, path, *args, **kwargs)

    app.request_class = LimitedRequest

    async def refuse_large_body() -> None:
        if getattr(request, "own_limit", None) is None and (request.content_length or 0) > limit:
            raise RequestEntityTooLarge

    app.before_request(refuse_large_body)
