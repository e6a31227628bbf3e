"""Hostile texts through every chat: the provider takes the message, and nothing in it is more than a text."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from mission_control.channels.channel import Channel, Item, Line, Message, cut, plain
from mission_control.channels.providers.chats import shortened
from mission_control.channels.providers.discord import DISCORD
from mission_control.channels.providers.mattermost import MATTERMOST
from mission_control.channels.providers.slack import SLACK
from mission_control.channels.providers.teams import TEAMS
from mission_control.channels.providers.telegram import TELEGRAM
from tests.channels.fake_discord import FakeDiscord
from tests.channels.fake_mattermost import FakeMattermost
from tests.channels.fake_ntfy import FakeNtfy
from tests.channels.fake_slack import FakeSlack
from tests.channels.fake_teams import FakeTeams
from tests.channels.fake_telegram import FakeTelegram
from tests.channels.hostile import TEXTS, message_of
from tests.channels.samples import CHATS, NEED, TOKENS, each_chat, line_to
from tests.channels.serving import serving

ADDRESS = "https://mission.example.org/reach/in/1"
# What programs read and nobody sees.
UNSEEN = ("url", "title_link", "click", "$schema", "body", "integration", "value", "callback_data")
# A mark of direction or control; line breaks are for the channel to keep.
HIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ud800-\udfff]"
)


def line_of(channel: Channel, url: str) -> Line:
    match channel.kind:
        case "slack":
            return line_to("D1", api=f"{url}/api", token="xoxb-tests")
        case "telegram":
            return line_to("77", api=url, token="123456:tests-token")
        case "mattermost":
            return line_to("dm-ada", answers_at=ADDRESS, server=url, token="bot-token")
        case "ntfy":
            return line_to("", answers_at=ADDRESS, server=url, topic="ada", access_token="tk_tests")
        case "discord":
            return line_to(f"{url}/api/webhooks/1/good-secret")
        case _:
            return line_to(f"{url}/workflows/good-secret/triggers/manual/paths/invoke")


class Place:
    """All providers, and what each was sent."""

    def __init__(self) -> None:
        self.fakes: dict[str, Any] = {
            "slack": FakeSlack(),
            "telegram": FakeTelegram(),
            "mattermost": FakeMattermost(),
            "ntfy": FakeNtfy(),
            "discord": FakeDiscord(),
            "teams": FakeTeams(),
        }

    def sent(self, kind: str) -> list[dict[str, Any]]:
        fake = self.fakes[kind]
        found = {"mattermost": "posts", "teams": "cards"}.get(kind, "messages")
        kept = getattr(fake, found)
        return list(kept.values()) if isinstance(kept, dict) else list(kept)


@asynccontextmanager
async def sent_to(channel: Channel) -> AsyncIterator[tuple[Place, Line]]:
    place = Place()
    async with serving(place.fakes[channel.kind].app) as url:
        yield place, line_of(channel, url)


@each_chat
async def test_hostile_texts_stay_texts(channel: Channel) -> None:
    async with sent_to(channel) as (place, line):
        for case, text in TEXTS.items():
            await channel.send(line, message_of(text, is_digest=False))
            name = await channel.send(line, message_of(text))
            if channel.edits:
                await channel.edit(line, name, message_of(f"{text} edited"))
            for one in place.sent(channel.kind):
                for string, is_label in strings(one):
                    assert not HIDDEN.search(string), case
                    assert is_label or is_text(channel.kind, string), (case, string)
                    assert len(string.encode()) <= 20_000, case


@pytest.mark.parametrize("channel", [SLACK, TELEGRAM, MATTERMOST], ids=lambda one: one.kind)
async def test_hostile_words_in_a_reply_stay_texts(channel: Channel) -> None:
    async with sent_to(channel) as (place, line):
        for case, text in TEXTS.items():
            await channel.tell(line, f"Done: Approve, {text}.")
            reply = place.sent(channel.kind)[-1]
            string = str(reply.get("text") or reply.get("message"))
            assert not re.search(r"@(?!\u200b)\w|://|\bwww\.(?!\u200b)", string), (case, string)


def strings(value: Any, *, is_label: bool = False) -> Iterator[tuple[str, bool]]:
    """All texts of a message that people see, and whether each is the label of a button."""
    match value:
        case str():
            yield value, is_label
        case dict():
            for name, more in value.items():
                if name not in UNSEEN or isinstance(more, list):
                    yield from strings(more, is_label=is_label or name in ("actions", "inline_keyboard", "elements"))
        case list():
            for more in value:
                yield from strings(more, is_label=is_label)


def is_text(kind: str, string: str) -> bool:
    """Whether a text has no meaning in the chat beyond itself."""
    ours = string.replace("https://mission.example.org", "")
    if kind in ("telegram", "mattermost", "ntfy", "discord"):
        if re.search(r"@(?!\u200b)\w|://|\bwww\.(?!\u200b)", ours):
            return False
    if kind in ("mattermost", "discord"):
        ours = ours.replace("](<", "").replace("[Look and answer", "")
        bare = re.sub(r"\*\*(?=\S)|(?<=\S)\*\*", "", re.sub(r"\\.", "", ours))
        return not re.search(r"[*_`~]|^#|^>|!\[", bare)
    return True


@pytest.mark.parametrize("channel", [chat for chat in CHATS if chat.answers], ids=lambda chat: chat.kind)
async def test_half_of_a_command_has_no_buttons(channel: Channel) -> None:
    command = "tar -c /srv | gzip > backup.tgz; " * 400 + "rm -rf /"
    async with sent_to(channel) as (place, line):
        for title, lines in (("Run this?", (command,)), (command, ()), ("Run this?", ("ls", command))):
            await channel.send(line, replace(NEED, title=title, lines=lines, key=str(len(lines))))
        assert TOKENS[0] not in json.dumps(place.sent(channel.kind))
        await channel.send(line, NEED)
        assert TOKENS[0] in json.dumps(place.sent(channel.kind))


@pytest.mark.parametrize("channel", [chat for chat in CHATS if chat.answers], ids=lambda chat: chat.kind)
async def test_whole_command_stands_in_the_message(channel: Channel) -> None:
    command = "b" * (channel.longest - 5) + "rm -r"
    async with sent_to(channel) as (place, line):
        await channel.send(line, replace(NEED, title="Run a long command " * 10, lines=("Payments, Rook", command)))
        [sent] = place.sent(channel.kind)
        shown = "".join(text for text, _ in strings(sent) if text not in ("section", "plain_text")).replace("\\", "")
        assert TOKENS[0] in json.dumps(sent) and "rm -r" in shown


@each_chat
async def test_address_without_a_host_is_left_out(channel: Channel) -> None:
    async with sent_to(channel) as (place, line):
        await channel.send(line, replace(NEED, url="/reach/018f3c2a"))
        assert "/reach/018f3c2a" not in json.dumps(place.sent(channel.kind))


@pytest.mark.parametrize("channel", [SLACK, TELEGRAM, MATTERMOST, DISCORD, TEAMS], ids=lambda one: one.kind)
async def test_digest_says_how_many_it_leaves_out(channel: Channel) -> None:
    items = (*(Item(f"Which of {number}?") for number in range(10)), Item("and 30 more", count=30))
    async with sent_to(channel) as (place, line):
        await channel.send(line, Message("40 things wait for you", sections=(("Waits", items),)))
        await channel.send(line, Message("40 long things wait", sections=(("Waits", (Item("x" * 9_000), *items)),)))
        shown = json.dumps(place.sent(channel.kind))
        assert "Which of 4?" in shown and "Which of 5?" not in shown and "and 35 more" in shown
        assert "and 40 more" in shown or "and 36 more" in shown


@pytest.mark.parametrize("one", [
    "e\u0301", "\U0001f1f8\U0001f1ea", "\U0001f44d\U0001f3fd", "\u0928\u093f",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u2764\ufe0f", "漢", "🚀",
])  # fmt: skip
def test_texts_are_cut_between_characters(one: str) -> None:
    for shorten in (cut, shortened):
        for most in range(2, 12):
            short = shorten(one * 20, most)
            assert short == one * short.count(one) + "…" and len(short) <= most
    assert len(cut("a" + "\u0301" * 99, 40)) == 40


def test_joiners_stay_where_writing_needs_them() -> None:
    for text in (
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\U0001f468\u200d\U0001f469",
        "\u2764\ufe0f\u200d\U0001f525",
    ):
        assert plain(text) == text
    assert plain("r\u200dm \u200c-r \u200d") == "rm -r "
    assert plain("\u06cc\u200c\u200c\u062e\u200d") == "\u06cc\u062e"


async def test_secrets_of_the_line_are_in_no_message() -> None:
    for channel in CHATS:
        async with sent_to(channel) as (place, line):
            await channel.send(line, message_of("text"))
            assert not [one for one in ("xoxb-tests", "tests-token", "bot-token", "tk_tests", "good-secret")
                        if one in json.dumps(place.sent(channel.kind))]  # fmt: skip
