"""What a server that starts, and a command line that helps, do without."""

from pathlib import Path

import pytest

from tests.contract.test_imports import ON_DEMAND, is_on_demand
from tests.live.servers import Installation

LISTED = "PYTHONPROFILEIMPORTTIME"  # Python prints the name of each module that it imports
SERVING = {"asyncpg", "httptools", "hypercorn", "pydantic", "quart", "tortoise", "uvicorn", "uvloop"}


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    return Installation(tmp_path, f"sqlite:///{tmp_path}/start.sqlite3")


def imported(printed: str) -> set[str]:
    return {line.rpartition("|")[2].strip() for line in printed.splitlines() if line.startswith("import time:")}


async def test_server_answers_without_what_most_installations_never_need(here: Installation) -> None:
    async with here.served(**{LISTED: "1"}) as server, server.client() as client:
        assert (await client.get("/api/v1/users/me")).status_code == 200
        found = imported(server.log.read_text())
    assert found > {"mission_control.server.app", "quart"}
    assert {one for one in found if is_on_demand(one)} == set()


@pytest.mark.parametrize("asked", ["--help", "--version", "serve --help", "demo --help"])
async def test_help_needs_no_server(here: Installation, asked: str) -> None:
    code, printed = await here.run(*asked.split(), **{LISTED: "1"})
    libraries = {one.partition(".")[0] for one in imported(printed)}
    assert code == 0 and "mission_control" in libraries
    assert libraries & (SERVING | ON_DEMAND) == set()
