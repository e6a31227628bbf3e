"""Mattermost as a channel: posts, presses that its server sends on, codes over its socket, and its errors."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from quart import Quart, request

from mission_control.channels.channel import (
    Gone,
    Incoming,
    Later,
    Line,
    Message,
    NotSigned,
    Press,
    Received,
    Refused,
    Said,
)
from mission_control.channels.providers.mattermost import MATTERMOST
from tests.channels.fake_mattermost import BOT, FakeMattermost
from tests.channels.samples import DIGEST, ENDED, NEED, TOKENS, line_to
from tests.channels.serving import serving

ADDRESS = "https://mission.example.org/reach/in/1"


class Place:
    """The provider, and a way to Ada there."""

    def __init__(self, mattermost: FakeMattermost, url: str) -> None:
        self.mattermost, self.url = mattermost, url

    def line(self, to: str = "dm-ada", *, answers_at: str = ADDRESS, **more: str) -> Line:
        settings = {"server": f"{self.url}/", "token": self.mattermost.token, **more}
        return line_to(to, answers_at=answers_at, **settings)

    def part(self, name: str) -> dict[str, object]:
        [part] = self.mattermost.posts[name]["props"]["attachments"]
        return dict(part)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    mattermost = FakeMattermost()
    async with serving(mattermost.app) as url:
        yield Place(mattermost, url)


async def test_need_has_its_buttons_and_a_link(place: Place) -> None:
    name = await MATTERMOST.send(place.line(), NEED)
    part = place.part(name)
    assert part["title"] == "Approve: deploy to production" and part["title_link"] == NEED.url
    assert place.mattermost.seen_by_users(name) == [
        {"id": "answer0", "name": "Approve"},
        {"id": "answer1", "name": "Request changes"},
    ]
    assert [one["style"] for one in place.mattermost.actions(name)] == ["good", "danger"]
    assert place.mattermost.posts[name]["channel_id"] == "dm-ada"


async def test_digest_links_what_waits(place: Place) -> None:
    name = await MATTERMOST.send(place.line(), DIGEST)
    assert "• [Approve: deploy](<https://mission.example.org/needs/1>) · Payments" in str(place.part(name)["text"])


async def test_edit_takes_the_buttons_away(place: Place) -> None:
    name = await MATTERMOST.send(place.line(), NEED)
    await MATTERMOST.edit(place.line(), name, ENDED)
    assert place.part(name)["title"] == "Approved by Ada at 17:04" and place.mattermost.actions(name) == []


async def test_press_is_read_and_answered_in_words(place: Place) -> None:
    got: list[Press] = []
    ours = Quart("ours")

    @ours.post("/press")
    async def take() -> Any:
        body = await request.get_data()
        assert isinstance(body, bytes)
        reception = await MATTERMOST.receive(place.line(), Incoming({}, body, 0.0))
        assert isinstance(reception.received, Press) and reception.answers_press
        got.append(reception.received)
        return MATTERMOST.in_answer("Approved. *Rook* goes on.")

    async with serving(ours) as mine:
        name = await MATTERMOST.send(place.line(answers_at=f"{mine}/press"), NEED)
        assert await place.mattermost.press(name, 0, "ada-id") == 200
    assert [(one.who, one.token) for one in got] == [("ada-id", TOKENS[0])]
    assert place.mattermost.seen == [("ada-id", r"Approved\.​ \*Rook\* goes on\.".replace("\u200b", ""))]


async def test_request_without_a_token_is_not_from_there(place: Place) -> None:
    for body in (b"", b"[]", b"{}", b'{"user_id": "u"}', b'{"user_id": "", "context": {"token": "t"}}', b"[" * 100_000):
        with pytest.raises(NotSigned):
            await MATTERMOST.receive(place.line(), Incoming({}, body, 0.0))
    with pytest.raises(NotSigned):
        sent = {"user_id": "u", "context": {"token": 5}}
        await MATTERMOST.receive(place.line(), Incoming({}, json.dumps(sent).encode(), 0.0))


async def test_codes_come_over_the_socket(place: Place) -> None:
    got: asyncio.Queue[Received | None] = asyncio.Queue()

    async def receives(received: Received | None, position: str) -> None:
        await got.put(received)

    listening = asyncio.create_task(MATTERMOST.listen(place.line(), "", receives))
    async with asyncio.timeout(20):
        await place.mattermost.connected.wait()
        await place.mattermost.say("grace-id", "ABCD", kind="O")
        await place.mattermost.say(BOT, "my own words")
        await place.mattermost.say("ada-id", "`MC-ABCD-EFGH-2345`")
        assert await got.get() == Said("ada-id", "MC-ABCD-EFGH-2345", "@ada", "dm-ada-id")
        await place.mattermost.close_sockets()
        await listening


async def test_socket_of_a_wrong_token_is_refused(place: Place) -> None:
    async def receives(received: Received | None, position: str) -> None: ...

    with pytest.raises(Refused, match="Invalid or expired session"):
        await MATTERMOST.listen(place.line(token="wrong"), "", receives)


async def test_errors_keep_the_words_of_mattermost(place: Place) -> None:
    with pytest.raises(Refused, match="Invalid or expired session, please login again"):
        await MATTERMOST.send(place.line(token="wrong"), NEED)
    with pytest.raises(Gone, match="You do not have the appropriate permissions"):
        await MATTERMOST.send(place.line("gone"), NEED)
    with pytest.raises(Refused, match="Unable to get the post") as caught:
        await MATTERMOST.edit(place.line(), "none", NEED)
    assert type(caught.value) is Refused


async def test_trouble_of_mattermost_is_for_later(place: Place) -> None:
    for status in (429, 500, 503):
        place.mattermost.status = status
        with pytest.raises(Later, match="The server has trouble"):
            await MATTERMOST.send(place.line(), NEED)


async def test_other_server_is_named(place: Place) -> None:
    ours = Quart("ours")

    @ours.route("/<path:path>", methods=["GET", "POST"])
    async def page(path: str) -> str:
        return "<html>Hello</html>"

    async with serving(ours) as url:
        with pytest.raises(Refused, match="no Mattermost answers"):
            await MATTERMOST.check(place.line(server=url))


async def test_check_names_the_bot(place: Place) -> None:
    assert await MATTERMOST.check(place.line()) == "@mission-control"


def test_answers_need_an_address_of_ours() -> None:
    assert MATTERMOST.takes_answers(line_to("dm", answers_at=ADDRESS))
    assert not MATTERMOST.takes_answers(line_to("dm"))


async def test_plain_message_is_taken(place: Place) -> None:
    await MATTERMOST.send(place.line(), Message("Mission Control reaches you here."))
    await MATTERMOST.tell(place.line(), "You are @linked.")
    assert place.mattermost.posts["post2"]["message"] == "You are @\u200blinked\\."
