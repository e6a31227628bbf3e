"""Answer needs: one or many, by the operations that their answers name; take answers back; put needs off.

The first answer wins: a later one is refused with who was faster.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from uuid import UUID

from pydantic import ValidationError

from mission_control.asks.finding import key_named, parsed, present_key, said
from mission_control.asks.kinds import KINDS, Asked, Key, Last
from mission_control.asks.polling import channel_of
from mission_control.asks.schemas import (
    Need,
    NeedAnswer,
    NeedAnswered,
    NeedAnswerGiven,
    NeedOperation,
    NeedResult,
    NeedResults,
    NeedsAnswered,
    NeedSnooze,
    NeedsSnoozed,
    NeedsUndone,
    Outcome,
)
from mission_control.core import times
from mission_control.core.actor import Actor, Rules, require
from mission_control.core.errors import Conflict, DomainError, ErrorCode, Invalid, NotFound
from mission_control.core.limits import require_scope
from mission_control.core.substance import refuse_changed
from mission_control.core.values import new_id
from mission_control.database.sql import as_id, placeholders, rows, select_one
from mission_control.http.operation import admitted, handled
from mission_control.http.registry import OPERATIONS
from mission_control.http.retries import committed
from mission_control.log.commands import atomically, command
from mission_control.log.unit_of_work import notify, signal
from mission_control.people.account_names import person_name

rules = Rules()


@rules.rule("need.snooze")
@rules.rule("need.answer")
def may_answer_need(actor: Actor, asked: Key | Asked) -> bool:
    """People, whose need it is: they found it. Its answers ask the rules of their operations."""
    return actor.is_user


# Runs the work in a transaction. An answer by itself is recorded in it for its Idempotency-Key.
type Begin = Callable[[Callable[[], Awaitable[NeedResult]]], Awaitable[NeedResult | None]]

UNDO_WITHIN = timedelta(minutes=10)

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
    await KINDS[asked.kind].hold(asked.id)


def _is_atomic(how: NeedOperation) -> bool:
    return next(not one.decides_itself for one in OPERATIONS if one.operation_id == how.operation_id)


async def _perform(actor: Actor, how: NeedOperation, note: str | None) -> None:
    """Perform an operation with its scope, its look-up, its rule and its schema."""
    entry = next(one for one in OPERATIONS if one.operation_id == how.operation_id)
    require_scope(actor, entry.scope_of(actor))
    found = await admitted(entry, actor, how.path_parameters)
    given: dict[str, object] = {}
    if entry.shape is not None:
        body: Mapping[str, object] = how.body or {}
        if note and how.note_field:
            body = {**body, how.note_field: note}
        try:
            given["data"] = entry.shape.validate_python(body)
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
    code = error.detail.get("code") if isinstance(error.detail, dict) else None
    is_late = isinstance(error, Conflict) and (code in TOO_LATE or code is None)
    outcome: Outcome = "changed" if code == ErrorCode.NEED_CHANGED else "ended" if is_late else "refused"
    message = "There is nothing of this id that you may answer." if isinstance(error, NotFound) else error.sentence
    return NeedResult(id=need_id, title=None, outcome=outcome, message=message, undoable=False)


def results(found: list[NeedResult]) -> NeedResults:
    number = Counter(one.outcome for one in found)
    return NeedResults(
        results=found,
        answered=number["answered"],
        undone=number["undone"],
        snoozed=number["snoozed"],
        shown=number["shown"],
        failed=number["ended"] + number["changed"] + number["refused"],
    )


async def asked_need(actor: Actor, need_id: str) -> Asked:
    """Return what an id names, also when it no longer waits. Raise NotFound when the person may not answer it."""
    kind, subject = parsed(need_id)
    key = await present_key(actor, kind, subject)
    board_id = key.board_id if key is not None else await _board_of_ended(actor, kind, subject)
    return Asked(kind, subject, board_id, key)


async def _board_of_ended(actor: Actor, kind: str, subject: UUID) -> UUID | None:
    """Return the board of something that the person could have answered. Raise NotFound otherwise."""
    table = KINDS[kind].table
    if KINDS[kind].is_for_admins:
        found = await rows(f"SELECT organization_id FROM {table} WHERE id = ?", subject)
        organization_id = as_id(found[0]["organization_id"]) if found else None
        if organization_id is None or not actor.administers(organization_id):
            raise NotFound()
        return None
    found = await rows(
        f"SELECT b.id, b.organization_id FROM {table} x JOIN boards b ON b.id = x.board_id"
        " WHERE x.id = ? AND b.deleted_at IS NULL",
        subject,
    )
    board_id = as_id(found[0]["id"]) if found else None
    membership = actor.memberships.get(as_id(found[0]["organization_id"]) or subject) if found else None
    if board_id is None or membership is None:
        raise NotFound()
    if not (membership.all_boards_write or membership.boards.get(board_id, (False, False))[1]):
        raise NotFound()
    return board_id


async def refuse_ended(asked: Asked) -> None:
    """Raise Conflict with who was faster."""
    kind = KINDS[asked.kind]
    message = await kind.ended(asked.id)
    if message is None:
        last = await last_of(asked)
        message = last.sentence(kind.endings) if last is not None else "This no longer waits for an answer."
    raise Conflict(ErrorCode.NEED_ENDED.detail(message))


async def last_of(asked: Asked) -> Last | None:
    """Return the last thing that ended what somebody wants to answer."""
    kind = KINDS[asked.kind]
    kinds = [name for name in kind.endings if "=" not in name]
    if not kinds:
        return None
    where, values = "e.board_id = ? AND e.subject_id = ?", [asked.board_id, asked.id]
    if kind.table == "tasks":
        where, values = "e.task_id = ?", [asked.id]
    return await select_one(
        Last,
        "SELECT e.kind, e.actor_id, e.created_at, e.data,"
        f" COALESCE(e.actor_name, {person_name('u')}) AS actor FROM events e LEFT JOIN users u ON u.id = e.actor_id"
        f" WHERE {where} AND e.kind IN ({placeholders(len(kinds))}) ORDER BY e.seq DESC LIMIT 1",
        *values,
        *kinds,
    )


async def undo_many(actor: Actor, wanted: NeedsUndone) -> NeedResults:
    """Take back what the person just answered, each by itself, where nothing happened since."""
    return results([await _undone(actor, need_id) for need_id in wanted.ids])


async def _undone(actor: Actor, need_id: str) -> NeedResult:
    try:
        asked = await asked_need(actor, need_id)
        await atomically(actor, lambda: _undo(actor, asked))
    except DomainError as error:
        return refused(need_id, error)
    return NeedResult(id=asked.name, title=None, outcome="undone", message=None, undoable=False)


async def _undo(actor: Actor, asked: Asked) -> None:
    require(actor, "need.answer", asked)
    await hold(asked)
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
async def snooze(actor: Actor, key: Key, until: NeedSnooze) -> None:
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


async def snooze_many(actor: Actor, wanted: NeedsSnoozed) -> NeedResults:
    """Put several needs off, or show them again, each by itself."""
    return results([await _snoozed(actor, one, wanted) for one in dict.fromkeys(wanted.ids)])


async def _snoozed(actor: Actor, need_id: str, wanted: NeedsSnoozed) -> NeedResult:
    try:
        key = await key_named(actor, need_id)
        if wanted.show:
            await unsnooze(actor, key)
        else:
            await snooze(actor, key, NeedSnooze(until=wanted.until, until_changed=wanted.until_changed))
    except DomainError as error:
        return refused(need_id, error)
    return NeedResult(
        id=key.name, title=None, outcome="shown" if wanted.show else "snoozed", message=None, undoable=False
    )
