"""The same agent over MCP, with the official SDK: what a language model does with these tools, done by hand.

BASE_URL=http://127.0.0.1:8000 TOKEN=mca_... python worker_mcp.py [--until-empty]
"""

import asyncio
import os
import sys
import time
from typing import Any

import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

WAIT = 0 if "--until-empty" in sys.argv else 50
PASSING = ("_paused", "budget_exhausted", "lease_lost", "_already_claimed", "_claimable")  # It goes on after these.


def work(task: dict[str, Any]) -> str:
    """Do the task and say what came of it. This is where your agent goes."""
    return f"I looked at “{task['title']}” and did it."


async def main() -> None:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {os.environ['TOKEN']}"}, timeout=60) as http,
        Client(streamable_http_client(f"{os.environ['BASE_URL']}/mcp", http_client=http)) as client,
    ):

        async def call(tool: str, **arguments: Any) -> Any:
            result = await client.call_tool(tool, arguments)
            if not result.is_error:
                return result.structured_content
            said = result.content[0].text  # type: ignore[union-attr]
            if not any(code in said for code in PASSING):
                raise SystemExit(said)
            return {}

        known, after_start = "continue", True  # What this program holds from before it died comes first.
        while known != "stop":
            found = await call("next", wait_seconds=WAIT, known=known, after_start=after_start)
            known, after_start = found.get("directive", known), False
            if found.get("task"):
                held = {"task_id": found["task"]["id"], "fence": found["lease"]["fence"]}
                await call("report", **held, doing="Look at it")
                await call("finish", **held, summary=work(found["task"]), checked="I read the task again.")
            elif not WAIT and found.get("kind") == "nothing":
                break


while True:
    try:
        asyncio.run(main())
        break
    except* httpx2.TransportError:  # Nobody answers: it is started again.
        time.sleep(2)
