"""The forms of chat and notes beside a group."""

from uuid import UUID

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.core.ids import parse_id
from mission_control.core.policy import require
from mission_control.groups.group_page import view_of
from mission_control.groups.models import BoardGroup
from mission_control.groups.pages import group_of_page, on_group
from mission_control.memory.asides import memory_of_group, older_messages
from mission_control.memory.forms import EntryForm, GroupChatForm, GroupNoteForm
from mission_control.memory.models import GroupMemory
from mission_control.memory.pages import edit_page, place_of, refused_edit
from mission_control.memory.queries import visible_group_entry
from mission_control.web.actions import action
from mission_control.web.forms import done
from mission_control.web.outcomes import Outcome, Refusal

pages = Blueprint("group_memory_pages", __name__)
GROUP = "/groups/<uuid:group_id>"
ENTRY = f"{GROUP}/memory/<uuid:memory_id>"


async def group_of_entry(actor: object, group_id: UUID, memory_id: UUID) -> BoardGroup:
    """Return the group of an entry, in whose organization the actor acts."""
    return (await on_group(group_id))[1]


@pages.get(f"{GROUP}/chat/older")
async def older(group_id: UUID) -> ResponseReturnValue:
    """Return the messages before one, for an open chat."""
    actor, group = await on_group(group_id)
    since, before = request.args.get("since", ""), parse_id(request.args.get("before", ""))
    if before is None:
        return ""
    return await older_messages(view_of(actor, group), before, int(since) if since.isdecimal() else 0)


@action(pages, "POST", f"{GROUP}/chat", performs="create_board_group_memory", form=GroupChatForm, at=group_of_page)
async def say(outcome: Outcome[BoardGroup, GroupChatForm]) -> ResponseReturnValue:
    """Write a message."""
    return done(f"/groups/{outcome.found.id}?panel=chat")


@action(pages, "POST", f"{GROUP}/memory", performs="create_board_group_memory", form=GroupNoteForm, at=group_of_page)
async def note(outcome: Outcome[BoardGroup, GroupNoteForm]) -> ResponseReturnValue:
    """Write a note."""
    return done(f"/groups/{outcome.found.id}?panel=memory", toast="Note added")


@pages.get(f"{ENTRY}/edit")
async def edit_form(group_id: UUID, memory_id: UUID) -> ResponseReturnValue:
    """Show the form of an entry: a dialog for htmx, else a page."""
    actor, group = await on_group(group_id)
    entry = await visible_group_entry(actor, group_id, memory_id)
    require(actor, "group_memory.edit", entry)
    return await edit_page(memory_of_group(actor, group), entry, active=f"group-{group.id}", actor=actor)


async def _edit_again(refusal: Refusal[GroupMemory, EntryForm]) -> ResponseReturnValue:
    group = refusal.found.board_group
    return await refused_edit(refusal, memory_of_group(refusal.actor, group), f"group-{group.id}")


@action(
    pages, "POST", f"{ENTRY}/edit",
    performs="update_board_group_memory", form=EntryForm, at=group_of_entry, refused=_edit_again,
)  # fmt: skip
async def edit(outcome: Outcome[GroupMemory, EntryForm]) -> ResponseReturnValue:
    """Change an entry."""
    return done(f"/groups/{outcome.found.board_group_id}?panel={place_of(outcome.found)}", toast="Saved")


@action(pages, "POST", f"{ENTRY}/deletion", performs="delete_board_group_memory", at=group_of_entry)
async def delete(outcome: Outcome[GroupMemory, None]) -> ResponseReturnValue:
    """Delete an entry for good."""
    toast = "Message deleted" if outcome.found.is_chat else "Note deleted"
    return done(f"/groups/{outcome.found.board_group_id}?panel={place_of(outcome.found)}", toast=toast)
