"""What channels of chats have in common: texts that stay texts, and errors with the provider's own words."""

import asyncio
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from unicodedata import category
from urllib.parse import urlsplit

from mission_control.channels.channel import Answer, Button, Channel, Gone, Item, Later, Line, Message, Refused, plain
from mission_control.channels.graphemes import whole

MOST_WORDS = 300
MOST_ITEMS = 5
LONGEST = 1_000_000
LONGEST_WRITTEN = 5000
# What chats make a mention, an address or a link of, in the middle of a text.
_LIVE = re.compile(r"@|(?<=:)//|(?<=\w)\.(?=[^\W\d])")
_CODE = re.compile(r"MC[-A-Z0-9 ]{12,16}", re.IGNORECASE)
_PARTS = re.compile(r"[/?&=]")  # of an address: servers repeat its path alone
SHORTEST_SECRET = 8
_CODE_MARKS = " \t\r\n`*_~'\"<>"


def _same(text: str) -> str:
    return text


def _title_alone(title: str, url: str) -> str:
    return title


@dataclass(frozen=True, slots=True)
class Markup:
    """How a chat writes: what makes a text literal, a heading, and a link. The last two get escaped texts.

    `is_live`: it makes links and mentions of what looks like them.
    """

    escape: Callable[[str], str] = _same
    heading: Callable[[str], str] = _same
    link: Callable[[str, str], str] = _title_alone
    is_live: bool = True


def markdown(marks: str) -> Markup:
    """Return how a chat with a kind of Markdown writes, in which these characters mean something."""
    meant = re.compile(f"([{re.escape(marks)}])")
    return Markup(
        escape=lambda text: meant.sub(r"\\\1", text),
        heading=lambda text: f"**{text}**",
        link=lambda text, url: f"[{text}](<{url.replace('>', '%3E')}>)",
    )


# Of texts that stay as they are, whatever they look like.
PLAIN = Markup(is_live=False)


@dataclass(frozen=True, slots=True)
class Texts:
    """A message, escaped. It has its buttons only where all of it is shown: nobody approves the half of a command.

    `url` is empty where the installation has no address. Not all chats take one for a link: `is_linkable`.
    """

    title: str
    body: str
    buttons: tuple[Button, ...]
    url: str


class _Paper:
    """Rows with so many units of UTF-16 in all, before they are escaped."""

    def __init__(self, markup: Markup, most: int) -> None:
        self._markup, self._left = markup, most
        self.rows: list[str] = []
        self.is_whole = True

    @property
    def is_full(self) -> bool:
        return self._left <= 0

    def taken(self, text: str) -> str:
        """Return a text as it is written, cut to what is left."""
        text = defused(plain(text)) if self._markup.is_live else plain(text)
        short = shortened(text, max(self._left, 0))
        self.is_whole = self.is_whole and short == text
        self._left -= _units(short)
        return self._markup.escape(short)

    def add(self, *parts: str) -> None:
        """Add a row of written parts; an empty one only between others."""
        row = "".join(parts)
        if row or self.rows:
            self.rows.append(row)

    def add_item(self, item: Item) -> None:
        """Add a line of a digest, with its link where there is one."""
        title = self.taken(one_line(item.title, 200))
        linked = self._markup.link(title, item.url) if is_linkable(item.url) else title
        self._left -= _units(linked) - _units(title)
        aside = " · ".join(filter(None, (item.detail, item.aside)))
        self.add("• ", linked, f" · {self.taken(one_line(aside, 200))}" if aside else "")

    def add_section(self, heading: str, items: tuple[Item, ...]) -> None:
        """Add as many lines of a section of a digest as there is room for, and how many more there are."""
        self.add()
        self.add(self._markup.heading(self.taken(one_line(heading, 200))))
        listed = 0
        while listed < min(len(items), MOST_ITEMS) and not self.is_full:
            self.add_item(items[listed])
            listed += 1
        if left := sum(item.count for item in items[listed:]):
            self.add(f"and {left} more")


