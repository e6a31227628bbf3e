"""ntfy as a channel: when buttons stand in a topic, how a message is replaced, and its errors."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from quart import Quart, request

from mission_control.channels.channel import Later, Line, Message, Refused
from mission_control.channels.providers.ntfy import NTFY
from tests.channels.fake_ntfy import FakeNtfy
from tests.channels.samples import DIGEST, ENDED, NEED, TOKENS, line_to
from tests.channels.serving import serving

ADDRESS = "https://mission.example.org/reach/in/ntfy"


class Place:
    """The provider, and a way to Ada's topic there."""

    def __init__(self, ntfy: FakeNtfy, url: str) -> None:
        self.ntfy, self.url = ntfy, url

    def line(self, *, answers_at: str = ADDRESS, **more: str) -> Line:
        settings = {"server": self.url, "topic": "mission-ada-9f2c", "access_token": self.ntfy.token, **more}
        return line_to("", answers_at=answers_at, **settings)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    ntfy = FakeNtfy()
    async with serving(ntfy.app) as url:
        yield Place(ntfy, url)


async def test_need_has_its_buttons_and_a_link(place: Place) -> None:
    await NTFY.send(place.line(), NEED)
    [message] = place.ntfy.messages
    assert message["topic"] == "mission-ada-9f2c" and message["title"] == NEED.title
    assert message["message"] == "\n".join(NEED.lines) and message["click"] == NEED.url and message["priority"] == 4
    assert place.ntfy.labels(0) == ["Open", "Approve", "Request changes"]
    assert NTFY.most_buttons == 2


async def test_press_brings_the_token(place: Place) -> None:
    got: list[str | None] = []
    ours = Quart("ours")

    @ours.post("/answers")
    async def take() -> str:
        got.append(request.headers.get("Authorization"))
        return ""

    async with serving(ours) as mine:
        await NTFY.send(place.line(answers_at=f"{mine}/answers"), NEED)
        assert await place.ntfy.press(0, "Request changes") == 200
    assert got == [f"Bearer {TOKENS[1]}"]


async def test_buttons_are_left_out_where_others_could_press(place: Place) -> None:
    await NTFY.send(place.line(answers_at=""), NEED)
    place.ntfy.is_open = True
    await NTFY.send(place.line(), NEED)
    await NTFY.send(place.line(access_token=""), NEED)
    assert [place.ntfy.labels(number) for number in range(3)] == [["Open"]] * 3
    assert all(TOKENS[0] not in json.dumps(one) for one in place.ntfy.messages)


async def test_edit_replaces_without_a_sound(place: Place) -> None:
    name = await NTFY.send(place.line(), NEED)
    await NTFY.edit(place.line(), name, ENDED)
    [shown] = place.ntfy.shown.values()
    assert shown["title"] == ENDED.title and shown["priority"] == 2
    assert place.ntfy.labels(1) == ["Open"]


async def test_message_sent_twice_is_shown_once(place: Place) -> None:
    await NTFY.send(place.line(), NEED)
    await NTFY.send(place.line(), NEED)
    await NTFY.send(place.line(), replace(DIGEST, lines=("Approve: deploy", "1 ended without you")))
    await NTFY.send(place.line(), Message("Mission Control reaches you here.", key="test-1"))
    assert len(place.ntfy.messages) == 4 and len(place.ntfy.shown) == 3
    assert place.ntfy.messages[2]["message"] == "Approve: deploy\n1 ended without you"


async def test_errors_keep_the_words_of_ntfy(place: Place) -> None:
    with pytest.raises(Refused, match="forbidden"):
        await NTFY.send(place.line(access_token=""), NEED)
    for topic in ("", "a b", "x/y", "x" * 65):
        with pytest.raises(Refused, match="A topic has up to 64 letters"):
            await NTFY.send(place.line(topic=topic), NEED)
    with pytest.raises(Refused, match="Type the server alone"):
        await NTFY.send(place.line(server=f"{place.url}/mission"), NEED)


async def test_trouble_of_ntfy_is_for_later(place: Place) -> None:
    for status, words in ((429, "too many requests"), (500, "internal server error")):
        place.ntfy.status = status
        with pytest.raises(Later, match=words):
            await NTFY.send(place.line(), NEED)


async def test_secrets_are_in_no_error(place: Place) -> None:
    ours = Quart("ours")

    @ours.post("/")
    async def publish() -> Any:
        return {"error": f"no tk_tests for {(await request.get_json())['topic']}"}, 403

    async with serving(ours) as url:
        with pytest.raises(Refused) as caught:
            await NTFY.send(place.line(server=url, answers_at=""), NEED)
    assert str(caught.value) == "no … for …"


async def test_check_says_who_else_reads(place: Place) -> None:
    assert await NTFY.check(place.line()) == "this topic"
    place.ntfy.is_open = True
    assert "anybody can read" in await NTFY.check(place.line())


def test_answers_need_a_token_and_an_address() -> None:
    assert NTFY.takes_answers(line_to("", access_token="tk_x", answers_at=ADDRESS))
    assert not NTFY.takes_answers(line_to("", access_token="tk_x"))
    assert not NTFY.takes_answers(line_to("", answers_at=ADDRESS))


def test_what_is_typed_is_read() -> None:
    typed = NTFY.typed({"server": "ntfy.example.org/", "topic": " ada-9f2c "})
    assert (typed.who, typed.address) == ("https://ntfy.example.org/ada-9f2c", "ada-9f2c")
    assert typed.label == "ntfy at ntfy.example.org" and NTFY.typed({"topic": "x"}).who == "https://ntfy.sh/x"
    wrong = ("https://ntfy.sh/mission", "ftp://ntfy.sh", "https://ada@ntfy.sh", "https://", "https://[", "x?y")
    for server in (*wrong, "javascript:alert(1)", "http://ntfy.sh:99999"):
        with pytest.raises(Refused, match="Type the server alone"):
            NTFY.typed({"server": server, "topic": "x"})
