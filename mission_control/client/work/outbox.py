"""What has to reach the server whatever happens: on disk before it is sent, sent again until it is answered."""

from __future__ import annotations

import json
import os

from mission_control.client import files
from mission_control.client.problems import Busy, NotSignedIn, Problem, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mission_control.client.api import Api
    from mission_control.client.shapes import Request, Values


FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
SUFFIX = ".json"


class Outbox:
    """The requests of one task that have to arrive, in their order."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        stored = os.listdir(self.folder) if os.path.isdir(self.folder) else ()
        return sorted(name[: -len(SUFFIX)] for name in stored if name.endswith(SUFFIX))

    def put(self, name: str, method: str, path: str, body: Values, fence: int | None = None) -> None:
        """Store a request. One of the same name is replaced, with a key of its own."""
        request = {"method": method, "path": path, "body": body, "fence": fence, "key": os.urandom(12).hex()}
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        files.write(self._path(name), json.dumps(request).encode())

    def read(self, name: str) -> Request:
        with open(self._path(name), encoding="utf-8") as file:
            request: Request = json.load(file)
        return request

    def drop(self, name: str) -> None:
        files.remove(self._path(name))

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name + SUFFIX)

    def send(self, api: Api, pause: Callable[[float, str], None], refused: Callable[[str, Problem], None]) -> None:
        """Send all that waits. While the server is away, `pause` is called, which may raise; `refused` decides else."""
        seconds = FIRST_PAUSE
        while names := self.names():
            request = self.read(names[0])
            try:
                api.call(
                    request["method"], request["path"], request["body"], fence=request["fence"], key=request["key"]
                )
            except Problem as problem:
                if isinstance(problem, (Unreachable, Busy, NotSignedIn)) or problem.code in SERVERS:
                    pause(seconds, problem.text)
                    seconds = min(seconds * 2, LONGEST_PAUSE)
                    continue
                refused(names[0], problem)
            else:
                self.drop(names[0])
            seconds = FIRST_PAUSE


# Refusals that say nothing about the request: the fault is the server's, or the network's.
SERVERS = ("internal_error", "request_timeout")
