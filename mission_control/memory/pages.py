"""The forms of chat and memory beside a board and beside a group."""

from functools import partial
from typing import ClassVar
from uuid import UUID

from pydantic import Field
from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board
from mission_control.boards.pages import on_board
from mission_control.core.actor import Actor, require
from mission_control.core.values import NonEmptyStr, parse_id, whole_number
from mission_control.groups.models import BoardGroup
from mission_control.groups.page import on_group
from mission_control.groups.page import view_of as view_of_group
from mission_control.groups.queries import reachable_group
from mission_control.memory.models import Entry
from mission_control.memory.queries import visible_entry, visible_group_entry
from mission_control.memory.side_panels import memory_of, older_messages
from mission_control.tasks.board.view import view_of as view_of_board
from mission_control.web.actions import Outcome, action, again
from mission_control.web.forms import EditConflict, Fields, Form, FormInvalid, FormValues, VersionedForm, done
from mission_control.web.shell import dialog_or_page

MOST_TAGS = 20


def tags_in(text: str) -> list[str]:
    """Return the tags in a text such as `release, #api`, each once, without the one that makes a message."""
    tags = (tag.strip().removeprefix("#") for tag in text.replace("\n", ",").split(","))
    return list(dict.fromkeys(tag for tag in tags if tag and tag != "chat"))[:MOST_TAGS]


class NoteForm(Form):
    """A note. That of a group is sent to every agent if wanted."""

    ALWAYS: ClassVar[tuple[str, ...]] = ()
    content: NonEmptyStr
    tags: str = Field("", max_length=500)
    broadcast: bool = False

    def body(self, found: object) -> Fields:
        tags = [*self.ALWAYS, *tags_in(self.tags), *(["broadcast"] if self.broadcast else [])]
        return {"content": self.content, "tags": tags or None}


class ChatForm(NoteForm):
    ALWAYS = ("chat",)


class EntryForm(VersionedForm):
    """Other words and tags of an entry. A message stays one."""

    content: NonEmptyStr
    tags: str = Field("", max_length=500)

    def body(self, found: Entry) -> Fields:
        kept = [tag for tag in found.tags or () if tag == "chat"]
        return {"content": self.content, "tags": [*kept, *tags_in(self.tags)] or None}

    @classmethod
    def values_of(cls, entry: Entry) -> FormValues:
        return {"content": entry.content, "tags": ", ".join(tag for tag in entry.tags or () if tag != "chat")}


pages = Blueprint("memory_pages", __name__)
BOARD, GROUP = "/boards/<uuid:board_id>", "/groups/<uuid:group_id>"
ENTRY = "memory/<uuid:memory_id>"
_does = partial(action, pages)


async def group_of_entry(actor: Actor, group_id: UUID, memory_id: UUID) -> BoardGroup:
    return (await on_group(group_id))[1]


def _url(home: Board | BoardGroup, aside: str) -> str:
    return f"/{'boards' if isinstance(home, Board) else 'groups'}/{home.id}?panel={aside}"


def _url_of(entry: Entry) -> str:
    return _url(entry.home, "chat" if entry.is_chat else "memory")


@pages.get(f"{BOARD}/chat/older")
@pages.get(f"{GROUP}/chat/older")
async def older(**home: UUID) -> ResponseReturnValue:
    is_of_board = "board_id" in home
    view = view_of_board(*await on_board(**home)) if is_of_board else view_of_group(*await on_group(**home))
    since, before = request.args.get("since", ""), parse_id(request.args.get("before", ""))
    return "" if before is None else await older_messages(view, before, whole_number(since) or 0)


@_does(f"{BOARD}/chat", performs="create_board_memory", form=ChatForm)
@_does(f"{GROUP}/chat", performs="create_board_group_memory", form=ChatForm, at=reachable_group)
async def say(outcome: Outcome[Board | BoardGroup, ChatForm]) -> ResponseReturnValue:
    return done(_url(outcome.found, "chat"))


@_does(f"{BOARD}/memory", performs="create_board_memory", form=NoteForm)
@_does(f"{GROUP}/memory", performs="create_board_group_memory", form=NoteForm, at=reachable_group)
async def note(outcome: Outcome[Board | BoardGroup, NoteForm]) -> ResponseReturnValue:
    return done(_url(outcome.found, "memory"), toast="Note added")


@pages.get(f"{BOARD}/{ENTRY}/edit")
@pages.get(f"{GROUP}/{ENTRY}/edit")
async def edit_form(memory_id: UUID, **home: UUID) -> ResponseReturnValue:
    """Show the form of an entry: a dialog for htmx, else a page."""
    is_of_board = "board_id" in home
    actor, _ = await on_board(**home) if is_of_board else await on_group(**home)
    find = visible_entry if is_of_board else visible_group_entry
    entry = await find(actor, memory_id=memory_id, **home)
    require(actor, "memory.edit", entry)
    return await _edit_page(actor, entry, EntryForm.shown(entry), {})


async def _edit_page(actor: Actor, entry: Entry, values: Fields, errors: dict[str, str]) -> str:
    memory = memory_of(actor, entry.home)
    place, back = "board" if isinstance(entry.home, Board) else "group", _url_of(entry)
    return await dialog_or_page(
        actor, "memory/edit_form.html", "edit_form", "Edit the message" if entry.is_chat else "Edit the note",
        active=f"{place}-{memory.id}", subtitle=memory.name, back=(back, memory.name),
        memory=memory, entry=entry, values=values, errors=errors, leave=back,
    )  # fmt: skip


_edits = partial(_does, form=EntryForm, refused=again(_edit_page, EditConflict, FormInvalid))


@_edits(f"{BOARD}/{ENTRY}/edit", performs="update_board_memory")
@_edits(f"{GROUP}/{ENTRY}/edit", performs="update_board_group_memory", at=group_of_entry)
async def edit(outcome: Outcome[Entry, EntryForm]) -> ResponseReturnValue:
    return done(_url_of(outcome.found), toast="Saved")


@_does(f"{BOARD}/{ENTRY}/deletion", performs="delete_board_memory")
@_does(f"{GROUP}/{ENTRY}/deletion", performs="delete_board_group_memory", at=group_of_entry)
async def delete(outcome: Outcome[Entry, None]) -> ResponseReturnValue:
    return done(_url_of(outcome.found), toast="Message deleted" if outcome.found.is_chat else "Note deleted")
