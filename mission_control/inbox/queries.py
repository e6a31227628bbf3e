"""Read notices to agents, and their deliveries."""

from typing import Any
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.queries import visible_agent
from mission_control.agents.reactions import NOTICE
from mission_control.boards.queries import on_readable_boards, visible_board
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.paging import Paging
from mission_control.database.sql import as_id, as_json, rows, wire_moment
from mission_control.delivery.models import Delivery
from mission_control.inbox.headers import kind_of
from mission_control.inbox.schemas import CallbackRead

# `state <> 'sent'` is the condition of the partial index.
UNREAD = "agent_id = ? AND state <> 'sent' AND kind = ?"
# What a connected gateway is about to send to its agent would be new work twice; what was given up is read here.
SENT_BY_GATEWAY = (
    "state <> 'failed' AND EXISTS (SELECT 1 FROM agents a JOIN gateways g ON g.id = a.gateway_id"
    " WHERE a.id = deliveries.agent_id AND a.callback_url IS NULL AND g.state = 'connected')"
)
ITEM = ("seq", "id", "header", "text", "task_id", "board_id", "data", "created_at")
FATE = ("state", "attempts", "last_error", "due_at", "sent_at")
INTERNAL = ("succeeded", "failed", "raw", "event")
# A poll may outlive its token; what comes later is for the agent's other tokens.
STILL_GOOD = (
    " AND EXISTS (SELECT 1 FROM tokens WHERE id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?))"
)


async def unread(actor: Actor, after: int, limit: int) -> list[dict[str, Any]]:
    """The calling agent's notices after a number that are not acknowledged, in order.

    Without those that its gateway is about to send to it.
    """
    found = await rows(
        f"SELECT {', '.join(ITEM)} FROM deliveries WHERE {UNREAD} AND seq > ?{STILL_GOOD}"
        f" AND NOT ({SENT_BY_GATEWAY}) ORDER BY seq LIMIT ?",
        actor.id,
        NOTICE,
        after,
        actor.credential[1],
        clock.now(),
        limit,
    )
    return [item(row) for row in found]


async def delivery_position(actor: Actor, upto: int) -> tuple[int, bool]:
    """The newest number of the agent's organization, and whether notices up to another one are not acknowledged."""
    [found] = await rows(
        f"SELECT delivery_seq, EXISTS (SELECT 1 FROM deliveries WHERE {UNREAD} AND seq <= ?) AS some"
        " FROM organizations WHERE id = ?",
        actor.id,
        NOTICE,
        upto,
        actor.organization_id,
    )
    return int(found["delivery_seq"]), bool(found["some"])


def item(row: dict[str, Any]) -> dict[str, Any]:
    """A notice as agents get it, in the inbox and at their callback."""
    return {
        "seq": row["seq"],
        "id": row["id"],
        "kind": kind_of(row["header"]),
        "header": row["header"],
        "text": row["text"],
        "task_id": row["task_id"],
        "board_id": row["board_id"],
        "data": public_data(as_json(row["data"])),
        "created_at": wire_moment(row["created_at"]),
    }


def public_data(data: dict[str, Any]) -> dict[str, Any]:
    """What a notice carries for programs."""
    return {key: value for key, value in data.items() if key not in INTERNAL}


async def deliveries_of(
    actor: Actor, agent: Agent, paging: Paging, state: str | None = None
) -> tuple[list[dict[str, Any]], int]:
    """An agent's notices about what exists for the actor, newest first, and how many there are."""
    here, boards = on_readable_boards(actor, agent.organization_id, "board_id")
    where, values = f"agent_id = ? AND kind = ?{here}", [agent.id, NOTICE, *boards]
    if state is not None:
        where, values = f"{where} AND state = ?", [*values, state]
    found = await rows(
        f"SELECT {', '.join(ITEM + FATE)} FROM deliveries WHERE {where} ORDER BY seq DESC, id DESC LIMIT ? OFFSET ?",
        *values,
        paging.limit,
        paging.offset,
    )
    [total] = await rows(f"SELECT COUNT(*) AS n FROM deliveries WHERE {where}", *values)
    return [delivery_read(row) for row in found], int(total["n"])


def delivery_read(row: dict[str, Any]) -> dict[str, Any]:
    """A delivery as people get it."""
    moments = {name: wire_moment(row[name]) for name in ("due_at", "sent_at")}
    return {**item(row), **{name: row[name] for name in FATE}, **moments}


def row_of(delivery: Delivery) -> dict[str, Any]:
    """The row behind a delivery."""
    return {name: getattr(delivery, name) for name in ITEM + FATE}


async def visible_delivery(actor: Actor, agent_id: UUID, delivery_id: UUID) -> Delivery:
    """A notice to an agent that exists for this actor; NotFound otherwise."""
    agent = await visible_agent(actor, agent_id)
    found = await Delivery.get_or_none(id=delivery_id, agent_id=agent.id, kind=NOTICE)
    if found is None:
        raise NotFound()
    if found.board_id is not None and found.board_id != agent.board_id:
        await visible_board(actor, found.board_id)
    return found


async def callback_state(agent_id: UUID) -> CallbackRead:
    """An agent's callback and how it does."""
    [agent] = await rows("SELECT callback_url FROM agents WHERE id = ?", agent_id)
    counts = await rows(f"SELECT state, COUNT(*) AS n FROM deliveries WHERE {UNREAD} GROUP BY state", agent_id, NOTICE)
    numbers = {row["state"]: int(row["n"]) for row in counts}
    return CallbackRead(
        url=agent["callback_url"],
        last_success_at=await _last_success(agent_id),
        last_error=await _present_error(agent_id),
        waiting=numbers.get("waiting", 0) + numbers.get("sending", 0),
        failed=numbers.get("failed", 0),
    )


async def _last_success(agent_id: UUID) -> Any:
    """When a notice last arrived; one that the agent read in its inbox was not attempted, or keeps its error."""
    found = await rows(
        "SELECT sent_at FROM deliveries WHERE agent_id = ? AND kind = ? AND state = 'sent' AND attempts > 0"
        " AND last_error IS NULL ORDER BY seq DESC LIMIT 1",
        agent_id,
        NOTICE,
    )
    return wire_moment(found[0]["sent_at"]) if found else None


async def _present_error(agent_id: UUID) -> str | None:
    """What went wrong with the newest notice that was attempted; they go out in order."""
    found = await rows(
        "SELECT last_error FROM deliveries WHERE agent_id = ? AND kind = ? AND attempts > 0 ORDER BY seq DESC LIMIT 1",
        agent_id,
        NOTICE,
    )
    return found[0]["last_error"] if found else None


async def callback_of(agent_id: Any) -> tuple[str, str] | None:
    """An agent's callback address and its encrypted secret; None when it has none."""
    found = await rows("SELECT callback_url, callback_secret FROM agents WHERE id = ?", as_id(agent_id))
    if not found or found[0]["callback_url"] is None:
        return None
    return found[0]["callback_url"], found[0]["callback_secret"]
