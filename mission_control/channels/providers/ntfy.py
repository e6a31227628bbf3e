"""ntfy: a topic of a server, theirs or one's own. The topic is a password: people who read it can press its buttons."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from mission_control.channels.channel import Answer, Channel, Line, Message, Refused, Setting, Typed
from mission_control.channels.providers.chats import Markup, fields, one_line, problem, texts
from mission_control.core.values import JsonObject

_TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")
URGENT, USUAL, QUIET = 4, 3, 2
# What people can do about errors that ntfy names in one word.
ADVICE = {
    "unauthorized": "Make a new access token in your ntfy account.",
    "forbidden": "This topic is somebody else's, or needs an access token of an account that may write it.",
}


class Ntfy(Channel):
    kind = "ntfy"
    name = "ntfy"
    glyph = "radio-tower"
    links = "typed"
    own = (
        Setting("server", "Server", "ntfy.sh or your own", default="https://ntfy.sh"),
        Setting("topic", "Topic", "like a password: long, and not to be guessed", is_secret=True),
        Setting(
            "access_token",
            "Access token",
            "tk_…, of a topic that only you can read: then you can answer by buttons",
            is_secret=True,
            is_required=False,
        ),
    )
    steps = (
        "Install the ntfy app on your phone and subscribe to a topic with a name that nobody can guess.",
        "Type the same server and topic below.",
        "For buttons that answer, reserve the topic in your ntfy account, so that others can neither read nor write it,"
        " and make an access token under Account.",
    )
    without_address = "Messages arrive. Buttons that answer need an address that your phone can reach."
    answers = True
    edits = True
    recognizes = True
    is_brief = True
    longest = 900
    most_buttons = 2  # three with Open
    longest_label = 40

    async def send(self, line: Line, message: Message) -> str:
        """Publish a message. The same sequence replaces the one before (servers since 2.16)."""
        sequence = hashlib.sha256((message.topic or message.key).encode()).hexdigest()[:32]
        await self._publish(line, sequence, message)
        return sequence

    async def edit(self, line: Line, name: str, message: Message) -> None:
        await self._publish(line, name, message)

    async def check(self, line: Line) -> str:
        if self.takes_answers(line) and await self._is_open(line):
            return "this topic, which anybody can read: messages come without buttons that answer"
        return "this topic"

    def typed(self, values: Mapping[str, str]) -> Typed:
        server, topic = _server(values.get("server", "")), _topic(values.get("topic", ""))
        return Typed(f"{server}/{topic}", topic, f"ntfy at {urlsplit(server).netloc}")

    def takes_answers(self, line: Line) -> bool:
        return bool(line.value("access_token") and line.answers_at)

    async def _publish(self, line: Line, sequence: str, message: Message) -> None:
        shown = texts(replace(message, sections=()), 200, 1200, Markup())
        actions: list[JsonObject] = []
        if shown.url:
            actions.append({"action": "view", "label": "Open", "url": shown.url})
        if shown.buttons and self.takes_answers(line) and not await self._is_open(line):
            actions += [_button(line, button.label, button.token) for button in shown.buttons[: self.most_buttons]]
        sent = {
            "topic": _topic(line.value("topic")),
            "title": shown.title,
            "message": shown.body or "…",
            "priority": _priority(message),
            "sequence_id": sequence,
            "actions": actions,
            **({"click": shown.url} if shown.url else {}),
        }
        answer = await line.request("POST", _server(line.value("server")), headers=_access(line), json=sent)
        if answer.status != 200 or "id" not in fields(answer):
            raise self._problem(line, answer)

    async def _is_open(self, line: Line) -> bool:
        """Whether anybody can read the topic, and with it what its buttons send."""
        answer = await line.request("GET", f"{_server(line.value('server'))}/{_topic(line.value('topic'))}/auth")
        if answer.status not in (200, 401, 403):
            raise self._problem(line, answer)
        return answer.status == 200

    def _problem(self, line: Line, answer: Answer) -> Exception:
        if answer.status < 400:
            return Refused("At this address no ntfy answers. Check the server.")
        words = str(fields(answer).get("error") or "")
        return problem(self, line, answer, f"{words}. {ADVICE[words]}" if words in ADVICE else words)


def _server(text: str) -> str:
    server = text.strip().removesuffix("/") or "https://ntfy.sh"
    server = server if "://" in server else f"https://{server}"
    try:
        parts = urlsplit(server)
        _ = parts.port  # raises for what is none
        if parts.scheme in ("http", "https") and parts.hostname and not (parts.path or parts.query or parts.username):
            return server
    except ValueError:
        pass
    raise Refused("Type the server alone, such as https://ntfy.sh, and the topic in its own field.")


def _topic(text: str) -> str:
    if not _TOPIC.fullmatch(text.strip()):
        raise Refused("A topic has up to 64 letters, digits, - and _.")
    return text.strip()


def _priority(message: Message) -> int:
    if message.has_ended:
        return QUIET
    return URGENT if message.is_urgent else USUAL


def _access(line: Line) -> dict[str, str]:
    token = line.value("access_token").strip()
    return {"Authorization": f"Bearer {token}"} if token else {}


def _button(line: Line, label: str, token: str) -> JsonObject:
    return {
        "action": "http",
        "label": one_line(label, NTFY.longest_label),
        "url": line.answers_at,
        "method": "POST",
        "headers": {"Authorization": f"Bearer {token}"},
        "clear": True,
    }


NTFY = Ntfy()
