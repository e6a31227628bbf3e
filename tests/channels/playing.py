"""The running application with a chat: set up, linked, listened to; loops look only when a test says so."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from quart import Quart

from mission_control.channels.answers import receiving
from tests.cast import Cast, Person
from tests.channels.plays import PLAYS, Play, until
from tests.channels.serving import serving
from tests.deliveries import look_away
from tests.settings import having


def at_home(app: Quart) -> AbstractContextManager[None]:
    """Let the installation have a public address, and reach providers on this machine."""
    return having(app, base_url="https://mission.example.org", outbound_allow_private=True)


async def loops_look_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be sent or fetched but by a test."""

    async def see_nothing() -> float:
        return 60.0

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
    """Let Ada set the chat up for the organization, and listen to it."""
    body = {"kind": play.kind, "name": "Chat", "values": play.values()}
    made = (await cast.ada.post("/organizations/me/channels", body)).ok()
    assert made["state"] == "on" and made["known_as"]
    play.channel_id = UUID(made["id"])
    await listen(play)


async def listen(play: Play) -> None:
    """Begin to fetch what people press and say."""
    await receiving.look()
    await play.is_listened_to()


async def code_for(play: Play, person: Person) -> dict[str, Any]:
    """A code that links an account of the chat to a person."""
    made: dict[str, Any] = (await person.post("/users/me/reach/codes", {"channel_id": str(play.channel_id)})).ok()
    return made


async def say(play: Play, who: str, text: str) -> str:
    """Let somebody write to the bot in private, and return what it answers."""
    before = len(play.replies(who))
    await play.say(who, text)
    replies: list[str] = await until(lambda: play.replies(who)[before:])
    return replies[0]


async def link(play: Play, person: Person, who: str) -> dict[str, Any]:
    """Let a person link an account, by a code that it sends to the bot in private; return the device."""
    code = await code_for(play, person)
    assert "confirm that this is you" in await say(play, who, code["line"])
    assert (await person.get(f"/users/me/reach/codes/{code['id']}")).ok()["state"] == "sent"
    device: dict[str, Any] = (await person.post(f"/users/me/reach/codes/{code['id']}/confirmations")).ok()
    return device


async def link_team(play: Play, cast: Cast) -> None:
    """Let the board's team be reached at a place of the chat."""
    team = {"kind": play.kind, "channel_id": str(play.channel_id), "place": play.team, "name": "#team"}
    (await cast.ada.call("PUT", f"{cast.home}/reach", {"team": team})).ok()


async def status_of(cast: Cast, approval: dict[str, Any]) -> str:
    """How an approval stands."""
    found = (await cast.ada.get(f"{cast.home}/approvals/{approval['id']}")).ok()
    return str(found["status"])
