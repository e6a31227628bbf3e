"""Three processes at addresses of their own behind nginx, as on three machines, and what befalls them under load."""

import asyncio
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from mission_control.core.values import new_id
from tests.gateways.real import free_port
from tests.live.scenarios import check_followers, check_whole, database
from tests.live.servers import API, PATIENCE, ROOT, TOKEN, Follower, Installation, Server

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
SETTINGS = {
    "SECRET_KEY": "the-same-secret-key-on-every-machine-of-this-test",
    "TRUSTED_PROXIES": "127.0.0.0/8",
    "MAX_CONNECTIONS_PER_ADDRESS": "10000",
}
OWNER = {"name": "Ada", "email": "ada@example.org", "password": "a long enough password"}
COOKIE = "mission_control"
AGAIN = (502, 503, 504)  # what a proxy or a stopping server answers: the client sends it again


class Proxy:
    """nginx with the configuration of deploy/, on a port of its own."""

    def __init__(self, folder: Path, addresses: list[str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        text = (ROOT / "deploy" / "nginx.conf").read_text()
        servers = "\n".join(f"server {address} max_fails=1 fail_timeout=2s;" for address in addresses)
        text = re.sub(r"server app1:8000.*?\n.*?server app2:8000[^\n]*", servers, text, flags=re.S)
        text = text.replace("listen 8080;", f"listen 127.0.0.1:{self.port};").replace("/tmp/nginx", f"{folder}/nginx")
        self._file = folder / "nginx.conf"
        self._file.write_text(f"daemon off;\n{text.replace('timeout 10s', 'timeout 1s')}")
        self._log = folder / "nginx.log"

    async def __aenter__(self) -> "Proxy":
        assert NGINX is not None
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([NGINX, "-c", str(self._file)], stdout=log, stderr=log)
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient() as client:
            while True:
                with suppress(httpx.TransportError):
                    if (await client.get(f"{self.url}/readyz")).status_code == 200:
                        return self
                assert self._process.poll() is None, self._log.read_text()
                await asyncio.sleep(0.05)

    async def __aexit__(self, *_: object) -> None:
        self._process.terminate()
        await asyncio.to_thread(self._process.wait)

    @property
    def pid(self) -> int:
        """Its process, whose children do the work."""
        return self._process.pid

    def reload(self) -> None:
        assert NGINX is not None
        subprocess.run([NGINX, "-c", str(self._file), "-s", "reload"], check=True, capture_output=True)


@dataclass
class Machines:
    """Processes on one database, each with a folder and an address of its own, and the proxy before them."""

    homes: list[Installation]
    port: int
    servers: list[Server] = field(default_factory=list)
    proxy: Proxy | None = None

    @property
    def url(self) -> str:
        assert self.proxy is not None
        return self.proxy.url

    async def start(self, number: int) -> Server:
        host = f"127.0.0.{number + 1}"
        return await self.homes[number].start("--host", host, port=self.port)

    def client(self, **headers: str) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=None)
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=PATIENCE, limits=limits)


@asynccontextmanager
async def machines(folder: Path, database_url: str, count: int = 3) -> AsyncIterator[Machines]:
    """Start them all at the same moment, on a database that may still be empty."""
    homes = [Installation(folder / f"machine-{one + 1}", database_url, settings=SETTINGS) for one in range(count)]
    for home in homes:
        home.folder.mkdir()
    made = Machines(homes, free_port())
    async with AsyncExitStack() as stack:
        made.servers = list(await asyncio.gather(*(made.start(number) for number in range(count))))
        stack.push_async_callback(_end_all, made)
        addresses = [f"127.0.0.{number + 1}:{made.port}" for number in range(count)]
        made.proxy = await stack.enter_async_context(Proxy(folder, addresses))
        yield made


async def _end_all(made: Machines) -> None:
    await asyncio.gather(*(server.stop() for server in made.servers))


