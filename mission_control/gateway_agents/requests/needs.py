"""What gateways ask for agents on no board, as a kind of need."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from uuid import UUID

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.substance import Parts
from mission_control.core.values import JsonObject
from mission_control.gateway_agents.requests.commands import locked_request
from mission_control.gateway_agents.requests.models import GatewayRequest
from mission_control.gateway_agents.requests.queries import Item as RequestItem
from mission_control.gateway_agents.requests.queries import (
    decider_of,
    parts_of_requests,
    pending_requests,
    waiting_requests,
)
from mission_control.needs import kinds
from mission_control.needs.pages import queue_row
from mission_control.needs.schemas import Course, Need, NeedAnswer, NeedParty
from mission_control.needs.wording import answer, choices, fact, in_one_line, need

WORDS = {"approved": "approved this", "rejected": "rejected this", "answered": "answered this"}


def _decisions(item: RequestItem) -> list[NeedAnswer]:
    effects = item.request.effects(item.agent_name) if item.request is not None else {}
    approve, reject = {"decision": "approved"}, {"decision": "rejected"}
    offered: list[tuple[str, str, str, str, Course, JsonObject]] = [
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


class RequestNeeds(kinds.NeedKind[RequestItem]):
    """What gateways ask for agents that are on no board."""

    kind, group, position, title = "request", "answer", 30, "Requests of gateways"
    brief = "asks something"
    glyph = ("plug-zap", "ask")
    table = "gateway_requests"
    concerns = ("gateway.request.",)
    is_for_admins = True

    def find(self, seeker: kinds.Seeker) -> Iterator[kinds.Rows]:
        yield kinds.Rows(
            "FROM gateway_requests r WHERE r.organization_id = ? AND r.status = 'pending'",
            [seeker.organization_id],
            id="r.id",
            since="r.created_at",
            act_by="r.expires_at",
            version="CAST(r.created_at AS TEXT)",
        )

    async def read(self, page: kinds.Page) -> Mapping[UUID, RequestItem]:
        return {item.id: item for item in await pending_requests(page.actor, page.ids)}

    def say(self, page: kinds.Page, key: kinds.Key, item: RequestItem) -> Need:
        is_approval = item.kind == "approval"
        ignored = item.request.effects(item.agent_name)["ignore"] if item.request is not None else ""
        ids, goes_on = {"gateway_request_id": item.id}, f"{item.agent_name} goes on with this."
        return need(
            page,
            key,
            title=f"{'Approve' if is_approval else f'{item.agent_name} asks'}: {item.title}",
            reason=None if is_approval else in_one_line(item.content or ""),
            url=item.url,
            exact=item.request.exact if item.request is not None else None,
            facts=[fact("bot", item.agent_name), fact("plug-zap", item.gateway_name)],
            answers=_decisions(item) if is_approval else choices("answer_gateway_request", ids, item, goes_on),
            otherwise=ignored or f"{item.agent_name} waits until the question expires.",
            at=item.expires_at,
            agent=NeedParty(id=item.agent_id, name=item.agent_name),
        )

    async def decides(self, subjects: Sequence[UUID]) -> Mapping[UUID, Parts]:
        return await parts_of_requests(subjects)

    async def hold(self, request_id: UUID) -> None:
        await locked_request(request_id)

    async def ended(self, request_id: UUID, *, with_age: bool = True) -> str | None:
        """Say who settled a request: several of one gateway share the subject of their events."""
        request = await GatewayRequest.get_or_none(id=request_id)
        if request is None:  # removed with its gateway
            return None
        what = WORDS.get(request.status, "closed this")
        age = f" {times.ago(request.resolved_at or times.clock_now())}" if with_age else ""
        return f"{await decider_of(request)} {what}{age}."

    async def queue_rows(self, actor: Actor, view: kinds.QueueView) -> list[kinds.QueueRow]:
        if view.is_of_one_board:
            return []
        row = partial(queue_row, macro="gateway_agents/requests/rows.html#request_row", next_url=view.url)
        return [row(request, request.is_pending) for request in await waiting_requests(actor, since=view.opened)]


REQUESTS = RequestNeeds()
