"""The place of a board's team in chats, with the running application: who may answer there, and what is shown."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from quart import Quart

from mission_control.channels.installation import reachable_address
from mission_control.channels.models import ReachMessage
from mission_control.events.models import Event
from tests.cast import Cast
from tests.channels.conftest import at
from tests.channels.fake_discord import FakeDiscord
from tests.channels.fake_teams import FakeTeams
from tests.channels.playing import at_home, link, link_team, loops_look_away, played, status_of
from tests.channels.plays import PLAYS, Play
from tests.channels.serving import serving
from tests.channels.test_core import asked
from tests.settings import having


@pytest.fixture(params=PLAYS)
async def play(
    request: pytest.FixtureRequest, app: Quart, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Play]:
    """A chat with the place of a board's team, in which Cleo may answer and Dan may only read."""
    async with played(request.param, app, cast, monkeypatch) as found:
        await link(found, cast.cleo, found.cleo)
        await link(found, cast.dan, found.dan)
        await link_team(found, cast)
        yield found


async def test_team_answers_as_who_pressed(cast: Cast, play: Play) -> None:
    approval = await asked(cast)
    await at(25)
    [shown] = play.messages(play.team)
    assert "Link your account" in await play.press(play.team, "Approve", by=play.eve)
    assert "may not answer" in await play.press(play.team, "Approve", by=play.dan)
    assert await status_of(cast, approval) == "pending"
    assert "Done" in await play.press(play.team, "Approve", by=play.cleo)
    assert await status_of(cast, approval) == "approved"
    event = await Event.filter(kind="approval.decided").order_by("-seq").first()
    assert event is not None and (event.actor_id, event.surface) == (cast.cleo.id, play.kind)
    await at(90)
    [shown] = play.messages(play.team)
    assert "Approve" not in shown.labels and f"{cast.cleo.name} approved this" in shown.text


@asynccontextmanager
async def place_of(
    kind: str, fake: FakeDiscord | FakeTeams, path: str, app: Quart, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """Let the board's team be reached by a webhook of a chat."""
    await loops_look_away(monkeypatch)
    with at_home(app):
        async with serving(fake.app) as url:
            team = {"kind": kind, "place": f"{url}{path}"}
            (await cast.ada.call("PUT", f"{cast.home}/reach", {"team": team})).ok()
            yield


async def test_discord_shows_how_it_ended(app: Quart, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    discord = FakeDiscord()
    async with place_of("discord", discord, "/api/webhooks/1/good-secret", app, cast, monkeypatch):
        approval = await asked(cast)
        await at(25)
        [message] = discord.messages.values()
        assert "Look and answer" in message["embeds"][0]["description"] and "components" not in message
        assert (await ReachMessage.get()).state == "sent"
        await cast.ben.patch(f"{cast.home}/approvals/{approval['id']}", {"status": "approved"})
        await at(90)
        [message] = discord.messages.values()
        assert f"{cast.ben.name} approved this" in message["embeds"][0]["description"]


async def test_teams_leads_to_the_board(app: Quart, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    teams = FakeTeams()
    path = "/workflows/good-secret/triggers/manual/paths/invoke"
    async with place_of("teams", teams, path, app, cast, monkeypatch):
        approval = await asked(cast)
        await at(25)
        [card] = teams.cards
        assert card["actions"][0]["url"].startswith("https://mission.example.org/")
        await cast.ben.patch(f"{cast.home}/approvals/{approval['id']}", {"status": "approved"})
        await at(90)
        assert len(teams.cards) == 1


async def test_webhook_that_was_deleted_says_so(app: Quart, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    async with place_of("discord", FakeDiscord(), "/api/webhooks/1/deleted", app, cast, monkeypatch):
        await asked(cast)
        await at(25)
        team = (await cast.ada.get(f"{cast.home}/reach")).ok()["team"]
        assert (team["state"], team["last_error"]) == ("fails", "Unknown Webhook")


@pytest.mark.parametrize(("base_url", "private", "address"), [
    ("https://mission.example.org", False, "https://mission.example.org"),
    ("http://10.0.0.5:8000", False, ""),
    ("http://10.0.0.5:8000", True, "http://10.0.0.5:8000"),
    ("http://mission.lan", True, "http://mission.lan"),
    ("http://localhost:8000", True, ""),
    ("http://127.0.0.1:8000", True, ""),
    ("", True, ""),
])  # fmt: skip
def test_buttons_lead_to_an_address_that_providers_reach(
    app: Quart, base_url: str, private: bool, address: str
) -> None:
    with having(app, base_url=base_url, outbound_allow_private=private):
        assert reachable_address() == address
