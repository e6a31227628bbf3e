"""What many open pages and many waiting agents cost a server: `python -m bench.crowds [--against DIR]`.

Every viewer is another person with a session of their own and the same rights, with a board of 200 cards open. For each
number of `--viewers`: processor time of the server for one changed title (the change itself among it), and milliseconds
from sending the change until a viewer has it. Then `--idle` open pages while nothing happens, and `--agents` agents
that wait on their inboxes and ask again when a wait ends: share of a core while nothing happens, what one ended wait
costs, and milliseconds from assigning a task to the answer of the poll that it wakes. With `--next` they wait on
`/agent/next` for ten minutes, and what is woken claims the task. The readers run in this process; the figures are the
server's. DIR is another checkout with a virtual environment in `.venv`.
"""

import argparse
import asyncio
import os
import random
import resource
import secrets
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import cast
from uuid import UUID

import uvloop
from tortoise.transactions import in_transaction

from bench.client import Connection
from bench.data import V1
from bench.measure import percentile
from bench.server import TOKEN, Server, database, served
from mission_control.agents.models import Agent
from mission_control.core import times
from mission_control.core.secrets import load_or_create_secret_key
from mission_control.core.settings import Settings
from mission_control.core.values import fingerprint, new_id
from mission_control.database.records import insert
from mission_control.database.setup import connect, disconnect
from mission_control.http.authentication import SessionCookies
from mission_control.people.models import Member, Session, Token, User
from mission_control.server import installation

ROOT = Path(__file__).resolve().parent.parent
CARDS, CHANGES, WAKES = 200, 20, 60
SHORTEST_NEWS = 200  # bytes; a ping is shorter
STATUSES = ("inbox", "in_progress", "review", "done")
PAUSE_SECONDS = 1.3  # between changes: long enough for whatever is kept for a second to be read anew
AT_ONCE = 32
IDLE_SECONDS = 20.0
QUIET_SECONDS = 3
WAIT_SECONDS, LONG_WAIT_SECONDS = 50, 600
NOTHING = (b'"items":[]', b'"kind":"nothing"')


