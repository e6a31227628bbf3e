"""Read what gateways ask for agents that are on no board: for their organization's owners and admins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from mission_control.accounts.names import person_name
from mission_control.approvals.outside import request_of
from mission_control.core.actor import Actor
from mission_control.core.clock import now
from mission_control.core.errors import NotFound
from mission_control.core.substance import Parts, substance_of
from mission_control.database.sql import as_json, as_moment, placeholders, rows, wire_moment
from mission_control.gateway_requests.models import GatewayRequest
from mission_control.gateway_requests.schemas import GatewayRequestQuery
from mission_control.questions.queries import parts_of as parts_of_question
from mission_control.questions.queue import split_heading

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


async def visible_request(actor: Actor, gateway_request_id: UUID) -> GatewayRequest:
    """Return a request that the person can see. Raise NotFound otherwise."""
    found = await GatewayRequest.get_or_none(id=gateway_request_id)
    if found is None or not (actor.is_user and actor.administers(found.organization_id)):
        raise NotFound()
    return found


async def list_requests(actor: Actor, query: GatewayRequestQuery) -> tuple[list[dict[str, Any]], int]:
    """Return a page of the active organization's requests, newest first, and their number."""
    where, values = " WHERE r.organization_id = ?", list[Any]([actor.organization_id])
    if query.gateway_id is not None:
        where, values = f"{where} AND r.gateway_id = ?", [*values, query.gateway_id]
    if query.status is not None:
        where, values = f"{where} AND r.status = ?", [*values, query.status]
    [total] = await rows(f"SELECT COUNT(*) AS n FROM gateway_requests r{where}", *values)
    found = await rows(f"{SELECT}{where}{LAST} LIMIT ? OFFSET ?", *values, query.limit, query.offset)
    return [serialize(row) for row in found], int(total["n"])


async def read_request(request_id: UUID) -> dict[str, Any]:
    """Return one request as it is answered."""
    found = await rows(f"{SELECT} WHERE r.id = ?", request_id)
    if not found:
        raise NotFound()
    return serialize(found[0])


async def parts_of_requests(request_ids: Sequence[UUID]) -> dict[UUID, Parts]:
    """Return what requests ask for, by their ids."""
    found = await rows(f"{SELECT} WHERE r.id IN ({placeholders(len(request_ids))})", *request_ids)
    return {UUID(str(row["id"])): parts_of(row) for row in found}


def parts_of(row: dict[str, Any]) -> Parts:
    """Return what the request of a row asks for."""
    if row["kind"] == "question":
        return parts_of_question(row)
    return {"request": [row["action_type"], as_json(row["payload"])]}


def serialize(row: dict[str, Any]) -> dict[str, Any]:
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


def heading_of(row: dict[str, Any]) -> str:
    """Return what is asked, in a line."""
    if row["kind"] == "question":
        return split_heading(row["content"])[0]
    asked = request_of(as_json(row["payload"]))
    return asked.heading if asked is not None else "Decide about a request"


async def decider_of(request: GatewayRequest) -> str:
    """Return who settled a request."""
    [row] = await rows(f"{SELECT} WHERE r.id = ?", request.id)
    return str(row["resolved_by_name"] or "Somebody")


async def shown(
    actor: Actor, *, gateway_id: UUID | None = None, since: datetime | None = None, newest_ended: int = 0
) -> list[dict[str, Any]]:
    """Return rows of `SELECT`: what waits, oldest first, with `since` also what ended after that.

    `newest_ended` adds so many that ended, newest first.
    """
    if not may_see(actor):
        return []
    where, values = " WHERE r.organization_id = ?", list[Any]([actor.organization_id])
    if gateway_id is not None:
        where, values = f"{where} AND r.gateway_id = ?", [*values, gateway_id]
    waits = "r.status = 'pending'" if since is None else "(r.status = 'pending' OR r.resolved_at >= ?)"
    now = [] if since is None else [since]
    found = await rows(f"{SELECT}{where} AND {waits}{FIRST} LIMIT {MOST_SHOWN}", *values, *now)
    if newest_ended:
        ended = f"{SELECT}{where} AND r.status <> 'pending' ORDER BY r.resolved_at DESC, r.id DESC LIMIT {newest_ended}"
        found = [*found, *await rows(ended, *values)]
    return found


async def pending_count(actor: Actor) -> int:
    """Return the number of requests that wait for an owner or admin of the active organization."""
    if not may_see(actor):
        return 0
    counted = "SELECT COUNT(*) AS n FROM gateway_requests WHERE organization_id = ? AND status = 'pending'"
    return int((await rows(counted, actor.organization_id))[0]["n"])


@dataclass(frozen=True, slots=True)
class PossibleAnswer:
    """An answer that a person can give: its value for the operation, its words, and what happens then."""

    value: str
    label: str
    outcome: str
    is_recommended: bool = False


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A request that waits for a person.

    `answers` are the decisions of an approval (`approved`, `always`, `rejected`) or the options of a question, by id;
    `allows_text` says whether words of one's own are an answer, too.
    """

    id: UUID
    kind: str
    heading: str
    text: str
    agent_id: UUID | None
    agent_name: str
    gateway_id: UUID
    gateway_name: str
    created_at: datetime
    expires_at: datetime | None
    answers: list[PossibleAnswer]
    allows_text: bool
    if_ignored: str

    @property
    def url(self) -> str:
        """The address of its page."""
        return f"/gateways/requests/{self.id}"


async def pending_requests(actor: Actor) -> list[PendingRequest]:
    """Return what waits for an owner or admin of the active organization, oldest first; nothing for others."""
    return [_pending(row) for row in await shown(actor)]


def _pending(row: dict[str, Any]) -> PendingRequest:
    asked = request_of(as_json(row["payload"]))
    effects = asked.effects(row["agent_name"]) if asked is not None else {}
    answers = [
        PossibleAnswer(one["id"], one["label"], one.get("outcome") or "", bool(one.get("recommended")))
        for one in as_json(row["options"]) or []
    ]
    if row["kind"] == "approval":
        offered = (("approved", "Approve", "approve"), ("always", "Always", "always"), ("rejected", "Reject", "reject"))
        answers = [PossibleAnswer(value, label, effects[key]) for value, label, key in offered if key in effects]
    return PendingRequest(
        id=UUID(str(row["id"])),
        kind=row["kind"],
        heading=heading_of(row),
        text=row["content"] or (asked.as_text if asked is not None else ""),
        agent_id=UUID(str(row["agent_id"])) if row["agent_id"] else None,
        agent_name=row["agent_name"],
        gateway_id=UUID(str(row["gateway_id"])),
        gateway_name=row["gateway_name"],
        created_at=as_moment(row["created_at"]) or now(),
        expires_at=as_moment(row["expires_at"]),
        answers=answers,
        allows_text=bool(row["allows_text"]),
        if_ignored=effects.get("ignore", f"{row['agent_name']} waits until the question expires."),
    )
