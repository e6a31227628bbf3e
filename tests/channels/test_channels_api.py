"""Channels as admins set them up, the channel of a board's team, and messages that failed."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from mission_control.channels.channel import Later, Refused
from mission_control.channels.commands import MOST
from mission_control.channels.installation import opened, opened_values
from mission_control.channels.models import Device, ReachChannel, ReachMessage
from mission_control.channels.trial_messages import TESTS
from mission_control.events.leases import Delivery
from mission_control.events.models import Event
from tests.cast import Cast
from tests.channels.fake_channel import installed
from tests.channels.one_channel import SECRET, Chat, Hook, a_chat, set_up

PATH = "/organizations/me/channels"


@pytest.fixture
def chat() -> Iterator[Chat]:
    with a_chat() as made:
        yield made


async def kinds(cast: Cast) -> list[str]:
    found = Event.filter(organization_id=cast.organization.id, kind__startswith="channel.")
    return [one.kind for one in await found.order_by("seq")]


async def test_channel_is_checked_and_stored_without_showing_its_secrets(cast: Cast, chat: Chat) -> None:
    row = await set_up(cast)
    assert chat.checked == [{"server": "https://chat.example.org", "token": SECRET}]
    [shown] = (await cast.ben.get(PATH)).ok()["items"]
    assert (shown["name"], shown["kind"], shown["state"], shown["known_as"]) == ("Our chat", "chat", "on", "@bot")
    assert (shown["settings"], shown["secrets"]) == ({}, ["token"])
    assert SECRET not in f"{shown} {row.settings} {row.secrets}"
    async with cast.app.app_context():
        assert opened_values(row.secrets) == {"token": SECRET}
    events = await Event.filter(kind="channel.created")
    assert len(events) == 1 and SECRET not in str([vars(one) for one in events])
    assert [one["id"] for one in (await cast.cleo.get(PATH)).ok()["items"]] == [shown["id"]]
    assert (await cast.eve.get(PATH)).ok()["items"] == []


async def test_what_the_provider_refuses_is_not_stored_and_its_words_are_said(cast: Cast, chat: Chat) -> None:
    chat.raises = Refused("invalid_auth: copy the token again.")
    sent = {"kind": "chat", "values": {"token": "wrong"}}
    assert "invalid_auth: copy the token again." in str((await cast.ada.post(PATH, sent)).refused(422))
    assert not await ReachChannel.exists()
    chat.raises = Later("The provider did not answer.")
    made = (await cast.ada.post(PATH, sent)).ok()
    assert (made["state"], made["last_error"], made["name"]) == ("failing", "The provider did not answer.", "Chat")


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"kind": "chat", "values": {}}, "Fill this in"),
        ({"kind": "chat", "values": {"token": "x", "colour": "red"}}, "colour is not known here"),
        ({"kind": "mail", "values": {}}, "no channel of this kind"),
        ({"kind": "chat", "name": " ", "values": {"token": "x"}}, "name"),
    ],
    ids=str,
)
async def test_invalid_settings_are_named(cast: Cast, chat: Chat, sent: dict[str, Any], words: str) -> None:
    assert words in str((await cast.ada.post(PATH, sent)).refused(422))
    assert chat.checked == []


async def test_change_keeps_what_was_not_sent(cast: Cast, chat: Chat) -> None:
    path = f"{PATH}/{(await set_up(cast)).id}"
    moved = {"server": "https://other.example.org"}
    assert "Type it again" in str((await cast.ben.patch(path, {"values": moved})).refused(422))
    assert all(one.get("server") != moved["server"] for one in chat.checked)
    (await cast.ben.patch(path, {"values": {**moved, "token": SECRET}})).ok()
    changed = (await cast.ben.patch(path, {"values": {"token": "new"}})).ok()
    assert changed["settings"] == moved and changed["secrets"] == ["token"]
    assert chat.checked[-1] == {**moved, "token": "new"}
    assert "Fill this in" in str((await cast.ben.patch(path, {"values": {"token": ""}})).refused(422))
    assert (await cast.ben.patch(path, {"name": "New name"})).ok()["name"] == "New name"
    (await cast.ben.patch(path, {"name": "New name"})).ok()
    chat.raises = Refused("invalid_auth")
    assert "invalid_auth" in str((await cast.ben.patch(path, {"values": {"token": "no"}})).refused(422))
    assert await kinds(cast) == ["channel.created", *["channel.changed"] * 3]


async def test_channel_is_switched_off_and_on(cast: Cast, chat: Chat) -> None:
    row = await set_up(cast)
    await ReachChannel.filter(id=row.id).update(state="failing", last_error="invalid_auth")
    path = f"{PATH}/{row.id}"
    assert (await cast.ada.patch(path, {"state": "off"})).ok()["state"] == "off"
    again = (await cast.ada.patch(path, {"state": "on"})).ok()
    assert (again["state"], again["last_error"]) == ("on", None)


async def test_test_asks_the_provider_and_keeps_its_words(cast: Cast, chat: Chat) -> None:
    row = await set_up(cast)
    path = f"{PATH}/{row.id}/tests"
    assert (await cast.ada.post(path, {})).ok() == {"ok": True, "words": "@bot"}
    chat.raises = Refused("token_revoked")
    assert (await cast.ada.post(path, {})).ok() == {"ok": False, "words": "token_revoked"}
    [shown] = (await cast.ada.get(PATH)).ok()["items"]
    assert (shown["state"], shown["last_error"]) == ("failing", "token_revoked")
    chat.raises = None
    async with cast.app.app_context():
        device = await Device.create(
            user_id=cast.ada.id, organization_id=cast.organization.id, channel_id=row.id, kind="chat", mark="m",
            address="", label="Our chat, ada",
        )  # fmt: skip
    assert (await cast.ada.post(path, {"device_id": str(device.id)})).ok()["ok"] is True
    assert len(chat.messages) == 1
    assert (await cast.ada.get(PATH)).ok()["items"][0]["state"] == "on"


async def test_removed_channel_ends_what_it_reached(cast: Cast, chat: Chat) -> None:
    row = await set_up(cast)
    await Device.create(
        user_id=cast.cleo.id, organization_id=cast.organization.id, channel_id=row.id, kind="chat", mark="m",
        address="x", label="Our chat, cleo",
    )  # fmt: skip
    (await cast.ada.delete(f"{PATH}/{row.id}")).ok()
    (await cast.ada.delete(f"{PATH}/{row.id}")).refused(404)
    [device] = (await cast.cleo.get("/users/me/reach/devices")).ok()["items"]
    assert (device["state"], device["last_error"]) == ("ended", "Our chat was removed by Ada.")
    assert await kinds(cast) == ["channel.created", "channel.removed"]


async def test_team_has_a_place_of_a_channel_of_its_organization(cast: Cast, chat: Chat) -> None:
    row = await set_up(cast)
    path = f"{cast.home}/reach"
    assert (await cast.dan.get(path)).ok() == {"team": None}
    team = {"kind": "chat", "channel_id": str(row.id), "place": "C1", "name": "#platform"}
    set_to = (await cast.cleo.call("PUT", path, {"team": team})).ok()["team"]
    assert set_to == {**team, "state": "new", "last_error": None}
    (await cast.cleo.call("PUT", path, {"team": team})).ok()
    assert await Event.filter(kind="board.team_changed").count() == 1
    assert (await cast.cleo.post(f"{path}/tests")).ok()["ok"] is True
    [(to, message)] = chat.messages
    assert to == "C1" and message.url.endswith(f"/boards/{cast.board.id}/team")
    assert message.lines == ("Somebody pressed Test. What waits on the board is posted here from now on.",)
    for wrong in ({"channel_id": str(cast.board.id)}, {"channel_id": None}, {"kind": "mail"}, {"kind": "pigeon"}):
        (await cast.cleo.call("PUT", path, {"team": team | wrong})).refused(422)
    assert (await cast.cleo.call("PUT", path, {"team": None})).ok() == {"team": None}
    assert "no channel" in (await cast.cleo.post(f"{path}/tests")).refused(409)
    assert await Event.filter(kind="board.team_changed").count() == 2


async def test_channels_of_an_organization_are_limited(cast: Cast, chat: Chat) -> None:
    rows = [ReachChannel(organization_id=cast.organization.id, kind="chat", name=f"{n}") for n in range(MOST - 1)]
    await ReachChannel.bulk_create(rows)
    await set_up(cast)
    sent = {"kind": "chat", "values": {"token": SECRET}}
    assert f"{MOST} channels" in (await cast.ada.post("/organizations/me/channels", sent)).refused(409)


@pytest.mark.parametrize(("kind", "place", "wrong"), [
    ("telegram", "-1001234567890", ("77", "https://t.me/x", "-")),
    ("slack", "C0123456789", ("U0123456789", "D0123456789", "#general", "@ada")),
    (
        "discord",
        "https://discord.com/api/webhooks/1/x",
        ("file:///api/webhooks/1/x", "discord.com/api/webhooks/1/x"),
    ),
    ("teams", "https://x.api.powerplatform.com/y", ("gopher://x", "https://x /y")),
])  # fmt: skip
async def test_place_of_a_team_is_no_person(cast: Cast, kind: str, place: str, wrong: tuple[str, ...]) -> None:
    """Who writes on a board could send what waits there to the private chat of a colleague."""
    team: dict[str, Any] = {"kind": kind}
    if kind in ("telegram", "slack"):
        row = await ReachChannel.create(organization_id=cast.organization.id, kind=kind, name="x")
        team["channel_id"] = str(row.id)
    path = f"{cast.home}/reach"
    for one in wrong:
        answer = (await cast.cleo.call("PUT", path, {"team": team | {"place": one}})).refused(422)
        assert "no place of a team" in str(answer)
    (await cast.cleo.call("PUT", path, {"team": team | {"place": place}})).ok()


async def test_place_of_a_team_is_not_tired_by_tests(cast: Cast, chat: Chat) -> None:
    row = await set_up(cast)
    path, team = f"{cast.home}/reach", {"kind": "chat", "channel_id": str(row.id), "place": "C1"}
    (await cast.cleo.call("PUT", path, {"team": team})).ok()
    tests = [(await cast.cleo.post(f"{path}/tests")).ok() for _ in range(TESTS + 2)]
    assert [one["ok"] for one in tests] == [True] * TESTS + [False] * 2 and "too often" in tests[-1]["words"]
    assert len(chat.messages) == TESTS
    assert (await cast.ada.post(f"{path}/tests")).ok()["ok"]


async def test_place_that_is_a_secret_is_in_no_answer(cast: Cast) -> None:
    url = "https://hooks.example.org/secret"
    with installed(Hook()):
        path, team = f"{cast.home}/reach", {"kind": "hook", "place": url}
        answer = (await cast.cleo.call("PUT", path, {"team": team})).ok()
        assert answer["team"]["place"] is None and answer["team"]["name"].startswith("Hook of ")
        assert url not in str((await cast.cleo.get(path)).ok())
    device = await Device.get(board_id=cast.board.id)
    async with cast.app.app_context():
        assert url not in device.address and opened(device.address) == url


@pytest.mark.database
async def test_team_has_one_place_when_two_people_choose_one_at_once(cast: Cast, chat: Chat) -> None:
    row = await set_up(cast)
    team = {"kind": "chat", "channel_id": str(row.id), "name": "#platform"}
    path, people = f"{cast.home}/reach", (cast.ada, cast.ben, cast.cleo)
    sent = [one.call("PUT", path, {"team": {**team, "place": f"C{at}"}}) for at, one in enumerate(people)]
    assert [one.status for one in await asyncio.gather(*sent)] == [200] * 3
    assert await Device.filter(board_id=cast.board.id, ended_at=None).count() == 1


async def a_message(cast: Cast, **more: Any) -> ReachMessage:
    about = {"organization_id": cast.organization.id, "user_id": cast.cleo.id, "kind": "mail", "why": "first"}
    return await ReachMessage.create(**{**about, "title": "Approve: deploy", **more})


async def test_people_read_what_was_sent_and_what_became_of_it(cast: Cast) -> None:
    await a_message(cast, state="sent", title="One")
    await a_message(cast, state="elsewhere", ended_how="Ben was faster.", title="Two")
    await a_message(cast, state="failed", error="550 no such user", title="Three")
    await a_message(cast, user_id=cast.ben.id, title="Not mine")
    found = (await cast.cleo.get("/users/me/reach/messages")).ok()
    assert found["total"] == 3
    assert {one["title"]: one["words"] for one in found["items"]} == {
        "One": "waits", "Two": "Ben was faster.", "Three": "given up: 550 no such user",
    }  # fmt: skip
    assert found["items"][0]["device"] == "Mail"
    only = (await cast.cleo.get("/users/me/reach/messages?state=failed")).ok()
    assert [one["title"] for one in only["items"]] == ["Three"]


async def test_admin_sends_again_what_was_given_up(cast: Cast) -> None:
    failed = await a_message(cast, state="failed", error="550 no such user")
    path = "/organizations/me/messages"
    assert [one["id"] for one in (await cast.ada.get(f"{path}?state=failed")).ok()["items"]] == [str(failed.id)]
    assert (await cast.ada.post(f"{path}/{failed.id}/resends")).ok()["state"] == "queued"
    [delivery] = await Delivery.filter(kind="reach.mail")
    assert UUID(delivery.data["message"]) == failed.id
    assert "given up" in (await cast.ada.post(f"{path}/{failed.id}/resends")).refused(409)
