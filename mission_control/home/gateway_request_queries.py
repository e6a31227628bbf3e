"""Read what gateways ask for agents that are on no board: who may, shapes, and as pages show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from markupsafe import Markup
from pydantic import BaseModel, Field, model_validator

from mission_control.approvals.payloads import GatewayRequest as AskedFor
from mission_control.approvals.payloads import request_of
from mission_control.asks.kinds import QueueRow, QueueView
from mission_control.core.actor import Actor, Rules
from mission_control.core.errors import NotFound
from mission_control.core.substance import Parts, Seen, Substance, substance_of
from mission_control.core.times import clock_now as now
from mission_control.core.values import ActorRef, Body, Paging, example
from mission_control.database.sql import Row, Values, as_id, as_json, as_moment, placeholders, rows, wire_moment
from mission_control.gateways.pages import GATEWAY_PAGE, Viewed
from mission_control.home.models import GatewayRequest
from mission_control.home.question_queries import parts_of as parts_of_question
from mission_control.home.question_queries import split_heading
from mission_control.home.question_schemas import OptionRead
from mission_control.http.registry import lookup
from mission_control.people.account_names import person_name
from mission_control.web.fragments import render_macro
from mission_control.web.tabs import Tab

rules = Rules()


# Only the system, in the name of a gateway.
rules.for_system("gateway_request.keep")


@rules.rule("gateway_request.answer")
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


class GatewayRequestRead(BaseModel):
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


MOST_SHOWN = 200
SELECT = (
    "SELECT r.id, r.organization_id, r.gateway_id, g.name AS gateway_name, r.kind, r.gateway_agent_id, r.agent_id,"
    " COALESCE(a.name, r.agent_name) AS agent_name, r.action_type, r.payload, r.content, r.options, r.allows_text,"
    " r.chosen_option_id, r.expires_at, r.status, r.answer, r.answer_state, r.note, r.resolved_by_user_id,"
    f" COALESCE({person_name('u')}, r.resolved_by_name) AS resolved_by_name, r.resolved_at, r.created_at"
    " FROM gateway_requests r JOIN gateways g ON g.id = r.gateway_id LEFT JOIN agents a ON a.id = r.agent_id"
    " LEFT JOIN users u ON u.id = r.resolved_by_user_id"
)
FIRST, LAST = " ORDER BY r.created_at, r.id", " ORDER BY r.created_at DESC, r.id DESC"


def may_see(actor: Actor) -> bool:
    """Return whether somebody sees the requests of the active organization."""
    return actor.is_user and actor.administers(actor.organization_id)


@lookup
async def visible_request(actor: Actor, gateway_request_id: UUID) -> GatewayRequest:
    """Return a request that the person can see. Raise NotFound otherwise."""
    found = await GatewayRequest.get_or_none(id=gateway_request_id)
    if found is None or not (actor.is_user and actor.administers(found.organization_id)):
        raise NotFound()
    return found


async def list_requests(actor: Actor, query: GatewayRequestQuery) -> tuple[list[Row], int]:
    """Return a page of the active organization's requests, newest first, and their number."""
    where = " WHERE r.organization_id = ?"
    values: Values = [actor.organization_id]
    if query.gateway_id is not None:
        where, values = f"{where} AND r.gateway_id = ?", [*values, query.gateway_id]
    if query.status is not None:
        where, values = f"{where} AND r.status = ?", [*values, query.status]
    [total] = await rows(f"SELECT COUNT(*) AS n FROM gateway_requests r{where}", *values)
    found = await rows(f"{SELECT}{where}{LAST} LIMIT ? OFFSET ?", *values, query.limit, query.offset)
    return [serialize(row) for row in found], int(total["n"])


async def read_request(request_id: UUID) -> Row:
    found = await rows(f"{SELECT} WHERE r.id = ?", request_id)
    if not found:
        raise NotFound()
    return serialize(found[0])


async def parts_of_requests(request_ids: Sequence[UUID]) -> dict[UUID, Parts]:
    found = await rows(f"{SELECT} WHERE r.id IN ({placeholders(len(request_ids))})", *request_ids)
    return {UUID(str(row["id"])): parts_of(row) for row in found}


def parts_of(row: Row) -> Parts:
    if row["kind"] == "question":
        return parts_of_question(row)
    return {"request": [row["action_type"], as_json(row["payload"])]}


def serialize(row: Row) -> Row:
    """Return a row of `SELECT` as it is answered."""
    payload, by = as_json(row["payload"]), row["resolved_by_user_id"]
    return {
        **{name: row[name] for name in PLAIN},
        "heading": heading_of(row),
        "payload": payload,
        "options": as_json(row["options"]) or [],
        "allows_text": bool(row["allows_text"]),
        "expires_at": wire_moment(row["expires_at"]),
        "resolved_by": None if by is None else {"kind": "user", "id": by, "name": row["resolved_by_name"]},
        "resolved_at": wire_moment(row["resolved_at"]),
        "created_at": wire_moment(row["created_at"]),
        "substance": substance_of(parts_of(row)) if row["status"] == "pending" else None,
    }


PLAIN = (
    "id", "gateway_id", "gateway_name", "kind", "gateway_agent_id", "agent_id", "agent_name", "action_type", "content",
    "chosen_option_id", "status", "answer", "answer_state", "note", "resolved_by_name",
)  # fmt: skip


