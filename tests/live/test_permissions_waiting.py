"""Programs that wait for people while the server works, restarts, and is killed: the keyboard decides then."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.hooks import event
from tests.live.crew import Crew, crew
from tests.live.servers import API, PATIENCE, Installation

MANY = 50


async def asks(made: Crew, number: int) -> Any:
    """Let a program ask, and return what it is answered; None when its connection breaks."""
    call = {"tool_name": "Bash", "tool_input": {"command": f"make part-{number}"}}
    headers = {"Authorization": f"Bearer {made.vega.token}"}
    sent = event("PermissionRequest", **call) | {"session_id": f"session-{number % 5}"}
    async with httpx.AsyncClient(base_url=made.server.url, headers=headers, timeout=PATIENCE) as program:
        try:
            return (await program.post(f"{API}/connect/claude-code/hooks", json=sent)).raise_for_status().json()
        except httpx.TransportError:
            return None


async def pending(made: Crew, number: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(PATIENCE):
        while True:
            page = await made.ask("GET", f"{API}/boards/{made.board_id}/approvals?status=pending&limit=200")
            if page["total"] == number:
                return list(page["items"])
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("how", ["stopped", "killed"])
@pytest.mark.thorough
async def test_many_wait_and_a_restart_leaves_them_to_the_keyboard(tmp_path: Path, how: str) -> None:
    installation = Installation(tmp_path, f"sqlite:///{tmp_path}/waits.sqlite3")
    server = await installation.start()
    made = await crew(server)
    waiting = [asyncio.create_task(asks(made, number)) for number in range(MANY)]
    first = (await pending(made, MANY))[0]
    began = time.monotonic()
    for _ in range(20):
        await made.ask("GET", f"{API}/needs?limit=1")
    assert time.monotonic() - began < PATIENCE / 10, "others are answered as if nobody waited"
    await made.ask("POST", f"{API}/boards/{made.board_id}/approvals/{first['id']}/decisions", {"decision": "approved"})
    done, _ = await asyncio.wait(waiting, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    [answered] = [one.result() for one in done]
    assert answered["hookSpecificOutput"]["decision"] == {"behavior": "allow"}
    await (server.stop() if how == "stopped" else server.kill())
    left = [one for one in await asyncio.gather(*waiting) if one != answered]
    assert left == [{} if how == "stopped" else None] * (MANY - 1), "nothing is allowed by a restart"
    made.server = server = await installation.start()
    try:
        await pending(made, 0)
        page = await made.ask("GET", f"{API}/boards/{made.board_id}/approvals?limit=200")
        notes = {one["note"] for one in page["items"] if one["decision"] == "closed"}
        assert notes == {"The server was restarted. It is asked at the keyboard."}
    finally:
        await server.stop()
