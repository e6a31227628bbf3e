"""Browsers as devices: one person's at a time, found again after they changed their subscription."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mission_control.channels.devices import browsers
from mission_control.channels.models import Device
from mission_control.channels.providers.push.encryption import public_text
from mission_control.channels.providers.push.key import push_key
from mission_control.channels.providers.push.provider import Subscription
from mission_control.core import times
from mission_control.core.secrets import decrypt
from mission_control.people.models import AccountEvent
from tests.cast import Cast
from tests.channels.push_service import Browser, PushService, allowed_push_service
from tests.settings import having
from tests.visitor import visitor

PATH = "/users/me/reach/devices"
GOOGLE = "https://fcm.googleapis.com/fcm/send"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"


@pytest.fixture
async def pushes(cast: Cast) -> AsyncIterator[PushService]:
    """A push service that the installation may reach."""
    async with allowed_push_service(cast.app) as service:
        yield service


def subscription(name: str, **more: str) -> dict[str, str]:
    keys = Browser(name, "", "").subscription
    return {**keys, "endpoint": f"{GOOGLE}/{name}", **more}


async def test_browser_becomes_a_device_with_an_encrypted_address(cast: Cast) -> None:
    sent = subscription("laptop")
    made = (await cast.ada.post(PATH, sent, headers={"User-Agent": FIREFOX})).ok()
    assert (made["kind"], made["label"], made["last_error"]) == ("push", "Firefox on Linux", None)
    [device] = await Device.all()
    assert str(device.user_id) == str(cast.ada.id) and device.organization_id is None
    assert "laptop" not in device.address and "laptop" not in device.who
    stored = decrypt(device.address, cast.app.config["SECRET_KEY"])
    assert Subscription.of(stored) == Subscription(**sent)
    assert await AccountEvent.filter(kind="device.added", user_id=cast.ada.id).count() == 1
    assert not [one for one in await AccountEvent.all() if "laptop" in str(one.data)]


async def test_same_browser_stays_one_device(cast: Cast) -> None:
    first = (await cast.ada.post(PATH, subscription("laptop", label="Desk"))).ok()
    await Device.filter(id=first["id"]).update(last_error="Google answered 500.", failed_at=times.clock_now())
    again = (await cast.ada.post(PATH, subscription("laptop", label="Other"))).ok()
    assert (again["id"], again["label"], again["last_error"]) == (first["id"], "Desk", None)
    assert await Device.all().count() == 1


async def test_browser_is_the_device_of_one_person(cast: Cast) -> None:
    sent = subscription("shared")
    (await cast.ada.post(PATH, sent)).ok()
    (await cast.cleo.post(PATH, sent)).ok()
    ada, cleo = await Device.get(user_id=cast.ada.id), await Device.get(user_id=cast.cleo.id)
    assert ada.ended_at is not None and ada.mark is None and ada.address == ""
    assert cleo.ended_at is None and cleo.mark is not None
    assert await AccountEvent.filter(kind="device.lost", user_id=cast.ada.id).count() == 1


async def test_another_subscription_keeps_the_device(cast: Cast) -> None:
    first = (await cast.ada.post(PATH, subscription("old", label="Phone"))).ok()
    renewed = (await cast.ada.post(PATH, subscription("new", replaces=f"{GOOGLE}/old"))).ok()
    assert (renewed["id"], renewed["label"]) == (first["id"], "Phone")
    (await cast.ada.post(PATH, subscription("new", replaces=f"{GOOGLE}/old"))).ok()  # told twice: page and worker
    assert await Device.all().count() == 1


async def test_device_that_its_push_service_ended_comes_back(cast: Cast) -> None:
    first = (await cast.ada.post(PATH, subscription("old"))).ok()
    now = times.clock_now()
    await Device.filter(id=first["id"]).update(mark=None, ended_at=now, failed_at=now, last_error="answered 410")
    renewed = (await cast.ada.post(PATH, subscription("new", replaces=f"{GOOGLE}/old"))).ok()
    assert renewed["id"] == first["id"] and renewed["last_error"] is None


async def test_device_that_was_removed_does_not_come_back_by_itself(cast: Cast) -> None:
    first = (await cast.ada.post(PATH, subscription("old"))).ok()
    await Device.filter(id=first["id"]).update(mark=None, ended_at=times.clock_now())
    (await cast.ada.post(PATH, subscription("new", replaces=f"{GOOGLE}/old"))).refused(404)
    (await cast.cleo.post(PATH, subscription("new", replaces=f"{GOOGLE}/never"))).refused(404)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"endpoint": "https://push.evil.example/abc"}, "PUSH_HOSTS"),
        ({"endpoint": "http://169.254.169.254/latest"}, "PUSH_HOSTS"),
        ({"endpoint": "https://web.push.apple.com/QGuQ"}, "Set BASE_URL"),
        ({"p256dh": "AAAA"}, "keys of a subscription"),
        ({"auth": "AAAA"}, "keys of a subscription"),
    ],
    ids=["another host", "metadata", "Apple", "no point", "no secret"],
)
async def test_useless_subscription_is_refused_with_the_reason(cast: Cast, change: dict[str, str], words: str) -> None:
    refused: Any = (await cast.ada.post(PATH, subscription("laptop") | change)).refused(422)
    assert words in str(refused)
    assert await Device.all().count() == 0


async def test_page_says_why_the_test_did_not_leave(cast: Cast, pushes: PushService) -> None:
    ada = await visitor(cast.app, cast.ada)
    sent = pushes.subscribe("laptop", "another key").subscription
    seen = await ada.post("/settings/notifications/devices", sent, **{"HX-Request": "true"})
    assert "127.0.0.1 answered 403" in str(seen.headers["HX-Trigger"])


async def test_renewal_is_not_tested(cast: Cast, pushes: PushService) -> None:
    ada = await visitor(cast.app, cast.ada)
    key = public_text(await push_key(cast.app.config["SETTINGS"]))
    before, after = (pushes.subscribe(name, key).subscription for name in ("before", "after"))
    (await ada.post("/settings/notifications/devices", before)).is_status(303)
    renewal = {**after, "replaces": before["endpoint"]}
    (await ada.post("/settings/notifications/devices/renewals", renewal)).is_status(303)
    assert [one.browser for one in pushes.received] == ["before"]
    assert await Device.all().count() == 1


async def test_apple_is_taken_by_a_server_with_a_name(cast: Cast) -> None:
    with having(cast.app, base_url="https://mission.example.org"):
        (await cast.ada.post(PATH, subscription("x") | {"endpoint": "https://web.push.apple.com/QGuQ"})).ok()


async def test_devices_of_a_person_are_limited(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsers, "MOST_DEVICES", 2)
    for name in ("one", "two"):
        (await cast.ada.post(PATH, subscription(name))).ok()
    (await cast.ada.post(PATH, subscription("three"))).refused(422)
    (await cast.ada.post(PATH, subscription("two"))).ok()


async def test_page_adds_a_browser_and_tests_it(cast: Cast, pushes: PushService) -> None:
    ada = await visitor(cast.app, cast.ada)
    key = public_text(await push_key(cast.app.config["SETTINGS"]))
    (await ada.get("/settings/notifications")).has(f'data-push-key="{key}"').lacks("data-push-here")
    sent = pushes.subscribe("laptop", key).subscription
    (await ada.post("/settings/notifications/devices", sent)).is_status(303)
    assert pushes.received[0].notification["title"] == "Mission Control reaches you here"
    digest = hashlib.sha256(sent["endpoint"].encode()).hexdigest()
    page = (await ada.get("/settings/notifications")).has(f'data-push-here="{digest}"')
    page.lacks(sent["endpoint"])
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.get("/settings/notifications")).lacks(digest)
