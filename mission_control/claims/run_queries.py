"""Read runs as they are answered, with a fixed number of statements."""

from typing import Any
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.boards.queries import on_readable_boards
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.paging import Paging
from mission_control.database.sql import as_json, placeholders, rows, wire_moment
from mission_control.usage.schemas import MICROS

COLUMNS = (
    "r.id, r.task_id, r.board_id, r.agent_id, r.agent_name, r.fence, r.state, r.started_at, r.lease_expires_at,"
    " r.ended_at, r.end_reason, r.summary, r.evidence, r.input_tokens, r.output_tokens, r.cost_micros"
)
OF_LIVE_TASKS = (
    "FROM task_runs r JOIN tasks t ON t.id = r.task_id JOIN boards b ON b.id = r.board_id"
    " WHERE t.deleted_at IS NULL AND b.deleted_at IS NULL AND r.agent_id = ?"
)


async def runs_of_task(task_id: UUID, paging: Paging) -> tuple[list[dict[str, Any]], int]:
    """Return a task's runs, newest first, and their number."""
    [total] = await rows("SELECT COUNT(*) AS n FROM task_runs WHERE task_id = ?", task_id)
    found = await rows(
        f"SELECT {COLUMNS} FROM task_runs r WHERE r.task_id = ? ORDER BY r.fence DESC LIMIT ? OFFSET ?",
        task_id,
        paging.limit,
        paging.offset,
    )
    return await _serialize_runs(found), int(total["n"])


async def runs_of_agent(actor: Actor, agent: Agent, paging: Paging) -> tuple[list[dict[str, Any]], int]:
    """Return an agent's runs of tasks that the actor can read, newest first, and their number."""
    here, boards = on_readable_boards(actor, agent.organization_id, "r.board_id")
    [total] = await rows(f"SELECT COUNT(*) AS n {OF_LIVE_TASKS}{here}", agent.id, *boards)
    found = await rows(
        f"SELECT {COLUMNS}, t.number AS task_number, t.title AS task_title {OF_LIVE_TASKS}{here}"
        " ORDER BY r.started_at DESC, r.id DESC LIMIT ? OFFSET ?",
        agent.id,
        *boards,
        paging.limit,
        paging.offset,
    )
    serialized = await _serialize_runs(found)
    named = [{name: row[name] for name in ("task_number", "task_title")} for row in found]
    return [run | names for run, names in zip(serialized, named, strict=True)], int(total["n"])


async def run_read(run_id: UUID) -> dict[str, Any]:
    """Return one run as it is answered."""
    found = await _serialize_runs(await rows(f"SELECT {COLUMNS} FROM task_runs r WHERE r.id = ?", run_id))
    if not found:
        raise NotFound()
    return found[0]


async def _serialize_runs(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    artifacts: dict[str, list[dict[str, Any]]] = {}
    if found:
        for row in await rows(
            "SELECT f.id, f.run_id, f.name, f.size, f.content_type FROM task_attachments f"
            f" WHERE f.run_id IN ({placeholders(len(found))}) ORDER BY f.created_at, f.id",
            *[row["id"] for row in found],
        ):
            artifacts.setdefault(str(row.pop("run_id")), []).append(row)
    return [_serialize(row, artifacts.get(str(row["id"]), [])) for row in found]


def _serialize(row: dict[str, Any], artifacts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a row of `COLUMNS` as a RunRead."""
    plain = ("id", "task_id", "board_id", "agent_id", "agent_name", "fence", "state")
    moments = ("started_at", "lease_expires_at", "ended_at")
    return (
        {name: row[name] for name in plain}
        | {name: wire_moment(row[name]) for name in moments}
        | {"end_reason": row["end_reason"], "summary": row["summary"]}
        | {"evidence": as_json(row["evidence"]) or [], "artifacts": artifacts}
        | {
            "input_tokens": row["input_tokens"],
            "output_tokens": row["output_tokens"],
            "cost_usd": row["cost_micros"] / MICROS,
        }
    )
