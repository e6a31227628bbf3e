"""The loop that tells gateways what people decided and answered, and ends what expired.

An answer is a state of its row, so it survives a crash; the first answer wins on the gateway, so telling it twice does
no harm. Only the process that has a gateway's connection tells it; every process ends what expired.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from mission_control.approvals.models import Approval
from mission_control.approvals.outside import ACTIONS, CHANNEL
from mission_control.core import clock
from mission_control.core.clock import monotonic
from mission_control.database.sql import select
from mission_control.gateway_requests import answers_to_questions, approvals
from mission_control.gateway_requests.asking import resolve_approval
from mission_control.gateway_requests.models import GatewayRequest
from mission_control.gateway_requests.reading import Ended
from mission_control.gateways import connector
from mission_control.openclaw.errors import GatewayError
from mission_control.questions.models import Question
from mission_control.work.loops import Loop

PAUSE_SECONDS, RETRY_SECONDS = 30.0, 5.0
TELLING_SECONDS = 15.0  # one gateway in one look, so that a slow one does not hold up the others
# After an end, its gateway says so first. An answer on its way gets longer, because the gateway may have it already.
GRACE, GRACE_FOR_ANSWERS = timedelta(seconds=5), timedelta(seconds=60)
KINDS = {action: kind for kind, action in ACTIONS.items()}
MODELS: dict[str, type[Approval | Question | GatewayRequest]] = {
    "approval": Approval,
    "question": Question,
    "request": GatewayRequest,
}

_log = logging.getLogger(__name__)
_refused: dict[UUID, str] = {}  # why, so that each reason is logged once


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An approval or a question of a gateway that is not settled there; `is_waiting`: our answer is on its way."""

    id: UUID
    gateway_id: UUID
    is_waiting: bool
    expires_at: datetime | None
    is_orphan: bool
    source: Literal["approval", "question", "request"] = "approval"

    def is_over(self, now: datetime) -> bool:
        """Whether it is ended here: it expired, or its gateway was deleted."""
        return self.is_orphan or (self.ends_at is not None and self.ends_at <= now)

    @property
    def ends_at(self) -> datetime | None:
        """When it is ended here."""
        if self.expires_at is None:
            return None
        return self.expires_at + (GRACE_FOR_ANSWERS if self.is_waiting else GRACE)


async def look() -> float:
    """Tell and end what is due; return the seconds until the next look."""
    found = await _unsettled()
    held, now = connector.held_here(), clock.now()
    over = [one for one in found if one.is_over(now)]
    for one in over:
        await _end(one)
    for known in _refused.keys() - {one.id for one in found}:
        del _refused[known]
    due: dict[UUID, list[Unsettled]] = {}
    for one in found:
        if one.is_waiting and one.gateway_id in held and one not in over:
            due.setdefault(one.gateway_id, []).append(one)
    await asyncio.gather(*(_tell_all(waiting) for waiting in due.values()))
    left = [one for one in found if one not in over]
    ends = [(one.ends_at - now).total_seconds() for one in left if one.ends_at is not None]
    return min([RETRY_SECONDS if due else PAUSE_SECONDS, *(max(end, 0.5) for end in ends)])


ANSWERS = Loop(
    name="telling gateways the decisions", look=look, pause=PAUSE_SECONDS, retry=RETRY_SECONDS, channel=CHANNEL
)


async def _unsettled() -> list[Unsettled]:
    columns = (
        "id, gateway_id, COALESCE(answer_state, '') = 'waiting' AS is_waiting, expires_at,"
        " NOT EXISTS (SELECT 1 FROM gateways g WHERE g.id = gateway_id) AS is_orphan"
    )
    asked = (
        f"SELECT {columns} FROM approvals WHERE gateway_id IS NOT NULL"
        " AND (status = 'pending' OR answer_state = 'waiting') ORDER BY created_at, id"
    )
    questions = (
        f"SELECT {columns}, 'question' AS source FROM agent_questions WHERE gateway_id IS NOT NULL"
        " AND (state = 'open' OR answer_state = 'waiting') ORDER BY created_at, id"
    )
    requests = (
        f"SELECT {columns}, 'request' AS source FROM gateway_requests"
        " WHERE status = 'pending' OR answer_state = 'waiting' ORDER BY created_at, id"
    )
    return [found for one in (asked, questions, requests) for found in await select(Unsettled, one)]


async def _tell_all(waiting: list[Unsettled]) -> None:
    """Tell one gateway everything that waits for it, in order; what fails is tried again soon."""
    until = monotonic() + TELLING_SECONDS
    for one in waiting:
        if monotonic() > until:
            return
        try:
            await _tell(one)
        except GatewayError as error:
            about = {"gateway_id": str(one.gateway_id), "code": error.code}
            level = logging.DEBUG if _refused.get(one.id) == error.code else logging.WARNING
            _log.log(level, "a gateway did not take an answer: %s", error, extra=about)
            _refused[one.id] = error.code
            if error.is_retryable:
                return
        except Exception:
            _log.exception("telling a gateway an answer failed")


async def _tell(one: Unsettled) -> None:
    kept = await MODELS[one.source].get_or_none(id=one.id)
    if kept is None or kept.answer_state != "waiting":
        return
    if isinstance(kept, Approval) or (isinstance(kept, GatewayRequest) and kept.kind == "approval"):
        await _tell_decision(kept)
    else:
        await answers_to_questions.tell(kept)


async def _tell_decision(approval: Approval | GatewayRequest) -> None:
    assert approval.gateway_id is not None and approval.external_id is not None  # a gateway asked
    kind = KINDS.get(approval.action_type or "", "exec")
    ended = await resolve_approval(approval.gateway_id, approval.external_id, kind, approval.answer or "deny")
    await approvals.end_approval(approval, ended)


async def _end(one: Unsettled) -> None:
    """End what nobody answered in time, what the gateway could not be told in time, and what no gateway asks now."""
    how = "gone" if one.is_orphan else "expired"
    kept = await MODELS[one.source].get_or_none(id=one.id)
    if kept is None:
        return
    if isinstance(kept, Approval) or (isinstance(kept, GatewayRequest) and kept.kind == "approval"):
        await approvals.end_approval(kept, Ended(how))
    else:
        await answers_to_questions.end_here(kept, how)
