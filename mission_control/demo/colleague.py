"""A simulated colleague, so that work goes on while nobody looks: decides what waits too long, and clears the boards.

What a person who looks at the demo finds waiting is the newest of it, and all that no agent handed in.
"""

import asyncio
import random
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from mission_control.demo import ideas
from mission_control.demo.api import Api, Refused

LOOK_SECONDS = 5.0
PATIENCE_SECONDS = 60.0
LEFT = 3  # hand-ins that wait for the person who looks at the demo
MOST_DONE = 15  # tasks in the last column of a board; older ones are archived
CLEAR_SECONDS = 60.0


async def run_colleague(api: Api, speed: float, seed: int) -> None:
    """Decide hand-ins and archive done tasks of all boards, forever."""
    async with asyncio.TaskGroup() as group:
        group.create_task(decide(api, speed, random.Random(seed)))
        group.create_task(_clear(api))


async def decide(api: Api, speed: float, chance: random.Random) -> None:
    """Decide the hand-ins that wait for more than a minute, but for the newest, forever."""
    while True:
        waiting = sorted(await _hand_ins(api), key=_asked_at)
        for approval in waiting[: max(len(waiting) - LEFT, 0)]:
            if (datetime.now(UTC) - _asked_at(approval)).total_seconds() * speed > PATIENCE_SECONDS:
                await _answer(api, approval, chance)
        await asyncio.sleep(LOOK_SECONDS / speed)


async def _hand_ins(api: Api) -> list[dict[str, Any]]:
    found = []
    for board in await _boards(api):
        pending = (await api.get(f"/boards/{board['id']}/approvals", status="pending"))["items"]
        found += [approval for approval in pending if approval["action_type"] == "task.finish"]
    return found


async def _boards(api: Api) -> list[dict[str, Any]]:
    boards: list[dict[str, Any]] = (await api.get("/boards"))["items"]
    return boards


def _asked_at(approval: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(approval["created_at"])


async def _answer(api: Api, approval: dict[str, Any], chance: random.Random) -> None:
    decision = chance.choices(("approved", "changes_requested"), (84, 16))[0]
    body = {"decision": decision}
    if note := chance.choice(ideas.NOTES[decision]):
        body["note"] = note
    with suppress(Refused):  # another person decided first
        await api.patch(f"/boards/{approval['board_id']}/approvals/{approval['id']}", **body)


async def _clear(api: Api) -> None:
    while True:
        for board in await _boards(api):
            tasks = f"/boards/{board['id']}/tasks"
            done = (await api.get(tasks, status="done", sort="-updated_at", limit=200))["items"][MOST_DONE:]
            if done:
                await api.post(f"{tasks}/bulk", task_ids=[task["id"] for task in done], archive=True, atomic=False)
        await asyncio.sleep(CLEAR_SECONDS)
