"""Outbound requests: where they may go, how long they may take, how much may come back."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mission_control.core.outbound import Outbound, OutboundError, may_reach

Answer = Callable[[str, asyncio.StreamWriter], Awaitable[None]]
HOME = Outbound(allow_private=True, seconds=5.0, most_bytes=1000)


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[tuple[int, list[str]]]:
    seen: list[str] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        seen.append(head)
        await answer(head, writer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], seen


def says(body: bytes, *headers: str, status: str = "200 OK", with_length: bool = True) -> Answer:
    async def answer(head: str, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", "Connection: close", *headers]
        if with_length:
            lines.append(f"Content-Length: {len(body)}")
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    return answer


@pytest.mark.parametrize(("address", "is_public", "is_fine_at_home"), [
    ("93.184.215.14", True, True),
    ("2606:2800:21f:cb07::1", True, True),
    ("127.0.0.1", False, True),
    ("::1", False, True),
    ("10.1.2.3", False, True),
    ("172.16.0.1", False, True),
    ("192.168.1.1", False, True),
    ("fd12::1", False, True),
    ("169.254.169.254", False, False),
    ("fe80::1%eth0", False, False),
    ("100.100.100.200", False, False),
    ("168.63.129.16", False, False),
    ("224.0.0.1", False, False),
    ("ff02::1", False, False),
    ("0.0.0.0", False, False),
    ("240.0.0.1", False, False),
    ("255.255.255.255", False, False),
    ("::ffff:127.0.0.1", False, True),
    ("::ffff:169.254.169.254", False, False),
    ("64:ff9b::a9fe:a9fe", False, False),
    ("64:ff9b::5db8:d70e", True, True),
    ("2002:7f00:1::1", False, False),
    ("2001:0:4136:e378:8000:63bf:f5ff:fffd", False, False),
    ("::ffff:93.184.215.14", True, True),
    ("not an address", False, False),
    ("fec0::1", False, True),
    ("192.88.99.1", False, False),
    ("192.0.0.192", False, False),
    ("fd00:ec2::254", False, False),
    ("fd20:ce::254", False, False),
])  # fmt: skip
def test_reachable_addresses(address: str, is_public: bool, is_fine_at_home: bool) -> None:
    assert may_reach(address, allow_private=False) is is_public
    assert may_reach(address, allow_private=True) is is_fine_at_home


async def test_response_is_read_with_the_original_host() -> None:
    async with serving(says(b"hello", status="404 Not Found")) as (port, seen):
        reply = await HOME.get(f"http://localhost:{port}/a?b=c", {"X-Kind": "test"})
    assert (reply.status, reply.text) == (404, "hello")
    head = seen[0].lower()
    assert head.startswith("get /a?b=c ") and f"host: localhost:{port}\r\n" in head and "x-kind: test" in head
    assert "user-agent: mission-control/" in head


@pytest.mark.parametrize("url", [
    "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://2130706433:{port}/", "http://0x7f.1:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/", "http://[::1]:{port}/", "http://0.0.0.0:{port}/",
])  # fmt: skip
async def test_loopback_is_refused_in_every_spelling(url: str) -> None:
    async with serving(says(b"secret")) as (port, seen):
        with pytest.raises(OutboundError, match=r"may not be reached|could not be found"):
            await Outbound().get(url.format(port=port))
    assert seen == []


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.org/", "/path", "", "http://", "http://ada:pw@127.0.0.1/", "http://x:port/"],
)
async def test_only_http_addresses_are_requested(url: str) -> None:
    with pytest.raises(OutboundError, match="usable http"):
        await HOME.get(url)


async def test_host_is_resolved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def resolve(host: Any, port: Any, **options: Any) -> Any:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "169.254.169.254"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    async with serving(says(b"checked")) as (port, _):
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        reply = await HOME.get(f"http://rebinding.example:{port}/")
    assert reply.text == "checked" and asked.count("rebinding.example") == 1


async def test_one_forbidden_address_refuses_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: Any, port: Any, **options: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in ("93.184.215.14", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(OutboundError, match="may not be reached"):
        await Outbound().get("http://mixed.example/")


async def test_redirects_are_followed_on_request_and_checked() -> None:
    async with serving(says(b"there")) as (target, reached):
        away = says(b"", f"Location: http://localhost:{target}/x", status="302 Found")
        async with serving(away) as (port, _):
            assert (await HOME.get(f"http://127.0.0.1:{port}/")).status == 302
            assert reached == []
            following = Outbound(allow_private=True, redirects=1)
            assert (await following.get(f"http://127.0.0.1:{port}/")).text == "there"
    metadata = says(b"", "Location: http://169.254.169.254/latest", status="302 Found")
    async with serving(metadata) as (port, _):
        with pytest.raises(OutboundError, match="may not be reached"):
            await Outbound(allow_private=True, redirects=3).get(f"http://127.0.0.1:{port}/")


async def test_endless_redirects_are_refused() -> None:
    async def again(head: str, writer: asyncio.StreamWriter) -> None:
        await says(b"", "Location: /again", status="302 Found")(head, writer)

    async with serving(again) as (port, seen):
        with pytest.raises(OutboundError, match="redirects too often"):
            await Outbound(allow_private=True, redirects=2).get(f"http://127.0.0.1:{port}/")
    assert len(seen) == 3


@pytest.mark.parametrize("with_length", [True, False])
async def test_too_long_answer_is_refused(with_length: bool) -> None:
    async with serving(says(b"x" * 1000, with_length=with_length)) as (port, _):
        assert len((await HOME.get(f"http://127.0.0.1:{port}/")).body) == 1000
    async with serving(says(b"x" * 1001, with_length=with_length)) as (port, _):
        with pytest.raises(OutboundError, match="sent too much"):
            await HOME.get(f"http://127.0.0.1:{port}/")


async def test_compressed_answer_is_refused() -> None:
    async with serving(says(b"x", "Content-Encoding: gzip")) as (port, _):
        with pytest.raises(OutboundError, match="not asked for"):
            await HOME.get(f"http://127.0.0.1:{port}/")


async def test_missing_answer_times_out() -> None:
    async def silence(head: str, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.5)

    async with serving(silence) as (port, _):
        with pytest.raises(OutboundError, match="in time"):
            await Outbound(allow_private=True, seconds=0.05).get(f"http://127.0.0.1:{port}/")


async def test_closed_port_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(OutboundError, match="could not be reached"):
            await HOME.get(f"http://127.0.0.1:{taken.getsockname()[1]}/")


async def test_unknown_host_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: Any, port: Any, **options: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(OutboundError, match="could not be found"):
        await Outbound().get("https://nowhere.example/")


async def test_names_that_are_not_answered_hold_up_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    answered, find = threading.Event(), socket.getaddrinfo

    def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
        if str(host).endswith(".invalid"):
            answered.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "no server of names answers")
        return find(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    async with serving(says(b"here")) as (port, _), asyncio.TaskGroup() as group:
        waiting = [group.create_task(_get(f"http://host{one}.invalid/")) for one in range(20)]
        try:
            assert (await HOME.get(f"http://localhost:{port}/")).text == "here"
            assert await asyncio.to_thread(len, "here") == 4  # as pages are packed, and passwords checked
            assert not any(one.done() for one in waiting)
        finally:
            answered.set()


async def _get(url: str) -> None:
    with pytest.raises(OutboundError, match="could not be found"):
        await HOME.get(url)
