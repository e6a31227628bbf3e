"""The running application with a chat: set up, linked, listened to; loops look only when a test says so."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from quart import Quart

from mission_control.core import times
from mission_control.database.records import insert
from mission_control.reach import keeping, receiving
from mission_control.reach.installation import sealed, sealed_values
from mission_control.reach.models import Device, ReachChannel
from tests.cast import Cast, Person
from tests.deliveries import look_away
from tests.reach.conftest import settle
from tests.reach.plays import PLAYS, Play
from tests.reach.serving import serving


@contextmanager
def at_home(app: Quart) -> Iterator[None]:
    """Let the installation have a public address, and reach providers on this machine."""
    known = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(known, base_url="https://mission.example.org", outbound_allow_private=True)
    try:
        yield
    finally:
        app.config["SETTINGS"] = known


async def loops_look_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be planned, sent or fetched but by a test."""

    async def see_nothing() -> float:
        return 60.0

    monkeypatch.setattr(keeping.KEEPING, "look", see_nothing)
    monkeypatch.setattr(receiving.LISTENERS, "look", see_nothing)
    await look_away(monkeypatch)


@asynccontextmanager
async def played(name: str, app: Quart, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Play]:
    """Yield a chat that is set up and listened to."""
    await loops_look_away(monkeypatch)
    kind, fake = PLAYS[name]
    play = kind(app, fake())
    with at_home(app):
        async with serving(play.fake.app) as url:
            play.url = url
            try:
                await set_up(play, cast)
                yield play
            finally:
                await receiving.stop()


async def set_up(play: Play, cast: Cast) -> None:
    """Let the organization have the chat, and listen to it."""
    row = ReachChannel(
        organization_id=cast.organization.id, kind=play.kind, name="Chat", secrets=sealed_values(play.values())
    )
    await insert(row)
    play.channel_id = row.id
    await listen(play)


async def listen(play: Play) -> None:
    """Begin to fetch what people press and say."""
    receiving.channels_changed()
    await receiving.look()
    await play.is_listened_to()


async def link(play: Play, person: Person, who: str) -> None:
    """Let a person be reached as an account of the chat."""
    name = {"slack": f"T1/{who}"}.get(play.kind, who)
    to = {"slack": f"D{who}", "mattermost": f"dm-{who}"}.get(play.kind, who)
    device = Device(
        user_id=person.id,
        kind=play.kind,
        channel_id=play.channel_id,
        who=name,
        mark=f"{play.kind} {who}",
        address=sealed(to),
        label=who,
    )
    await insert(device)


async def link_team(play: Play, cast: Cast) -> None:
    """Let the board's team be reached at a place of the chat."""
    device = Device(
        board_id=cast.board.id,
        kind=play.kind,
        channel_id=play.channel_id,
        mark=f"{play.kind} team",
        address=sealed(play.team),
        label="Team",
    )
    await insert(device)


async def at(seconds: float) -> None:
    """Look, plan and send, so many seconds from now."""
    with times.travelled(timedelta(seconds=seconds)):
        await settle()


async def status_of(cast: Cast, approval: dict[str, Any]) -> str:
    """How an approval stands."""
    found = (await cast.ada.get(f"{cast.home}/approvals/{approval['id']}")).ok()
    return str(found["status"])
