"""The souls directory over HTTP, for people and agents."""

from quart import current_app

from mission_control.agents.directory import (
    SoulQuery,
    SoulsDirectory,
    SoulsDirectoryMarkdownResponse,
    SoulsDirectorySearchResponse,
)
from mission_control.core.actor import Actor
from mission_control.core.outbound import Outbound
from mission_control.core.values import ErrorResponse
from mission_control.http.operation_api import Api

api = Api(__name__, "souls-directory", below="/souls-directory", who="actor")
EXTENSION = "mission_control.souls"


def directory() -> SoulsDirectory:
    """Return the application's directory, with its caches."""
    settings = current_app.config["SETTINGS"]
    key = (settings.souls_directory_url, settings.outbound_allow_private)
    known = current_app.extensions.get(EXTENSION)
    if known is None or known[0] != key:
        outbound = Outbound(allow_private=settings.outbound_allow_private)
        known = current_app.extensions[EXTENSION] = (key, SoulsDirectory(settings.souls_directory_url, outbound))
    found: SoulsDirectory = known[1]
    return found


@api.get("/search", rule="soul.read", errors={502: ErrorResponse})
async def search_souls(actor: Actor, query: SoulQuery) -> SoulsDirectorySearchResponse:
    """Find souls by a part of their handle or name. Without words: the first ones of the directory."""
    return SoulsDirectorySearchResponse(items=await directory().search(query.q, query.limit))


@api.get("/<string:handle>/<string:slug>.md", rule="soul.read", errors={502: ErrorResponse})
@api.get("/<string:handle>/<string:slug>", rule="soul.read", errors={502: ErrorResponse})
async def get_markdown(actor: Actor, handle: str, slug: str) -> SoulsDirectoryMarkdownResponse:
    """Read the text of a soul; fill it into an agent's own words before you use it."""
    return await directory().text(handle, slug)
