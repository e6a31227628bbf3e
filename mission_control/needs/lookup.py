"""One need: looked up by its name, rendered in words, and how it ended when it no longer waits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, NoReturn
from uuid import UUID

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode, Invalid, NotFound, existing
from mission_control.core.substance import substance_of
from mission_control.core.values import parse_id
from mission_control.database.sql import placeholders, rows, select_one
from mission_control.events.position import positions_of_boards
from mission_control.http.registry import lookup
from mission_control.http.response_cache import Kept, cache, who_reads_the_same
from mission_control.needs.kinds import KINDS, AskedNeed, Key, Last, NeedKind, Page
from mission_control.needs.queries import Filter, find_keys
from mission_control.needs.schemas import Need, NeedAnswer
from mission_control.people.accounts.names import person_name


async def render_needs(actor: Actor, keys: Sequence[Key]) -> list[Need]:
    """Render needs in words, in the order of their keys; leave out those that have ended."""
    everything = Page(actor, keys, {}, times.clock_now())
    boards = await positions_of_boards(actor.organization_id, everything.board_ids)
    cell_of = partial(_cell, actor, boards, everything.now.replace(second=0, microsecond=0))
    needs = {key: cached.need for key in keys if isinstance(cached := cache.kept(*cell_of(key)), CachedNeed)}
    names = {board_id: name for board_id, (name, _) in boards.items()}
    missing = replace(everything, keys=[key for key in keys if key not in needs], boards=names)
    for kind, page in _by_kind(missing):
        rendered = await _render_page(kind, page)
        needs |= rendered
        for key, need in rendered.items() if kind.is_kept else ():
            cache.keep(*cell_of(key), CachedNeed(need))
    return [*filter(None, map(needs.get, keys))]


def _cell(actor: Actor, boards: Mapping[UUID, object], minute: datetime, key: Key) -> tuple[tuple[object, ...], object]:
    """Return where a need is kept for those who read the same, and the state for which it is."""
    board = boards.get(key.board_id) if key.board_id is not None else None
    reader = actor.user_id, times.reader().key, who_reads_the_same(actor, None)
    return ("need", *reader, key.name), (key, board, minute)


def _by_kind(page: Page) -> Iterator[tuple[NeedKind[Any], Page]]:
    for kind in dict.fromkeys(key.kind for key in page.keys):
        yield KINDS[kind], replace(page, keys=[key for key in page.keys if key.kind == kind])


async def _render_page(kind: NeedKind[Any], page: Page) -> dict[Key, Need]:
    parts, subjects = await kind.decides(page.ids), await kind.read(page)
    needs = {key: kind.say(page, key, subjects[key.id]) for key in page.keys if key.id in subjects}
    for key, need in needs.items():
        need.substance = substance_of(parts[key.id]) if key.id in parts else ""
    return needs


@dataclass
class CachedNeed(Kept):
    """A need in words, which nobody changes."""

    need: Need
    size = 17_000  # as measured of approvals: ten times its JSON


@lookup
async def key_named(actor: Actor, need_id: str) -> Key:
    """Return where a need of this person stands. Raise NotFound when nothing of this name waits for them."""
    kind, subject = parse_need_id(need_id)
    return await existing(present_key(actor, kind, subject))


def parse_need_id(need_id: str) -> tuple[str, UUID]:
    """Return the kind and the id of what a need's id names. Raise NotFound when it names nothing."""
    kind, _, text = need_id.partition(":")
    subject = parse_id(text)
    if kind not in KINDS or subject is None:
        raise NotFound()
    return kind, subject


async def present_key(actor: Actor, kind: str, subject: UUID) -> Key | None:
    """Return where a need stands now, None when it does not wait for the person."""
    keys = await find_keys(actor, Filter(kinds=(kind,), ids=(subject,), include="all"), 1)
    return keys[0] if keys else None


async def rendered_need(actor: Actor, key: Key) -> Need:
    """Render one need. Raise NotFound when it has ended."""
    needs = await render_needs(actor, [key])
    if not needs:
        raise NotFound()
    return needs[0]


async def asked_need(actor: Actor, need_id: str) -> AskedNeed:
    """Return what an id names, also when it no longer waits. Raise NotFound when the person may not answer it."""
    kind, subject = parse_need_id(need_id)
    key = await present_key(actor, kind, subject)
    board_id = key.board_id if key is not None else await _board_of_ended(actor, KINDS[kind], subject)
    return AskedNeed(kind, subject, board_id, key)


@dataclass(slots=True)
class AskedOn:
    """The board on which something was asked, or what was asked of admins."""

    id: UUID
    organization_id: UUID
    gateway_id: UUID | None = None


async def where_asked(kind: NeedKind[object], subject: UUID) -> AskedOn | None:
    """Return where something was asked, also when it no longer waits; None when it is gone."""
    sql = f"SELECT id, organization_id FROM {kind.table} WHERE id = ?"
    if not kind.is_for_admins:
        sql = f"SELECT b.id, b.organization_id FROM {kind.table} x JOIN boards b ON b.id = x.board_id"
        sql = f"{sql} WHERE x.id = ? AND b.deleted_at IS NULL"
    return await select_one(AskedOn, sql, subject)


async def _board_of_ended(actor: Actor, kind: NeedKind[object], subject: UUID) -> UUID | None:
    """Return the board of something that the person could have answered. Raise NotFound otherwise."""
    if kind.is_personal:
        if not await rows(f"SELECT id FROM {kind.table} WHERE id = ? AND user_id = ?", subject, actor.user_id):
            raise NotFound()
        return None
    place = await where_asked(kind, subject)
    if place is None or not (actor.administers(place.organization_id) if kind.is_for_admins else actor.writes(place)):
        raise NotFound()
    return None if kind.is_for_admins else place.id


async def hold_present(actor: Actor, asked: AskedNeed) -> None:
    """Inside a transaction: lock what a need is about. Raise Conflict when it no longer waits for the person."""
    await KINDS[asked.kind].hold(asked.id)
    if await present_key(actor, asked.kind, asked.id) is None:
        await _refuse_ended(asked)


async def _refuse_ended(asked: AskedNeed) -> NoReturn:
    """Raise Conflict with who was faster."""
    raise Conflict(ErrorCode.NEED_ENDED.detail(await how_it_ended(asked)))


async def how_it_ended(asked: AskedNeed, *, with_age: bool = True) -> str:
    """Return a sentence about what ended something that waited, with its age or to be kept."""
    kind = KINDS[asked.kind]
    message = await kind.ended(asked.id, with_age=with_age)
    if message is None:
        last = await last_of(asked)
        message = "This no longer waits for an answer."
        if last is not None:
            message = last.sentence(kind.endings, with_age=with_age)
    return message


async def last_of(asked: AskedNeed) -> Last | None:
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


@dataclass(frozen=True, slots=True)
class Offer:
    """An answer that a need has now."""

    asked: AskedNeed
    need: Need
    answer: NeedAnswer


async def offered(actor: Actor, asked: AskedNeed, answer_id: str) -> Offer:
    """Render a need, and return its answer of this id. Raise Conflict when it has ended, Invalid without such one."""
    for need in await render_needs(actor, [asked.key]) if asked.key is not None else []:
        for answer in need.answers:
            if answer.id == answer_id:
                return Offer(asked, need, answer)
        answers = ", ".join(f"{answer.label} ({answer.id})" for answer in need.answers)
        raise Invalid(f"There is no such answer here. There are: {answers}.")
    return await _refuse_ended(asked)
