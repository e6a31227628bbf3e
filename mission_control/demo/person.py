"""A simulated person who decides approvals, so that the demo continues without one."""

import asyncio
import random
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from mission_control.demo import story
from mission_control.demo.api import Api, Refused

LOOK_SECONDS = 3.0
THINKS_SECONDS = 10.0


async def run_decider(api: Api, speed: float, seed: int) -> None:
    """Decide pending approvals of all boards once they have waited a while: most are approved."""
    chance = random.Random(seed)
    while True:
        for board in (await api.get("/boards"))["items"]:
            pending = (await api.get(f"/boards/{board['id']}/approvals", status="pending"))["items"]
            for approval in pending:
                if _age(approval) * speed > THINKS_SECONDS * chance.uniform(0.7, 2.5):
                    await _decide(api, approval, chance)
        await asyncio.sleep(LOOK_SECONDS / speed)


def _age(approval: dict[str, Any]) -> float:
    asked = datetime.fromisoformat(approval["created_at"]).replace(tzinfo=UTC)
    return (datetime.now(UTC) - asked).total_seconds()


async def _decide(api: Api, approval: dict[str, Any], chance: random.Random) -> None:
    decision = chance.choices(("approved", "changes_requested", "rejected"), (80, 14, 6))[0]
    body = {"decision": decision}
    if note := chance.choice(story.NOTES[decision]):
        body["note"] = note
    with suppress(Refused):  # a real person decided first
        await api.patch(f"/boards/{approval['board_id']}/approvals/{approval['id']}", **body)
