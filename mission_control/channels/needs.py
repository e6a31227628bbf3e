"""Needs about what does not work: a channel of the organization, the place of a team, or a device of one's own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from mission_control.channels.channel import CHANNELS
from mission_control.core import times
from mission_control.core.substance import Parts
from mission_control.database.sql import Condition, placeholders, rows, select
from mission_control.needs.kinds import Key, NeedKind, Page, Rows, Seeker
from mission_control.needs.schemas import Need
from mission_control.needs.wording import Ids, answer, fact, need, shortened

LONGEST_WORDS = 240


@dataclass(frozen=True, slots=True)
class _Failing:
    id: UUID
    kind: str
    name: str
    last_error: str | None
    since: datetime | None
    number: int
    is_over: bool = False

    @property
    def channel(self) -> str:
        return CHANNELS[self.kind].name if self.kind in CHANNELS else self.kind


class _FailingAsk(NeedKind[_Failing]):
    """What does not take what is sent. `columns` are those of its table, `t`, that not all have; `over` is its end."""

    glyph = ("wifi-off", "ask")
    concerns: tuple[str, ...] = ("channel.",)
    columns: str
    title: str
    over: str

    async def read(self, page: Page) -> Mapping[UUID, _Failing]:
        listed = placeholders(len(page.ids))
        names = f"t.id, t.kind, t.{self.title} AS name, t.last_error, {self.columns}"
        found = await select(_Failing, f"SELECT {names} FROM {self.table} t WHERE t.id IN ({listed})", *page.ids)
        return {one.id: one for one in found}

    async def decides(self, subjects: Sequence[UUID]) -> dict[UUID, Parts]:
        listed = placeholders(len(subjects))
        found = await rows(f"SELECT id, {self.title} AS title FROM {self.table} WHERE id IN ({listed})", *subjects)
        return {UUID(str(one["id"])): {"title": one["title"]} for one in found}

    async def ended(self, subject: UUID, *, with_age: bool = True) -> str | None:
        return self.over


class ChannelNeeds(_FailingAsk):
    """Channels of an organization whose provider refuses what is sent."""

    kind, group, position, title = "channel", "unblock", 60, "Channels that do not work"
    urgency = "waits"
    table, title = "reach_channels", "name"
    columns = (
        "t.failing_since AS since,"
        " (SELECT COUNT(*) FROM reach_devices d WHERE d.channel_id = t.id AND d.ended_at IS NULL) AS number"
    )
    over = "This channel works again, was switched off, or was removed."
    signals = ("reach_channel",)
    is_for_admins = True

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        yield Rows(
            "FROM reach_channels c WHERE c.organization_id = ? AND c.state = 'failing'",
            [seeker.organization_id],
            id="c.id",
            since="COALESCE(c.failing_since, c.updated_at)",
            version="COALESCE(c.last_error, '')",
        )

    def say(self, page: Page, key: Key, one: _Failing) -> Need:
        ids: Ids = {"channel_id": one.id}
        done = "It is asked whether it works; this closes when it does."
        reached = "1 receiver" if one.number == 1 else f"{one.number} receivers"
        return need(
            page,
            key,
            title=f"{one.name} does not take what is sent",
            reason=shortened(one.last_error or "", LONGEST_WORDS),
            url="/settings/channels",
            facts=[fact("wifi-off", one.channel), fact("users", reached)],
            answers=[
                answer("test", "1", "Test again", done, "test_channel", ids, {}, recommended=True),
                answer("off", "2", "Switch it off", "Nothing is sent there.", "update_channel", ids, {"state": "off"}),
            ],
            otherwise="People are reached by their other devices and by mail. It is tried again with each message.",
        )


class TeamNeeds(_FailingAsk):
    """Places of boards' teams that take nothing, while their channel works."""

    kind, group, position, title = "team", "unblock", 62, "Channels of teams that do not work"
    urgency = "waits"
    table, title = "reach_devices", "label"
    columns = "t.failed_at AS since, 0 AS number"
    over = "The team is reached there again, or elsewhere."
    concerns = ("board.team_changed", "channel.")
    signals = ("unreached",)
    endings = {"board.team_changed": "changed the team's channel"}

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        yield Rows(
            "FROM reach_devices d JOIN mine ON mine.id = d.board_id LEFT JOIN reach_channels c ON c.id = d.channel_id"
            " WHERE d.ended_at IS NULL AND d.last_error IS NOT NULL AND (d.mark IS NULL OR d.failed_at < ?)"
            " AND (c.id IS NULL OR c.state = 'on')",
            [times.clock_now() - PATIENCE],
            id="d.id",
            since="d.failed_at",
            version="d.last_error",
            board_id="d.board_id",
        )

    def say(self, page: Page, key: Key, one: _Failing) -> Need:
        ids: Ids = {"board_id": str(key.board_id)}
        done, gone = "A test is sent; this closes when it arrives.", "What waits on this board is not posted there."
        return need(
            page,
            key,
            title=f"{one.name} does not get what is sent to the team",
            reason=shortened(one.last_error or "", LONGEST_WORDS),
            url=f"/boards/{key.board_id}/team",
            facts=[fact("wifi-off", one.channel)],
            answers=[
                answer("test", "1", "Test again", done, "test_board_reach", ids, recommended=True),
                answer("off", "2", "Send nothing there", gone, "set_board_reach", ids, {"team": None}),
            ],
            otherwise="People are reached by their own devices and by mail, and here.",
        )

    def begins(self, since: datetime, until: datetime) -> Condition:
        return (
            "SELECT DISTINCT b.organization_id, 'unreached' AS name, d.board_id AS value FROM reach_devices d"
            " JOIN boards b ON b.id = d.board_id"
            " WHERE d.last_error IS NOT NULL AND d.failed_at >= ? AND d.failed_at < ?",
            [since - PATIENCE, until - PATIENCE],
        )


