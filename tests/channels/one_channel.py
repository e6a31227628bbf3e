"""A provider of chats that tests write: what it is asked, and what it answers."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from mission_control.channels.channel import Channel, Line, Message, Setting, Typed
from mission_control.channels.models import ReachChannel
from tests.cast import Cast
from tests.channels.fake_channel import installed

type Links = Literal["code", "typed", "browser", "account", ""]
SECRET = "xoxb-very-secret"


@dataclass
class Chat(Channel):
    """A chat to which codes link people, and whose teams have places. `raises` is what it answers everything with."""

    kind: str = "chat"
    name: str = "Chat"
    links: Links = "code"
    sets: tuple[Setting, ...] = (
        Setting("server", "Server", default="https://chat.example.org"),
        Setting("token", "Token", is_secret=True),
    )
    team: Setting | None = field(default_factory=lambda: Setting("place", "Channel ID"))
    steps = ("Make a bot.", "Paste its token here.")
    without_address = "Buttons need a public address."
    raises: Exception | None = None
    checked: list[dict[str, str]] = field(default_factory=list)
    messages: list[tuple[str, Message]] = field(default_factory=list)
    replies: list[tuple[str, str]] = field(default_factory=list)

    async def check(self, line: Line) -> str:
        self.checked.append(dict(line.settings))
        self._fail()
        return "@bot"

    async def send(self, line: Line, message: Message) -> str:
        self._fail()
        self.messages.append((line.to, message))
        return f"{len(self.messages)}"

    async def tell(self, line: Line, words: str) -> None:
        self.replies.append((line.to, words))

    def code_link(self, settings: Mapping[str, str], code: str) -> str:
        return f"https://chat.example.org/{settings.get('known_as', '')}?start={code}"

    def _fail(self) -> None:
        if self.raises is not None:
            raise self.raises


class Hook(Channel):
    """A chat of teams alone, whose places are addresses that are secrets."""

    kind = "hook"
    name = "Hook"
    team = Setting("webhook", "Address", is_secret=True)


@dataclass
class Typing(Chat):
    """A channel whose addresses people type."""

    kind: str = "typing"
    name: str = "Typing"
    links: Links = "typed"
    sets: tuple[Setting, ...] = ()
    team: Setting | None = None
    own = (Setting("topic", "Topic", is_secret=True), Setting("key", "Key", is_required=False))

    def typed(self, values: Mapping[str, str]) -> Typed:
        return Typed(values["topic"], values["topic"], "A topic")


def a_chat() -> AbstractContextManager[Chat]:
    """Install a chat as long as the block runs."""
    return installed(Chat())


async def set_up(cast: Cast, **more: object) -> ReachChannel:
    """Ada's channel of that chat."""
    sent = {"kind": "chat", "name": "Our chat", "values": {"token": SECRET}, **more}
    made = (await cast.ada.post("/organizations/me/channels", sent)).ok()
    return await ReachChannel.get(id=UUID(made["id"]))
