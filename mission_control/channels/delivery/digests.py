"""Messages about many needs: what waits, and what ended without the reader, and how."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from mission_control.boards.queries import boards_of
from mission_control.channels.channel import Channel, Item, Message, cut
from mission_control.channels.delivery.state import MAIL
from mission_control.channels.models import NO_LONGER, ReachMessage, ReachMessageNeed, ReachNeed
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.current_app import settings
from mission_control.database.sql import in_list, rows
from mission_control.needs.kinds import KINDS
from mission_control.needs.schemas import Need

MOST_LISTED = 5
MOST_ITEMS = 10  # of a section
WITHOUT = "Ended without you"
MOST_REASON = 160  # characters of a reason in a line

type Parts = Sequence[tuple[ReachMessageNeed, Need | None]]
type Over = ReachMessageNeed | ReachNeed
type Sections = tuple[tuple[str, tuple[Item, ...]], ...]


def party_of(need: Need) -> str:
    party = need.agent or need.person
    return party.name if party is not None else "Somebody"


def deadline_of(need: Need) -> str:
    """Return what happens without an answer, and when; empty where nothing happens by itself."""
    if need.otherwise.at is None:
        return ""
    return f"Without an answer by {times.clock_time(need.otherwise.at)}: {need.otherwise.text}"


async def several(message: ReachMessage, channel: Channel, actor: Actor, found: Parts, *, shows: bool) -> Message:
    """Write a digest, or a burst: what waits, and what ended and how."""
    base = settings().base_url
    waiting = [need for _, need in found if need is not None]
    ended = [part for part, need in found if need is None]
    title = {0: "Nothing waits for you now", 1: "1 thing waits for you"}.get(
        len(waiting), f"{len(waiting)} things wait for you"
    )
    if not shows:
        return Message(title, url=f"{base}/", is_urgent=bool(waiting))
    waiting = in_order(waiting)
    sections = await sections_of(actor, channel, waiting, [] if channel.is_brief else ended, base)
    lines = _lines_of(waiting, channel)
    if message.why != "digest":  # of a burst, the reader may have answered some
        sections = tuple(({WITHOUT: "Ended"}.get(heading, heading), items) for heading, items in sections)
        return Message(title, tuple(lines), url=f"{base}/", sections=sections, is_urgent=bool(waiting))
    if ended:
        lines.append(f"{len(ended)} ended without you")
    return Message(title, tuple(lines), url=f"{base}/", sections=sections)


def _lines_of(waiting: Sequence[Need], channel: Channel) -> list[str]:
    if channel.kind == MAIL:  # which has sections for them
        return []
    more = len(waiting) - MOST_LISTED
    return [_in_list(need, channel) for need in waiting[:MOST_LISTED]] + ([f"and {more} more"] if more > 0 else [])


def in_order(needs: Sequence[Need]) -> list[Need]:
    """Return what waits as digests list it: what blocks an agent first, then by age."""
    return sorted(needs, key=lambda one: (KINDS[one.kind].urgency != "blocks", one.since))


async def sections_of(
    actor: Actor, channel: Channel, waiting: Sequence[Need], ended: Sequence[Over], base: str
) -> Sections:
    """Return the sections of a digest: what waits, in its order, and what ended; `base` is where our pages are."""
    items = [_waiting_item(one, channel, base) for one in waiting[:MOST_ITEMS]]
    gone = await _ended_items(actor, ended[:MOST_ITEMS])
    sections = (("Waits", (*items, *_more(len(waiting), base))), (WITHOUT, (*gone, *_more(len(ended), base))))
    return tuple(section for section in sections if section[1])


def _more(number: int, base: str) -> tuple[Item, ...]:
    more = number - MOST_ITEMS
    return (Item(f"and {more} more", url=f"{base}/", count=more),) if more > 0 else ()


def _waiting_item(need: Need, channel: Channel, base: str) -> Item:
    risk = "High risk" if need.high_risk else ""
    board = need.board.name if need.board is not None else ""
    more = "" if channel.is_brief else deadline_of(need)
    if channel.kind == MAIL and not more:
        more = cut(need.reason or "", MOST_REASON)
    detail = " · ".join(filter(None, (board, risk, more)))
    return Item(_in_list(need, channel), detail, f"{base}/needs/{need.id}", times.age(need.since))


def _in_list(need: Need, channel: Channel) -> str:
    if channel.is_brief and (brief := KINDS[need.kind].brief):
        return f"{party_of(need)} {brief}"
    return "Something waits" if channel.is_brief else need.title


async def _ended_items(actor: Actor, ended: Sequence[Over]) -> list[Item]:
    titles, found = await _titles_of(actor, ended), list[Item]()
    for part in ended:
        how, title = part.ended_how or NO_LONGER, titles.get(part.subject_id)
        aside = _when(part.ended_at) if part.ended_at is not None else ""
        found.append(Item(title, how, aside=aside) if title else Item(how, aside=aside))
    return found


def _when(moment: datetime) -> str:
    """Return when something ended: the time of day within a day, else the date."""
    zone, now = times.reader(), times.clock_now()
    if (now - moment).total_seconds() < times.DAY:
        return f"{times.local(moment, zone):%H:%M}"
    return times.date_words(times.day_of(moment, zone), times.today(zone))


async def _titles_of(actor: Actor, ended: Sequence[Over]) -> Mapping[UUID, str]:
    """Return what was asked, as far as the person may read it now."""
    boards = {board.id: board for board in await boards_of(actor)} if ended else {}
    found: dict[UUID, str] = {}
    for kind in {part.kind for part in ended}:
        ids = [part.subject_id for part in ended if part.kind == kind]
        found |= {id: words.title for id, words in (await KINDS[kind].in_words(actor, boards, ids)).items()}
    tasks = [part.subject_id for part in ended if KINDS[part.kind].table == "tasks"]
    return found | await _titles_of_tasks(tasks, [*boards])


async def _titles_of_tasks(ids: Sequence[UUID], board_ids: Sequence[UUID]) -> dict[UUID, str]:
    (listed, values), (on, boards) = in_list(ids), in_list(board_ids)
    if not values or not boards:
        return {}
    sql = f"SELECT id, number, title FROM tasks WHERE id IN ({listed}) AND board_id IN ({on})"
    found = await rows(sql, *values, *boards)
    return {UUID(str(row["id"])): f"#{row['number']} {row['title']}" for row in found}
