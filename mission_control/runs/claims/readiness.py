"""Which workers of a board are ready for a task: those that wait for work now, in any process."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from mission_control.agents.holds.schemas import AgentHold
from mission_control.background.presence import Presence
from mission_control.boards.models import Board
from mission_control.boards.parking import IS_PARKED
from mission_control.boards.queries import SILENT_AFTER, online_sql
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.programs import Client, program_name
from mission_control.core.values import Schema, parse_id
from mission_control.database.sql import Row, as_id, as_json, as_moment, placeholders, rows
from mission_control.people.organizations.work_state import RUNNING
from mission_control.runs.queries import ClaimCreate

ASKS_AGAIN_SECONDS = 2.0  # within which one whose wait ended with nothing asks again
WAITING = Presence("workers", "workers_on")

State = Literal["ready", "busy", "holding", "paused", "away"]
ORDER: tuple[State, ...] = ("ready", "busy", "holding", "away", "paused")


@dataclass(slots=True)
class Ready:
    """An agent that waits for work, present at its board from its first wait on until it has some."""

    actor: Actor
    board: Board
    wanted: ClaimCreate
    asks_again: bool = False
    _name: str | None = field(default=None, init=False)

    async def announce(self, is_ready: bool) -> None:
        """Say that it waits, and would begin what it is given; or that something holds its work back."""
        if is_ready and self._name is None:
            token_id = self.actor.credential[1] if self.actor.credential[0] == "token" else None
            member = f"{self.actor.agent_id}:{token_id or ''}:{self.wanted.program or ''}:{self.wanted.places}"
            self._name = await WAITING.enter(self.board.organization_id, self.board.id, member)
        elif not is_ready:
            self._leave()

    def _leave(self, after: float = 0.0) -> None:
        if self._name is not None:
            WAITING.leave(self._name, after)
            self._name = None

    def __enter__(self) -> "Ready":
        return self

    def __exit__(self, *_: object) -> None:
        self._leave(ASKS_AGAIN_SECONDS if self.asks_again else 0.0)


class WaitRead(Schema):
    """A program that waits for work now."""

    program: Annotated[Client | None, Field(description="null: its token belongs to no connection")]
    host_label: str | None
    places: Annotated[int, Field(description="How many tasks it would begin now")]

    @property
    def words(self) -> str:
        name = program_name(self.program)
        return " on ".join(filter(None, (name, self.host_label)))


class HeldRead(Schema):
    """A task that a worker has in progress."""

    id: UUID
    number: int


class WorkerRead(Schema):
    """A worker of a board, and whether it would begin a task now."""

    agent_id: UUID
    agent_name: str
    state: Annotated[
        State,
        Field(
            description="`ready`: it waits for work, or its gateway wakes it; `holding`: its program may not go on"
            " until `hold.until`; `away`: it does not wait for work now"
        ),
    ]
    places: Annotated[int, Field(description="How many tasks it would begin now")]
    waits: Annotated[list[WaitRead], Field(description="Where it waits for work")]
    tasks: Annotated[list[HeldRead], Field(description="What it has in progress, without what waits for people")]
    last_seen_at: datetime | None
    hold: Annotated[AgentHold | None, Field(description="Where, why and until when its program may not go on")]

    @property
    def where(self) -> str:
        return ", ".join(filter(None, dict.fromkeys(wait.words for wait in self.waits)))


# The workers of a board with their tasks in progress, one row a task, or one without any.
WORKERS = (
    f"SELECT g.id, g.name, g.last_seen_at, g.wip_limit, g.gateway_id, g.hold, {online_sql('g')} AS is_online,"
    " g.work_state, b.work_state AS board_state, o.work_state AS organization_state, t.id AS task_id, t.number"
    " FROM agents g JOIN boards b ON b.id = g.board_id JOIN organizations o ON o.id = b.organization_id"
    " LEFT JOIN tasks t ON t.assigned_agent_id = g.id AND t.board_id = g.board_id AND t.status = 'in_progress'"
    f" AND t.deleted_at IS NULL AND NOT {IS_PARKED}"
    " WHERE g.board_id = ? AND NOT g.is_board_lead AND g.status <> 'deleting' ORDER BY LOWER(g.name), g.id, t.number"
)
CONNECTIONS = "SELECT t.id, c.client, c.host_label FROM tokens t JOIN connections c ON c.id = t.connection_id WHERE "


async def workers_of(board: Board) -> list[WorkerRead]:
    waits = await _waits_at(board.id)
    by_agent: dict[UUID, list[Row]] = {}
    for row in await rows(WORKERS, times.clock_now() - SILENT_AFTER, board.id):
        by_agent.setdefault(UUID(str(row["id"])), []).append(row)
    workers = [_read(agent_id, tasks, waits.get(agent_id, [])) for agent_id, tasks in by_agent.items()]
    seen = {it.agent_id: it.last_seen_at.timestamp() if it.last_seen_at else 0.0 for it in workers}
    return sorted(workers, key=lambda it: (ORDER.index(it.state), -seen[it.agent_id]))


async def _waits_at(board_id: UUID) -> dict[UUID, list[WaitRead]]:
    members = [member.split(":") for member in WAITING.at(board_id)]
    token_ids = [token_id for member in members if (token_id := parse_id(member[1])) is not None]
    where = f"{CONNECTIONS}t.id IN ({placeholders(len(token_ids))})"
    connections = {str(as_id(row["id"])): row for row in await rows(where, *token_ids)} if token_ids else {}
    waits: dict[UUID, list[WaitRead]] = {}
    for agent, token, program, places in members:
        row = connections.get(token, {})
        wait = {"program": program or row.get("client"), "host_label": row.get("host_label"), "places": int(places)}
        waits.setdefault(UUID(agent), []).append(WaitRead.model_validate(wait))
    return waits


def _read(agent_id: UUID, leases: Sequence[Row], waits: list[WaitRead]) -> WorkerRead:
    row = leases[0]
    tasks = [HeldRead(id=lease["task_id"], number=lease["number"]) for lease in leases if lease["task_id"]]
    is_woken = row["gateway_id"] is not None and bool(row["is_online"]) and not tasks and not row["hold"]
    places = sum(wait.places for wait in waits) or int(is_woken)
    if row["wip_limit"] is not None:
        places = min(places, max(0, row["wip_limit"] - len(tasks)))
    state: State = "ready" if places else "busy" if tasks else "holding" if row["hold"] else "away"
    if any(row[name] != RUNNING for name in ("work_state", "board_state", "organization_state")):
        state, places = "paused", 0
    return WorkerRead(
        agent_id=agent_id, agent_name=row["name"], state=state, places=places, waits=waits, tasks=tasks,
        last_seen_at=as_moment(row["last_seen_at"]), hold=AgentHold.stored(as_json(row["hold"])),
    )  # fmt: skip