def heading_of(row: Row) -> str:
    """Return what is asked, in a line."""
    if row["kind"] == "question":
        return split_heading(row["content"])[0]
    asked = request_of(as_json(row["payload"]))
    return asked.heading if asked is not None else "Decide about a request"


async def decider_of(request: GatewayRequest) -> str:
    [row] = await rows(f"{SELECT} WHERE r.id = ?", request.id)
    return str(row["resolved_by_name"] or "Somebody")


async def shown(
    actor: Actor, *, gateway_id: UUID | None = None, since: datetime | None = None, newest_ended: int = 0
) -> list[Row]:
    """Return rows of `SELECT`: what waits, oldest first, with `since` also what ended after that.

    `newest_ended` adds so many that ended, newest first.
    """
    if not may_see(actor):
        return []
    where = " WHERE r.organization_id = ?"
    values: Values = [actor.organization_id]
    if gateway_id is not None:
        where, values = f"{where} AND r.gateway_id = ?", [*values, gateway_id]
    waits = "r.status = 'pending'" if since is None else "(r.status = 'pending' OR r.resolved_at >= ?)"
    now = [] if since is None else [since]
    found = await rows(f"{SELECT}{where} AND {waits}{FIRST} LIMIT {MOST_SHOWN}", *values, *now)
    if newest_ended:
        ended = f"{SELECT}{where} AND r.status <> 'pending' ORDER BY r.resolved_at DESC, r.id DESC LIMIT {newest_ended}"
        found = [*found, *await rows(ended, *values)]
    return found


TEMPLATE = "gateway_requests/rows.html"
MOST_ENDED = 20


@dataclass(frozen=True, slots=True)
class Item:
    """One request, ready to be shown."""

    id: UUID
    kind: str
    title: str
    text: str
    content: str
    asker: str
    asker_id: UUID | None
    gateway_id: UUID
    gateway_name: str
    request: AskedFor | None
    options: list[dict[str, Any]]
    allows_text: bool
    status: str
    answer: str
    answer_state: str
    note: str
    decider: str
    decided_at: datetime | None
    created_at: datetime
    expires_at: datetime | None
    substance: str

    @property
    def url(self) -> str:
        """The address of its page."""
        return f"/gateways/requests/{self.id}"

    @property
    def is_pending(self) -> bool:
        """Whether it waits for a person."""
        return self.status == "pending"

    @property
    def next_steps(self) -> list[tuple[str, str]]:
        """What follows from each decision, and from none."""
        effects = self.request.effects(self.asker) if self.request is not None else {}
        named = {"approve": "Approve", "always": "Always", "reject": "Reject", "ignore": "Ignore"}
        return [(label, effects[key]) for key, label in named.items() if key in effects]


def item_of(row: Row) -> Item:
    """Return a row of `queries.SELECT` as it is shown."""
    return Item(
        id=UUID(str(row["id"])),
        kind=row["kind"],
        title=heading_of(row),
        text=split_heading(row["content"])[1] if row["content"] else "",
        content=row["content"] or "",
        asker=row["agent_name"],
        asker_id=as_id(row["agent_id"]),
        gateway_id=UUID(str(row["gateway_id"])),
        gateway_name=row["gateway_name"],
        request=request_of(as_json(row["payload"])),
        options=as_json(row["options"]) or [],
        allows_text=bool(row["allows_text"]),
        status=row["status"],
        answer=row["answer"] or "",
        answer_state=row["answer_state"] or "",
        note=row["note"] or "",
        decider=row["resolved_by_name"] or "The gateway",
        decided_at=as_moment(row["resolved_at"]),
        created_at=as_moment(row["created_at"]) or now(),
        expires_at=as_moment(row["expires_at"]),
        substance=substance_of(parts_of(row)),
    )


async def item(request_id: UUID) -> Item | None:
    """Return one request as it is now; who may see it was asked before."""
    found = await rows(f"{SELECT} WHERE r.id = ?", request_id)
    return item_of(found[0]) if found else None


async def in_queue(actor: Actor, queue_view: QueueView) -> list[QueueRow]:
    """Return what waits and what ended since the queue was opened, for the queue of all boards."""
    if queue_view.is_of_one_board:
        return []
    items = [item_of(row) for row in await shown(actor, since=queue_view.opened)]
    return [QueueRow(one.created_at, one.is_pending, _html(one, queue_view.url)) for one in items]


def _html(one: Item, next_url: str) -> Markup:
    return Markup(render_macro(TEMPLATE, "request_row", item=one, next_url=next_url))


async def tab(viewed: Viewed) -> str:
    """Return the tab of a gateway's page with what it asks for."""
    found = await shown(viewed.actor, gateway_id=viewed.id, newest_ended=MOST_ENDED)
    items = [item_of(row) for row in found]
    waiting, ended = [one for one in items if one.is_pending], [one for one in items if not one.is_pending]
    return render_macro(
        "gateway_requests/tab.html", "tab", waiting=waiting, ended=ended, next_url=f"{viewed.url}/requests"
    )


TAB = Tab(GATEWAY_PAGE, "requests", "Requests", tab)