class Page:
    """A person's open board: it reads the page, follows its stream, and reads the page again when told to."""

    def __init__(self, url: str, board: str, cookie: str) -> None:
        self._url, self._board, self._cookie = url, board, cookie
        self.text = ""
        self.cuts, self.faults = 0, Counter[str]()
        self.connected = asyncio.Event()
        self._task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        headers = {"Cookie": f"{COOKIE}={self._cookie}"}
        async with httpx.AsyncClient(base_url=self._url, headers=headers, timeout=PATIENCE) as client:
            stream = ""
            while True:
                with suppress(httpx.TransportError):
                    if not stream:
                        stream = await self._read_page(client)
                    elif await self._read_stream(client, stream):
                        stream = ""
                        continue
                self.connected.clear()
                self.cuts += 1
                await asyncio.sleep(0.1)

    async def _read_page(self, client: httpx.AsyncClient) -> str:
        answer = await client.get(self._board)
        if answer.status_code != 200:
            self.faults[f"page {answer.status_code}"] += answer.status_code not in AGAIN
            return ""
        self.text += answer.text
        found = re.search(r'hx-sse:connect="([^"]+)"', answer.text)
        assert found is not None
        self._last = 0
        return found[1].replace("&amp;", "&")

    async def _read_stream(self, client: httpx.AsyncClient, stream: str) -> bool:
        """Read until it is cut; return whether the page has to be read again."""
        headers = {"Last-Event-ID": str(self._last)} if self._last else {}
        async with client.stream("GET", stream, headers=headers) as response:
            if response.status_code != 200:
                self.faults[f"page stream {response.status_code}"] += response.status_code not in AGAIN
                return False
            self.connected.set()
            async for line in response.aiter_lines():
                if line == "event: resync":
                    return True
                self.faults["signed out"] += line == "event: signed-out"
                if line.startswith("id: "):
                    self._last = int(line[4:])
                elif line.startswith("data: "):
                    self.text += line
        return False

    async def shows(self, title: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while title not in self.text:
                await asyncio.sleep(0.05)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@dataclass
class Load:
    """Agents that claim, comment and finish, people who make tasks; what was acknowledged, and what went wrong."""

    machines: Machines
    board: str
    tokens: list[str]
    tasks: set[str] = field(default_factory=set)
    comments: set[str] = field(default_factory=set)
    finished: set[str] = field(default_factory=set)
    again: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    is_over: bool = False

    async def run(self) -> None:
        await asyncio.gather(*(self._agent(token) for token in self.tokens), *(self._person(n) for n in range(2)))

    async def _agent(self, token: str) -> None:
        claims = f"{API}/agent/boards/{self.board.rpartition('/')[2]}/claims"
        async with self.machines.client(**{"X-Agent-Token": token}) as client:
            while not self.is_over:
                claimed = await self._acknowledged(client, claims, {"wait_seconds": 1})
                if not claimed or claimed["task"] is None:
                    continue
                task, fence = f"{self.board}/tasks/{claimed['task']['id']}", claimed["lease"]["fence"]
                said, summary = f"Half of it. {new_id().hex}", f"Done. {new_id().hex}"
                if await self._acknowledged(client, f"{task}/comments", {"message": said}):
                    self.comments.add(said)
                path = f"{API}/agent/boards/{self.board.rpartition('/')[2]}/tasks/{claimed['task']['id']}/completions"
                if await self._acknowledged(client, path, {"fence": fence, "summary": summary}):
                    self.finished.add(claimed["task"]["id"])
                    self.comments.add(summary)

    async def _person(self, number: int) -> None:
        async with self.machines.client(Authorization=f"Bearer {TOKEN}") as client:
            while not self.is_over:
                title = f"Wave {number} {new_id().hex}"
                if await self._acknowledged(client, f"{self.board}/tasks", {"title": title}):
                    self.tasks.add(title)
                await asyncio.sleep(0.1)

    async def _acknowledged(self, client: httpx.AsyncClient, path: str, body: Any) -> Any:
        """Send a write until it is answered, each time with the same key; what is answered."""
        headers = {"Idempotency-Key": new_id().hex}
        while True:
            try:
                answer = await client.post(path, json=body, headers=headers)
            except httpx.TransportError:
                self.again["cut"] += 1
            else:
                if answer.status_code not in AGAIN:
                    break
                self.again[str(answer.status_code)] += 1
            await asyncio.sleep(0.05)
        if answer.status_code != 200:
            self.faults[f"{path.rpartition('/')[2]} {answer.status_code} {answer.text[:200]}"] += 1
            return None
        return answer.json()

    async def check_kept(self, home: Installation) -> None:
        """What was acknowledged is there, once."""
        titles = Counter(row[0] for row in await database(home, "SELECT title FROM tasks"))
        said = Counter(row[0] for row in await database(home, "SELECT message FROM task_comments"))
        assert not (lost := self.tasks - titles.keys()), f"{len(lost)} tasks lost"
        assert not (lost := self.comments - said.keys()), f"{len(lost)} comments lost"
        assert max(titles.values()) == 1 and max(said.values()) == 1, "something was done twice"
        runs = await database(home, "SELECT task_id, COUNT(*), COUNT(ended_at) FROM task_runs GROUP BY task_id")
        assert all(begun == 1 for _, begun, _ in runs), "a task was handed out twice"
        done = {str(row[0]) for row in await database(home, "SELECT id FROM tasks WHERE status = 'done'")}
        assert not (lost := self.finished - done), f"{len(lost)} results lost"
        assert done == self.finished, "a task was finished that nobody finished"


@dataclass(frozen=True)
class Verdict:
    """What happened; a fault raises AssertionError instead."""

    seconds: float
    acknowledged: int
    sent_again: dict[str, int]
    cuts: int
    events: int


async def play(made: Machines, *, streams: int, pages: int, agents: int, seconds: float) -> Verdict:
    """Kill a process, restart another, reload the proxy under load; nothing is lost, doubled or missed."""
    home = made.homes[0]
    async with made.client(Authorization=f"Bearer {TOKEN}") as owner:
        await _set_up(made)
        body = {"name": "Storm", "slug": "storm", "description": "Waves.", "require_approval_for_done": False}
        board_id = (await owner.post(f"{API}/boards", json=body)).raise_for_status().json()["id"]
        hired = [
            await owner.post(f"{API}/agents", json={"name": f"Star {n}", "board_id": board_id}) for n in range(agents)
        ]
    board = f"{API}/boards/{board_id}"
    load = Load(made, board, [one.raise_for_status().json()["token"] for one in hired])
    cookie = await _signed_in(made)
    followers = [Follower(made.url, f"{board}/tasks/stream", 0) for _ in range(streams)]
    viewers = [Page(made.url, f"/boards/{board_id}", cookie) for _ in range(pages)]
    readers: list[Follower | Page] = [*followers, *viewers]
    began = time.monotonic()
    try:
        await asyncio.gather(*(one.connected.wait() for one in readers))
        working = asyncio.create_task(load.run())
        try:
            await _trouble(made, seconds)
        finally:
            load.is_over = True
            await working
        async with made.client(Authorization=f"Bearer {TOKEN}") as owner:
            (await owner.post(f"{board}/tasks", json={"title": "The last one"})).raise_for_status()
        await check_followers(home, followers)
        await asyncio.gather(*(viewer.shows("The last one") for viewer in viewers))
        await load.check_kept(home)
        await check_whole(home)
        refused = Counter(f"stream {code}" for one in followers for code in one.refused if code not in AGAIN)
        faults = sum((viewer.faults for viewer in viewers), load.faults + refused)
        assert not +faults, dict(+faults)
        for viewer in viewers:
            missed = [title for title in load.tasks if title not in viewer.text]
            assert not missed, f"a page missed {len(missed)} of {len(load.tasks)} tasks"
        [(events,)] = await database(home, "SELECT COUNT(*) FROM events")
        acknowledged = len(load.tasks) + len(load.comments) + len(load.finished)
        cuts = sum(one.cuts for one in readers)
        return Verdict(time.monotonic() - began, acknowledged, dict(load.again), cuts, events)
    finally:
        await asyncio.gather(*(one.close() for one in readers))


async def _trouble(made: Machines, seconds: float) -> None:
    """One process dies, one is restarted, the proxy is reloaded, with load before, between and after."""
    pause = seconds / 4
    await asyncio.sleep(pause)
    await made.servers[1].kill()
    await asyncio.sleep(pause / 2)
    made.servers[1] = await made.start(1)
    await asyncio.sleep(pause / 2)
    assert await made.servers[2].stop() == 0
    made.servers[2] = await made.start(2)
    await asyncio.sleep(pause)
    assert made.proxy is not None
    made.proxy.reload()
    await asyncio.sleep(pause)


async def _set_up(made: Machines) -> None:
    """The first owner, by the code that counts on every machine."""
    async with made.client(Origin=made.url) as client:
        done = await client.post("/setup", data={"code": TOKEN, "organization_name": "Storm", **OWNER})
        assert COOKIE in done.cookies, done.text


async def _signed_in(made: Machines) -> str:
    async with made.client(Origin=made.url) as client:
        done = await client.post("/sign-in", data={"email": OWNER["email"], "password": OWNER["password"]})
        return done.cookies[COOKIE]
