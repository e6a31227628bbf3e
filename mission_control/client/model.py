"""A model with a script, on this machine: it has a program call one tool and end, so that nothing is paid.

It speaks Anthropic's Messages, OpenAI's Responses and Gemini's API, as far as programs ask.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mission_control.client import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

SAYS = "Mission Control has looked at this connection."
INPUT, OUTPUT = 1000, 50


class Asked:
    """The address of the model, how often it was asked, whether it knows the tools of the board, and found a text."""

    def __init__(self) -> None:
        self.url, self.times, self.has_tools = "", 0, False
        self.looks_for, self.found = "", False


@contextmanager
def model(tool: str, given: dict[str, Any]) -> Iterator[Asked]:
    """Answer on loopback: first with a call of a tool, then with a sentence."""
    found = Asked()

    class Handler(_Handler):
        call, asked = (tool, given), found

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield found
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    call: tuple[str, dict[str, Any]] = ("", {})
    asked = Asked()

    def do_GET(self) -> None:
        self._send({"data": [], "models": []})

    def do_HEAD(self) -> None:
        self._send({})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        path = self.path.split("?")[0]
        if path.endswith("/count_tokens"):
            self._send({"input_tokens": 1})
            return
        self.asked.times += 1
        text = json.dumps(asked)
        self.asked.found = self.asked.found or (bool(self.asked.looks_for) and self.asked.looks_for in text)
        text = text.replace("-", "_").replace("__", "_")  # Claude Code offers their names alone
        named = ("mcp_mission_control", '"mission_control_')  # opencode says no more than the server
        self.asked.has_tools = self.asked.has_tools or any(one in text for one in named)
        if path.endswith("/messages"):
            self._send(_anthropic(asked, *self.call))
        elif path.endswith("/responses"):
            self._send(_responses(asked, *self.call))
        elif path.endswith((":generateContent", ":streamGenerateContent")):
            answer = _gemini(asked, *self.call)
            self._send([answer] if path.endswith(":streamGenerateContent") else answer)
        else:
            self._send({})

    def _send(self, answer: Any) -> None:
        if isinstance(answer, list):
            kind = "text/event-stream"
            events = (f"event: {one['type']}\n" if "type" in one else "" for one in answer)
            body = "".join(f"{event}data: {json.dumps(one)}\n\n" for event, one in zip(events, answer)).encode()
        else:
            kind, body = "application/json", json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("request-id", f"req_{clock.time_ns()}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def _anthropic(asked: dict[str, Any], tool: str, given: dict[str, Any]) -> Any:
    spoke = any(one["role"] == "assistant" for one in asked["messages"])
    calls = bool(asked.get("tools")) and not spoke
    said: dict[str, Any] = {"type": "text", "text": SAYS if asked.get("tools") else "A look"}
    block = {"type": "tool_use", "id": "toolu_check", "name": tool, "input": given} if calls else said
    ended = {"stop_reason": "tool_use" if calls else "end_turn", "stop_sequence": None}
    usage = {"input_tokens": INPUT, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    whole = {"id": f"msg_{clock.time_ns()}", "type": "message", "role": "assistant", "model": asked["model"]}
    if not asked.get("stream"):
        return {**whole, **ended, "content": [block], "usage": {**usage, "output_tokens": OUTPUT}}
    delta = (
        {"type": "input_json_delta", "partial_json": json.dumps(given)}
        if calls
        else {"type": "text_delta", "text": said["text"]}
    )
    empty = {**block, "input": {}} if calls else {**block, "text": ""}
    begun = {**whole, "stop_reason": None, "stop_sequence": None, "content": [], "usage": {**usage, "output_tokens": 1}}
    return [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": empty},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ended, "usage": {"output_tokens": OUTPUT}},
        {"type": "message_stop"},
    ]


def _responses(asked: dict[str, Any], tool: str, given: dict[str, Any]) -> Any:
    items = asked["input"] if isinstance(asked["input"], list) else []
    spoke = any(one.get("role") == "assistant" or str(one.get("type")).endswith("_call") for one in items)
    item: dict[str, Any]
    if spoke or not asked.get("tools"):
        text = {"type": "output_text", "text": SAYS, "annotations": []}
        item = {"type": "message", "role": "assistant", "id": "msg_check", "status": "completed", "content": [text]}
    else:
        item = {"type": "function_call", "id": "fc_check", "call_id": "call_check", "name": tool, "status": "completed"}
        item["arguments"] = json.dumps(given)
    usage = {
        "input_tokens": INPUT, "output_tokens": OUTPUT, "total_tokens": INPUT + OUTPUT,
        "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0},
    }  # fmt: skip
    whole = {"id": f"resp_{clock.time_ns()}", "object": "response", "model": asked["model"], "usage": usage}
    done = {**whole, "status": "completed", "output": [item]}
    if not asked.get("stream"):
        return done
    return [
        {"type": "response.created", "response": {**whole, "status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": done},
    ]


def _gemini(asked: dict[str, Any], tool: str, given: dict[str, Any]) -> Any:
    spoke = any(one.get("role") == "model" for one in asked["contents"])
    calls = bool(asked.get("tools")) and not spoke
    part = {"functionCall": {"name": tool, "args": given}} if calls else {"text": SAYS}
    usage = {"promptTokenCount": INPUT, "candidatesTokenCount": OUTPUT, "totalTokenCount": INPUT + OUTPUT}
    content = {"role": "model", "parts": [part]}
    return {"candidates": [{"content": content, "finishReason": "STOP", "index": 0}], "usageMetadata": usage}
