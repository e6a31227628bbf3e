"""Search over HTTP."""

from mission_control.core.actor import Actor
from mission_control.core.paging import Page, page
from mission_control.operations.api import Api
from mission_control.search import queries
from mission_control.search.queries import SearchHit, SearchQuery

api = Api(__name__, "search", who="actor")


@api.get("/search", Page[SearchHit])
async def search(actor: Actor, query: SearchQuery) -> dict[str, object]:
    """Search tasks, comments, memory and approvals on the boards that the caller reads."""
    found, total = await queries.search(actor, query)
    return page(found, total, query)
