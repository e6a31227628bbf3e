"""Discord: messages in a team's channel by a webhook, with a link that leads to the answer."""

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

from mission_control.channels.channel import Answer, Channel, Line, Message, Refused, Setting
from mission_control.channels.providers.chats import fields, is_linkable, markdown, problem, texts
from mission_control.core.values import JsonObject

UNKNOWN_WEBHOOK = 10015
_PATH = re.compile(r"/api(/v\d+)?/webhooks/\d+/[\w-]+/?")

MARKUP = markdown("\\`*_{}[]()#+-.!|~><")


class Discord(Channel):
    kind = "discord"
    name = "Discord"
    glyph = "message-square"
    team = Setting(
        "webhook", "Webhook URL", "https://discord.com/api/webhooks/…", is_secret=True, pattern=r"https?://\S+"
    )
    steps = (
        "In Discord open the channel's settings (Edit Channel), then Integrations, Webhooks.",
        "Choose Create Webhook or New Webhook, name it Mission Control, and choose Copy Webhook URL.",
        "Paste the URL below.",
    )
    edits = True

    async def send(self, line: Line, message: Message) -> str:
        answer = await self._call(line, "POST", "", "wait=true", message)
        return str(fields(answer).get("id", ""))

    async def edit(self, line: Line, name: str, message: Message) -> None:
        await self._call(line, "PATCH", f"/messages/{name}", "", message)

    async def _call(self, line: Line, method: str, path: str, query: str, message: Message) -> Answer:
        parts = _webhook(line.to)
        query = "&".join(filter(None, (parts.query, query)))  # of a thread
        url = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + path, query, ""))
        answer = await line.request(method, url, json=_written(message))
        if 200 <= answer.status < 300:
            return answer
        found = fields(answer)
        seconds = found.get("retry_after")
        raise problem(
            self,
            line,
            answer,
            found.get("message"),
            is_gone=found.get("code") == UNKNOWN_WEBHOOK,
            seconds=seconds if isinstance(seconds, int | float) else None,
        )


def _webhook(address: str) -> SplitResult:
    try:
        parts = urlsplit(address.strip())
        if _PATH.fullmatch(parts.path):
            return parts
    except ValueError:
        pass
    raise Refused("This is no webhook of Discord. Copy the Webhook URL again.")


def _written(message: Message) -> JsonObject:
    shown = texts(message, 128, 1800, MARKUP)
    embed = {"title": shown.title, "description": shown.body}
    if is_linkable(shown.url):
        embed["url"] = shown.url
        embed["description"] += f"\n[Look and answer](<{shown.url}>)" if not message.has_ended else ""
    elif shown.url:  # Discord refuses it as the address of an embed, and the message with it
        embed["description"] += f"\n{shown.url}"
    return {"content": "", "embeds": [embed], "allowed_mentions": {"parse": []}}


DISCORD = Discord()
