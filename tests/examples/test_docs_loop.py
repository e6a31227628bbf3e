"""The loop that the documentation shows, pasted into bash as it stands."""

import asyncio
import html
import os
import re
import signal
from pathlib import Path

from tests.live.crew import crew
from tests.live.servers import API, PATIENCE, Installation


async def test_documented_loop_works_until_stopped(tmp_path: Path) -> None:
    async with Installation(tmp_path, f"sqlite:///{tmp_path / 'loop.sqlite3'}").served() as server:
        made = await crew(server, require_approval_for_done=True)
        wanted = [await made.add_task("Look at “Vega” & 'Lyra'"), await made.add_task("Count the moons")]
        async with server.client() as reader:
            page = (await reader.get("/docs", headers={"Accept": "text/html"})).text
        [shown] = re.findall(r'<pre[^>]* id="agent-loop"><code>(.*?)</code>', page, re.DOTALL)
        pasted = html.unescape(shown).replace("mca_...", made.vega.token, 1)
        process = await asyncio.create_subprocess_exec(
            "bash", env={"PATH": os.environ["PATH"]}, start_new_session=True,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(pasted.encode())
            process.stdin.close()
            async with asyncio.timeout(PATIENCE):
                for task_id in wanted:
                    while (await made.task(task_id))["status"] != "review":
                        await asyncio.sleep(0.1)
                await made.ask("PUT", f"{API}/agents/{made.vega.id}/work-state", {"state": "stopped"})
                printed = (await process.stdout.read()).decode()
                assert await process.wait() == 0, printed
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        assert "Task 1: Look at “Vega” & 'Lyra'\nI am on it.\nreview\n" in printed, printed
        approvals = (await made.ask("GET", f"{API}/boards/{made.board_id}/approvals"))["items"]
        assert {one["action_type"] for one in approvals} == {"task.finish"} and len(approvals) == 2
