"""Devices of a person: typed addresses, their order, tests in the provider's words, and what ends one."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from mission_control.channels.channel import Gone, Refused
from mission_control.channels.installation import opened, opened_values, sealed
from mission_control.channels.models import Device
from mission_control.people.models import AccountEvent
from tests.cast import Cast, Person
from tests.channels.fake_channel import installed
from tests.channels.one_channel import Chat, Typing, a_chat, set_up

pytestmark = pytest.mark.dialect

PATH = "/users/me/reach"


@pytest.fixture
def typing() -> Iterator[Chat]:
    """A channel whose addresses people type."""
    with installed(Typing()) as made:
        yield made


async def add(person: Person, topic: str, **more: object) -> str:
    """The id of a new address of a person."""
    sent = {"kind": "typing", "values": {"topic": topic}, **more}
    return str((await person.post(f"{PATH}/addresses", sent)).ok()["id"])


async def ids(person: Person) -> list[str]:
    return [one["id"] for one in (await person.get(f"{PATH}/devices")).ok()["items"]]


async def test_address_is_stored_encrypted_and_known_by_its_hash(cast: Cast, typing: Chat) -> None:
    made = await add(cast.cleo, "secret-topic", label="My phone", values={"topic": " secret-topic ", "key": "k"})
    [row] = (await cast.cleo.get(f"{PATH}/devices")).ok()["items"]
    assert (row["id"], row["kind"], row["label"], row["state"]) == (made, "typing", "My phone", "new")
    device = await Device.get(id=UUID(made))
    assert "secret-topic" not in f"{device.who} {device.address} {device.settings} {device.mark} {device.label}"
    async with cast.app.app_context():
        assert opened(device.address) == "secret-topic"
        assert opened_values(device.settings) == {"topic": "secret-topic", "key": "k"}
    assert await AccountEvent.filter(kind="device.added", user_id=cast.cleo.id).count() == 1
    assert (await cast.ben.get(f"{PATH}/devices")).ok()["items"] == []


async def test_same_address_again_is_the_same_device(cast: Cast, typing: Chat) -> None:
    first = await add(cast.cleo, "one")
    await Device.filter(id=UUID(first)).update(last_error="forbidden")
    assert await add(cast.cleo, "one", label="Renamed") == first
    [row] = (await cast.cleo.get(f"{PATH}/devices")).ok()["items"]
    assert (row["label"], row["last_error"]) == ("Renamed", None)


async def test_address_of_somebody_else_is_not_taken_from_them(cast: Cast, typing: Chat) -> None:
    """A topic may be guessed, and that of a reserved one is no secret: typing it ends nothing of its owner."""
    theirs = await add(cast.ben, "one")
    mine = await add(cast.eve, "one")
    assert mine != theirs and await add(cast.eve, "one") == mine
    for person, device in ((cast.ben, theirs), (cast.eve, mine)):
        [row] = (await person.get(f"{PATH}/devices")).ok()["items"]
        assert (row["id"], row["state"]) == (device, "new")
    (await cast.eve.delete(f"{PATH}/devices/{mine}")).ok()
    assert await ids(cast.ben) == [theirs]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"kind": "typing", "values": {}}, "Fill this in"),
        ({"kind": "typing", "values": {"topic": " "}}, "Fill this in"),
        ({"kind": "typing", "values": {"topic": "x", "colour": "red"}}, "colour is not known here"),
        ({"kind": "mail", "values": {}}, "not added by typing"),
        ({"kind": "pigeon", "values": {}}, "not added by typing"),
    ],
    ids=str,
)
async def test_invalid_address_says_what_is_wrong(
    cast: Cast, typing: Chat, sent: dict[str, object], words: str
) -> None:
    assert words in str((await cast.cleo.post(f"{PATH}/addresses", sent)).refused(422))


async def test_order_is_changed_whole(cast: Cast, typing: Chat) -> None:
    one, two, three = [await add(cast.cleo, name) for name in ("one", "two", "three")]
    assert await ids(cast.cleo) == [one, two, three]
    (await cast.cleo.call("PUT", f"{PATH}/devices/order", {"ids": [three, one, two]})).ok()
    assert await ids(cast.cleo) == [three, one, two]
    foreign = await add(cast.ben, "four")
    for wrong in ([one, two], [one, two, two], [one, two, foreign]):
        answer = await cast.cleo.call("PUT", f"{PATH}/devices/order", {"ids": wrong})
        assert "Name each of your 3 devices once" in str(answer.refused(422))


async def test_twenty_devices_are_enough(cast: Cast, typing: Chat) -> None:
    for number in range(20):
        await add(cast.cleo, f"topic-{number}")
    answer = await cast.cleo.post(f"{PATH}/addresses", {"kind": "typing", "values": {"topic": "one more"}})
    assert "20 devices" in answer.refused(409)
    await add(cast.cleo, "topic-3")
    await add(cast.ben, "one more")


async def test_removed_device_is_forgotten_with_its_secrets(cast: Cast, typing: Chat) -> None:
    made = await add(cast.cleo, "one")
    (await cast.ben.delete(f"{PATH}/devices/{made}")).refused(404)
    (await cast.cleo.delete(f"{PATH}/devices/{made}")).ok()
    assert await ids(cast.cleo) == []
    (await cast.cleo.delete(f"{PATH}/devices/{made}")).refused(404)
    device = await Device.get(id=UUID(made))
    assert (device.address, device.settings, device.mark) == ("", "", None)
    assert await add(cast.cleo, "one") != made


async def test_test_sends_and_answers_in_the_providers_words(cast: Cast, typing: Chat) -> None:
    made = await add(cast.cleo, "one")
    tested = (await cast.cleo.post(f"{PATH}/devices/{made}/tests")).ok()
    assert (tested["ok"], tested["words"]) == (True, "")
    assert [to for to, _ in typing.messages] == ["one"]
    assert (await cast.cleo.get(f"{PATH}/devices")).ok()["items"][0]["state"] == "works"
    typing.raises = Refused('{"code":40301,"error":"forbidden"}')
    tested = (await cast.cleo.post(f"{PATH}/devices/{made}/tests")).ok()
    assert (tested["ok"], tested["words"]) == (False, '{"code":40301,"error":"forbidden"}')
    [row] = (await cast.cleo.get(f"{PATH}/devices")).ok()["items"]
    assert (row["state"], row["last_error"]) == ("fails", '{"code":40301,"error":"forbidden"}')


async def test_device_that_is_gone_is_named_until_it_is_removed(cast: Cast, typing: Chat) -> None:
    made = await add(cast.cleo, "one")
    typing.raises = Gone("Forbidden: bot was blocked by the user")
    (await cast.cleo.post(f"{PATH}/devices/{made}/tests")).ok()
    [row] = (await cast.cleo.get(f"{PATH}/devices")).ok()["items"]
    assert (row["state"], row["last_error"]) == ("ended", "Forbidden: bot was blocked by the user")
    assert "Add it again" in (await cast.cleo.post(f"{PATH}/devices/{made}/tests")).refused(409)
    (await cast.cleo.delete(f"{PATH}/devices/{made}")).ok()
    assert await ids(cast.cleo) == []


async def test_mail_without_a_server_is_said(cast: Cast) -> None:
    assert "SMTP_URL" in (await cast.cleo.post(f"{PATH}/mail/tests")).refused(409)


async def test_device_of_a_channel_of_a_former_organization_takes_no_test(cast: Cast) -> None:
    with a_chat() as chat:
        row = await set_up(cast)
        async with cast.app.app_context():
            address = sealed("eve")
        device = await Device.create(
            user_id=cast.eve.id, organization_id=cast.organization.id, channel_id=row.id, kind="chat", mark="x",
            who="eve", address=address, label="Our chat",
        )  # fmt: skip
        said = (await cast.eve.post(f"{PATH}/devices/{device.id}/tests")).refused(409)
        assert "no longer a member" in str(said) and chat.messages == []
