"""Outgoing webhooks that send nothing: paused, because their receivers took nothing for long, or ended by them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mission_control.core import times
from mission_control.core.substance import Opaque, Parts
from mission_control.database.sql import placeholders, rows, select
from mission_control.needs.kinds import Key, NeedKind, Page, Rows, Seeker
from mission_control.needs.schemas import Need
from mission_control.needs.wording import answer, fact, need, shortened
from mission_control.webhooks.outgoing.kinds import TEST
from mission_control.webhooks.outgoing.sending import host_of


@dataclass(frozen=True, slots=True)
class _Paused:
    """A webhook that was paused, or ended by its receiver (`gone`), and the last answer of that."""

    id: UUID
    description: str
    state: str
    reason: str | None
    failing_since: datetime | None
    waiting: int
    status: int | None


class OutgoingWebhookNeeds(NeedKind[_Paused]):
    """Outgoing webhooks whose receivers take nothing."""

    kind, group, position, title = "outgoing_webhook", "unblock", 45, "Webhooks that send nothing"
    glyph = ("webhook", "bad")
    table = "outgoing_webhooks"
    concerns = ("outgoing_webhook.",)
    is_for_admins = True
    endings: Mapping[str, str] = {
        "outgoing_webhook.resumed": "resumed this",
        "outgoing_webhook.deleted": "deleted this webhook",
    }

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        yield Rows(
            "FROM outgoing_webhooks w LEFT JOIN boards b ON b.id = w.board_id"
            " WHERE w.organization_id = ? AND w.state IN ('failed', 'gone') AND b.deleted_at IS NULL",
            [seeker.organization_id],
            id="w.id",
            since="w.state_at",
            board_id="w.board_id",
            version="CAST(w.state_at AS TEXT)",
        )

    async def read(self, page: Page) -> Mapping[UUID, _Paused]:
        last = (
            "SELECT d.status FROM outgoing_deliveries d WHERE d.webhook_id = w.id AND d.tried_at IS NOT NULL"
            f" AND d.kind <> '{TEST}'"
        )
        found = await select(
            _Paused,
            "SELECT w.id, w.description, w.state, w.reason, w.failing_since,"
            " (SELECT COUNT(*) FROM outgoing_deliveries d WHERE d.webhook_id = w.id AND d.state = 'waiting')"
            " AS waiting,"
            f" ({last} ORDER BY d.tried_at DESC LIMIT 1) AS status"
            f" FROM outgoing_webhooks w WHERE w.id IN ({placeholders(len(page.ids))})",
            *page.ids,
        )
        return {one.id: one for one in found}

    def say(self, page: Page, key: Key, one: _Paused) -> Need:
        why = str(one.status) if one.status is not None else "it does not answer"
        what = "was ended by its receiver" if one.state == "gone" else f"is paused: {why}"
        facts = []
        if one.failing_since is not None:
            facts.append(fact("clock", f"the first attempt failed {times.ago(one.failing_since)}", "warn"))
        if one.waiting:
            facts.append(fact("mail", f"{one.waiting} {'message waits' if one.waiting == 1 else 'messages wait'}"))
        ids, is_gone = {"outgoing_webhook_id": one.id}, one.state == "gone"
        resume = answer(
            "resume", "1", "Resume", "What was missed is sent, and then what happens.",
            "resume_outgoing_webhook", ids, {}, recommended=not is_gone, in_bulk=True,
        )  # fmt: skip
        skip = answer(
            "skip", None, "Resume from now on", "What was missed is not sent.",
            "resume_outgoing_webhook", ids, {"skip_missed": True},
        )  # fmt: skip
        delete = answer(
            "delete", None, "Delete the webhook", "The log of what it sent goes with it.",
            "delete_outgoing_webhook", ids, course="stop",
        )  # fmt: skip
        return need(
            page,
            key,
            title=f"Webhook {shortened(one.description, 80)} {what}",
            reason=one.reason,
            url=f"/outgoing-webhooks/{one.id}",
            facts=facts,
            answers=[resume, skip, *([delete] if is_gone else [])],
            otherwise="Nothing is sent. What happens stays in the log, and can be sent later.",
        )  # fmt: skip

    async def decides(self, subjects: Sequence[UUID]) -> dict[UUID, Parts]:
        listed = placeholders(len(subjects))
        found = await rows(f"SELECT id, description, url FROM outgoing_webhooks WHERE id IN ({listed})", *subjects)
        return {
            UUID(str(one["id"])): {"title": one["description"], "address": Opaque(one["url"], host_of(one["url"]))}
            for one in found
        }


ASK = OutgoingWebhookNeeds()
