"""What stands between the program and the server: proxies, restarts, lost answers, an update."""

import asyncio
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from mission_control.api_docs.client_pages import SHEBANG, program
from mission_control.client.update import is_newer
from tests.client.terminal import Printed, Terminal

OK = json.dumps({"ok": True, "directive": "continue"})


@dataclass
class Between:
    """A server that answers as it was told, in order, and the last of it again; None hangs up."""

    port: int = 0
    answers: list[bytes | None] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(length[1])) if length else b""
                self.requests.append(head + body.decode())
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def said(status: str, body: str | bytes, *headers: str) -> bytes:
    """An answer as it is on the wire."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + content


@pytest.fixture
async def between() -> AsyncIterator[Between]:
    """A server on a port of its own."""
    found = Between()
    async with await asyncio.start_server(found.serve, "127.0.0.1", 0) as server:
        found.port = server.sockets[0].getsockname()[1]
        yield found


@pytest.fixture
def terminal(between: Between, tmp_path: Path) -> Terminal:
    """A terminal that is signed in there."""
    found = Terminal(tmp_path / "home", {"MISSION_CONTROL_URL": between.url, "MISSION_CONTROL_TOKEN": "mca_x"})
    found.fetch(between.url)
    return found


async def get(terminal: Terminal, *more: str, **variables: str) -> Printed:
    return await terminal.run("call", "GET", "/api/v1/agent/healthz", *more, **variables)


async def test_lost_answer_is_asked_for_again_with_the_same_key(between: Between, terminal: Terminal) -> None:
    between.answers = [None, said("503 Unavailable", "<html>"), said("200 OK", OK)]
    printed = await terminal.run("call", "POST", "/api/v1/agent/heartbeat", "{}")
    assert printed.code == 0 and json.loads(printed.out)["ok"]
    keys = [re.findall("Idempotency-Key: (.+)", one) for one in between.requests]
    assert len(keys) == 3 and keys[0] and keys == [keys[0]] * 3


async def test_busy_server_is_asked_again_when_it_says(between: Between, terminal: Terminal) -> None:
    limited = json.dumps({"detail": {"message": "Too many requests.", "code": "rate_limited"}})
    between.answers = [said("429 Too Many Requests", limited, "Retry-After: 0")]
    printed = await get(terminal)
    assert printed.code == 75 and json.loads(printed.out)["detail"]["code"] == "rate_limited"
    assert len(between.requests) == 4


async def test_pages_of_proxies_are_said_in_words(between: Between, terminal: Terminal) -> None:
    between.answers = [said("200 OK", "<html><title>Sign in to \x1b[31mCorp</title></html>")]
    printed = await terminal.run("comment", "Hello", "--task", "12", BOARD="b")
    assert printed.code == 5 and "The answer was 200 and no JSON" in printed.err
    assert "Sign in to" in printed.err and "\x1b" not in printed.err
    between.answers = [said("403 Forbidden", "blocked")]
    assert "The answer was 403 and no JSON" in (await get(terminal)).out
    between.answers = [said("301 Moved", "", "Location: https://board.example.org/")]
    moved = await terminal.run("status")
    assert moved.code == 5 and "sends on to https://board.example.org/. Use that address." in moved.err


async def test_server_that_is_away(terminal: Terminal) -> None:
    printed = await terminal.run("status", MISSION_CONTROL_URL="http://127.0.0.1:9")
    assert printed.code == 5 and "Mission Control did not answer at http://127.0.0.1:9" in printed.err


async def test_proxy_of_the_environment_is_used_but_not_for_this_machine(between: Between, terminal: Terminal) -> None:
    between.answers = [said("200 OK", OK)]
    far = {"MISSION_CONTROL_URL": "http://board.invalid", "MISSION_CONTROL_ALLOW_HTTP": "yes"}
    assert (await get(terminal, http_proxy=between.url, **far)).code == 0
    assert between.requests[0].startswith("GET http://board.invalid/api/v1/agent/healthz HTTP/1.1")
    assert (await get(terminal, http_proxy="http://127.0.0.1:9")).code == 0
    assert (await get(terminal, http_proxy=between.url, no_proxy="board.invalid", **far)).code == 5


async def test_refusal_after_white_space_is_a_refusal(between: Between, terminal: Terminal) -> None:
    late = json.dumps({"status": 409, "detail": {"message": "Paused: Lunch.", "code": "agent_paused"}})
    between.answers = [said("200 OK", f"   {late}")]
    printed = await terminal.run("claim", "--wait")
    assert printed.code == 3 and printed.err == "Paused: Lunch.\n"


async def test_token_is_in_no_argument_and_no_environment_of_others(between: Between, terminal: Terminal) -> None:
    between.answers = [said("200 OK", OK)]
    await get(terminal)
    assert "X-Agent-Token: mca_x" in between.requests[0]


ASKED = {
    "device_code": "mct_1", "user_code": "KWPT-7QJX", "verification_uri": "http://here/device",
    "verification_uri_complete": "http://here/device?user_code=KWPT-7QJX", "expires_in": 600, "interval": 0,
}  # fmt: skip
GIVEN = {"access_token": "mca_new", "agent": {"id": "1", "name": "Lyra"}, "board": {"id": "2", "name": "Shop"}}


def oauth(error: str, text: str = "In words.") -> bytes:
    """A refusal of OAuth."""
    return said("400 Bad Request", json.dumps({"error": error, "error_description": text}))


@pytest.fixture
def stranger(terminal: Terminal) -> Terminal:
    """A terminal that is not signed in."""
    terminal.environment = {}
    return terminal


async def test_terminal_waits_until_a_person_approves(between: Between, stranger: Terminal) -> None:
    who = json.dumps({"agent_id": "1", "board_id": "2", "token_expires_at": "2027-02-27T13:00:00Z"})
    between.answers = [
        said("200 OK", json.dumps(ASKED)), oauth("authorization_pending"), None, said("200 OK", json.dumps(GIVEN)),
        said("200 OK", who),
    ]  # fmt: skip
    printed = await stranger.run("sign-in", "--client", "codex", "--board", "Shop & Co", "--agent", "Lyra")
    assert printed.code == 0 and "enter KWPT-7QJX (good for 10 min)" in printed.out
    assert "Signed in as Lyra on the board “Shop”" in printed.out and "until 2027-02-27" in printed.out
    assert "mca_new" not in printed.out and "mca_new" in (stranger.config / "connect.env").read_text()
    asked, *polls = between.requests[:-1]
    assert "client_id=mission-control-client&scope=connect&client=codex" in asked
    assert "board=Shop%20%26%20Co&agent=Lyra" in asked and len(polls) == 3
    grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=mct_1"
    assert all(grant in one and "X-Agent-Token" not in one for one in polls)
    assert "X-Agent-Token: mca_new" in between.requests[-1]


@pytest.mark.parametrize(
    ("error", "code"), [("access_denied", 1), ("expired_token", 3), ("invalid_grant", 1), ("invalid_scope", 1)]
)
async def test_terminal_that_is_not_signed_in(between: Between, stranger: Terminal, error: str, code: int) -> None:
    between.answers = [said("200 OK", json.dumps(ASKED)), oauth(error)]
    printed = await stranger.run("sign-in")
    assert printed.code == code and "In words." in printed.err and not (stranger.config / "connect.env").exists()


async def test_code_that_nobody_enters_expires(between: Between, stranger: Terminal) -> None:
    between.answers = [
        said("200 OK", json.dumps({**ASKED, "expires_in": 10, "interval": 5})),
        oauth("authorization_pending"),
    ]
    printed = await stranger.run("sign-in")
    assert printed.code == 3 and "The code has expired." in printed.err and len(between.requests) == 3


async def test_server_that_signs_no_terminal_in(between: Between, stranger: Terminal) -> None:
    for answer in (said("404 Not Found", "{}"), said("200 OK", "<html>"), said("500 Oops", "")):
        between.answers = [answer]
        printed = await stranger.run("sign-in")
        assert printed.code == 5 and printed.err


async def test_connection_that_ends_at_sign_out(between: Between, stranger: Terminal) -> None:
    stranger.config.mkdir(parents=True)
    for answer, words in (
        (said("200 OK", OK), "The connection has ended."),
        (said("401 Unauthorized", '{"detail": "Unauthorized"}'), "Its token had ended before."),
        (said("502 Bad Gateway", ""), "The token goes on until you end it"),
        (said("403 Forbidden", '{"detail": "No."}'), "The token is of an agent"),
    ):
        file = stranger.config / "connect.env"
        file.write_text(f"MISSION_CONTROL_URL={between.url}\nMISSION_CONTROL_TOKEN=mca_x\n")
        file.chmod(0o600)
        between.answers = [answer]
        assert words in await stranger.done("sign-out") and not file.exists()
        assert between.requests[-1].startswith("DELETE /api/v1/connect/connection ")


NEWER = "X-Mission-Control-Version: 0.2.0"


def newer(base: str) -> bytes:
    """The program of a later version."""
    made = io.BytesIO(program(base))
    with zipfile.ZipFile(made) as archive:
        texts = {name: archive.read(name) for name in archive.namelist()}
    texts["mission_control/__init__.py"] = b'__version__ = "0.2.0"\n'
    packed = io.BytesIO(SHEBANG)
    packed.seek(0, io.SEEK_END)
    with zipfile.ZipFile(packed, "a") as archive:
        for name, content in texts.items():
            archive.writestr(name, content)
    return packed.getvalue()


async def test_program_replaces_itself_after_a_command(between: Between, terminal: Terminal) -> None:
    between.answers = [said("200 OK", OK, NEWER), said("200 OK", newer(between.url), NEWER), said("200 OK", OK, NEWER)]
    printed = await get(terminal)
    digest = sha256(terminal.program.read_bytes()).hexdigest()
    assert (printed.code, printed.err) == (0, f"Updated from 0.1.0 to 0.2.0 (SHA-256 {digest}).\n")
    assert await terminal.done("--version") == "0.2.0\n"
    assert (await get(terminal)).err == "" and len(between.requests) == 3
    assert terminal.program.stat().st_mode & 0o777 == 0o700
    assert [one.name for one in terminal.folder.iterdir() if one.name.startswith("client")] == ["client.pyz"]


async def test_program_stays_when_it_is_told_to_or_is_from_elsewhere(between: Between, terminal: Terminal) -> None:
    between.answers = [said("200 OK", OK, NEWER)]
    assert (await get(terminal, "--no-update")).err == ""
    assert "stays as it is" in await terminal.done("update", "--off")
    assert (await get(terminal)).err == "" and "updates itself" in await terminal.done("update", "--on")
    terminal.fetch("https://board.example.org")
    assert (await get(terminal)).err == ""
    assert len(between.requests) == 3


@pytest.mark.parametrize("sent", [b"<html>", SHEBANG + b"rm -rf /", newer("http://localhost")[:-100]])
async def test_something_else_does_not_replace_it(between: Between, terminal: Terminal, sent: bytes) -> None:
    before = terminal.program.read_bytes()
    between.answers = [said("200 OK", OK, NEWER), said("200 OK", sent, NEWER)]
    printed = await get(terminal)
    assert printed.code == 0 and "could not be updated: What the server sent is not the program." in printed.err
    assert terminal.program.read_bytes() == before


async def test_update_by_hand(between: Between, terminal: Terminal) -> None:
    between.answers = [said("200 OK", terminal.program.read_bytes()), said("200 OK", newer(between.url), NEWER)]
    assert (await terminal.done("update")).startswith("It is current (SHA-256 ")
    assert "Updated from 0.1.0 to 0.2.0 (SHA-256 " in (await terminal.run("update")).out


@pytest.mark.parametrize(("theirs", "ours", "expected"), [
    ("0.2.0", "0.1.9", True), ("0.10.0", "0.9.0", True), ("0.1.0", "0.1.0", False), ("0.1.0", "0.2", False),
    ("x", "1", False),
])  # fmt: skip
def test_newer_versions(theirs: str, ours: str, expected: bool) -> None:
    assert is_newer(theirs, ours) is expected
