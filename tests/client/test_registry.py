"""`work --agent NAME` with a program of the protocol's registry: found, run, refused, listed."""

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from mission_control.client.problems import Usage
from mission_control.client.program import keys
from mission_control.client.program import program_of as ours_of
from mission_control.client.work import agents
from mission_control.client.work.registry import ENVIRONMENTS, REGISTRY
from mission_control.runs.sessions.view import program_of
from tests.client.shop import AGENT, Shop
from tests.client.terminal import Printed, Terminal
from tests.client.test_holding import refusal


def installed(folder: Path, command: str) -> str:
    """Put a program on a PATH of its own that speaks the protocol; what it was started with is beside it."""
    folder.mkdir(exist_ok=True)
    script = folder / command
    script.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        f"open({str(folder / 'started')!r}, 'w').write(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]))\n"
        f"command = {shlex.split(AGENT)!r}\nos.execv(command[0], command)\n"
    )
    script.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


async def worked(shop: Shop, name: str, path: str, code: int = 0) -> Printed:
    printed = await shop.terminal.run("work", "--agent", name, "--repository", str(shop.top), "--once", PATH=path)
    assert printed.code == code, printed.err
    return printed


def started(folder: Path) -> Any:
    return json.loads((folder / "started").read_text())


@pytest.mark.database
@pytest.mark.once
async def test_program_of_the_registry_does_a_task_by_its_name(shop: Shop, tmp_path: Path) -> None:
    task = await shop.task("do: write work.txt oiled\ndo: say It is mended.")
    printed = await worked(shop, "goose", installed(tmp_path / "bin", "goose"))
    assert "with goose," in printed.err and "is handed in" in printed.err
    [run] = await shop.runs(task)
    assert (run["state"], run["summary"]) == ("completed", "It is mended.")
    assert started(tmp_path / "bin")[0] == ["acp"]
    session = await shop.session()
    assert (session["client"], session["client_version"]) == ("other", "goose 1")
    assert program_of({"client": "other", "client_version": "goose 1"}) == "goose 1"
    assert program_of({"client": "other", "client_version": "1"}) == "Program 1"


@pytest.mark.database
@pytest.mark.once
async def test_package_is_run_by_npx_with_what_the_registry_says(shop: Shop, tmp_path: Path) -> None:
    await shop.task("do: write work.txt oiled\ndo: say It is mended.")
    assert "is handed in" in (await worked(shop, "auggie", installed(tmp_path / "bin", "npx"))).err
    arguments, folder, environment = started(tmp_path / "bin")
    assert arguments == ["-y", "@augmentcode/auggie", "--acp"] and environment["AUGMENT_DISABLE_AUTO_UPDATE"] == "1"
    assert Path(folder) not in shop.trees()  # whose packages it would take


@pytest.mark.database
@pytest.mark.once
async def test_window_of_one_is_not_that_of_another(shop: Shop, tmp_path: Path) -> None:
    task = await shop.task(refusal(3_600))
    path = installed(tmp_path / "bin", "goose")
    assert "Nothing is prompted until" in (await worked(shop, "goose", path, code=3)).err
    await worked(shop, "goose", path, code=3)
    assert len(shop.prompts()) == 1
    assert agents.program_for_work("goose", acp=False).account() != agents.program_for_work("kimi", acp=False).account()
    assert (await shop.made.task(task))["status"] == "inbox"


def test_entries_are_whole_and_hide_none_of_ours() -> None:
    ours = {name for key in keys() for name in (key, ours_of(key).command)}
    assert not ours & set(REGISTRY) and set(ENVIRONMENTS) < set(REGISTRY)
    for name, (title, source, *commands) in REGISTRY.items():
        assert title and source.startswith("https://") and commands and all(map(shlex.split, commands)), name
    assert agents.program_for_work("claude", acp=False).key == "claude-code"


def test_misspelt_name_is_refused_with_the_nearest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", installed(tmp_path / "bin", "telescope"))
    with pytest.raises(Usage, match=r"no command on the PATH\. Did you mean goose") as caught:
        agents.program_for_work("gose", acp=False)
    assert caught.value.code == "program_missing"
    with pytest.raises(Usage, match="Did you mean github-copilot or github-copilot-cli"):
        agents.program_for_work("copilot", acp=False)
    with pytest.raises(Usage) as far:
        agents.program_for_work("zzzzzz", acp=False)
    assert "Did you mean" not in far.value.text and "work --agents" in far.value.text
    for command in ("./gose", "gose --acp", "telescope"):
        assert agents.program_for_work(command, acp=False).acp_commands == (command,)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("goose", "goose is not installed, or not on the PATH. Install goose: https://block.github.io/goose"),
        ("cline", "npx is not installed, or not on the PATH. Install Node.js, which brings it: https://nodejs.org"),
        ("fast-agent", "uvx is not installed, or not on the PATH. Install uv, which brings it: https://docs.astral.sh"),
    ],
)
def test_what_is_not_here_says_how_to_install_it(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Usage) as caught:
        agents.program_for_work(name, acp=False).acp_command()
    assert text in caught.value.text


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = agents.program_for_work("fast-agent", acp=False)
    assert fast.environment()["FAST_AGENT_MODEL"] == "codexplan"
    monkeypatch.setenv("FAST_AGENT_MODEL", "sonnet")
    assert fast.environment()["FAST_AGENT_MODEL"] == "sonnet"


async def test_programs_are_listed_before_anybody_signs_in(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "home")
    terminal.fetch("http://localhost")
    path = installed(tmp_path / "bin", "goose").partition(os.pathsep)[0]
    printed = await terminal.run("work", "--agents", PATH=path)
    assert (printed.code, printed.err) == (0, "")
    rows = {line.split()[0]: line for line in printed.out.splitlines() if line}
    assert set(REGISTRY) | set(keys()) <= set(rows)
    assert "goose acp" in rows["goose"] and rows["goose"].endswith("on this machine")
    assert rows["kimi"].endswith("Install Kimi CLI: https://github.com/MoonshotAI/kimi-cli")
    installed(tmp_path / "bin", "npx")
    again = (await terminal.run("work", "--agents", PATH=path)).out
    assert next(line for line in again.splitlines() if line.startswith("cline ")).endswith("fetched when it starts")
