"""Read what gateways ask for agents that are on no board: who may, shapes, and as pages show it."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from mission_control.approvals.payloads import OutsideRequest as AskedFor
from mission_control.approvals.payloads import request_of
from mission_control.core.actor import Actor, OnlySystem, rule
from mission_control.core.errors import NotFound, existing
from mission_control.core.substance import Parts, Seen, Substance, substance_of
from mission_control.core.values import ActorRef, Body, JsonObject, Paging, Schema, example
from mission_control.database.sql import Row, Values, placeholders, rows, select
from mission_control.gateway_agents.requests.models import GatewayRequest
from mission_control.gateways.pages import GATEWAY_PAGE, Viewed
from mission_control.http.registry import lookup
from mission_control.people.accounts.names import person_name
from mission_control.questions.queries import parts_of as parts_of_question
from mission_control.questions.queries import split_heading
from mission_control.questions.schemas import OptionRead
from mission_control.web.fragments import render_macro
from mission_control.web.tabs import Tab

# Only the system, in the name of a gateway.
ONLY_SYSTEM = OnlySystem("gateway_request.keep")


@rule("gateway_request.answer")
def may_answer(actor: Actor, request: GatewayRequest) -> bool:
    """Owners and admins of the organization."""
    return actor.is_user and actor.administers(request.organization_id)


RequestKind = Literal["approval", "question"]
RequestStatus = Literal["pending", "approved", "rejected", "answered", "withdrawn"]


class GatewayRequestQuery(Paging):
    """Which requests to list."""

    gateway_id: UUID | None = None
    status: RequestStatus | None = None


class GatewayRequestDecision(Body):
    """A person's decision on an approval that a gateway asks for."""

    model_config = Body.model_config | example(decision="approved")

    decision: Literal["approved", "rejected"]
    always: Annotated[bool, Field(description="Approve the next times too; only where the gateway takes that")] = False
    substance: Seen = None

    @model_validator(mode="after")
    def _always_goes_with_approved(self) -> Self:
        if self.always and self.decision != "approved":
            raise ValueError("`always` goes with approved only")
        return self


class GatewayRequestRead(Schema):
    """What a gateway asks for an agent that is on no board, and how it ended.

    An approval says in `payload.gateway_request` what for. `answer_state` is `waiting` until the gateway has the
    answer, then `sent`, or `late` when it had another one already; `resolved_by_name` is who settled it, perhaps on
    the gateway.
    """

    id: UUID
    gateway_id: UUID
    gateway_name: str
    kind: RequestKind
    heading: str
    gateway_agent_id: str
    agent_id: UUID | None
    agent_name: str
    action_type: str | None
    payload: JsonObject | None
    content: str | None
    options: list[OptionRead]
    allows_text: bool
    chosen_option_id: str | None
    expires_at: datetime | None
    status: RequestStatus
    answer: str | None
    answer_state: Literal["waiting", "sent", "late"] | None
    note: str | None
    resolved_by: ActorRef | None
    resolved_by_name: str | None
    resolved_at: datetime | None
    created_at: datetime
    substance: Substance


_SELECT = (
    "SELECT r.id, r.gateway_id, g.name AS gateway_name, r.kind, r.gateway_agent_id, r.agent_id,"
    " COALESCE(a.name, r.agent_name) AS agent_name, r.action_type, r.payload, r.content, r.options, r.allows_text,"
    " r.chosen_option_id, r.expires_at, r.status, r.answer, r.answer_state, r.note, r.resolved_by_user_id,"
    f" COALESCE({person_name('u')}, r.resolved_by_name) AS resolved_by_name, r.resolved_at, r.created_at"
    " FROM gateway_requests r JOIN gateways g ON g.id = r.gateway_id LEFT JOIN agents a ON a.id = r.agent_id"
    " LEFT JOIN users u ON u.id = r.resolved_by_user_id WHERE {}"
)
ANSWER = set(GatewayRequestRead.model_fields)
MOST_SHOWN = 200
MOST_ENDED = 20


