"""Answer needs: one or many, by the operations that their answers name; take answers back; put needs off.

The first answer wins: a later one is refused with who was faster.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import timedelta
from functools import partial

from pydantic import ValidationError

from mission_control.core import times
from mission_control.core.actor import Actor, require, rule
from mission_control.core.errors import Conflict, DomainError, ErrorCode, Invalid, NotFound
from mission_control.core.substance import refuse_changed
from mission_control.core.values import new_id
from mission_control.database.sql import rows
from mission_control.events.commands import atomically, command
from mission_control.events.unit_of_work import notify, signal
from mission_control.http.operation import perform
from mission_control.http.registry import OPERATIONS, Operation
from mission_control.http.retries import committed
from mission_control.needs import schemas
from mission_control.needs.kinds import KINDS, AskedNeed, Key
from mission_control.needs.lookup import Offer, asked_need, hold_present, key_named, last_of, offered, present_key
from mission_control.needs.polling import channel_of


@rule("need.snooze", "need.answer")
def may_answer_need(actor: Actor, asked: Key | AskedNeed) -> bool:
    """People, whose need it is: they found it. Its answers ask the rules of their operations."""
    return actor.is_user


# Runs the work in a transaction. An answer by itself is recorded in it for its Idempotency-Key.
type Begin = Callable[[Callable[[], Awaitable[schemas.NeedResult]]], Awaitable[schemas.NeedResult | None]]

UNDO_WITHIN = timedelta(minutes=10)

# Refusals that mean that somebody was faster.
TOO_LATE = (
    ErrorCode.NEED_ENDED,
    ErrorCode.QUESTION_ANSWERED,
    ErrorCode.QUESTION_WITHDRAWN,
    ErrorCode.QUESTION_CLOSED,
    ErrorCode.HOLD_ANSWERED,
    ErrorCode.HOLD_ENDED,
    ErrorCode.APPROVAL_CLOSED,
    ErrorCode.APPROVAL_EXPIRED,
    ErrorCode.QUESTION_EXPIRED,
    ErrorCode.TASK_NOT_IN_REVIEW,
    ErrorCode.REQUEST_OVER,
)


class NoteMissing(Invalid):
    """An answer was given without the note that it requires."""


async def answer_one(
    actor: Actor, asked: AskedNeed, given: schemas.NeedAnswerGiven
) -> tuple[schemas.NeedResult, schemas.NeedAnswer]:
    """Give an answer. Return how it went, and the answer as it was offered.

    Raise Conflict with who was faster, Invalid for an answer that the need does not have or whose note is missing.
    """
    offer = await offered(actor, asked, given.answer)
    return await _give(
        actor, offer, given, lambda work: committed(actor, partial(atomically, actor, work))
    ), offer.answer


async def _give(actor: Actor, offer: Offer, given: schemas.NeedAnswerGiven, begin: Begin) -> schemas.NeedResult:
    answer, performs = offer.answer, offer.answer.operation
    if answer.note == "required" and not given.note:
        raise NoteMissing(f"Send a note with this answer: {answer.note_label[:1].lower()}{answer.note_label[1:]}")
    if answer.note == "none" and given.note:
        raise Invalid("This answer takes no note.")
    if performs is None:
        raise Invalid("This answer is a command to run elsewhere; there is nothing to send.")
    if _operation(performs).decides_itself:
        return await _perform_all(actor, offer, given, performs)

    async def give_first() -> schemas.NeedResult:
        """Inside a transaction: give the answer unless another one came first."""
        await hold_present(actor, offer.asked)
        return await _perform_all(actor, offer, given, answer.note_operation if given.note else None, performs)

    result = await begin(give_first)
    assert result is not None  # `give_first` always has an answer
    return result


async def _perform_all(
    actor: Actor, offer: Offer, given: schemas.NeedAnswerGiven, *operations: schemas.NeedOperation | None
) -> schemas.NeedResult:
    kind, subject, need = KINDS[offer.asked.kind], offer.asked.id, offer.need
    if given.substance is not None:
        refuse_changed(given.substance, (await kind.decides([subject])).get(subject, {}))
    for operation in filter(None, operations):
        await _perform(actor, operation, given.note)
    missing = await kind.missing(subject)
    return _result(need.id, "answered", title=need.title, undoable=offer.answer.undoable, missing=missing)


def _operation(how: schemas.NeedOperation) -> Operation:
    return next(one for one in OPERATIONS if one.operation_id == how.operation_id)


async def _perform(actor: Actor, how: schemas.NeedOperation, note: str | None) -> None:
    body = (how.body or {}) | ({how.note_field: note} if note and how.note_field else {})
    try:
        await perform(_operation(how), actor, how.path_parameters, body)
    except ValidationError as error:
        raise Invalid("; ".join(part["msg"] for part in error.errors())) from None


async def answer_many(actor: Actor, sent: schemas.NeedsAnswered) -> schemas.NeedResults:
    """Give many answers, each by itself; what cannot be taken back outside is refused here."""
    titles = dict[str, str]()

    async def answer(given: schemas.NeedAnswered) -> schemas.NeedResult:
        asked = await asked_need(actor, given.id)
        offer = await offered(actor, asked, given.answer)
        titles[given.id] = offer.need.title
        if not offer.answer.in_bulk:
            raise Invalid("This is answered by itself, not together with others.")
        return await _give(actor, offer, given, partial(atomically, actor))

    results = await _each((given.id, answer(given)) for given in sent.answers)
    for result in results.results:
        result.title = result.title or titles.get(result.id)
    return results


async def _each(attempts: Iterable[tuple[str, Coroutine[object, object, schemas.NeedResult]]]) -> schemas.NeedResults:
    """Await attempts on needs, by their ids, one after the other; a refusal is the result of its need."""
    results = []
    for need_id, attempt in attempts:
        try:
            results.append(await attempt)
        except DomainError as error:
            is_late = isinstance(error, Conflict) and (error.code in TOO_LATE or error.code is None)
            outcome: schemas.Outcome = "ended" if is_late else "refused"
            if error.code == ErrorCode.NEED_CHANGED:
                outcome = "changed"
            is_unknown = isinstance(error, NotFound)
            message = "There is nothing of this id that you may answer." if is_unknown else error.sentence
            results.append(_result(need_id, outcome, message))
    number = Counter(result.outcome for result in results)
    return schemas.NeedResults(
        results=results,
        answered=number["answered"],
        undone=number["undone"],
        snoozed=number["snoozed"],
        shown=number["shown"],
        failed=number["ended"] + number["changed"] + number["refused"],
    )


def _result(
    need_id: str,
    outcome: schemas.Outcome,
    message: str | None = None,
    *,
    title: str | None = None,
    undoable: bool = False,
    missing: int = 0,
) -> schemas.NeedResult:
    return schemas.NeedResult(
        id=need_id, title=title, outcome=outcome, message=message, undoable=undoable, missing=missing
    )


async def undo_many(actor: Actor, sent: schemas.NeedsUndone) -> schemas.NeedResults:
    """Take back what the person just answered, each by itself, where nothing happened since."""

    async def one(need_id: str) -> schemas.NeedResult:
        asked = await asked_need(actor, need_id)
        await atomically(actor, lambda: _undo(actor, asked))
        return _result(asked.name, "undone")

    return await _each((need_id, one(need_id)) for need_id in sent.ids)


async def _undo(actor: Actor, asked: AskedNeed) -> None:
    require(actor, "need.answer", asked)
    await KINDS[asked.kind].hold(asked.id)
    if asked.board_id is not None and await KINDS[asked.kind].withdraw(actor, asked.board_id, asked.id):
        return
    if await present_key(actor, asked.kind, asked.id) is not None:
        raise Invalid("This waits for an answer already; there is nothing to take back.")
    kind, last = KINDS[asked.kind], await last_of(asked)
    if asked.board_id is None or last is None or last.actor_id is None or not kind.takes_back:
        raise Invalid("This answer cannot be taken back.")
    if last.actor_id != actor.user_id:
        raise Conflict(ErrorCode.NEED_ENDED.detail(last.sentence(kind.endings)))
    if times.clock_now() - last.created_at > UNDO_WITHIN:
        raise Invalid("An answer can be taken back for ten minutes.")
    await kind.undo(actor, asked.board_id, asked.id, last)


@command("need.snooze")
async def snooze(actor: Actor, key: Key, until: schemas.NeedSnooze) -> None:
    """Put a need off for the person; it replaces what they said before."""
    if until.until is not None and until.until <= times.clock_now():
        raise Invalid("Choose a time that is still to come.")
    await rows(
        "INSERT INTO need_snoozes (id, user_id, kind, subject_id, until, version, created_at) VALUES"
        " (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (user_id, kind, subject_id)"
        " DO UPDATE SET until = excluded.until, version = excluded.version, created_at = excluded.created_at",
        new_id(),
        actor.user_id,
        key.kind,
        key.id,
        until.until,
        key.version if until.until_changed else None,
        times.clock_now(),
    )
    _signal(actor)


@command("need.snooze")
async def unsnooze(actor: Actor, key: Key) -> None:
    """Show a need again; a no-op when it is not put off."""
    await rows(
        "DELETE FROM need_snoozes WHERE user_id = ? AND kind = ? AND subject_id = ?", actor.user_id, key.kind, key.id
    )
    _signal(actor)


def _signal(actor: Actor) -> None:
    signal(actor.organization_id, needs_of=str(actor.user_id))
    notify(channel_of(actor.organization_id))


async def snooze_many(actor: Actor, sent: schemas.NeedsSnoozed) -> schemas.NeedResults:
    """Put several needs off, or show them again, each by itself."""

    async def one(need_id: str) -> schemas.NeedResult:
        key = await key_named(actor, need_id)
        if sent.show:
            await unsnooze(actor, key)
        else:
            await snooze(actor, key, schemas.NeedSnooze(until=sent.until, until_changed=sent.until_changed))
        return _result(key.name, "shown" if sent.show else "snoozed")

    return await _each((need_id, one(need_id)) for need_id in dict.fromkeys(sent.ids))
