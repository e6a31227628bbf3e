"""The inbox, for agents."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.schemas import HTTPValidationError
from mission_control.inbox import receiving
from mission_control.inbox.notices import Inbox, InboxQuery
from mission_control.operations.api import ALL_ROLES, Api, hints

api = Api(__name__, below="/agent")


@api.get(
    "/inbox",
    Inbox,
    rule="inbox.read",
    errors={422: HTTPValidationError},
    is_long_poll=True,
    hints=hints(
        "agent_inbox_read",
        roles=ALL_ROLES,
        use="In a loop with wait_seconds=50, to learn of assignments, mentions, comments, decisions and chat at once.",
        avoid="Not to read a task's comments or the chat's history; list those instead.",
        effects="Notices up to `after` are acknowledged and never given again; everything else is given again.",
        never="Do not send the `next` of an answer as `after` before you have dealt with its notices.",
        route="Start with after=0, then always with the `next` of the last answer.",
        example="wait until somebody wants something from me",
    ),
)
async def read_inbox(actor: Actor, query: InboxQuery) -> dict[str, Any]:
    """Read your notices in order, and acknowledge those up to `after`.

    With `wait_seconds` the answer comes as soon as there is a notice, or empty after that time. What was not
    acknowledged is given again, also after a restart with `after=0`.
    """
    return await receiving.read_inbox(actor, query.after, query.limit, query.wait_seconds)
