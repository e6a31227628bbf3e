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
from mission_control.approvals.payloads import CHANNEL
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import system
from mission_control.core.times import monotonic
from mission_control.database.sql import rows, select
from mission_control.gateways import connector
from mission_control.gateways.errors import GatewayError
from mission_control.home import boardless, intake
from mission_control.home.asking import question_of, resolve_approval, resolve_question
from mission_control.home.gateway_request_reading import AskedQuestion, Ended, read_question
from mission_control.home.intake import KINDS, Kept, end_question, note_answered, parts_of
from mission_control.home.models import GatewayRequest, Question
from mission_control.people.account_names import person_name
from mission_control.work.loops import Loop


async def tell(question: Kept) -> None:
    """Tell the answers to one request once each of its questions has one; one withdrawn question cancels it."""
    if question.gateway_id is None or question.answer_state != "waiting":
        return
    external_id, _ = key_of(question)
    parts = await parts_of(question.gateway_id, external_id)
    is_withdrawn = any(part.state == "withdrawn" for part in parts)
    if any(part.state == "open" for part in parts) and not is_withdrawn:
        return
    asked = await _as_kept(question.gateway_id, external_id)
    if asked is not None and asked.status == "pending":
        answers = None if is_withdrawn else _answers(asked, parts)
        if await resolve_question(question.gateway_id, external_id, answers, await _answered_by(parts)):
            for part in parts:
                await (
                    end_question(part, asked_as(part, "cancelled"))
                    if part.state == "open"
                    else note_answered_by_us(part)
                )
            return
        asked = await _as_kept(question.gateway_id, external_id)
    await close(parts, asked)


async def _as_kept(gateway_id: UUID, external_id: str) -> AskedQuestion | None:
    said = await question_of(gateway_id, external_id)
    return read_question(said) if said is not None else None


def key_of(question: Kept) -> tuple[str, str]:
    request, _, key = str(question.external_id).partition("#")
    return request, key


def _answers(asked: AskedQuestion, parts: list[Kept]) -> dict[str, list[str]]:
    ours = {key_of(part)[1]: part for part in parts}
    return {item.id: item.values(*_said(ours[item.id])) for item in asked.parts if item.id in ours}


def _said(question: Kept) -> tuple[str | None, str | None]:
    """Return the chosen option and the own words of an answer."""
    labels = {one["id"]: one["label"] for one in question.options or []}
    label = labels.get(question.chosen_option_id)
    words = str(question.answer or "").removeprefix(label or "").strip()
    return label, words or None


async def _answered_by(parts: list[Kept]) -> str:
    last = parts[-1]
    user_id = last.resolved_by_user_id if isinstance(last, GatewayRequest) else last.answered_by_user_id
    found = await rows(f"SELECT {person_name('u')} AS name FROM users u WHERE u.id = ?", user_id) if user_id else []
    return str(found[0]["name"] or "Mission Control") if found else "Mission Control"


async def note_answered_by_us(part: Kept) -> None:
    """Note that the gateway has our answer, or our withdrawal."""
    if isinstance(part, GatewayRequest):
        await boardless.note_delivered(system(part.organization_id), part)
        return
    organization_id = (await Board.get(id=part.board_id)).organization_id
    await note_answered(system(organization_id), part)


async def close(parts: list[Kept], asked: AskedQuestion | None) -> None:
    """Close our questions as the gateway keeps them; an answer that it has from us was told before a crash."""
    for part in parts:
        key = key_of(part)[1]
        item = next((one for one in asked.parts if one.id == key), None) if asked is not None else None
        if asked is not None and item is not None and part.state == "answered":
            if asked.answers.get(key) == item.values(*_said(part)):
                await note_answered_by_us(part)
                continue
        await end_question(part, asked or asked_as(part, "gone"))


async def end_here(question: Kept, how: str) -> None:
    """End a question that nobody answered in time, or whose answer the gateway could not be told."""
    await end_question(question, asked_as(question, how))


def asked_as(question: Kept, status: str) -> AskedQuestion:
    """Return a question's request with this end, where the gateway was not asked."""
    return AskedQuestion(key_of(question)[0], "", question.expires_at, [], False, status, {}, "")


PAUSE_SECONDS, RETRY_SECONDS = 30.0, 5.0
TELLING_SECONDS = 15.0  # one gateway in one look, so that a slow one does not hold up the others
# After an end, its gateway says so first. An answer on its way gets longer, because the gateway may have it already.
GRACE, GRACE_FOR_ANSWERS = timedelta(seconds=5), timedelta(seconds=60)
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
    held, now = connector.held_here(), times.clock_now()
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
        await tell(kept)


async def _tell_decision(approval: Approval | GatewayRequest) -> None:
    assert approval.gateway_id is not None and approval.external_id is not None  # a gateway asked
    kind = KINDS.get(approval.action_type or "", "exec")
    ended = await resolve_approval(approval.gateway_id, approval.external_id, kind, approval.answer or "deny")
    await intake.end_approval(approval, ended)


async def _end(one: Unsettled) -> None:
    """End what nobody answered in time, what the gateway could not be told in time, and what no gateway asks now."""
    how = "gone" if one.is_orphan else "expired"
    kept = await MODELS[one.source].get_or_none(id=one.id)
    if kept is None:
        return
    if isinstance(kept, Approval) or (isinstance(kept, GatewayRequest) and kept.kind == "approval"):
        await intake.end_approval(kept, Ended(how))
    else:
        await end_here(kept, how)
