"""Slack on the loopback: posts, edits, people who press and write, over signed requests or over a socket."""

import asyncio
import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from quart import Quart, request, websocket

WITHOUT_JSON = ("users.info",)


@dataclass
class FakeSlack:
    """`messages` by channel and ts. `fails` are the next answers of the API: an error's name, or seconds to wait."""

    signing_secret: str = "8f742231b10e8888abcd99yyyzzz85a5"
    bot_token: str = "xoxb-tests"
    app_token: str = "xapp-tests"
    messages: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    fails: list[str | int] = field(default_factory=list)
    is_down: bool = False
    calls: list[str] = field(default_factory=list)
    responses: list[dict[str, Any]] = field(default_factory=list)  # what came to response_url
    acknowledged: set[str] = field(default_factory=set)
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    _sockets: list[asyncio.Queue[dict[str, Any]]] = field(default_factory=list)
    _number: int = 0

    def signed(self, body: str, at: float) -> dict[str, str]:
        """The headers of a request that Slack sends at a moment."""
        moment = str(int(at))
        code = hmac.new(self.signing_secret.encode(), f"v0:{moment}:{body}".encode(), hashlib.sha256).hexdigest()
        kind = "application/json" if body.startswith("{") else "application/x-www-form-urlencoded"
        return {"Content-Type": kind, "X-Slack-Request-Timestamp": moment, "X-Slack-Signature": f"v0={code}"}

    def buttons(self, key: tuple[str, str]) -> list[dict[str, Any]]:
        """The buttons of a message, with that which opens it."""
        blocks = self.messages[key].get("blocks", [])
        return [one for block in blocks if block["type"] == "actions" for one in block["elements"]]

    def press(self, url: str, key: tuple[str, str], number: int, user: str, team: str = "T1") -> dict[str, Any]:
        """What Slack sends for a press."""
        return {
            "type": "block_actions",
            "team": {"id": team, "domain": "tests"},
            "user": {"id": user, "username": user.lower(), "team_id": team},
            "container": {"type": "message", "message_ts": key[1], "channel_id": key[0], "is_ephemeral": False},
            "channel": {"id": key[0]},
            "response_url": f"{url}/response/{key[1]}",
            "trigger_id": "1.2.3",
            "actions": [{**self.buttons(key)[number], "block_id": "b", "action_ts": "1700000001.1"}],
        }

    @staticmethod
    def form(payload: dict[str, Any]) -> str:
        """The body of a request for a press."""
        return urlencode({"payload": json.dumps(payload)})

    @staticmethod
    def said(user: str, text: str, team: str = "T1", **more: Any) -> dict[str, Any]:
        """What Slack sends when somebody writes to the app in private."""
        event = {"type": "message", "channel": f"D{user}", "channel_type": "im", "user": user, "text": text, **more}
        return {"type": "event_callback", "team_id": team, "event_id": "Ev1", "event": event}

    async def by_socket(self, kind: str, payload: dict[str, Any]) -> str:
        """Send an envelope to who listens; return its id."""
        self._number += 1
        envelope = f"envelope-{self._number}"
        for queue in self._sockets:
            await queue.put({"type": kind, "envelope_id": envelope, "payload": payload})
        return envelope

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell who listens that the socket ends."""
        for queue in self._sockets:
            await queue.put({"type": "disconnect", "reason": reason})

    async def close_sockets(self) -> None:
        """End the connections of who listens, without a word."""
        for queue in self._sockets:
            await queue.put({})

    def _refusal(self, method: str) -> Any:
        token = self.app_token if method == "apps.connections.open" else self.bot_token
        if self.is_down:
            return "upstream connect error", 503
        if request.headers.get("Authorization") != f"Bearer {token}":
            return {"ok": False, "error": "invalid_auth"}
        if method in WITHOUT_JSON and "json" in request.headers.get("Content-Type", ""):
            return {"ok": False, "error": "invalid_arguments"}
        if self.fails:
            fault = self.fails.pop(0)
            if isinstance(fault, int):
                return {"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(fault)}
            return {"ok": False, "error": fault}
        return None

    async def _answer(self, method: str) -> Any:
        self.calls.append(method)
        if (refusal := self._refusal(method)) is not None:
            return refusal
        if method == "auth.test":
            return {"ok": True, "team_id": "T1", "team": "Observatory", "user": "mission", "user_id": "UBOT"}
        if method == "apps.connections.open":
            return {"ok": True, "url": f"ws://{request.host}/socket?ticket=1"}
        if method == "users.info":
            user = request.args["user"]
            return {"ok": True, "user": {"id": user, "name": user.lower(), "real_name": f"{user} Lovelace"}}
        sent = await request.get_json()
        if (problem := problem_of(sent)) is not None:
            return {"ok": False, "error": problem}
        if method == "chat.postMessage":
            self._number += 1
            key = (sent["channel"], f"1700000000.{self._number:06}")
            self.messages[key] = sent
            return {"ok": True, "channel": key[0], "ts": key[1]}
        key = (sent["channel"], sent["ts"])
        if key not in self.messages:
            return {"ok": False, "error": "message_not_found"}
        self.messages[key] = {**self.messages[key], **sent}
        return {"ok": True, "channel": key[0], "ts": key[1]}

    @property
    def app(self) -> Quart:
        """The provider."""
        app = Quart("slack")
        app.route("/api/<method>", methods=["GET", "POST"])(self._answer)

        @app.post("/response/<ts>")
        async def response(ts: str) -> str:
            self.responses.append(await request.get_json())
            return "ok"

        @app.websocket("/socket")
        async def socket() -> None:
            queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
            self._sockets.append(queue)
            await websocket.send_json({"type": "hello", "num_connections": len(self._sockets)})
            self.connected.set()

            async def receive() -> None:
                while True:
                    self.acknowledged.add((await websocket.receive_json())["envelope_id"])

            receiving = asyncio.ensure_future(receive())
            try:
                while sent := await queue.get():
                    await websocket.send_json(sent)
                    if sent["type"] == "disconnect":
                        self.connected.clear()
                        return
            finally:
                receiving.cancel()
                self._sockets.remove(queue)
                if not self._sockets:
                    self.connected.clear()

        return app


def problem_of(sent: dict[str, Any]) -> str | None:
    """What Slack has against a message."""
    if re.search(r"[<>]|&(?!amp;|lt;|gt;)", str(sent.get("text", ""))):
        return "tests: markup in text"
    if not sent.get("text"):
        return "no_text"
    for block in sent.get("blocks", []):
        most = {"header": 150, "section": 3000}.get(block["type"])
        if most is not None and not _is_plain(block["text"], most):
            return "invalid_blocks"
        for one in block.get("elements", []):
            if (
                not _is_plain(one["text"], 75)
                or len(one.get("value", "")) > 2000
                or not one.get("url", "https:").startswith("http")
            ):
                return "invalid_blocks"
    return None


def _is_plain(text: dict[str, Any], most: int) -> bool:
    units = len(text["text"].encode("utf-16-le")) // 2
    return text["type"] == "plain_text" and text["emoji"] is False and 1 <= units <= most
