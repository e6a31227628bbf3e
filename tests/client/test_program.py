"""The file itself: the same bytes, any Python from 3.9 on, a quick start, what the installed package runs."""

import asyncio
import io
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from quart import Quart

from mission_control import __version__
from mission_control.api_docs.client_pages import SHEBANG, program
from mission_control.client.__main__ import parser_of
from mission_control.client.program import keys, program_of
from mission_control.core.programs import OTHER, PROGRAMS
from mission_control.runs.connect_pages import Wanted
from tests.client.terminal import Terminal
from tests.live.servers import COMMAND, ROOT

CLIENT = ROOT / "mission_control" / "client"
BASE = "http://localhost"
# What a start would pay for in milliseconds, and the program does without.
SLOW = {"asyncio", "dataclasses", "inspect", "tempfile", "typing", "urllib.request", "uuid", "zipfile", "pathlib"}
MOST_MODULES = 130  # more than those that Python itself has loaded


async def test_program_is_served_with_its_tag(app: Quart) -> None:
    client = app.test_client(use_cookies=False)
    answer = await client.get("/client.pyz")
    body, tag = await answer.get_data(as_text=False), answer.headers["ETag"]
    assert (answer.status_code, answer.mimetype) == (200, "application/zip") and body.startswith(SHEBANG)
    assert (await client.get("/mc")).headers["ETag"] == tag
    assert (await client.get("/client.pyz", headers={"If-None-Match": tag})).status_code == 304
    assert "X-Mission-Control-Version" not in answer.headers
    told = await client.get("/healthz", headers={"User-Agent": "mission-control-client/0.0.1"})
    assert told.headers["X-Mission-Control-Version"] == __version__


def test_program_is_the_same_bytes_and_knows_its_origin() -> None:
    made = program(BASE)
    program.cache_clear()
    assert program(BASE) == made and made.startswith(SHEBANG)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert f"URL = '{BASE}'" in archive.read("mission_control/client/origin.py").decode()
        names = set(archive.namelist())
    assert {path.relative_to(ROOT).as_posix() for path in CLIENT.rglob("*.py")} < names
    assert all(
        name.startswith("mission_control/client/") for name in names - {"__main__.py", "mission_control/__init__.py"}
    )


def test_it_needs_python_3_9_and_nothing_newer() -> None:
    check = [sys.executable, "-c", "import vermin; vermin.main()", "--target=3.9-", "--violations", "--no-tips"]
    done = subprocess.run(
        [*check, str(CLIENT), str(ROOT / "mission_control/__init__.py")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def pythons() -> list[str]:
    """Every Python of this machine, the oldest first."""
    found = (shutil.which(f"python3.{minor}", path="/usr/bin:/usr/local/bin") for minor in range(9, 20))
    return [path for path in found if path] or [sys.executable]


@pytest.mark.parametrize("python", pythons())
async def test_it_runs_on_every_python_here(tmp_path: Path, python: str) -> None:
    terminal = Terminal(tmp_path / "old", python=python, has_own_clock=True)
    terminal.fetch(BASE)
    assert await terminal.done("--version") == f"{__version__}\n"
    assert (await terminal.run("claim")).code == 4


async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b'HTTP/1.1 401 Unauthorized\r\nContent-Length: 16\r\n\r\n{"detail": "No"}')
    writer.close()


async def test_start_imports_little(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "quick")
    terminal.fetch(BASE)
    command = (sys.executable, "-X", "importtime", str(terminal.program), "status")
    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        environment = {"HOME": str(terminal.folder), "MISSION_CONTROL_URL": url, "MISSION_CONTROL_TOKEN": "mca_x"}
        process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=asyncio.subprocess.PIPE)
        _, err = await process.communicate()
    assert process.returncode == 4
    imported = set(re.findall(r"^import time:.*\| +(\S+)$", err.decode(), re.MULTILINE))
    assert "mission_control.client.api" in imported
    assert imported & SLOW == set() and len(imported) < MOST_MODULES, sorted(imported)


@pytest.mark.parametrize("key", [*keys(), OTHER])
def test_page_shows_a_command_that_the_program_takes(app: Quart, key: str) -> None:
    shown = Wanted(key, "http://board.example.org").sign_in
    _, command = shown.split("python3 client.pyz ")
    name, *options = command.split()
    given = parser_of(name).parse_intermixed_args(options)
    assert (given.client, given.allow_http) == (key, True)


async def test_installed_package_has_the_same_commands(tmp_path: Path) -> None:
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {"PATH": "/usr/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
        command = [*COMMAND, *arguments]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)

    claimed, helped = run("claim"), run("finish", "--help")
    assert claimed.returncode == 4 and "Run `mission-control sign-in" in claimed.stderr
    assert helped.returncode == 0 and helped.stdout.startswith("usage: mission-control finish")


def test_what_can_be_connected_is_the_same_everywhere(app: Quart) -> None:
    assert keys() == sorted(PROGRAMS) == [program_of(key).key for key in keys()]
