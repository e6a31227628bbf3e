"""A model for the agents of a real gateway: an OpenAI-compatible server on loopback that answers by script.

`answer` may be set: it gets a turn and returns a reply, or None for the rules of `by_rule`.
"""

import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

INTERNAL = re.compile(r"<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>.*?<<<END_OPENCLAW_INTERNAL_CONTEXT>>>", re.DOTALL)
RUNTIME = re.compile(r"^Runtime: (?:.*? \| )?agent=(?P<agent>\S+) \| session=(?P<session>\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Reply:
    """What the model says: a text, a command to run, or an HTTP error."""

    text: str = ""
    command: str | None = None
    status: int = 200
    seconds: float = 0.0  # streams the text over so long


@dataclass(frozen=True)
class Turn:
    """What the model is asked."""

    system: str
    user: str  # the last thing that a person or Mission Control said
    unanswered: str  # all that was said since the model's last answer
    results: tuple[str, ...]  # what the commands since then printed
    agent: str
    session: str


@dataclass
class FakeModel:
    """The server. `turns` holds what it was asked, `cut` the moments when the gateway stopped to listen."""

    answer: Callable[[Turn], Reply | None] | None = None
    turns: list[Turn] = field(default_factory=list)
    cut: list[float] = field(default_factory=list)

    def __enter__(self) -> "FakeModel":
        model = self

        class Handler(_Handler):
            def decide(self, turn: Turn) -> Reply:
                model.turns.append(turn)
                chosen = model.answer(turn) if model.answer is not None else None
                return chosen if chosen is not None else by_rule(turn)

            def cut(self) -> None:
                model.cut.append(time.monotonic())

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The base URL for the gateway's configuration."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def asked(self, agent: str) -> list[Turn]:
        """The turns of one agent."""
        return [one for one in self.turns if one.agent == agent]


def by_rule(turn: Turn) -> Reply:
    """`RUN: <command>` runs it and then tells what it printed, `SAY: <text>` says it, `FAIL: <status>` fails."""
    if turn.results:
        return Reply(f"DONE: {turn.results[-1][:400]}")
    if found := re.search(r"\bRUN: (.+)$", turn.user, re.MULTILINE):
        return Reply(command=found[1].strip())
    if found := re.search(r"\bSAY: (.+)$", turn.user, re.MULTILINE):
        return Reply(found[1].strip())
    if found := re.search(r"\bFAIL: (\d{3})", turn.user):
        return Reply(status=int(found[1]))
    return Reply("HEARTBEAT_OK" if "heartbeat" in turn.user.lower() else "NOTED")


def read_turn(body: dict[str, Any]) -> Turn:
    """Read a request. The gateway adds messages of its own after what was said; those are passed over."""
    system, user, results, runtime, unanswered = "", "", [], None, []
    for message in body.get("messages", []):
        text = _text(message.get("content"))
        if message.get("role") == "system":
            system += text
        elif message.get("role") == "tool":
            results.append(text)
        elif message.get("role") == "user":
            runtime = RUNTIME.search(text) or runtime
            if said := INTERNAL.sub("", text).strip():
                user, results = said, []
                unanswered.append(said)
        elif message.get("role") == "assistant":
            unanswered.clear()
    agent, session = (runtime["agent"], runtime["session"]) if runtime else ("", "")
    return Turn(system, user, "\n".join(unanswered), tuple(results), agent, session)


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(_text(one.get("text")) for one in content if isinstance(one, dict))
    return content if isinstance(content, str) else ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def decide(self, turn: Turn) -> Reply:
        raise NotImplementedError

    def cut(self) -> None:
        """Note that the other end closed the connection in the middle of an answer."""

    def log_message(self, *arguments: Any) -> None:
        """Write no log."""

    def do_GET(self) -> None:
        self._json(200, {"object": "list", "data": [{"id": "fake-1", "object": "model", "owned_by": "fake"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        reply = self.decide(read_turn(body))
        if reply.status != 200:
            self._json(reply.status, {"error": {"message": "as the script says", "type": "fake"}})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        about = {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": "chat.completion.chunk", "created": int(time.time())}
        about["model"] = body.get("model", "fake-1")
        try:
            for delta, end in _pieces(reply):
                self._event({**about, "choices": [{"index": 0, "delta": delta, "finish_reason": end}]})
        except ConnectionError:
            self.cut()
            raise
        usage = {"prompt_tokens": 1000, "completion_tokens": 12, "total_tokens": 1012}
        self._event({**about, "choices": [], "usage": usage})
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, value: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(value).encode() + b"\n\n")
        self.wfile.flush()

    def _json(self, status: int, value: dict[str, Any]) -> None:
        raw = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def _pieces(reply: Reply) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Yield a reply as a stream has it: deltas, the last one with the reason why it ends."""
    yield {"role": "assistant", "content": ""}, None
    if reply.command is not None:
        function = {"name": "exec", "arguments": json.dumps({"command": reply.command})}
        call = {"index": 0, "id": f"call_{uuid.uuid4().hex[:12]}", "type": "function", "function": function}
        yield {"tool_calls": [call]}, None
        yield {}, "tool_calls"
        return
    words = re.findall(r"\S+\s*", reply.text) or [""]
    for word in words:
        yield {"content": word}, None
        time.sleep(reply.seconds / len(words))
    yield {}, "stop"
