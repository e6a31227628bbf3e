"""Pushes as the push service gets them: what they show, how long they live, and what its answers mean."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from quart import Quart

from mission_control.channels.channel import Button, Client, Gone, Item, Later, Line, Message, Refused
from mission_control.channels.providers.push import key as keys
from mission_control.channels.providers.push.encryption import MOST_BYTES, public_text
from mission_control.channels.providers.push.hosts import APPLE, is_public, maker_of, subject_of
from mission_control.channels.providers.push.key import push_key
from mission_control.channels.providers.push.provider import PUSH, Subscription, payload_of, topic_of
from mission_control.core import times
from mission_control.core.secrets import is_readable
from mission_control.core.settings import Settings
from mission_control.database.sql import rows
from tests.channels.push_service import Browser, PushService, push_service

HOME = "https://mission.example.org"
NEED = Message(
    title="Approve: deploy to production",
    lines=("Payments, #4 Ship it", "Without an answer by 18:00 it is sent back."),
    url=f"{HOME}/reach/018f3c2a",
    buttons=(Button("Approve", "t.0.code", "go"), Button("Request changes", "t.1.code"), Button("Look", "t.2.code")),
    key="018f3c2a",
    topic="approval:01a2",
    board="Payments",
    is_urgent=True,
    badge=3,
)


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    """A push service that is allowed."""
    async with push_service() as found:
        yield found


def settings_for(app: Quart, service: PushService) -> Settings:
    known: Settings = app.config["SETTINGS"]
    return replace(known, base_url=HOME, push_hosts=(service.host,), outbound_allow_private=True)


async def phone_and_line(app: Quart, service: PushService) -> tuple[Browser, Line]:
    """A browser that subscribed to our key, and the way to it."""
    settings = settings_for(app, service)
    browser = service.subscribe("phone", public_text(await push_key(settings)))
    address = Subscription(**browser.subscription).to_text()
    return browser, Line(Client(settings.outbound_allow_private), settings, to=address)


async def test_need_is_shown_with_two_answers(app: Quart, service: PushService) -> None:
    _, line = await phone_and_line(app, service)
    name = await PUSH.send(line, NEED)
    [sent] = service.received
    shown = sent.notification
    assert sent.payload["web_push"] == 8030 and sent.payload["app_badge"] == 3
    assert (shown["title"], shown["body"]) == (
        "Approve: deploy to production",
        "Payments, #4 Ship it\nWithout an answer by 18:00 it is sent back.",
    )
    assert shown["navigate"] == shown["data"]["url"] == f"{HOME}/reach/018f3c2a"
    assert [(one["action"], one["title"]) for one in shown["actions"]] == [
        ("t.0.code", "Approve"),
        ("t.1.code", "Request changes"),
    ]
    assert shown["silent"] is False and shown["tag"] == name == sent.headers["topic"] == topic_of(NEED)
    assert sent.headers["urgency"] == "high" and sent.headers["content-encoding"] == "aes128gcm"
    assert sent.claims["sub"] == HOME


async def test_newer_message_of_a_topic_has_the_same_tag(app: Quart, service: PushService) -> None:
    _, line = await phone_and_line(app, service)
    first = await PUSH.send(line, NEED)
    assert await PUSH.send(line, replace(NEED, key="another")) == first
    assert await PUSH.send(line, replace(NEED, topic="approval:01a3")) != first
    assert len(first) == 32


async def test_message_is_kept_as_long_as_it_is_of_use(app: Quart, service: PushService) -> None:
    _, line = await phone_and_line(app, service)
    now = times.clock_now()
    for left in (timedelta(minutes=30), timedelta(days=7), timedelta(minutes=-1)):
        await PUSH.send(line, replace(NEED, expires_at=now + left))
    await PUSH.send(line, replace(NEED, expires_at=None))
    soon, longest, over, without = (int(one.headers["ttl"]) for one in service.received)
    assert 1700 < soon <= 1800 and (longest, over, without) == (14_400, 0, 14_400)


async def test_ended_message_replaces_quietly(app: Quart, service: PushService) -> None:
    _, line = await phone_and_line(app, service)
    name = await PUSH.send(line, NEED)
    ended = Message("Approved by Ada at 17:04", url=NEED.url, key=NEED.key, topic=NEED.topic, has_ended=True, badge=2)
    await PUSH.edit(line, name, ended)
    shown = service.received[-1].notification
    assert shown["silent"] is True and shown["data"]["withdrawn"] is True and "actions" not in shown
    assert shown["tag"] == name and service.received[-1].headers["urgency"] == "normal"


async def test_changed_message_is_shown_quietly_with_new_answers(app: Quart, service: PushService) -> None:
    _, line = await phone_and_line(app, service)
    name = await PUSH.send(line, NEED)
    await PUSH.edit(line, name, replace(NEED, buttons=(Button("Approve", "t.9.code"),)))
    shown = service.received[-1].notification
    assert shown["silent"] is True and "withdrawn" not in shown["data"]
    assert [one["action"] for one in shown["actions"]] == ["t.9.code"]


async def test_apple_is_sent_nothing_that_shows_nothing_new(app: Quart, service: PushService) -> None:
    _, line = await phone_and_line(app, service)
    address = Subscription("https://web.push.apple.com/QGuQyavXutnMH", "", "").to_text()
    await PUSH.edit(replace(line, to=address), "tag", replace(NEED, has_ended=True))
    assert service.received == []


@pytest.mark.parametrize(("status", "raised", "words"), [
    (404, Gone, "answered 404"),
    (410, Gone, "answered 410"),
    (413, Refused, "answered 413"),
    (403, Refused, 'answered 403: {"reason":"VapidPkHashMismatch"}.'),
    (400, Refused, "answered 400"),
    (401, Refused, "answered 401"),
    (302, Refused, "answered 302"),
    (500, Later, "answered 500"),
    (503, Later, "answered 503"),
])  # fmt: skip
async def test_answers_of_a_push_service(
    app: Quart, service: PushService, status: int, raised: type[Exception], words: str
) -> None:
    _, line = await phone_and_line(app, service)
    service.answers = [(status, '{"reason":"VapidPkHashMismatch"}' if status == 403 else "")]
    with pytest.raises(raised, match=r"^127\.0\.0\.1 answered") as found:
        await PUSH.send(line, NEED)
    assert type(found.value) is raised and words in str(found.value)


async def test_limit_of_a_push_service_says_when_to_try_again(app: Quart, service: PushService) -> None:
    _, line = await phone_and_line(app, service)
    service.answers = [(429, "slow down")]
    with pytest.raises(Later, match="answered 429: slow down") as found:
        await PUSH.send(line, NEED)
    assert found.value.seconds == 7.0


async def test_address_of_a_browser_is_in_no_error(app: Quart, service: PushService) -> None:
    _, line = await phone_and_line(app, service)
    service.answers = [(400, f"no such thing as {service.url}/push/phone")]
    with pytest.raises(Refused) as found:
        await PUSH.send(line, NEED)
    assert "/push/…" in str(found.value) and "phone" not in str(found.value)


async def test_another_key_is_refused_in_the_words_of_the_service(app: Quart, service: PushService) -> None:
    browser, line = await phone_and_line(app, service)
    browser.application_key = "another"
    with pytest.raises(Refused, match="BadJwtToken"):
        await PUSH.send(line, NEED)


@pytest.mark.parametrize("length", [0, 100, 5_000, 100_000])
@pytest.mark.parametrize("letter", ["x", "é", "𐍈", '"', "\n"], ids=["ascii", "two", "four", "escaped", "lines"])
async def test_texts_are_cut_until_one_record_holds_them(
    app: Quart, service: PushService, letter: str, length: int
) -> None:
    _, line = await phone_and_line(app, service)
    await PUSH.send(line, replace(NEED, title=letter * length, lines=(letter * length, letter * length)))
    [sent] = service.received
    assert len(sent.text.encode()) <= MOST_BYTES
    assert sent.notification["title"] and len(sent.notification["actions"]) == 2


def test_address_too_long_for_a_push_is_refused() -> None:
    with pytest.raises(Refused, match="too long for a push"):
        payload_of(replace(NEED, url=f"{HOME}/{'x' * 4000}"), "tag")


def test_marks_that_hide_text_are_left_out() -> None:
    shown = json.loads(payload_of(replace(NEED, title="Delete\u202e txt.exe\nnow\x00"), "tag"))["notification"]
    assert shown["title"] == "Delete txt.exe now"


def test_digest_lists_what_waits() -> None:
    digest = Message("3 things wait", sections=(("Waiting", (Item("Approve: deploy"), Item("Which port?"))),))
    shown = json.loads(payload_of(digest, "tag"))["notification"]
    assert shown["body"] == "Approve: deploy\nWhich port?" and shown["navigate"] == "/"


async def test_key_is_made_once_and_stored_encrypted(app: Quart, service: PushService) -> None:
    settings = settings_for(app, service)
    keys._known.clear()
    first = public_text(await push_key(settings))
    keys._known.clear()
    assert public_text(await push_key(settings)) == first
    [row] = await rows("SELECT value FROM instance_settings WHERE name = ?", keys.NAME)
    assert is_readable(str(row["value"]), settings.secret_key) and first not in str(row["value"])


@pytest.mark.parametrize(("endpoint", "maker"), [
    ("https://fcm.googleapis.com/fcm/send/abc:def", "Google"),
    ("https://updates.push.services.mozilla.com/wpush/v2/abc", "Mozilla"),
    ("https://web.push.apple.com/QGuQ", APPLE),
    ("https://wns2-by3p.notify.windows.com/w/?token=abc", "Microsoft"),
    ("https://push.example.org:8443/abc", "push.example.org"),
    ("http://push.example.org:8443/abc", None),
    ("https://push.example.org/abc", None),
    ("http://fcm.googleapis.com/fcm/send/abc", None),
    ("https://fcm.googleapis.com:444/fcm/send/abc", None),
    ("https://ada:secret@fcm.googleapis.com/fcm/send/abc", None),
    ("https://fcm.googleapis.com@evil.example/abc", None),
    ("https://fcm.googleapis.com.evil.example/abc", None),
    ("https://evilfcm.googleapis.com/abc", None),
    ("https://notify.windows.com/abc", None),
    ("https://127.0.0.1/abc", None),
    ("https://[::1]/abc", None),
    ("https://[/abc", None),
    ("file:///etc/passwd", None),
    ("https://fcm.googleapis.com/é", None),
    ("https://fcm.googleapis.com/" + "x" * 3000, None),
    ("", None),
])  # fmt: skip
def test_pushes_go_to_makers_of_browsers_only(endpoint: str, maker: str | None) -> None:
    settings = replace(Settings.from_environment({}), push_hosts=("push.example.org:8443",))
    assert maker_of(endpoint, settings) == maker


async def test_other_endpoint_is_never_called(app: Quart, service: PushService) -> None:
    _, line = await phone_and_line(app, service)
    with pytest.raises(Refused, match="PUSH_HOSTS"):
        await PUSH.send(replace(line, installation=replace(line.installation, push_hosts=())), NEED)
    assert service.received == []


async def test_private_address_needs_its_setting(app: Quart, service: PushService) -> None:
    _, line = await phone_and_line(app, service)
    closed = replace(line, request=Client(allow_private=False))
    with pytest.raises(Refused, match="OUTBOUND_ALLOW_PRIVATE"):
        await PUSH.send(closed, NEED)


@pytest.mark.parametrize(("base_url", "mail_from", "subject"), [
    ("https://mission.example.org", "", "https://mission.example.org"),
    ("http://mission.example.org:8000/mc", "", "https://mission.example.org"),
    ("http://localhost:8000", "Mission <mission@example.org>", "mailto:mission@example.org"),
    ("http://192.168.1.5", "", None),
    ("http://nas.local", "root@nas.lan", None),
    ("", "", None),
])  # fmt: skip
def test_push_services_know_us_by_a_public_name(base_url: str, mail_from: str, subject: str | None) -> None:
    settings = replace(Settings.from_environment({}), base_url=base_url, mail_from=mail_from)
    assert subject_of(settings) == subject


@pytest.mark.parametrize("host", ["", "localhost", "nas", "a.local", "b.internal", "c.home.arpa", "10.0.0.1", "::1"])
def test_local_names_are_not_public(host: str) -> None:
    assert not is_public(host) and is_public("example.org")


async def test_apple_is_not_asked_by_a_local_name_others_are(app: Quart, service: PushService) -> None:
    _, line = await phone_and_line(app, service)
    local = replace(line, installation=replace(line.installation, base_url="http://localhost:8000"))
    await PUSH.send(local, NEED)
    assert service.received[-1].claims["sub"] == "https://localhost"
    apple = Subscription("https://web.push.apple.com/QGuQyavXutnMH", "", "").to_text()
    with pytest.raises(Refused, match="Set BASE_URL"):
        await PUSH.send(replace(local, to=apple), NEED)
