"""Search over HTTP."""

from mission_control.core.actor import Actor
from mission_control.core.values import Page, page
from mission_control.http.operation_api import Api
from mission_control.knowledge import search_queries
from mission_control.knowledge.search_queries import SearchHit, SearchQuery

api = Api(__name__, "search", who="actor")


@api.get("/search", Page[SearchHit])
async def search(actor: Actor, query: SearchQuery) -> dict[str, object]:
    """Search tasks, comments, memory and approvals on the boards that the caller reads."""
    found, total = await search_queries.search(actor, query)
    return page(found, total, query)
