"""The page of a board's settings on which its team gets a channel of a chat."""

from typing import Any

from pydantic import Field
from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Invalid
from mission_control.core.values import parse_id
from mission_control.reach.channel import CHANNELS, Channel
from mission_control.reach.channels_api import channels_of
from mission_control.reach.device_queries import DeviceTest
from mission_control.reach.team_commands import read_reach
from mission_control.web.actions import Outcome, action, again
from mission_control.web.forms import Fields, Form, FormInvalid, done, go
from mission_control.web.lists import Pages
from mission_control.web.shell import shell_page

pages = Pages("reach_team_pages", __name__)
TEAM = "/boards/<uuid:board_id>/team"


class TeamForm(Form):
    """Where a team is reached: `channel` is a channel's id, or a kind that needs none; empty is nowhere."""

    channel: str = Field("", max_length=64)
    place: str = Field("", max_length=2000)
    name: str = Field("", max_length=150)

    def body(self, found: Board) -> Fields:
        if not self.channel:
            return {"team": None}
        if not self.place.strip():
            raise FormInvalid(self.model_dump(), {"place": "Enter where messages go."})
        kind, _, channel_id = self.channel.partition(":")
        team = {"kind": kind, "channel_id": parse_id(channel_id), "place": self.place, "name": self.name}
        return {"team": team}


async def _page(actor: Actor, board: Board, values: dict[str, Any], errors: dict[str, str]) -> str:
    places = [
        (value, f"{one.name} (switched off)" if one.state == "off" else one.name, CHANNELS[one.kind])
        for one in await channels_of(board.organization_id)
        if one.kind in CHANNELS and CHANNELS[one.kind].team is not None
        if (value := f"{one.kind}:{one.id}") == values.get("channel") or one.state != "off"
    ]
    places += [(one.kind, one.name, one) for one in CHANNELS.values() if one.team is not None and not one.sets]
    return await shell_page(
        actor, "reach/team.html", active=f"board-{board.id}", board=board, values=values, errors=errors,
        options=[(value, name) for value, name, _ in places], hints=_hints(places),
        team=(await read_reach(board)).team, may_set_up=actor.administers(board.organization_id),
    )  # fmt: skip


def _hints(places: list[tuple[str, str, Channel]]) -> str:
    """Return what is typed for each kind of place."""
    kinds = {one.kind: one for _, _, one in places}
    return " ".join(f"{one.name}: {one.team.label}, {one.team.hint}." for one in kinds.values() if one.team is not None)


async def _starts(actor: Actor, board: Board) -> dict[str, Any]:
    team = (await read_reach(board)).team
    if team is None:
        return {}
    channel = f"{team.kind}:{team.channel_id}" if team.channel_id else team.kind
    return {"channel": channel, "place": team.place or "", "name": team.name}


@action(pages, TEAM, form=TeamForm, page=TEAM, shows=_page, starts=_starts, refused=again(_page, FormInvalid, Invalid))
async def set_board_reach(outcome: Outcome[Board, TeamForm]) -> ResponseReturnValue:
    """Set where a board's team is reached."""
    return go(f"/boards/{outcome.found.id}/team")


@action(pages, f"{TEAM}/tests", refused=again(_page, Conflict))
async def test_board_reach(outcome: Outcome[Board, None]) -> ResponseReturnValue:
    """Send a test to the team."""
    tested: DeviceTest = outcome.answer
    words = f"A test arrived after {tested.seconds:.1f} s" if tested.ok else tested.words
    return done(f"/boards/{outcome.found.id}/team", toast=words)
