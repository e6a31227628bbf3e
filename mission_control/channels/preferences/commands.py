"""What people chose: when and how they are reached, and which kinds of needs and boards differ."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from mission_control.boards.models import Board
from mission_control.channels.delivery.plan import How
from mission_control.channels.models import Device, ReachBoard, ReachCode, ReachMessage, ReachSettings
from mission_control.core.actor import Actor, rule
from mission_control.core.errors import invalid_field
from mission_control.core.values import Body, example
from mission_control.database.records import insert
from mission_control.events.commands import command
from mission_control.events.event_log import AccountKind
from mission_control.events.unit_of_work import notify, signal
from mission_control.needs.kinds import KINDS
from mission_control.people.audit.account_log import record_account
from mission_control.people.models import User

ACCOUNT_EVENTS = (AccountKind("account.reach_changed", "Somebody changed when and how they are reached."),)

Mode = Literal["devices", "mail", "page"]
Shows = Literal["title", "nothing"]
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Weekday = Annotated[int, Field(ge=0, le=6)]
WAKES = "reach"  # the wake-up channel of what decides who is sent what


@rule("reach.choose")
def may_choose(actor: Actor, thing: object) -> bool:
    """Every person, for themselves."""
    return actor.is_user and (
        not isinstance(thing, Device | ReachCode | ReachMessage) or thing.user_id == actor.user_id
    )


class BoardChoice(Body):
    """A board about which somebody is reached in another way: `at_once`, also in quiet hours, `digest` or `never`."""

    board_id: UUID
    how: Annotated[How, Field(description="How the caller is reached about the board")]


A_DAY, AN_HOUR = 1440, 60


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


class Choices(Body):
    """When and how somebody is reached; what is left out gets its default.

    `mode`: on their `devices`, and by mail after `next_after` minutes unless they have seen it; by `mail` alone; or
    only on the `page`. Quiet hours, which end with one digest, are of the time zone of their profile, and do not count
    without one. Monday is 0 of the days off. `wake`: what ends before the quiet hours do is sent in spite of them.
    `shows` is what stands on lock screens. `only_blocking`: only what stops an agent is sent at once. `morning`: a
    digest each morning. `kinds` of needs have a way of their own.
    """

    model_config = Body.model_config | example(mode="devices", quiet_from="22:00", quiet_to="07:30", days_off=[5, 6])

    mode: Annotated[Mode, Field(description="Where the caller is reached")] = "devices"
    next_after: Annotated[int, Field(ge=1, le=1440, description="Minutes until the next device is tried")] = 10
    has_quiet: Annotated[bool, Field(description="Whether quiet hours count")] = True
    quiet_from: Annotated[ClockTime, Field(description="When quiet hours begin, such as 22:00")] = "22:00"
    quiet_to: Annotated[
        ClockTime, Field(validate_default=True, description="When quiet hours end, and a digest is sent")
    ] = "08:00"
    days_off: Annotated[list[Weekday], Field(max_length=7, description="Days on which all hours are quiet")] = []
    wake: Annotated[bool, Field(description="Whether quiet hours are broken for what ends before they do")] = False
    shows: Annotated[Shows, Field(description="What lock screens show")] = "title"
    only_blocking: Annotated[bool, Field(description="Whether only what stops an agent is sent at once")] = False
    morning: Annotated[bool, Field(description="Whether a digest is sent each morning")] = False
    mail: Annotated[bool, Field(description="Whether anything is sent by mail")] = True
    kinds: Annotated[dict[str, How], Field(max_length=50, description="What is different, by kind of need")] = {}
    boards: Annotated[list[BoardChoice], Field(max_length=500, description="Boards that are different")] = []

    @field_validator("quiet_to")
    @classmethod
    def _ends_at_another_time(cls, value: str, info: ValidationInfo) -> str:
        begins = info.data.get("quiet_from")
        if info.data.get("has_quiet") and value == begins:
            raise ValueError("the quiet hours begin and end at the same time; choose another end, or switch them off")
        if info.data.get("has_quiet") and begins and 0 < (_minutes(begins) - _minutes(value)) % A_DAY < AN_HOUR:
            raise ValueError("the quiet hours leave less than an hour of the day; choose another end")
        return value

    @field_validator("days_off")
    @classmethod
    def _leaves_a_day(cls, value: list[int]) -> list[int]:
        if len(set(value)) == 7:
            raise ValueError("every day is off; leave at least one on which you get the digest")
        return value


class ChoicesRead(Choices):
    """When and how somebody is reached. Without a `zone` quiet hours do not count."""

    model_config = Choices.model_config | example(mode="devices", days_off=[5, 6], zone="Europe/Stockholm")

    zone: Annotated[str | None, Field(description="The time zone in the caller's profile")]


# The columns that a choice is stored in, one each.
COLUMNS = tuple(name for name in Choices.model_fields if name != "boards")


async def choices_of(actor: Actor) -> ChoicesRead:
    """Return what a person chose, or the defaults; boards that they can no longer see are left out."""
    row = await ReachSettings.get_or_none(user_id=actor.user_id) or ReachSettings()
    user = await User.get(id=actor.user_id)
    return ChoicesRead.model_construct(
        **{name: getattr(row, name) for name in COLUMNS},
        boards=[BoardChoice(board_id=board.id, how=how) for board, how in await differing_boards(actor)],
        zone=user.timezone,
    )


async def differing_boards(actor: Actor) -> list[tuple[Board, How]]:
    chosen = {one.board_id: one.how for one in await ReachBoard.filter(user_id=actor.user_id)}
    boards = await Board.filter(id__in=[*chosen], deleted_at=None).order_by("name", "id") if chosen else []
    return [(board, _how(chosen[board.id])) for board in boards if actor.reads(board)]


def _how(text: str) -> How:
    return "never" if text == "never" else "digest" if text == "digest" else "at_once"


@command("reach.choose")
async def choose(actor: Actor, chosen: Choices) -> None:
    """Store what a person chose; a no-op when that is what they have. Invalid names what does not exist."""
    if unknown := sorted(chosen.kinds.keys() - KINDS.keys()):
        raise invalid_field("kinds", f"There are no needs of the kind {unknown[0]}. Kinds: {', '.join(KINDS)}")
    boards = {board.board_id: board.how for board in chosen.boards}
    seen = (
        {board.id for board in await Board.filter(id__in=[*boards], deleted_at=None) if actor.reads(board)}
        if boards
        else ()
    )
    if unseen := [board_id for board_id in boards if board_id not in seen]:
        raise invalid_field("boards", f"You see no board {unseen[0]}")
    changed = [*await _save(actor, chosen), *await _save_boards(actor, boards)]
    if changed:
        await record_account("account.reach_changed", actor.user_id, changed=changed)
        announce(actor)


async def _save(actor: Actor, chosen: Choices) -> list[str]:
    values = {name: getattr(chosen, name) for name in COLUMNS}
    values["days_off"] = sorted(set(chosen.days_off))
    await User.select_for_update(no_key=True).get(id=actor.user_id)  # two pages of one person save one after the other
    row = await ReachSettings.get_or_none(user_id=actor.user_id)
    before = row or ReachSettings()
    changed = [name for name, value in values.items() if getattr(before, name) != value]
    if row is None and changed:
        await ReachSettings.create(user_id=actor.user_id, **values)
    elif row is not None and changed:
        await row.update_from_dict({name: values[name] for name in changed}).save(update_fields=changed)
    return changed


async def _save_boards(actor: Actor, wanted: dict[UUID, How]) -> list[str]:
    """Replace the differing boards that the person sees; return the names of what changed."""
    known = {board.id: how for board, how in await differing_boards(actor)}
    if known == wanted:
        return []
    await ReachBoard.filter(user_id=actor.user_id, board_id__in=[*known]).delete()
    await ReachBoard.filter(user_id=actor.user_id, board_id__in=[*wanted]).delete()
    await insert(*(ReachBoard(user_id=actor.user_id, board_id=board, how=how) for board, how in wanted.items()))
    return ["boards"]


def announce(actor: Actor) -> None:
    """Inside a command: let the person's open pages show what changed, and what is sent be decided anew."""
    notify(WAKES)
    signal(actor.organization_id, reach_of=str(actor.user_id))
