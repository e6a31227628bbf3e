"""What the page of somebody's notifications shows: where they are reached, what they chose, what may be added."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from mission_control.boards.queries import boards_of
from mission_control.channels.channel import CHANNELS, Channel
from mission_control.channels.delivery.digests import Sections, in_order, sections_of
from mission_control.channels.delivery.plan import morning_after
from mission_control.channels.delivery.state import MAIL, person_of
from mission_control.channels.devices.queries import DeviceState, devices_of, state_of
from mission_control.channels.installation import reachable_address
from mission_control.channels.models import Device, ReachChannel, ReachMessage, ReachNeed, ReachSettings
from mission_control.channels.preferences.commands import choices_of
from mission_control.core import times
from mission_control.core.actor import Actor, can
from mission_control.core.values import JsonObject
from mission_control.database.records import find_all
from mission_control.database.sql import rows
from mission_control.needs.kinds import KINDS
from mission_control.needs.polling import needs_page
from mission_control.needs.schemas import NeedQuery
from mission_control.people.accounts.names import person_name
from mission_control.people.models import User
from mission_control.people.sign_in.browser_sessions import sends_mail
from mission_control.people.sign_in.first_run import mail_address

HOW_WORDS = {"at_once": "at once, also in quiet hours", "digest": "only in the digest", "never": "never"}
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MINUTES = (2, 5, 10, 15, 30, 60, 120)
GLYPHS = {"iPhone": "smartphone", "iPad": "smartphone", "Android": "smartphone"}


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A place where a person is reached, as its row shows it."""

    device: Device
    glyph: str
    state: DeviceState
    is_linked: bool
    unused: str = ""  # why nothing is sent there, though it works
    advice: str = ""  # what its person can do where it fails, and where
    advice_url: str = ""


@dataclass(frozen=True, slots=True)
class MailLine:
    """A person's mail as a row: its address, whether this installation sends any, and when the last one left."""

    address: str
    is_sent: bool
    last_ok_at: datetime | None = None
    error: str | None = None
    failed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """The rows of where a person is reached, and what they may add."""

    lines: list[DeviceLine]
    mail: MailLine
    linked_by_code: list[ReachChannel] = field(default_factory=list)
    typed: list[Channel] = field(default_factory=list)
    not_set_up: list[str] = field(default_factory=list)
    may_set_up: bool = False

    @property
    def ids(self) -> list[UUID]:
        """The ids of those that are in an order."""
        return [one.device.id for one in self.lines if one.state != "ended"]


async def reached(actor: Actor) -> Reached:
    channels = await ReachChannel.filter(organization_id=actor.organization_id).order_by("name", "id")
    by_id = {channel.id: channel for channel in channels}
    kinds = {channel.kind for channel in channels}
    return Reached(
        lines=[_line(one, by_id) for one in await devices_of(actor)],
        mail=await _mail(actor),
        linked_by_code=[channel for channel in channels if channel.state != "off" and _links(channel.kind) == "code"],
        typed=_linked_by("typed"),
        not_set_up=sorted(channel.name for channel in _linked_by("code") if channel.kind not in kinds),
        may_set_up=can(actor, "channel.manage"),
    )


def _linked_by(how: str) -> list[Channel]:
    return [channel for channel in CHANNELS.values() if channel.links == how]


def _links(kind: str) -> str:
    return CHANNELS[kind].links if kind in CHANNELS else ""


def _line(device: Device, channels: dict[UUID, ReachChannel]) -> DeviceLine:
    kind = CHANNELS.get(device.kind)
    glyph = kind.glyph if kind is not None else "bell"
    if device.kind == "push":
        glyph = next((one for mark, one in GLYPHS.items() if mark in device.label), "monitor")
    channel = channels.get(device.channel_id) if device.channel_id is not None else None
    unused = ""
    if kind is None:
        unused = "not used: this installation no longer has this channel"
    elif channel is not None and channel.state == "off":
        unused = f"not used: {channel.name} is switched off"
    advice, url = _advice(device, kind)
    return DeviceLine(device, glyph, state_of(device), device.channel_id is not None, unused, advice, url)


