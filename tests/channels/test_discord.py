"""Discord as a channel: messages of a team with a link, their edits, and its errors."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from mission_control.channels.channel import Gone, Later, Line, Message, Refused
from mission_control.channels.providers.discord import DISCORD
from tests.channels.fake_discord import FakeDiscord
from tests.channels.samples import DIGEST, ENDED, NEED, line_to
from tests.channels.serving import serving


class Place:
    """The provider, and a way to the team there."""

    def __init__(self, discord: FakeDiscord, url: str) -> None:
        self.discord, self.url = discord, url

    def line(self, secret: str = "good-secret", more: str = "") -> Line:
        return line_to(f"{self.url}/api/webhooks/12345/{secret}{more}")


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    discord = FakeDiscord()
    async with serving(discord.app) as url:
        yield Place(discord, url)


async def test_need_has_a_link_and_nobody_is_mentioned(place: Place) -> None:
    name = await DISCORD.send(place.line(), NEED)
    message = place.discord.messages[name]
    assert message["allowed_mentions"] == {"parse": []} and message["content"] == ""
    [embed] = message["embeds"]
    assert embed["title"] == "Approve: deploy to production" and embed["url"] == NEED.url
    assert embed["description"].endswith(f"[Look and answer](<{NEED.url}>)")
    assert "components" not in message


async def test_edit_says_how_it_ended(place: Place) -> None:
    name = await DISCORD.send(place.line(), NEED)
    await DISCORD.edit(place.line(), name, ENDED)
    [embed] = place.discord.messages[name]["embeds"]
    assert embed["title"] == "Approved by Ada at 17:04" and "Look and answer" not in embed["description"]


async def test_thread_of_the_address_is_kept(place: Place) -> None:
    name = await DISCORD.send(place.line(more="?thread_id=99"), DIGEST)
    await DISCORD.edit(place.line(more="?thread_id=99"), name, ENDED)
    assert place.discord.threads == ["99"]


async def test_address_without_a_dot_is_text(place: Place) -> None:
    name = await DISCORD.send(place.line(), replace(NEED, url="http://localhost:8000/reach/1"))
    [embed] = place.discord.messages[name]["embeds"]
    assert "url" not in embed and embed["description"].endswith("http://localhost:8000/reach/1")


async def test_plain_message_is_taken(place: Place) -> None:
    assert await DISCORD.send(place.line(), Message("Mission Control reaches you here."))


async def test_errors_keep_the_words_of_discord(place: Place) -> None:
    with pytest.raises(Gone, match="Unknown Webhook"):
        await DISCORD.send(place.line("deleted"), NEED)
    with pytest.raises(Refused, match="Unknown Message") as caught:
        await DISCORD.edit(place.line(), "77", NEED)
    assert type(caught.value) is Refused
    with pytest.raises(Refused, match="no webhook of Discord"):
        await DISCORD.send(line_to(f"{place.url}/elsewhere"), NEED)
    with pytest.raises(Refused, match="no webhook of Discord"):
        await DISCORD.send(line_to("https://[/api/webhooks/1/x"), NEED)


async def test_trouble_of_discord_is_for_later(place: Place) -> None:
    place.discord.fails = [(429, {"message": "You are being rate limited.", "retry_after": 1.5}), (502, {})]
    with pytest.raises(Later, match="You are being rate limited") as caught:
        await DISCORD.send(place.line(), NEED)
    assert caught.value.seconds == 1.5
    with pytest.raises(Later, match="The answer was 502"):
        await DISCORD.send(place.line(), NEED)


async def test_address_is_in_no_error(place: Place) -> None:
    line = place.line()
    place.discord.fails = [(400, {"message": f"bad {line.to}"})]
    with pytest.raises(Refused) as caught:
        await DISCORD.send(line, NEED)
    assert str(caught.value) == "bad …"
