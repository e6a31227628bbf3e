"""Wait for a decision without polling the database."""

import asyncio
from typing import Any
from uuid import UUID

from mission_control.approvals.decisions import channel_of
from mission_control.approvals.models import Approval
from mission_control.approvals.queries import approval_read, visible_approval
from mission_control.authn.freshness import fresh
from mission_control.core.actor import Actor
from mission_control.core.errors import Unauthenticated
from mission_control.live import broker, channels


async def wait_for_decision(actor: Actor, approval: Approval, seconds: float) -> dict[str, Any]:
    """Return the approval once it is decided, or still pending when the time is over.

    An agent that lost the right to read it while it waited, such as by a move to another board, is refused.
    """
    answer = await _waited(approval.id, seconds)
    if seconds > 0:
        present = await fresh(actor)
        if present is None:
            raise Unauthenticated
        await visible_approval(present, approval.board_id, approval.id)
    return answer


async def _waited(approval_id: UUID, seconds: float) -> dict[str, Any]:
    now = asyncio.get_running_loop().time
    end = channels.end_of_wait(seconds)
    while True:
        with channels.listening(channel_of(approval_id)) as notified:
            answer = await approval_read(approval_id)
            left = end - now()
            if answer["status"] != "pending" or left <= 0 or _is_stopping():
                return answer
            await channels.notified_within(notified, left)


def _is_stopping() -> bool:
    running = broker.current()
    return running is None or running.closing
