"""Codes that link accounts of chats: made, sent to the bot, confirmed; each counts once, for one person."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from mission_control.channels.channel import Said
from mission_control.channels.devices import codes
from mission_control.channels.installation import opened
from mission_control.channels.models import Device, ReachChannel, ReachCode
from mission_control.core import times
from mission_control.core.times import travelled
from mission_control.people.accounts import commands as account_commands
from mission_control.people.models import User
from tests.cast import Cast, Person
from tests.channels.fake_channel import installed
from tests.channels.one_channel import Chat, Hook, a_chat, set_up

pytestmark = pytest.mark.dialect

PATH = "/users/me/reach"
CLEO = Said("U024", "", "cleo", "D1")


@pytest.fixture
def chat() -> Iterator[Chat]:
    with a_chat() as made:
        yield made


async def make(person: Person, channel: ReachChannel) -> dict[str, Any]:
    found: dict[str, Any] = (await person.post(f"{PATH}/codes", {"channel_id": str(channel.id)})).ok()
    return found


async def say(cast: Cast, channel: ReachChannel, text: str, who: Said = CLEO) -> str:
    """What the bot answers to a text."""
    async with cast.app.app_context():
        return await codes.take_code(channel, Said(who.who, text, who.name, who.to))


async def test_code_links_the_account_that_its_person_confirms(cast: Cast, chat: Chat) -> None:
    channel = await set_up(cast)
    made = await make(cast.cleo, channel)
    assert (made["state"], made["channel_name"], made["line"]) == ("waits", "Our chat", made["code"])
    assert made["link"] == f"https://chat.example.org/@bot?start={made['code']}"
    assert made["code"].startswith("MC-") and len(made["code"]) == 17
    assert made["code"] not in str([vars(one) for one in await ReachCode.all()])
    path = f"{PATH}/codes/{made['id']}"
    assert "sent the code" in (await cast.cleo.post(f"{path}/confirmations")).refused(409)
    assert "confirm" in await say(cast, channel, made["code"].lower())
    read = (await cast.cleo.get(path)).ok()
    assert (read["state"], read["label"], "code" in read) == ("sent", "cleo", False)
    device = (await cast.cleo.post(f"{path}/confirmations")).ok()
    assert (device["kind"], device["label"], device["channel_id"]) == ("chat", "Our chat, cleo", str(channel.id))
    row = await Device.get(id=UUID(device["id"]))
    assert (row.who, row.organization_id, row.user_id) == ("U024", cast.organization.id, cast.cleo.id)
    async with cast.app.app_context():
        assert opened(row.address) == "D1"
    assert "linked already" in (await cast.cleo.post(f"{path}/confirmations")).refused(409)
    assert (await cast.cleo.get(path)).ok()["state"] == "used"


async def test_code_counts_once_and_for_its_channel(cast: Cast, chat: Chat) -> None:
    channel, other = await set_up(cast), await set_up(cast, name="Another")
    code = (await make(cast.cleo, channel))["code"]
    assert await say(cast, other, code) == codes.UNKNOWN
    assert await say(cast, channel, code) == codes.TAKEN
    assert await say(cast, channel, code, Said("U666", "", "eve", "D6")) == codes.UNKNOWN
    assert (await ReachCode.get()).who == "U024"


async def test_words_that_nothing_waits_for_are_answered_now_and_then(cast: Cast, chat: Chat) -> None:
    channel = await set_up(cast)
    said = [await say(cast, channel, text) for text in ("hello", "/start", "as I said", "", "x" * 300, "hello?")]
    assert said == [codes.NO_CODE] * 5 + [""]


async def test_expired_code_is_refused_and_a_sent_one_can_be_confirmed_a_while(cast: Cast, chat: Chat) -> None:
    channel = await set_up(cast)
    first, second = await make(cast.cleo, channel), await make(cast.cleo, channel)
    await say(cast, channel, second["code"])
    with travelled(timedelta(minutes=11)):
        assert await say(cast, channel, first["code"]) == codes.UNKNOWN
        assert (await cast.cleo.get(f"{PATH}/codes/{first['id']}")).ok()["state"] == "expired"
        assert "expired" in (await cast.cleo.post(f"{PATH}/codes/{first['id']}/confirmations")).refused(409)
        (await cast.cleo.post(f"{PATH}/codes/{second['id']}/confirmations")).ok()


async def test_sixth_code_within_an_hour_is_refused(cast: Cast, chat: Chat) -> None:
    channel = await set_up(cast)
    for _ in range(5):
        await make(cast.cleo, channel)
    answer = await cast.cleo.post(f"{PATH}/codes", {"channel_id": str(channel.id)})
    assert "5 codes within an hour" in answer.refused(429) and int(answer.headers["Retry-After"]) > 3000
    await make(cast.ben, channel)
    with travelled(timedelta(hours=1, minutes=1)):
        await make(cast.cleo, channel)


async def test_code_of_somebody_else_is_not_theirs_to_confirm(cast: Cast, chat: Chat) -> None:
    channel = await set_up(cast)
    made = await make(cast.cleo, channel)
    await say(cast, channel, made["code"])
    for method, path in (("GET", ""), ("POST", "/confirmations"), ("DELETE", "")):
        (await cast.ben.call(method, f"{PATH}/codes/{made['id']}{path}")).refused(404)


async def test_dropped_code_forgets_who_sent_it(cast: Cast, chat: Chat) -> None:
    channel = await set_up(cast)
    made = await make(cast.cleo, channel)
    await say(cast, channel, made["code"], Said("U666", "", "eve", "D6"))
    (await cast.cleo.delete(f"{PATH}/codes/{made['id']}")).ok()
    assert await say(cast, channel, made["code"]) == codes.UNKNOWN
    assert "expired" in (await cast.cleo.post(f"{PATH}/codes/{made['id']}/confirmations")).refused(409)
    assert not await Device.exists()


async def test_account_that_links_to_another_person_ends_for_the_one_before(cast: Cast, chat: Chat) -> None:
    channel = await set_up(cast)
    for person in (cast.ben, cast.cleo):
        made = await make(person, channel)
        await say(cast, channel, made["code"])
        (await person.post(f"{PATH}/codes/{made['id']}/confirmations")).ok()
    assert (await Device.get(user_id=cast.ben.id)).ended_at is not None
    assert (await Device.get(user_id=cast.cleo.id)).ended_at is None
    [row] = (await cast.ben.get(f"{PATH}/devices")).ok()["items"]
    assert row["last_error"] == "Our chat, cleo now reaches another account."


async def test_account_that_several_link_at_once_has_one_of_them(cast: Cast, chat: Chat) -> None:
    channel = await set_up(cast)
    paths = list[tuple[Person, str]]()
    for person in (cast.ada, cast.ben, cast.cleo):
        made = await make(person, channel)
        await say(cast, channel, made["code"])
        paths += [(person, f"{PATH}/codes/{made['id']}/confirmations")] * 2
    answers = await asyncio.gather(*(person.post(path) for person, path in paths))
    assert {one.status for one in answers} <= {200, 409}
    [device] = await Device.filter(ended_at=None)
    assert device.user_id in [person.id for (person, _), one in zip(paths, answers, strict=True) if one.status == 200]


async def test_account_that_somebody_linked_in_a_persons_name_ends_with_all_access(cast: Cast, chat: Chat) -> None:
    """A stolen session added it; without this it would answer as that person for as long as nobody looks."""
    channel = await set_up(cast)
    made = await make(cast.cleo, channel)
    await say(cast, channel, made["code"])
    device = (await cast.cleo.post(f"{PATH}/codes/{made['id']}/confirmations")).ok()
    user = await User.get(id=cast.cleo.id)
    await account_commands.end_everything(await cast.cleo.actor(), user)
    ended = await Device.get(id=UUID(device["id"]))
    assert (ended.mark, ended.address, ended.ended_at is None) == (None, "", False)
    assert "Add it again if it is yours" in (ended.last_error or "")


async def test_channels_that_take_no_code_say_so(cast: Cast, chat: Chat) -> None:
    channel = await set_up(cast)
    path = f"{PATH}/codes"
    (await cast.ada.patch(f"/organizations/me/channels/{channel.id}", {"state": "off"})).ok()
    assert "switched off" in (await cast.cleo.post(path, {"channel_id": str(channel.id)})).refused(409)
    assert "no such channel" in str((await cast.eve.post(path, {"channel_id": str(channel.id)})).refused(422))
    with installed(Hook()):
        hook = await ReachChannel.create(organization_id=cast.organization.id, kind="hook", name="Hook")
        assert "teams only" in str((await cast.cleo.post(path, {"channel_id": str(hook.id)})).refused(422))


async def test_who_left_the_organization_links_nothing(cast: Cast, chat: Chat) -> None:
    channel = await set_up(cast)
    made = await make(cast.cleo, channel)
    await say(cast, channel, made["code"])
    (await cast.cleo.post("/organizations/me/departures")).ok()
    answer = await cast.cleo.post(f"{PATH}/codes/{made['id']}/confirmations")
    assert answer.status in (403, 409), answer.body
    assert not await Device.exists()


async def test_old_codes_are_deleted(cast: Cast, chat: Chat) -> None:
    channel = await set_up(cast)
    await make(cast.cleo, channel)
    await ReachCode.all().update(expires_at=times.clock_now() - timedelta(days=2))
    await make(cast.cleo, channel)
    assert await ReachCode.all().count() == 1
