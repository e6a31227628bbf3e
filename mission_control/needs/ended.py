"""Say who was faster: what happened to something that no longer waits for a person."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from mission_control.accounts.names import person_name
from mission_control.core import clock, times
from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict, NotFound
from mission_control.core.ids import parse_id
from mission_control.database.sql import as_id, rows, select_one
from mission_control.gateway_requests.models import GatewayRequest
from mission_control.gateway_requests.queries import decider_of
from mission_control.needs.finding import Filter, find_keys
from mission_control.needs.kinds import KINDS, Key
from mission_control.needs.schemas import Kind

TABLES: dict[Kind, str] = {"approval": "approvals", "question": "agent_questions"}
OF_AN_ORGANIZATION: dict[Kind, str] = {
    "gateway": "gateways",
    "delivery": "deliveries",
    "request": "gateway_requests",
    "budget": "budgets",
}
# What happened, by the kind of event; a change of status by the new one.
WORDS = {
    "approval.decided": "decided this",
    "approval.closed": "closed this",
    "approval.ended_on_gateway": "closed this, as its gateway did,",
    "question.closed": "closed this",
    "question.answered": "answered this",
    "question.withdrawn": "withdrew this",
    "question.ended_on_gateway": "closed this, as its gateway did,",
    "task.unflagged": "let agents try this again",
    "task.deleted": "deleted this",
    "task.updated": "changed this",
    "task.lease_expired": "took this back",
    "task.status_changed": "moved this",
    "gateway.connected": "connected to it",
    "delivery.retried": "had this sent again",
}
CLOSED = ("approval.closed", "question.closed")
DECISIONS = {"approved": "approved this", "rejected": "rejected this", "changes_requested": "sent this back"}
MOVES = {"done": "finished this", "inbox": "moved this to the inbox", "in_progress": "took this up again"}


@dataclass(frozen=True, slots=True)
class Last:
    """The last thing that happened to what a need was about."""

    kind: str
    actor_id: UUID | None
    actor: str | None
    created_at: datetime
    data: dict[str, Any]

    @property
    def sentence(self) -> str:
        """Who did what, and when: `Mara approved this 3 s ago.`"""
        after = self.data.get("after")
        status = after.get("status") if isinstance(after, dict) else None
        words = DECISIONS.get(str(self.data.get("decision"))) or MOVES.get(str(status)) or WORDS[self.kind]
        why = f" {self.data['note']}" if self.kind in CLOSED else ""
        return f"{self.actor or 'Somebody'} {words} {times.ago(self.created_at)}.{why}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to answer: it waits (`key`), or it waited."""

    kind: Kind
    id: UUID
    board_id: UUID | None
    key: Key | None

    @property
    def name(self) -> str:
        """Its id for the outside."""
        return f"{self.kind}:{self.id}"


async def asked_need(actor: Actor, need_id: str) -> Asked:
    """Return what an id names, also when it no longer waits. Raise NotFound when the person may not answer it."""
    name, _, text = need_id.partition(":")
    subject, kind = parse_id(text), next((one for one in KINDS if one == name), None)
    if kind is None or subject is None:
        raise NotFound()
    key = await present_key(actor, kind, subject)
    board_id = key.board_id if key is not None else await _board_of_ended(actor, kind, subject)
    return Asked(kind, subject, board_id, key)


async def present_key(actor: Actor, kind: Kind, subject: UUID) -> Key | None:
    """Return where a need stands now, None when it does not wait for the person."""
    found = await find_keys(actor, Filter(kinds=(kind,), ids=(subject,), include="all"), 1)
    return found[0] if found else None


async def _board_of_ended(actor: Actor, kind: Kind, subject: UUID) -> UUID | None:
    """Return the board of something that the person could have answered. Raise NotFound otherwise."""
    if kind in OF_AN_ORGANIZATION:
        table = OF_AN_ORGANIZATION[kind]
        found = await rows(f"SELECT organization_id FROM {table} WHERE id = ?", subject)
        organization_id = as_id(found[0]["organization_id"]) if found else None
        if organization_id is None or not actor.administers(organization_id):
            raise NotFound()
        return None
    found = await rows(
        f"SELECT b.id, b.organization_id FROM {TABLES.get(kind, 'tasks')} x JOIN boards b ON b.id = x.board_id"
        " WHERE x.id = ? AND b.deleted_at IS NULL",
        subject,
    )
    board_id = as_id(found[0]["id"]) if found else None
    membership = actor.memberships.get(as_id(found[0]["organization_id"]) or subject) if found else None
    if board_id is None or membership is None:
        raise NotFound()
    if not (membership.all_boards_write or membership.boards.get(board_id, (False, False))[1]):
        raise NotFound()
    return board_id


async def refuse_ended(asked: Asked) -> None:
    """Raise Conflict with who was faster."""
    if asked.kind == "request":
        message = await _end_of_request(asked.id)
    else:
        last = await last_of(asked)
        message = last.sentence if last is not None else "This no longer waits for an answer."
    raise Conflict(ErrorCode.NEED_ENDED.detail(message))


async def _end_of_request(request_id: UUID) -> str:
    """Say who settled a gateway's request: several of one gateway share the subject of their events."""
    request = await GatewayRequest.get(id=request_id)
    words = {"approved": "approved this", "rejected": "rejected this", "answered": "answered this"}
    what = words.get(request.status, "closed this")
    return f"{await decider_of(request)} {what} {times.ago(request.resolved_at or clock.now())}."


async def last_of(asked: Asked) -> Last | None:
    """Return the last thing that ended what somebody wants to answer."""
    is_task = asked.kind not in TABLES and asked.kind not in OF_AN_ORGANIZATION
    prefix = {"approval": "approval.", "question": "question.", "gateway": "gateway.", "delivery": "delivery."}
    kinds = [one for one in WORDS if one.startswith(prefix.get(asked.kind, "task."))]
    where = "e.task_id = ?" if is_task else "e.board_id = ? AND e.subject_id = ?"
    values: list[Any] = [asked.id] if is_task else [asked.board_id, asked.id]
    if asked.kind in OF_AN_ORGANIZATION:
        return None
    return await select_one(
        Last,
        "SELECT e.kind, e.actor_id, e.created_at, e.data,"
        f" COALESCE(e.actor_name, {person_name('u')}) AS actor FROM events e LEFT JOIN users u ON u.id = e.actor_id"
        f" WHERE {where} AND e.kind IN ({', '.join('?' * len(kinds))}) ORDER BY e.seq DESC LIMIT 1",
        *values,
        *kinds,
    )
