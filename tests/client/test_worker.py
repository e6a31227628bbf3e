"""`work`: tasks from a board, each in a worktree, done by a program, handed in exactly once."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.client.terminal import Terminal, ended
from tests.live.crew import Crew
from tests.live.servers import API, PATIENCE

pytestmark = [pytest.mark.database, pytest.mark.once]
AGENT = f"{sys.executable} {Path(__file__).with_name('acp_agent.py')}"


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=Mara", "-c", "user.email=mara@example.org"]
    return subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True).stdout


@dataclass
class Shop:
    """A repository, and the worker that works there for Vega."""

    made: Crew
    terminal: Terminal
    top: Path
    kept: Path

    @property
    def work(self) -> list[str]:
        return ["work", "--agent", AGENT, "--acp", "--repository", str(self.top)]

    async def task(self, text: str = "", **fields: Any) -> str:
        return await self.made.add_task(fields.pop("title", "Mend the lock"), description=text, **fields)

    async def once(self, *more: str, code: int = 0) -> str:
        """What a worker says that takes one task."""
        printed = await self.terminal.run(*self.work, "--once", *more)
        assert printed.code == code, printed.err
        return printed.err

    async def review(self, task: str, **said: Any) -> None:
        await self.made.ask("POST", f"{self.made.tasks}/{task}/reviews", said)

    async def runs(self, task: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.made.ask("GET", f"{self.made.tasks}/{task}/runs"))["items"]
        return found

    async def session(self) -> dict[str, Any]:
        """The session, once it rests: its last words are written a moment after they were taken."""

        async def resting() -> dict[str, Any]:
            [found] = (await self.made.ask("GET", f"{API}/boards/{self.made.board_id}/sessions"))["items"]
            return {} if found["state"] == "working" else dict(found)

        return await until(resting)

    def prompts(self) -> list[str]:
        return [json.loads(line) for line in (self.kept / "prompts").read_text().splitlines()]

    def states(self) -> Path:
        [folder] = (self.terminal.folder / ".local/state/mission-control/work").iterdir()
        return folder

    def trees(self) -> list[Path]:
        return [one / "tree" for one in self.states().iterdir() if (one / "tree").is_dir()]

    def left(self) -> list[str]:
        """What still runs of the worker's programs."""
        mark, found = str(self.kept).encode(), []
        for one in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (one / "environ").read_bytes():
                    found.append((one / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return found


def shop_in(folder: Path, made: Crew) -> Shop:
    """A repository in a folder, with Vega's worker."""
    top, kept = folder / "shop", folder / "sessions"
    kept.mkdir(parents=True)
    top.mkdir()
    git(top, "init", "--quiet", "--initial-branch=main")
    (top / "WORKFLOW.md").write_text("---\nsetup: touch .ready\ncheck: test -s work.txt\n---\nBe brief.\n")
    (top / "AGENTS.md").write_text("Write tests.\n")
    (top / ".gitignore").write_text(".ready\n")
    git(top, "add", ".")
    git(top, "commit", "--quiet", "-m", "Begin")
    names = {"MISSION_CONTROL_URL": made.server.url, "MISSION_CONTROL_TOKEN": made.vega.token}
    vega = Terminal(folder / "vega", {**names, "ACP_SESSIONS": str(kept), "IS_SANDBOX": "1"})
    vega.fetch(made.server.url)
    return Shop(made, vega, top, kept)


@pytest.fixture
def shop(made: Crew, tmp_path: Path) -> Shop:
    return shop_in(tmp_path, made)


async def until[T](found: Callable[[], Awaitable[T]]) -> T:
    async with asyncio.timeout(PATIENCE):
        while not (one := await found()):
            await asyncio.sleep(0.1)
    return one


async def test_a_task_from_the_inbox_to_done(shop: Shop) -> None:
    task = await shop.task("do: plan Look,Write\ndo: call echo hi\ndo: write work.txt oiled\ndo: say It is mended.")
    said = await shop.once()
    assert "is handed in" in said
    [run] = await shop.runs(task)
    assert (run["state"], run["summary"]) == ("completed", "It is mended.")
    assert run["checked"] == "`test -s work.txt` succeeds."
    code = run["code"]
    assert code["branch"] == "mission-control/1-mend-the-lock" and len(code["commits"]) == 1
    assert git(shop.top, "show", f"{code['head']}:work.txt") == "oiled\n"
    [prompt] = shop.prompts()
    assert "Be brief." in prompt and "Write tests." in prompt and "# Task #1: Mend the lock" in prompt
    session = await shop.session()
    assert (session["client"], session["branch"], session["state"]) == ("other", code["branch"], "idle")
    assert [one["text"] for one in session["plan"]] == ["Look", "Write"] and session["cost_usd"] == 0.25
    assert (await shop.made.task(task))["status"] == "review" and len(shop.trees()) == 1
    await shop.review(task, decision="approved")
    await shop.once(code=3)
    assert shop.trees() == [] and shop.left() == []
    assert git(shop.top, "branch", "--list", code["branch"]).strip()


async def test_nothing_is_claimed_to_look(shop: Shop) -> None:
    task = await shop.task()
    out = await shop.terminal.done(*shop.work, "--dry-run", "--board", "Telescope")
    assert "Board Telescope" in out and "checked by test -s work.txt" in out and "Nothing was claimed." in out
    assert (await shop.made.task(task))["status"] == "inbox"
    unit = await shop.terminal.run(*shop.work, "--install", "--dry-run")
    assert unit.code == 1 and "sign-in" in unit.err
    stored = shop.terminal.config / "connections" / "vega.env"
    stored.parent.mkdir(parents=True, mode=0o700)
    names = {name: shop.terminal.environment.pop(name) for name in ("MISSION_CONTROL_URL", "MISSION_CONTROL_TOKEN")}
    stored.write_text("".join(f"{name}={value}\n" for name, value in names.items()))
    stored.chmod(0o600)
    unit = await shop.terminal.run(*shop.work, "--install", "--dry-run", "--connection", "vega")
    assert unit.code == 0 and '"--connection" "vega"' in unit.out and names["MISSION_CONTROL_TOKEN"] not in unit.out
    assert f"WorkingDirectory={shop.top}" in unit.out and not (shop.terminal.folder / ".config" / "systemd").exists()
    shop.terminal.environment |= names
    other = await shop.terminal.run(*shop.work, "--board", "Garden")
    assert other.code == 2 and "signed in for the board Telescope" in other.err


async def test_what_was_sent_back_goes_on_in_its_session(shop: Shop) -> None:
    task = await shop.task("do: write work.txt one\ndo: say First.")
    await shop.once()
    first = await shop.session()
    assert (await shop.made.task(task))["status"] == "review" and len(shop.trees()) == 1
    note = "Again.\ndo: write work.txt two\ndo: say Second."
    lines = [{"path": "work.txt", "line": 1, "text": "Why one?"}]
    await shop.review(task, decision="changes_requested", note=note, lines=lines)
    await shop.once()
    second, old = (await shop.runs(task))[:2]
    assert (second["summary"], old["summary"]) == ("Second.", "First.")
    prompt = shop.prompts()[1]
    assert prompt.startswith("Your work was sent back.") and "`work.txt:1`: Why one?" in prompt
    assert git(shop.top, "show", f"{second['code']['head']}:work.txt") == "one\ntwo\n"
    assert second["code"]["base"] == old["code"]["base"] and second["code"]["branch"] == old["code"]["branch"]
    again = await shop.session()
    assert again["id"] == first["id"]


@pytest.mark.parametrize(("decision", "exists"), [("approved", True), ("rejected", False)])
async def test_what_it_asks_people_decide(shop: Shop, decision: str, exists: bool) -> None:
    task = await shop.task("do: ask touch made.txt\ndo: write work.txt done")
    process = await shop.terminal.start(*shop.work, "--once")
    approvals = f"{API}/boards/{shop.made.board_id}/approvals"

    async def asked() -> Any:
        return (await shop.made.ask("GET", f"{approvals}?status=pending"))["items"]

    [approval] = await until(asked)
    assert approval["payload"]["session_request"]["command"] == "touch made.txt"
    await shop.made.ask("POST", f"{approvals}/{approval['id']}/decisions", {"decision": decision, "note": "So be it."})
    assert (await ended(process)).code == 0
    [run] = await shop.runs(task)
    assert ("made.txt" in git(shop.top, "ls-tree", "--name-only", run["code"]["head"])) == exists
    assert exists or "So be it." in shop.prompts()[1]


async def test_a_no_that_stops_lets_people_say_how_it_goes_on(shop: Shop) -> None:
    task = await shop.task("do: ask touch made.txt\ndo: sleep 600")
    process = await shop.terminal.start(*shop.work, "--once")
    approvals = f"{API}/boards/{shop.made.board_id}/approvals"

    async def asked() -> Any:
        return (await shop.made.ask("GET", f"{approvals}?status=pending"))["items"]

    [approval] = await until(asked)
    body = {"decision": "rejected", "stop": True, "note": "Not like that."}
    await shop.made.ask("POST", f"{approvals}/{approval['id']}/decisions", body)
    assert "Not like that." in (await ended(process)).err and shop.left() == []
    [question] = (await shop.made.ask("GET", f"{API}/boards/{shop.made.board_id}/questions"))["items"]
    assert "Not like that." in question["content"]
    assert [one["state"] for one in await shop.runs(task)] == ["waiting"]


async def test_a_note_reaches_it_in_its_turn(shop: Shop) -> None:
    task = await shop.task("do: call touch begun\ndo: sleep 600\ndo: write work.txt done")
    process = await shop.terminal.start(*shop.work, "--once", ACP_STEERS="1")

    async def works() -> Any:
        items = (await shop.made.ask("GET", f"{API}/boards/{shop.made.board_id}/sessions"))["items"]
        return items and items[0]["doing"]

    await until(works)
    await shop.made.ask("POST", f"{shop.made.tasks}/{task}/notes", {"text": "Mind the step."})

    async def steered() -> bool:
        path = shop.kept / "steered"
        return path.exists() and "> Mind the step." in path.read_text()

    await until(steered)
    await shop.made.ask("POST", f"{shop.made.tasks}/{task}/stop", {"reason": "Enough."})
    printed = await ended(process)
    assert "Enough." in printed.err and shop.left() == []
    assert len(shop.trees()) == 1 and [one["state"] for one in await shop.runs(task)] == ["released"]


@pytest.mark.parametrize("text", ["do: crash", "do: garbage"])
async def test_trouble_of_a_program_ends_nothing(shop: Shop, text: str) -> None:
    task = await shop.task(f"do: write work.txt one\n{text}\ndo: child\ndo: say Done.")
    await shop.once()
    assert [one["state"] for one in await shop.runs(task)] == ["completed"] and shop.left() == []


async def test_beyond_a_limit_people_say_how_it_goes_on(shop: Shop) -> None:
    task = await shop.task("do: call touch begun\ndo: sleep 600")
    said = await shop.once("--time", "0.02")
    assert "more than 0.02 minutes" in said and len(shop.trees()) == 1 and shop.left() == []
    await shop.once(code=3)
    questions = f"{API}/boards/{shop.made.board_id}/questions"
    [question] = (await shop.made.ask("GET", questions))["items"]
    assert question["content"].startswith("It took more than 0.02 minutes.")
    await shop.made.ask("POST", f"{questions}/{question['id']}/answers", {"answer": "Take your time."})
    await shop.once()
    [run] = await shop.runs(task)
    prompt = shop.prompts()[1]
    assert run["state"] == "completed" and prompt.startswith("People answered.") and "Take your time." in prompt


async def test_a_program_that_cannot_work_ends_its_worker(shop: Shop) -> None:
    tasks = [await shop.task() for _ in range(4)]
    printed = await shop.terminal.run("work", "--agent", "false", "--acp", "--repository", str(shop.top))
    assert printed.code == 1 and "3 tasks in a row could not be done" in printed.err
    assert [(await shop.made.task(one))["status"] for one in tasks].count("inbox") == 1


async def test_a_worker_that_waits_takes_what_comes_and_is_ended(shop: Shop) -> None:
    process = await shop.terminal.start(*shop.work, "--at-most", "2")
    workers = f"{API}/boards/{shop.made.board_id}/workers"

    async def ready() -> Any:
        return [one for one in (await shop.made.ask("GET", workers))["items"] if one["state"] == "ready"]

    await until(ready)
    task = await shop.task("do: write work.txt done\ndo: say Done.")

    async def in_review() -> bool:
        return bool((await shop.made.task(task))["status"] == "review")

    await until(in_review)
    process.send_signal(signal.SIGTERM)
    assert (await ended(process)).code == 0
    await shop.once(code=3)
    assert shop.left() == []


async def test_any_command_does_a_task(shop: Shop) -> None:
    task = await shop.task("Say hello.")
    command = 'sh -c "cat > work.txt; grep -q hello $MISSION_CONTROL_BRIEF && echo It says so."'
    printed = await shop.terminal.run("work", "--agent", command, "--repository", str(shop.top), "--once")
    assert printed.code == 0, printed
    [run] = await shop.runs(task)
    assert (run["state"], run["summary"]) == ("completed", "It says so.")
    assert "Say hello." in git(shop.top, "show", f"{run['code']['head']}:work.txt")


async def test_nobody_works_as_root(shop: Shop) -> None:
    if os.getuid() != 0:
        pytest.skip("It is about root.")
    printed = await shop.terminal.run(*shop.work, IS_SANDBOX="")
    assert printed.code == 2 and "does not run as root" in printed.err


async def test_a_worker_that_is_ended_goes_on_when_it_starts_again(shop: Shop) -> None:
    task = await shop.task("do: call touch begun\ndo: child\ndo: sleep 600")
    process = await shop.terminal.start(*shop.work)

    async def begun() -> bool:
        return (shop.kept / "prompts").exists()

    await until(begun)
    process.send_signal(signal.SIGTERM)
    printed = await ended(process)
    assert printed.code == 0 and "goes on when a worker starts again" in printed.err and shop.left() == []
    await shop.once()
    [run] = await shop.runs(task)
    assert run["state"] == "completed" and "You were interrupted." in shop.prompts()[1]
