"""The data set and the measured operations as requests."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.client import Connection
from bench.server import Server

V1 = "/api/v1"
TEXT = (
    "Investigate the reported regression, write down the reproduction steps, propose a fix and verify it"
    " against the staging data set before asking for a review. Keep the log short. "
)
MOVES = ("in_progress", "review", "inbox")
Request = tuple[str, str, Any]


@dataclass(frozen=True)
class Data:
    board: str
    tasks: list[str]


async def seed(server: Server) -> Data:
    """Create 500 tasks, 200 approvals and 20 direct agents on one board, always the same."""
    chance = random.Random(20260101)
    connection = Connection(server.port, server.token)
    board = await connection.json("POST", f"{V1}/boards", _board())
    path = f"{V1}/boards/{board['id']}"
    agents = [
        (await connection.json("POST", f"{V1}/agents", {"board_id": board["id"], "name": f"Agent {number:02d}"}))["id"]
        for number in range(20)
    ]
    tasks: list[str] = []
    free: list[str] = []
    for number in range(500):
        body = _task(number, tasks, agents, chance)
        task = await connection.json("POST", f"{path}/tasks", body)
        tasks.append(task["id"])
        if not body.keys() & {"depends_on_task_ids", "assigned_agent_id"} and body["status"] != "done":
            free.append(task["id"])
    for number in range(200):
        await connection.json("POST", f"{path}/approvals", _approval(number, tasks, agents, chance))
    connection.close()
    return Data(path, free)


def _board() -> dict[str, Any]:
    return {
        "name": "Bench board", "slug": "bench", "description": "Measurements", "board_type": "general",
        "max_agents": 30, "require_approval_for_done": False,
    }  # fmt: skip


def _task(number: int, tasks: list[str], agents: list[str], chance: random.Random) -> dict[str, Any]:
    body: dict[str, Any] = {
        "title": f"Task {number:03d}: {chance.choice(('fix', 'write', 'review'))} {chance.choice(('login', 'export'))}",
        "description": TEXT * chance.randint(1, 4),
        "priority": chance.choice(("low", "medium", "medium", "high")),
        "status": chance.choice(("inbox", "inbox", "in_progress", "review", "done")),
    }
    if number > 50 and chance.random() < 0.12:
        body |= {"depends_on_task_ids": chance.sample(tasks, chance.randint(1, 2)), "status": "inbox"}
    elif chance.random() < 0.3:
        body["assigned_agent_id"] = chance.choice(agents)
    return body


def _approval(number: int, tasks: list[str], agents: list[str], chance: random.Random) -> dict[str, Any]:
    return {
        "action_type": "deploy", "confidence": chance.randint(40, 99), "task_id": tasks[number * 2],
        "agent_id": chance.choice(agents), "lead_reasoning": TEXT, "payload": {"reason": TEXT, "tool": "shell"},
        "rubric_scores": {"clarity": 70, "risk": 30}, "status": "pending" if number % 2 else "approved",
    }  # fmt: skip


def operations(data: Data) -> dict[str, Callable[[int, int], Request]]:
    """Return each operation as a function of worker and round."""
    board, tasks = data.board, data.tasks

    def mine(worker: int, round_number: int) -> str:
        own = tasks[worker::64] or tasks
        return own[round_number % len(own)]

    asked = {"action_type": "bench", "confidence": 80, "lead_reasoning": "bench", "rubric_scores": {"clarity": 80}}
    return {
        "GET tasks (200)": lambda worker, n: ("GET", f"{board}/tasks", None),
        "GET snapshot": lambda worker, n: ("GET", f"{board}/snapshot", None),
        "POST task": lambda worker, n: ("POST", f"{board}/tasks", {"title": f"New {worker}-{n}", "description": TEXT}),
        "PATCH status": lambda worker, n: ("PATCH", f"{board}/tasks/{mine(worker, n // 3)}", {"status": MOVES[n % 3]}),
        "POST comment": lambda worker, n: ("POST", f"{board}/tasks/{mine(worker, n)}/comments", {"message": TEXT}),
        "POST approval": lambda worker, n: ("POST", f"{board}/approvals", asked),
    }
