"""The forms of chat and memory beside a board; those beside a group are in `group_pages.py`."""

from typing import Any
from uuid import UUID

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board
from mission_control.boards.pages import on_board, view_of
from mission_control.core.ids import parse_id
from mission_control.core.policy import require
from mission_control.memory.asides import Memory, memory_of_board, older_messages
from mission_control.memory.forms import ChatForm, EntryForm, NoteForm
from mission_control.memory.models import BoardMemory, Entry
from mission_control.memory.queries import visible_entry
from mission_control.web.actions import action
from mission_control.web.forms import FormInvalid, done, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.outcomes import Outcome, Refusal
from mission_control.web.shell import shell_page
from mission_control.web.versions import EditConflict

pages = Blueprint("memory_pages", __name__)
BOARD = "/boards/<uuid:board_id>"
ENTRY = f"{BOARD}/memory/<uuid:memory_id>"
EDIT, EDIT_FORMS = "memory/edit.html", "memory/edit_form.html"


def place_of(entry: Entry) -> str:
    """Return the name of what shows an entry."""
    return "chat" if entry.is_chat else "memory"


@pages.get(f"{BOARD}/chat/older")
async def older(board_id: UUID) -> ResponseReturnValue:
    """Return the messages before one, for an open chat."""
    actor, board = await on_board(board_id)
    since, before = request.args.get("since", ""), parse_id(request.args.get("before", ""))
    if before is None:
        return ""
    return await older_messages(view_of(actor, board), before, int(since) if since.isdecimal() else 0)


@action(pages, "POST", f"{BOARD}/chat", performs="create_board_memory", form=ChatForm)
async def say(outcome: Outcome[Board, ChatForm]) -> ResponseReturnValue:
    """Write a message."""
    return done(f"/boards/{outcome.found.id}?panel=chat")


@action(pages, "POST", f"{BOARD}/memory", performs="create_board_memory", form=NoteForm)
async def note(outcome: Outcome[Board, NoteForm]) -> ResponseReturnValue:
    """Write a note."""
    return done(f"/boards/{outcome.found.id}?panel=memory", toast="Note added")


@pages.get(f"{ENTRY}/edit")
async def edit_form(board_id: UUID, memory_id: UUID) -> ResponseReturnValue:
    """Show the form of an entry: a dialog for htmx, else a page."""
    actor, board = await on_board(board_id)
    entry = await visible_entry(actor, board_id, memory_id)
    require(actor, "memory.edit", entry)
    return await edit_page(memory_of_board(actor, board), entry, active=f"board-{board.id}", actor=actor)


async def edit_page(
    memory: Memory,
    entry: Entry,
    *,
    active: str,
    actor: Any,
    values: dict[str, Any] | None = None,
    errors: dict[str, str] | None = None,
) -> str:
    """Return the form of an entry with what was typed."""
    context = {
        "memory": memory,
        "entry": entry,
        "values": values or EntryForm.shown(entry),
        "errors": errors or {},
        "back": f"{memory.url}?panel={place_of(entry)}",
    }
    if not is_htmx():
        return await shell_page(actor, EDIT, active=active, **context)
    return render_macro(EDIT_FORMS, "edit_dialog", **context)


async def _edit_again(refusal: Refusal[BoardMemory, EntryForm]) -> ResponseReturnValue:
    memory = memory_of_board(refusal.actor, refusal.found.board)
    return await refused_edit(refusal, memory, f"board-{memory.id}")


async def refused_edit(refusal: Refusal[Any, EntryForm], memory: Memory, active: str) -> ResponseReturnValue:
    """Answer the form with what was typed, when it is invalid or the entry changed under it."""
    if not isinstance(refusal.error, EditConflict | FormInvalid):
        raise refusal.error
    return await edit_page(
        memory, refusal.found, active=active, actor=refusal.actor, values=refusal.values, errors=refusal.errors
    )


@action(pages, "POST", f"{ENTRY}/edit", performs="update_board_memory", form=EntryForm, refused=_edit_again)
async def edit(outcome: Outcome[BoardMemory, EntryForm]) -> ResponseReturnValue:
    """Change an entry."""
    return done(f"/boards/{outcome.found.board_id}?panel={place_of(outcome.found)}", toast="Saved")


@action(pages, "POST", f"{ENTRY}/deletion", performs="delete_board_memory")
async def delete(outcome: Outcome[BoardMemory, None]) -> ResponseReturnValue:
    """Delete an entry for good."""
    toast = "Message deleted" if outcome.found.is_chat else "Note deleted"
    return done(f"/boards/{outcome.found.board_id}?panel={place_of(outcome.found)}", toast=toast)