class Item(GatewayRequestRead):
    """A request with what pages show. The statement has no columns for what has a default here."""

    options: list[Any]
    resolved_by_user_id: UUID | None
    heading: str = ""
    resolved_by: ActorRef | None = None
    substance: str | None = None

    @property
    def parts(self) -> Parts:
        if self.kind == "question":
            return parts_of_question(self.content, self.options, self.allows_text)
        return {"request": [self.action_type, self.payload]}

    @cached_property
    def request(self) -> AskedFor | None:
        return request_of(self.payload)

    @property
    def title(self) -> str:
        return self.heading

    @property
    def text(self) -> str:
        return split_heading(self.content)[1] if self.content else ""

    @property
    def decider(self) -> str:
        return self.resolved_by_name or "The gateway"

    @property
    def url(self) -> str:
        return f"/gateways/requests/{self.id}"

    @property
    def is_pending(self) -> bool:
        return self.status == "pending"

    @property
    def next_steps(self) -> list[tuple[str, str]]:
        effects = self.request.effects(self.agent_name) if self.request is not None else {}
        named = {"approve": "Approve", "always": "Always", "reject": "Reject", "ignore": "Ignore"}
        return [(label, effects[key]) for key, label in named.items() if key in effects]


async def _items(where: str, *values: object) -> list[Item]:
    items = await select(Item, _SELECT.format(where), *values)
    for item in items:
        item.options = item.options or []
        if item.kind == "question":
            item.heading = split_heading(item.content or "")[0]
        else:
            item.heading = item.request.heading if item.request is not None else "Decide about a request"
        if item.resolved_by_user_id is not None:
            item.resolved_by = ActorRef(kind="user", id=item.resolved_by_user_id, name=item.resolved_by_name or "")
        if item.is_pending:
            item.substance = substance_of(item.parts)
    return items


def may_see(actor: Actor) -> bool:
    return actor.is_user and actor.administers(actor.organization_id)


@lookup
async def visible_request(actor: Actor, gateway_request_id: UUID) -> GatewayRequest:
    request = await GatewayRequest.get_or_none(id=gateway_request_id)
    if request is None or not may_answer(actor, request):
        raise NotFound()
    return request


async def list_requests(actor: Actor, query: GatewayRequestQuery) -> tuple[list[Row], int]:
    where = "r.organization_id = ?"
    values: Values = [actor.organization_id]
    if query.gateway_id is not None:
        where, values = f"{where} AND r.gateway_id = ?", [*values, query.gateway_id]
    if query.status is not None:
        where, values = f"{where} AND r.status = ?", [*values, query.status]
    [total] = await rows(f"SELECT COUNT(*) AS n FROM gateway_requests r WHERE {where}", *values)
    page = f"{where} ORDER BY r.created_at DESC, r.id DESC LIMIT ? OFFSET ?"
    items = await _items(page, *values, query.limit, query.offset)
    return [item.model_dump(include=ANSWER) for item in items], int(total["n"])


async def read_request(request_id: UUID) -> Row:
    return (await existing(request_item(request_id))).model_dump(include=ANSWER)


async def parts_of_requests(request_ids: Sequence[UUID]) -> dict[UUID, Parts]:
    items = await _items(f"r.id IN ({placeholders(len(request_ids))})", *request_ids)
    return {item.id: item.parts for item in items}


async def request_item(request_id: UUID) -> Item | None:
    return next(iter(await _items("r.id = ?", request_id)), None)


async def decider_of(request: GatewayRequest) -> str:
    item = await request_item(request.id)
    return (item and item.resolved_by_name) or "Somebody"


async def waiting_requests(actor: Actor, *, since: datetime | None = None) -> list[Item]:
    """Return what waits, oldest first, with `since` also what ended after that; nothing for who may not see it."""
    if not may_see(actor):
        return []
    where = "r.organization_id = ? AND (r.status = 'pending' OR r.resolved_at >= ?)"
    return await _items(f"{where} ORDER BY r.created_at, r.id LIMIT {MOST_SHOWN}", actor.organization_id, since)


async def pending_requests(actor: Actor, ids: Sequence[UUID]) -> list[Item]:
    if not may_see(actor):
        return []
    where = f"r.organization_id = ? AND r.status = 'pending' AND r.id IN ({placeholders(len(ids))})"
    return await _items(where, actor.organization_id, *ids)


async def tab(viewed: Viewed) -> str:
    waiting: list[Item] = []
    ended: list[Item] = []
    if may_see(viewed.actor):
        where, values = "r.organization_id = ? AND r.gateway_id = ?", (viewed.actor.organization_id, viewed.id)
        pending = f"{where} AND r.status = 'pending' ORDER BY r.created_at, r.id LIMIT {MOST_SHOWN}"
        newest = f"{where} AND r.status <> 'pending' ORDER BY r.resolved_at DESC, r.id DESC LIMIT {MOST_ENDED}"
        waiting, ended = await _items(pending, *values), await _items(newest, *values)
    return render_macro(
        "gateway_agents/requests/tab.html", "tab", waiting=waiting, ended=ended, next_url=f"{viewed.url}/requests"
    )


TAB = Tab(GATEWAY_PAGE, "requests", "Requests", tab)
