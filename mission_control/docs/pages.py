"""/openapi.json for programs."""

from quart import Blueprint, Response, current_app

from mission_control.core.openapi import document
from mission_control.core.operation import json_response

pages = Blueprint("docs_pages", __name__)


@pages.get("/openapi.json")
async def openapi() -> Response:
    """The OpenAPI document."""
    return json_response(document(current_app.config["SETTINGS"].base_url))
