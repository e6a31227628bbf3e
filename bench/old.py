"""An old installation, by default of a year: `python -m bench.old FOLDER [--tasks 100000] [--url DATABASE_URL]`.

Its log has ten events to a task. Boards and agents are made over the API; everything else is written straight to the
tables, with the program's own models and its chain, so that `audit verify` holds. The same arguments make the same
installation but for ids. `served(FOLDER, url)` of `bench.server` serves it afterwards, with the token of the benches.

What people have before them is the same at any age: the newest 2,000 tasks, half of them open, and 1,000 pending
approvals. All earlier tasks are done. Four boards of the forty were never tidied, and the first of those has every
tenth task; elsewhere the past is in the archive, a twentieth of it in the trash. `bench.old_rows` adds what else grows.
"""

import argparse
import asyncio
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from tortoise.transactions import in_transaction

from bench import old_rows
from bench.client import Connection
from bench.data import TEXT, V1
from bench.long_texts import signed_in
from bench.old_rows import BATCH, Installation, batches, insert_all
from bench.server import TOKEN, served
from mission_control.approvals.models import Approval, ApprovalTask
from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.core.actor import Scope
from mission_control.core.secrets import audit_key, load_or_create_secret_key
from mission_control.core.settings import Settings
from mission_control.core.values import new_id
from mission_control.database.setup import connect, disconnect
from mission_control.database.sql import is_postgres, rows
from mission_control.events import event_log
from mission_control.events.event_log import NewEvent
from mission_control.server import installation
from mission_control.tasks.models import Comment, Task

BOARDS = 40
AGENTS = 5  # of each board
A_DAY = 274  # tasks: 100,000 are a year
COMMENTS = 4  # on a task
LIVING = 2_000  # tasks that people still work with, at any age
PENDING = 1_000  # approvals, at any age
UNTIDY = 4  # boards whose done tasks nobody archives; the first has every tenth task
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
    parser = argparse.ArgumentParser(prog="python -m bench.old", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--url", help="the database; without it a SQLite file in the folder")
    options = parser.parse_args()
    began = time.monotonic()
    asyncio.run(make(options.folder, options.tasks, options.url or url_of(options.folder)))
    print(f"{options.tasks} tasks in {time.monotonic() - began:.0f} s")


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder.resolve() / 'bench.sqlite3'}"


