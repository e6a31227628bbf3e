"""What the agent holds, with the fence of each, so that nobody has to type it: kept for its own user alone."""

from __future__ import annotations

import binascii
import contextlib
import json
import os
import re

from mission_control.client import files
from mission_control.client.api import query
from mission_control.client.problems import Nothing, Problem, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mission_control.client.api import Api

NUMBER = re.compile(r"#?(\d{1,9})")
ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
LEASE_SECONDS = 3600


def _is_ours(kept: Any) -> bool:
    tasks = kept.get("tasks", {}) if isinstance(kept, dict) else None
    return isinstance(tasks, dict) and all(
        isinstance(one, dict) and isinstance(one.get("fence"), int) and "number" in one for one in tasks.values()
    )


class Held:
    """The tasks of an agent on this machine. What is not known here, the server is asked for."""

    def __init__(self, api: Api) -> None:
        self._api = api
        mark = f"{binascii.crc32(f'{api.connection.url} {api.connection.token}'.encode()):08x}"
        self._path = os.path.join(files.folder_of("XDG_STATE_HOME", "~/.local/state"), f"agent-{mark}.json")
        self._kept: dict[str, Any] = {}
        try:
            with open(self._path, encoding="utf-8") as file:
                kept = json.load(file)
            self._kept = kept if _is_ours(kept) else {}
        except (OSError, ValueError):
            pass

    @property
    def tasks(self) -> dict[str, Any]:
        found: dict[str, Any] = self._kept.setdefault("tasks", {})
        return found

    @property
    def working(self) -> list[str]:
        return [task_id for task_id, kept in self.tasks.items() if not kept.get("waits")]

    @property
    def known(self) -> str:
        return str(self._kept.get("known", "continue"))

    def board(self) -> str:
        found = self._api.connection.board_id or os.environ.get("BOARD", "") or self._kept.get("board")
        if not found:
            found = self._api.call("GET", "/api/v1/agent/healthz")["board_id"]
            if found is None:
                raise Problem("This agent belongs to no board. Name one: BOARD=<id> in front.", "no_board")
            self._kept["board"] = found
            self._save()
        return str(found)

    def take(self, answer: Any, lease_seconds: int | None = None) -> None:
        """Remember what an answer says about the agent's work."""
        if not isinstance(answer, dict):
            return
        task, lease = answer.get("task"), answer.get("lease")
        if isinstance(task, dict) and isinstance(lease, dict):
            kept = self.tasks.get(task["id"], {})
            seconds = lease_seconds or kept.get("lease_seconds")
            self.tasks[task["id"]] = {
                "number": task["number"], "title": task["title"], "fence": lease["fence"], "lease_seconds": seconds
            }  # fmt: skip
            self._kept["board"] = task["board_id"]
        if answer.get("directive") in ("continue", "pause", "stop"):
            self._kept["known"] = answer["directive"]
        self._save()

    def park(self, task_id: str) -> None:
        if task_id in self.tasks:
            self.tasks[task_id]["waits"] = True
            self._save()

    def drop(self, task_id: str) -> None:
        """Forget a task: it was handed in, given back, or is somebody else's."""
        if self.tasks.pop(task_id, None) is not None:
            self._save()

    def fence(self, task_id: str) -> int | None:
        if given := os.environ.get("FENCE", ""):
            if not (given.isascii() and given.isdigit()):
                raise Usage("FENCE is a number.")
            return int(given)
        kept = self.tasks.get(task_id)
        if kept is None:
            self.look()
            kept = self.tasks.get(task_id)
        return None if kept is None else int(kept["fence"])

    def held_fence(self, task_id: str) -> int:
        found = self.fence(task_id)
        if found is None:
            raise Problem("You do not hold this task. `claim` it first.", "fence_missing")
        return found

    def look(self) -> dict[str, Any]:
        """Ask the server what the agent holds, and remember what is not known yet."""
        found: dict[str, Any] = self._api.call("POST", "/api/v1/agent/next", {"kinds": []})
        held = found.get("held") or []
        for one in held:
            about = {"number": one["number"], "title": one["title"], "fence": one["fence"]}
            self.tasks.setdefault(one["task_id"], about)["waits"] = one["state"] != "working"
        for gone in set(self.tasks) - {one["task_id"] for one in held}:
            del self.tasks[gone]
        self._save()
        return found

    def task(self, named: str | None) -> str:
        """Return the id of a task by its id or number; without one, of the only task that the agent holds."""
        named = named or os.environ.get("TASK", "")
        if not named:
            return self._only()
        if ID.fullmatch(named):
            return named.lower()
        match = NUMBER.fullmatch(named.strip())
        if match is None:
            raise Usage(f"{named!r} is no task. Write its number, such as 12 or #12.")
        number = int(match[1])
        for task_id, kept in self.tasks.items():
            if kept.get("number") == number:
                return task_id
        listed = f"/api/v1/agent/boards/{self.board()}/tasks"
        words = {"q": f"#{number}", "limit": 200, "archived": "true"}
        found = self._api.call("GET", listed + query(**words))["items"]
        for one in found:
            if one["number"] == number:
                return str(one["id"])
        raise Problem(f"There is no task #{number} on your board.", "not_found")

    def _only(self) -> str:
        if len(self.working) != 1:
            self.look()
        found = self.working or list(self.tasks)
        if not found:
            raise Nothing("You hold no task. `claim` takes one; or name a task by its number.", "no_task")
        if len(found) > 1:
            listed = ", ".join(f"#{self.tasks[one]['number']}" for one in found)
            raise Usage(f"You hold {listed}: say which one.", "which_task")
        return found[0]

    def _save(self) -> None:
        with contextlib.suppress(OSError):  # such as in a sandbox: the server knows it too
            files.write(self._path, json.dumps(self._kept).encode())
