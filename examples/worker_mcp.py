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
    """Claim, work, hand in, and again."""
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

        while (directive := (await call("heartbeat"))["directive"]) != "stop":
            if directive == "pause":
                await asyncio.sleep(60)
                continue
            mine = (await call("list_tasks", mine=True, status="in_progress", limit=1))["tasks"]  # A lost answer's?
            claim = await call("claim_task", wait_seconds=WAIT, task_id=mine[0]["id"] if mine else None)
            if claim.get("task"):
                held = {"task_id": claim["task"]["id"], "fence": claim["lease"]["fence"]}
                await call("comment", **held, message="I am on it.")
                await call("finish_task", **held, summary=work(claim["task"]))
            elif not WAIT:
                break


while True:
    try:
        asyncio.run(main())
        break
    except* httpx2.TransportError:  # Nobody answers: it is started again.
        time.sleep(2)
