"""An agent in a process of its own: it claims, waits for a word, and then writes as if no time had passed.

`python zombie.py URL BOARD_ID TOKEN`; prints a line of JSON for the claim, and one with the answers to its writes.
"""

import json
import sys
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit


def call(url: str, token: str, method: str, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    sent = {"X-Agent-Token": token, "Content-Type": "application/json", **headers}
    connection.request(method, f"/api/v1/agent/boards{path}", json.dumps(body), sent)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def main(url: str, board: str, token: str) -> None:
    _, claimed = call(url, token, "POST", f"/{board}/claims", {"lease_seconds": 1, "wait_seconds": 30})
    print(json.dumps(claimed), flush=True)
    sys.stdin.readline()
    fence, task = claimed["lease"]["fence"], f"/{board}/tasks/{claimed['task']['id']}"
    writes: list[tuple[str, str, Any]] = [
        ("POST", f"{task}/comments", {"message": "Still at it."}),
        ("PATCH", task, {"status": "done"}),
        ("POST", f"{task}/lease", {"fence": fence, "lease_seconds": 60}),
        ("POST", f"{task}/completions", {"fence": fence, "summary": "Done."}),
        ("DELETE", f"{task}/lease", {"fence": fence, "reason": "Done."}),
    ]
    answers = [call(url, token, *write, **{"X-Task-Fence": str(fence)}) for write in writes]
    print(json.dumps([[status, body.get("detail")] for status, body in answers]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
