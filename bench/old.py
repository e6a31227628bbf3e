"""An installation of a year: `python -m bench.old FOLDER [--tasks 100000] [--url DATABASE_URL]`.

Its log has ten events to a task. Boards and agents are made over the API; tasks, comments, runs, approvals and events
are written straight to the tables, with the program's own models and its chain, so that `audit verify` holds. The same
arguments make the same installation but for ids. `served(FOLDER, url)` of `bench.server` serves it afterwards, with the
token of the benches.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from tortoise.models import Model
from tortoise.transactions import in_transaction

from bench.client import Connection
from bench.data import TEXT, V1
from bench.server import TOKEN, served
from mission_control import features
from mission_control.approvals.models import Approval, ApprovalTask
from mission_control.boards.models import Run
from mission_control.config import Settings
from mission_control.core import times
from mission_control.core.actor import Scope
from mission_control.core.secrets import audit_key, load_or_create_secret_key
from mission_control.core.values import new_id
from mission_control.database.records import insert
from mission_control.database.setup import connect, disconnect
from mission_control.database.sql import rows
from mission_control.log import event_log
from mission_control.log.event_log import NewEvent
from mission_control.tasks.models import Comment, Task

BOARDS = 40
AGENTS = 5  # of each board
DAYS = 365
COMMENTS = 4  # on a task
BATCH = 2_000  # events in a transaction
WORDS = ("login", "export", "invoice", "search", "cache", "report", "upload", "billing", "session", "webhook", "queue")


@dataclass
class Step:
    """One event of a task's life, with the rows that it wrote."""

    moment: datetime
    task: Task
    kind: str
    message: str
    agent: UUID | None
    data: dict[str, object]
    written: list[Comment] = field(default_factory=list)


