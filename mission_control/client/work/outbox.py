"""What has to reach the server whatever happens: on disk before it is sent, sent again until it is answered."""

from __future__ import annotations

import json
import os

from mission_control.client import files
from mission_control.client.problems import Busy, NotSignedIn, Problem, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mission_control.client.api import Api

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
SUFFIX = ".json"


class Outbox:
    """The requests of one task that have to arrive, in their order."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        try:
            found = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        return sorted(name for name in found if name.endswith(SUFFIX))

    def put(self, name: str, method: str, path: str, body: dict[str, Any], fence: int | None = None) -> None:
        """Keep a request. One of the same name is replaced, with a key of its own."""
        entry = {"method": method, "path": path, "body": body, "fence": fence, "key": os.urandom(12).hex()}
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        files.write(os.path.join(self.folder, name + SUFFIX), json.dumps(entry).encode())

    def read(self, name: str) -> dict[str, Any]:
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            found: dict[str, Any] = json.load(file)
        return found

    def drop(self, name: str) -> None:
        files.remove(os.path.join(self.folder, name))

    def send(self, api: Api, pause: Callable[[float, str], None], refused: Callable[[str, Problem], None]) -> None:
        """Send all that waits. While the server is away, `pause` is called, which may raise; `refused` decides else."""
        seconds = FIRST_PAUSE
        while names := self.names():
            entry = self.read(names[0])
            try:
                api.call(entry["method"], entry["path"], entry["body"], fence=entry["fence"], key=entry["key"])
            except (Unreachable, Busy, NotSignedIn) as problem:
                pause(seconds, problem.text)
                seconds = min(seconds * 2, LONGEST_PAUSE)
                continue
            except Problem as problem:
                if problem.code in SERVERS:
                    pause(seconds, problem.text)
                    seconds = min(seconds * 2, LONGEST_PAUSE)
                    continue
                refused(names[0], problem)
            else:
                self.drop(names[0])
            seconds = FIRST_PAUSE


# Refusals that say nothing about the request: the fault is the server's, or the network's.
SERVERS = ("internal_error", "request_timeout")
