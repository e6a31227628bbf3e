"""Mattermost: a bot's direct messages, or in a channel. Codes come over its socket; its server calls us for a press."""

import json
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from mission_control.channels.channel import (
    Channel,
    Incoming,
    Line,
    Message,
    NotSigned,
    Press,
    Receives,
    Reception,
    Refused,
    Said,
    Setting,
)
from mission_control.channels.providers.chats import fields, markdown, one_line, problem, spoken, texts, written_by
from mission_control.core.values import JsonObject, whole_number

MARKUP = markdown("\\`*_{}[]()#+-.!|~>")
STYLES = {"go": "good", "stop": "danger"}


class Mattermost(Channel):
    kind = "mattermost"
    name = "Mattermost"
    glyph = "message-square"
    links = "code"
    sets = (
        Setting("server", "Address of the server", "https://chat.example.org"),
        Setting("token", "Access token of the bot", "shown once, when the bot account is made", is_secret=True),
    )
    team = Setting("channel", "Channel ID", "26 characters, in the channel's View Info; first add the bot to it")
    steps = (
        "As a System Admin of Mattermost open the System Console, Integrations, Bot Accounts. Set Enable Bot Account"
        " Creation to true.",
        "Open Integrations, Bot Accounts, choose Add Bot Account, name it mission-control, choose Create Bot Account."
        " Copy the token: it is shown once.",
        "Invite the bot to your team, so that people find it.",
        "Paste the server's address and the token below.",
        "If Mattermost reaches this server at a private address, add that address to Allow untrusted internal"
        " connections, in the System Console under Developer.",
    )
    without_address = (
        "Messages and codes work. Buttons that answer need Mattermost's server to reach this one; one network will do."
    )
    answers = True
    edits = True
    most_buttons = 8
    longest = 5000

    async def send(self, line: Line, message: Message) -> str:
        sent = await self._call(line, "POST", "/posts", {"channel_id": line.to, **_written(line.answers_at, message)})
        return str(sent["id"])

    async def edit(self, line: Line, name: str, message: Message) -> None:
        await self._call(line, "PUT", f"/posts/{name}/patch", _written(line.answers_at, message))

    async def check(self, line: Line) -> str:
        found = await self._call(line, "GET", "/users/me")
        return f"@{found.get('username', 'bot')}"

    def takes_answers(self, line: Line) -> bool:
        return bool(line.answers_at)

    def listens(self, line: Line) -> bool:
        return bool(line.value("token"))

    async def listen(self, line: Line, position: str, receives: Receives) -> None:
        """Wait for direct messages: they reach a bot over this socket alone, and need no address of ours."""
        from mission_control.channels.providers._socket import opened

        me = (await self._call(line, "GET", "/users/me"))["id"]
        parts = urlsplit(_server(line))
        scheme = "wss" if parts.scheme == "https" else "ws"
        address = urlunsplit((scheme, parts.netloc, f"{parts.path}/api/v4/websocket", "", ""))
        async with opened(address, allow_private=line.installation.outbound_allow_private) as socket:
            challenge = {"seq": 1, "action": "authentication_challenge", "data": {"token": line.value("token")}}
            await socket.sent(challenge)
            async for frame in socket.received():
                if (said := _read(frame, me)) is not None:
                    await receives(said, "")

    async def receive(self, line: Line, incoming: Incoming) -> Reception:
        """Read a press. The token in the context is the proof: people never see it, and it fits one answer alone."""
        try:
            match json.loads(incoming.body):
                case {"user_id": str(user), "context": {"token": str(token)}} if user:
                    return Reception(Press(user, token, is_vouched=False), answers_press=True)
        except (ValueError, RecursionError):
            pass
        raise NotSigned

    def in_answer(self, words: str) -> object:
        return {"ephemeral_text": MARKUP.escape(spoken(words, 4000))}

    async def tell(self, line: Line, words: str) -> None:
        await self._call(line, "POST", "/posts", {"channel_id": line.to, "message": MARKUP.escape(spoken(words, 4000))})

    async def _call(self, line: Line, method: str, path: str, sent: object = None) -> Any:
        headers = {"Authorization": f"Bearer {line.value('token')}"}
        answer = await line.request(method, f"{_server(line)}/api/v4{path}", headers=headers, json=sent)
        found = fields(answer)
        if 200 <= answer.status < 300 and "id" in found:
            return found
        if answer.status < 400:
            raise Refused("At this address no Mattermost answers. Copy the address of the server again.")
        words, is_gone = str(found.get("message") or ""), answer.status in (403, 404) and path == "/posts"
        seconds = whole_number(answer.headers.get("X-Ratelimit-Reset"), 5)
        raise problem(self, line, answer, words, is_gone=is_gone, seconds=seconds)


def _server(line: Line) -> str:
    return line.value("server").strip().rstrip("/")


def _read(frame: JsonObject, me: str) -> Said | None:
    """Read an event of the socket: what a person wrote to the bot in private."""
    match frame:
        case {"event": "posted", "data": {"channel_type": "D", "post": str(text)} as data}:
            try:
                post = json.loads(text)
            except (ValueError, RecursionError):
                return None
            match post:
                case {"user_id": str(user), "channel_id": str(channel), "message": str(words)}:
                    if user == me or post.get("type"):
                        return None
                    name = str(data.get("sender_name") or user)
                    return Said(user, written_by(words), one_line(name, 120), channel)
    return None


def _written(answers_at: str, message: Message) -> JsonObject:
    shown = texts(message, 250, 8000, MARKUP)
    actions = [
        {
            "id": f"answer{number}",
            "type": "button",
            "name": one_line(one.label, MATTERMOST.longest_label),
            "style": STYLES.get(one.style, "default"),
            "integration": {"url": answers_at, "context": {"token": one.token}},
        }
        for number, one in enumerate(shown.buttons)
    ]
    part = {"fallback": shown.title, "title": shown.title, "text": shown.body, "actions": actions}
    if shown.url:
        part["title_link"] = shown.url
    return {"message": "", "props": {"attachments": [part]}}


MATTERMOST = Mattermost()
