"""The loop that tells gateways what people decided and answered, and ends what expired.

An answer is a state of its row, so it survives a crash; the first answer wins on the gateway, so telling it twice does
no harm. Only the process that has a gateway's connection tells it; every process ends what expired.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from mission_control.approvals.models import Approval
from mission_control.approvals.payloads import CHANNEL
from mission_control.background.loops import Loop
from mission_control.core import times
from mission_control.core.times import monotonic
from mission_control.database.sql import rows, select
from mission_control.gateway_agents.requests import settling
from mission_control.gateway_agents.requests.calls import KINDS, question_of, resolve_approval, resolve_question
from mission_control.gateway_agents.requests.models import GatewayRequest
from mission_control.gateway_agents.requests.reading import AskedQuestion
from mission_control.gateways.connections import connector
from mission_control.gateways.protocol.errors import GatewayError
from mission_control.people.accounts.names import person_name
from mission_control.questions.models import Question


async def _tell_answers(question: settling.QuestionRequest) -> None:
    """Tell the answers to one request once each of its questions has one; one withdrawn question cancels it."""
    if question.gateway_id is None:
        return
    external_id, _ = settling.key_of(question)
    parts = await settling.parts_of(question.gateway_id, external_id)
    states = {part.state for part in parts}
    if "open" in states and "withdrawn" not in states:
        return
    asked = await question_of(question.gateway_id, external_id)
    if asked is not None and asked.status == "pending":
        answers = None if "withdrawn" in states else _answers_of(parts, asked)
        if await resolve_question(question.gateway_id, external_id, answers, await _answered_by(parts)):
            await settling.deliver_all(parts)
            return
        asked = await question_of(question.gateway_id, external_id)
    await settling.close(parts, asked)


def _answers_of(parts: list[settling.QuestionRequest], asked: AskedQuestion) -> dict[str, list[str]]:
    ours = {settling.key_of(part)[1]: part for part in parts}
    return {item.id: item.values(*settling.said_in(ours[item.id])) for item in asked.parts if item.id in ours}


async def _answered_by(parts: list[settling.QuestionRequest]) -> str:
    last = parts[-1]
    user_id = last.resolved_by_user_id if isinstance(last, GatewayRequest) else last.answered_by_user_id
    users = await rows(f"SELECT {person_name('u')} AS name FROM users u WHERE u.id = ?", user_id) if user_id else []
    return next((str(user["name"]) for user in users if user["name"]), "Mission Control")


PAUSE_SECONDS, RETRY_SECONDS = 30.0, 5.0
TELLING_SECONDS = 15.0  # one gateway in one look, so that a slow one does not hold up the others
# After an end, its gateway says so first. An answer on its way gets longer, because the gateway may have it already.
GRACE, GRACE_FOR_ANSWERS = timedelta(seconds=5), timedelta(seconds=60)
# The models by their tables, with SQL for what waits for a person.
SOURCES: dict[str, tuple[type[settling.Request], str]] = {
    "approvals": (Approval, "status = 'pending'"),
    "agent_questions": (Question, "state = 'open'"),
    "gateway_requests": (GatewayRequest, "status = 'pending'"),
}
_UNSETTLED = " UNION ALL ".join(
    f"SELECT '{table}' AS source, x.id, x.gateway_id, COALESCE(x.answer_state, '') = 'waiting' AS is_waiting,"
    " x.expires_at, NOT EXISTS (SELECT 1 FROM gateways g WHERE g.id = x.gateway_id) AS is_orphan, x.created_at"
    f" FROM {table} x WHERE x.gateway_id IS NOT NULL AND (x.{waits} OR x.answer_state = 'waiting')"
    for table, (_, waits) in SOURCES.items()
)

_log = logging.getLogger(__name__)
_refused: dict[UUID, str] = {}  # why, so that each reason is logged once


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What a gateway asked and is not settled there; `is_waiting`: our answer is on its way."""

    source: str
    id: UUID
    gateway_id: UUID
    is_waiting: bool
    expires_at: datetime | None
    is_orphan: bool
    created_at: datetime

    def is_over(self, now: datetime) -> bool:
        """Whether it is ended here: it expired, or its gateway was deleted."""
        return self.is_orphan or (self.ends_at is not None and self.ends_at <= now)

    @property
    def ends_at(self) -> datetime | None:
        if self.expires_at is None:
            return None
        return self.expires_at + (GRACE_FOR_ANSWERS if self.is_waiting else GRACE)


async def look() -> float:
    """Tell and end what is due; return the seconds until the next look."""
    unsettled = await select(Unsettled, f"{_UNSETTLED} ORDER BY created_at, id")
    now, held = times.clock_now(), connector.held_here()
    for request_id in _refused.keys() - {item.id for item in unsettled}:
        del _refused[request_id]
    await _end_over(unsettled, now)
    left = [item for item in unsettled if not item.is_over(now)]
    due: dict[UUID, list[Unsettled]] = {}
    for item in left:
        if item.is_waiting and item.gateway_id in held:
            due.setdefault(item.gateway_id, []).append(item)
    await asyncio.gather(*map(_tell_all, due.values()))
    return min([RETRY_SECONDS if due else PAUSE_SECONDS, *_seconds_left(left, now)])


def _seconds_left(items: list[Unsettled], now: datetime) -> list[float]:
    return [max((item.ends_at - now).total_seconds(), 0.5) for item in items if item.ends_at is not None]


ANSWERS = Loop(
    name="telling gateways the decisions", look=look, pause=PAUSE_SECONDS, retry=RETRY_SECONDS, channel=CHANNEL
)


async def _end_over(items: list[Unsettled], now: datetime) -> None:
    """End what nobody answered or could be told in time, or what no gateway asks now."""
    for item in items:
        if item.is_over(now) and (request := await _request_of(item)) is not None:
            await settling.end(request, "gone" if item.is_orphan else "expired")


async def _tell_all(waiting: list[Unsettled]) -> None:
    """Tell one gateway everything that waits for it, in order; what fails is tried again soon."""
    until = monotonic() + TELLING_SECONDS
    for item in waiting:
        if monotonic() > until:
            return
        try:
            await _tell(item)
        except GatewayError as error:
            about = {"gateway_id": str(item.gateway_id), "code": error.code}
            level = logging.DEBUG if _refused.get(item.id) == error.code else logging.WARNING
            _log.log(level, "a gateway did not take an answer: %s", error, extra=about)
            _refused[item.id] = error.code
            if error.is_retryable:
                return
        except Exception:
            _log.exception("telling a gateway an answer failed")


async def _request_of(item: Unsettled) -> settling.Request | None:
    model, _ = SOURCES[item.source]
    return await model.get_or_none(id=item.id)


async def _tell(item: Unsettled) -> None:
    request = await _request_of(item)
    if request is None or request.answer_state != "waiting":
        return
    if not isinstance(request, Approval) and not (isinstance(request, GatewayRequest) and request.kind == "approval"):
        await _tell_answers(request)
        return
    kind = KINDS.get(request.action_type or "", "exec")
    ended = await resolve_approval(item.gateway_id, str(request.external_id), kind, request.answer or "deny")
    await settling.end_approval(request, ended)