async def make(folder: Path, tasks: int, url: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with served(folder, url) as server:
        signed_in(folder, server)
        connection = Connection(server.port, server.token)
        group = await connection.json("POST", f"{V1}/board-groups", {"name": "Everything", "slug": "everything"})
        boards = [await _board(connection, number, group["id"]) for number in range(BOARDS)]
        connection.close()
    settings = Settings.from_environment(
        {"DATA_DIR": str(folder / "data"), "DATABASE_URL": url, "LOCAL_AUTH_TOKEN": TOKEN}
    )
    installation.install()
    await connect(settings)
    event_log.use_key(audit_key(load_or_create_secret_key(settings)))
    try:
        await _fill(boards, tasks)
        if is_postgres():  # which does this by itself
            await rows("ANALYZE")
    finally:
        await disconnect()


async def _board(connection: Connection, number: int, group_id: str) -> tuple[UUID, list[tuple[UUID, str]]]:
    board = await connection.json(
        "POST", f"{V1}/boards",
        {"name": f"Board {number:02d}", "slug": f"board-{number:02d}", "description": "A year of work",
         "board_type": "general", "max_agents": 30, "require_approval_for_done": False, "board_group_id": group_id},
    )  # fmt: skip
    agents = []
    for place in range(AGENTS):
        name = f"Agent {number:02d}-{place}"
        agent = await connection.json("POST", f"{V1}/agents", {"board_id": board["id"], "name": name})
        agents.append((UUID(agent["id"]), name))
    return UUID(board["id"]), agents


async def _fill(boards: list[tuple[UUID, list[tuple[UUID, str]]]], number_of: int) -> None:
    [ids] = await rows(
        "SELECT b.organization_id, b.board_group_id, m.user_id FROM boards b JOIN organization_members m"
        " ON m.organization_id = b.organization_id LIMIT 1"
    )
    organization_id, group_id, user_id = (UUID(str(one)) for one in ids.values())
    names = {agent: name for _, agents in boards for agent, name in agents}
    chance = random.Random(20260101)
    end = datetime.now(UTC).replace(tzinfo=None)
    steps: list[Step] = []
    things: list[Task | Run | Approval | ApprovalTask] = []
    numbers = [0] * BOARDS
    for number in range(number_of):
        is_past = number < number_of - LIVING
        place = 0 if is_past and number % 10 == 0 else number % BOARDS
        numbers[place] += 1
        board_id, agents = boards[place]
        begun = end - timedelta(days=(number_of - number) / A_DAY, hours=1 + chance.random() * 3)
        life = Life(board_id, numbers[place], begun, is_past, is_past and place >= UNTIDY)
        steps += _life(number, life, [one for one, _ in agents], names, chance, things)
    busy = next(one for one in reversed(things) if isinstance(one, Task) and one.status == "in_progress")
    steps += [_comment(busy, end - timedelta(minutes=number), names) for number in range(number_of // 20)]
    waiting = PENDING - sum(isinstance(one, Approval) and one.status == "pending" for one in things)
    for _ in range(waiting):
        board_id, agents = chance.choice(boards)
        things.append(_approval(board_id, agents[0][0], end - timedelta(minutes=chance.randint(1, 9_000)), None))
    for model in (Task, Run, Approval, ApprovalTask):
        await insert_all([thing for thing in things if type(thing) is model])
    for (board_id, _), task_count in zip(boards, numbers, strict=True):
        await rows("UPDATE boards SET task_count = ? WHERE id = ?", task_count, board_id)
    steps.sort(key=lambda step: step.moment)
    await insert_all([comment for step in steps for comment in step.written])
    for batch in batches(steps, BATCH):
        async with in_transaction():
            head = await event_log.lock(organization_id)
            written = []
            for some in batches(batch, 20):
                times._offset = some[0].moment - datetime.now(UTC).replace(tzinfo=None)
                written += event_log.append(head, [_event(step, organization_id, names) for step in some])
            await event_log.save(head, written)
    times._offset = timedelta(0)
    tasks = [one for one in things if isinstance(one, Task)]
    await old_rows.fill(Installation(organization_id, user_id, group_id, tasks, names, end, number_of / A_DAY), chance)


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


@dataclass(frozen=True)
class Life:
    """Where a task stands, since when, and what became of it."""

    board_id: UUID
    number: int
    begun: datetime
    is_past: bool
    is_put_away: bool


def _life(
    number: int,
    life: Life,
    agents: list[UUID],
    names: dict[UUID, str],
    chance: random.Random,
    things: list[Task | Run | Approval | ApprovalTask],
) -> list[Step]:
    """Make a task with everything about it, and return what happened to it in order."""
    board_id, begun = life.board_id, life.begun
    agent = chance.choice(agents)
    title = f"{chance.choice(('Fix', 'Write', 'Review'))} the {chance.choice(WORDS)} of {chance.choice(WORDS)} {number}"
    task = Task(
        id=new_id(), board_id=board_id, number=life.number, title=title, position=float(number),
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
    is_finished = life.is_past or chance.random() < 0.5
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
    if not is_finished and number % 2:
        run.state, run.ended_at = "running", None
        return steps
    moved("review")
    if number % 5 == 0:
        approval = _approval(board_id, agent, moment, moment if is_finished else None)
        things += [approval, _link(approval, task)]
    if is_finished:
        step("task.run_completed", f"Work finished: {title}.", run_id=str(run.id), fence=1)
        moved("done")
        if life.is_put_away and number % 20 != 7:
            task.archived_at = moment
            step("task.archived", f"Task archived: {title}.")
        elif life.is_put_away:
            task.deleted_at = moment
            step("task.deleted", f"Task deleted: {title}.")
    return steps


def _comment(task: Task, moment: datetime, names: dict[UUID, str]) -> Step:
    agent = task.assigned_agent_id
    assert agent is not None
    comment = Comment(id=new_id(), task_id=task.id, agent_id=agent, author_name=names[agent], message=TEXT)
    comment.created_at = moment
    data: dict[str, object] = {"comment_id": str(comment.id)}
    return Step(moment, task, "task.comment", "Comment written.", agent, data, [comment])


def _approval(board_id: UUID, agent: UUID, moment: datetime, decided: datetime | None) -> Approval:
    outcome = "pending" if decided is None else "approved"
    return Approval(
        id=new_id(), board_id=board_id, agent_id=agent, action_type="deploy", confidence=80.0,
        payload={"reason": TEXT}, rubric_scores={"clarity": 80}, status=outcome, resolved_at=decided,
        decision=None if decided is None else outcome, created_at=moment, updated_at=moment,
    )  # fmt: skip


def _link(approval: Approval, task: Task) -> ApprovalTask:
    return ApprovalTask(
        id=new_id(), approval_id=approval.id, task_id=task.id, is_pending=approval.resolved_at is None,
        asked_attempt=1, created_at=approval.created_at,
    )  # fmt: skip


if __name__ == "__main__":
    main()
