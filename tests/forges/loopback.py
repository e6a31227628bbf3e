"""A forge on loopback: a repository over git's own HTTP, and the API of one of three kinds over what happens to it."""

import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.forges.shapes import APIS, Call
from tests.forges.state import State

SECRET = "a-token-of-tests"
TOKENS = {"github": "GH_ENTERPRISE_TOKEN", "gitlab": "GITLAB_TOKEN", "forgejo": "FORGEJO_TOKEN"}
BACKEND = ["git", "http-backend"]


@dataclass
class Fault:
    """What becomes of the next call of a method to a path that ends so: a status, or no answer after its effect."""

    method: str
    ends: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"message": "no"}'


@dataclass
class LoopbackForge:
    kind: str
    state: State
    web: str  # with the path before its repositories
    calls: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, Authorization
    faults: list[Fault] = field(default_factory=list)

    @property
    def remote(self) -> str:
        return f"{self.web}/{self.state.path}.git"

    @property
    def environment(self) -> dict[str, str]:
        """What a worker is started with, so that it finds this forge and its token."""
        return {"MISSION_CONTROL_FORGES": f"{self.kind}={self.web}", TOKENS[self.kind]: SECRET}

    def opened(self) -> int:
        """How many calls opened a pull request or tried to."""
        return sum(method == "POST" and path.endswith(("/pulls", "/merge_requests")) for method, path, _ in self.calls)


@contextlib.contextmanager
def forge_on_loopback(folder: Path, kind: str, path: str = "shop/web", prefix: str = "") -> Iterator[LoopbackForge]:
    """Serve a forge with a repository that has one commit on `main`."""
    bare = folder / f"{path}.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "-b", "main", str(bare)], check=True)
    state = State(bare, path)
    state.git("config", "http.receivepack", "true")
    tree = state.git("hash-object", "-t", "tree", "-w", "--stdin")
    state.git("update-ref", "refs/heads/main", state.git("commit-tree", tree, "-m", "Begin"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    forge = LoopbackForge(kind, state, f"http://127.0.0.1:{server.server_port}{prefix}")
    server.RequestHandlerClass = type("Handler", (_Handler,), {"forge": forge, "folder": folder, "prefix": prefix})
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield forge
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    forge: LoopbackForge
    folder: Path
    prefix: str
    lock = threading.Lock()
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        content = self._content()
        if ".git/" in self.path:
            self._git(content)
            return
        with self.lock:
            self._api(content)

    do_POST = do_PUT = do_GET  # noqa: N815

    def _api(self, content: bytes) -> None:
        forge, authorization = self.forge, self.headers.get("Authorization", "")
        path = self.path.removeprefix(f"{self.prefix}/")
        forge.calls.append((self.command, path.partition("?")[0], authorization))
        api = APIS[forge.kind](forge.state, forge.web)
        fault = next((one for one in forge.faults if one.method == self.command
                      and path.partition("?")[0].endswith(one.ends)), None)  # fmt: skip
        if fault is not None:
            forge.faults.remove(fault)
        if fault is not None and fault.status:
            self._send(fault.status, fault.body, fault.headers)
        elif authorization != api.TOKEN.format(SECRET):
            self._send(401, b'{"message": "Bad credentials"}', {})
        elif not path.startswith(f"{api.ROOT}/"):
            self._send(404, b"<title>No</title>", {})
        else:
            body = json.loads(content) if content else None
            status, value = api.answer(Call.of(self.command, path.removeprefix(f"{api.ROOT}/"), body))
            if fault is None:
                self._send(status, *self._page(value))
            else:
                self.close_connection = True  # done, and nobody hears of it

    def _page(self, value: Any) -> tuple[bytes, dict[str, str]]:
        if isinstance(value, bytes):
            return value, {"Content-Type": "text/plain"}
        return json.dumps(value).encode(), {"Content-Type": "application/json"}

    def _git(self, content: bytes) -> None:
        path, _, query = self.path.removeprefix(self.prefix).partition("?")
        environment = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(self.folder), "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(content)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }  # fmt: skip
        done = subprocess.run(BACKEND, input=content, env=environment, capture_output=True, check=False)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self._send(int(headers.pop("Status", "200")[:3]), body, headers)

    def _content(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass
