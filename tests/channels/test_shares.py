"""Slow receivers of one organization, or of one person, hold up nobody else."""

import asyncio
from datetime import timedelta

import pytest

from mission_control.background import sending as loop
from mission_control.channels.channel import Later, Line, Message
from mission_control.channels.delivery import sending
from mission_control.core import times
from tests.cast import Cast
from tests.channels.conftest import After
from tests.channels.fake_channel import Chat, chat_of
from tests.channels.plays import until
from tests.channels.test_attacks import planned
from tests.channels.test_core import asked

pytestmark = [pytest.mark.dialect, pytest.mark.database]
HERS = {"action_type": "deploy", "confidence": 90, "lead_reasoning": "Now."}


@pytest.fixture(autouse=True)
def rested() -> None:
    """No device rests from another test."""
    sending._resting.clear()


async def test_slow_receivers_of_one_organization_hold_up_no_other(
    cast: Cast, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = {"ada": cast.ada, "ben": cast.ben, "cleo": cast.cleo}
    for who, person in people.items():
        await chat.link(person.id, who)
    for place in ("#ops", "#night", "#day"):
        await chat.link_team(cast.board.id, place)
    hers = await chat_of(cast.elsewhere.id, chat.channel)
    await hers.link(cast.eve.id, "eve")
    gate, tried, send = asyncio.Event(), list[str](), chat.channel.send

    async def slow(line: Line, message: Message) -> str:
        tried.append(line.to)
        if line.to != "eve":
            await gate.wait()
        return await send(line, message)

    monkeypatch.setattr(chat.channel, "send", slow)
    await asked(cast)
    await planned()
    (await cast.nova.post(f"/agent/boards/{cast.foreign_board.id}/approvals", HERS)).ok()
    await planned()
    with times.travelled(timedelta(seconds=30)):
        await loop.look()
        await until(lambda: len(tried) > sending.OWN_SHARE)
    assert "eve" in tried and len(tried) == sending.OWN_SHARE + 1
    assert str(cast.organization.id) in sending._of_others("fake")
    assert str(cast.elsewhere.id) not in sending._of_others("fake")
    gate.set()
    await asyncio.gather(*loop.SENDING.tasks)
    assert sending._of_others("fake") == ""


async def test_receiver_that_took_nothing_rests_for_all_that_goes_there(
    cast: Cast, chat: Chat, after: After, monkeypatch: pytest.MonkeyPatch
) -> None:
    await chat.link(cast.ada.id, "ada")
    await chat.link(cast.ben.id, "ben")
    tried, send = list[str](), chat.channel.send

    async def silent(line: Line, message: Message) -> str:
        tried.append(line.to)
        if line.to == "ada":
            raise Later("The provider did not answer in time.")
        return await send(line, message)

    monkeypatch.setattr(chat.channel, "send", silent)
    for number in range(6):
        with times.travelled(timedelta(seconds=100 * number)):
            await asked(cast, action_type=f"deploy.{number}")
        await after(25 + 100 * number)
    tried.clear()
    await after(3000)
    assert 1 <= tried.count("ada") <= sending.OWN_SHARE  # those that were on their way at once
    await after(3001 + sending.RESTING_SECONDS)
    assert 2 <= tried.count("ada") <= 2 * sending.OWN_SHARE
