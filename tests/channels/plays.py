"""Four ways of chats, each with its provider on the loopback, played alike: people write, press and read there."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from quart import Quart

from mission_control.core import times
from tests.channels.fake_mattermost import FakeMattermost
from tests.channels.fake_slack import FakeSlack
from tests.channels.fake_telegram import FakeTelegram

PATIENCE = 30


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as it stands at the provider now; `name` is the provider's."""

    name: Any
    text: str
    labels: list[str]


async def until(holds: Callable[[], Any]) -> Any:
    """Wait until something holds, and return it."""
    async with asyncio.timeout(PATIENCE):
        while not (found := holds()):
            await asyncio.sleep(0.01)
        return found


class Play(ABC):
    """A chat. People there are called as its provider calls them; `ada` is one who writes to the bot in private."""

    kind: str
    ada: str
    cleo: str
    dan: str
    eve: str
    team: str  # the place of a board's team, as an admin types it

    def __init__(self, app: Quart, fake: Any) -> None:
        self.app, self.fake = app, fake
        self.url, self.channel_id = "", UUID(int=0)

    @abstractmethod
    def values(self) -> dict[str, str]:
        """What an admin types to set the channel up."""

    def other_secrets(self) -> dict[str, str]:
        """What an admin types to set it up anew, with secrets that only this admin knows."""
        for name in vars(self.fake):
            if name in ("token", "bot_token", "app_token", "signing_secret"):
                setattr(self.fake, name, f"{getattr(self.fake, name)}-of-ben")
        return self.values()

    @abstractmethod
    async def is_listened_to(self) -> None:
        """Wait until we fetch what people press and say."""

    def typed(self, text: str) -> str:
        """What the provider sends for a text that somebody types."""
        return text

    @abstractmethod
    async def say(self, who: str, text: str) -> None:
        """Somebody writes to the bot in private."""

    @abstractmethod
    def replies(self, who: str) -> list[str]:
        """What the bot said to somebody in private, apart from messages about needs."""

    @abstractmethod
    def messages(self, who: str) -> list[Shown]:
        """The messages about needs that stand with somebody, or in the place of a team."""

    @abstractmethod
    def token(self, shown: Shown, label: str) -> Any:
        """What a press of a button sends, for a replay after the message was edited."""

    @abstractmethod
    async def send_press(self, shown: Shown, token: Any, by: str) -> str:
        """Somebody presses; return the words that only they read."""

    @abstractmethod
    def break_down(self, *, broken: bool) -> None:
        """Let the provider be down, or up again."""

    refusal: str  # the provider's words for a request that it would not take the next time either

    @abstractmethod
    def refuse(self) -> None:
        """Let the provider refuse the next message for good."""

    @abstractmethod
    def forget(self) -> None:
        """Let the provider know the person no longer."""

    async def press(self, who: str, label: str, by: str = "") -> str:
        """Press a button of the newest message with somebody."""
        shown = self.messages(who)[-1]
        return await self.send_press(shown, self.token(shown, label), by or who)

    async def post(self, body: str, headers: dict[str, str]) -> tuple[int, Any]:
        """A provider's request to the address of the channel."""
        answer = await self.app.test_client(use_cookies=False).post(
            f"/reach/in/{self.channel_id}", data=body, headers=headers
        )
        return answer.status_code, await answer.get_json(silent=True)


class SlackPlay(Play):
    """What both ways of Slack have in common."""

    kind, team = "slack", "C0TEAM"
    ada, cleo, dan, eve = "UADA", "UCLEO", "UDAN", "UEVE"
    fake: FakeSlack

    def replies(self, who: str) -> list[str]:
        return [one["text"] for (to, _), one in self.fake.messages.items() if to == f"D{who}" and "blocks" not in one]

    def messages(self, who: str) -> list[Shown]:
        found = []
        for key, one in self.fake.messages.items():
            if key[0] in (f"D{who}", who) and "blocks" in one:
                texts = [block["text"]["text"] for block in one["blocks"] if "text" in block]
                labels = [button["text"]["text"] for button in self.fake.buttons(key)]
                found.append(Shown(key, "\n".join(texts), labels))
        return found

    def token(self, shown: Shown, label: str) -> Any:
        return self.fake.press(self.url, shown.name, shown.labels.index(label), self.ada)

    async def send_press(self, shown: Shown, token: Any, by: str) -> str:
        before = len(self.fake.responses)
        payload = {**token, "user": {"id": by, "team_id": "T1"}}
        await self.bring("interactive", payload)
        return str((await until(lambda: self.fake.responses[before:]))[0]["text"])

    def typed(self, text: str) -> str:
        return escape(text, quote=False)

    async def say(self, who: str, text: str) -> None:
        await self.bring("events_api", FakeSlack.said(who, text))

    @abstractmethod
    async def bring(self, kind: str, payload: dict[str, Any]) -> None:
        """Let us have what happened."""

    def break_down(self, *, broken: bool) -> None:
        self.fake.is_down = broken

    refusal = "invalid_blocks"

    def refuse(self) -> None:
        self.fake.fails = [self.refusal]

    def forget(self) -> None:
        self.fake.fails = ["user_not_found"]


