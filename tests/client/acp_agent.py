"""An agent of the Agent Client Protocol, which does what its prompts say: a line `do: WORD ...` each.

plan, write FILE TEXT, ask COMMAND, call COMMAND, say TEXT, sleep SECONDS, child, crash, garbage, hang, refuse TIMES
ERROR. Without such a line it writes a file. It keeps its sessions in ACP_SESSIONS, and plays them again when one is
loaded.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

KEPT = Path(os.environ["ACP_SESSIONS"])
answers: dict[int, Any] = {}
came, writing = threading.Condition(), threading.Lock()
cancelled = threading.Event()
turns: set[Any] = set()
sent = steps = 0


def step() -> None:
    """Die at the step that ACP_DIES says, once."""
    global steps
    steps += 1
    if steps == int(os.environ.get("ACP_DIES", "0")) and not (KEPT / "died").exists():
        (KEPT / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)


def send(message: dict[str, Any]) -> None:
    step()
    with writing:
        print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def update(session: str, what: str, **fields: Any) -> None:
    send({"method": "session/update", "params": {"sessionId": session, "update": {"sessionUpdate": what, **fields}}})
    if what.startswith("tool_call"):
        with (KEPT / session).open("a") as file:
            file.write(json.dumps({"sessionUpdate": what, **fields}) + "\n")


def asked(session: str, call: dict[str, Any]) -> str:
    global sent
    sent += 1
    number = 1_000 + sent
    options = [{"optionId": one, "kind": one, "name": one} for one in ("allow_always", "allow_once", "reject_once")]
    params = {"sessionId": session, "toolCall": call, "options": options}
    send({"id": number, "method": "session/request_permission", "params": params})
    with came:
        while number not in answers:
            came.wait(1)
    return str(answers.pop(number)["outcome"].get("optionId", "cancelled"))


def run(session: str, command: str, number: str, *, asks: bool) -> None:
    call = {"toolCallId": number, "title": command, "kind": "execute", "rawInput": {"command": command}}
    update(session, "tool_call", status="pending", **call)
    if asks and asked(session, call) != "allow_once":
        update(session, "tool_call_update", toolCallId=number, status="failed")
        return
    update(session, "tool_call_update", toolCallId=number, status="in_progress")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    content = [{"type": "content", "content": {"type": "text", "text": done.stdout}}]
    end = {"metadata": {"exit": done.returncode}}
    update(session, "tool_call_update", toolCallId=number, status="completed", content=content, rawOutput=end)


class RefusedError(Exception):
    """The turn is answered with this error, as JSON."""


def refusals() -> int:
    return len((KEPT / "refusals").read_text().splitlines()) if (KEPT / "refusals").exists() else 0


def do(session: str, word: str, rest: str, number: str) -> None:
    if word == "plan":
        steps = [{"content": one, "status": "in_progress", "priority": "high"} for one in rest.split(",")]
        update(session, "plan", entries=steps)
    elif word == "write":
        name, _, text = rest.partition(" ")
        given = {"path": name, "oldText": None, "newText": text}
        update(session, "tool_call", toolCallId=number, title=name, kind="edit", content=[{"type": "diff", **given}])
        with Path(name).open("a") as file:
            file.write(text + "\n")
        update(session, "tool_call_update", toolCallId=number, status="completed")
    elif word in ("ask", "call"):
        run(session, rest, number, asks=word == "ask")
    elif word == "say":
        update(session, "agent_message_chunk", content={"type": "text", "text": rest})
    elif word == "sleep":
        cancelled.wait(float(rest))
    elif word == "child":
        subprocess.Popen(["sleep", "1000"], start_new_session=True)
    elif word == "crash" and not (KEPT / "crashed").exists():
        (KEPT / "crashed").touch()
        os._exit(7)
    elif word == "garbage":
        print("this is no JSON\n[1, 2]\n{}", flush=True)
    elif word == "hang":
        time.sleep(1000)
    elif word == "refuse" and refusals() < int(rest.partition(" ")[0]):
        with (KEPT / "refusals").open("a") as file:
            file.write("refused\n")
        raise RefusedError(rest.partition(" ")[2])


def turn(number: int, session: str, text: str) -> None:
    steps = [line[3:].strip().partition(" ") for line in text.splitlines() if line.startswith("do:")]
    with (KEPT / "prompts").open("a") as file:
        file.write(json.dumps(text) + "\n")
    try:
        for place, (word, _, rest) in enumerate(steps or [("write", "", "work.txt done")]):
            if not cancelled.is_set():
                do(session, word, rest, f"call-{time.monotonic_ns()}-{place}")
    except RefusedError as refused:
        turns.remove(number)
        send({"id": number, "error": json.loads(str(refused))})
        return
    update(session, "usage_update", used=100, size=1000, cost={"amount": 0.25, "currency": "USD"})
    used = {"inputTokens": 100, "cachedReadTokens": 20, "outputTokens": 10}
    reason = "cancelled" if cancelled.is_set() else "end_turn"
    turns.remove(number)
    send({"id": number, "result": {"stopReason": reason, "usage": used}})


def fault(_: object) -> None:
    os._exit(9)


def heard(message: dict[str, Any]) -> None:
    method, number, params = message.get("method"), message.get("id"), message.get("params") or {}
    if method is None:
        with came:
            answers[message["id"]] = message.get("result") or {}
            came.notify_all()
    elif method == "initialize":
        able = {"loadSession": True, "mcpCapabilities": {"http": True}}
        info = {"name": "pretender", "version": "1"}
        meta = {"steering": {"supported": True}} if os.environ.get("ACP_STEERS") else {}
        result = {"protocolVersion": 1, "agentCapabilities": able, "agentInfo": info, "_meta": meta}
        send({"id": number, "result": result})
    elif method == "session/new":
        session = f"session-{time.monotonic_ns()}"
        (KEPT / session).touch()
        send({"id": number, "result": {"sessionId": session}})
    elif method == "session/load":
        for line in (KEPT / params["sessionId"]).read_text().splitlines():
            send({"method": "session/update", "params": {**params, "update": json.loads(line)}})
        send({"id": number, "result": {}})
    elif method == "session/prompt":
        cancelled.clear()
        text = params["prompt"][0]["text"]
        turns.add(number)
        threading.Thread(target=turn, args=(number, params["sessionId"], text), daemon=True).start()
    elif method == "session/cancel":
        cancelled.set()
    elif method == "_session/steering" and turns:
        with (KEPT / "steered").open("a") as file:
            file.write(params["prompt"][0]["text"] + "\n")
        send({"id": number, "result": {"outcome": "injected"}})
    elif method == "_session/steering":
        send({"id": number, "result": {"outcome": "promptRequired", "reason": "noRunningTurn"}})
    elif number is not None:
        send({"id": number, "result": {}})


threading.excepthook = fault
for line in sys.stdin:
    step()
    heard(json.loads(line))
