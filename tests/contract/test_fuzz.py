"""Requests made of the served OpenAPI document find nothing: no 5xx, nothing undeclared, no answer of another shape.

`requests` tries every operation by itself, `sequences` follows links from one operation to the next. About a minute
for each database; LONG=1 takes ten, and another seed each time. SEED in the environment repeats a run, as far as ids
allow, and is printed.
"""

import asyncio
import os
import random
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.live.servers import ROOT, TOKEN, Installation, Server, installation
from tests.outside import Directory, repository_of_skills

pytestmark = [pytest.mark.database, pytest.mark.thorough]

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
CONFIGURATION = ROOT / "tests/fuzz/schemathesis.toml"
LONG = bool(os.environ.get("LONG"))
# What ends the owner's account or everything that it can reach.
ENDS = ("delete_me_api_v1_users_me_delete", "delete_my_org_api_v1_organizations_me_delete")
# Phases, and seconds for them. Coverage alone takes twenty.
SEARCHES = {"requests": ("coverage,fuzzing", 300 if LONG else 30), "sequences": ("stateful", 300 if LONG else 25)}
# A search that follows fewer does not reach what exists; a busy machine is given more time.
FEWEST_LINKS = 50 if LONG else 25
ROUNDS = 6
SHORT_SEED = 2026
PATIENCE = 60  # seconds for one answer


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Installation]:
    async with installation(tmp_path) as made:
        yield made


@pytest.fixture
async def souls() -> AsyncIterator[str]:
    directory = Directory()
    serving = await asyncio.start_server(directory.handle, "127.0.0.1", 0)
    async with serving:
        directory.url = f"http://127.0.0.1:{serving.sockets[0].getsockname()[1]}"
        directory.lists("/souls/ada/night-owl")
        directory.pages["/api/souls/ada/night-owl.md"] = (200, "# Night owl")
        yield directory.url


@pytest.fixture
async def server(place: Installation, souls: str) -> AsyncIterator[Server]:
    """A server without limits, which reads souls from a directory beside it and finds one repository."""
    repository_of_skills(place.folder)
    outside = {
        "SOULS_DIRECTORY_URL": souls,
        "OUTBOUND_ALLOW_PRIVATE": "true",
        "SKILLS_GIT_BASE_URL": f"file://{place.folder / 'mirror'}",
    }
    async with place.served(program=(sys.executable, "-m", "tests.fuzz.server"), **outside) as started:
        yield started


async def callers(place: Installation, server: Server, seed: str) -> dict[str, str]:
    """What the hooks must know: where, the owner's token, and that of somebody whose place and rights may change."""
    async with server.client() as client:
        (await client.get("/api/v1/users/me")).raise_for_status()
    await place.command("user", "create", "bea@example.org", "--name", "Bea", "--role", "admin")
    rover = (await place.command("token", "create", "bea@example.org", "--may", "admin")).splitlines()[0]
    return {"URL": server.url, "OWNER": TOKEN, "ROVER": rover, "SEED": seed}


async def search(name: str, known: dict[str, str], folder: Path, factor: int) -> tuple[int | None, str]:
    """Let schemathesis look for `factor` times the usual time; its exit code and what it says."""
    phases, seconds = SEARCHES[name]
    excluded = [part for one in ENDS for part in ("--exclude-operation-id", one)]
    process = await asyncio.create_subprocess_exec(
        SCHEMATHESIS, "--config-file", str(CONFIGURATION), "run", f"{known['URL']}/openapi.json",
        "--phases", phases, *excluded, "--exclude-path-regex", "stream$",
        "--max-examples", "100" if LONG else "20", "--max-time", str(seconds * factor), "--seed", known["SEED"],
        "--request-timeout", str(PATIENCE),
        "--no-color", "--warnings", "off", "--generation-database", "none", "--suppress-health-check", "all",
        "--continue-on-failure",
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **known, "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    said, _ = await process.communicate()
    return process.returncode, said.decode()


@pytest.mark.parametrize("name", ["requests", "sequences"])
async def test_fuzzing_finds_no_server_error(place: Installation, server: Server, tmp_path: Path, name: str) -> None:
    seed = os.environ.get("SEED") or str(random.SystemRandom().randrange(10**6) if LONG else SHORT_SEED)
    print(f"SEED={seed}")
    known = await callers(place, server, seed)
    for round_number in range(ROUNDS):
        code, said = await search(name, known, tmp_path, 2**round_number)
        print(*re.findall(r"API Links: .*|Tested: .*|\d+ generated, .*", said), sep="\n")
        # An error in a hook does not fail a search; it is counted.
        assert "Tested: " in said and code == 0 and "errored" not in said, said[-12_000:]
        assert "Traceback" not in server.log.read_text(), server.log.read_text()[-4_000:]
        if name != "sequences" or links_followed(said) >= FEWEST_LINKS:
            return
    pytest.fail(f"Only {links_followed(said)} links were followed.\n{said}")


def links_followed(said: str) -> int:
    [followed] = re.findall(r"API Links: +(\d+) covered", said)
    return int(followed)
