"""Wait for a decision without polling the database."""

from functools import partial
from typing import Any

from mission_control.approvals.decisions import channel_of
from mission_control.approvals.models import Approval
from mission_control.approvals.queries import approval_read, visible_approval
from mission_control.authn.freshness import fresh
from mission_control.core.actor import Actor
from mission_control.core.errors import Unauthenticated
from mission_control.live.polls import settled


async def wait_for_decision(actor: Actor, approval: Approval, seconds: float) -> dict[str, Any]:
    """Return the approval once it is decided, or still pending when the time is over.

    An agent that lost the right to read it while it waited, such as by a move to another board, is refused.
    """
    read = partial(approval_read, approval.id)
    answer = await settled(channel_of(approval.id), read, lambda found: found["status"] != "pending", seconds)
    if seconds > 0:
        present = await fresh(actor)
        if present is None:
            raise Unauthenticated
        await visible_approval(present, approval.board_id, approval.id)
    return answer
