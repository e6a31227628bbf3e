"""Connections on a real server: they end with their client, are counted by address, and speak HTTP/1.1 only."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest

from tests.live.servers import BEFORE_POLLS_END, COMMAND, TOKEN, Installation, Server

FILES = 200  # that a server may have open
RESERVED = 50
FEW = 5  # files that a server opens besides, when it has just begun
OF_AN_ADDRESS = (FILES - RESERVED) // 2
FEW_FILES = ("/bin/sh", "-c", f'ulimit -n {FILES}; exec "$@"', "sh", *COMMAND)
ASK = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
OWNER = f"Authorization: Bearer {TOKEN}\r\n".encode()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation for all tests of this file, whatever the database."""
    return Installation(tmp_path_factory.mktemp("connections"), "")


@pytest.fixture(scope="module")
async def server(home: Installation) -> AsyncIterator[Server]:
    async with home.served(program=FEW_FILES, LOG_LEVEL="INFO") as running:
        yield running


def opened(server: Server, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), 20, (source, 0))


def answer(connection: socket.socket) -> bytes:
    got = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            got += piece
    return got


async def asked(server: Server, request: bytes, *, source: str = "127.0.0.1", half_closes: bool = False) -> bytes:
    """What the server answers until it closes, or until the end of the headers when it does not."""

    def ask() -> bytes:
        with closing(opened(server, source)) as connection:
            connection.sendall(request)
            if half_closes:
                connection.shutdown(socket.SHUT_WR)
                return answer(connection)
            return connection.recv(65536)

    return await asyncio.to_thread(ask)


def files(server: Server) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


async def settled_files(server: Server) -> int:
    """How many files the server has open once the connections of earlier tests have ended."""
    count = -1
    while count != (count := files(server)):
        await asyncio.sleep(0.3)
    return count


async def becomes(holds: Callable[[], bool]) -> None:
    """Wait until something holds, for less than the time after which an idle connection ends by itself."""
    async with asyncio.timeout(BEFORE_POLLS_END):
        while not holds():
            await asyncio.sleep(0.02)


async def test_connection_closes_with_its_client(server: Server) -> None:
    before = files(server)
    for _ in range(FILES):
        assert b" 200 " in await asked(server, ASK)
        await becomes(lambda: files(server) < before + 30)
    await becomes(lambda: files(server) <= before + FEW)


async def test_half_closed_clients_are_answered(server: Server) -> None:
    body = b'{"name": "x"}'
    post = b"POST /api/v1/tags HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + OWNER
    post += b"Content-Length: %d\r\n\r\n" % len(body) + body
    assert (await asked(server, ASK, half_closes=True)).endswith(b'{"ok":true}')
    assert b" 200 " in (await asked(server, post, half_closes=True))[:20]


async def test_streams_and_polls_end_on_disconnect(server: Server) -> None:
    async with server.client() as owner:
        board = (
            await owner.post("/api/v1/boards", json={"name": "A board", "slug": "a-board", "description": "One"})
        ).json()["id"]
        agent = (await owner.post("/api/v1/agents", json={"name": "Vega", "board_id": board})).json()
    token = f"X-Agent-Token: {agent['token']}\r\n\r\n".encode()
    stream = f"GET /api/v1/boards/{board}/tasks/stream HTTP/1.1\r\nHost: x\r\n".encode() + OWNER + b"\r\n"
    poll = b"GET /api/v1/agent/inbox?wait_seconds=50 HTTP/1.1\r\nHost: x\r\n" + token
    async with asyncio.timeout(BEFORE_POLLS_END):
        assert b" 200 " in (await asked(server, stream, half_closes=True))[:20]
        assert await asked(server, poll, half_closes=True) == b""


async def test_unread_body_does_not_hold_its_connection(server: Server) -> None:
    before = files(server)
    head = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"

    def ask() -> bytes:
        with closing(opened(server)) as connection:
            connection.sendall(head)
            with suppress(OSError):
                for _ in range(80):
                    connection.sendall(piece)
            return answer(connection)

    answers = await asyncio.gather(*(asyncio.to_thread(ask) for _ in range(FEW + 1)))
    assert [b" 400 " in one[:20] for one in answers] == [True] * len(answers)
    await becomes(lambda: files(server) <= before + FEW)


async def test_connections_are_limited_per_address(server: Server) -> None:
    before = await settled_files(server)
    log = server.log.read_text()
    taken = [opened(server, "127.0.0.2") for _ in range(OF_AN_ADDRESS)]
    try:
        await becomes(lambda: files(server) >= before + OF_AN_ADDRESS)
        for _ in range(3):
            refused = await asked(server, ASK, source="127.0.0.2")
            assert refused.startswith(b"HTTP/1.1 503 ") and b"retry-after: " in refused
        assert b" 200 " in await asked(server, ASK)
    finally:
        for connection in taken:
            connection.close()
    assert 1 <= server.log.read_text().removeprefix(log).count("connections.too_many_of_address") <= 2
    await becomes(lambda: files(server) <= before + FEW)
    assert b" 200 " in await asked(server, ASK, source="127.0.0.2")


