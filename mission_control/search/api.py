"""Search over HTTP."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.paging import Page, page
from mission_control.operations.api import Api
from mission_control.operations.operation import operation
from mission_control.search.queries import SearchHit, SearchQuery, search

api = Api("search_api", __name__, url_prefix="/api/v1")


@operation(
    api,
    "GET",
    "/search",
    operation_id="search",
    tags=("search",),
    who="actor",
    query=SearchQuery,
    returns=Page[SearchHit],
)
async def search_everything(actor: Actor, query: SearchQuery) -> dict[str, Any]:
    """Search tasks, comments, memory and approvals on the boards that the caller reads."""
    found, total = await search(actor, query)
    return page(found, total, query)
