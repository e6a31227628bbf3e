"""One request of any kind, as scripts make them: `call METHOD PATH [JSON]`.

In path and JSON it fills in {board_id}, {task_id} (of TASK, or the only task that is held) and {agent_id} (of AGENT).
"""

from __future__ import annotations

import json
import os
import re
import sys

from mission_control.client import files
from mission_control.client.fences import ID
from mission_control.client.printing import ESCAPED, as_json
from mission_control.client.problems import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from mission_control.client.tasks import Session

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
TASK = re.compile(r"/tasks/([^/?]+)")
NEEDS_FENCE = re.compile(r"/(completions|lease|parking)(\?|$)")


def call(session: Session, given: Namespace) -> None:
    method, path = given.method.upper(), given.path
    if method not in METHODS:
        raise Usage(f"{given.method} is no method; there are {', '.join(METHODS)}.")
    if not path.startswith("/"):
        raise Usage("The path begins with a slash, such as /api/v1/agent/healthz.")
    body = _body(session, given.body)
    path = _filled(session, path, True)
    match = TASK.search(path)
    task_id = match[1] if match is not None and ID.fullmatch(match[1]) else None
    fence = None
    if method != "GET" and task_id is not None and path.startswith("/api/v1/agent/"):
        needs = NEEDS_FENCE.search(path) is not None
        fence = session.held.held_fence(task_id) if needs else session.held.fence(task_id)
        if needs and (body is None or isinstance(body, dict)):
            body = {"fence": fence, **(body or {})}
    found = session.api.answer(method, path, body, fence=fence, seconds=_seconds(path, body))
    if isinstance(found.value, dict):
        session.held.take(found.value, body.get("lease_seconds") if isinstance(body, dict) else None)
        if task_id is not None and (path.endswith("/completions") or (method == "DELETE" and "/lease" in path)):
            session.held.drop(task_id)
    if given.pick and isinstance(found.value, dict):
        for one in found.value.get("items", [found.value]):
            print(as_json({name.strip(): _picked(one, name) for name in given.pick.split(",")}))
        return
    if found.value is not None:
        print(found.body.decode().translate(ESCAPED))
    elif sys.stdout.isatty():
        print(found.body.decode("utf-8", "replace"))
    else:
        sys.stdout.buffer.write(found.body)
    sys.stdout.flush()


def _body(session: Session, given: str | None) -> Any:
    if given is None:
        return None
    text = files.typed().decode("utf-8", "surrogateescape") if given == "-" else given
    if not text.strip():
        return None
    try:
        return json.loads(_filled(session, text, False))
    except ValueError as error:
        raise Usage(f"The JSON is not valid: {error}.", "invalid_json") from error


def _filled(session: Session, text: str, is_path: bool) -> str:
    if "{board_id}" in text:
        text = text.replace("{board_id}", os.environ.get("BOARD") or session.held.board())
    if "{task_id}" in text:
        text = text.replace("{task_id}", session.held.task(None))
    if "{agent_id}" in text:
        if not os.environ.get("AGENT"):
            raise Usage("Put AGENT=<agent id> in front.")
        text = text.replace("{agent_id}", os.environ["AGENT"])
    if is_path:
        named = TASK.search(text)
        if named is not None and re.fullmatch(r"#?\d{1,9}", named[1]):
            text = text[: named.start(1)] + session.held.task(named[1]) + text[named.end(1) :]
    return text


def _seconds(path: str, body: Any) -> float:
    match = re.search(r"[?&]wait_seconds=(\d{1,4})", path)
    in_body = body.get("wait_seconds") if isinstance(body, dict) else 0
    return max(float(match[1]) if match else 0.0, float(in_body) if isinstance(in_body, int) else 0.0)


def _picked(value: Any, name: str) -> Any:
    first, _, rest = name.strip().partition(".")
    found = value.get(first) if isinstance(value, dict) else None
    if not rest:
        return found
    return [_picked(one, rest) for one in found] if isinstance(found, list) else _picked(found, rest)