def texts(message: Message, title_most: int, most: int, markup: Markup = PLAIN) -> Texts:
    """Return a message with a title and a body of at most so many units of UTF-16, before they are escaped."""
    paper = _Paper(markup, most)
    title = one_line(message.title, title_most, is_live=markup.is_live)
    if title != one_line(message.title, LONGEST, is_live=markup.is_live):
        paper.add(paper.taken(one_line(message.title, LONGEST)))
    for line in () if message.sections else message.lines:
        if plain(line):
            paper.add(paper.taken(line))
    for heading, items in message.sections:
        paper.add_section(heading, items)
    url = message.url if message.url.startswith(("http://", "https://")) else ""
    return Texts(markup.escape(title), "\n".join(paper.rows), message.buttons if paper.is_whole else (), url)


def one_line(text: str, most: int, *, is_live: bool = False) -> str:
    """Return a text in one line, never empty, because providers refuse empty titles and labels."""
    text = " ".join(plain(text).split())
    return shortened(defused(text) if is_live else text, most) or "…"


def spoken(words: str, most: int) -> str:
    """Return what the bot says, which may quote what agents wrote, without links, mentions and marks."""
    return shortened(defused(plain(words)), most)


def shortened(text: str, most: int) -> str:
    """Shorten a text to so many units of UTF-16, in which most providers count."""
    if _units(text) <= most:
        return text
    kept = text.encode("utf-16-le", "replace")[: 2 * max(most - 1, 0)].decode("utf-16-le", "ignore")
    return kept[: whole(text, len(kept))] + "…"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "replace")) // 2


def defused(text: str) -> str:
    """Return a text of which no chat makes mentions or links: an invisible space breaks each."""
    return _LIVE.sub(lambda found: "\u200b//" if found[0] == "//" else f"{found[0]}\u200b", text)


async def no_sooner_than_a_second_after(began: float) -> None:
    """Wait, of the clock of the loop: a provider that answers at once, always, is asked once a second."""
    await asyncio.sleep(max(0.0, began + 1.0 - asyncio.get_running_loop().time()))


def is_linkable(url: str) -> bool:
    """Return whether chats take it for a link: Telegram and Discord refuse hosts such as `localhost`."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return parts.scheme in ("http", "https") and ("." in host or ipaddress.ip_address(host).version > 0)
    except ValueError:
        return False


def written_by(text: str) -> str:
    """Return what a person wrote to a bot, with nothing lost but controls: of a code without the marks around it."""
    text = "".join(one for one in text if one in "\n\t" or category(one) not in ("Cc", "Cs")).strip()
    code = text.removeprefix("/start").strip(_CODE_MARKS)
    return code if text.split()[:1] == ["/start"] or _CODE.fullmatch(code) else text[:LONGEST_WRITTEN]


def fields(answer: Answer) -> Mapping[str, Any]:
    return answer.json if isinstance(answer.json, dict) else {}


def masked(channel: Channel, line: Line, words: str) -> str:
    """Return a provider's words in one line, without the secrets of the line."""
    secrets = [line.value(one.name) for one in (*channel.sets, *channel.own) if one.is_secret]
    if channel.team is not None and channel.team.is_secret:
        secrets += [line.to, *(one for one in _PARTS.split(line.to) if len(one) >= SHORTEST_SECRET)]
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        words = words.replace(secret, "…")
    return one_line(words, MOST_WORDS)


def problem(
    channel: Channel,
    line: Line,
    answer: Answer,
    words: object,
    *,
    is_gone: bool = False,
    is_later: bool = False,
    seconds: float | None = None,
) -> Refused | Later:
    """Return the exception for an answer that is none of success: Later for 429 and 5xx, else Gone or Refused."""
    text = masked(channel, line, str(words)) if words else f"The answer was {answer.status}."
    if is_later or answer.status == 429 or answer.status >= 500:
        return Later(text, answer.retry_after if seconds is None else seconds)
    return (Gone if is_gone else Refused)(text)
