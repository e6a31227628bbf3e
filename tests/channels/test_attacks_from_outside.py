"""What strangers try: links that are fetched, junk and forgeries for our addresses, secrets that are echoed."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from quart import Quart, request

from mission_control.channels.answers import presses, receiving
from mission_control.channels.channel import CHANNELS, Channel, Client, Later, Refused
from mission_control.channels.devices.codes import TOO_MANY
from mission_control.channels.models import ReachChannel, ReachMessage, ReachSettings
from mission_control.core.limits import FailureLimit
from mission_control.events.models import Event
from mission_control.http.request_log import without_secret
from tests.cast import Cast
from tests.channels.conftest import After
from tests.channels.fake_channel import Chat
from tests.channels.samples import CHATS, NEED, each_chat
from tests.channels.serving import serving
from tests.channels.test_core import asked
from tests.channels.test_hostile import line_of
from tests.channels.test_mail_end_to_end import later, post, sent_to, text_of
from tests.visitor import Visitor, visitor

__all__ = ["post"]

JUNK = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"payload=",
    b"payload=%7B%7D",
    b"payload=[]",
    b'{"type":"url_verification","challenge":1}',
    b'{"type":"event_callback","event":{"type":"message"}}',
    b'{"type":3,"data":{}}',
    b'{"context":{"token":1},"user_id":null}',
    b'{"callback_query":{"data":"x"}}',
    'payload={"a":"ü\ud83d"}'.encode("utf-8", "replace"),
    b"\xff\xfe\x00",
    b"[" * 50_000,
]


async def test_links_of_a_mail_answer_nothing_however_often_they_are_fetched(cast: Cast, post: Any) -> None:
    await asked(cast)
    await later(minutes=11)
    links = set(re.findall(r"https://mission\.example\.org(\S+)", text_of(sent_to(post, cast.ada)[0])))
    assert len(links) == 3  # the message, the settings, the end of mail
    before = await Event.all().count()
    ada = await visitor(cast.app, cast.ada)
    for link in links:
        for browser in (Visitor(cast.app), ada):
            for _ in range(2):
                assert (await browser.get(link)).status in (200, 303)
    assert await Event.all().count() == before
    assert (await cast.ada.get("/needs?kind=approval")).ok()["total"] == 1
    assert not await ReachSettings.filter(mail=False).exists()


@pytest.mark.parametrize("kind", sorted(CHANNELS))
async def test_junk_for_the_address_of_a_channel_does_nothing(cast: Cast, kind: str) -> None:
    row = await ReachChannel.create(organization_id=cast.organization.id, kind=kind, name="x")
    nobody = cast.app.test_client(use_cookies=False)
    before = await Event.all().count()
    for body in JUNK:
        for content_type in ("application/json", "application/x-www-form-urlencoded"):
            signed = {
                "Content-Type": content_type,
                "X-Slack-Request-Timestamp": "nan",
                "X-Slack-Signature": "v0=" + "0" * 64,
                "X-Signature-Ed25519": "zz",
                "X-Signature-Timestamp": "1",
                "X-Telegram-Bot-Api-Secret-Token": "",
            }
            answer = await nobody.post(f"/reach/in/{row.id}", data=body, headers=signed)
            assert answer.status_code == 401, (body[:40], content_type)
    assert (await nobody.get(f"/reach/in/{row.id}")).status_code == 405
    assert await Event.all().count() == before


async def test_address_of_a_channel_that_is_none_or_off_takes_nothing(cast: Cast) -> None:
    off = await ReachChannel.create(organization_id=cast.organization.id, kind="slack", name="x", state="off")
    gone = await ReachChannel.create(organization_id=cast.organization.id, kind="no-such-kind", name="x")
    nobody = cast.app.test_client(use_cookies=False)
    for id in (off.id, gone.id, uuid4()):
        assert (await nobody.post(f"/reach/in/{id}", data=b"{}")).status_code == 404


async def test_too_long_a_request_of_a_provider_is_not_read(cast: Cast) -> None:
    row = await ReachChannel.create(organization_id=cast.organization.id, kind="slack", name="x")
    answer = await cast.app.test_client(use_cookies=False).post(
        f"/reach/in/{row.id}", data=b"x" * (receiving.MOST_BYTES + 1)
    )
    assert answer.status_code == 413


async def test_invented_tokens_of_one_address_hold_up_no_other(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presses, "_presses", FailureLimit(presses.PRESSES, 60.0))
    at = iter(["192.0.2.1"] * 70 + ["192.0.2.2"])
    monkeypatch.setattr(receiving, "client_ip", lambda: next(at))
    nobody = cast.app.test_client(use_cookies=False)

    async def words() -> str:
        answer = await nobody.post("/reach/pressed", headers={"Authorization": "Bearer " + "x" * 22 + ".0." + "y" * 20})
        assert answer.status_code == 409
        return str((await answer.get_json())["message"])

    said = [await words() for _ in range(71)]
    assert said[:60] == [presses.NOT_VALID] * 60 and said[60:70] == [TOO_MANY] * 10
    assert said[70] == presses.NOT_VALID


async def test_presses_in_the_name_of_somebody_hold_up_nobody(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mattermost signs nothing: before the token is one of ours, everybody can say that they are Ada."""
    monkeypatch.setattr(presses, "_presses", FailureLimit(presses.PRESSES, 60.0))
    row = await ReachChannel.create(organization_id=cast.organization.id, kind="mattermost", name="x")
    nobody = cast.app.test_client(use_cookies=False)
    forged = {"user_id": "ada-id", "context": {"token": "x" * 22 + ".0." + "y" * 20}}
    for _ in range(presses.PRESSES + 1):
        answer = await nobody.post(f"/reach/in/{row.id}", json=forged)
        assert "no longer valid" in (await answer.get_json())["ephemeral_text"]
    assert not presses._presses.failures(f"{row.id} ada-id")


