"""Telegram: a bot's chat with a person, or in a group. Works without a public address, because updates are polled."""

import asyncio
import re
from collections.abc import Mapping
from html import escape
from typing import Any

from mission_control.channels.channel import (
    Answer,
    Channel,
    Line,
    Message,
    Press,
    Received,
    Receives,
    Refused,
    Said,
    Setting,
)
from mission_control.channels.providers.chats import (
    Markup,
    fields,
    is_linkable,
    no_sooner_than_a_second_after,
    one_line,
    problem,
    spoken,
    texts,
    written_by,
)
from mission_control.core.values import JsonObject, whole_number

API = "https://api.telegram.org"
POLL_SECONDS = 15  # below the deadline of a request
GONE = ("bot was blocked", "user is deactivated", "chat not found", "group chat was deleted", "bot was kicked")
CONFLICT = 409
LONGEST_TOAST = 60
_BOT = re.compile(r"\w{5,32}", re.ASCII)


MARKUP = Markup(
    escape=lambda text: escape(text, quote=False),
    heading=lambda text: f"<b>{text}</b>",
    link=lambda text, url: f'<a href="{escape(url)}">{text}</a>',
)


class Telegram(Channel):
    kind = "telegram"
    name = "Telegram"
    glyph = "message-square"
    links = "code"
    sets = (Setting("token", "Bot token", "123456789:ABC…, as BotFather sent it", is_secret=True),)
    team = Setting(
        "chat", "Chat ID of the group", "-1001234567890; first add the bot to the group", pattern=r"-\d+|@\w+"
    )
    steps = (
        "In Telegram open @BotFather and send /newbot.",
        "Send a name, then a username that ends in bot.",
        "BotFather answers with a token: paste it below.",
    )
    answers = True
    edits = True
    most_buttons = 8
    longest = 2000

    async def send(self, line: Line, message: Message) -> str:
        sent = await self._to_chat(
            line, "sendMessage", line.to, disable_notification=message.has_ended, **_written(message)
        )
        return f"{sent['chat']['id']}/{sent['message_id']}"

    async def edit(self, line: Line, name: str, message: Message) -> None:
        chat, _, number = name.partition("/")
        try:
            await self._to_chat(line, "editMessageText", chat, message_id=int(number), **_written(message))
        except Refused as error:
            if "not modified" not in str(error):
                raise

    async def check(self, line: Line) -> str:
        return f"@{(await self._call(line, 'getMe')).get('username', 'bot')}"

    def code_line(self, code: str) -> str:
        return f"/start {code}"

    def code_link(self, settings: Mapping[str, str], code: str) -> str:
        """Return a link that starts the bot. Telegram drops the code for bots that were started before."""
        bot = settings.get("known_as", "").removeprefix("@")
        return f"https://t.me/{bot}?start={code}" if _BOT.fullmatch(bot) else ""

    def listens(self, line: Line) -> bool:
        return bool(line.value("token"))

    async def listen(self, line: Line, position: str, receives: Receives) -> None:
        """Poll. Each call's offset acknowledges what the one before returned. One process at a time, else 409."""
        offset = whole_number(position, 18) or 0
        while True:
            began = asyncio.get_running_loop().time()
            found = await self._call(
                line, "getUpdates", offset=offset, timeout=POLL_SECONDS, allowed_updates=["message", "callback_query"]
            )
            for update in found if isinstance(found, list) else []:
                offset = max(offset, update["update_id"] + 1)
                await receives(_read(update), str(offset))
            if not found:
                await no_sooner_than_a_second_after(began)

    async def acknowledge(self, line: Line, press: Press, words: str) -> None:
        """End the spinner on the button with a few words. Telegram forgets presses after a while."""
        try:
            text = spoken(words, 195)
            stays = len(text) > LONGEST_TOAST  # until the person has read it
            query = press.reply.get("id")
            await self._call(line, "answerCallbackQuery", callback_query_id=query, text=text, show_alert=stays)
        except Refused as error:
            if "query is too old" not in str(error):
                raise

    async def tell(self, line: Line, words: str) -> None:
        await self._to_chat(line, "sendMessage", line.to, text=spoken(words, 4000))

    async def _to_chat(self, line: Line, method: str, chat: str, **sent: object) -> Any:
        """Call a method for a chat. A group that became a supergroup has another id: go there."""
        try:
            return await self._call(line, method, chat_id=chat, **sent)
        except _Moved as moved:
            return await self._call(line, method, chat_id=moved.chat, **sent)

    @staticmethod
    def _words_of(answer: Answer, found: Mapping[str, Any]) -> str:
        words = str(found.get("description") or "")
        if answer.status == 404 and words in ("", "Not Found"):
            return "Not Found. Copy the bot token again."  # Telegram's answer to a token of another form
        return words

    async def _call(self, line: Line, method: str, **sent: object) -> Any:
        url = f"{line.value('api') or API}/bot{line.value('token')}/{method}"
        answer = await line.request("POST", url, json=sent)
        found = fields(answer)
        if found.get("ok"):
            return found["result"]
        words, more = self._words_of(answer, found), found.get("parameters")
        more = more if isinstance(more, Mapping) else {}
        if "migrate_to_chat_id" in more:
            raise _Moved(words, str(more["migrate_to_chat_id"]))
        seconds = more.get("retry_after")
        raise problem(
            self,
            line,
            answer,
            words,
            is_gone=any(phrase in words for phrase in GONE),
            is_later=answer.status == CONFLICT and "webhook" not in words,
            seconds=seconds if isinstance(seconds, int) else None,
        )


class _Moved(Refused):
    def __init__(self, words: str, chat: str) -> None:
        super().__init__(words)
        self.chat = chat


def _read(update: Mapping[str, Any]) -> Received | None:
    """Read an update. Codes count in private chats only, where nobody else reads them."""
    match update:
        case {"callback_query": {"id": query, "from": {"id": person}, "data": str(token)}}:
            return Press(str(person), token, {"id": query})
        case {"message": {"chat": {"id": chat, "type": "private"}, "from": {"id": person}, "text": str(text)} as said}:
            names = [said["from"].get("first_name"), said["from"].get("last_name")]
            name = " ".join(str(one) for one in names if one)
            if said["from"].get("username"):
                name = f"{name} (@{said['from']['username']})".strip()
            return Said(str(person), written_by(text), one_line(name, 120) if name else "", str(chat))
    return None


def _written(message: Message) -> JsonObject:
    shown = texts(message, 250, 3500, MARKUP)
    text = f"<b>{shown.title}</b>\n{shown.body}".strip()
    longest = TELEGRAM.longest_label
    rows = [[{"text": one_line(button.label, longest), "callback_data": button.token}] for button in shown.buttons]
    if is_linkable(shown.url):
        rows.append([{"text": "Open", "url": shown.url}])
    elif shown.url:  # a button for such an address is refused, and the message with it
        text += f"\n{escape(shown.url, quote=False)}"
    keyboard = {"inline_keyboard": rows}
    return {"text": text, "parse_mode": "HTML", "link_preview_options": {"is_disabled": True}, "reply_markup": keyboard}


TELEGRAM = Telegram()
