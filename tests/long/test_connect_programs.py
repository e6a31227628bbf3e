"""The real programs: connected twice, looked at, disconnected, and their files as they were."""

import os
from pathlib import Path

import httpx
import pytest

from tests.client.terminal import Terminal, ended
from tests.client.test_sign_in_by_code import OWNER, code_of
from tests.live.servers import PATIENCE, TOKEN, installation

pytestmark = [pytest.mark.long, pytest.mark.database, pytest.mark.once]

SETTINGS = (
    b'{\r\n\t"model": "opus",\r\n\t"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "true"}]}]}\r\n}\r\n'
)
CONFIG = b'# mine\nmodel = "gpt-x"\n\n[tui]\nnotifications = true # yes\n'
COMMENTED = b'{\r\n  // mine\r\n  "ui": {"theme": "Dracula"} /* a theme */\r\n}'
SCHEMA = b'"$schema": "https://opencode.ai/config.json", "tui"'  # which opencode adds where it is not
FILES = {
    "claude-code": (".claude/settings.json", SETTINGS),
    "codex": (".codex/config.toml", CONFIG),
    "opencode": (".config/opencode/opencode.jsonc", COMMENTED.replace(b'"ui"', SCHEMA)),
    "gemini": (".gemini/settings.json", COMMENTED),
}
COUNTED = "2,100 tokens of two requests"


async def test_both_are_connected_looked_at_and_as_before(programs: Path, tmp_path: Path) -> None:
    async with installation(tmp_path) as here, here.served() as server:
        terminal = Terminal(tmp_path / "home", {"PATH": f"{programs}:{os.environ['PATH']}"})
        terminal.fetch(server.url)
        for name, content in FILES.values():
            (terminal.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (terminal.folder / name).write_bytes(content)
        ours = {"Sec-Fetch-Site": "same-origin"}
        async with httpx.AsyncClient(base_url=server.url, headers=ours, timeout=PATIENCE) as browser:
            setup = {"code": TOKEN, "organization_name": "Harbour", **OWNER}
            assert (await browser.post("/setup", data=setup)).status_code == 303
            fields = {"name": "Quay", "slug": "quay", "description": "d"}
            board = (await browser.post("/api/v1/boards", json=fields)).json()["id"]
            for client in FILES:
                more = ["--ask"] if client == "opencode" else []
                process = await terminal.start("connect", client, "--board", board, "--yes", *more)
                approval = {"user_code": await code_of(process), "agent": f"{board}:new"}
                assert (await browser.post("/device/approvals", data=approval)).status_code == 303
                first = await ended(process)
                assert first.code == 0, first
            for client in FILES:
                assert "Its settings stay as they are" in await terminal.done("connect", client, "--yes")
                looked = await terminal.done("connect", client, "--check")
                assert "a whole turn arrived" in looked and COUNTED in looked and "by MCP: connected" in looked
                has_commands = client != "opencode"  # its plugin runs in it: there is no hook to look at alone
                assert ("one reached its model during the turn" in looked) is has_commands
                assert ("a permission was refused" in looked) is (has_commands and client != "gemini")
            read = (await browser.get("/api/v1/connections")).json()["items"]
            checked = {check["name"]: check["state"] for one in read for check in one["checked"]}
            assert len(read) == len(FILES) and checked["Timeline"] == checked["Usage"] == "ok"
        for client, (name, content) in FILES.items():
            assert "byte for byte" in await terminal.done("disconnect", client)
            assert (terminal.folder / name).read_bytes() == content
    assert not list((terminal.folder / ".config" / "opencode" / "plugin").iterdir())
    assert not (terminal.folder / ".codex" / "hooks.json").exists()
    assert not (terminal.folder / ".codex" / ".env").exists()
    assert "mission-control" not in (terminal.folder / ".claude.json").read_text()