def main() -> None:
    """Make the installation and print how long it took."""
    parser = argparse.ArgumentParser(prog="python -m bench.old", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--url", help="the database; without it a SQLite file in the folder")
    options = parser.parse_args()
    began = time.monotonic()
    asyncio.run(make(options.folder, options.tasks, options.url or url_of(options.folder)))
    print(f"{options.tasks} tasks in {time.monotonic() - began:.0f} s")


def url_of(folder: Path) -> str:
    """Return the address of the SQLite file in a folder."""
    return f"sqlite:///{folder.resolve() / 'bench.sqlite3'}"


async def make(folder: Path, tasks: int, url: str) -> None:
    """Fill a new installation in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with served(folder, url) as server:
        connection = Connection(server.port, server.token)
        boards = [await _board(connection, number) for number in range(BOARDS)]
        connection.close()
    settings = Settings.from_environment(
        {"DATA_DIR": str(folder / "data"), "DATABASE_URL": url, "LOCAL_AUTH_TOKEN": TOKEN}
    )
    features.install()
    await connect(settings)
    event_log.use_key(audit_key(load_or_create_secret_key(settings)))
    try:
        await _fill(boards, tasks)
        await rows("ANALYZE")
    finally:
        await disconnect()


async def _board(connection: Connection, number: int) -> tuple[UUID, list[tuple[UUID, str]]]:
    board = await connection.json(
        "POST", f"{V1}/boards",
        {"name": f"Board {number:02d}", "slug": f"board-{number:02d}", "description": "A year of work",
         "board_type": "general", "max_agents": 30, "require_approval_for_done": False},
    )  # fmt: skip
    agents = []
    for place in range(AGENTS):
        name = f"Agent {number:02d}-{place}"
        agent = await connection.json("POST", f"{V1}/agents", {"board_id": board["id"], "name": name})
        agents.append((UUID(agent["id"]), name))
    return UUID(board["id"]), agents


async def _fill(boards: list[tuple[UUID, list[tuple[UUID, str]]]], number_of: int) -> None:
    [organization] = await rows("SELECT organization_id AS id FROM boards LIMIT 1")
    organization_id = UUID(str(organization["id"]))
    names = {agent: name for _, agents in boards for agent, name in agents}
    chance = random.Random(20260101)
    end = datetime.now(UTC).replace(tzinfo=None)
    steps: list[Step] = []
    things: list[Task | Run | Approval | ApprovalTask] = []
    for number in range(number_of):
        board_id, agents = boards[number % BOARDS]
        steps += _life(number, board_id, [one for one, _ in agents], names, end, chance, things, number / number_of)
    for model in (Task, Run, Approval, ApprovalTask):
        await _insert_all([thing for thing in things if type(thing) is model])
    steps.sort(key=lambda step: step.moment)
    await _insert_all([comment for step in steps for comment in step.written])
    for batch in _batches(steps, BATCH):
        async with in_transaction():
            head = await event_log.lock(organization_id)
            for some in _batches(batch, 20):
                times._offset = some[0].moment - datetime.now(UTC).replace(tzinfo=None)
                await event_log.append(head, [_event(step, organization_id, names) for step in some])
            await event_log.save(head)
    times._offset = timedelta(0)


async def _insert_all(things: Sequence[Model]) -> None:
    for batch in _batches(things, BATCH):
        async with in_transaction():
            await insert(*batch)


def _batches[T](items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _event(step: Step, organization_id: UUID, names: dict[UUID, str]) -> NewEvent:
    return NewEvent(
        kind=step.kind,
        scope=Scope(organization_id, step.task.board_id, step.task.id, step.task.id),
        actor_kind="agent" if step.agent else "system",
        actor_id=step.agent,
        actor_name=names[step.agent] if step.agent else None,
        surface="api",
        agent_id=step.agent,
        message=step.message,
        data=step.data,
        id=step.written[0].id if step.written else None,
    )


def _life(
    number: int,
    board_id: UUID,
    agents: list[UUID],
    names: dict[UUID, str],
    end: datetime,
    chance: random.Random,
    things: list[Task | Run | Approval | ApprovalTask],
    age: float,
) -> list[Step]:
    """Make a task with everything about it, and return what happened to it in order.

    Nine of ten tasks are done, most of those archived; what lives was made in the last tenth of the year.
    """
    begun = end - timedelta(days=DAYS * (1 - age)) - timedelta(hours=1 + chance.random() * 3)
    agent = chance.choice(agents)
    title = f"{chance.choice(('Fix', 'Write', 'Review'))} the {chance.choice(WORDS)} of {chance.choice(WORDS)} {number}"
    task = Task(
        id=new_id(), board_id=board_id, number=number // BOARDS + 1, title=title, position=float(number),
        description=TEXT * chance.randint(1, 3), priority=chance.choice(("low", "medium", "medium", "high")),
        created_at=begun, updated_at=begun, assigned_agent_id=agent, fence=1, attempt=1,
    )  # fmt: skip
    things.append(task)
    steps: list[Step] = []
    moment = begun

    def step(kind: str, message: str, **data: object) -> Step:
        nonlocal moment
        moment += timedelta(seconds=30 + chance.random() * 900)
        task.updated_at = moment
        steps.append(Step(moment, task, kind, message, agent, data))
        return steps[-1]

    def moved(status: str) -> None:
        before, task.status = task.status, status
        step(
            "task.status_changed", f"Task moved to {status}: {title}.",
            before={"status": before}, after={"status": status},
        )  # fmt: skip

    step("task.created", f"Task created: {title}.", status="inbox", title=title)
    is_finished = age < 0.9 or chance.random() < 0.5
    if not is_finished and chance.random() < 0.6:
        task.assigned_agent_id = None
        return steps
    moved("in_progress")
    task.in_progress_at = moment
    run = Run(
        id=new_id(), board_id=board_id, task_id=task.id, agent_id=agent, agent_name=names[agent], fence=1,
        started_at=moment, lease_expires_at=None, state="completed", ended_at=moment + timedelta(hours=1),
        input_tokens=chance.randint(1_000, 90_000), output_tokens=chance.randint(100, 9_000),
        cost_micros=chance.randint(1_000, 900_000),
    )  # fmt: skip
    things.append(run)
    for _ in range(COMMENTS):
        written = step("task.comment", "Comment written.")
        comment = Comment(id=new_id(), task_id=task.id, agent_id=agent, author_name=names[agent], message=TEXT)
        comment.created_at = written.moment
        written.written.append(comment)
        written.data["comment_id"] = str(comment.id)
    moved("review")
    if number % 5 == 0:
        _approval(task, agent, moment, things, is_decided=is_finished)
    if is_finished:
        step("task.run_completed", f"Work finished: {title}.", run_id=str(run.id), fence=1)
        moved("done")
        if age < 0.8:
            task.archived_at = moment
            step("task.archived", f"Task archived: {title}.")
    return steps


def _approval(
    task: Task, agent: UUID, moment: datetime, things: list[Task | Run | Approval | ApprovalTask], *, is_decided: bool
) -> None:
    approval = Approval(
        id=new_id(), board_id=task.board_id, agent_id=agent, action_type="deploy", confidence=80.0,
        payload={"reason": TEXT}, rubric_scores={"clarity": 80}, status="approved" if is_decided else "pending",
        resolved_at=moment if is_decided else None, decision="approved" if is_decided else None,
        created_at=moment, updated_at=moment,
    )  # fmt: skip
    link = ApprovalTask(
        id=new_id(), approval_id=approval.id, task_id=task.id, is_pending=not is_decided, asked_attempt=1,
        created_at=moment,
    )  # fmt: skip
    things.extend((approval, link))


if __name__ == "__main__":
    main()
