"""Answers in JSON."""

from typing import Any

from quart import Response

from mission_control.core.json import to_json


def json_response(answer: Any, status: int = 200) -> Response:
    """An answer as compact JSON; bytes are JSON already."""
    body = answer if isinstance(answer, bytes) else to_json(answer)
    return Response(body, status, content_type="application/json")
