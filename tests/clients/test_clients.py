"""Clients that others' generators make of the served document: they generate, type-check, and do an agent's work.

They need npm and Java, so they run by `make test-programs` only; there they are left out where npm or its registry is
missing, and in CI they must run.
"""

import json
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.clients.workshop import HERE, Workshop, workshop
from tests.live.crew import Crew, crew
from tests.live.servers import API, TOKEN, Installation, Server
from tests.node_packages import Installer

# Strict, without a configuration, but for what generators write themselves: needless casts, functions without types.
MYPY = (
    "mypy", "--config-file=", "--strict", "--allow-untyped-calls", "--allow-untyped-defs", "--allow-incomplete-defs",
    "--no-check-untyped-defs", "--implicit-reexport", "--no-warn-return-any", "--no-warn-redundant-casts",
)  # fmt: skip
NO_EXTRAS = "apis,models,supportingFiles,modelTests=false,apiTests=false,modelDocs=false,apiDocs=false"


@pytest.fixture(scope="module")
def generators(npm: Installer) -> Workshop:
    """The generators."""
    return workshop(npm)


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """One server for all clients, on SQLite: what they see is the same on both databases."""
    folder = tmp_path_factory.mktemp("clients")
    async with Installation(folder, f"sqlite:///{folder / 'clients.sqlite3'}").served() as running:
        yield running


@pytest.fixture
async def made(server: Server) -> Crew:
    """A new board without a lead, which wants a person's word before a task is done."""
    board = await crew(server, require_approval_for_done=True)
    await board.ask("DELETE", f"{API}/agents/{board.atlas.id}")
    return board


@pytest.fixture(autouse=True)
def told(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Print how long each client took."""
    began = time.monotonic()
    yield
    with capsys.disabled():
        print(f"\n{request.node.name}: {time.monotonic() - began:.1f} s", end=" ")


async def document(server: Server, folder: Path, part: str = "") -> None:
    """Keep the served document, or a part of it, as a file."""
    async with server.client() as anybody:
        (folder / "openapi.json").write_bytes((await anybody.get(f"/openapi.json{part}")).content)


async def works(made: Crew, generators: Workshop, folder: Path, *command: str, **environment: str) -> None:
    """Let a client work on a task, and look at what became of it."""
    task_id = await made.add_task("Look at “Vega” & 'Lyra'", due_at="2026-12-24T12:00:00Z")
    known = {"BASE_URL": made.server.url, "AGENT_TOKEN": made.vega.token, "PERSON_TOKEN": TOKEN}
    assert (await generators.run(folder, *command, **known, **environment)).split() == [task_id]
    assert (await made.task(task_id))["status"] == "done"
    comments = (await made.ask("GET", f"{made.tasks}/{task_id}/comments"))["items"]
    assert [one["message"] for one in comments] == ["Half of it is done.", "Looked at it and did it."]
    [run] = (await made.ask("GET", f"{made.tasks}/{task_id}/runs"))["items"]
    assert (run["state"], run["agent_id"]) == ("completed", made.vega.id)
    [approval] = (await made.ask("GET", f"{API}/boards/{made.board_id}/approvals"))["items"]
    assert (approval["action_type"], approval["status"]) == ("task.finish", "approved") and approval["resolved_by"]


async def test_openapi_python_client(generators: Workshop, made: Crew) -> None:
    folder = generators.place("openapi-python-client")
    await document(made.server, folder)
    shutil.copy(HERE / "agents" / "openapi_python_client.py", folder / "agent.py")
    printed = await generators.run(
        folder, "openapi-python-client", "generate", "--path", "openapi.json", "--output-path", "made",
        "--fail-on-warning",
    )  # fmt: skip
    assert "WARNING" not in printed, printed
    await generators.run(folder, *MYPY, "agent.py", "made/mission_control_api_client", MYPYPATH="made")
    await works(made, generators, folder, "python", "agent.py", PYTHONPATH="made")


async def test_openapi_generator(generators: Workshop, made: Crew) -> None:
    folder = generators.place("openapi-generator")
    await document(made.server, folder)
    shutil.copy(HERE / "agents" / "openapi_generator.py", folder / "agent.py")
    await generators.run(
        folder, "openapi-generator-cli", "generate", "-g", "python", "-i", "openapi.json", "-o", "made",
        "--global-property", NO_EXTRAS,
    )  # fmt: skip
    await generators.run(folder, *MYPY, "agent.py", "made/openapi_client", MYPYPATH="made")
    await works(made, generators, folder, "python", "agent.py", PYTHONPATH="made")


async def test_openapi_typescript_with_openapi_fetch(generators: Workshop, made: Crew) -> None:
    folder = generators.place("openapi-typescript")
    await document(made.server, folder)
    shutil.copy(HERE / "agents" / "openapi_fetch.ts", folder / "agent.ts")
    await generators.run(folder, "openapi-typescript", "openapi.json", "--output", "schema.ts")
    await compiled(generators, folder, "agent.ts", "schema.ts")
    await works(made, generators, folder, "node", "built/agent.js")


async def test_hey_api_with_zod(generators: Workshop, made: Crew) -> None:
    folder = generators.place("hey-api")
    await document(made.server, folder)
    shutil.copy(HERE / "agents" / "hey_api.ts", folder / "agent.ts")
    shutil.copy(HERE / "agents" / "hey_api_person.ts", folder / "person.ts")
    shutil.copy(HERE / "openapi-ts.config.mjs", folder)
    await generators.run(folder, "openapi-ts")
    await compiled(generators, folder, "agent.ts", "person.ts", "hey/index.ts", "hey/zod.gen.ts")
    await works(made, generators, folder, "node", "built/agent.js")
    known = {
        "BASE_URL": made.server.url,
        "PERSON_TOKEN": TOKEN,
        "BOARD_ID": made.board_id,
        "AGENT_TOKEN": made.vega.token,
    }
    assert await generators.run(folder, "node", "built/person.js", **known)


async def compiled(generators: Workshop, folder: Path, *files: str) -> None:
    """Check TypeScript strictly, and write the JavaScript that Node runs."""
    settings = json.loads((HERE / "tsconfig.json").read_text()) | {"files": files}
    (folder / "tsconfig.json").write_text(json.dumps(settings))
    (folder / "package.json").write_text('{"type": "module"}')
    await generators.run(folder, "tsc", "--project", ".")


@pytest.mark.parametrize("part", ["", "?tag=agent-worker"], ids=["whole", "part"])
async def test_linters_find_nothing(generators: Workshop, server: Server, part: str) -> None:
    folder = generators.place("linters" if part else "linters-of-a-part")
    await document(server, folder, part)
    for name in ("redocly.yaml", "spectral.yaml"):
        shutil.copy(HERE / name, folder)
    await generators.run(folder, "redocly", "lint", "openapi.json", "--config", "redocly.yaml")
    await generators.run(
        folder, "spectral", "lint", "openapi.json", "--ruleset", "spectral.yaml", "--fail-severity", "hint"
    )