async def test_presses_of_an_account_are_limited_where_the_token_is_the_proof(
    cast: Cast, chat: Chat, after: After, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presses, "_presses", FailureLimit(2, 60.0))
    await chat.link(cast.ada.id, "ada")
    await asked(cast)
    await after(25)
    token = chat.channel.messages("ada")[-1].buttons[0].token
    words = [
        (await presses.press(token, kind="fake", who="eve", channel_id=chat.row.id, is_vouched=False)).words
        for _ in range(3)
    ]
    assert words == [presses.NOT_YOURS] * 2 + [TOO_MANY]


@pytest.mark.parametrize("sent", [{}, {"Authorization": "Basic x"}, {"Authorization": "Bearer"}, {"Authorization": ""}])
async def test_press_without_a_token_answers_nothing(cast: Cast, sent: dict[str, str]) -> None:
    answer = await cast.app.test_client(use_cookies=False).post("/reach/pressed", headers=sent)
    assert answer.status_code == 409 and not (await answer.get_json())["is_given"]


async def test_token_that_was_sent_to_another_place_counts_in_no_other_way(
    cast: Cast, chat: Chat, after: After
) -> None:
    """The button of a chat is nothing in a topic, in a session, or in an agent's hand."""
    await chat.link(cast.ada.id, "ada")
    approval = await asked(cast)
    await after(25)
    token = chat.channel.messages("ada")[-1].buttons[0].token
    nobody = cast.app.test_client(use_cookies=False)
    assert (await nobody.post("/reach/pressed", headers={"Authorization": f"Bearer {token}"})).status_code == 409
    for person in (cast.ada, cast.ben, cast.eve):
        assert not (await person.post("/reach/answers", {"token": token})).ok()["is_given"]
    assert (await cast.vega.post("/reach/answers", {"token": token})).status in (401, 403)
    assert (await nobody.post("/api/v1/reach/answers", json={"token": token})).status_code == 401
    found = (await cast.ada.get(f"{cast.home}/approvals/{approval['id']}")).ok()
    assert found["status"] == "pending"


async def test_page_of_another_site_gives_no_answer_with_a_session(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    await asked(cast)
    await after(25)
    await ReachMessage.all().update(kind="push")
    ada = await visitor(cast.app, cast.ada)
    token = chat.channel.messages("ada")[-1].buttons[0].token
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
        answer = await cast.app.test_client(use_cookies=False).post(
            "/api/v1/reach/answers",
            json={"token": token},
            headers={"Cookie": f"mission_control={ada.cookie}", **headers},
        )
        assert answer.status_code == 403, headers
    assert (await cast.ada.get("/needs?kind=approval")).ok()["total"] == 1


@pytest.fixture
async def echo() -> AsyncIterator[tuple[str, dict[str, int]]]:
    """A provider that repeats everything it was sent, as an error of a status that a test chooses."""
    app, status = Quart("echo"), {"now": 400}

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    @app.route("/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def anything(path: str) -> Any:
        sent: bytes = await request.get_data(False, False, False)
        said = f"Cannot {request.method} {request.full_path} {request.url} {dict(request.headers)} {sent.decode()}"
        shown = {
            "ok": False, "error": said, "description": said, "message": said, "detailed_error": said,
            "error_code": status["now"],
        }  # fmt: skip
        return shown, status["now"]

    async with serving(app) as url:
        yield url, status


SECRETS = ("xoxb-tests", "tests-token", "bot-token", "tk_tests", "good-secret")


@each_chat
async def test_secrets_that_a_provider_repeats_are_in_no_error(
    channel: Channel, echo: tuple[str, dict[str, int]]
) -> None:
    url, status = echo
    line = line_of(channel, url)
    for status["now"] in (200, 400, 401, 403, 404, 429, 500):
        for checks in (False, True):
            try:
                await (channel.check(line) if checks else channel.send(line, NEED))
            except (Refused, Later) as error:
                assert not [one for one in SECRETS if one in str(error)], (status["now"], str(error))


@each_chat
async def test_secrets_are_in_no_error_when_nobody_answers(channel: Channel) -> None:
    line = line_of(channel, "http://127.0.0.1:1")
    assert isinstance(line.request, Client)
    with pytest.raises((Refused, Later)) as error:
        await channel.send(line, NEED)
    assert not [one for one in SECRETS if one in str(error.value)]


def test_secrets_in_addresses_are_in_no_log() -> None:
    assert without_secret("/reach/off/AaIpDBZc") == "/reach/off/..."


def test_samples_hold_what_is_looked_for() -> None:
    """Each line has a secret, so that the tests above can fail."""
    for channel in CHATS:
        line = line_of(channel, "http://127.0.0.1:1")
        assert any(one in json.dumps([dict(line.settings), line.to]) for one in SECRETS), channel.kind
