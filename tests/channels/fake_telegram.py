"""Telegram's Bot API on the loopback: messages with buttons, long polling, people who press and write."""

import asyncio
import contextlib
import html
import ipaddress
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from quart import Quart, request

_TAGS = re.compile(r'</?b>|<a href="[^"<>]*">|</a>')


@dataclass
class FakeTelegram:
    """`messages` by chat and number. `fails` are the next answers: status, description, seconds to wait."""

    token: str = "123456:tests-token"
    messages: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    fails: list[tuple[int, str, int | None]] = field(default_factory=list)
    is_down: bool = False
    tries: int = 0
    answered: dict[str, dict[str, Any]] = field(default_factory=dict)  # answerCallbackQuery by id: ends the spinner
    moved: dict[str, str] = field(default_factory=dict)  # groups that became supergroups
    has_webhook: bool = False
    polled: asyncio.Event = field(default_factory=asyncio.Event)
    _updates: list[dict[str, Any]] = field(default_factory=list)
    _new: asyncio.Event = field(default_factory=asyncio.Event)
    _number: int = 100
    _polls: int = 0

    def _add(self, **update: Any) -> None:
        self._number += 1
        self._updates.append({"update_id": self._number, **update})
        self._new.set()

    def say(self, person: int, text: str, chat: int | None = None) -> None:
        """A person writes, such as `/start CODE`; in a group when `chat` is another id."""
        where = {"id": chat or person, "type": "private" if chat in (None, person) else "group"}
        by = {"id": person, "is_bot": False, "first_name": "Ada", "username": f"ada{person}"}
        self._add(message={"message_id": self._number, "from": by, "chat": where, "text": text})

    def buttons(self, key: tuple[str, int]) -> list[dict[str, Any]]:
        """The buttons of a message, with that which opens it."""
        return [one for row in self.messages[key]["reply_markup"]["inline_keyboard"] for one in row]

    def press(self, key: tuple[str, int], number: int, person: int) -> str:
        """A person presses a button; return the id of the query."""
        return self.press_token(key, self.buttons(key)[number]["callback_data"], person)

    def press_token(self, key: tuple[str, int], token: str, person: int) -> str:
        """The same with a button that may have gone since."""
        kind = "group" if key[0].startswith("-") else "private"
        message = {"message_id": key[1], "chat": {"id": int(key[0]), "type": kind}}
        query = f"q{self._number}"
        self._add(callback_query={"id": query, "from": {"id": person}, "message": message, "data": token})
        return query

    def _error(self, status: int, description: str, retry: int | None = None) -> Any:
        more = {"parameters": {"retry_after": retry}} if retry else {}
        return {"ok": False, "error_code": status, "description": description, **more}, status

    @property
    def app(self) -> Quart:
        """The provider."""
        app = Quart("telegram")

        @app.post("/bot<token>/<method>")
        async def call(token: str, method: str) -> Any:
            self.tries += 1
            if self.is_down:
                return "Bad Gateway", 502
            if token != self.token:
                return self._error(401, "Unauthorized")
            if self.fails and method != "getUpdates":
                return self._error(*self.fails.pop(0))
            sent = await request.get_json() or {}
            if (to := self.moved.get(str(sent.get("chat_id")))) is not None:
                text = "Bad Request: group chat was upgraded to a supergroup chat"
                return {"ok": False, "description": text, "parameters": {"migrate_to_chat_id": int(to)}}, 400
            return await getattr(self, f"_{method}")(sent)

        return app

    async def _getMe(self, sent: dict[str, Any]) -> Any:  # noqa: N802
        return {"ok": True, "result": {"id": 1, "is_bot": True, "username": "tests_bot"}}

    async def _sendMessage(self, sent: dict[str, Any]) -> Any:  # noqa: N802
        if (problem := problem_of(sent)) is not None:
            return self._error(400, f"Bad Request: {problem}")
        self._number += 1
        self.messages[str(sent["chat_id"]), self._number] = sent
        return {"ok": True, "result": {"message_id": self._number, "chat": {"id": int(sent["chat_id"])}}}

    async def _editMessageText(self, sent: dict[str, Any]) -> Any:  # noqa: N802
        key = (str(sent["chat_id"]), sent["message_id"])
        if key not in self.messages:
            return self._error(400, "Bad Request: message to edit not found")
        if (problem := problem_of(sent)) is not None:
            return self._error(400, f"Bad Request: {problem}")
        before = self.messages[key]
        if all(before.get(name) == sent.get(name) for name in ("text", "reply_markup")):
            return self._error(400, "Bad Request: message is not modified")
        self.messages[key] = sent
        return {"ok": True, "result": {"message_id": key[1]}}

    async def _answerCallbackQuery(self, sent: dict[str, Any]) -> Any:  # noqa: N802
        if len(sent.get("text", "")) > 200:
            return self._error(400, "Bad Request: MESSAGE_TOO_LONG")
        self.answered[sent["callback_query_id"]] = sent
        return {"ok": True, "result": True}

    async def _getUpdates(self, sent: dict[str, Any]) -> Any:  # noqa: N802
        if self.has_webhook:
            return self._error(409, "Conflict: can't use getUpdates method while webhook is active")
        self._polls += 1
        mine = self._polls
        self.polled.set()
        offset = sent.get("offset", 0)
        self._updates = [one for one in self._updates if one["update_id"] >= offset]  # a higher offset acknowledges
        loop = asyncio.get_running_loop()
        end = loop.time() + sent.get("timeout", 0)
        while not self._updates and loop.time() < end and not self.is_down:
            self._new.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._new.wait(), 0.05)
            if self._polls != mine:
                return self._error(409, "Conflict: terminated by other getUpdates request")
        return {"ok": True, "result": list(self._updates)}


def problem_of(sent: dict[str, Any]) -> str | None:
    """What Telegram has against a message."""
    text = sent["text"]
    if sent.get("parse_mode") == "HTML":
        if re.search(r"[<>]", _TAGS.sub("", text)):
            return "can't parse entities"
        text = html.unescape(_TAGS.sub("", text))
    if not 1 <= len(text.encode("utf-16-le")) // 2 <= 4096:
        return "message is too long" if text else "message text is empty"
    for row in sent.get("reply_markup", {}).get("inline_keyboard", []):
        for one in row:
            if not one["text"]:
                return "text buttons are unallowed"
            if not 1 <= len(one.get("callback_data", "x").encode()) <= 64:
                return "BUTTON_DATA_INVALID"
            if "url" in one and not is_url(one["url"]):
                return f"inline keyboard button URL '{one['url']}' is invalid: Wrong HTTP URL"
    return None


def is_url(url: str) -> bool:
    """Whether chats take it for an address."""
    host = urlsplit(url).hostname or ""
    try:
        return bool("." in host or ipaddress.ip_address(host))
    except ValueError:
        return False