# A provider that is away for a moment is not worth a look.
PATIENCE = timedelta(minutes=10)


class DeviceNeeds(_FailingAsk):
    """Devices of a person that take nothing now: they know it before they miss something."""

    kind, group, position, title = "device", "own", 60, "Your devices that do not work"
    urgency = "digest"
    table, title = "reach_devices", "label"
    columns = "t.failed_at AS since, 0 AS number, CASE WHEN t.ended_at IS NULL THEN 0 ELSE 1 END AS is_over"
    over = "This device works again, or was removed."
    signals = ("reach_of",)
    is_personal = True
    endings = {"channel.removed": "removed its channel"}

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        """Find devices that fail, or ended, until they work or are removed."""
        own = "" if seeker.user_id is None else " AND d.user_id = ?"
        yield Rows(
            "FROM reach_devices d JOIN organization_members m ON m.user_id = d.user_id AND m.organization_id = ?"
            " LEFT JOIN reach_channels c ON c.id = d.channel_id WHERE d.last_error IS NOT NULL"
            " AND (d.failed_at < ? OR d.ended_at IS NOT NULL)"
            f" AND (c.id IS NULL OR c.organization_id = m.organization_id){own}",
            [
                seeker.organization_id,
                times.clock_now() - PATIENCE,
                *([] if seeker.user_id is None else [seeker.user_id]),
            ],
            id="d.id",
            since="COALESCE(d.failed_at, d.ended_at)",
            version="COALESCE(d.last_error, '')",
            owner_id="d.user_id",
        )

    def say(self, page: Page, key: Key, one: _Failing) -> Need:
        ids: Ids = {"device_id": one.id}
        done = "A test is sent; this closes when it arrives."
        test = answer("test", "1", "Test again", done, "test_my_device", ids, recommended=True)
        gone = "Nothing is sent there until you add it again."
        remove = answer("remove", "1" if one.is_over else "2", "Remove it", gone, "remove_my_device", ids)
        return need(
            page,
            key,
            title=f"{one.name} does not get what is sent to you",
            reason=shortened(one.last_error or "", LONGEST_WORDS),
            url="/settings/notifications",
            facts=[fact("wifi-off", one.channel)],
            answers=[remove] if one.is_over else [test, remove],
            otherwise="You are reached by your other devices, by mail if it is set up, and here.",
        )

    def begins(self, since: datetime, until: datetime) -> Condition:
        return (
            "SELECT m.organization_id, 'needs_of' AS name, d.user_id AS value FROM reach_devices d"
            " JOIN organization_members m ON m.user_id = d.user_id WHERE d.last_error IS NOT NULL"
            " AND d.failed_at >= ? AND d.failed_at < ?",
            [since - PATIENCE, until - PATIENCE],
        )


KINDS = (ChannelNeeds(), TeamNeeds(), DeviceNeeds())
