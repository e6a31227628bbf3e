"""The list of what waits for a person: found, narrowed, and said."""

from collections.abc import Sequence
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.ids import parse_id
from mission_control.core.paging import version_of
from mission_control.core.substance import substance_of
from mission_control.database.records import find_all
from mission_control.database.sql import placeholders
from mission_control.needs.finding import Filter, count, find_keys
from mission_control.needs.kinds import KINDS, Key, Page
from mission_control.needs.schemas import Kind, Need, NeedPage, NeedQuery


async def needs_page(actor: Actor, query: NeedQuery) -> NeedPage:
    """Return a page of what waits for a person, with the counts of all of it."""
    kinds = _kinds_of(query)
    counted = await count(actor, query.board_id)
    keys = await find_keys(actor, Filter(query.board_id, kinds, None, query.include), query.limit, query.offset)
    items, total = await said(actor, keys), counted.of(kinds, query.include)
    return NeedPage(
        items=items,
        total=total,
        version=version_of(total, ((one.id, one.version, one.is_snoozed) for one in items)),
        limit=query.limit,
        offset=query.offset,
        counts=counted.counts,
        oldest=counted.oldest,
    )


def _kinds_of(query: NeedQuery) -> tuple[Kind, ...] | None:
    if query.group is None and query.kind is None:
        return None
    chosen = [one for one in KINDS.values() if query.group in (None, one.group) and query.kind in (None, one.kind)]
    return tuple(one.kind for one in chosen)


async def said(actor: Actor, keys: Sequence[Key]) -> list[Need]:
    """Return needs in words, in the order of their keys; one that has ended is left out."""
    if not keys:
        return []
    boards, now = await _boards(keys), clock.now()
    found: dict[str, Need] = {}
    for kind in dict.fromkeys(key.kind for key in keys):
        mine = [key for key in keys if key.kind == kind]
        page = Page(actor, mine, boards, now)
        parts = await KINDS[kind].decides(page.ids)
        marks = {f"{kind}:{subject}": substance_of(one) for subject, one in parts.items()}
        for one in await KINDS[kind].say(page):
            one.substance = marks.get(one.id, "")
            found[one.id] = one
    return [found[key.name] for key in keys if key.name in found]


async def _boards(keys: Sequence[Key]) -> dict[UUID, Board]:
    ids = list({key.board_id for key in keys if key.board_id is not None})
    if not ids:
        return {}
    return {one.id: one for one in await find_all(Board, f"id IN ({placeholders(len(ids))})", *ids)}


async def key_named(actor: Actor, need_id: str) -> Key:
    """Return where a need of this person stands. Raise NotFound when nothing of this name waits for them."""
    kind, _, text = need_id.partition(":")
    subject = parse_id(text)
    if kind not in KINDS or subject is None:
        raise NotFound()
    known = next(one for one in KINDS if one == kind)
    found = await find_keys(actor, Filter(kinds=(known,), ids=(subject,), include="all"), 1)
    if not found:
        raise NotFound()
    return found[0]


async def one_need(actor: Actor, key: Key) -> Need:
    """Return one need in words. Raise NotFound when it has ended."""
    found = await said(actor, [key])
    if not found:
        raise NotFound()
    return found[0]
