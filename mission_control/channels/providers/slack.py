"""Slack: messages of an app to people, or in a channel. Presses come signed over HTTP, or by its socket."""

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from mission_control.channels.channel import (
    Channel,
    Incoming,
    Later,
    Line,
    Message,
    NotSigned,
    Press,
    Received,
    Receives,
    Reception,
    Refused,
    Said,
    Setting,
)
from mission_control.channels.providers.chats import (
    fields,
    no_sooner_than_a_second_after,
    one_line,
    problem,
    spoken,
    texts,
    written_by,
)
from mission_control.core.values import JsonObject

API = "https://slack.com/api"
OLDEST_SECONDS = 300
# What Slack makes of an address that somebody writes: `<https://example.org|example.org>`.
_LINK = re.compile(r"<(?:mailto:)?([^<>|@#!][^<>|]*)(?:\|[^<>]*)?>")
MOST_TEXT, MOST_SECTION = 9000, 1500
GONE = ("channel_not_found", "user_not_found", "is_archived")
LATER = ("ratelimited", "service_unavailable", "internal_error", "fatal_error", "request_timeout")
# What people can do about errors that Slack names in one word.
ADVICE = {
    "invalid_auth": "Copy the Bot User OAuth Token again, from OAuth & Permissions.",
    "not_authed": "Copy the Bot User OAuth Token again, from OAuth & Permissions.",
    "token_revoked": "Install the app again, and copy the new Bot User OAuth Token.",
    "account_inactive": "The app is no longer installed in the workspace: install it again.",
    "missing_scope": "Paste the manifest again, and install the app again.",
    "not_in_channel": "Invite the app into the channel, by /invite.",
    "channel_not_found": "Copy the channel's ID again, and invite the app into the channel, by /invite.",
    "not_allowed_token_type": "Each token has its own field: xoxb- is the bot's, xapp- the app's.",
    "link_disabled": "Turn Socket Mode on, or remove the app-level token here.",
}


OF_A_TOKEN = ("invalid_auth", "not_authed", "token_revoked")
APP_TOKEN = "Copy the App-Level Token again, from Basic Information."


