"""What the agents of the gateway of tests ask people: approvals of commands, and questions."""

import uuid
from typing import TYPE_CHECKING, Any

from tests.gateways.fake_methods import Refused, method
from tests.gateways.fake_state import now_ms

if TYPE_CHECKING:
    from tests.gateways.fake import FakeGateway

LIFETIME_MS = 30 * 60 * 1000
NOT_FOUND = {"reason": "APPROVAL_NOT_FOUND"}
ENDS = {"allow-once": "allowed", "allow-always": "allowed", "deny": "denied"}


def new_approval(command: str, agent_id: str, session_key: str) -> dict[str, Any]:
    """Return an approval that waits, as the event that announces it carries it."""
    request = {
        "command": command, "cwd": "/home/claw/workspace", "host": "gateway", "security": "allowlist",
        "ask": "on-miss", "allowedDecisions": ["allow-once", "deny"], "agentId": agent_id, "sessionKey": session_key,
        "commandAnalysis": {"riskKinds": [], "warningLines": []}, "runId": str(uuid.uuid4()),
    }  # fmt: skip
    at = now_ms()
    return {
        "approvalKind": "exec", "id": str(uuid.uuid4()), "request": request, "createdAtMs": at,
        "expiresAtMs": at + LIFETIME_MS,
    }  # fmt: skip


def new_question(texts: list[dict[str, Any]], agent_id: str, session_key: str) -> dict[str, Any]:
    """Return a question that waits."""
    at = now_ms()
    return {
        "id": str(uuid.uuid4()), "questions": texts, "agentId": agent_id, "sessionKey": session_key,
        "createdAtMs": at, "expiresAtMs": at + LIFETIME_MS, "status": "pending",
    }  # fmt: skip


def snapshot(approval: dict[str, Any]) -> dict[str, Any]:
    """As the methods for every kind of approval show one."""
    request = approval["request"]
    shown: dict[str, Any] = {
        "id": approval["id"], "urlPath": f"/approvals/{approval['id']}", "createdAtMs": approval["createdAtMs"],
        "expiresAtMs": approval["expiresAtMs"], "status": ENDS.get(approval.get("decision", ""), "pending"),
        "presentation": {
            "kind": "exec", "commandText": request["command"], "agentId": request["agentId"],
            "allowedDecisions": request["allowedDecisions"],
        },
    }  # fmt: skip
    if approval.get("expired"):
        return shown | {"status": "expired", "reason": "timeout", "resolvedAtMs": approval["expiresAtMs"]}
    if "decision" in approval:
        resolver = {"kind": "device", "id": approval.get("resolvedBy", "")}
        shown |= {"decision": approval["decision"], "reason": "user", "resolvedAtMs": now_ms(), "resolver": resolver}
    return shown


def _resolve(gateway: "FakeGateway", params: dict[str, Any]) -> dict[str, Any]:
    approval = gateway.state.approvals.get(params["id"])
    if approval is None or approval.get("expired"):
        raise Refused("unknown or expired approval id", details=NOT_FOUND)
    if approval.get("decision") not in (None, params["decision"]):
        raise Refused("approval already resolved", details={"reason": "APPROVAL_ALREADY_RESOLVED"})
    if params["decision"] not in [*approval["request"]["allowedDecisions"], "allow-always"]:
        raise Refused("decision not allowed for this approval")
    if "decision" not in approval:
        gateway.resolve_approval(approval["id"], params["decision"], by="gateway-client")
    return approval


@method("exec.approval.list")
def exec_approval_list(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    return [one for one in gateway.state.approvals.values() if "decision" not in one and not one.get("expired")]


@method("exec.approval.resolve")
def exec_approval_resolve(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    _resolve(gateway, params)
    return {"ok": True}


@method("exec.approval.get")
@method("approval.get")
def approval_get(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    approval = gateway.state.approvals.get(params["id"])
    if approval is None:
        raise Refused("approval not found", details=NOT_FOUND)
    return {"approval": snapshot(approval)}


@method("approval.resolve")
def approval_resolve(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    found = gateway.state.approvals.get(params["id"])
    if found is None:
        raise Refused("approval not found", details=NOT_FOUND)
    if "decision" in found or found.get("expired"):  # the first answer wins and is told to the others
        return {"applied": False, "approval": snapshot(found)}
    return {"applied": True, "approval": snapshot(_resolve(gateway, params))}


@method("approval.history")
def approval_history(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    ended = [one for one in gateway.state.approvals.values() if "decision" in one or one.get("expired")]
    return {"items": [snapshot(one) for one in ended]}


@method("question.list")
def question_list(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    return {"questions": [one for one in gateway.state.questions.values() if one["status"] == "pending"]}


def _question(gateway: "FakeGateway", question_id: str) -> dict[str, Any]:
    found = gateway.state.questions.get(question_id)
    if found is None:
        raise Refused(f"question '{question_id}' was not found", details={"reason": "QUESTION_NOT_FOUND"})
    return found


@method("question.get")
def question_get(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    return {"question": _question(gateway, params["id"])}


@method("question.resolve")
def question_resolve(gateway: "FakeGateway", params: dict[str, Any]) -> Any:
    question = _question(gateway, params["id"])
    if question["status"] != "pending":
        raise Refused(
            f"question '{params['id']}' is {question['status']}", details={"reason": "QUESTION_ALREADY_TERMINAL"}
        )
    if params.get("cancel"):
        gateway.resolve_question(question["id"], "cancelled")
        return {"id": question["id"], "status": "cancelled"}
    answers = _answers(gateway, params["answers"])
    for item in question["questions"]:
        if not answers.get(item["questionId"]):
            details = {"reason": "QUESTION_INVALID_ANSWER"}
            raise Refused(f"question '{item['questionId']}' requires an answer", details=details)
    question["resolvedBy"] = params.get("resolvedBy")
    gateway.resolve_question(question["id"], "answered", params["answers"])
    return {"status": "answered", "answers": params["answers"]}


def _answers(gateway: "FakeGateway", said: dict[str, Any]) -> dict[str, Any]:
    """Return answers by question: in an envelope, or without it where the gateway wants them so."""
    if gateway.wants_flat_answers == ("answers" in said):
        raise Refused("invalid question.resolve params: at /answers: must match a schema in anyOf")
    return said if gateway.wants_flat_answers else said["answers"]
