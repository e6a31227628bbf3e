"""Refuse request bodies that are too large."""

from quart import Quart, request
from werkzeug.exceptions import RequestEntityTooLarge

from mission_control.config import Settings


def install(app: Quart, settings: Settings) -> None:
    """Answer 413 to more than MAX_BODY_BYTES: at once when the length is announced, else while reading."""
    limit = settings.max_body_bytes
    app.config["MAX_CONTENT_LENGTH"] = limit

    async def refuse_large_body() -> None:
        if (request.content_length or 0) > limit:
            raise RequestEntityTooLarge

    app.before_request(refuse_large_body)
