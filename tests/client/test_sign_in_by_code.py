"""The whole way of a terminal: a code, a person who approves it on the page, work, and what people see of it."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest

from tests.client.terminal import Terminal, ended
from tests.live.servers import PATIENCE, TOKEN, Server

pytestmark = [pytest.mark.database, pytest.mark.once]
OWNER = {"name": "Mara", "email": "mara@example.org", "password": "a long enough password"}


async def code_of(process: asyncio.subprocess.Process) -> str:
    """The code that the program shows."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        said = ""
        while "user_code=" not in said and (line := await process.stdout.readline()):
            said += line.decode()
    found = re.search(r"enter (\S{4}-\S{4})", said)
    assert found, said
    return found[1]


async def test_terminal_is_signed_in_works_and_signs_out(server: Server, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "bare")
    terminal.fetch(server.url)
    ours = {"Sec-Fetch-Site": "same-origin"}
    async with httpx.AsyncClient(base_url=server.url, headers=ours, timeout=PATIENCE) as browser:
        setup = {"code": TOKEN, "organization_name": "Harbour", **OWNER}
        assert (await browser.post("/setup", data=setup)).status_code == 303
        board = (await browser.post("/api/v1/boards", json={"name": "Quay", "slug": "quay", "description": "d"})).json()
        await browser.post(f"/api/v1/boards/{board['id']}/tasks", json={"title": "Paint the boat"})
        line = (await browser.get("/agents/connect?client=other")).text
        [options] = re.findall(r"client\.pyz sign-in ?([^<]*)</code>", line)
        process = await terminal.start("sign-in", *options.split())
        code = await code_of(process)
        page = (await browser.get(f"/device?user_code={code}")).text
        assert "Program (Mara) on Quay" in page
        approval = {"user_code": code, "agent": f"{board['id']}:new"}
        assert (await browser.post("/device/approvals", data=approval)).status_code == 303
        signed = await ended(process)
        assert signed.code == 0 and "Signed in as Program (Mara) on the board" in signed.out, signed
        assert "Paint the boat" in await terminal.done("claim")
        await terminal.done("report", "Mixed the paint")
        assert "Open the session" in (await browser.get("/agents/connect?client=other")).text
        assert "Program (Mara) on" in (await browser.get("/agents/connected")).text
        assert "The connection has ended" in await terminal.done("sign-out")
        assert "1 that ended" in (await browser.get("/agents/connected")).text
