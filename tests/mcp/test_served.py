"""MCP on a real server: what it costs those who do not use it, real sockets, and the end of the process."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from mcp.shared.exceptions import MCPError

from tests.live.crew import crew
from tests.live.servers import BEFORE_POLLS_END, TELLING, Installation, Server, installation
from tests.mcp.clients import dialled

pytestmark = pytest.mark.database

UNUSED = """
import sys
from mission_control.server.app import create_app
create_app()
print([name for name in ("mcp", "mcp_types", "starlette", "uvicorn", "jsonschema") if name in sys.modules])
"""


def test_sdk_is_imported_on_first_use(tmp_path: Path) -> None:
    environment = Installation(tmp_path, f"sqlite:///{tmp_path}/x.sqlite3").environment()
    command = (sys.executable, "-c", UNUSED)
    printed = subprocess.run(command, env=environment, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert printed.stdout.strip() == "[]"


async def test_two_agents_share_the_work_of_a_server(tmp_path: Path) -> None:
    async with installation(tmp_path) as here, here.served() as server:
        made = await crew(server)
        async with (
            dialled(server.url, made.vega.token) as vega,
            dialled(server.url, made.atlas.token, "legacy") as atlas,
        ):
            wanted = {(await atlas.ok("create_task", title=f"Star {number}"))["id"] for number in range(4)}
            claims = await asyncio.gather(*(vega.ok("next", wait_seconds=0) for _ in range(6)))
            assert sorted(one["task"]["id"] for one in claims if one["task"]) == sorted(wanted)
            for one in claims:
                if one["task"]:
                    held = {"task_id": one["task"]["id"], "fence": one["lease"]["fence"]}
                    assert (await vega.ok("finish", **held, summary="Seen."))["task"]["status"] == "review"
            [*_, notice] = (await atlas.ok("read_inbox", wait_seconds=5))["items"]
            done = await atlas.ok("review_task", task_id=notice["task_id"], verdict="done", comment="Bright.")
            assert done["status"] == "done"
    assert _complaints(server) == []


async def test_cancelled_call_of_a_connected_client_ends_the_wait(tmp_path: Path) -> None:
    async with installation(tmp_path) as here, here.served(program=TELLING) as server:
        made = await crew(server)
        for times, mode in enumerate(("legacy", "auto"), start=1):
            async with dialled(server.url, made.vega.token, mode) as vega:
                waiting = asyncio.create_task(vega.call("next", wait_seconds=50))
                await server.told("waits at work:", times)
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
                async with asyncio.timeout(BEFORE_POLLS_END):
                    await server.told("waits no more at work:", times)
                task_id = await made.add_task("Left alone")
                task = await made.task(task_id)
                assert (task["status"], task["fence"]) == ("inbox", 0)
                await made.ask("DELETE", f"{made.tasks}/{task_id}")
    assert _complaints(server) == []


async def test_process_ends_while_clients_wait(tmp_path: Path) -> None:
    async with installation(tmp_path) as here, here.served(program=TELLING) as server:
        made = await crew(server)
        async with (
            dialled(server.url, made.vega.token) as vega,
            dialled(server.url, made.atlas.token, "legacy") as atlas,
        ):
            await asyncio.gather(vega.names(), atlas.names())  # clients check answers with what they know of the tools
            waits = [
                asyncio.create_task(vega.call("next", wait_seconds=50)),
                asyncio.create_task(atlas.call("read_inbox", wait_seconds=50)),
            ]
            await server.told("waits at work:")
            await server.told("waits at inbox:")
            assert await server.stop(BEFORE_POLLS_END) == 0
            for answer in await asyncio.gather(*waits, return_exceptions=True):
                assert isinstance(answer, MCPError) or not answer.is_error  # type: ignore[union-attr]
    assert _complaints(server) == []


def _complaints(server: Server) -> list[str]:
    return [line for line in server.log.read_text().splitlines() if "ERROR" in line or "Traceback" in line]
