"""Answer needs: one or many, by the operations that their answers name; take answers back; put needs off.

The first answer wins: a later one is refused with who was faster.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from mission_control.core import times
from mission_control.core.actor import Actor, require, rule
from mission_control.core.errors import Conflict, DomainError, ErrorCode, Invalid, NotFound
from mission_control.core.limits import require_scope
from mission_control.core.substance import refuse_changed
from mission_control.core.values import new_id
from mission_control.database.sql import placeholders, rows, select_one
from mission_control.events.commands import atomically, command
from mission_control.events.unit_of_work import notify, signal
from mission_control.http.operation import admitted
from mission_control.http.registry import OPERATIONS, Call, Operation
from mission_control.http.retries import committed
from mission_control.needs import schemas
from mission_control.needs.kinds import KINDS, Asked, AskKind, Key, Last
from mission_control.needs.polling import channel_of
from mission_control.needs.queries import key_named, parsed, present_key, said
from mission_control.people.accounts.names import person_name


@rule("need.snooze", "need.answer")
def may_answer_need(actor: Actor, asked: Key | Asked) -> bool:
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
    ErrorCode.APPROVAL_CLOSED,
    ErrorCode.APPROVAL_EXPIRED,
    ErrorCode.QUESTION_EXPIRED,
    ErrorCode.TASK_NOT_IN_REVIEW,
    ErrorCode.REQUEST_OVER,
)


async def answer_one(actor: Actor, asked: Asked, given: schemas.NeedAnswerGiven) -> schemas.NeedResult:
    """Give an answer. Raise Conflict with who was faster, Invalid for an answer that the need does not have."""
    return await _answer(actor, asked, given, lambda work: committed(actor, lambda: atomically(actor, work)))


async def _answer(actor: Actor, asked: Asked, given: schemas.NeedAnswerGiven, begin: Begin) -> schemas.NeedResult:
    if asked.key is None:
        await refuse_ended(asked)
    need, answer = await _answer_of(actor, asked, given.answer)
    if answer.note == "required" and not given.note:
        raise Invalid(f"Send a note with this answer: {answer.note_label[:1].lower()}{answer.note_label[1:]}")
    if answer.note == "none" and given.note:
        raise Invalid("This answer takes no note.")
    performs = answer.operation
    if performs is None:
        raise Invalid("This answer is a command to run elsewhere; there is nothing to send.")
    result = _done(asked.name, "answered", title=need.title, undoable=answer.undoable)
    if _operation(performs).decides_itself:
        await _refuse_changed(asked, given)
        await _perform(actor, performs, given.note)
        return await _standing(result, asked)

    async def first() -> schemas.NeedResult:
        """Inside a transaction: give the answer unless another one came first."""
        await KINDS[asked.kind].hold(asked.id)
        if await present_key(actor, asked.kind, asked.id) is None:
            await refuse_ended(asked)
        await _refuse_changed(asked, given)
        if given.note and answer.note_operation is not None:
            await _perform(actor, answer.note_operation, given.note)
        await _perform(actor, performs, given.note)
        return await _standing(result, asked)

    return await begin(first) or result


async def _standing(result: schemas.NeedResult, asked: Asked) -> schemas.NeedResult:
    """Say from how many others an answer is missing still."""
    result.missing = await KINDS[asked.kind].missing(asked.id)
    return result


async def _answer_of(actor: Actor, asked: Asked, answer_id: str) -> tuple[schemas.Need, schemas.NeedAnswer]:
    found = await said(actor, [asked.key]) if asked.key is not None else []
    if not found:
        await refuse_ended(asked)
    for answer in found[0].answers:
        if answer.id == answer_id:
            return found[0], answer
    known = ", ".join(f"{answer.label} ({answer.id})" for answer in found[0].answers)
    raise Invalid(f"There is no such answer here. There are: {known}.")


async def _refuse_changed(asked: Asked, given: schemas.NeedAnswerGiven) -> None:
    if given.substance is not None:
        refuse_changed(given.substance, (await KINDS[asked.kind].decides([asked.id])).get(asked.id, {}))


def _operation(how: schemas.NeedOperation) -> Operation:
    return next(one for one in OPERATIONS if one.operation_id == how.operation_id)


async def _perform(actor: Actor, how: schemas.NeedOperation, note: str | None) -> None:
    entry = _operation(how)
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
    await Call(entry, actor, how.path_parameters, found, given).perform()


async def answer_many(actor: Actor, sent: schemas.NeedsAnswered) -> schemas.NeedResults:
    """Give many answers, each by itself; what cannot be taken back outside is refused here."""
    titles = dict[str, str]()

    async def one(given: schemas.NeedAnswered) -> schemas.NeedResult:
        asked = await asked_need(actor, given.id)
        if asked.key is not None:
            need, answer = await _answer_of(actor, asked, given.answer)
            titles[given.id] = need.title
            if not answer.in_bulk:
                raise Invalid("This is answered by itself, not together with others.")
        return await _answer(actor, asked, given, partial(atomically, actor))

    found = await _each((given.id, one(given)) for given in sent.answers)
    for result in found.results:
        result.title = result.title or titles.get(result.id)
    return found


async def _each(attempts: Iterable[tuple[str, Coroutine[Any, Any, schemas.NeedResult]]]) -> schemas.NeedResults:
    """Await attempts on needs, by their ids, one after the other; a refusal is the result of its need."""
    found = []
    for need_id, attempt in attempts:
        try:
            found.append(await attempt)
        except DomainError as error:
            code = error.detail.get("code") if isinstance(error.detail, dict) else None
            is_late = isinstance(error, Conflict) and (code in TOO_LATE or code is None)
            outcome: schemas.Outcome = (
                "changed" if code == ErrorCode.NEED_CHANGED else "ended" if is_late else "refused"
            )
            is_unknown = isinstance(error, NotFound)
            message = "There is nothing of this id that you may answer." if is_unknown else error.sentence
            found.append(_done(need_id, outcome, message))
    number = Counter(one.outcome for one in found)
    return schemas.NeedResults(
        results=found,
        answered=number["answered"],
        undone=number["undone"],
        snoozed=number["snoozed"],
        shown=number["shown"],
        failed=number["ended"] + number["changed"] + number["refused"],
    )


def _done(
    need_id: str, outcome: schemas.Outcome, message: str | None = None, title: str | None = None, undoable: bool = False
) -> schemas.NeedResult:
    return schemas.NeedResult(id=need_id, title=title, outcome=outcome, message=message, undoable=undoable)


async def asked_need(actor: Actor, need_id: str) -> Asked:
    """Return what an id names, also when it no longer waits. Raise NotFound when the person may not answer it."""
    kind, subject = parsed(need_id)
    key = await present_key(actor, kind, subject)
    board_id = key.board_id if key is not None else await _board_of_ended(actor, KINDS[kind], subject)
    return Asked(kind, subject, board_id, key)


@dataclass(slots=True)
class AskedOn:
    """The board on which something was asked, or what was asked of admins."""

    id: UUID
    organization_id: UUID
    gateway_id: UUID | None = None


async def where_asked(kind: AskKind[Any], subject: UUID) -> AskedOn | None:
    """Return where something was asked, also when it no longer waits; None when it is gone."""
    sql = f"SELECT id, organization_id FROM {kind.table} WHERE id = ?"
    if not kind.is_for_admins:
        sql = f"SELECT b.id, b.organization_id FROM {kind.table} x JOIN boards b ON b.id = x.board_id"
        sql = f"{sql} WHERE x.id = ? AND b.deleted_at IS NULL"
    return await select_one(AskedOn, sql, subject)


async def _board_of_ended(actor: Actor, kind: AskKind[Any], subject: UUID) -> UUID | None:
    """Return the board of something that the person could have answered. Raise NotFound otherwise."""
    if kind.is_personal:
        if not await rows(f"SELECT id FROM {kind.table} WHERE id = ? AND user_id = ?", subject, actor.user_id):
            raise NotFound()
        return None
    place = await where_asked(kind, subject)
    if place is None or not (actor.administers(place.organization_id) if kind.is_for_admins else actor.writes(place)):
        raise NotFound()
    return None if kind.is_for_admins else place.id


async def refuse_ended(asked: Asked) -> None:
    """Raise Conflict with who was faster."""
    raise Conflict(ErrorCode.NEED_ENDED.detail(await how_it_ended(asked)))


async def how_it_ended(asked: Asked, *, with_age: bool = True) -> str:
    """Return a sentence about what ended something that waited, with its age or to be kept."""
    kind = KINDS[asked.kind]
    message = await kind.ended(asked.id, with_age=with_age)
    if message is None:
        last = await last_of(asked)
        message = "This no longer waits for an answer."
        if last is not None:
            message = last.sentence(kind.endings, with_age=with_age)
    return message


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
        "SELECT e.kind, e.actor_id, e.created_at, e.data, e.surface,"
        f" COALESCE(e.actor_name, {person_name('u')}) AS actor FROM events e LEFT JOIN users u ON u.id = e.actor_id"
        f" WHERE {where} AND e.kind IN ({placeholders(len(kinds))}) ORDER BY e.seq DESC LIMIT 1",
        *values,
        *kinds,
    )


async def undo_many(actor: Actor, sent: schemas.NeedsUndone) -> schemas.NeedResults:
    """Take back what the person just answered, each by itself, where nothing happened since."""

    async def one(need_id: str) -> schemas.NeedResult:
        asked = await asked_need(actor, need_id)
        await atomically(actor, lambda: _undo(actor, asked))
        return _done(asked.name, "undone")

    return await _each((need_id, one(need_id)) for need_id in sent.ids)


async def _undo(actor: Actor, asked: Asked) -> None:
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
        return _done(key.name, "shown" if sent.show else "snoozed")

    return await _each((need_id, one(need_id)) for need_id in dict.fromkeys(sent.ids))
