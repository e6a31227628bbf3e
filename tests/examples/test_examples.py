"""Each example does on a real board what it says, knowing nothing but an address and a token."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.live.crew import Crew, Member, crew
from tests.live.servers import API, PATIENCE, ROOT, Server, installation

pytestmark = [pytest.mark.database, pytest.mark.once]

EXAMPLES = ROOT / "examples"
WORKERS = {
    "worker.py": (sys.executable, "worker.py", "--until-empty"),
    "worker.sh": ("bash", "worker.sh"),
    "worker_mcp.py": (sys.executable, "worker_mcp.py", "--until-empty"),
}
SURFACES = {"worker.py": "api", "worker.sh": "api", "worker_mcp.py": "mcp"}


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """One server for all examples."""
    async with installation(tmp_path_factory.mktemp("examples")) as here, here.served() as running:
        yield running


@pytest.fixture
async def made(server: Server) -> Crew:
    """A new board with a lead and a worker."""
    return await crew(server)


async def start(made: Crew, who: Member, *command: str, **more: str) -> asyncio.subprocess.Process:
    """Run an example as an agent."""
    environment = {"PATH": os.environ["PATH"], "BASE_URL": made.server.url, "TOKEN": who.token, **more}
    return await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        cwd=EXAMPLES,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )


async def end(process: asyncio.subprocess.Process) -> None:
    """End an example and what it started, such as a curl that waits."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.communicate()


async def ended(process: asyncio.subprocess.Process) -> str:
    """What an example printed, when it ended well."""
    async with asyncio.timeout(PATIENCE):
        printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


async def reviewed(made: Crew, task_id: str) -> None:
    """Until a worker has handed a task in."""
    async with asyncio.timeout(PATIENCE):
        while (await made.task(task_id))["status"] != "review":
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("example", WORKERS)
async def test_worker_completes_all_tasks(made: Crew, example: str) -> None:
    wanted = [await made.add_task("Look at “Vega” & 'Lyra'"), await made.add_task("Count the moons", priority="high")]
    await ended(await start(made, made.vega, *WORKERS[example], UNTIL_EMPTY="1"))
    for task_id in wanted:
        task = await made.task(task_id)
        assert (task["status"], task["assigned_agent_id"], task["fence"]) == ("review", made.atlas.id, 1)
        [run] = (await made.ask("GET", f"{made.tasks}/{task_id}/runs"))["items"]
        assert (run["state"], run["agent_id"]) == ("completed", made.vega.id) and "did it" in run["summary"]
        comments = (await made.ask("GET", f"{made.tasks}/{task_id}/comments"))["items"]
        assert {one["agent_id"] for one in comments} == {made.vega.id}
        assert comments[-1]["message"] == run["summary"]


@pytest.mark.parametrize("example", WORKERS)
async def test_worker_resumes_its_assigned_task(made: Crew, example: str) -> None:
    wanted = [await made.add_task("The answer about this one was lost"), await made.add_task("Count the moons")]
    async with made.server.client() as program:
        lost = {"task_id": wanted[0], "lease_seconds": 86_400}
        path, headers = f"{API}/agent/boards/{made.board_id}/claims", {"Authorization": f"Bearer {made.vega.token}"}
        assert (await program.post(path, json=lost, headers=headers)).status_code == 200
    await ended(await start(made, made.vega, *WORKERS[example], UNTIL_EMPTY="1"))
    for task_id in wanted:
        task = await made.task(task_id)
        assert (task["status"], task["fence"]) == ("review", 1)


@pytest.mark.parametrize("example", WORKERS)
async def test_waiting_worker_gets_new_work_and_ends_when_stopped(made: Crew, example: str) -> None:
    command = [part for part in WORKERS[example] if part != "--until-empty"]
    process = await start(made, made.vega, *command)
    try:
        task_id = await made.add_task("A comet")
        await reviewed(made, task_id)
        await made.ask("PUT", f"{API}/agents/{made.vega.id}/work-state", {"state": "stopped", "reason": "Enough."})
        await ended(process)
    finally:
        await end(process)


@pytest.mark.parametrize("example", WORKERS)
async def test_worker_paused_while_waiting_keeps_running(made: Crew, example: str) -> None:
    command = [part for part in WORKERS[example] if part != "--until-empty"]
    process = await start(made, made.vega, *command)
    task_id = await made.add_task("A comet")
    try:
        await reviewed(made, task_id)
        await made.ask("PUT", f"{API}/agents/{made.vega.id}/work-state", {"state": "paused"})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(process.wait(), 1.5)
    finally:
        await end(process)


async def test_lead_creates_a_task_and_accepts_the_result(made: Crew) -> None:
    lead = await start(made, made.atlas, "bash", "lead.sh", "Write a haiku about the moon")
    worker = await start(made, made.vega, "bash", "worker.sh")
    try:
        printed = await ended(lead)
    finally:
        await end(worker)
    assert "I looked at it and did it." in printed and "#1 is done" in printed
    [task] = (await made.ask("GET", made.tasks))["items"]
    assert (task["title"], task["status"]) == ("Write a haiku about the moon", "done")
    comments = (await made.ask("GET", f"{made.tasks}/{task['id']}/comments"))["items"]
    assert [one["agent_id"] for one in comments] == [made.vega.id, made.vega.id, made.atlas.id]


async def test_lead_requests_approval_where_required(server: Server) -> None:
    made = await crew(server, require_approval_for_done=True)
    lead = await start(made, made.atlas, "bash", "lead.sh", "Write a haiku")
    worker = await start(made, made.vega, "bash", "worker.sh")
    approvals = made.tasks.removesuffix("/tasks") + "/approvals"
    try:
        async with asyncio.timeout(PATIENCE):
            while not (asked := (await made.ask("GET", approvals))["items"]):
                await asyncio.sleep(0.1)
        await made.ask("PATCH", f"{approvals}/{asked[0]['id']}", {"status": "approved"})
        assert "#1 is done" in await ended(lead)
    finally:
        await end(lead)
        await end(worker)


async def test_refusal_is_printed_and_ends_a_shell_agent(made: Crew) -> None:
    token = (await made.ask("POST", f"{API}/agents/{made.vega.id}/tokens", {"scopes": ["read"]}))["token"]
    process = await start(made, replace(made.vega, token=token), *WORKERS["worker.sh"], UNTIL_EMPTY="1")
    printed, _ = await process.communicate()
    assert process.returncode != 0 and "token_scope_missing" in printed.decode()


@pytest.mark.parametrize("example", WORKERS)
async def test_wrong_token_is_reported_without_a_traceback(made: Crew, example: str) -> None:
    nobody = Member("", "", "mca_" + "0" * 43)
    process = await start(made, nobody, *WORKERS[example], UNTIL_EMPTY="1")
    printed, _ = await process.communicate()
    assert process.returncode != 0 and "401" in printed.decode()


def test_shell_agents_hold_no_api_paths() -> None:
    for name in ("worker.sh", "lead.sh", "mission-control.sh"):
        text = (EXAMPLES / name).read_text(encoding="utf-8")
        assert "/api" not in text and set(re.findall(r"\$BASE_URL(/[\w.]+)", text)) <= {"/openapi.json"}, name


def test_examples_are_short_and_documented() -> None:
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for path in EXAMPLES.iterdir():
        if path.suffix in (".py", ".sh"):
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 60, path.name
            assert f"]({path.name})" in readme, path.name
