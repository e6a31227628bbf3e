"""An agent. It takes tasks from its board, does them, and hands them in, until people stop it.

BASE_URL=http://127.0.0.1:8000 TOKEN=mca_... python worker.py [--until-empty]
"""

import os
import sys
import time
from typing import Any

import httpx

WAIT = 0 if "--until-empty" in sys.argv else 50
PASSING = ("_paused", "budget_exhausted", "lease_lost")  # After these refusals the heartbeat says how to go on.
agent = httpx.Client(base_url=f"{os.environ['BASE_URL']}/api/v1/agent", timeout=60)
agent.headers["X-Agent-Token"] = os.environ["TOKEN"]


def work(task: dict[str, Any]) -> str:
    """Do the task and say what came of it. This is where your agent goes."""
    return f"I looked at “{task['title']}” and did it."


def call(method: str, path: str, **body: Any) -> Any:
    """Ask Mission Control for something; a refusal says why in `detail`. While nobody answers, ask again."""
    while True:
        try:
            answer = agent.request(method, path, json=body or None)
            break
        except httpx.TransportError as problem:
            print(f"{problem} Again in 2 s.", file=sys.stderr)
            time.sleep(2)
    if answer.is_error and not any(code in answer.text for code in PASSING):
        raise SystemExit(f"{answer.status_code} {answer.text}")
    return answer.json()


board = f"/boards/{call('GET', '/healthz')['board_id']}"
while (directive := call("POST", "/heartbeat")["directive"]) != "stop":
    if directive == "pause":
        time.sleep(60)
        continue
    claim = call("POST", f"{board}/claims", wait_seconds=WAIT, lease_seconds=3600)
    if claim.get("task"):
        path, fence = f"{board}/tasks/{claim['task']['id']}", claim["lease"]["fence"]
        try:
            summary = work(claim["task"])
        except Exception as problem:
            call("DELETE", f"{path}/lease", fence=fence, reason=f"I could not do it: {problem}")
        else:
            call("POST", f"{path}/completions", fence=fence, summary=summary)
    elif not WAIT:
        break
