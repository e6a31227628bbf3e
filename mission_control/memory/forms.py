"""What the forms of chat and memory send."""

from typing import Any

from pydantic import Field

from mission_control.core.schemas import NonEmptyStr
from mission_control.memory.models import Entry
from mission_control.web.forms import Fields, Form, VersionedForm

MOST_TAGS = 20


def tags_in(text: str) -> list[str]:
    """Return the tags in a text such as `release, #api`, each once, without the one that makes a message."""
    found = (one.strip().removeprefix("#") for one in text.replace("\n", ",").split(","))
    return list(dict.fromkeys(one for one in found if one and one != "chat"))[:MOST_TAGS]


class ChatForm(Form):
    """A message to a board."""

    content: NonEmptyStr

    def body(self, found: Any) -> Fields:
        return {"content": self.content, "tags": ["chat"]}


class GroupChatForm(ChatForm):
    """A message to a group, to every agent if wanted."""

    broadcast: bool = False

    def body(self, found: Any) -> Fields:
        return {"content": self.content, "tags": ["chat", *(["broadcast"] if self.broadcast else [])]}


class NoteForm(Form):
    """A note of a board."""

    content: NonEmptyStr
    tags: str = Field("", max_length=500)

    def body(self, found: Any) -> Fields:
        return {"content": self.content, "tags": tags_in(self.tags) or None}


class GroupNoteForm(NoteForm):
    """A note of a group, sent to every agent if wanted."""

    broadcast: bool = False

    def body(self, found: Any) -> Fields:
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
