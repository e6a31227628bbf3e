"""Needs over HTTP, for people and their scripts."""

from mission_control.core.actor import Actor
from mission_control.needs.kinds import Key
from mission_control.needs.listing import key_named, needs_page, one_need
from mission_control.needs.schemas import Need, NeedPage, NeedQuery
from mission_control.operations.api import Api
from mission_control.operations.operation import operation

api = Api("needs_api", __name__, url_prefix="/api/v1/needs")
TAGS = ("needs",)
ONE = "/<string:need_id>"


@operation(
    api,
    "GET",
    "",
    operation_id="list_needs",
    tags=TAGS,
    who="user",
    query=NeedQuery,
    returns=NeedPage,
)
async def list_needs(actor: Actor, query: NeedQuery) -> NeedPage:
    """List everything that waits for you and that you may act on, by group, in it the oldest first.

    Each need says what is asked, which answers there are, what happens with each, and what happens if nobody acts.
    """
    return await needs_page(actor, query)


@operation(
    api,
    "GET",
    ONE,
    operation_id="get_need",
    tags=TAGS,
    who="user",
    find=key_named,
    returns=Need,
)
async def get_need(actor: Actor, key: Key) -> Need:
    """Read one thing that waits for you; 404 when it no longer does."""
    return await one_need(actor, key)
