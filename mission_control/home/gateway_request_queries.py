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
from mission_control.core.values import ActorRef, Body, Paging, Schema, example
from mission_control.database.sql import Row, Values, placeholders, rows, select
from mission_control.gateways.pages import GATEWAY_PAGE, Viewed
from mission_control.home.models import GatewayRequest
from mission_control.home.question_queries import parts_of as parts_of_question
from mission_control.home.question_queries import split_heading
from mission_control.home.question_schemas import OptionRead
from mission_control.http.registry import lookup
from mission_control.people.account_names import person_name
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
    payload: dict[str, Any] | None
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
        """What a question says beyond its title."""
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
    found = await select(Item, _SELECT.format(where), *values)
    for one in found:
        one.options = one.options or []
        if one.kind == "question":
            one.heading = split_heading(one.content or "")[0]
        else:
            one.heading = one.request.heading if one.request is not None else "Decide about a request"
        if one.resolved_by_user_id is not None:
            one.resolved_by = ActorRef(kind="user", id=one.resolved_by_user_id, name=one.resolved_by_name or "")
        if one.is_pending:
            one.substance = substance_of(one.parts)
    return found


def may_see(actor: Actor) -> bool:
    return actor.is_user and actor.administers(actor.organization_id)


@lookup
async def visible_request(actor: Actor, gateway_request_id: UUID) -> GatewayRequest:
    found = await GatewayRequest.get_or_none(id=gateway_request_id)
    if found is None or not (actor.is_user and actor.administers(found.organization_id)):
        raise NotFound()
    return found


async def list_requests(actor: Actor, query: GatewayRequestQuery) -> tuple[list[Row], int]:
    where = "r.organization_id = ?"
    values: Values = [actor.organization_id]
    if query.gateway_id is not None:
        where, values = f"{where} AND r.gateway_id = ?", [*values, query.gateway_id]
    if query.status is not None:
        where, values = f"{where} AND r.status = ?", [*values, query.status]
    [total] = await rows(f"SELECT COUNT(*) AS n FROM gateway_requests r WHERE {where}", *values)
    page = f"{where} ORDER BY r.created_at DESC, r.id DESC LIMIT ? OFFSET ?"
    found = await _items(page, *values, query.limit, query.offset)
    return [one.model_dump(include=ANSWER) for one in found], int(total["n"])


async def read_request(request_id: UUID) -> Row:
    found = await existing(request_item(request_id))
    return found.model_dump(include=ANSWER)


async def parts_of_requests(request_ids: Sequence[UUID]) -> dict[UUID, Parts]:
    found = await _items(f"r.id IN ({placeholders(len(request_ids))})", *request_ids)
    return {one.id: one.parts for one in found}


async def request_item(request_id: UUID) -> Item | None:
    found = await _items("r.id = ?", request_id)
    return found[0] if found else None


async def decider_of(request: GatewayRequest) -> str:
    found = await request_item(request.id)
    return (found.resolved_by_name if found is not None else None) or "Somebody"


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
        "gateway_requests/tab.html", "tab", waiting=waiting, ended=ended, next_url=f"{viewed.url}/requests"
    )


TAB = Tab(GATEWAY_PAGE, "requests", "Requests", tab)
