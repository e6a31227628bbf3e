"""An agent. It takes tasks from its board, does them, and hands them in, until people stop it.

BASE_URL=http://127.0.0.1:8000 TOKEN=mca_... python worker.py [--until-empty]
"""

import os
import sys
import time
from typing import Any
from uuid import uuid4

import httpx

WAIT = 0 if "--until-empty" in sys.argv else 600
PASSING = ("_paused", "budget_exhausted", "lease_lost", "_already_claimed", "_claimable")  # It goes on after these.
agent = httpx.Client(base_url=f"{os.environ['BASE_URL']}/api/v1/agent", timeout=60)
agent.headers["X-Agent-Token"] = os.environ["TOKEN"]


def work(found: dict[str, Any]) -> str:
    """Do the task and say what came of it. This is where your agent goes; `found` has all that is known about it."""
    return f"I looked at “{found['task']['title']}” and did it."


def call(method: str, path: str, **body: Any) -> Any:
    """Ask Mission Control for something; a refusal says why in `detail`. While nobody answers, ask again."""
    key = {"Idempotency-Key": str(uuid4())}  # What was done, and only its answer lost, is not done twice.
    while True:
        try:
            answer = agent.request(method, path, json=body or None, headers=key)
            break
        except httpx.TransportError as problem:
            print(f"{problem} Again in 2 s.", file=sys.stderr)
            time.sleep(2)
    if answer.is_error and not any(code in answer.text for code in PASSING):
        raise SystemExit(f"{answer.status_code} {answer.text}")
    return answer.json()


board = f"/boards/{call('GET', '/healthz')['board_id']}"
known, after_start = "continue", True  # What this program holds from before it died comes first.
while known != "stop":
    wanted = {"wait_seconds": WAIT, "known": known, "after_start": after_start}
    found = call("POST", "/next", **wanted, keep_alive=True, lease_seconds=3600)
    known, after_start = found.get("directive", known), False
    print(found.get("text") or found)
    if found.get("task"):
        path, fence = f"{board}/tasks/{found['task']['id']}", found["lease"]["fence"]
        try:
            summary = work(found)
        except Exception as problem:
            call("DELETE", f"{path}/lease", fence=fence, reason=f"I could not do it: {problem}")
        else:
            call("POST", f"{path}/completions", fence=fence, summary=summary, checked="I read the task again.")
    elif not WAIT and found.get("kind") == "nothing":
        break
