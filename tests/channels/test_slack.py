"""Slack as a channel: what it is sent, what it sends us, and what its errors mean."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

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
from mission_control.channels.providers.slack import SLACK, is_signed
from tests.channels.fake_slack import FakeSlack
from tests.channels.plays import until
from tests.channels.samples import DIGEST, ENDED, NEED, TOKENS, line_to
from tests.channels.serving import serving

NOW = 1_700_000_000.0


class Place:
    """The provider, and a way to Ada there."""

    def __init__(self, slack: FakeSlack, url: str) -> None:
        self.slack, self.url = slack, url

    def line(self, to: str = "DADA", **more: str) -> Line:
        settings = {"api": f"{self.url}/api", "token": self.slack.bot_token, **more}
        return line_to(to, answers_at="https://mission.example.org/reach/in/1", **settings)

    async def sent(self, message: Message = NEED) -> tuple[str, tuple[str, str]]:
        name = await SLACK.send(self.line(), message)
        channel, _, ts = name.partition("/")
        return name, (channel, ts)

    def incoming(self, body: str, *, at: float = NOW, now: float = NOW) -> Incoming:
        return Incoming(self.slack.signed(body, at), body.encode(), now)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    slack = FakeSlack()
    async with serving(slack.app) as url:
        yield Place(slack, url)


def signing(place: Place) -> Line:
    return place.line(signing_secret=place.slack.signing_secret)


def socket_line(place: Place) -> Line:
    return place.line(app_token=place.slack.app_token)


async def test_need_has_its_buttons_and_a_link(place: Place) -> None:
    _, key = await place.sent()
    message = place.slack.messages[key]
    assert message["text"] == NEED.title and message["unfurl_links"] is False
    [header, section, _] = message["blocks"]
    assert header["text"]["text"] == NEED.title
    assert section["text"]["text"] == "\n".join(NEED.lines)
    buttons = place.slack.buttons(key)
    assert [(one["text"]["text"], one.get("value"), one.get("style"), one.get("url")) for one in buttons] == [
        ("Approve", TOKENS[0], "primary", None),
        ("Request changes", TOKENS[1], "danger", None),
        ("Open", None, None, NEED.url),
    ]


async def test_message_without_lines_and_digest_are_taken(place: Place) -> None:
    await place.sent(Message("Mission Control reaches you here."))
    _, key = await place.sent(DIGEST)
    text = place.slack.messages[key]["blocks"][1]["text"]["text"]
    assert text == (
        "Waiting for you\n• Approve: deploy · Payments\n• Which?\n\nEnded without you\n"
        "• Approve: rename · approved by Grace"
    )


async def test_edit_takes_the_buttons_away(place: Place) -> None:
    name, key = await place.sent()
    await SLACK.edit(place.line(), name, ENDED)
    assert place.slack.messages[key]["blocks"][0]["text"]["text"] == ENDED.title
    assert [one["text"]["text"] for one in place.slack.buttons(key)] == ["Open"]
    assert len(place.slack.messages) == 1


async def test_signed_press_is_read_and_acknowledged_in_private(place: Place) -> None:
    _, key = await place.sent()
    payload = place.slack.press(place.url, key, 0, "UADA")
    reception = await SLACK.receive(signing(place), place.incoming(FakeSlack.form(payload)))
    assert isinstance(reception.received, Press) and reception.answer is None
    assert (reception.received.who, reception.received.token) == ("T1/UADA", TOKENS[0])
    await SLACK.acknowledge(signing(place), reception.received, "Link your account <here>.")
    [said] = place.slack.responses
    assert said["response_type"] == "ephemeral" and said["replace_original"] is False
    assert said["text"] == "Link your account &lt;here&gt;."


async def test_press_on_the_link_is_nothing(place: Place) -> None:
    _, key = await place.sent()
    body = FakeSlack.form(place.slack.press(place.url, key, 2, "UADA"))
    assert (await SLACK.receive(signing(place), place.incoming(body))).received is None


async def test_what_is_not_signed_is_refused(place: Place) -> None:
    _, key = await place.sent()
    body = FakeSlack.form(place.slack.press(place.url, key, 0, "UADA"))
    good = place.incoming(body)
    wrong = {
        "altered": replace(good, body=good.body + b"x"),
        "old": place.incoming(body, at=NOW - 301),
        "of the future": place.incoming(body, at=NOW + 301),
        "replayed later": replace(good, now=NOW + 301),
        "without a time": replace(good, headers={"X-Slack-Signature": good.headers["X-Slack-Signature"]}),
        "with a time that is no number": replace(good, headers={**good.headers, "X-Slack-Request-Timestamp": "soon"}),
        "with another digit": replace(
            good, headers={**good.headers, "X-Slack-Request-Timestamp": "\u0661\u0667" + 8 * "\u0660"}
        ),
        "without a signature": replace(good, headers={**good.headers, "X-Slack-Signature": ""}),
        "with odd letters": replace(good, headers={**good.headers, "X-Slack-Signature": "v0=é"}),
    }
    for case, incoming in wrong.items():
        with pytest.raises(NotSigned):
            await SLACK.receive(signing(place), incoming)
            raise AssertionError(case)
    with pytest.raises(NotSigned):
        await SLACK.receive(place.line(signing_secret="another"), good)
    with pytest.raises(NotSigned):
        await SLACK.receive(place.line(), good)
    place.slack.signing_secret = ""  # a channel of a socket has none, and everybody can sign with that
    with pytest.raises(NotSigned):
        await SLACK.receive(place.line(), place.incoming(body))


def test_signature_is_that_of_the_documented_example() -> None:
    body = (
        "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "X-Slack-Request-Timestamp": "1531420618",
        "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }
    incoming = Incoming(headers, body.encode(), 1531420618.0)
    assert is_signed("8f742231b10e8888abcd99yyyzzz85a5", incoming)


async def test_signed_nonsense_is_not_read(place: Place) -> None:
    for body in ("", "payload=", "payload=%7B", "{", "[" * 100_000):
        with pytest.raises(NotSigned):
            await SLACK.receive(signing(place), place.incoming(body))
    nonsense: list[Any] = [
        [],
        {"type": "block_actions"},
        {"type": "block_actions", "user": {"id": "U"}, "actions": [{}]},
    ]
    for sent in nonsense:
        assert (await SLACK.receive(signing(place), place.incoming(FakeSlack.form(sent)))).received is None


async def test_address_is_verified(place: Place) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw", "token": "x"})
    assert (await SLACK.receive(signing(place), place.incoming(body))).answer == {"challenge": "3eZbrw"}


async def test_long_text_is_divided_between_its_lines(place: Place) -> None:
    lines = [f"    print({number}, '{'x' * 90}')" for number in range(40)]
    for text in ("\n".join(lines), "\n" * 1_499 + "    return", "y" * 4_000):
        await SLACK.send(place.line(), replace(NEED, lines=(text,)))
        blocks = list(place.slack.messages.values())[-1]["blocks"]
        shown = [one["text"]["text"] for one in blocks if one["type"] == "section"]
        assert max(map(len, shown)) <= 1_500
        assert ("" if text[0] == "y" else "\n").join(shown).strip("\n") == text.strip("\n")


async def test_code_in_private_is_read_and_the_name_is_asked_for_afterwards(place: Place) -> None:
    body = json.dumps(FakeSlack.said("UADA", " `mc-ABCD-EFGH-2345` "))
    received = (await SLACK.receive(signing(place), place.incoming(body))).received
    assert received == Said("T1/UADA", "mc-ABCD-EFGH-2345", to="DUADA")
    assert place.slack.calls == []  # Slack wants its answer within three seconds
    assert await SLACK.name_of(place.line(), received) == "UADA Lovelace"


@pytest.mark.parametrize(("sent", "text"), [
    ('Name it "main"', None),
    ("`rm` &lt;b&gt; &amp; *bold*", "`rm` <b> & *bold*"),
    ("see <https://example.org/a?b=1&amp;c=2|example.org>, <mailto:ada@example.org|ada@example.org>",
     "see https://example.org/a?b=1&c=2, ada@example.org"),
    ("<@U1> in <#C1|general> \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f468\u200d\U0001f469", None),
    ("a\x00b\x1bc\nd", "abc\nd"),
])  # fmt: skip
async def test_words_of_people_stay_as_they_wrote_them(place: Place, sent: str, text: str | None) -> None:
    received = (await SLACK.receive(signing(place), place.incoming(json.dumps(FakeSlack.said("UADA", sent))))).received
    assert isinstance(received, Said) and received.text == (text or sent)


async def test_words_elsewhere_and_of_bots_are_ignored(place: Place) -> None:
    for more in ({"channel_type": "channel"}, {"bot_id": "B1"}, {"subtype": "message_changed"}):
        body = json.dumps(FakeSlack.said("UADA", "ABCD", **more))
        assert (await SLACK.receive(signing(place), place.incoming(body))).received is None


async def test_person_without_a_readable_name_goes_by_id(place: Place) -> None:
    place.slack.fails = ["missing_scope"]
    received = (await SLACK.receive(signing(place), place.incoming(json.dumps(FakeSlack.said("UADA", "AB"))))).received
    assert isinstance(received, Said) and await SLACK.name_of(place.line(), received) == "UADA"


async def test_presses_and_codes_come_over_the_socket(place: Place) -> None:
    _, key = await place.sent()
    got: asyncio.Queue[Received | None] = asyncio.Queue()

    async def receives(received: Received | None, position: str) -> None:
        await got.put(received)

    listening = asyncio.create_task(SLACK.listen(socket_line(place), "", receives))
    async with asyncio.timeout(20):
        await place.slack.connected.wait()
        envelope = await place.slack.by_socket("interactive", place.slack.press(place.url, key, 1, "UADA"))
        press = await got.get()
        await place.slack.by_socket("events_api", FakeSlack.said("UADA", "ABCD-EFGH"))
        said = await got.get()
        await place.slack.disconnect()
        await until(lambda: place.slack.calls.count("apps.connections.open") == 2)
        await place.slack.connected.wait()
        await place.slack.by_socket("events_api", FakeSlack.said("UADA", "AFTERWARDS"))
        again = await got.get()
        await place.slack.close_sockets()
        await listening
    assert isinstance(again, Said) and again.text == "AFTERWARDS"
    assert isinstance(press, Press) and (press.who, press.token) == ("T1/UADA", TOKENS[1])
    assert isinstance(said, Said) and said.text == "ABCD-EFGH"
    assert envelope in place.slack.acknowledged


async def test_envelopes_are_acknowledged_while_others_are_taken(place: Place) -> None:
    gate, got = asyncio.Event(), []

    async def receives(received: Received | None, position: str) -> None:
        got.append(received)
        await gate.wait()

    listening = asyncio.create_task(SLACK.listen(socket_line(place), "", receives))
    async with asyncio.timeout(20):
        await place.slack.connected.wait()
        envelopes = [await place.slack.by_socket("events_api", FakeSlack.said(f"U{one}", "A")) for one in range(20)]
        await until(lambda: place.slack.acknowledged.issuperset(envelopes) and len(got) == 20)
        gate.set()
        await place.slack.close_sockets()
        await listening


async def test_refused_token_is_named(place: Place) -> None:
    with pytest.raises(Refused, match=r"invalid_auth\. Copy the App-Level Token again"):
        await SLACK.check(place.line(app_token="xapp-wrong"))
    with pytest.raises(Refused, match=r"invalid_auth\. Copy the Bot User OAuth Token again"):
        await SLACK.check(place.line(token="xoxb-wrong"))


async def test_socket_that_is_turned_off_is_said(place: Place) -> None:
    async def receives(received: Received | None, position: str) -> None: ...

    listening = asyncio.create_task(SLACK.listen(socket_line(place), "", receives))
    async with asyncio.timeout(20):
        await place.slack.connected.wait()
        await place.slack.disconnect("link_disabled")
        with pytest.raises(Refused, match="Turn Socket Mode on"):
            await listening


async def test_socket_elsewhere_is_not_opened(place: Place) -> None:
    async def request(method: str, url: str, **more: object) -> object:
        return await socket_line(place).request(method, url.replace("https://slack.com", place.url), **more)

    async def receives(received: Received | None, position: str) -> None: ...

    line = line_to("DADA", request=request, token=place.slack.bot_token, app_token=place.slack.app_token)
    with pytest.raises(Refused, match=r"outside of slack\.com"):
        await SLACK.listen(line, "", receives)


async def test_answer_goes_to_slack_alone() -> None:
    asked: list[str] = []

    async def request(method: str, url: str, **more: object) -> None:
        asked.append(url)

    line = line_to("DADA", request=request)
    for address in (
        "https://hooks.slack.com/actions/T1/1/x",
        "http://hooks.slack.com/actions/T1/1/x",
        "https://hooks.slack.com.evil.example/x",
        "https://evil.example/.slack.com",
        "https://user@hooks.slack.com/x",
        "https://[::1",
        "",
    ):
        await SLACK.acknowledge(line, Press("T1/U", "t", {"response_url": address}), "Approved.")
    assert asked == ["https://hooks.slack.com/actions/T1/1/x"]


@pytest.mark.parametrize(("fault", "kind", "words"), [
    ("channel_not_found", Gone, "channel_not_found. Copy the channel's ID again"),
    ("is_archived", Gone, "is_archived"),
    ("invalid_blocks", Refused, "invalid_blocks"),
    ("account_inactive", Refused, "account_inactive. The app is no longer installed"),
    ("not_in_channel", Refused, "not_in_channel. Invite the app"),
])  # fmt: skip
async def test_errors_keep_the_words_of_slack(place: Place, fault: str, kind: type[Refused], words: str) -> None:
    place.slack.fails = [fault]
    with pytest.raises(Refused) as caught:
        await SLACK.send(place.line(), NEED)
    assert type(caught.value) is kind and str(caught.value).startswith(words)


async def test_trouble_of_slack_is_for_later(place: Place) -> None:
    place.slack.fails = [30, "internal_error"]
    seconds = []
    for _ in range(2):
        with pytest.raises(Later) as caught:
            await SLACK.send(place.line(), NEED)
        seconds.append(caught.value.seconds)
    assert seconds == [30.0, None]
    place.slack.is_down = True
    with pytest.raises(Later, match="The answer was 503"):
        await SLACK.send(place.line(), NEED)


async def test_provider_that_is_gone_is_for_later() -> None:
    line = line_to("DADA", api="http://127.0.0.1:9/api", token="xoxb-tests")
    with pytest.raises(Later, match="could not be reached"):
        await SLACK.send(line, NEED)


async def test_check_names_app_and_workspace_and_tries_both_tokens(place: Place) -> None:
    assert await SLACK.check(socket_line(place)) == "mission in Observatory"
    assert "apps.connections.open" in place.slack.calls
    with pytest.raises(Refused, match="Copy the Bot User OAuth Token again"):
        await SLACK.check(place.line(token="xoxb-wrong"))


async def test_token_is_in_no_error(place: Place) -> None:
    place.slack.fails = [f"bad token {place.slack.bot_token}"]
    with pytest.raises(Refused) as caught:
        await SLACK.send(place.line(), NEED)
    assert str(caught.value) == "bad token …"


def test_answers_need_a_socket_or_an_address() -> None:
    address = "https://mission.example.org/reach/in/1"
    assert SLACK.takes_answers(line_to("D", app_token="xapp"))
    assert SLACK.takes_answers(line_to("D", signing_secret="s", answers_at=address))
    assert not SLACK.takes_answers(line_to("D", signing_secret="s"))
    assert not SLACK.takes_answers(line_to("D", answers_at=address))


def test_manifest_lets_presses_and_codes_come_over_the_socket() -> None:
    made = json.loads(SLACK.manifest("https://m.example.org"))
    assert made["settings"]["socket_mode_enabled"] and made["settings"]["interactivity"]["is_enabled"]
    assert made["settings"]["event_subscriptions"]["bot_events"] == ["message.im"]
    assert {"chat:write", "im:history", "im:write"} <= set(made["oauth_config"]["scopes"]["bot"])
    assert made["features"]["app_home"]["messages_tab_read_only_enabled"] is False
