"""Listening to chats: one process each, what fails holds up nobody, and what ends is begun again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from quart import Quart

from mission_control.channels.answers import receiving
from mission_control.channels.answers.presses import press
from mission_control.channels.models import ReachChannel
from mission_control.core import times
from mission_control.database.sql import rows
from mission_control.events.wakeup_channels import PROCESS
from tests.cast import Cast
from tests.channels.conftest import at
from tests.channels.playing import link, played, status_of
from tests.channels.plays import PLAYS, Play, until
from tests.channels.test_core import asked


@pytest.fixture
async def telegram(app: Quart, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Play]:
    """Telegram, linked to Ada."""
    async with played("telegram", app, cast, monkeypatch) as found:
        await link(found, cast.ada, found.ada)
        yield found


@pytest.mark.parametrize("name", PLAYS)
async def test_press_that_fails_is_said_and_holds_up_no_other(
    name: str, app: Quart, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with played(name, app, cast, monkeypatch) as play:
        await link(play, cast.ada, play.ada)
        approval = await asked(cast)
        await at(25)

        async def fails(*arguments: Any, **more: Any) -> None:
            raise RuntimeError("the database is away")

        monkeypatch.setattr(receiving, "press", fails)
        assert "did not work" in await play.press(play.ada, "Approve")
        monkeypatch.setattr(receiving, "press", press)
        assert await status_of(cast, approval) == "pending"
        assert "Done" in await play.press(play.ada, "Approve")


async def test_one_process_listens_until_it_is_gone(
    cast: Cast, telegram: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = (await ReachChannel.get()).leased_by
    assert mine == PROCESS and len(receiving._state.running) == 1
    with monkeypatch.context() as other:
        other.setattr(receiving, "PROCESS", "another")
        other.setattr(receiving._state, "running", {})
        await receiving.look()
        assert (await ReachChannel.get()).leased_by == mine and receiving._state.running == {}
        with times.travelled(timedelta(seconds=31)):
            await receiving.look()
        assert (await ReachChannel.get()).leased_by == "another" and len(receiving._state.running) == 1
        await receiving.stop()
        assert (await ReachChannel.get()).leased_by is None


async def test_removed_channel_is_no_longer_listened_to(cast: Cast, telegram: Play) -> None:
    [listener] = receiving._state.running.values()
    (await cast.ada.delete(f"/organizations/me/channels/{telegram.channel_id}")).ok()
    await receiving.look()
    assert receiving._state.running == {} and listener.task.done()


async def test_refusal_while_listening_makes_the_channel_fail(cast: Cast, telegram: Play) -> None:
    telegram.fake.has_webhook = True
    telegram.fake.say(1, "hello")  # ends the poll that waits
    await until(lambda: telegram.fake._polls > 0)
    async with asyncio.timeout(30):
        while (found := await ReachChannel.get()).state == "on":
            await asyncio.sleep(0.02)
    assert found.state == "failing" and "webhook is active" in str(found.last_error)


async def test_provider_that_is_away_for_long_makes_the_channel_fail_until_it_is_back(
    cast: Cast, telegram: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stands(state: str) -> None:
        async with asyncio.timeout(30):
            while (await ReachChannel.get()).state != state:
                await asyncio.sleep(0.02)

    monkeypatch.setattr(receiving, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(receiving, "LONGEST_RETRY_SECONDS", 0.01)
    tries = telegram.fake.tries
    telegram.break_down(broken=True)
    await until(lambda: telegram.fake.tries > tries + 5)
    assert (await ReachChannel.get()).state == "on"
    with times.travelled(timedelta(minutes=11)):
        await stands("failing")
        assert (await ReachChannel.get()).last_error == "The answer was 502."
        telegram.break_down(broken=False)
        await stands("on")


async def test_what_was_taken_is_not_taken_again_after_a_restart(cast: Cast, telegram: Play) -> None:
    replies = len(telegram.replies(telegram.ada))
    position = (await ReachChannel.get()).position
    assert position.isdecimal()
    await receiving.stop()
    await receiving.look()
    await telegram.say(telegram.ada, "MC-0000-0000-0000")
    await until(lambda: len(telegram.replies(telegram.ada)) == replies + 1)
    assert int((await ReachChannel.get()).position) >= int(position)


async def test_channel_that_is_set_up_during_a_look_is_not_missed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_state", receiving._State())

    async def notified_meanwhile(sql: str, *values: object) -> object:
        found = await rows(sql, *values)
        receiving.channels_changed()
        return found

    monkeypatch.setattr(receiving, "rows", notified_meanwhile)
    await receiving.look()
    assert receiving._state.has_channels
    monkeypatch.setattr(receiving, "rows", rows)
    await receiving.look()
    assert not receiving._state.has_channels


async def test_channel_whose_secrets_cannot_be_read_holds_up_no_other(cast: Cast, telegram: Play) -> None:
    await receiving.stop()
    lost = await ReachChannel.create(
        organization_id=cast.elsewhere.id, kind="telegram", name="Lost", secrets="written-with-another-key"
    )
    await receiving.look()
    assert [*receiving._state.running] == [telegram.channel_id]
    found = await ReachChannel.get(id=lost.id)
    assert found.state == "failing" and "SECRET_KEY" in str(found.last_error)
