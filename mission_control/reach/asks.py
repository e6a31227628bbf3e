"""The need of admins when a channel of their organization does not work."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mission_control.asks.kinds import AskKind, Key, Page, Rows, Seeker
from mission_control.asks.saying import Ids, answer, fact, need, shortened
from mission_control.asks.schemas import Need
from mission_control.core.substance import Parts
from mission_control.database.sql import placeholders, rows, select
from mission_control.reach.channel import CHANNELS

LONGEST_WORDS = 240


@dataclass(frozen=True, slots=True)
class _Failing:
    id: UUID
    kind: str
    name: str
    last_error: str | None
    since: datetime | None
    number: int

    @property
    def channel(self) -> str:
        """How the kind is called."""
        return CHANNELS[self.kind].name if self.kind in CHANNELS else self.kind


class ChannelAsk(AskKind[_Failing]):
    """Channels of an organization whose provider refuses what is sent."""

    kind, group, position = "channel", "unblock", 60
    glyph = ("wifi-off", "ask")
    urgency = "waits"
    table = "reach_channels"
    concerns = ("channel.",)
    signals = ("reach_channel",)
    is_for_admins = True

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        """Find the channels that fail."""
        yield Rows(
            "FROM reach_channels c WHERE c.organization_id = ? AND c.state = 'failing'",
            [seeker.organization_id],
            id="c.id",
            since="c.failing_since",
            version="COALESCE(c.last_error, '')",
        )

    async def read(self, page: Page) -> Mapping[UUID, _Failing]:
        """Read them with the provider's words, and how many people and teams they reach."""
        found = await select(
            _Failing,
            "SELECT c.id, c.kind, c.name, c.last_error, c.failing_since AS since, (SELECT COUNT(*) FROM reach_devices d"
            " WHERE d.channel_id = c.id AND d.ended_at IS NULL) AS number FROM reach_channels c"
            f" WHERE c.id IN ({placeholders(len(page.ids))})",
            *page.ids,
        )
        return {one.id: one for one in found}

    def say(self, page: Page, key: Key, one: _Failing) -> Need:
        """Say what the provider says, and how to try again."""
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
            answers=[answer("test", "1", "Test again", done, "test_channel", ids, {}, recommended=True)],
            otherwise="People are reached by their other devices and by mail. It is tried again with each message.",
        )

    async def decides(self, subjects: Sequence[UUID]) -> dict[UUID, Parts]:
        """Return which channel it is."""
        listed = placeholders(len(subjects))
        found = await rows(f"SELECT id, name FROM reach_channels WHERE id IN ({listed})", *subjects)
        return {UUID(str(one["id"])): {"title": one["name"]} for one in found}

    async def ended(self, subject: UUID) -> str | None:
        """Say that it works again."""
        return "This channel works again, was switched off, or was removed."


ASK = ChannelAsk()
