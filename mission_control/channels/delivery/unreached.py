"""Needs about people whom nothing reached: somebody else has to know, as they cannot."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mission_control.boards.queries import PERSON
from mission_control.channels.needs import LONGEST_WORDS, PATIENCE
from mission_control.core import times
from mission_control.core.substance import Parts
from mission_control.database.sql import Condition, placeholders, rows, select
from mission_control.events.unit_of_work import notify, signal
from mission_control.needs.kinds import Key, NeedKind, Page, Rows, Seeker
from mission_control.needs.polling import channel_of
from mission_control.needs.schemas import Need
from mission_control.needs.wording import answer, fact, need, shortened


def announce_unreached(organization_id: UUID) -> None:
    """Inside a command: let everybody see which people and teams nothing reaches now."""
    signal(organization_id, unreached="")
    notify(channel_of(organization_id))


# Not what is about reaching people: that they were not reached would keep itself up.
_LOST = "n.ended_at IS NULL AND n.kind NOT IN ('unreached', 'team', 'channel', 'device') AND n.given_up_at"


@dataclass(frozen=True, slots=True)
class _Person:
    """A member of an organization, how many needs reached them nowhere, and what became of the last message.

    `message_id` is null where it cannot be sent again.
    """

    id: UUID
    name: str
    email: str | None
    number: int
    last_error: str | None
    message_id: UUID | None


class PersonNeeds(NeedKind[_Person]):
    """People whom no channel took a need to, and who have not seen it on a page either."""

    kind, group, position, title = "unreached", "unblock", 61, "People who were not reached"
    glyph = ("wifi-off", "ask")
    urgency = "waits"
    table = "organization_members"
    concerns = ("channel.",)
    signals = ("unreached",)
    is_for_admins = True

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        found = (
            f"SELECT n.user_id, MIN(n.given_up_at) AS since FROM reach_needs n WHERE n.organization_id = ? AND {_LOST}"
        )
        yield Rows(
            f"FROM ({found} < ? GROUP BY n.user_id) g JOIN organization_members m ON m.user_id = g.user_id"
            " AND m.organization_id = ?",
            [seeker.organization_id, times.clock_now() - PATIENCE, seeker.organization_id],
            id="m.id",
            since="g.since",
        )

    async def read(self, page: Page) -> Mapping[UUID, _Person]:
        lost = f"FROM reach_needs n WHERE n.user_id = m.user_id AND n.organization_id = m.organization_id AND {_LOST}"
        failed = (
            "SELECT r.id FROM reach_messages r WHERE r.user_id = m.user_id AND r.organization_id = m.organization_id"
            " AND r.state = 'failed' AND r.why <> 'test' ORDER BY r.created_at DESC LIMIT 1"
        )
        found = await select(
            _Person,
            f"SELECT m.id, {PERSON} AS name, u.email, (SELECT COUNT(*) {lost} IS NOT NULL) AS number,"
            " f.error AS last_error, CASE WHEN d.ended_at IS NULL THEN f.id END AS message_id"
            " FROM organization_members m JOIN users u ON u.id = m.user_id"
            f" LEFT JOIN reach_messages f ON f.id = ({failed}) LEFT JOIN reach_devices d ON d.id = f.device_id"
            f" WHERE m.id IN ({placeholders(len(page.ids))})",
            *page.ids,
        )
        return {one.id: one for one in found}

    def say(self, page: Page, key: Key, one: _Person) -> Need:
        things = "1 thing waits for them" if one.number == 1 else f"{one.number} things wait for them"
        written = "They add a device under Settings, Notifications; this closes when something reaches them."
        answers = []
        if one.message_id is not None:
            again, ids = "The last message is sent; this closes when it arrives.", {"message_id": one.message_id}
            answers.append(answer("resend", "1", "Send it again", again, "resend_message", ids, recommended=True))
        if one.email:
            number = str(len(answers) + 1)
            answers.append(answer("copy", number, "Copy their address", written, None, copy_text=one.email))
        return need(
            page,
            key,
            title=f"{one.name} was not reached",
            reason=shortened(one.last_error or "", LONGEST_WORDS),
            url="/settings/channels",
            facts=[fact("bell", things)],
            answers=answers,
            otherwise="What waits for them waits here, for everybody who may answer it.",
        )

    async def decides(self, subjects: Sequence[UUID]) -> dict[UUID, Parts]:
        found = await rows(
            f"SELECT m.id, {PERSON} AS name FROM organization_members m JOIN users u ON u.id = m.user_id"
            f" WHERE m.id IN ({placeholders(len(subjects))})",
            *subjects,
        )
        return {UUID(str(one["id"])): {"title": one["name"]} for one in found}

    async def ended(self, subject: UUID, *, with_age: bool = True) -> str | None:
        return "Nothing waits that did not reach them."

    def begins(self, since: datetime, until: datetime) -> Condition:
        return (
            "SELECT DISTINCT n.organization_id, 'unreached' AS name, n.user_id AS value FROM reach_needs n"
            f" WHERE {_LOST} >= ? AND n.given_up_at < ?",
            [since - PATIENCE, until - PATIENCE],
        )


KIND = PersonNeeds()
