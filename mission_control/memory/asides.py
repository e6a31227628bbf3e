"""Chat and memory beside a board and beside a group."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import orjson
from markupsafe import Markup

from mission_control.accounts.names import person_name
from mission_control.boards.cards import people_of
from mission_control.boards.view import BoardView
from mission_control.core.ids import parse_id
from mission_control.database.sql import placeholders, rows
from mission_control.groups.view import GroupView
from mission_control.live.models import Event
from mission_control.live.stream import Batch
from mission_control.memory.schemas import MemoryQuery
from mission_control.memory.shown import (
    PAGE,
    Memory,
    Shown,
    chat_since,
    chat_until,
    memory_of_board,
    memory_of_group,
    notes,
    some,
    tags_of,
)
from mission_control.web.asides import Aside, Opened
from mission_control.web.fragments import partial, read_ahead, render_macro
from mission_control.web.regions import Concerns, Region

CHAT, MEMORY = "memory/chat.html", "memory/notes.html"
type AnyView = BoardView | GroupView


def memory_in(view: AnyView) -> Memory:
    """Return the memory of the board or group that a page shows."""
    if isinstance(view, BoardView):
        return memory_of_board(view.actor, view.board)
    return memory_of_group(view.actor, view.group)


async def addressees(view: AnyView) -> list[dict[str, Any]]:
    """Return who can be mentioned, each with a word that says who that is."""
    boards = [view.board] if isinstance(view, BoardView) else view.group.boards
    if not boards:
        return []
    agents = await rows(
        f"SELECT g.name, g.is_board_lead FROM agents g WHERE g.board_id IN ({placeholders(len(boards))})"
        " ORDER BY LOWER(g.name), g.id",
        *[board.id for board in boards],
    )
    people = await people_of(view.board) if isinstance(view, BoardView) else await _people(view.group.organization_id)
    known = [{"name": "lead", "label": "Lead of the board" if len(boards) == 1 else "Leads of the boards"}]
    every = [{"name": "all", "label": "Every agent"}]
    return [
        *(known if any(one["is_board_lead"] for one in agents) else []),
        *(every if agents else []),
        *({"name": one["name"], "label": "Lead agent" if one["is_board_lead"] else "Agent"} for one in agents),
        *({"name": one["name"], "label": "Person"} for one in people),
    ]


async def _people(organization_id: UUID) -> list[dict[str, Any]]:
    return await rows(
        f"SELECT {person_name('u', 'User')} AS name FROM organization_members m JOIN users u ON u.id = m.user_id"
        " WHERE m.organization_id = ? ORDER BY LOWER(u.name), u.id LIMIT 200",
        organization_id,
    )


def names_of(known: list[dict[str, Any]]) -> tuple[str, ...]:
    """Return the names that a text can mention."""
    return tuple(one["name"] for one in known)


async def open_chat(view: AnyView, seq: int) -> Opened:
    """Return the chat: its newest messages, or those before one, and where to write."""
    memory, before = memory_in(view), parse_id(view.option("before"))
    since = _number(view.option("since")) or seq
    found, has_older = await chat_until(memory, since, before)
    known = await addressees(view)
    names = names_of(known)
    await read_ahead(*(one.content for one in found), names=names)
    html = render_macro(
        CHAT, "chat", memory=memory, entries=found, has_older=has_older, since=since, known=known, names=names,
        new=Markup("" if before else await new_messages(memory, since, names)), is_past=before is not None,
        is_group=isinstance(view, GroupView),
    )  # fmt: skip
    return Opened(html, {"since": str(since), "before": ""})


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


async def new_messages(memory: Memory, since: int, names: tuple[str, ...]) -> str:
    """Return what was written since the chat was opened."""
    found = await chat_since(memory, since)
    await read_ahead(*(one.content for one in found), names=names)
    return render_macro(CHAT, "messages", memory=memory, entries=found, names=names)


async def _chat(view: AnyView) -> str:
    known = await view.reads.get(("addressees", memory_in(view).id), lambda: addressees(view))
    return await new_messages(memory_in(view), _number(view.option("since")), names_of(known))


async def _chat_changes(view: AnyView, batch: Batch) -> str | None:
    """Return the new messages whole, and of older ones those that were changed or deleted."""
    if any(event.kind.endswith(".created") for event in batch.events):
        found = partial("#chat-new", await _chat(view))
    else:
        found = ""
    memory = memory_in(view)
    ids = [event.subject_id for event in batch.events if event.subject_id and not event.kind.endswith(".created")]
    present = await some(memory, ids)
    known = await view.reads.get(("addressees", memory.id), lambda: addressees(view))
    for entry_id in dict.fromkeys(ids):
        found += _changed(memory, entry_id, present.get(entry_id), names_of(known))
    return found


def _changed(memory: Memory, entry_id: UUID, entry: Shown | None, names: tuple[str, ...]) -> str:
    is_here = entry is not None and entry.is_chat
    html = render_macro(CHAT, "message", memory=memory, entry=entry, names=names) if is_here else ""
    return partial(f"#message-{entry_id}", html, "outerMorph" if is_here else "outerHTML")


async def older_messages(view: AnyView, before: UUID, since: int) -> str:
    """Return the messages before one, for an open chat."""
    memory = memory_in(view)
    found, has_older = await chat_until(memory, since, before)
    names = names_of(await addressees(view))
    await read_ahead(*(one.content for one in found), names=names)
    return render_macro(CHAT, "older", memory=memory, entries=found, has_older=has_older, since=since, names=names)


async def open_memory(view: AnyView, seq: int) -> Opened:
    """Return the notes that match the address, and where to write one."""
    memory = memory_in(view)
    html = render_macro(
        MEMORY, "memory", memory=memory, notes=Markup(await _notes(view)), tags=await tags_of(memory),
        text=view.option("q"), tag=view.option("tag"), is_group=isinstance(view, GroupView),
    )  # fmt: skip
    return Opened(html)


async def _notes(view: AnyView) -> str:
    memory, limit = memory_in(view), min(_number(view.option("shown")) or PAGE, 1000)
    tag = [view.option("tag")] if view.option("tag") else []
    query = MemoryQuery.model_construct(is_chat=False, q=view.option("q"), tag=tag, limit=limit + 1, offset=0)
    found = await notes(memory, query)
    await read_ahead(*(one.content for one in found[:limit]))
    is_narrowed = bool(view.option("q") or tag)
    more = limit + PAGE if len(found) > limit else 0
    return render_macro(
        MEMORY, "entries", memory=memory, entries=found[:limit], is_narrowed=is_narrowed, more=more,
        text=view.option("q"), tag=view.option("tag"),
    )  # fmt: skip


def _on_board(view: BoardView, news: Event | dict[str, Any]) -> bool:
    return isinstance(news, Event) and news.board_id == view.board.id


def _on_group(view: GroupView, news: Event | dict[str, Any]) -> bool:
    return isinstance(news, Event) and orjson.loads(news.data).get("board_group_id") == str(view.group.id)


def _regions(place: str, kinds: str, about: Callable[[Any, Any], bool]) -> tuple[Region[Any], ...]:
    render: Callable[[Any], Awaitable[str | None]] = _chat
    return (
        Region(f"{place}-chat", "#chat-new", Concerns((kinds,), (), about), render, changes=_chat_changes),
        Region(f"{place}-memory", "#memory-entries", Concerns((kinds,), (), about), _notes),
    )


ASIDES = (
    Aside("board", "chat", "Chat", "message-square", "b c", open_chat),
    Aside("board", "memory", "Memory", "book-open", "b m", open_memory),
    Aside("group", "chat", "Group chat", "message-square", "b c", open_chat),
    Aside("group", "memory", "Group notes", "book-open", "b m", open_memory),
)
REGIONS = (*_regions("board", "memory.", _on_board), *_regions("group", "group_memory.", _on_group))
