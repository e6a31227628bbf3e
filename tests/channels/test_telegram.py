"""Telegram as a channel: what it is sent, what is polled, and what its errors mean."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from mission_control.channels.channel import Gone, Later, Line, Message, Press, Received, Refused, Said
from mission_control.channels.providers.telegram import TELEGRAM
from tests.channels.fake_telegram import FakeTelegram
from tests.channels.samples import DIGEST, ENDED, NEED, TOKENS, line_to
from tests.channels.serving import serving

ADA = 77


class Place:
    """The provider, and a way to Ada there."""

    def __init__(self, telegram: FakeTelegram, url: str) -> None:
        self.telegram, self.url = telegram, url

    def line(self, to: str = str(ADA), token: str = "") -> Line:
        return line_to(to, api=self.url, token=token or self.telegram.token)

    async def sent(self, message: Message = NEED, to: str = str(ADA)) -> tuple[str, tuple[str, int]]:
        name = await TELEGRAM.send(self.line(to), message)
        chat, _, number = name.partition("/")
        return name, (chat, int(number))


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    telegram = FakeTelegram()
    async with serving(telegram.app) as url:
        yield Place(telegram, url)


class Listening:
    """Somebody who polls, and what came."""

    def __init__(self, line: Line, position: str = "") -> None:
        self.got: asyncio.Queue[Received | None] = asyncio.Queue()
        self.positions: list[str] = [position]
        self.task = asyncio.create_task(TELEGRAM.listen(line, position, self._receives))

    async def _receives(self, received: Received | None, position: str) -> None:
        self.positions.append(position)
        await self.got.put(received)

    async def next(self) -> Received | None:
        async with asyncio.timeout(20):
            return await self.got.get()

    async def stop(self) -> str:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        return self.positions[-1]


async def test_need_has_its_buttons_and_a_link(place: Place) -> None:
    _, key = await place.sent()
    message = place.telegram.messages[key]
    assert message["text"].startswith("<b>Approve: deploy to production</b>\nPayments. Rook asks")
    assert message["disable_notification"] is False and message["link_preview_options"] == {"is_disabled": True}
    assert place.telegram.buttons(key) == [
        {"text": "Approve", "callback_data": TOKENS[0]},
        {"text": "Request changes", "callback_data": TOKENS[1]},
        {"text": "Open", "url": NEED.url},
    ]


async def test_address_without_a_dot_is_text_and_no_button(place: Place) -> None:
    _, key = await place.sent(replace(NEED, url="http://localhost:8000/reach/1"))
    assert [one["text"] for one in place.telegram.buttons(key)] == ["Approve", "Request changes"]
    assert place.telegram.messages[key]["text"].endswith("\nhttp://localhost:8000/reach/1")


async def test_digest_links_what_waits(place: Place) -> None:
    _, key = await place.sent(DIGEST)
    text = place.telegram.messages[key]["text"]
    assert (
        '<b>Waiting for you</b>\n• <a href="https://mission.example.org/needs/1">Approve: deploy</a> · Payments' in text
    )


async def test_edit_takes_the_buttons_away_and_twice_is_fine(place: Place) -> None:
    name, key = await place.sent()
    for _ in range(2):
        await TELEGRAM.edit(place.line(), name, ENDED)
    assert "<b>Approved by Ada at 17:04</b>" in place.telegram.messages[key]["text"]
    assert [one["text"] for one in place.telegram.buttons(key)] == ["Open"]


async def test_press_is_polled_and_its_spinner_ends(place: Place) -> None:
    _, key = await place.sent()
    listening = Listening(place.line())
    await place.telegram.polled.wait()
    query = place.telegram.press(key, 0, ADA)
    press = await listening.next()
    await listening.stop()
    assert press == Press(str(ADA), TOKENS[0], {"id": query})
    await TELEGRAM.acknowledge(place.line(), press, "Approved. " + "Rook goes on. " * 30)
    assert place.telegram.answered[query]["text"].startswith("Approved. Rook goes on.")


async def test_codes_count_in_private_only(place: Place) -> None:
    place.telegram.say(ADA, "/start ABCD-EFGH")
    place.telegram.say(78, "ABCD-EFGH", chat=-5)
    place.telegram.say(79, " ABCD ")
    listening = Listening(place.line())
    got = [await listening.next() for _ in range(3)]
    await listening.stop()
    assert got == [Said("77", "ABCD-EFGH", "Ada (@ada77)", "77"), None, Said("79", "ABCD", "Ada (@ada79)", "79")]


async def test_polling_goes_on_where_it_was(place: Place) -> None:
    place.telegram.say(ADA, "first")
    listening = Listening(place.line())
    await listening.next()
    position = await listening.stop()
    place.telegram.say(ADA, "second")
    again = Listening(place.line(), position)
    said = await again.next()
    await again.stop()
    assert isinstance(said, Said) and said.text == "second"


async def test_press_in_a_group_names_who_pressed(place: Place) -> None:
    _, key = await place.sent(to="-100200")
    listening = Listening(place.line())
    place.telegram.press(key, 1, 78)
    press = await listening.next()
    await listening.stop()
    assert isinstance(press, Press) and (press.who, press.token) == ("78", TOKENS[1])


async def test_group_that_became_a_supergroup_is_followed(place: Place) -> None:
    place.telegram.moved = {"-5": "-1005"}
    name, key = await place.sent(to="-5")
    assert key[0] == "-1005" and key in place.telegram.messages
    await TELEGRAM.edit(place.line("-5"), name, ENDED)
    assert "Approved by Ada" in place.telegram.messages[key]["text"]


async def test_second_poller_ends_the_first_for_later(place: Place) -> None:
    first = Listening(place.line())
    await place.telegram.polled.wait()
    second = Listening(place.line())
    async with asyncio.timeout(20):
        with pytest.raises(Later, match="terminated by other getUpdates"):
            await first.task
    await second.stop()


async def test_webhook_of_somebody_else_is_refused(place: Place) -> None:
    place.telegram.has_webhook = True
    with pytest.raises(Refused, match="webhook is active"):
        await Listening(place.line()).task


@pytest.mark.parametrize(("fault", "kind"), [
    ((403, "Forbidden: bot was blocked by the user", None), Gone),
    ((403, "Forbidden: user is deactivated", None), Gone),
    ((400, "Bad Request: chat not found", None), Gone),
    ((403, "Forbidden: bot was kicked from the supergroup chat", None), Gone),
    ((400, "Bad Request: BUTTON_DATA_INVALID", None), Refused),
    ((401, "Unauthorized", None), Refused),
])  # fmt: skip
async def test_errors_keep_the_words_of_telegram(
    place: Place, fault: tuple[int, str, int | None], kind: type[Refused]
) -> None:
    place.telegram.fails = [fault]
    with pytest.raises(Refused) as caught:
        await TELEGRAM.send(place.line(), NEED)
    assert type(caught.value) is kind and str(caught.value) == fault[1]


async def test_trouble_of_telegram_is_for_later(place: Place) -> None:
    place.telegram.fails = [(429, "Too Many Requests: retry after 9", 9)]
    with pytest.raises(Later, match="retry after 9") as caught:
        await TELEGRAM.send(place.line(), NEED)
    assert caught.value.seconds == 9
    place.telegram.is_down = True
    with pytest.raises(Later, match="The answer was 502"):
        await TELEGRAM.send(place.line(), NEED)


async def test_forgotten_press_is_no_error(place: Place) -> None:
    words = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    place.telegram.fails = [(400, words, None)]
    await TELEGRAM.acknowledge(place.line(), Press("77", "t", {"id": "q1"}), "Approved.")


async def test_token_is_in_no_error(place: Place) -> None:
    place.telegram.fails = [(400, f"Bad Request: /bot{place.telegram.token}/sendMessage", None)]
    with pytest.raises(Refused) as caught:
        await TELEGRAM.send(place.line(), NEED)
    assert str(caught.value) == "Bad Request: /bot…/sendMessage"


async def test_check_names_the_bot(place: Place) -> None:
    assert await TELEGRAM.check(place.line()) == "@tests_bot"
    with pytest.raises(Refused, match="Unauthorized"):
        await TELEGRAM.check(place.line(token="1:wrong"))
    place.telegram.fails = [(404, "Not Found", None), (404, "Gone", None)]  # a token of another form; something else
    for words in (r"Not Found\. Copy the bot token again\.", "Gone"):
        with pytest.raises(Refused, match=f"^{words}$"):
            await TELEGRAM.check(place.line())


async def test_person_is_told_in_private(place: Place) -> None:
    await TELEGRAM.tell(place.line(), "You are <linked>.")
    [message] = place.telegram.messages.values()
    assert message["text"] == "You are <linked>." and "parse_mode" not in message


def test_code_is_sent_by_a_line_or_a_link() -> None:
    assert TELEGRAM.code_line("MC-1234-ABCD") == "/start MC-1234-ABCD"
    assert TELEGRAM.code_link({"known_as": "@tests_bot"}, "MC-1234") == "https://t.me/tests_bot?start=MC-1234"
    for bot in ("", "a/../evil", "evil?x="):
        assert TELEGRAM.code_link({"known_as": bot}, "MC-1234") == ""
