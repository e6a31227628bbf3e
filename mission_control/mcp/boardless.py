"""What gateways ask for agents that are on no board, beside the requests of boards: for owners and admins."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from mission_control.approvals.payloads import request_of
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid
from mission_control.gateway_requests.queries import may_see
from mission_control.mcp.adapters import perform

MOST = 200
NO_CHANGES = "A gateway takes approved or rejected. Say what to change in a message to its agent."


async def waiting(actor: Actor) -> list[dict[str, Any]]:
    """Return what waits for the person, none for who does not administer the organization."""
    if not may_see(actor):
        return []
    page = await perform("list_gateway_requests", actor, query={"status": "pending", "limit": MOST})
    return [_line(one) for one in page["items"]]


def _line(read: Mapping[str, Any]) -> dict[str, Any]:
    request = request_of(read["payload"])
    text = read["content"] if request is None else f"{read['heading']}\n\n{request.as_text}"
    return {
        **{
            name: read[name]
            for name in ("kind", "id", "gateway_name", "action_type", "options", "allows_text", "substance")
        },
        "asked_by": read["agent_name"],
        "text": text or read["heading"],
        "allows_always": request is not None and request.allows_always,
        "created_at": clock.parse_since(read["created_at"]),
        "expires_at": read["expires_at"],
    }


async def decide(
    actor: Actor, request_id: UUID, decision: str, *, always: bool, substance: str | None
) -> dict[str, Any]:
    """Decide about such an approval; return it in the shape of an approval. Raise NotFound when there is none."""
    if decision == "changes_requested":
        await perform("get_gateway_request", actor, {"gateway_request_id": request_id})
        raise Invalid(NO_CHANGES)
    body = {"decision": decision, "always": always, "substance": substance}
    read = await perform("decide_gateway_request", actor, {"gateway_request_id": request_id}, body=body)
    return {**read, "task_ids": [], "decision": read["status"]}


async def answer(actor: Actor, request_id: UUID, body: Mapping[str, Any]) -> dict[str, Any]:
    """Answer such a question; return it in the shape of a question. Raise NotFound when there is none."""
    read = await perform("answer_gateway_request", actor, {"gateway_request_id": request_id}, body=body)
    return {**read, "board_id": None, "state": "answered"}
