"""The place of a board's team: a channel of a chat where everybody of the board reads what waits."""

import re
from typing import Annotated
from uuid import UUID

from pydantic import Field

from mission_control.boards.models import Board
from mission_control.channels.channel import CHANNELS, Channel
from mission_control.channels.devices.queries import DeviceState, state_of
from mission_control.channels.installation import opened, refuse_out_of_reach, sealed
from mission_control.channels.models import Device, ReachChannel
from mission_control.channels.preferences.commands import WAKES
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import invalid_field
from mission_control.core.values import Body, NonEmptyStr, Schema, example, fingerprint
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import notify, record

EVENTS = (Kind("board.team_changed", "The channel of a board's team changed.", "changed the team's channel of"),)
Place = Annotated[
    NonEmptyStr, Field(max_length=2000, description="Its address at the provider, such as a channel's id")
]


class TeamPlace(Body):
    """Where a board's team reads: a place of one of the organization's channels, or of a kind that needs none."""

    kind: NonEmptyStr
    channel_id: UUID | None = None
    place: Place
    name: Annotated[str, Field(max_length=150, description="What people call it, such as #platform")] = ""


class BoardReachUpdate(Body):
    """Where a board's team is reached; null: nowhere."""

    model_config = Body.model_config | example(team=None)

    team: Annotated[TeamPlace | None, Field(description="The channel of the team")]


class TeamRead(Schema):
    """The channel of a board's team. A `place` that is a secret is in no answer."""

    kind: str
    channel_id: UUID | None
    place: str | None
    name: str
    state: DeviceState
    last_error: str | None


class BoardReach(Schema):
    """Where a board's team is reached."""

    team: Annotated[TeamRead | None, Field(description="The channel of the team, null where it has none")]


async def team_of(board: Board) -> Device | None:
    return await Device.filter(board_id=board.id, ended_at=None).first()


async def read_reach(board: Board) -> BoardReach:
    device = await team_of(board)
    if device is None:
        return BoardReach(team=None)
    kind = CHANNELS.get(device.kind)
    is_secret = kind is None or kind.team is None or kind.team.is_secret
    return BoardReach(
        team=TeamRead(
            kind=device.kind, channel_id=device.channel_id, place=None if is_secret else opened(device.address),
            name=device.label, state=state_of(device), last_error=device.last_error,
        )
    )  # fmt: skip


@command("board.update")
async def set_team(actor: Actor, board: Board, wanted: TeamPlace | None) -> None:
    """Let a board's team be reached at a place, in place of the one before. The place that it has already: a no-op."""
    await Board.select_for_update(no_key=True).get(id=board.id)  # two who set it at once: the second ends the first's
    device = await Device.select_for_update().filter(board_id=board.id, ended_at=None).first()
    team = await _new_team(board, wanted) if wanted is not None else None
    if _place_of(team) == _place_of(device):
        return
    if device is not None:
        now = times.clock_now()
        await Device.filter(id=device.id).update(ended_at=now, mark=None, address="", settings="", last_error=None)
    if team is not None:
        await team.save(force_create=True)
    words = f"The team is reached in {team.label}" if team is not None else "No channel of the team"
    record("board.team_changed", board, f"{words}.", channel_kind=team.kind if team is not None else None)
    notify(WAKES)


def _place_of(device: Device | None) -> tuple[str | None, str] | None:
    return None if device is None else (device.mark, device.label)


async def _new_team(board: Board, wanted: TeamPlace) -> Device:
    kind = await _kind_of(board, wanted)
    return Device(
        board_id=board.id, organization_id=board.organization_id, kind=wanted.kind, channel_id=wanted.channel_id,
        mark=fingerprint(f"team/{board.id}/{wanted.kind}/{wanted.channel_id or ''}/{wanted.place}"),
        address=sealed(wanted.place), label=wanted.name.strip() or f"{kind.name} of {board.name}",
    )  # fmt: skip


async def _check_channel(board: Board, kind: Channel, channel_id: UUID | None) -> None:
    if bool(kind.sets) != (channel_id is not None):
        needs = "one of the organization's channels" if kind.sets else "no channel of the organization"
        raise invalid_field("team", f"{kind.name} needs {needs}")
    if channel_id is not None:
        here = ReachChannel.filter(organization_id=board.organization_id, kind=kind.kind)
        if not await here.filter(id=channel_id).exists():
            raise invalid_field("team", "There is no such channel in this organization")


async def _kind_of(board: Board, wanted: TeamPlace) -> Channel:
    kind = CHANNELS.get(wanted.kind)
    if kind is None or kind.team is None:
        kinds = ", ".join(channel.kind for channel in CHANNELS.values() if channel.team is not None)
        raise invalid_field("team", f"No team is reached by this kind. Kinds: {kinds or 'none'}")
    await _check_channel(board, kind, wanted.channel_id)
    if kind.team.pattern and not re.fullmatch(kind.team.pattern, wanted.place):
        raise invalid_field("team", f"This is no place of a team. {kind.team.label}: {kind.team.hint}")
    if "://" in wanted.place:
        refuse_out_of_reach("team", wanted.place)
    return kind
