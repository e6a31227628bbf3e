"""Commands that write, change and delete entries of memory."""

from mission_control.agents.notices import WITHDRAWN, requote
from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import existing
from mission_control.core.values import JsonObject
from mission_control.events.commands import command
from mission_control.events.event_log import Kind, NewEvent
from mission_control.events.unit_of_work import reacts_to, record
from mission_control.groups.commands import locked_group
from mission_control.groups.models import BoardGroup
from mission_control.memory.models import BoardMemory, Entry, GroupMemory
from mission_control.memory.notices import concerns_agents, is_chat, notify_board, notify_group, snippet
from mission_control.memory.queries import MemoryUpdate
from mission_control.people.organizations.work_state import RUNNING

EVENTS = (
    Kind("memory.created", "An entry was added to a board's memory or chat."),
    Kind("memory.updated", "An entry of a board's memory changed.", "changed the memory of the board"),
    Kind(
        "memory.deleted", "An entry of a board's memory was deleted.", "deleted something from the memory of the board"
    ),
    Kind("group_memory.created", "An entry was added to a group's memory."),
    Kind("group_memory.updated", "An entry of a group's memory changed.", "changed the memory of a board group"),
    Kind(
        "group_memory.deleted",
        "An entry of a group's memory was deleted.",
        "deleted something from the memory of a board group",
    ),
)


@command("memory.write")
async def write_memory(
    actor: Actor,
    home: Board | BoardGroup,
    content: str,
    tags: list[str] | None = None,
    source: str | None = None,
    *,
    is_for_people: bool = False,
) -> Entry:
    """Write an entry for a board, or for every board of a group.

    Chat notifies leads and the agents it mentions, an order of a board every agent; so do broadcasts and `@all`. What
    is for people notifies no lead that it does not mention.
    """
    if isinstance(home, Board):
        board = await locked_board(home)
        of_board = BoardMemory(board=board, content=content, tags=tags, source=source)
        entry = await _write(actor, of_board, is_signed=is_chat(tags))
        if entry.is_chat:
            await notify_board(actor, board, entry, tells_lead=not is_for_people)
        return entry
    group, for_agents = await locked_group(home), concerns_agents(content, tags)
    of_group = GroupMemory(board_group=group, content=content, tags=tags, source=source)
    shared = await _write(actor, of_group, is_signed=for_agents)
    if for_agents:
        await notify_group(actor, group, shared)
    return shared


async def note_order(actor: Actor, board: Board, order: str) -> BoardMemory:
    """Inside a command that carried out an order: write it into the board's chat without notifying anybody again."""
    return await _write(actor, BoardMemory(board=board, content=order, tags=["chat"]), is_signed=True)


async def _write[E: Entry](actor: Actor, entry: E, *, is_signed: bool) -> E:
    """Store an entry. A signed one has its author's name as its source unless another is given."""
    entry.content, entry.is_chat = entry.content.strip(), is_chat(entry.tags)
    entry.author_user_id, entry.author_agent_id = actor.user_id, actor.agent_id
    if is_signed and not entry.source:
        entry.source = actor.name
    await entry.save(force_create=True)
    record(
        "memory.created" if isinstance(entry, BoardMemory) else "group_memory.created",
        entry,
        _sentence(entry, "written"),
        **_state(entry),
    )
    return entry


@command("memory.edit")
async def edit_memory[E: Entry](actor: Actor, entry: E, sent: MemoryUpdate) -> E:
    """Change what differs; nobody is notified again, but notices that quote the entry quote its new text."""
    entry = await _locked(entry)
    sent_fields = sent.model_dump(exclude_unset=True)
    changes = {name: value for name, value in sent_fields.items() if getattr(entry, name) != value}
    if not changes:
        return entry
    before = entry.content
    entry.update_from_dict(changes)
    entry.is_chat, entry.edited_at = is_chat(entry.tags), times.clock_now()
    await entry.save(update_fields=[*changes, "is_chat", "edited_at"])
    await _requote(entry, before, snippet(entry.content))
    record(
        "memory.updated" if isinstance(entry, BoardMemory) else "group_memory.updated",
        entry,
        _sentence(entry, "changed"),
        fields=sorted(changes),
        **_state(entry),
    )
    return entry


@command("memory.delete")
async def delete_memory(actor: Actor, entry: Entry) -> None:
    """Delete an entry for good. The log keeps that it was deleted and by whom; notices no longer quote it."""
    last = await _locked(entry)
    await last.delete()
    await _requote(last, last.content, WITHDRAWN)
    record(
        "memory.deleted" if isinstance(entry, BoardMemory) else "group_memory.deleted",
        entry,
        _sentence(entry, "deleted"),
        **_state(entry),
    )


async def _locked[E: Entry](entry: E) -> E:
    locked = await existing(type(entry).select_for_update().get_or_none(id=entry.id))
    setattr(locked, entry.HOME, entry.home)
    return locked


async def _requote(entry: Entry, before: str, after: str) -> None:
    organization_id = entry.home.organization_id
    await requote(organization_id, "memory_id", entry.id, entry.created_at, snippet(before), after)


def _sentence(entry: Entry, what: str) -> str:
    return f"{'Chat message' if entry.is_chat else 'Memory entry'} {what}."


def _state(entry: Entry) -> JsonObject:
    where = {"board_group_id": entry.board_group_id} if isinstance(entry, GroupMemory) else {}
    return {"memory_id": entry.id, "is_chat": entry.is_chat, "created_at": entry.created_at, **where}


@reacts_to("board.work_state_changed")
async def write_order(actor: Actor, event: NewEvent) -> None:
    """Write `/pause` or `/resume` into the chat: clients of the predecessor read the state from the last order there.

    A change that was ordered in the chat is there already. Agents are notified elsewhere.
    """
    before, after = (event.data[name]["work_state"] for name in ("before", "after"))
    if event.data["is_told"] or (before == RUNNING) == (after == RUNNING):
        return
    board = await Board.get(id=event.scope.board_id)
    await note_order(actor, board, "/resume" if after == RUNNING else "/pause")
