"""What a channel is: it sends a message, edits it, and reads what people press. One module each, of about 60 lines.

A channel knows no boards, no needs and no database. It is a `Part`: one module with one value of its class. Modules of
others are named by `REACH_CHANNELS`. What goes wrong is one of the exceptions; their texts are for people and hold the
provider's own words.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from mission_control.channels.graphemes import joins, whole
from mission_control.core.extensions import Part, add
from mission_control.core.outbound import Outbound, OutboundError

if TYPE_CHECKING:
    from mission_control.core.settings import Settings


LONGEST_WAIT = 86_400.0  # seconds, whatever a provider asks for


class Refused(Exception):
    """The provider does not take it, and would not the next time: given up, shown on Home and in the settings."""


class Gone(Refused):
    """The receiver is no more (a device, a chat that blocked the bot): it is ended too."""


class Later(Exception):
    """Not now; after so many seconds again, or after the usual pause."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = None if seconds is None else float(min(max(0.0, seconds), LONGEST_WAIT))


class NotSigned(Exception):
    """What arrived does not come from the provider."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider answered: `json` is None where the body is none."""

    status: int
    headers: Mapping[str, str]
    json: Any
    text: str

    @property
    def retry_after(self) -> float | None:
        """The seconds of Retry-After, None where it says none or a date."""
        text = self.headers.get("Retry-After", "")
        return float(text) if text.isascii() and text.isdigit() else None


@dataclass(frozen=True, slots=True)
class Client:
    """Sends requests to providers by the guarded client: no redirects, no private addresses unless they are allowed."""

    allow_private: bool = False
    seconds: float = 20.0

    async def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        content: bytes | None = None,
    ) -> Answer:
        """Return the answer. Raise Later when there is none, Refused when the address may not be reached."""
        headers = dict(headers or {})
        if json is not None:
            headers["Content-Type"], content = "application/json; charset=utf-8", _dumped(json)
        try:
            reply = await Outbound(self.allow_private, self.seconds).request(method, url, headers, content)
        except OutboundError as error:
            words = f"The provider {error}"
            if "may not be reached" in words:
                raise Refused(f"{words}: set OUTBOUND_ALLOW_PRIVATE if it is in your own network.") from None
            if "usable" in words:
                raise Refused(f"{words}.") from None
            raise Later(f"{words}.") from None
        return Answer(reply.status, reply.headers, _loaded(reply.text), reply.text)


def _dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


type Style = Literal["", "go", "stop"]


@dataclass(frozen=True, slots=True)
class Button:
    """An answer that can be given there; `token` says which answer to which message, and is worth nothing elsewhere."""

    label: str
    token: str
    style: Style = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a digest, with where it leads; `aside` is its age or time, `count` of how many things it tells."""

    title: str
    detail: str = ""
    url: str = ""
    aside: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Message:
    """Plain texts, as they are: each channel escapes them in its own way.

    `key` is the same whenever the same message is sent again. A later message of a `topic` replaces the one before
    where the provider can, else it stands in one thread with it: `is_first` is the first of its thread. `sections` are
    those of a digest, by their headings. `why` says why it came. `badge` is how many things wait. Mail has room for
    more: `exact` is all of the command that is asked for, `facts` are what an answer rests on, by their labels.
    """

    title: str
    lines: tuple[str, ...] = ()
    exact: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    url: str = ""
    buttons: tuple[Button, ...] = ()
    sections: tuple[tuple[str, tuple[Item, ...]], ...] = ()
    key: str = ""
    topic: str = ""
    is_first: bool = True
    board: str = ""
    board_id: str = ""
    why: str = ""
    stop_url: str = ""  # ends messages of this channel for the person, by a POST: List-Unsubscribe
    is_urgent: bool = False  # something waits for this person now
    has_ended: bool = False  # nothing waits now: shown without a sound
    expires_at: datetime | None = None
    badge: int | None = None


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody pressed a button, as the provider vouches for: `who` is their id there.

    Unless it `is_vouched`, only a token that is ours proves that it comes from the provider, and `who` with it.
    """

    who: str
    token: str
    reply: Mapping[str, Any] = field(default_factory=dict)  # what `acknowledge` needs
    is_vouched: bool = True


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody wrote to the bot in private: a code that links their account. `to` is where messages for them go."""

    who: str
    text: str
    name: str = ""
    to: str = ""


type Received = Press | Said


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request of a provider to our address of its channel."""

    headers: Mapping[str, str]
    body: bytes
    now: float  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Reception:
    """What a request of a provider said, and what it is answered at once; None: an empty 200.

    With `answers_press` the words for the person are the answer to the request, made by `Channel.in_answer`.
    """

    received: Received | None = None
    answer: object = None
    answers_press: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """Something that is typed to set up a channel: its name, label, and what to type. Secrets are stored encrypted.

    A `pattern` is what the place of a team looks like as a whole.
    """

    name: str
    label: str
    hint: str = ""
    is_secret: bool = False
    is_required: bool = True
    default: str = ""
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A way to one receiver: the address `to`, what was set for the channel (with its secrets), and the installation.

    `answers_at` is our address that takes answers from outside; empty where the installation has no public one.
    """

    request: Callable[..., Awaitable[Answer]]
    installation: "Settings"
    settings: Mapping[str, str] = field(default_factory=dict)
    to: str = ""
    answers_at: str = ""

    def value(self, name: str) -> str:
        """What was typed for a setting, empty where nothing was."""
        return self.settings.get(name, "")


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person typed, as it was read: who they are there, where messages go, and how it is called."""

    who: str
    address: str
    label: str


