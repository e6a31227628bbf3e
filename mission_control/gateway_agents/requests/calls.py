"""Ask gateways: what waits there, how something ended; tell them answers; who of ours asks."""

from dataclasses import dataclass
from uuid import UUID

from mission_control.approvals.payloads import ACTIONS
from mission_control.boards.models import Board
from mission_control.database.sql import rows
from mission_control.gateway_agents.requests.reading import AskedQuestion, Ended, read_end, read_question
from mission_control.gateways.connections.connector import call
from mission_control.gateways.connections.events import GatewayRef
from mission_control.gateways.protocol.errors import GatewayError, MissingScopes, NotSupported, Said
from mission_control.gateways.protocol.payload import Payload


@dataclass(frozen=True, slots=True)
class Asker:
    """The agent that asks: of a board, one of ours without one, such as the main agent, or one that we do not know."""

    id: UUID | None
    name: str
    gateway_agent_id: str
    board: Board | None = None


async def asker_of(gateway: GatewayRef, gateway_agent_id: str) -> Asker:
    agents = await rows(
        "SELECT a.id, a.name, b.id AS board_id FROM agents a"
        " LEFT JOIN boards b ON b.id = a.board_id AND b.deleted_at IS NULL"
        " WHERE a.gateway_id = ? AND a.gateway_agent_id = ? AND a.gateway_agent_id <> ''"
        " ORDER BY CASE WHEN b.id IS NULL THEN 1 ELSE 0 END, a.created_at, a.id LIMIT 1",
        gateway.id,
        gateway_agent_id,
    )
    if not agents:
        return Asker(None, gateway_agent_id or "An agent", gateway_agent_id)
    [agent] = agents
    board = await Board.get(id=agent["board_id"]) if agent["board_id"] is not None else None
    return Asker(UUID(str(agent["id"])), agent["name"], gateway_agent_id, board)


SECONDS = 10.0
# The list of each kind of approval that waits.
LISTS = {"exec": "exec.approval.list", "plugin": "plugin.approval.list", "system-agent": "openclaw.approval.list"}
KINDS = {action: kind for kind, action in ACTIONS.items()}
UNKNOWN = {"APPROVAL_NOT_FOUND", "QUESTION_NOT_FOUND"}
OVER = {"APPROVAL_ALREADY_RESOLVED", "QUESTION_ALREADY_TERMINAL"}


def reason_of(error: GatewayError) -> str:
    return Payload.of(error.details).string("reason") or ""


async def listed(gateway_id: UUID, method: str) -> list[Payload] | None:
    """None where a gateway does not say what waits on it."""
    try:
        answer = await call(gateway_id, method, seconds=SECONDS)
    except (NotSupported, MissingScopes):
        return None
    items = answer.get("questions", answer.get("approvals")) if isinstance(answer, dict) else answer
    return [Payload(item) for item in items if isinstance(item, dict)] if isinstance(items, list) else None


async def end_of_approval(gateway_id: UUID, external_id: str) -> Ended | None:
    """Return how an approval ended on its gateway; None while it waits there, or where the gateway keeps no record."""
    try:
        return read_end(await call(gateway_id, "approval.get", {"id": external_id}, seconds=SECONDS))
    except (NotSupported, MissingScopes):
        return None
    except GatewayError as error:
        if reason_of(error) in UNKNOWN:
            return Ended("gone")
        raise


async def resolve_approval(gateway_id: UUID, external_id: str, kind: str, answer: str) -> Ended:
    """Tell a gateway the answer, and return how the approval ended: the first answer wins there."""
    params = {"id": external_id, "kind": kind, "decision": answer}
    try:
        ended = read_end(await call(gateway_id, "approval.resolve", params, seconds=SECONDS))
    except NotSupported:
        return await _resolve_command(gateway_id, external_id, answer)
    except GatewayError as error:
        if reason_of(error) in UNKNOWN:
            return Ended("gone")
        raise
    return ended or _ended_by(answer)


async def _resolve_command(gateway_id: UUID, external_id: str, answer: str) -> Ended:
    """Do the same on gateways of before July 2026, which ask about commands only and keep no record."""
    params = {"id": external_id, "decision": answer}
    try:
        await call(gateway_id, "exec.approval.resolve", params, seconds=SECONDS)
    except GatewayError as error:
        if reason_of(error) in OVER:
            return Ended("denied" if answer != "deny" else "allowed", by="somebody else")
        if reason_of(error) in UNKNOWN or Said.APPROVAL_GONE.search(error.message):
            return Ended("gone")
        raise
    return _ended_by(answer)


def _ended_by(answer: str) -> Ended:
    return Ended("denied" if answer == "deny" else "allowed", answer)


async def question_of(gateway_id: UUID, external_id: str) -> AskedQuestion | None:
    """None where the question is unknown on its gateway."""
    try:
        answer = Payload.of(await call(gateway_id, "question.get", {"id": external_id}, seconds=SECONDS))
    except NotSupported:
        return None
    except GatewayError as error:
        if reason_of(error) in UNKNOWN:
            return None
        raise
    return read_question(answer.get("question", answer))


async def resolve_question(gateway_id: UUID, external_id: str, answers: dict[str, list[str]] | None, by: str) -> bool:
    """Tell a gateway the answers, or that nobody wants to answer; False when the question was over there."""
    params = {"id": external_id, "resolvedBy": by}
    nested = params | ({"cancel": True} if answers is None else {"answers": {"answers": answers}})
    try:
        try:
            await call(gateway_id, "question.resolve", nested, seconds=SECONDS)
        except GatewayError as error:
            # Newer gateways refuse the envelope around the answers.
            if answers is None or error.code != "INVALID_REQUEST" or reason_of(error):
                raise
            await call(gateway_id, "question.resolve", params | {"answers": answers}, seconds=SECONDS)
    except GatewayError as error:
        if reason_of(error) in UNKNOWN | OVER:
            return False
        raise
    return True