class Slack(Channel):
    kind = "slack"
    name = "Slack"
    glyph = "hash"
    links = "code"
    sets = (
        Setting("token", "Bot User OAuth Token", "xoxb-…, under OAuth & Permissions", is_secret=True),
        Setting(
            "app_token",
            "App-level token",
            "xapp-… with connections:write, under Basic Information: presses come over Slack's socket",
            is_secret=True,
            is_required=False,
        ),
        Setting(
            "signing_secret",
            "Signing secret",
            "under Basic Information: only without an app-level token. Slack then sends to the address of this channel:"
            " turn Socket Mode off, and enter it under Interactivity & Shortcuts and under Event Subscriptions",
            is_secret=True,
            is_required=False,
        ),
    )
    team = Setting(
        "channel",
        "Channel ID",
        "C0123456789, at the end of the channel's About; first /invite the app",
        pattern="[CG][A-Z0-9]+",  # not a person, nor a chat in private
    )
    steps = (
        "Open api.slack.com/apps, choose Create New App, then From a manifest, and your workspace.",
        "Paste the manifest below and choose Create.",
        "Under Install App, choose Install to Workspace, then Allow. Copy the Bot User OAuth Token.",
        "Under Basic Information, App-Level Tokens, choose Generate Token and Scopes, add connections:write, and copy"
        " the token.",
        "Paste both tokens below.",
    )
    without_address = "Works with an app-level token: presses and codes then come over Slack's own socket."
    answers = True
    edits = True
    most_buttons = 8
    longest_label = 70
    longest = 6000

    async def send(self, line: Line, message: Message) -> str:
        sent = await self._call(
            line, "chat.postMessage", channel=line.to, unfurl_links=False, unfurl_media=False, **_written(message)
        )
        return f"{sent['channel']}/{sent['ts']}"

    async def edit(self, line: Line, name: str, message: Message) -> None:
        channel, _, ts = name.partition("/")
        await self._call(line, "chat.update", channel=channel, ts=ts, **_written(message))

    async def check(self, line: Line) -> str:
        if line.value("app_token"):
            await self._call(line, "apps.connections.open", by="app_token")
        found = await self._call(line, "auth.test")
        return f"{found.get('user', 'the app')} in {found.get('team', 'the workspace')}"

    def manifest(self, base_url: str) -> str:
        return _manifest()

    def takes_answers(self, line: Line) -> bool:
        return self.listens(line) or bool(line.value("signing_secret") and line.answers_at)

    def listens(self, line: Line) -> bool:
        return bool(line.value("app_token"))

    async def listen(self, line: Line, position: str, receives: Receives) -> None:
        """Take what comes over Slack's sockets: it ends each after some hours, and wants the next one opened."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while await self._listen(line, receives):
            await no_sooner_than_a_second_after(began)
            began = loop.time()

    async def _listen(self, line: Line, receives: Receives) -> bool:
        """Take what comes over one socket, and return whether Slack asked for the next."""
        from mission_control.channels.providers._socket import opened

        address = str((await self._call(line, "apps.connections.open", by="app_token")).get("url"))
        if not line.value("api") and not _is_of_slack(address, "wss"):
            raise Refused("Slack names a socket outside of slack.com.")
        allow_private = line.installation.outbound_allow_private
        async with opened(address, allow_private=allow_private) as socket, asyncio.TaskGroup() as taking:
            async for frame in socket.received():
                if frame.get("type") == "disconnect":
                    break
                if frame.get("envelope_id"):  # acknowledged within three seconds, whatever else is being taken
                    if not await socket.sent({"envelope_id": frame["envelope_id"]}):
                        return False
                    taking.create_task(_take(frame.get("payload"), receives))
            else:
                return False
        if (reason := frame.get("reason")) in ADVICE:
            raise Refused(f"{reason}. {ADVICE[reason]}")
        return True

    async def receive(self, line: Line, incoming: Incoming) -> Reception:
        if not is_signed(line.value("signing_secret"), incoming):
            raise NotSigned
        try:
            form = parse_qs(incoming.body.decode())
            sent = json.loads(form["payload"][0] if "payload" in form else incoming.body)
        except (ValueError, RecursionError):
            raise NotSigned from None
        if isinstance(sent, dict) and sent.get("type") == "url_verification":
            return Reception(answer={"challenge": str(sent.get("challenge", ""))})
        return Reception(_read(sent))

    async def acknowledge(self, line: Line, press: Press, words: str) -> None:
        address = str(press.reply.get("response_url", ""))
        if _is_of_slack(address, "https") or (line.value("api") and address):
            said = {"response_type": "ephemeral", "replace_original": False, "text": _escaped(words)}
            await line.request("POST", address, json=said)

    async def tell(self, line: Line, words: str) -> None:
        await self._call(line, "chat.postMessage", channel=line.to, text=_escaped(words))

    async def name_of(self, line: Line, said: Said) -> str:
        user = said.who.partition("/")[2]
        try:
            found = (await self._call(line, f"users.info?user={quote(user)}", verb="GET"))["user"]
            return one_line(str(found.get("real_name") or found["name"]), 80)
        except (Refused, Later, KeyError, TypeError, AttributeError):
            return user

    async def _call(
        self, line: Line, method: str, by: str = "token", verb: str = "POST", **sent: object
    ) -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {line.value(by)}"}
        answer = await line.request(verb, f"{line.value('api') or API}/{method}", headers=headers, json=sent or None)
        found = fields(answer)
        if answer.status == 200 and found.get("ok"):
            return found
        error = str(found.get("error") or "")
        advice = APP_TOKEN if by == "app_token" and error in OF_A_TOKEN else ADVICE.get(error)
        words = f"{error}. {advice}" if advice else error
        raise problem(self, line, answer, words, is_gone=error in GONE, is_later=error in LATER)


async def _take(sent: object, receives: Receives) -> None:
    if (received := _read(sent)) is not None:
        await receives(received, "")


def _read(sent: Any) -> Received | None:
    """Read a payload whose origin was checked. A person is team and user: ids of users are unique in a team."""
    try:
        match sent:
            case {"type": "block_actions", "user": {"id": user}, "actions": [{"value": token}, *_]}:
                team = sent["user"].get("team_id") or sent["team"]["id"]
                return Press(f"{team}/{user}", str(token), {"response_url": sent.get("response_url") or ""})
            case {"team_id": team, "event": {"type": "message", "channel_type": "im", "user": user} as event}:
                if event.get("subtype") or event.get("bot_id"):
                    return None
                text = written_by(unescape(_LINK.sub(r"\1", str(event.get("text", "")))))
                return Said(f"{team}/{user}", text, to=str(event["channel"]))
    except (KeyError, TypeError, AttributeError):
        pass
    return None


def is_signed(secret: str, incoming: Incoming) -> bool:
    """Return whether a request was signed by Slack in the last five minutes."""
    moment = incoming.headers.get("X-Slack-Request-Timestamp", "")
    if not secret or not (moment.isascii() and moment.isdigit() and len(moment) < 20):
        return False
    if abs(incoming.now - int(moment)) > OLDEST_SECONDS:
        return False
    code = hmac.new(secret.encode(), b"v0:" + moment.encode() + b":" + incoming.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={code}".encode(), incoming.headers.get("X-Slack-Signature", "").encode())


def _manifest() -> str:
    """Return the manifest of an app whose presses and codes come over its socket."""
    words = "Asks what agents need, and takes answers"
    made = {
        "display_information": {"name": "Mission Control", "description": words},
        "features": {
            "bot_user": {"display_name": "Mission Control", "always_online": True},
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
        },
        "oauth_config": {"scopes": {"bot": ["chat:write", "im:history", "im:write", "users:read"]}},
        "settings": {
            "interactivity": {"is_enabled": True},
            "event_subscriptions": {"bot_events": ["message.im"]},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }
    return json.dumps(made, indent=2)


def _is_of_slack(address: str, scheme: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme == scheme and (parts.hostname or "").endswith(".slack.com") and parts.username is None
    except ValueError:
        return False


def _escaped(text: str) -> str:
    return spoken(text, 2900).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> JsonObject:
    return {"type": "plain_text", "text": text, "emoji": False}  # no mentions, no links


def _written(message: Message) -> JsonObject:
    shown = texts(message, 150, MOST_TEXT)
    labels = [_plain(one_line(button.label, SLACK.longest_label)) for button in shown.buttons]
    styles = {"go": {"style": "primary"}, "stop": {"style": "danger"}}
    buttons: list[JsonObject] = [
        {"type": "button", "action_id": f"answer-{number}", "text": labels[number], "value": one.token}
        | styles.get(one.style, {})
        for number, one in enumerate(shown.buttons)
    ]
    if shown.url:
        buttons.append({"type": "button", "action_id": "open", "text": _plain("Open"), "url": shown.url})
    blocks: list[JsonObject] = [{"type": "header", "text": _plain(shown.title)}]
    blocks += [{"type": "section", "text": _plain(one)} for one in _pieces(shown.body)]
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return {"text": _escaped(shown.title), "blocks": blocks}


def _pieces(text: str) -> Iterator[str]:
    """Yield a text in pieces that a section takes: 3,000 units of UTF-16, which are 1,500 characters at least.

    They end with a line where one ends, so that no line begins in the middle of a word, or without its indent.
    """
    while text:
        end = len(text) if len(text) <= MOST_SECTION else text.rfind("\n", 0, MOST_SECTION + 1)
        end = end if end > 0 else MOST_SECTION
        if (piece := text[:end].strip("\n")).strip():
            yield piece
        text = text[end:]


SLACK = Slack()
