"""Tell gateways the answers to their questions. A request of up to three questions is answered as one."""

from uuid import UUID

from mission_control.accounts.names import person_name
from mission_control.boards.models import Board
from mission_control.core.actor import system
from mission_control.database.sql import rows
from mission_control.gateway_requests import boardless
from mission_control.gateway_requests.asked_questions import AskedQuestion, read_question
from mission_control.gateway_requests.asking import question_of, resolve_question
from mission_control.gateway_requests.models import GatewayRequest
from mission_control.gateway_requests.questions import Kept, end, note_answered, parts_of


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
                await (end(part, asked_as(part, "cancelled")) if part.state == "open" else note_answered_by_us(part))
            return
        asked = await _as_kept(question.gateway_id, external_id)
    await close(parts, asked)


async def _as_kept(gateway_id: UUID, external_id: str) -> AskedQuestion | None:
    said = await question_of(gateway_id, external_id)
    return read_question(said) if said is not None else None


def key_of(question: Kept) -> tuple[str, str]:
    """Return the request of a question on its gateway, and its key there."""
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
    """Return who answered, for the gateway's record."""
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
        await end(part, asked or asked_as(part, "gone"))


async def end_here(question: Kept, how: str) -> None:
    """End a question that nobody answered in time, or whose answer the gateway could not be told."""
    await end(question, asked_as(question, how))


def asked_as(question: Kept, status: str) -> AskedQuestion:
    """Return a question's request with this end, where the gateway was not asked."""
    return AskedQuestion(key_of(question)[0], "", question.expires_at, [], False, status, {}, "")
