"""What changes memory."""

from typing import Any

from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.ids import new_id
from mission_control.groups.commands import locked_group
from mission_control.groups.models import BoardGroup
from mission_control.inbox.quotes import WITHDRAWN, requote
from mission_control.memory import policy as policy
from mission_control.memory.models import BoardMemory, GroupMemory
from mission_control.memory.notices import concerns_agents, is_chat, notify_board, notify_group, snippet

Entry = BoardMemory | GroupMemory


@command("memory.write")
async def write_memory(
    actor: Actor, board: Board, content: str, tags: list[str] | None = None, source: str | None = None
) -> BoardMemory:
    """Write something down on a board; chat reaches the lead and whom it mentions, a command all agents."""
    board = await locked_board(board)
    entry = await _write(actor, board, content, tags, source)
    if entry.is_chat:
        await notify_board(actor, board, entry)
    return entry


async def note_order(actor: Actor, board: Board, order: str) -> BoardMemory:
    """Inside a command that carried an order out: write it into the board's chat, and tell nobody of it again."""
    return await _write(actor, board, order, ["chat"], None)


async def _write(actor: Actor, board: Board, content: str, tags: list[str] | None, source: str | None) -> BoardMemory:
    entry = BoardMemory(board_id=board.id, **_values(actor, content, tags, source, is_named=is_chat(tags)))
    entry.board = board
    await entry.save(force_create=True)
    record("memory.created", entry, _sentence(entry, "written"), **_state(entry))
    return entry


@command("memory.edit")
async def edit_memory(actor: Actor, entry: BoardMemory, changes: dict[str, Any]) -> BoardMemory:
    """Change the text or the tags of an entry."""
    found = await BoardMemory.select_for_update().get_or_none(id=entry.id)
    if found is None:
        raise NotFound()
    found.board = entry.board
    if changed := await _edit(found, changes):
        record("memory.updated", found, _sentence(found, "changed"), fields=changed, **_state(found))
    return found


@command("memory.delete")
async def delete_memory(actor: Actor, entry: BoardMemory) -> None:
    """Delete an entry for good; the log keeps that it was deleted and by whom, and notices no longer quote it."""
    await _delete(entry)
    record("memory.deleted", entry, _sentence(entry, "deleted"), **_state(entry))


@command("group_memory.write")
async def write_group_memory(
    actor: Actor, group: BoardGroup, content: str, tags: list[str] | None = None, source: str | None = None
) -> GroupMemory:
    """Write something down for every board of a group; chat, broadcasts and `@all` reach agents."""
    group = await locked_group(group)
    named = concerns_agents(content, tags)
    entry = GroupMemory(board_group_id=group.id, **_values(actor, content, tags, source, is_named=named))
    entry.board_group = group
    await entry.save(force_create=True)
    record("group_memory.created", entry, _sentence(entry, "written"), **_state(entry))
    if named:
        await notify_group(actor, group, entry)
    return entry


@command("group_memory.edit")
async def edit_group_memory(actor: Actor, entry: GroupMemory, changes: dict[str, Any]) -> GroupMemory:
    """Change the text or the tags of an entry."""
    found = await GroupMemory.select_for_update().get_or_none(id=entry.id)
    if found is None:
        raise NotFound()
    found.board_group = entry.board_group
    if changed := await _edit(found, changes):
        record("group_memory.updated", found, _sentence(found, "changed"), fields=changed, **_state(found))
    return found


@command("group_memory.delete")
async def delete_group_memory(actor: Actor, entry: GroupMemory) -> None:
    """Delete an entry for good; the log keeps that it was deleted and by whom, and notices no longer quote it."""
    await _delete(entry)
    record("group_memory.deleted", entry, _sentence(entry, "deleted"), **_state(entry))


def _values(
    actor: Actor, content: str, tags: list[str] | None, source: str | None, *, is_named: bool
) -> dict[str, Any]:
    """What both kinds of entries hold; one that concerns others carries its author's name unless told otherwise."""
    return {
        "id": new_id(),
        "content": content.strip(),
        "tags": tags,
        "is_chat": is_chat(tags),
        "source": actor.name if is_named and not source else source,
        "author_user_id": actor.user_id,
        "author_agent_id": actor.agent_id,
        "created_at": clock.now(),
    }


async def _edit(entry: Entry, changes: dict[str, Any]) -> list[str]:
    """Change what differs; returns the names of that."""
    changes = {name: value for name, value in changes.items() if getattr(entry, name) != value}
    before = entry.content
    if changes:
        entry.update_from_dict(changes)
        entry.is_chat, entry.edited_at = is_chat(entry.tags), clock.now()
        await entry.save(update_fields=[*changes, "is_chat", "edited_at"])
        await _requote(entry, before, snippet(entry.content))
    return sorted(changes)


async def _delete(entry: Entry) -> None:
    last = await type(entry).select_for_update().get_or_none(id=entry.id)
    if last is None:
        raise NotFound()
    await last.delete()
    await _requote(entry, last.content, WITHDRAWN)


async def _requote(entry: Entry, before: str, after: str) -> None:
    organization_id = entry.scope().organization_id
    await requote(organization_id, "memory_id", entry.id, entry.created_at, snippet(before), after)


def _sentence(entry: Entry, what: str) -> str:
    return f"{'Chat message' if entry.is_chat else 'Memory entry'} {what}."


def _state(entry: Entry) -> dict[str, Any]:
    """What streams need to know of an entry when it has gone; of its words, and of its author's name, nothing."""
    where = {"board_group_id": entry.board_group_id} if isinstance(entry, GroupMemory) else {}
    state = {"memory_id": entry.id, "is_chat": entry.is_chat, "created_at": entry.created_at}
    return {**state, **where}
