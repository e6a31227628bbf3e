"""What programs that `work` runs used, as they tell it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from mission_control.client.work.usage import Messages

PAGES: dict[str, Any] = {}


class Kept(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps(PAGES.get(self.path, [])).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Write no log."""


@contextmanager
def keeping() -> Iterator[Messages]:
    """An opencode that serves its sessions."""
    messages, PAGES["known"] = Messages(), []
    server = ThreadingHTTPServer(("127.0.0.1", messages.port), Kept)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield messages
    finally:
        server.shutdown()
        server.server_close()
        PAGES.clear()


def said(number: str, taken: int, *, is_over: bool = True, **more: Any) -> dict[str, Any]:
    tokens = {"input": taken, "output": 20, "reasoning": 3, "cache": {"read": 100, "write": 7}}
    info = {"id": number, "role": "assistant", "modelID": "fake-1", "cost": 0.25, "tokens": tokens, **more}
    return {"info": info | {"time": {"created": 1, **({"completed": 2} if is_over else {})}}, "parts": []}


def test_each_request_of_opencode_and_its_helpers_is_told_once() -> None:
    with keeping() as messages:
        PAGES["/session/one/message"] = [{"info": {"id": "u", "role": "user"}}, said("a", 5), said("b", 6)]
        PAGES["/session/one/children"] = [{"id": "helper"}]
        PAGES["/session/helper/message"] = [said("c", 7), said("d", 8, is_over=False), {"info": None}, 7]
        found = messages.new_usage("one")
        assert found[0] == {
            "key": "oc:a", "source": "acp", "input_tokens": 112, "output_tokens": 23, "cached_tokens": 100,
            "written_tokens": 7, "cost_usd": 0.25, "model": "fake-1",
        }  # fmt: skip
        assert [one["input_tokens"] for one in found] == [112, 113, 114]
        PAGES["/session/helper/message"].append(said("d", 8))
        assert [one["key"] for one in messages.new_usage("one")] == ["oc:d"]
    assert messages.new_usage("one") == [], "it has ended"