def _advice(device: Device, kind: Channel | None) -> tuple[str, str]:
    """Return what a person can do about a device that fails or has ended, with the page for it."""
    if kind is None:
        return "", ""
    if kind.links == "typed":
        return "Type the address again", f"/settings/notifications/addresses/{kind.kind}"
    if kind.links == "browser":
        return "Open this page on that device, and add it again.", ""
    return ("Link it again with the button below." if device.ended_at is not None else ""), ""


async def _mail(actor: Actor) -> MailLine:
    user = await User.get(id=actor.user_id)
    sent = ReachMessage.filter(user_id=actor.user_id, kind="mail").order_by("-created_at")
    last = await sent.first()
    ok = await sent.filter(sent_at__isnull=False).first()
    error = last.error if last is not None and last.state in ("failed", "queued") else None
    return MailLine(
        mail_address(user.email),
        sends_mail() and bool(mail_address(user.email)),
        ok.sent_at if ok is not None else None,
        error,
        last.created_at if last is not None and error else None,
    )


async def chosen(actor: Actor) -> JsonObject:
    found = await choices_of(actor)
    values = found.model_dump()
    values["kinds"] = [f"{kind}:{how}" for kind, how in found.kinds.items()]
    values["boards"] = [f"{board.board_id}:{board.how}" for board in found.boards]
    return values


async def around(actor: Actor) -> JsonObject:
    """Return what the page shows beside what was chosen: the zone, the boards, the kinds, colleagues, absence."""
    user = await User.get(id=actor.user_id)
    boards = [board for board in await boards_of(actor) if board.organization_id == actor.organization_id]
    return {
        "zone": user.timezone or "",
        "boards": [(str(board.id), board.name) for board in boards],
        "kinds": [(kind, KINDS[kind].title) for kind in KINDS if _may_wait_for(actor, kind)],
        "how": HOW_WORDS,
        "days": list(zip(DAYS, DAY_NAMES, strict=True)),
        "minutes": MINUTES,
        "colleagues": await colleagues_of(actor),
        "away_until": _day_of(user.away_until),
        "stand_in": str(user.stand_in_id or ""),
        "public": bool(reachable_address()),
    }


def _may_wait_for(actor: Actor, kind: str) -> bool:
    return not KINDS[kind].is_for_admins or actor.administers(actor.organization_id)


def _day_of(moment: datetime | None) -> str:
    """Return the day on which an absence ends, empty when that has passed."""
    is_past = moment is None or moment <= times.clock_now()
    return "" if is_past or moment is None else times.day_of(moment, times.reader()).isoformat()


async def colleagues_of(actor: Actor) -> list[tuple[str, str]]:
    name = person_name("u", "User")
    found = await rows(
        f"SELECT u.id, {name} AS name FROM organization_members m JOIN users u ON u.id = m.user_id"
        f" WHERE m.organization_id = ? AND u.id <> ? ORDER BY LOWER({name}), u.id",
        actor.organization_id,
        actor.user_id,
    )
    return [(str(row["id"]), row["name"]) for row in found]


async def next_digest_at(actor: Actor) -> datetime:
    row = await ReachSettings.get_or_none(user_id=actor.user_id)
    user = await User.get(id=actor.user_id)
    person = replace(person_of(user.timezone, (), row, {}), away_until=user.away_until)
    return morning_after(person, times.clock_now())


async def next_digest_of(actor: Actor) -> Sections:
    """Return the sections of a person's next digest as it would be now, in the words of the mail."""
    choices = await choices_of(actor)
    unwanted = {str(board.board_id) for board in choices.boards if board.how == "never"}
    unwanted |= {kind for kind, how in choices.kinds.items() if how == "never"}
    found = await needs_page(actor, NeedQuery(limit=200, offset=0))
    waiting = [one for one in found.items if unwanted.isdisjoint({one.kind, str(one.board and one.board.id)})]
    ended = await find_all(
        ReachNeed,
        "organization_id = ? AND reader_id = ? AND ended_at IS NOT NULL AND next_at IS NOT NULL ORDER BY ended_at, id",
        actor.organization_id,
        actor.user_id,
    )
    return await sections_of(actor, CHANNELS[MAIL], in_order(waiting), ended, base="")
