"""Accounts of real chats are linked by a code in private: by nobody else, once, in time; and tested, and unlinked."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from quart import Quart

from mission_control.channels.devices.codes import _tries
from mission_control.channels.models import Device
from mission_control.core import times
from tests.cast import Cast, Person
from tests.channels.conftest import at
from tests.channels.playing import code_for, link, played, say, status_of
from tests.channels.plays import PLAYS, Play
from tests.channels.test_core import asked


@pytest.fixture(params=PLAYS)
async def play(
    request: pytest.FixtureRequest, app: Quart, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Play]:
    """A chat that is set up, with nobody linked."""
    _tries.clear()
    async with played(request.param, app, cast, monkeypatch) as found:
        yield found


async def state_of(person: Person, code: dict[str, Any]) -> tuple[str, str]:
    found = (await person.get(f"/users/me/reach/codes/{code['id']}")).ok()
    return found["state"], found["label"]


async def test_person_confirms_who_sent_the_code(cast: Cast, play: Play) -> None:
    code = await code_for(play, cast.ada)
    assert await say(play, play.ada, f" {code['code'].lower()} ")
    state, label = await state_of(cast.ada, code)
    assert state == "sent" and "ada" in label.lower()
    assert await Device.all().count() == 0
    device = (await cast.ada.post(f"/users/me/reach/codes/{code['id']}/confirmations")).ok()
    assert "ada" in device["label"].lower()
    tested = (await cast.ada.post(f"/users/me/reach/devices/{device['id']}/tests")).ok()
    assert tested["ok"] and "reaches you here" in play.messages(play.ada)[-1].text


async def test_test_shows_the_words_of_the_provider(cast: Cast, play: Play) -> None:
    device = await link(play, cast.ada, play.ada)
    play.refuse()
    tested = (await cast.ada.post(f"/users/me/reach/devices/{device['id']}/tests")).ok()
    assert not tested["ok"] and play.refusal in tested["words"]


async def test_code_that_somebody_else_sent_first_is_theirs_to_see(cast: Cast, play: Play) -> None:
    code = await code_for(play, cast.ada)
    await say(play, play.eve, code["line"])
    assert "unknown" in await say(play, play.ada, code["line"])
    state, label = await state_of(cast.ada, code)
    assert state == "sent" and play.eve.removesuffix("-id") in label
    (await cast.ada.delete(f"/users/me/reach/codes/{code['id']}")).ok()
    (await cast.ada.post(f"/users/me/reach/codes/{code['id']}/confirmations")).refused(409)
    assert await Device.all().count() == 0


async def test_code_counts_once_and_in_time(cast: Cast, play: Play) -> None:
    code = await code_for(play, cast.ada)
    with times.travelled(timedelta(minutes=11)):
        assert "unknown" in await say(play, play.ada, code["line"])
    await say(play, play.ada, code["line"])
    (await cast.ada.post(f"/users/me/reach/codes/{code['id']}/confirmations")).ok()
    assert "unknown" in await say(play, play.eve, code["line"])
    (await cast.ada.post(f"/users/me/reach/codes/{code['id']}/confirmations")).refused(409)


async def test_guesses_are_limited(cast: Cast, play: Play) -> None:
    words = [await say(play, play.eve, f"MC-0000-0000-000{number}") for number in range(6)]
    assert "unknown" in words[0] and "too often" in words[-1]


async def test_account_that_moves_ends_with_the_person_before(cast: Cast, play: Play) -> None:
    await link(play, cast.ada, play.ada)
    _tries.clear()
    await link(play, cast.ben, play.ada)
    mine = (await cast.ada.get("/users/me/reach/devices")).ok()["items"]
    assert [one["state"] for one in mine] == ["ended"] and "another account" in mine[0]["last_error"]


async def test_unlinked_account_answers_nothing(cast: Cast, play: Play) -> None:
    device = await link(play, cast.ada, play.ada)
    approval = await asked(cast)
    await at(25)
    [shown] = play.messages(play.ada)
    token = play.token(shown, "Approve")
    (await cast.ada.delete(f"/users/me/reach/devices/{device['id']}")).ok()
    assert "no longer valid" in await play.send_press(shown, token, play.ada)
    assert await status_of(cast, approval) == "pending"


async def test_channel_that_is_off_takes_nothing(cast: Cast, play: Play) -> None:
    (await cast.ada.patch(f"/organizations/me/channels/{play.channel_id}", {"state": "off"})).ok()
    (await cast.ada.post("/users/me/reach/codes", {"channel_id": str(play.channel_id)})).refused(409)
    assert (await play.post("{}", {}))[0] == 404


async def test_secrets_are_in_no_answer_and_go_to_no_new_address(cast: Cast, play: Play) -> None:
    secrets = [value for name, value in play.values().items() if "token" in name or "secret" in name]
    answer = await cast.ada.get("/organizations/me/channels")
    assert not [one for one in secrets if one in str(answer.ok())]
    address = "server" if play.kind == "mattermost" else "api"
    moved = await cast.ben.patch(
        f"/organizations/me/channels/{play.channel_id}", {"values": {address: "http://10.0.0.1"}}
    )
    assert "again: it would be sent to another address" in str(moved.refused(422))


async def test_address_for_requests_is_shown_where_it_is_needed(cast: Cast, play: Play) -> None:
    [shown] = (await cast.ada.get("/organizations/me/channels")).ok()["items"]
    address = f"https://mission.example.org/reach/in/{play.channel_id}"
    assert shown["address"] == ("" if play.kind == "telegram" else address)
