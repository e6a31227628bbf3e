"""A person whose program is connected: their terminal, their browser, their board, and a model on loopback."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.client.terminal import Terminal, ended
from tests.client.test_sign_in_by_code import OWNER, code_of
from tests.live.servers import API, PATIENCE, TOKEN, Server

NOTE = "Mind the wet paint."
SECRET = "zq9secretzq9"  # in prompts, commands, files, what they print and the folder; a board keeps names only
WORDS = "Use a copy."


@dataclass
class Person:
    """Who sits at a terminal, and looks at the board in a browser."""

    server: Server
    terminal: Terminal
    browser: httpx.AsyncClient
    board: str

    @property
    def home(self) -> Path:
        return self.terminal.folder

    async def read(self, path: str) -> Any:
        answer = await self.browser.get(f"{API}{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def connect(self, client: str) -> None:
        """Type the one command, and press the button of its page."""
        process = await self.terminal.start("connect", client, "--board", self.board, "--yes")
        approval = {"user_code": await code_of(process), "agent": f"{self.board}:new"}
        assert (await self.browser.post("/device/approvals", data=approval)).status_code == 303
        first = await ended(process)
        assert first.code == 0, first

    async def leave_it_to_a_colleague(self) -> None:
        """Let somebody sit here who opens the link of an invitation, and has nothing else."""
        access = [{"board_id": self.board, "can_write": True}]
        invited = {"invited_email": "kit@example.org", "board_access": access}
        made = await self.browser.post(f"{API}/organizations/me/invites", json=invited)
        assert made.status_code == 200, made.text
        self.browser.cookies.clear()
        account = {"name": "Kit", "password": OWNER["password"], "timezone": "Europe/Zurich"}
        answer = await self.browser.post(f"/invitations/{made.json()['token']}", data=account)
        assert answer.status_code == 303, answer.text

    async def session(self) -> dict[str, Any] | None:
        """The newest session of the board."""
        found: list[dict[str, Any]] = (await self.read(f"/boards/{self.board}/sessions"))["items"]
        return found[0] if found else None

    async def activities(self, session: dict[str, Any]) -> list[dict[str, Any]]:
        path = f"/boards/{self.board}/sessions/{session['id']}/activities?limit=200"
        found: list[dict[str, Any]] = (await self.read(path))["items"]
        return found

    async def asked(self, command: str) -> dict[str, Any]:
        """The approval that a program asks for, as soon as it does."""

        async def pending() -> list[dict[str, Any]]:
            found = (await self.read(f"/boards/{self.board}/approvals?status=pending"))["items"]
            return [one for one in found if one["payload"]["session_request"]["command"] == command]

        [one] = await until(pending, bool)
        return one

    async def decide(self, approval: dict[str, Any], **form: str) -> None:
        """Answer by the form of the approval's page."""
        page = f"/boards/{self.board}/approvals/{approval['id']}"
        assert "Nothing is ever allowed by waiting" in (await self.browser.get(page)).text
        sent = await self.browser.post(f"{page}/decisions", data={"substance": approval["substance"], **form})
        assert sent.status_code == 303, sent.text

    async def note(self) -> None:
        """Send a note into the turn that goes on."""
        session = await self.session()
        assert session is not None
        path = f"{API}/boards/{self.board}/sessions/{session['id']}/notes"
        assert (await self.browser.post(path, json={"text": NOTE})).status_code == 200

    async def be_there(self, *allowed: str, denied: str) -> None:
        """Send a note while the first prompt waits, allow what may be, and deny the last with words."""
        for command in allowed:
            asked = await self.asked(command)
            if command == allowed[0]:
                await self.note()
            await self.decide(asked, decision="approved")
        await self.decide(await self.asked(denied), decision="rejected", note=WORDS)


@asynccontextmanager
async def person(server: Server, programs: Path, home: Path) -> AsyncIterator[Person]:
    """Somebody with an empty home who has set the server up and has a board."""
    home.parent.mkdir(exist_ok=True)
    terminal = Terminal(home, {"PATH": f"{programs}:{os.environ['PATH']}"})
    terminal.fetch(server.url)
    ours = {"Sec-Fetch-Site": "same-origin"}
    async with httpx.AsyncClient(base_url=server.url, headers=ours, timeout=PATIENCE) as browser:
        setup = {"code": TOKEN, "organization_name": "Harbour", **OWNER}
        assert (await browser.post("/setup", data=setup)).status_code == 303
        fields = {"name": "Quay", "slug": "quay", "description": "d"}
        board = (await browser.post(f"{API}/boards", json=fields)).json()["id"]
        yield Person(server, terminal, browser, board)


async def until[T](look: Callable[[], Awaitable[T]], fits: Callable[[T], bool]) -> T:
    """What is seen once it fits; the last sight is shown when it never does."""
    found = await look()
    try:
        async with asyncio.timeout(PATIENCE):
            while not fits(found):
                await asyncio.sleep(0.1)
                found = await look()
    except TimeoutError:
        raise AssertionError(f"last seen: {found}") from None
    return found
