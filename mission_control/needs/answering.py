"""Answer needs: one or many, by the operations that their answers name. The first answer wins."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mission_control.commands.transaction import atomically
from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict, DomainError, Invalid, NotFound
from mission_control.core.substance import refuse_changed
from mission_control.core.token_scopes import require_scope
from mission_control.needs.ended import Asked, asked_need, present_key, refuse_ended
from mission_control.needs.kinds import KINDS
from mission_control.needs.listing import said
from mission_control.needs.schemas import (
    Need,
    NeedAnswer,
    NeedAnswered,
    NeedAnswerGiven,
    NeedOperation,
    NeedResult,
    NeedResults,
    NeedsAnswered,
    Outcome,
)
from mission_control.operations.operation import admitted, handled
from mission_control.operations.registry import OPERATIONS
from mission_control.operations.retries import committed

# Runs the work in a transaction. An answer by itself is recorded in it for its Idempotency-Key.
type Begin = Callable[[Callable[[], Awaitable[NeedResult]]], Awaitable[NeedResult | None]]

# Refusals that mean that somebody was faster.
TOO_LATE = (
    ErrorCode.NEED_ENDED,
    ErrorCode.QUESTION_ANSWERED,
    ErrorCode.QUESTION_WITHDRAWN,
    ErrorCode.QUESTION_CLOSED,
    ErrorCode.APPROVAL_CLOSED,
    ErrorCode.APPROVAL_EXPIRED,
    ErrorCode.QUESTION_EXPIRED,
    ErrorCode.TASK_NOT_IN_REVIEW,
    ErrorCode.REQUEST_OVER,
)


async def answer_one(actor: Actor, asked: Asked, given: NeedAnswerGiven) -> NeedResult:
    """Give an answer. Raise Conflict with who was faster, Invalid for an answer that the need does not have."""
    return await _answer(actor, asked, given, lambda work: committed(actor, lambda: atomically(actor, work)))


async def _answer(actor: Actor, asked: Asked, given: NeedAnswerGiven, begin: Begin) -> NeedResult:
    if asked.key is None:
        await refuse_ended(asked)
    need, answer = await _answer_of(actor, asked, given.answer)
    _refuse_note(answer, given.note)
    if answer.operation is None:
        raise Invalid("This answer is a command to run elsewhere; there is nothing to send.")
    result = NeedResult(id=asked.name, title=need.title, outcome="answered", message=None, undoable=answer.undoable)
    if not _is_atomic(answer.operation):
        await _refuse_changed(asked, given)
        await _perform(actor, answer.operation, given.note)
        return result

    async def first() -> NeedResult:
        await _first(actor, asked, answer, given)
        return result

    return await begin(first) or result


async def _answer_of(actor: Actor, asked: Asked, answer_id: str) -> tuple[Need, NeedAnswer]:
    found = await said(actor, [asked.key]) if asked.key is not None else []
    if not found:
        await refuse_ended(asked)
    for answer in found[0].answers:
        if answer.id == answer_id:
            return found[0], answer
    known = ", ".join(answer.id for answer in found[0].answers)
    raise Invalid(f"There is no such answer here. There are: {known}.")


def _refuse_note(answer: NeedAnswer, note: str | None) -> None:
    if answer.note == "required" and not note:
        raise Invalid(f"Send a note with this answer: {answer.note_label[:1].lower()}{answer.note_label[1:]}")
    if answer.note == "none" and note:
        raise Invalid("This answer takes no note.")


async def _first(actor: Actor, asked: Asked, answer: NeedAnswer, given: NeedAnswerGiven) -> None:
    """Inside a transaction: give the answer unless another one came first."""
    await hold(asked)
    if await present_key(actor, asked.kind, asked.id) is None:
        await refuse_ended(asked)
    await _refuse_changed(asked, given)
    note = given.note
    if answer.operation is None:
        return
    if note and answer.note_operation is not None:
        await _perform(actor, answer.note_operation, note)
    await _perform(actor, answer.operation, note)


async def _refuse_changed(asked: Asked, given: NeedAnswerGiven) -> None:
    if given.substance is not None:
        refuse_changed(given.substance, (await KINDS[asked.kind].decides([asked.id])).get(asked.id, {}))


async def hold(asked: Asked) -> None:
    """Inside a transaction: lock what a need is about. Read what decides only after that."""
    lock = KINDS[asked.kind].hold
    if lock is not None:
        await lock(asked.id)


def _is_atomic(how: NeedOperation) -> bool:
    return next(not one.decides_itself for one in OPERATIONS if one.operation_id == how.operation_id)


async def _perform(actor: Actor, how: NeedOperation, note: str | None) -> None:
    """Perform an operation with its scope, its look-up, its rule and its schema."""
    entry = next(one for one in OPERATIONS if one.operation_id == how.operation_id)
    require_scope(actor, entry.scope_of(actor))
    found = await admitted(entry, actor, how.path_parameters)
    given: dict[str, Any] = {}
    if entry.body is not None:
        body: Mapping[str, Any] = how.body or {}
        if note and how.note_field:
            body = {**body, how.note_field: note}
        try:
            given["data"] = TypeAdapter(entry.body).validate_python(body)
        except ValidationError as error:
            raise Invalid("; ".join(one["msg"] for one in error.errors())) from None
    await handled(entry, actor, how.path_parameters, found, given)


async def answer_many(actor: Actor, wanted: NeedsAnswered) -> NeedResults:
    """Give many answers, each by itself; what cannot be taken back outside is refused here."""
    return results([await _one_of_many(actor, one) for one in wanted.answers])


async def _one_of_many(actor: Actor, given: NeedAnswered) -> NeedResult:
    try:
        asked = await asked_need(actor, given.id)
        if asked.key is not None:
            _, answer = await _answer_of(actor, asked, given.answer)
            if not answer.in_bulk:
                raise Invalid("This is answered by itself, not together with others.")
        return await _answer(actor, asked, given, partial(atomically, actor))
    except DomainError as error:
        return refused(given.id, error)


def refused(need_id: str, error: DomainError) -> NeedResult:
    """Return the result of a need that could not be answered."""
    code = error.detail.get("code") if isinstance(error.detail, dict) else None
    is_late = isinstance(error, Conflict) and (code in TOO_LATE or code is None)
    outcome: Outcome = "changed" if code == ErrorCode.NEED_CHANGED else "ended" if is_late else "refused"
    message = "There is nothing of this id that you may answer." if isinstance(error, NotFound) else error.sentence
    return NeedResult(id=need_id, title=None, outcome=outcome, message=message, undoable=False)


def results(found: list[NeedResult]) -> NeedResults:
    """Return the results with how many there are of each outcome."""
    number = Counter(one.outcome for one in found)
    return NeedResults(
        results=found,
        answered=number["answered"],
        undone=number["undone"],
        snoozed=number["snoozed"],
        shown=number["shown"],
        failed=number["ended"] + number["changed"] + number["refused"],
    )
