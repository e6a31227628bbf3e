"""Mail as a channel: one message a mail, in one thread about one need, which one press in the mail program ends."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any
from urllib.parse import urlsplit

from mission_control.channels.channel import Channel, Item, Later, Line, Message, Refused, cut, plain
from mission_control.core.outbound import Mail, MailError, MailRefused, named_sender, send_mail
from mission_control.core.settings import Settings
from mission_control.core.text.diffs import visible
from mission_control.web.fragments import render_macro

LONGEST_SUBJECT = 150
LONGEST_NAME = 60
MOST_WORDS = 12_000  # characters of a text: Gmail shows 102 KB of a mail, and the link stands at its end
SETTINGS_PAGE = "/settings/notifications"
OPENING = "Opening decides nothing. The page asks you to sign in, and says if somebody was faster."


def _cleaned(value: object) -> Any:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, tuple):
        return tuple(_cleaned(one) for one in value)
    if isinstance(value, Message | Item):
        return replace(value, **{one.name: _cleaned(getattr(value, one.name)) for one in fields(value)})
    return value


def _host(installation: Settings) -> str:
    return urlsplit(installation.base_url).hostname or "mission-control"


def _thread(line: Line, message: Message) -> str:
    """Return the id to which all mails of a topic for one person refer, so that mail programs keep them together."""
    digest = hashlib.sha256(f"{message.topic} {line.to}".encode()).hexdigest()[:32]
    return f"<{digest}@{_host(line.installation)}>"


def _headers(line: Line, message: Message, id: str) -> Iterator[tuple[str, str]]:
    yield "Message-ID", id
    yield "X-Auto-Response-Suppress", "All"
    if message.topic:
        yield "References", _thread(line, message)
        if not message.is_first:
            yield "In-Reply-To", _thread(line, message)
    if message.board_id:
        place = f"<board-{message.board_id.replace('-', '')[-12:]}.{_host(line.installation)}>"
        name = re.sub(r"[^\w .-]", "", message.board)[:LONGEST_NAME].strip()
        yield "List-Id", f'"{name}" {place}' if name and name.isascii() else place
    if message.stop_url:
        yield "List-Unsubscribe", f"<{message.stop_url}>"
        if message.stop_url.startswith("https://"):  # what mail programs insist on, to end it without a page
            yield "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"


def _label(message: Message) -> tuple[str, str]:
    """Return the text of the link, and what to know about it."""
    if message.sections:
        return "Open Home", ""
    return ("Open and answer", OPENING) if message.is_urgent and not message.has_ended else ("Open", "")


def _text(message: Message, label: str, settings_url: str) -> Iterator[str]:
    yield message.title
    if message.board:
        yield message.board
    if message.exact:
        yield message.exact
    yield from message.lines
    if message.facts:
        yield "\n".join(f"{name}: {words}" for name, words in message.facts)
    for heading, items in message.sections:
        yield "\n\n".join([heading, *map(_item_text, items)])
    if message.url:
        yield f"{label}:\n{message.url}"
    yield "\n".join(filter(None, (f"-- \n{message.why}", f"Change: {settings_url}", _stop_text(message))))


def _item_text(item: Item) -> str:
    title = f"* {item.title}" + (f" ({item.aside})" if item.aside else "")
    return "\n  ".join(filter(None, (title, item.detail, item.url)))


def _stop_text(message: Message) -> str:
    return f"No more mail: {message.stop_url}" if message.stop_url else ""


def _fitting(message: Message) -> Message:
    """Return a message with what one does not see written out, cut where a mail has no room for all of it."""
    lines = tuple(_cut(line, MOST_WORDS) for line in message.lines)
    return replace(message, lines=lines, exact=_cut(visible(message.exact), MOST_WORDS))


def _cut(text: str, most: int) -> str:
    left = len(text) - most
    return f"{cut(text, most)}\n\nOpen it to see the other {left + 1} characters." if left > 0 else text


def mail_of(line: Line, message: Message) -> Mail:
    """Return the mail that says a message; inside an application, whose templates it takes."""
    message = _cleaned(_fitting(replace(message, title=" ".join(message.title.split()))))
    id = f"<{message.key}@{_host(line.installation)}>"
    label, help = _label(message)
    settings_url = f"{line.installation.base_url}{SETTINGS_PAGE}"
    template, macro = ("mail/digest.html", "digest") if message.sections else ("mail/need.html", "need")
    html = render_macro(template, macro, message=message, label=label, help=help, settings_url=settings_url)
    return Mail(
        id=message.key,
        to=line.to,
        subject=cut(f"{'' if message.is_first else 'Re: '}{message.title}", LONGEST_SUBJECT),
        text="\n\n".join(_text(message, label, settings_url)) + "\n",
        html=html,
        headers=dict(_headers(line, message, id)),
    )


class MailChannel(Channel):
    """A mail to the address of the account, by the mail server of the installation."""

    kind = "mail"
    name = "Mail"
    glyph = "mail"
    links = "account"
    recognizes = True

    async def send(self, line: Line, message: Message) -> str:
        installation = line.installation
        if not installation.smtp_url:
            raise Refused("No mail is sent from here: SMTP_URL is not set.")
        if not line.to:
            raise Refused("This account has no mail address.")
        mail = mail_of(line, message)
        name = " ".join(f"{cut(plain(message.board), LONGEST_NAME)} (Mission Control)".split())
        sender = named_sender(name if message.board else "Mission Control", installation.mail_from)
        try:
            await send_mail(installation.smtp_url, sender, mail)
        except MailRefused as error:
            raise Refused(str(error)) from error
        except MailError as error:
            raise Later(str(error)) from error
        return mail.headers["Message-ID"]


CHANNEL = MailChannel()