class Reader(asyncio.Protocol):
    """A connection with one request under way; `got` is called with everything that arrives."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.began: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_waiting = False
        self.seen_at: float | None = None
        self.sizes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass

    def data_received(self, data: bytes) -> None:
        self.sizes += len(data)
        if not self.began.done():
            is_fine = data.startswith(b"HTTP/1.1 200")
            self.began.set_result(None) if is_fine else self.began.set_exception(RuntimeError(repr(data[:300])))
        if self.is_waiting and len(data) >= SHORTEST_NEWS:
            self.is_waiting, self.seen_at = False, time.perf_counter()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.began.done():
            self.began.cancel()

    def send(self, text: str) -> None:
        assert self.transport is not None
        self.transport.write(text.encode())


class Waiter(Reader):
    """An agent that polls its inbox, or asks what is next, and again when a wait ends without anything."""

    def __init__(self, request: str) -> None:
        super().__init__()
        self.request, self.asked, self.answers = request, 0, 0
        self._text = b""
        self.is_stopped = False

    def data_received(self, data: bytes) -> None:
        self._text += data
        if b"}" not in self._text[-4:]:
            return
        if not self._text.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"A wait is answered {self._text[:300]!r}")
        if not any(one in self._text for one in NOTHING):
            self.seen_at, self.is_stopped = time.perf_counter(), True
        closes, self._text, self.answers = b"connection: close" in self._text.lower(), b"", self.answers + 1
        if not self.is_stopped and not closes:
            self.ask()

    def ask(self) -> None:
        self.asked += 1
        self.send(self.request)


async def open_all[R: Reader](server: Server, readers: list[R]) -> None:
    gate, loop = asyncio.Semaphore(AT_ONCE), asyncio.get_running_loop()

    async def open_one(reader: R) -> None:
        async with gate:
            await loop.create_connection(lambda: reader, "127.0.0.1", server.port)

    await asyncio.gather(*map(open_one, readers))


async def crowd(
    folder: Path, url: str, board_id: UUID, people: int, agents: int
) -> tuple[list[str], list[tuple[UUID, str]]]:
    """Put people who may write on every board, and agents of the board, straight into the tables.

    Return the cookies of the people's sessions, and the ids and secrets of the agents.
    """
    settings = Settings.from_environment(
        {"DATA_DIR": str(folder / "data"), "DATABASE_URL": url, "LOCAL_AUTH_TOKEN": TOKEN}
    )
    serializer = SessionCookies.serializer_class(load_or_create_secret_key(settings), "mission control session")
    await connect(settings)
    try:
        [owner] = await Member.all().limit(1)
        now = times.clock_now()
        ends = now + timedelta(days=1)
        cookies, rows, waiting = [], [], []
        for number in range(people):
            user = User(id=new_id(), name=f"Viewer {number}", email=f"viewer{number}@example.org", welcomed_at=now)
            user.active_organization_id = owner.organization_id
            secret = secrets.token_urlsafe(32)
            member = Member(
                id=new_id(), user_id=user.id, organization_id=owner.organization_id, role="member",
                all_boards_read=True, all_boards_write=True,
            )  # fmt: skip
            session = Session(id=new_id(), user_id=user.id, fingerprint=fingerprint(secret), expires_at=ends)
            cookies.append(str(serializer.dumps(secret)))
            rows += [user, member, session]
        for number in range(agents):
            secret = f"mca_{secrets.token_urlsafe(32)}"
            agent = Agent(
                id=new_id(), organization_id=owner.organization_id, board_id=board_id, name=f"Waiter {number:05d}",
                status="online", last_seen_at=now,
            )  # fmt: skip
            token = Token(
                id=new_id(), agent_id=agent.id, prefix="mca_", fingerprint=fingerprint(secret), last_used_at=now
            )
            rows += [agent, token]
            waiting.append((agent.id, secret))
        async with in_transaction():
            for model in (User, Member, Session, Agent, Token):
                some = [one for one in rows if type(one) is model]
                for start in range(0, len(some), 500):
                    await insert(*some[start : start + 500])
    finally:
        await disconnect()
    return cookies, waiting


async def furnished(server: Server) -> tuple[UUID, list[str]]:
    owner = Connection(server.port, server.token)
    rules = {"name": "Crowd", "slug": "crowd", "description": "Measurements", "require_approval_for_done": False}
    board_id = UUID((await owner.json("POST", f"{V1}/boards", rules))["id"])
    tasks = []
    for number in range(CARDS):
        task = {"title": f"Task {number:03d}: write the login page", "status": STATUSES[number * 4 // CARDS]}
        tasks.append((await owner.json("POST", f"{V1}/boards/{board_id}/tasks", task))["id"])
    owner.close()
    return board_id, tasks


async def watch(server: Server, board_id: UUID, cookies: list[str]) -> list[Reader]:
    readers = [Reader() for _ in cookies]
    await open_all(server, readers)
    head = f"GET /boards/{board_id}/live HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nHX-Request: true\r\n"
    for reader, cookie in zip(readers, cookies, strict=True):
        reader.send(f"{head}Accept-Encoding: gzip, deflate, br\r\nCookie: mission_control={cookie}\r\n\r\n")
    await asyncio.gather(*(reader.began for reader in readers))
    return readers


def close_all(readers: list[Reader] | list[Waiter]) -> None:
    for reader in readers:
        if reader.transport is not None:
            reader.transport.abort()


async def settled(server: Server) -> None:
    """Wait until the server has dealt with what was begun: it was quiet for some seconds, however busy the machine."""
    quiet = 0
    for _ in range(600):
        before = server.cpu_seconds()
        await asyncio.sleep(1)
        quiet = quiet + 1 if server.cpu_seconds() - before < 0.05 else 0
        if quiet == QUIET_SECONDS:
            return


async def changes(server: Server, board_id: UUID, task: str, readers: list[Reader], rounds: int) -> str:
    """Change a title again and again, and return what it costs."""
    owner, waited, used = Connection(server.port, server.token), [], []
    await settled(server)
    idle = await idle_share(server, 10)
    before_bytes = readers[0].sizes if readers else 0
    for number in range(rounds):
        await asyncio.sleep(PAUSE_SECONDS)
        title = f"Renamed {len(readers)} {number:04d} {secrets.token_hex(3)}"
        for reader in readers:
            reader.is_waiting, reader.seen_at = True, None
        began, sent = server.cpu_seconds(), time.perf_counter()
        await owner.json("PATCH", f"{V1}/boards/{board_id}/tasks/{task}", {"title": title})
        while missing := [one for one in readers if one.is_waiting]:
            if time.perf_counter() - sent > 30:
                raise RuntimeError(f"{len(missing)} viewers got nothing.")
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        took = time.perf_counter() - sent
        used.append((server.cpu_seconds() - began - idle * took) * 1000)
        waited += [(one.seen_at - sent) * 1000 for one in readers if one.seen_at is not None]
    owner.close()
    size = (readers[0].sizes - before_bytes) / rounds if readers else 0
    return (
        f"{len(readers)} viewers: {percentile(used, 50):.1f} ms of processor time a change"
        f" (least {min(used, default=0):.1f}), change to viewer p50 {percentile(waited, 50):.0f},"
        f" p99 {percentile(waited, 99):.0f} ms, {size:.0f} bytes to each"
    )


async def idle_share(server: Server, seconds: float) -> float:
    before = server.cpu_seconds()
    await asyncio.sleep(seconds)
    return (server.cpu_seconds() - before) / seconds


async def waits(server: Server, board_id: UUID, agents: list[tuple[UUID, str]], *, on_next: bool) -> list[str]:
    """Let agents wait, and return what that costs."""
    waiters = []
    for _, secret in agents:
        head = f"HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nX-Agent-Token: {secret}\r\n"
        if on_next:
            body = f'{{"wait_seconds": {LONG_WAIT_SECONDS}}}'
            kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            waiters.append(Waiter(f"POST {V1}/agent/next {head}{kind}{body}"))
        else:
            waiters.append(Waiter(f"GET {V1}/agent/inbox?wait_seconds={WAIT_SECONDS}&after=0 {head}\r\n"))
    began, cpu = time.perf_counter(), server.cpu_seconds()
    for start in range(0, len(waiters), 50):
        some = waiters[start : start + 50]
        await open_all(server, some)
        for waiter in some:
            waiter.ask()
        await asyncio.sleep(0.1)
    await settled(server)
    lines = [f"{len(waiters)} agents begin to wait: {(server.cpu_seconds() - cpu) * 1000 / len(waiters):.2f} ms each"]
    # Nothing is renewed before 40 seconds are over.
    quiet = max(3.0, min(IDLE_SECONDS, WAIT_SECONDS * 0.8 - (time.perf_counter() - began)))
    answers = sum(one.answers for one in waiters)
    share = await idle_share(server, quiet)
    ended = sum(one.answers for one in waiters) - answers
    lines.append(f"{len(waiters)} agents wait: {share * 100:.2f} % of a core over {quiet:.0f} s, {ended} waits ended")
    woken = await wake(server, board_id, agents, waiters)
    lines.append(f"assignment to the woken poll: p50 {percentile(woken, 50):.0f}, p99 {percentile(woken, 99):.0f} ms")
    if on_next:  # none ends soon
        close_all(waiters)
        return lines
    answers, cpu, began = sum(one.answers for one in waiters), server.cpu_seconds(), time.perf_counter()
    per_second: list[int] = []
    for _ in range(WAIT_SECONDS * 2):
        before = sum(one.answers for one in waiters)
        await asyncio.sleep(1)
        per_second.append(sum(one.answers for one in waiters) - before)
    ended = sum(per_second)
    used, took = server.cpu_seconds() - cpu, time.perf_counter() - began
    lines.append(
        f"renewed: {ended} waits ended in {took:.0f} s, {max(per_second)} in the worst second;"
        f" {used * 1000 / max(1, ended):.2f} ms of processor time each, {used * 100 / took:.1f} % of a core"
    )
    close_all(waiters)
    return lines


async def wake(server: Server, board_id: UUID, agents: list[tuple[UUID, str]], waiters: list[Waiter]) -> list[float]:
    chance, owner, woken = random.Random(5), Connection(server.port, server.token), []
    for place in chance.sample(range(len(waiters)), min(WAKES, len(waiters))):
        await asyncio.sleep(chance.uniform(0.0, 0.1))
        sent = time.perf_counter()
        task = {"title": f"Wake {place}", "assigned_agent_id": str(agents[place][0])}
        await owner.json("POST", f"{V1}/boards/{board_id}/tasks", task)
        while (seen := waiters[place].seen_at) is None:
            if time.perf_counter() - sent > 30:
                raise RuntimeError("A waiting agent was not woken.")
            await asyncio.sleep(0.001)
        woken.append((seen - sent) * 1000)
    owner.close()
    return woken


async def measured(folder: Path, url: str, root: Path, options: argparse.Namespace) -> None:
    """Serve an installation and print what its crowds cost."""
    with served(folder, url, python=root / ".venv/bin/python") as server:
        board_id, tasks = await furnished(server)
        people = max([*options.viewers, options.idle])
        cookies, agents = await crowd(folder, url, board_id, people, options.agents)
        print(f"resident {server.resident_mib():.0f} MiB", flush=True)
        for number in options.viewers:
            readers = await watch(server, board_id, cookies[:number])
            print(await changes(server, board_id, tasks[0], readers, options.changes), flush=True)
            close_all(readers)
        if options.idle:
            readers = await watch(server, board_id, cookies[: options.idle])
            await settled(server)
            share = await idle_share(server, options.seconds)
            print(
                f"{options.idle} idle pages: {share * 100:.2f} % of a core over {options.seconds:.0f} s,"
                f" {server.resident_mib():.0f} MiB",
                flush=True,
            )
            close_all(readers)
            await settled(server)
        if options.agents:
            for line in await waits(server, board_id, agents, on_next=options.next):
                print(line, flush=True)
            print(f"resident {server.resident_mib():.0f} MiB", flush=True)


def _numbers(text: str) -> list[int]:
    return [int(one) for one in text.split(",") if one]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.crowds", description=__doc__)
    parser.add_argument("--against", type=Path, help="another checkout, measured first")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--viewers", type=_numbers, default=[100, 1000])
    parser.add_argument("--idle", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to look at idle pages")
    parser.add_argument("--agents", type=int, default=10_000)
    parser.add_argument("--next", action="store_true", help="they ask what is next instead")
    parser.add_argument("--changes", type=int, default=CHANGES)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    installation.install()
    roots = {"before": options.against.resolve()} if options.against else {}
    for name, root in {**roots, "now": ROOT}.items():
        print(f"{name}: {time.strftime('%F %T')}, {options.database}, load {os.getloadavg()[0]:.1f}", flush=True)
        with tempfile.TemporaryDirectory(prefix="mc-crowds-") as text, database(options.database, Path(text)) as url:
            uvloop.run(measured(Path(text), url, root, options))


if __name__ == "__main__":
    main()
