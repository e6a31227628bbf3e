"""How many lines somebody types until their Claude Code is on the board; how long it took is printed."""

import asyncio
import subprocess
import time
from pathlib import Path

import pytest

from tests.client.test_sign_in_by_code import code_of
from tests.live.servers import PATIENCE, installation
from tests.mcp.fake_model import SHELL, FakeModel, served
from tests.mcp.node_clients import QUIET_CLAUDE, finish
from tests.programs.connected import person, until

pytestmark = [pytest.mark.programs, pytest.mark.database]


@pytest.mark.parametrize("who", ["owner", "colleague"])
async def test_three_lines_lead_to_the_first_activity(programs: Path, tmp_path: Path, who: str) -> None:
    async with (
        installation(tmp_path) as here,
        here.served() as server,
        person(server, programs, tmp_path / "bare" / "home") as made,
    ):
        made.terminal.program.unlink()
        began = time.monotonic()
        if who == "colleague":
            await made.leave_it_to_a_colleague()
        subprocess.run(("curl", "-fsSO", f"{server.url}/client.pyz"), cwd=made.home, check=True)
        process = await made.terminal.start("connect", "claude-code", "--board", made.board, "--yes")
        approval = {"user_code": await code_of(process), "agent": f"{made.board}:new"}
        assert (await made.browser.post("/device/approvals", data=approval)).status_code == 303
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0
        print(f"connected after {time.monotonic() - began:.1f} s")
        async with served(FakeModel([(SHELL, {"command": "echo walrus"})])) as url:
            environment = {**made.terminal.environment, "HOME": str(made.home), "ANTHROPIC_BASE_URL": url}
            command = (programs / "claude", "-p", "Work.", "--allowedTools", "Bash", "--output-format", "json")
            working = asyncio.create_task(finish(*command, home=made.home, environment=environment | QUIET_CLAUDE))
            await until(made.session, lambda session: session is not None and session["activity_count"] > 0)
            print(f"first activity after {time.monotonic() - began:.1f} s")
            await working
