"""What providers answer that none should: nothing breaks, is asked in haste, or is stored as it is."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

import pytest
from quart import Quart, Response

from mission_control.channels.answers.presses import OVER, WRITE, press, take_words
from mission_control.channels.channel import Channel, Later, Line, Message, Received, Refused, Said
from mission_control.channels.models import ReachMessage
from mission_control.channels.providers.slack import SLACK
from mission_control.channels.providers.telegram import TELEGRAM
from mission_control.core import times
from tests.cast import Cast
from tests.channels import one_channel
from tests.channels.conftest import After
from tests.channels.fake_channel import Chat
from tests.channels.samples import NEED, each_chat, line_to
from tests.channels.serving import serving
from tests.channels.test_core import asked
from tests.channels.test_hostile import line_of

NAME = "\u202ebot\x00\ud800" + "x" * 1000
BODIES = {
    "deep": (200, b"[" * 200_000),
    "deep objects": (429, b'{"a":' * 100_000),
    "long number": (429, b'{"retry_after":%b,"parameters":{"retry_after":%b}}' % (b"9" * 400, b"9" * 400)),
    "no number": (429, b'{"retry_after":NaN,"parameters":{"retry_after":-5}}'),
    "infinite": (429, b'{"retry_after":Infinity,"parameters":[]}'),
    "other shapes": (400, b'{"error":["x"],"message":{"a":1},"description":[1],"parameters":[1]}'),
    "half of a character": (400, b'{"error":"\\ud800\\u0000","message":"\\ud800","description":"\\ud800"}'),
    "a page": (200, b"<html>Welcome</html>"),
    "too much": (200, b"x" * 2_000_000),
}


def answering(status: int, body: bytes) -> Quart:
    """A provider that answers everything alike."""
    app = Quart("odd")

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST", "PATCH"])
    @app.route("/<path:path>", methods=["GET", "POST", "PUT", "PATCH"])
    async def anything(path: str) -> Response:
        headers = {"Retry-After": "-1", "Location": "/"}
        return Response(body, status, headers=headers, content_type="application/json")

    return app


@pytest.mark.parametrize("case", BODIES)
@each_chat
async def test_odd_answer_is_a_refusal_or_for_later(channel: Channel, case: str) -> None:
    async with serving(answering(*BODIES[case])) as url:
        line = line_of(channel, url)
        for asking in (channel.check(line), channel.send(line, NEED), channel.edit(line, "a/1", NEED)):
            with contextlib.suppress(Refused):
                try:
                    await asking
                except Later as error:
                    assert error.seconds is None or 0 <= error.seconds <= 86_400


@pytest.mark.database
async def test_name_of_a_message_that_no_database_takes_sends_nothing_twice(
    cast: Cast, chat: Chat, after: After, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = list[Message]()

    async def send(line: Line, message: Message) -> str:
        sent.append(message)
        return NAME

    monkeypatch.setattr(chat.channel, "send", send)
    await chat.link(cast.ada.id, "ada")
    await asked(cast)
    await after(25)
    await after(300)
    [message] = await ReachMessage.all()
    assert len(sent) == 1 and message.state == "sent" and str(message.provider_name).startswith("botx")


@pytest.mark.database
async def test_name_of_a_bot_is_a_short_text(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with one_channel.a_chat() as chat:

        async def check(line: Line) -> str:
            return NAME

        monkeypatch.setattr(chat, "check", check)
        await one_channel.set_up(cast)
        [row] = (await cast.cleo.get("/organizations/me/channels")).ok()["items"]
        assert row["known_as"].startswith("botx") and len(row["known_as"]) == 200


async def test_provider_that_answers_polls_at_once_is_not_asked_in_haste() -> None:
    polls = 0
    app = Quart("hasty")

    @app.post("/bot<token>/getUpdates")
    async def nothing(token: str) -> Any:
        nonlocal polls
        polls += 1
        return {"ok": True, "result": []}

    async def receives(received: Received | None, position: str) -> None: ...

    async with serving(app) as url:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.8):
                await TELEGRAM.listen(line_to("1", api=url, token="1:x"), "", receives)
    assert polls == 1


async def test_socket_that_is_ended_at_once_is_not_opened_in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = 0

    async def ended(line: Line, receives: object) -> bool:
        nonlocal opened
        opened += 1
        await asyncio.sleep(0)
        return True

    monkeypatch.setattr(SLACK, "_listen", ended)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.8):
            await SLACK.listen(line_to("1"), "", lambda *_: asyncio.sleep(0))
    assert opened == 1


@pytest.mark.database
async def test_words_after_the_time_of_a_message_answer_nothing(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    approval = await asked(cast)
    await after(25)
    token = next(
        one.token for one in chat.channel.messages("ada")[-1].buttons if one.label.startswith("Request changes")
    )
    assert (await press(token, kind="fake", who="ada", channel_id=chat.row.id)).words == WRITE
    await ReachMessage.all().update(expires_at=times.clock_now() - timedelta(seconds=1))
    assert await take_words(chat.row, Said("ada", "Wait for the tests.")) == OVER
    found = (await cast.ada.get(f"{cast.home}/approvals/{approval['id']}")).ok()
    assert found["status"] == "pending"
