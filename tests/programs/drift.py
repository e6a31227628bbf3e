"""What the newest programs do differently: `make drift` installs them, runs the tests against them, and prints it.

They are held against the versions in `package.json` here and in `tests/mcp/acp`. Exit code 0, whatever is new.
"""

import asyncio
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mission_control.client.changes import Kept
from mission_control.client.connect import Target
from mission_control.client.programs import claude_code, codex, gemini
from tests.hooks import recorded
from tests.live.servers import ROOT
from tests.mcp.fake_model import SHELL, FakeModel, served
from tests.mcp.node_clients import PATIENCE, QUIET_CLAUDE
from tests.node_packages import CACHE, must, node_program
from tests.programs.installing import FOLDER, SOURCE, with_own_parts

LATEST = CACHE / "latest"
DECLARED = (SOURCE / "package.json", ROOT / "tests" / "mcp" / "acp" / "package.json")
ADAPTERS = "@agentclientprotocol/"
NODE = "node-linux-"  # no program that people connect
TESTS = ("tests/programs", "tests/long/test_hooks_of_programs.py", "tests/long/test_opencode.py")
# The program, its recorded hooks, and the settings in which `connect` names its hooks.
READ = {
    "claude-code": ("claude", ".claude/settings.json", claude_code.PROGRAM),
    "codex": ("codex", ".codex/hooks.json", codex.PROGRAM),
    "gemini": ("gemini", ".gemini/settings.json", gemini.PROGRAM),
}
BEFORE = {"gemini": b'{"security": {"auth": {"selectedType": "gemini-api-key"}}}'}
# What has fields of its own; those of what a call is given are the model's.
WITHIN = ("tool_response", "token_usage")


class Recorded(Target):
    """Where hooks are written down instead of sent."""

    def __init__(self, program: str, folder: Path) -> None:
        super().__init__(program, "http://127.0.0.1:9", "none", "", in_settings=True, asks=True)
        self.folder = folder

    def hook(self, client: str, seconds: int = 0) -> str:
        return f"sh -c {shlex.quote(f'cat > $(mktemp {self.folder}/XXXXXX); echo {{}}')}"

    def headers(self, client: str) -> str:
        return "echo {}"


def declared() -> dict[str, str]:
    """Return the programs and adapters that are known, with their versions."""
    found: dict[str, str] = {}
    for path in DECLARED:
        package = json.loads(path.read_text(encoding="utf-8"))
        found |= package["dependencies"] | package.get("optionalDependencies", {})
    return {name: version for name, version in found.items() if not name.startswith(NODE)}


def newest(known: dict[str, str]) -> dict[str, str]:
    """Install the newest of all, and return their versions."""
    LATEST.mkdir(parents=True, exist_ok=True)
    package = {"name": "latest", "private": True, "dependencies": dict.fromkeys(known, "latest")}
    (LATEST / "package.json").write_text(json.dumps(package), encoding="utf-8")
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock", "--loglevel=error")
    must(LATEST, "npm", "update", *quiet)
    with_own_parts(LATEST)
    versions = (LATEST / "node_modules" / name / "package.json" for name in known)
    return {name: json.loads(path.read_text())["version"] for name, path in zip(known, versions, strict=True)}


def fields(events: list[dict[str, Any]]) -> dict[str, list[set[str]]]:
    """Return the fields of each event, each time; those of what a call answered by its tool."""
    found: dict[str, list[set[str]]] = {}
    for event in events:
        name = str(event.get("hook_event_name"))
        found.setdefault(name, []).append(set(event))
        for inner in WITHIN:
            if isinstance(value := event.get(inner), dict):
                found.setdefault(f"{inner} of {event.get('tool_name', name)}", []).append(set(value))
    return found


def changed(before: dict[str, list[set[str]]], now: dict[str, list[set[str]]], read: set[str]) -> list[str]:
    """Return what is new or gone; what was not always there, or is not brought about by this turn, is no news."""
    new = sorted(now.keys() - before.keys() - read)
    said = [f"new: {name} with {', '.join(sorted(set.union(*now[name])))}" for name in new]
    for name in sorted(now.keys() & before.keys()):
        here, there = set.union(*now[name]), set.union(*before[name])
        for word, some in (("new", here - there), ("gone", set.intersection(*before[name]) - here)):
            if some:
                said.append(f"{word} in {name}: {', '.join(sorted(some))}")
    return said


@asynccontextmanager
async def home_of(client: str, programs: Path) -> AsyncIterator[tuple[Path, Path]]:
    """A home in which a program's hooks are written down, and the folder with them."""
    command, settings, of_client = READ[client]
    with tempfile.TemporaryDirectory(prefix="drift-") as folder:
        home, events = Path(folder), Path(folder) / "events"
        (home / settings).parent.mkdir()
        (home / settings).write_bytes(
            of_client.files(Kept(client))[0].add(BEFORE.get(client, b""), Recorded(str(programs / command), events))
        )
        events.mkdir()
        yield home, events


async def seen(client: str, programs: Path) -> list[dict[str, Any]]:
    """Return the events of one turn with a call that works and one that fails."""
    commands = ("echo walrus", "false")
    model = FakeModel([(SHELL, {"command": one}) for one in commands])
    async with home_of(client, programs) as (home, folder), served(model) as url:
        environment = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(home), "FAKE_KEY": "none"}
        if client == "claude-code":
            command = ["claude", "-p", "Work.", "--allowedTools", "Bash"]
            environment |= {"ANTHROPIC_BASE_URL": url, **QUIET_CLAUDE}
        elif client == "codex":
            provider = f'{{name = "fake", base_url = "{url}/v1", env_key = "FAKE_KEY", wire_api = "responses"}}'
            given = (f"model_providers.fake={provider}", 'model_provider="fake"', 'model="fake"')
            options = [part for one in given for part in ("-c", one)]
            command = ["codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-hook-trust", *options, "Work."]
        else:
            command = ["gemini", "-p", "Work.", "-m", gemini.MODEL, "--approval-mode", "yolo"]
            environment |= {"GOOGLE_GEMINI_BASE_URL": url, **gemini.QUIET}
        process = await asyncio.create_subprocess_exec(
            *(str(programs / command[0]), *command[1:]),
            cwd=home, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            async with asyncio.timeout(PATIENCE):
                printed, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        events = [json.loads(one.read_text()) for one in folder.iterdir()]
    if not events:
        print(f"  It called no hook, and said: {printed.decode(errors='replace')[-500:]}")
    return events


def main() -> None:
    known = declared()
    found = newest(known)
    for name, version in known.items():
        print(f"{name}: {version}" + ("" if found[name] == version else f", the newest is {found[name]}"))
    programs = LATEST / "node_modules" / ".bin"
    print(f"Run by Node {subprocess.run((node_program(LATEST), '--version'), capture_output=True, text=True).stdout}")
    for client, (*_, of_client) in READ.items():
        print(f"Hooks of {client}:")
        before, now = recorded(f"{client}-hooks").values(), asyncio.run(seen(client, programs))
        for line in changed(fields(list(before)), fields(now), set(of_client.events)) or ["as they were recorded"]:
            print(f"  {line}")
    print("Answers, notes, usage and the whole way (a test that fails names what is different):", flush=True)
    markers = ("-m", "programs or long", "--tb=line", "-q")
    subprocess.run(
        (sys.executable, "-m", "pytest", *markers, *TESTS),
        cwd=ROOT, env={**os.environ, "LONG": "1", FOLDER: str(programs)}, check=False,
    )  # fmt: skip


if __name__ == "__main__":
    main()
