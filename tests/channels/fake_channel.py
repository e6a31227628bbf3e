"""A channel in the test's process, which keeps what was sent and edited, and fails when it is asked to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from mission_control.channels.channel import CHANNELS, Channel, Line, Message, Press
from mission_control.channels.installation import sealed
from mission_control.channels.models import Device, ReachChannel
from mission_control.database.records import insert


@dataclass(slots=True)
class Sent:
    """A message as it stands at its receiver now."""

    to: str
    name: str
    message: Message
    edits: int = 0


class FakeChannel(Channel):
    """A chat of a test."""

    kind, name = "fake", "Fake chat"
    links = "code"
    answers = edits = True
    most_buttons = 3

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.words: list[tuple[str, str]] = []
        self.failures: list[Exception] = []

    def messages(self, to: str) -> list[Message]:
        """What stands at a receiver now, in the order in which it was sent."""
        return [one.message for one in self.sent if one.to == to]

    async def send(self, line: Line, message: Message) -> str:
        """Keep a message."""
        if self.failures:
            raise self.failures[0]
        self.sent.append(Sent(line.to, f"m{len(self.sent)}", message))
        return self.sent[-1].name

    async def edit(self, line: Line, name: str, message: Message) -> None:
        """Replace a message."""
        one = next(one for one in self.sent if one.name == name)
        one.message, one.edits = message, one.edits + 1

    async def acknowledge(self, line: Line, press: Press, words: str) -> None:
        """Keep what the presser is told."""
        self.words.append((press.who, words))

    async def tell(self, line: Line, words: str) -> None:
        """Keep what a person is told."""
        self.words.append((line.to, words))


@dataclass(slots=True)
class Chat:
    """The fake channel with its row, for people and teams."""

    channel: FakeChannel
    row: ReachChannel
    devices: dict[str, Device] = field(default_factory=dict)

    async def link(self, user_id: UUID, who: str) -> Device:
        """Let a person be reached as `who`."""
        device = Device(
            user_id=user_id, kind="fake", channel_id=self.row.id, who=who, mark=f"fake {who}", address=sealed(who),
            label=who,
        )  # fmt: skip
        await insert(device)
        self.devices[who] = device
        return device

    async def link_team(self, board_id: UUID, place: str) -> Device:
        """Let a board's team be reached at a place."""
        device = Device(
            board_id=board_id, kind="fake", channel_id=self.row.id, mark=f"fake {place}", address=sealed(place),
            label=place,
        )  # fmt: skip
        await insert(device)
        return device


@contextmanager
def installed[C: Channel](channel: C) -> Iterator[C]:
    """Let a channel be one of those that are installed, as long as the block runs."""
    CHANNELS[channel.kind] = channel
    try:
        yield channel
    finally:
        del CHANNELS[channel.kind]


async def chat_of(organization_id: UUID, channel: FakeChannel) -> Chat:
    """Set the channel up in an organization."""
    row = ReachChannel(organization_id=organization_id, kind="fake", name="Fake chat")
    await insert(row)
    return Chat(channel, row)
