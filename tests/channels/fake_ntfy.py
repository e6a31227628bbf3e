"""ntfy on the loopback: published messages, and a phone that presses their buttons."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from quart import Quart, request


async def _post(url: str, headers: dict[str, str]) -> int:
    async with httpx.AsyncClient() as phone:
        return (await phone.post(url, headers=headers)).status_code


@dataclass
class FakeNtfy:
    """`messages` in their order; `status` other than 200 refuses the next ones. `is_open`: anybody reads the topics."""

    token: str = "tk_tests"
    messages: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    is_open: bool = False
    sends: Callable[[str, dict[str, str]], Awaitable[int]] = field(default=_post)

    @property
    def shown(self) -> dict[str, dict[str, Any]]:
        """What a phone shows: the newest message of each sequence."""
        return {one["sequence_id"]: one for one in self.messages}

    def labels(self, number: int) -> list[str]:
        """The buttons of a message."""
        return [one["label"] for one in self.messages[number]["actions"]]

    async def press(self, number: int, label: str) -> int:
        """Press a button of a message; only `http` buttons send something."""
        action = next(one for one in self.messages[number]["actions"] if one["label"] == label)
        if action["action"] != "http":
            return 0
        return await self.sends(action["url"], action.get("headers", {}))

    def _problem(self, sent: dict[str, Any]) -> tuple[dict[str, Any], int] | None:
        if request.headers.get("Authorization") != f"Bearer {self.token}" and not self.is_open:
            return {"code": 40301, "http": 403, "error": "forbidden"}, 403
        if self.status == 429:
            return {"code": 42901, "http": 429, "error": "limit reached: too many requests"}, 429
        if self.status != 200:
            return {"code": 50001, "http": self.status, "error": "internal server error"}, self.status
        if len(sent.get("actions", [])) > 3 or not all(
            one["label"] and one["url"].startswith("http") for one in sent.get("actions", [])
        ):
            return {"code": 40018, "http": 400, "error": "invalid request: actions invalid"}, 400
        if len(sent["message"].encode()) > 4096 or len(sent["title"].encode()) > 1024:
            return {"code": 40057, "http": 400, "error": "invalid request: title or message too long"}, 400
        if not re.fullmatch(r"[-_A-Za-z0-9]{1,64}", sent["sequence_id"]):
            return {"code": 40049, "http": 400, "error": "invalid request: sequence ID invalid"}, 400
        return None

    @property
    def app(self) -> Quart:
        """The provider."""
        app = Quart("ntfy")

        @app.get("/<topic>/auth")
        async def auth(topic: str) -> Any:
            allowed = self.is_open or request.headers.get("Authorization") == f"Bearer {self.token}"
            return {"success": True} if allowed else ({"code": 40301, "http": 403, "error": "forbidden"}, 403)

        @app.post("/")
        async def publish() -> Any:
            sent = await request.get_json()
            if (problem := self._problem(sent)) is not None:
                return problem
            self.messages.append(sent)
            return {"id": f"m{len(self.messages)}", "event": "message", "topic": sent["topic"]}

        return app
