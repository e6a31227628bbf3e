"""Requests made of the served OpenAPI document find nothing: no 5xx, nothing undeclared, no answer of another shape.

About 45 seconds for each database; LONG=1 takes ten minutes. SEED in the environment repeats a run, which is printed.
"""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.live.servers import ROOT, TOKEN, Installation, Server, installation
from tests.outside import Directory

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
CONFIGURATION = ROOT / "tests/fuzz/schemathesis.toml"
HOOKS = "tests.fuzz.hooks"
LONG = bool(os.environ.get("LONG"))
# What ends the caller's own account or everything that it can reach.
ENDS = ("delete_me_api_v1_users_me_delete", "delete_my_org_api_v1_organizations_me_delete")
SECONDS = {"people": 300 if LONG else 30, "agents": 300 if LONG else 15}


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Installation]:
    """A new installation."""
    async with installation(tmp_path) as made:
        yield made


@pytest.fixture
async def souls() -> AsyncIterator[str]:
    """The address of a souls directory."""
    directory = Directory()
    serving = await asyncio.start_server(directory.handle, "127.0.0.1", 0)
    async with serving:
        directory.url = f"http://127.0.0.1:{serving.sockets[0].getsockname()[1]}"
        directory.lists("/souls/ada/night-owl")
        yield directory.url


@pytest.fixture
async def server(place: Installation, souls: str) -> AsyncIterator[Server]:
    """A server without limits, which reads souls from a directory beside it and finds no repository anywhere."""
    outside = {
        "SOULS_DIRECTORY_URL": souls,
        "OUTBOUND_ALLOW_PRIVATE": "true",
        "SKILLS_GIT_BASE_URL": f"file://{place.folder}",
    }
    async with place.served(program=(sys.executable, "-m", "tests.fuzz.server"), **outside) as started:
        yield started


async def lead(server: Server) -> str:
    """The token of a lead agent on a new board."""
    async with server.client() as client:
        new = {"name": "Telescope", "slug": "telescope", "description": "Look."}
        board = (await client.post("/api/v1/boards", json=new)).raise_for_status().json()
        agent = {"name": "Atlas", "board_id": board["id"], "is_board_lead": True}
        token: str = (await client.post("/api/v1/agents", json=agent)).raise_for_status().json()["token"]
        return token


async def search(server: Server, seconds: int, *options: str, folder: Path) -> tuple[int | None, str]:
    """Let schemathesis look for so many seconds; its exit code and what it says."""
    seed = os.environ.get("SEED") or str(random.SystemRandom().randrange(10**6))
    print(f"SEED={seed}")
    process = await asyncio.create_subprocess_exec(
        SCHEMATHESIS, "--config-file", str(CONFIGURATION), "run", f"{server.url}/openapi.json", *options,
        "--exclude-path-regex", "stream$", "--max-examples", "1000" if LONG else "20", "--max-time", str(seconds),
        "--seed", seed,
        "--no-color", "--warnings", "off", "--generation-database", "none", "--suppress-health-check", "all",
        "--continue-on-failure",
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "SCHEMATHESIS_HOOKS": HOOKS, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    said, _ = await process.communicate()
    return process.returncode, said.decode()


@pytest.mark.parametrize("who", ["people", "agents"])
async def test_nothing_is_found(server: Server, tmp_path: Path, who: str) -> None:
    if who == "people":
        excluded = [part for name in ENDS for part in ("--exclude-operation-id", name)]
        options = ["--header", f"Authorization: Bearer {TOKEN}", *excluded]
    else:
        options = ["--header", f"X-Agent-Token: {await lead(server)}", "--include-path-regex", "^/api/v1/agent/"]
    code, said = await search(server, SECONDS[who], *options, folder=tmp_path)
    assert "Tested: " in said and code == 0, said[-12_000:]
    assert "Traceback" not in server.log.read_text(), server.log.read_text()[-4_000:]
