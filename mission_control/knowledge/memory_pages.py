"""The forms of chat and memory beside a board and beside a group."""

from functools import partial
from uuid import UUID

from pydantic import Field
from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board
from mission_control.boards.pages import on_board
from mission_control.core.actor import Actor, require
from mission_control.core.values import NonEmptyStr, parse_id
from mission_control.knowledge.asides import AnyView, memory_of_board, memory_of_group, older_messages
from mission_control.knowledge.group_page import group_of_page, on_group
from mission_control.knowledge.group_page import view_of as view_of_group
from mission_control.knowledge.memory_queries import visible_entry, visible_group_entry
from mission_control.knowledge.models import BoardGroup, Entry
from mission_control.tasks.board_pages import view_of as view_of_board
from mission_control.web.actions import Outcome, action, again
from mission_control.web.forms import EditConflict, Fields, Form, FormInvalid, VersionedForm, done, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.shell import shell_page

MOST_TAGS = 20


def tags_in(text: str) -> list[str]:
    """Return the tags in a text such as `release, #api`, each once, without the one that makes a message."""
    found = (one.strip().removeprefix("#") for one in text.replace("\n", ",").split(","))
    return list(dict.fromkeys(one for one in found if one and one != "chat"))[:MOST_TAGS]


class ChatForm(Form):
    """A message to a board."""

    content: NonEmptyStr

    def body(self, found: object) -> Fields:
        return {"content": self.content, "tags": ["chat"]}


class GroupChatForm(ChatForm):
    """A message to a group, to every agent if wanted."""

    broadcast: bool = False

    def body(self, found: object) -> Fields:
        return {"content": self.content, "tags": ["chat", *(["broadcast"] if self.broadcast else [])]}


class NoteForm(Form):
    """A note of a board."""

    content: NonEmptyStr
    tags: str = Field("", max_length=500)

    def body(self, found: object) -> Fields:
        return {"content": self.content, "tags": tags_in(self.tags) or None}


class GroupNoteForm(NoteForm):
    """A note of a group, sent to every agent if wanted."""

    broadcast: bool = False

    def body(self, found: object) -> Fields:
        tags = [*tags_in(self.tags), *(["broadcast"] if self.broadcast else [])]
        return {"content": self.content, "tags": tags or None}


class EntryForm(VersionedForm):
    """Other words and tags of an entry. A message stays one."""

    content: NonEmptyStr
    tags: str = Field("", max_length=500)

    def body(self, found: Entry) -> Fields:
        kept = [one for one in found.tags or () if one == "chat"]
        return {"content": self.content, "tags": [*kept, *tags_in(self.tags)] or None}

    @classmethod
    def values_of(cls, entry: Entry) -> dict[str, object]:
        return {"content": entry.content, "tags": ", ".join(one for one in entry.tags or () if one != "chat")}


pages = Blueprint("memory_pages", __name__)
BOARD, GROUP = "/boards/<uuid:board_id>", "/groups/<uuid:group_id>"
ENTRY, GROUP_ENTRY = f"{BOARD}/memory/<uuid:memory_id>", f"{GROUP}/memory/<uuid:memory_id>"
EDIT, EDIT_FORMS = "memory/edit.html", "memory/edit_form.html"
_does = partial(action, pages)


async def group_of_entry(actor: Actor, group_id: UUID, memory_id: UUID) -> BoardGroup:
    return (await on_group(group_id))[1]


def _url(home: Board | BoardGroup, aside: str) -> str:
    return f"/{'boards' if isinstance(home, Board) else 'groups'}/{home.id}?panel={aside}"


def _url_of(entry: Entry) -> str:
    return _url(entry.home, "chat" if entry.is_chat else "memory")


@pages.get(f"{BOARD}/chat/older")
async def older(board_id: UUID) -> ResponseReturnValue:
    """Return the messages before one, for an open chat of a board."""
    return await _older(view_of_board(*await on_board(board_id)))


@pages.get(f"{GROUP}/chat/older")
async def older_of_group(group_id: UUID) -> ResponseReturnValue:
    """Return the messages before one, for an open chat of a group."""
    return await _older(view_of_group(*await on_group(group_id)))


async def _older(view: AnyView) -> str:
    since, before = request.args.get("since", ""), parse_id(request.args.get("before", ""))
    return "" if before is None else await older_messages(view, before, int(since) if since.isdecimal() else 0)


@_does(f"{BOARD}/chat", performs="create_board_memory", form=ChatForm)
@_does(f"{GROUP}/chat", performs="create_board_group_memory", form=GroupChatForm, at=group_of_page)
async def say(outcome: Outcome[Board | BoardGroup, ChatForm]) -> ResponseReturnValue:
    """Write a message."""
    return done(_url(outcome.found, "chat"))


@_does(f"{BOARD}/memory", performs="create_board_memory", form=NoteForm)
@_does(f"{GROUP}/memory", performs="create_board_group_memory", form=GroupNoteForm, at=group_of_page)
async def note(outcome: Outcome[Board | BoardGroup, NoteForm]) -> ResponseReturnValue:
    return done(_url(outcome.found, "memory"), toast="Note added")


@pages.get(f"{ENTRY}/edit")
async def edit_form(board_id: UUID, memory_id: UUID) -> ResponseReturnValue:
    """Show the form of an entry of a board: a dialog for htmx, else a page."""
    actor, _ = await on_board(board_id)
    entry = await visible_entry(actor, board_id, memory_id)
    require(actor, "memory.edit", entry)
    return await _edit_page(actor, entry, EntryForm.shown(entry), {})


@pages.get(f"{GROUP_ENTRY}/edit")
async def edit_form_of_group(group_id: UUID, memory_id: UUID) -> ResponseReturnValue:
    """Show the form of an entry of a group, likewise."""
    actor, _ = await on_group(group_id)
    entry = await visible_group_entry(actor, group_id, memory_id)
    require(actor, "memory.edit", entry)
    return await _edit_page(actor, entry, EntryForm.shown(entry), {})


async def _edit_page(actor: Actor, entry: Entry, values: Fields, errors: dict[str, str]) -> str:
    home, is_of_board = entry.home, isinstance(entry.home, Board)
    memory = memory_of_board(actor, home) if isinstance(home, Board) else memory_of_group(actor, home)
    context = {"memory": memory, "entry": entry, "values": values, "errors": errors, "back": _url_of(entry)}
    if is_htmx():
        return render_macro(EDIT_FORMS, "edit_dialog", **context)
    return await shell_page(actor, EDIT, active=f"{'board' if is_of_board else 'group'}-{memory.id}", **context)


NOT_SAVED = again(_edit_page, EditConflict, FormInvalid)


@_does(f"{ENTRY}/edit", performs="update_board_memory", form=EntryForm, refused=NOT_SAVED)
@_does(
    f"{GROUP_ENTRY}/edit", performs="update_board_group_memory", form=EntryForm, at=group_of_entry, refused=NOT_SAVED
)
async def edit(outcome: Outcome[Entry, EntryForm]) -> ResponseReturnValue:
    return done(_url_of(outcome.found), toast="Saved")


@_does(f"{ENTRY}/deletion", performs="delete_board_memory")
@_does(f"{GROUP_ENTRY}/deletion", performs="delete_board_group_memory", at=group_of_entry)
async def delete(outcome: Outcome[Entry, None]) -> ResponseReturnValue:
    return done(_url_of(outcome.found), toast="Message deleted" if outcome.found.is_chat else "Note deleted")