async def test_known_callers_leave_room_for_others_of_their_address(server: Server) -> None:
    before = await settled_files(server)
    taken = [opened(server, "127.0.0.4") for _ in range(OF_AN_ADDRESS // 2)]
    try:
        for connection in taken:
            connection.sendall(b"GET /api/v1/users/me HTTP/1.1\r\nHost: x\r\n" + OWNER + b"\r\n")
            assert b" 200 " in await asyncio.to_thread(connection.recv, 20)
        idle = [opened(server, "127.0.0.4") for _ in range(OF_AN_ADDRESS - 1)]
        taken += idle
        assert b" 200 " in await asked(server, ASK, source="127.0.0.4")
    finally:
        for connection in taken:
            connection.close()
    await becomes(lambda: files(server) <= before + FEW)


async def test_server_out_of_file_descriptors_recovers(server: Server) -> None:
    before = files(server)
    log = server.log.read_text()
    taken = [opened(server, f"127.0.1.{number % 10 + 1}") for number in range(2 * FILES)]
    try:
        await becomes(lambda: files(server) >= FILES - RESERVED)
        assert not (await asked(server, ASK, source="127.0.0.3")).startswith(b"HTTP/1.1 200")
    finally:
        for connection in taken:
            connection.close()
    await becomes(lambda: files(server) <= before + FEW)
    assert b" 200 " in await asked(server, ASK, source="127.0.0.3")
    told = server.log.read_text().removeprefix(log)
    assert 1 <= told.count("connections.files_used_up") <= 5  # at most one in ten seconds, of hundreds refused
    assert "Traceback" not in told


async def test_anonymous_uploads_are_not_buffered(server: Server) -> None:
    size, count = 10_000_000, 30
    head = b"POST /api/v1/boards/imports HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
    before = server.resident_mib()
    peaks: list[float] = []

    def upload() -> bytes:
        with closing(opened(server)) as connection:
            connection.sendall(head)
            with suppress(OSError):
                for _ in range(size // 50_000):
                    connection.sendall(b"x" * 50_000)
            peaks.append(server.resident_mib())
            return connection.recv(20)

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(count) as threads:
        answers = await asyncio.gather(*(loop.run_in_executor(threads, upload) for _ in range(count)))
    assert {one[:12] for one in answers} == {b"HTTP/1.1 401"}
    assert max(peaks) - before < 60  # of 300 that were sent


WEBSOCKET = (
    b"GET /sockets HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
)


@pytest.mark.parametrize("key", [b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b""])
async def test_websocket_is_refused_with_one_log_line(server: Server, key: bytes) -> None:
    log = server.log.read_text()
    assert (await asked(server, WEBSOCKET + key + b"\r\n")).startswith(b"HTTP/1.1 400 ")
    await becomes(lambda: "path=/sockets" in server.log.read_text().removeprefix(log))
    told = server.log.read_text().removeprefix(log)
    [line] = [one for one in told.splitlines() if "path=/sockets" in one]
    assert "status_code=400" in line and "Traceback" not in told


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
UPGRADE = ASK[:-2] + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"


async def test_http2_needs_tls(server: Server) -> None:
    assert (await asked(server, PREFACE)).startswith(b"HTTP/1.1 505 ")
    assert (await asked(server, UPGRADE)).startswith(b"HTTP/1.1 200 ")


async def test_http2_behind_a_proxy(home: Installation, server: Server) -> None:
    settings = {"HTTP2": "true", "TRUSTED_PROXIES": "127.0.0.1", "MAX_CONNECTIONS_PER_ADDRESS": "2"}
    other = Installation(home.folder / "other", "")
    other.folder.mkdir()
    async with other.served(**settings) as behind:
        assert b"HTTP/1.1" not in await asked(behind, PREFACE)
        assert (await asked(behind, UPGRADE)).startswith(b"HTTP/1.1 101 ")
        async with behind.client() as owner:
            board = (
                await owner.post("/api/v1/boards", json={"name": "A board", "slug": "a-board", "description": "One"})
            ).json()["id"]
        path = f"GET /api/v1/boards/{board}/tasks/stream HTTP/1.1\r\nHost: x\r\n".encode() + OWNER
        streams = [opened(behind) for _ in range(4)]  # two of the owner, and what is beyond them of the address
        for stream in streams:
            stream.sendall(path + b"X-Forwarded-For: 9.9.9.9\r\n\r\n")
            assert b" 200 " in await asyncio.to_thread(stream.recv, 20)
        assert b" 503 " in (await asked(behind, ASK[:-2] + b"X-Forwarded-For: 9.9.9.9\r\n\r\n"))[:20]
        assert b" 200 " in (await asked(behind, ASK[:-2] + b"X-Forwarded-For: 8.8.8.8\r\n\r\n"))[:20]
        for stream in streams:
            stream.close()
