"""What is known of an organization when messages are planned: its people, how they are reached, what waits."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any, get_args
from uuid import UUID

from mission_control.channels.channel import CHANNELS
from mission_control.channels.delivery.plan import GRACE, How, Open, Person, how_of, morning_after
from mission_control.channels.models import KEPT, Device, ReachNeed, ReachSettings
from mission_control.core import times
from mission_control.core.actor import Membership
from mission_control.core.current_app import settings
from mission_control.core.substance import substance_of
from mission_control.core.time_slices import in_turns
from mission_control.database.records import find_all
from mission_control.database.sql import Row, as_id, as_moment, in_list, rows
from mission_control.needs.kinds import KINDS
from mission_control.needs.queries import Found, everything_in
from mission_control.needs.recipients import asked_people
from mission_control.people.sign_in.first_run import mail_address

type Devices = dict[UUID, list[Device]]
type Granted = dict[UUID, tuple[bool, bool]]  # boards, each with whether it may be read and written

MAIL, PUSH = "mail", "push"
NOBODY = UUID(int=0)  # who reads for a team, or for webhooks


def link_of(device: Device) -> str:
    """Return the link of a device: all that take push are one."""
    return link_named(device.kind, device.id)


def link_named(kind: str, device_id: UUID | None) -> str:
    return kind if kind in (MAIL, PUSH) else f"{kind}:{device_id}"


@dataclass(slots=True)
class Reader:
    """A person or a team that is reached: who they are, what they chose, and the devices of each link."""

    id: UUID
    user_id: UUID | None
    person: Person
    devices: dict[str, list[Device]] = field(default_factory=dict)
    membership: Membership | None = None
    board_id: UUID | None = None  # of a team
    is_of_webhooks: bool = False
    wants_mornings: bool = False
    is_first: bool = True  # of the organizations of a person: what is personal waits in one
    put_off: dict[tuple[str, UUID], str | None] = field(default_factory=dict)  # until another version, or None

    def was_given_up(self, row: ReachNeed) -> bool:
        """Whether no link is left that could take a need, which reached this person nowhere."""
        if self.user_id is None or row.tried or row.seen_at is not None:
            return False
        failed = all(link in row.failed for link in self.person.chain)
        return failed and how_of(self.person, open_of(row)) != "never"

    def wants(self, found: Found) -> bool:
        if self.is_of_webhooks:
            return found.owner_id is None
        if self.board_id is not None:
            return found.board_id == self.board_id and found.owner_id is None and found.id != self.id
        if self.membership is None or self.user_id is None:
            return False
        if KINDS[found.kind].is_personal and not self.is_first:
            return False
        return not self._has_put_off(found) and found.is_for(self.membership, self.user_id)

    def _has_put_off(self, found: Found) -> bool:
        off = (found.kind, found.id)
        return off in self.put_off and self.put_off[off] in (None, found.version)


@dataclass(slots=True)
class Waiting:
    """A need with what is decided, and who is asked by name."""

    found: Found
    substance: str
    asked: frozenset[UUID]


_MEMBERS = (
    "SELECT m.id, m.user_id, m.role, m.all_boards_read, m.all_boards_write, x.board_id, x.can_write, u.timezone,"
    " u.away_until, u.email, (SELECT MIN(CAST(o.organization_id AS TEXT)) FROM organization_members o"
    " WHERE o.user_id = m.user_id) AS first_id FROM organization_members m JOIN users u ON u.id = m.user_id"
    " LEFT JOIN organization_board_access x ON x.organization_member_id = m.id WHERE m.organization_id = ?"
)


async def readers_of(organization_id: UUID, only: UUID | None = None) -> list[Reader]:
    """Return everybody in an organization who is reached anywhere, and the teams of its boards; `only` one person.

    A person whose devices all ended by themselves is among them, without a link.
    """
    members = await _members_of(organization_id, only)
    devices = await _devices_of(organization_id, only)
    teams = [_team(device) for device in devices if device.board_id is not None]
    return teams + await _people(organization_id, members, devices)


async def _people(
    organization_id: UUID, members: Mapping[UUID, tuple[Row, Granted]], devices: Sequence[Device]
) -> list[Reader]:
    working, lost = _by_person(devices)
    has_mail = bool(settings().smtp_url) and MAIL in CHANNELS
    reached = list(members) if has_mail else [*filter((working | lost).get, members)]
    if not reached:
        return []
    people: list[Reader] = []
    chosen, boards_chosen, off = await _chosen_by(reached), await _boards_of(reached), await _put_off_by(reached)
    for user_id in reached:
        row, boards = members[user_id]
        choices = chosen.get(user_id)
        gets_mail = has_mail and bool(mail_address(row["email"]))
        links = links_of(working.get(user_id, []), choices, has_mail=gets_mail)
        if links or links_of(lost.get(user_id, []), choices, has_mail=False):
            person = person_of(row["timezone"], tuple(links), choices, boards_chosen.get(user_id, {}))
            reader = _reader(organization_id, row, boards, person, links)
            reader.put_off = off.get(user_id, {})
            reader.wants_mornings = choices is not None and choices.morning
            people.append(reader)
    return people


def _by_person(devices: Sequence[Device]) -> tuple[Devices, Devices]:
    """Return the devices of each person: those that work, and those that ended by themselves."""
    working: Devices = {}
    lost: Devices = {}
    for device in devices:
        if device.user_id is not None:
            (working if device.ended_at is None else lost).setdefault(device.user_id, []).append(device)
    return working, lost


def _reader(organization_id: UUID, row: Row, boards: Granted, person: Person, links: dict[str, list[Device]]) -> Reader:
    reads_all, writes_all = bool(row["all_boards_read"]), bool(row["all_boards_write"])
    member_id, user_id = UUID(str(row["id"])), UUID(str(row["user_id"]))
    membership = Membership(member_id, organization_id, "", row["role"], reads_all, writes_all, boards)
    person = replace(person, away_until=as_moment(row["away_until"]))
    is_first = as_id(row["first_id"]) == organization_id
    return Reader(user_id, user_id, person, links, membership, is_first=is_first)


async def _members_of(organization_id: UUID, only: UUID | None) -> dict[UUID, tuple[Row, Granted]]:
    members: dict[UUID, tuple[Row, Granted]] = {}
    one_of, who = (" AND m.user_id = ?", [only]) if only is not None else ("", [])
    for row in await rows(f"{_MEMBERS}{one_of}", organization_id, *who):
        _, boards = members.setdefault(UUID(str(row["user_id"])), (row, {}))
        if row["board_id"] is not None:
            boards[UUID(str(row["board_id"]))] = True, bool(row["can_write"])
    return members


async def _devices_of(organization_id: UUID, only: UUID | None) -> list[Device]:
    where = (
        "(ended_at IS NULL OR (ended_at > ? AND last_error IS NOT NULL AND user_id IS NOT NULL)) AND kind IN ({}) AND"
        " (channel_id IS NULL OR channel_id IN (SELECT c.id FROM reach_channels c"
        " WHERE c.organization_id = ? AND c.state <> 'off')) AND (user_id IN (SELECT m.user_id FROM"
        " organization_members m WHERE m.organization_id = ?) OR board_id IN (SELECT b.id FROM boards b WHERE"
        " b.organization_id = ? AND b.deleted_at IS NULL)){} ORDER BY position, created_at, id"
    )
    listed, kinds = in_list(list(CHANNELS) or [""])
    one_of, who = (" AND user_id = ?", [only]) if only is not None else ("", [])
    found = where.format(listed, one_of)
    since = times.clock_now() - KEPT
    return await find_all(Device, found, since, *kinds, organization_id, organization_id, organization_id, *who)


def _team(device: Device) -> Reader:
    link = link_of(device)
    return Reader(device.id, None, Person(chain=(link,), is_team=True), {link: [device]}, board_id=device.board_id)


async def _chosen_by(people: Sequence[UUID]) -> dict[UUID, ReachSettings]:
    listed, values = in_list(people)
    return {one.user_id: one for one in await find_all(ReachSettings, f"user_id IN ({listed})", *values)}


async def _boards_of(people: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    listed, values = in_list(people)
    found: dict[UUID, dict[str, Any]] = {}
    for row in await rows(f"SELECT user_id, board_id, how FROM reach_boards WHERE user_id IN ({listed})", *values):
        found.setdefault(UUID(str(row["user_id"])), {})[str(row["board_id"])] = row["how"]
    return found


async def _put_off_by(people: Sequence[UUID]) -> dict[UUID, dict[tuple[str, UUID], str | None]]:
    """Return what people put off until a time that is to come, or as long as it has this version."""
    listed, values = in_list(people)
    found: dict[UUID, dict[tuple[str, UUID], str | None]] = {}
    sql = f"SELECT user_id, kind, subject_id, version FROM need_snoozes WHERE user_id IN ({listed}) AND {_STILL_OFF}"
    for row in await rows(sql, *values, times.clock_now()):
        found.setdefault(UUID(str(row["user_id"])), {})[row["kind"], UUID(str(row["subject_id"]))] = row["version"]
    return found


_STILL_OFF = "(until IS NULL OR until > ?)"


def links_of(devices: Sequence[Device], chosen: ReachSettings | None, *, has_mail: bool) -> dict[str, list[Device]]:
    """Return the links of a person in their order, with the devices of each; mail has none, and is the last."""
    mode = "devices" if chosen is None else chosen.mode
    if mode == "page":
        return {}
    found: dict[str, list[Device]] = {}
    if mode == "devices":
        for device in devices:
            found.setdefault(link_of(device), []).append(device)
    if has_mail and (chosen is None or chosen.mail):
        found[MAIL] = []
    return found


def person_of(
    zone: str | None, chain: tuple[str, ...], chosen: ReachSettings | None, boards: Mapping[str, Any]
) -> Person:
    one = ReachSettings() if chosen is None else chosen
    next_after = timedelta(minutes=one.next_after)
    return Person(
        zone=times.named(zone) if zone and times.exists(zone) else None,
        chain=chain,
        first_after=next_after if chain == (MAIL,) and one.mode == "devices" else GRACE,
        next_after=next_after,
        quiet=(time.fromisoformat(one.quiet_from), time.fromisoformat(one.quiet_to)) if one.has_quiet else None,
        days_off=frozenset(one.days_off),
        wake=one.wake,
        only_blocking=one.only_blocking,
        boards=boards,
        kinds={name: how for name, how in one.kinds.items() if how in get_args(How)},  # type: ignore[misc]
        acted_at=one.acted_at,
    )


async def waiting_in(organization_id: UUID) -> list[Waiting]:
    found = await everything_in(organization_id)
    ids_of: dict[str, list[UUID]] = defaultdict(list)
    for need in found:
        ids_of[need.kind].append(need.id)
    substances: dict[tuple[str, UUID], str] = {}
    asked: dict[tuple[str, UUID], frozenset[UUID]] = {}
    for kind, ids in ids_of.items():
        async for some in in_turns(ids):
            for subject, decided in (await KINDS[kind].decides(some)).items():
                substances[kind, subject] = substance_of(decided)
        if KINDS[kind].deadline is not None:
            for subject, people in (await asked_people(kind, ids)).items():
                asked[kind, subject] = frozenset(one.user_id for one in people)
    return [
        Waiting(one, substances.get((one.kind, one.id), ""), asked.get((one.kind, one.id), frozenset()))
        for one in found
    ]


@dataclass(slots=True)
class Recent:
    """When the links of readers were used last, also in vain, and how many messages each was sent in the last hour.

    Those of all their organizations count. `first` is the earliest of the hour.
    """

    last: dict[tuple[UUID, str], datetime] = field(default_factory=dict)
    number: dict[UUID, int] = field(default_factory=dict)
    first: dict[UUID, datetime] = field(default_factory=dict)


async def recent_of(organization_id: UUID, since: datetime) -> Recent:
    """Return what was sent since a moment; to several devices of a link it is one message."""
    found = Recent()
    numbers: dict[tuple[UUID, str], int] = {}
    columns = "SELECT m.user_id, m.device_id, m.kind, m.state, m.why, m.created_at"
    sql = (
        "SELECT COALESCE(r.user_id, r.device_id) AS reader, r.kind, r.device_id, MIN(r.created_at) AS first,"
        " MAX(r.created_at) AS last, SUM(CASE WHEN r.state = 'withdrawn' THEN 0 ELSE 1 END) AS number"
        f" FROM ({columns} FROM organization_members x JOIN reach_messages m ON m.user_id = x.user_id"
        f" WHERE x.organization_id = ? AND m.created_at > ? UNION ALL {columns} FROM reach_messages m"
        " WHERE m.organization_id = ? AND m.created_at > ? AND m.user_id IS NULL) r"
        " WHERE r.why <> 'test' GROUP BY r.user_id, r.kind, r.device_id"
    )
    for row in await rows(sql, organization_id, since, organization_id, since):
        reader, first, moment = as_id(row["reader"]), as_moment(row["first"]), as_moment(row["last"])
        if reader is None or first is None or moment is None:
            continue
        found.first[reader] = min(first, found.first.get(reader, first))
        link = link_named(row["kind"], as_id(row["device_id"]))
        found.last[reader, link] = max(moment, found.last.get((reader, link), moment))
        numbers[reader, link] = max(int(row["number"]), numbers.get((reader, link), 0))
    for (reader, _), number in numbers.items():
        found.number[reader] = found.number.get(reader, 0) + number
    return found


async def mornings_of(organization_id: UUID, readers: Sequence[Reader], now: datetime) -> dict[UUID, datetime]:
    due: dict[UUID, datetime] = {}
    for reader in readers:
        if reader.wants_mornings:
            morning = morning_after(reader.person, now - LATEST)  # a day is no measure: two a year have other lengths
            if morning <= now:
                due[reader.id] = morning
    if not due:
        return {}
    listed, ids = in_list(list(due))
    sql = (
        "SELECT user_id, MAX(created_at) AS last FROM reach_messages WHERE organization_id = ? AND why = 'digest'"
        f" AND created_at > ? AND user_id IN ({listed}) GROUP BY user_id"
    )
    for row in await rows(sql, organization_id, now - DAY, *ids):
        user_id, last = as_id(row["user_id"]), as_moment(row["last"])
        if user_id is not None and last is not None and last >= due[user_id]:
            del due[user_id]
    return due


DAY = timedelta(days=1)
LATEST = timedelta(hours=2)  # after a stop, the digest of a morning that is longer ago is left out


def open_of(row: ReachNeed) -> Open:
    sent = [(str(link), datetime.fromisoformat(str(at)), str(why)) for link, at, why in row.tried]
    return Open(
        board=str(row.board_id) if row.board_id is not None else None,
        kind=row.kind,
        since=row.since,
        urgency=KINDS[row.kind].urgency,
        act_by=row.act_by,
        named=row.named,
        sent=tuple((link, at) for link, at, _ in sent),
        failed=tuple(row.failed),
        seen=row.seen_at is not None,
        last_call_sent=any(why == "last call" for _, _, why in sent),
        promised=row.next_at,
    )
