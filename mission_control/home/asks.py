"""What gateways ask for agents that are on no board, as a kind of asks; for admins."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from mission_control.asks.kinds import AskKind, Key, Page, QueueRow, QueueView, Rows, Seeker
from mission_control.asks.saying import answer, choices, fact, in_one_line, need
from mission_control.asks.schemas import Course, Need, NeedAnswer, NeedParty
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.substance import Parts
from mission_control.home.boardless import locked_request
from mission_control.home.gateway_request_queries import Item, decider_of, in_queue, item_of, parts_of_requests, shown
from mission_control.home.models import GatewayRequest

WORDS = {"approved": "approved this", "rejected": "rejected this", "answered": "answered this"}


def _decisions(item: Item) -> list[NeedAnswer]:
    effects = item.request.effects(item.asker) if item.request is not None else {}
    approve, reject = {"decision": "approved"}, {"decision": "rejected"}
    offered: list[tuple[str, str, str, str, Course, dict[str, Any]]] = [
        ("approved", "A", "Approve", "approve", "go", approve),
        ("always", "1", "Always", "always", "go", {**approve, "always": True}),
        ("rejected", "R", "Reject", "reject", "stop", reject),
    ]
    performs, ids = "decide_gateway_request", {"gateway_request_id": item.id}
    return [
        answer(id, key, label, effects[name], performs, ids, body, course=course, recommended=id == "approved")
        for id, key, label, name, course, body in offered
        if name in effects
    ]


def _options(item: Item) -> list[NeedAnswer]:
    goes_on = f"{item.asker} goes on with this."
    return choices(
        "answer_gateway_request",
        {"gateway_request_id": item.id},
        [(one["id"], one["label"], one.get("outcome"), bool(one.get("recommended"))) for one in item.options],
        allows_text=item.allows_text,
        goes_on=goes_on,
        reads_words=goes_on,
    )


class RequestAsk(AskKind[Item]):
    """What gateways ask for agents that are on no board."""

    kind, group, position = "request", "answer", 30
    glyph = ("plug-zap", "ask")
    table = "gateway_requests"
    concerns = ("gateway.request.",)
    is_for_admins = True

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        yield Rows(
            "FROM gateway_requests r WHERE r.organization_id = ? AND r.status = 'pending'",
            [seeker.organization_id],
            id="r.id",
            since="r.created_at",
            act_by="r.expires_at",
            version="CAST(r.created_at AS TEXT)",
        )

    async def read(self, page: Page) -> Mapping[UUID, Item]:
        return {item.id: item for item in map(item_of, await shown(page.actor))}

    def say(self, page: Page, key: Key, item: Item) -> Need:
        is_approval = item.kind == "approval"
        ignored = item.request.effects(item.asker)["ignore"] if item.request is not None else ""
        return need(
            page,
            key,
            title=f"{'Approve' if is_approval else f'{item.asker} asks'}: {item.title}",
            reason=None if is_approval else in_one_line(item.content),
            url=item.url,
            facts=[fact("bot", item.asker), fact("plug-zap", item.gateway_name)],
            answers=_decisions(item) if is_approval else _options(item),
            otherwise=ignored or f"{item.asker} waits until the question expires.",
            at=item.expires_at,
            agent=NeedParty(id=item.asker_id, name=item.asker),
        )

    async def decides(self, subjects: Sequence[UUID]) -> Mapping[UUID, Parts]:
        return await parts_of_requests(subjects)

    async def hold(self, request_id: UUID) -> None:
        """Lock a request."""
        await locked_request(request_id)

    async def ended(self, request_id: UUID) -> str:
        """Say who settled a request: several of one gateway share the subject of their events."""
        request = await GatewayRequest.get(id=request_id)
        what = WORDS.get(request.status, "closed this")
        return f"{await decider_of(request)} {what} {times.ago(request.resolved_at or times.clock_now())}."

    async def queue_rows(self, actor: Actor, view: QueueView) -> list[QueueRow]:
        """Return what waits and what ended since the queue was opened, for the queue of all boards."""
        return await in_queue(actor, view)


ASK = RequestAsk()
