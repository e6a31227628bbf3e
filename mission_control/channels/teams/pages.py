"""The page of a board's settings on which its team gets a channel of a chat."""

from pydantic import Field
from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board
from mission_control.channels.api import channels_of
from mission_control.channels.channel import CHANNELS, Channel
from mission_control.channels.devices.queries import DeviceTest
from mission_control.channels.teams.commands import TeamRead, read_reach
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Invalid
from mission_control.core.values import parse_id
from mission_control.web.actions import Outcome, Refusal, action, again
from mission_control.web.forms import EditConflict, Fields, FormInvalid, FormValues, VersionedForm, done, go
from mission_control.web.lists import Pages
from mission_control.web.shell import shell_page

pages = Pages("reach_team_pages", __name__)
TEAM = "/boards/<uuid:board_id>/team"


class TeamForm(VersionedForm):
    """Where a team is reached: `channel` is a channel's id, or a kind that needs none; empty is nowhere."""

    channel: str = Field("", max_length=64)
    place: str = Field("", max_length=2000)
    name: str = Field("", max_length=150)

    @classmethod
    def values_of(cls, thing: TeamRead | None) -> FormValues:
        if thing is None:
            return {"channel": "", "place": "", "name": ""}
        channel = f"{thing.kind}:{thing.channel_id}" if thing.channel_id else thing.kind
        return {"channel": channel, "place": thing.place or "", "name": thing.name}

    async def newest(self, thing: Board) -> TeamRead | None:
        return (await read_reach(thing)).team

    def body(self, found: Board) -> Fields:
        if not self.channel:
            return {"team": None}
        if not self.place.strip():
            raise FormInvalid(self.model_dump(), {"place": "Enter where messages go."})
        kind, _, channel_id = self.channel.partition(":")
        team = {"kind": kind, "channel_id": parse_id(channel_id), "place": self.place, "name": self.name}
        return {"team": team}


async def _places(board: Board, chosen: object) -> list[tuple[str, str, Channel]]:
    """Return where a team may be reached, with its name; a channel that is switched off only where it is chosen."""
    kinds = {kind.kind: kind for kind in CHANNELS.values() if kind.team is not None}
    places = [
        (value, f"{channel.name} (switched off)" if channel.state == "off" else channel.name, kinds[channel.kind])
        for channel in await channels_of(board.organization_id)
        if channel.kind in kinds
        if (value := f"{channel.kind}:{channel.id}") == chosen or channel.state != "off"
    ]
    return places + [(kind.kind, kind.name, kind) for kind in kinds.values() if not kind.sets]


async def _page(actor: Actor, board: Board, values: FormValues, errors: dict[str, str]) -> str:
    places = await _places(board, values.get("channel"))
    return await shell_page(
        actor, "channels/team.html", active=f"board-{board.id}", board=board, values=values, errors=errors,
        options=[(value, name) for value, name, _ in places], hints=_hints(places),
        team=(await read_reach(board)).team, may_set_up=actor.administers(board.organization_id),
    )  # fmt: skip


def _hints(places: list[tuple[str, str, Channel]]) -> str:
    kinds = {one.kind: one for _, _, one in places}
    return " ".join(
        f"{kind.name}: {kind.team.label}, {kind.team.hint}." for kind in kinds.values() if kind.team is not None
    )


async def _starts(actor: Actor, board: Board) -> FormValues:
    return TeamForm.shown((await read_reach(board)).team)


async def _refused(refusal: Refusal[Board, TeamForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid, Invalid, EditConflict)
    errors = {"place" if name == "team" else name: sentence for name, sentence in refusal.errors.items()}
    if isinstance(refusal.error, EditConflict) and "channel" in errors:
        errors["channel"] = "Somebody chose another one. Saving replaces that."
    return await _page(refusal.actor, refusal.found, refusal.values, errors)


@action(pages, TEAM, form=TeamForm, page=TEAM, shows=_page, starts=_starts, refused=_refused)
async def set_board_reach(outcome: Outcome[Board, TeamForm]) -> ResponseReturnValue:
    return go(f"/boards/{outcome.found.id}/team")


@action(pages, f"{TEAM}/tests", refused=again(_page, Conflict))
async def test_board_reach(outcome: Outcome[Board, None]) -> ResponseReturnValue:
    tested: DeviceTest = outcome.answer
    words = f"A test arrived after {tested.seconds:.1f} s" if tested.ok else tested.words
    return done(f"/boards/{outcome.found.id}/team", toast=words)
