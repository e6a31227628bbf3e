"""Clients that others wrote, against a real server: the official TypeScript SDK, Inspector, the conformance suite."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.live.crew import Crew, crew
from tests.live.servers import BEFORE_POLLS_END, TELLING, TOKEN, Installation, Server
from tests.mcp.node_clients import LIBRARIES, SOURCE, clients, driven, run, with_token
from tests.node_packages import Installer


@pytest.fixture(scope="module")
def packages(npm: Installer) -> Path:
    """The folder of the installed clients."""
    return clients(npm)


@pytest.fixture(scope="module")
async def server(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """One server for all clients."""
    folder = tmp_path_factory.mktemp("mcp")
    here = Installation(folder, f"sqlite:///{folder}/clients.sqlite3")  # what they prove is the same on PostgreSQL
    async with here.served(program=TELLING) as running:
        yield running
        assert [line for line in running.log.read_text().splitlines() if "ERROR" in line or "Traceback" in line] == []


@pytest.fixture
async def made(server: Server) -> Crew:
    """A new board with a lead and a worker."""
    return await crew(server)


@pytest.mark.parametrize("library", LIBRARIES)
async def test_typescript_client_does_a_workers_day(packages: Path, made: Crew, library: str) -> None:
    task_id = await made.add_task("Point the mirror", due_at="2026-12-24T12:00:00Z")
    async with driven(packages, library, made.server.url, made.vega.token) as vega:
        assert "next" in await vega.tools()
        assert (await vega.ok("who_am_i"))["name"] == "Vega"
        claimed = await vega.ok("next", wait_seconds=0)
        held = {"task_id": task_id, "fence": claimed["lease"]["fence"]}
        assert claimed["task"]["due_at"] == "2026-12-24T12:00:00Z"
        await vega.ok("comment", **held, message="The lock is stiff.")
        assert (await vega.ok("get_task", task_id=task_id))["comments"][0]["message"] == "The lock is stiff."
        assert (await vega.ok("list_tasks", mine=True))["total"] == 1
        await vega.ok("report", **held, did=["Turned it"])
        await vega.ok("remember", content="The lock needs oil.")
        assert (await vega.ok("recall"))["total"] == 1
        await vega.ok("read_inbox")
        assert (await vega.ok("finish", **held, summary="It points."))["task"]["status"] == "review"
        again = await made.add_task("Sweep")
        found = await vega.ok("next", wait_seconds=0)
        held = {"task_id": again, "fence": found["lease"]["fence"]}
        assert (await vega.ok("ask", **held, question="With what?", wait_seconds=0))["parked"] is True
        assert (await vega.ok("next", wait_seconds=0))["held"][0]["state"] == "waiting"
        assert (await vega.ok("finish", **held, summary="Swept.", checked="By eye."))["task"]["status"] == "review"
        assert vega.complaints == []


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", ["abort", "timeout", "end"])
async def test_aborted_claim_assigns_nothing(packages: Path, made: Crew, library: str, way: str) -> None:
    waits = f"waits at work:{made.board_id}"
    async with driven(packages, library, made.server.url, made.vega.token) as vega:
        call = vega.begin("next", timeout=2 if way == "timeout" else None, wait_seconds=50)
        await made.server.told(waits)
        if way == "abort":
            vega.abort()
        if way == "end":
            vega.kill()
        else:
            assert "error" in await asyncio.wait_for(call, BEFORE_POLLS_END)
        async with asyncio.timeout(BEFORE_POLLS_END):
            await made.server.told(waits.replace("waits", "waits no more"))
        task = await made.task(await made.add_task("Left alone"))
        assert (task["status"], task["fence"]) == ("inbox", 0)
        if way != "end":  # the same client goes on
            assert (await vega.ok("next"))["task"]["id"] == task["id"]
            assert vega.complaints == []


@pytest.mark.parametrize("library", LIBRARIES)
async def test_abort_after_the_answer_undoes_nothing(packages: Path, made: Crew, library: str) -> None:
    task_id = await made.add_task("Point the mirror")
    async with driven(packages, library, made.server.url, made.vega.token) as vega:
        claimed = await vega.ok("next", wait_seconds=50)
        vega.abort()  # version 1 of the library sends a cancellation even now
        assert (await vega.ok("who_am_i"))["name"] == "Vega"
        held = {"task_id": task_id, "fence": claimed["lease"]["fence"]}
        assert (await vega.ok("finish", **held, summary="It points."))["task"]["status"] == "review"


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_inspector_lists_and_calls_tools(packages: Path, made: Crew, tmp_path: Path, era: str) -> None:
    task_id = await made.add_task("Point the mirror")

    async def inspect(token: str, *asked: str) -> Any:
        way = ("--cli", f"{made.server.url}/mcp", "--transport", "http", "--protocol-era", era)
        header = ("--header", f"Authorization: Bearer {token}")
        code, printed, complained = await run(
            packages, "mcp-inspector", *way, *header, "--method", *asked, home=tmp_path
        )
        assert code == 0, printed + complained
        return orjson.loads(printed), complained

    for token, name in ((made.vega.token, "next"), (made.atlas.token, "review_task"), (TOKEN, "list_boards")):
        listed, complained = await inspect(token, "tools/list", "--strict")  # exit code 6: a schema is not portable
        assert name in {one["name"] for one in listed["tools"]} and "Warning" not in complained
    claimed, _ = await inspect(made.vega.token, "tools/call", "--tool-name", "next", "--tool-arg", "wait_seconds=0")
    assert claimed["structuredContent"]["task"]["id"] == task_id
    boards, _ = await inspect(TOKEN, "tools/call", "--tool-name", "list_boards")
    assert made.board_id in {one["id"] for one in boards["structuredContent"]["boards"]}


async def test_official_conformance_suite_finds_what_is_expected(packages: Path, made: Crew, tmp_path: Path) -> None:
    expected = SOURCE / "expected-failures.yaml"
    asked = ("--suite", "all", "--expected-failures", str(expected), "-o", str(tmp_path / "results"))
    async with with_token(packages, made.server.url, made.vega.token) as url:
        code, printed, complained = await run(
            packages, "conformance", "server", "--url", f"{url}/mcp", *asked, home=tmp_path
        )
    assert code == 0, printed[-3000:] + complained
    assert "dns-rebinding-protection: 2 passed" in printed