class SlackBySocket(SlackPlay):
    """Slack without a public address of ours."""

    def values(self) -> dict[str, str]:
        return {"api": f"{self.url}/api", "token": self.fake.bot_token, "app_token": self.fake.app_token}

    async def is_listened_to(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.fake.connected.wait()

    async def bring(self, kind: str, payload: dict[str, Any]) -> None:
        envelope = await self.fake.by_socket(kind, payload)
        await until(lambda: envelope in self.fake.acknowledged)


class SlackByRequests(SlackPlay):
    """Slack with a public address of ours."""

    def values(self) -> dict[str, str]:
        return {"api": f"{self.url}/api", "token": self.fake.bot_token, "signing_secret": self.fake.signing_secret}

    async def is_listened_to(self) -> None:
        """Nothing is fetched."""

    async def bring(self, kind: str, payload: dict[str, Any]) -> None:
        body = FakeSlack.form(payload)
        status, _ = await self.post(body, self.fake.signed(body, times.epoch_seconds()))
        assert status == 200


class TelegramPlay(Play):
    """Telegram, polled."""

    kind, team = "telegram", "-100200"
    ada, cleo, dan, eve = "77", "78", "79", "80"
    fake: FakeTelegram

    def values(self) -> dict[str, str]:
        return {"api": self.url, "token": self.fake.token}

    async def is_listened_to(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.fake.polled.wait()

    async def say(self, who: str, text: str) -> None:
        self.fake.say(int(who), text)

    def replies(self, who: str) -> list[str]:
        found = [one for (to, _), one in self.fake.messages.items() if to == who]
        return [one["text"] for one in found if "reply_markup" not in one]

    def messages(self, who: str) -> list[Shown]:
        found = []
        for key, one in self.fake.messages.items():
            if key[0] == who and "reply_markup" in one:
                found.append(Shown(key, one["text"], [button["text"] for button in self.fake.buttons(key)]))
        return found

    def token(self, shown: Shown, label: str) -> Any:
        return self.fake.buttons(shown.name)[shown.labels.index(label)]["callback_data"]

    async def send_press(self, shown: Shown, token: Any, by: str) -> str:
        query = self.fake.press_token(shown.name, token, int(by))
        await until(lambda: query in self.fake.answered)
        return str(self.fake.answered[query]["text"])

    def break_down(self, *, broken: bool) -> None:
        self.fake.is_down = broken

    refusal = "Bad Request: BUTTON_DATA_INVALID"

    def refuse(self) -> None:
        self.fake.fails = [(400, self.refusal, None)]

    def forget(self) -> None:
        self.fake.fails = [(403, "Forbidden: bot was blocked by the user", None)]


class MattermostPlay(Play):
    """Mattermost, whose server reaches us."""

    kind, team = "mattermost", "team-channel"
    ada, cleo, dan, eve = "ada-id", "cleo-id", "dan-id", "eve-id"
    fake: FakeMattermost

    def values(self) -> dict[str, str]:
        self.fake.sends = self._sends
        return {"server": self.url, "token": self.fake.token}

    async def _sends(self, url: str, sent: dict[str, Any]) -> tuple[int, Any]:
        client = self.app.test_client(use_cookies=False)
        answer = await client.post(urlsplit(url).path, json=sent)
        return answer.status_code, await answer.get_json(silent=True)

    async def is_listened_to(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.fake.connected.wait()

    async def say(self, who: str, text: str) -> None:
        await self.fake.say(who, text)

    def replies(self, who: str) -> list[str]:
        return [
            one["message"] for one in self.fake.posts.values() if one["message"] and one["channel_id"] == f"dm-{who}"
        ]

    def messages(self, who: str) -> list[Shown]:
        found = []
        for name, one in self.fake.posts.items():
            if one["channel_id"] in (f"dm-{who}", who) and one.get("props"):
                [part] = one["props"]["attachments"]
                text = f"{part['title']}\n{part['text']}".replace("\\", "")
                found.append(Shown(name, text, [button["name"] for button in part["actions"]]))
        return found

    def token(self, shown: Shown, label: str) -> Any:
        return self.fake.actions(shown.name)[shown.labels.index(label)]["integration"]

    async def send_press(self, shown: Shown, token: Any, by: str) -> str:
        before = len(self.fake.seen)
        assert await self.fake.press_action(shown.name, token, by) == 200
        [(who, words)] = self.fake.seen[before:]
        assert who == by
        return words.replace("\\", "").replace("\u200b", "")

    def break_down(self, *, broken: bool) -> None:
        self.fake.status = 503 if broken else 0

    refusal = "The server has trouble."

    def refuse(self) -> None:
        self.fake.status = 400

    def forget(self) -> None:
        self.fake.status = 403


PLAYS: dict[str, tuple[type[Play], Callable[[], Any]]] = {
    "slack-socket": (SlackBySocket, FakeSlack),
    "slack-requests": (SlackByRequests, FakeSlack),
    "telegram": (TelegramPlay, FakeTelegram),
    "mattermost": (MattermostPlay, FakeMattermost),
}