# Tells what a listening channel received, and the position from which it goes on after a restart.
type Receives = Callable[[Received | None, str], Awaitable[None]]


class Channel(Part):
    """What each module has one value of. All that it may lack has a default here.

    `sets` is what admins set for their organization, and `own` what a person types for themselves. `links` says how a
    person's address becomes known: by a one-time `code` sent to the bot, `typed` by the person, from a `browser`, or
    from the `account` (mail); empty where only teams are reached. `team` is what is typed for the place of a board's
    team (a chat's channel), if there is any; `steps` say how to set the channel up. `recognizes`: the provider or the
    device shows a message that is sent twice once. `is_brief`: it stands on lock screens, so that no reason, command or
    other text of agents is in it. `longest` is how many characters of a text it shows, `longest_label` of a button.
    """

    kind: str
    name: str
    glyph: str = "bell"
    sets: tuple[Setting, ...] = ()
    own: tuple[Setting, ...] = ()
    links: Literal["code", "typed", "browser", "account", ""] = ""
    team: Setting | None = None
    steps: tuple[str, ...] = ()
    without_address: str = ""  # what works, and what does not, without a public address of ours; empty: all of it
    answers: bool = False  # people can answer there
    edits: bool = False  # a message can be changed after it was answered elsewhere
    recognizes: bool = False
    is_brief: bool = False
    longest: int = 900
    most_buttons: int = 0
    longest_label: int = 60

    def install(self) -> None:
        add(CHANNELS, self.kind, self)

    async def send(self, line: Line, message: Message) -> str:
        """Return the provider's name of the message, for `edit`."""
        raise NotImplementedError

    async def edit(self, line: Line, name: str, message: Message) -> None:
        """Replace a message that was sent, buttons included."""

    async def check(self, line: Line) -> str:
        """Ask the provider whether the settings are right; return how it names us, in a few words."""
        return ""

    def typed(self, values: Mapping[str, str]) -> Typed:
        """Read what a person typed for themselves, or their browser gave. Raise Refused where it cannot be right."""
        raise Refused(f"{self.name} is not linked by typing.")

    def code_link(self, settings: Mapping[str, str], code: str) -> str:
        """Return an address that opens the bot with a code, empty where there is none.

        `known_as` in the settings is what `check` returned last.
        """
        return ""

    def code_line(self, code: str) -> str:
        return code

    def manifest(self, base_url: str) -> str:
        """Return what is pasted at the provider to set the channel up, empty where nothing is."""
        return ""

    def takes_answers(self, line: Line) -> bool:
        """Whether buttons work with these settings."""
        return self.answers

    def listens(self, line: Line) -> bool:
        """Whether `listen` has something to do with these settings."""
        return False

    async def listen(self, line: Line, position: str, receives: Receives) -> None:
        """Fetch what people press and say, from a position on, until it is cancelled or the connection ends."""

    @property
    def receives(self) -> bool:
        """Whether the provider sends requests to the address of its channel."""
        return type(self).receive is not Channel.receive

    async def receive(self, line: Line, incoming: Incoming) -> Reception:
        """Read a request of the provider. Raise NotSigned when it is not from there."""
        raise NotSigned

    async def name_of(self, line: Line, said: Said) -> str:
        """Return the name of who wrote to us, for providers that must be asked for it: not before we answered them."""
        return said.name

    async def acknowledge(self, line: Line, press: Press, words: str) -> None:
        """Tell who pressed a button how it went, in a few words that only they see."""

    async def tell(self, line: Line, words: str) -> None:
        """Say something to a person in private, outside of messages about needs: how linking went."""

    def in_answer(self, words: str) -> object:
        """Return the answer to the request that brought a press, for providers that want the words in it."""
        return None


# The installed channels, by kind.
CHANNELS: dict[str, Channel] = {}


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: whole(text, most - 1)] + "…"


def plain(text: str) -> str:
    """Return a text without control and direction marks, which could hide what it says; line breaks stay."""
    return "".join(one for place, one in enumerate(text) if _is_seen(one) or joins(text, place))


def _is_seen(one: str) -> bool:
    return one == "\n" or (one.isprintable() and one not in _DIRECTIONS)


_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
