"""Mattermost on the loopback: posts, edits, its socket, and presses, which its server sends on with their context."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from quart import Quart, request, websocket

BOT = "bot-id"


async def _post(url: str, sent: dict[str, Any]) -> tuple[int, Any]:
    async with httpx.AsyncClient() as server:
        answer = await server.post(url, json=sent)
        return answer.status_code, answer.json() if answer.status_code == 200 else None


@dataclass
class FakeMattermost:
    """`posts` by id. `status` other than 0 refuses the next calls with it."""

    token: str = "bot-token"
    posts: dict[str, dict[str, Any]] = field(default_factory=dict)
    status: int = 0
    seen: list[tuple[str, str]] = field(default_factory=list)  # what only one person sees, after a press
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    sends: Callable[[str, dict[str, Any]], Awaitable[tuple[int, Any]]] = field(default=_post)
    _sockets: list[asyncio.Queue[dict[str, Any]]] = field(default_factory=list)
    _number: int = 0

    def actions(self, post: str) -> list[dict[str, Any]]:
        """The buttons of a post, with what only the server knows of them."""
        parts = self.posts[post]["props"].get("attachments", [])
        return [one for part in parts for one in part.get("actions", [])]

    def seen_by_users(self, post: str) -> list[dict[str, Any]]:
        """What programs of users get of the buttons: never the address and the context."""
        return [{"id": one["id"], "name": one["name"]} for one in self.actions(post)]

    async def press(self, post: str, number: int, user: str) -> int:
        """A user presses: the server posts to the integration and shows the words of its answer."""
        return await self.press_action(post, self.actions(post)[number]["integration"], user)

    async def press_action(self, post: str, action: dict[str, Any], user: str) -> int:
        """The same with a button that may have gone since."""
        sent = {
            "user_id": user,
            "user_name": "ada",
            "post_id": post,
            "channel_id": self.posts[post]["channel_id"],
            "team_id": "",
            "trigger_id": "t",
            "type": "button",
            "context": action["context"],
        }
        status, answer = await self.sends(action["url"], sent)
        if status == 200:
            if words := answer.get("ephemeral_text"):
                self.seen.append((user, words))
        return status

    async def say(self, user: str, text: str, kind: str = "D") -> None:
        """A user writes to the bot, in private or in a channel."""
        post = {"id": "p", "user_id": user, "channel_id": f"dm-{user}", "message": text, "type": "", "props": {}}
        data = {
            "channel_type": kind,
            "sender_name": f"@{user.removesuffix('-id')}",
            "post": json.dumps(post),
            "team_id": "",
        }
        for queue in self._sockets:
            await queue.put({"event": "posted", "data": data, "broadcast": {}, "seq": 3})

    async def send_text(self, *texts: str) -> None:
        """Send texts as frames to who listens, then end the connections."""
        for queue in self._sockets:
            for text in texts:
                await queue.put({"": text})
        await self.close_sockets()

    async def close_sockets(self) -> None:
        """End the connections of who listens."""
        for queue in self._sockets:
            await queue.put({})

    def _refusal(self) -> Any:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            words = "Invalid or expired session, please login again."
            return {"id": "api.context.session_expired.app_error", "message": words, "status_code": 401}, 401
        if self.status:
            return {"id": "tests", "message": "The server has trouble.", "status_code": self.status}, self.status
        return None

    @property
    def app(self) -> Quart:
        """The provider."""
        app = Quart("mattermost")

        @app.get("/api/v4/users/me")
        async def me() -> Any:
            return self._refusal() or {"id": BOT, "username": "mission-control", "is_bot": True}

        @app.post("/api/v4/posts")
        async def post() -> Any:
            if (refused := self._refusal()) is not None:
                return refused
            sent = await request.get_json()
            if sent["channel_id"] == "gone":
                words = "You do not have the appropriate permissions."
                return {"id": "api.context.permissions.app_error", "message": words, "status_code": 403}, 403
            self._number += 1
            self.posts[f"post{self._number}"] = sent
            return {"id": f"post{self._number}", "channel_id": sent["channel_id"]}, 201

        @app.put("/api/v4/posts/<name>/patch")
        async def patch(name: str) -> Any:
            if (refused := self._refusal()) is not None:
                return refused
            if name not in self.posts:
                words = "Unable to get the post."
                return {"id": "app.post.get.app_error", "message": words, "status_code": 404}, 404
            self.posts[name] |= await request.get_json()
            return {"id": name}

        app.websocket("/api/v4/websocket")(self._socket)
        return app

    async def _socket(self) -> None:
        challenge = await websocket.receive_json()
        if challenge["action"] != "authentication_challenge" or challenge["data"]["token"] != self.token:
            return
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._sockets.append(queue)
        await websocket.send_json({"status": "OK", "seq_reply": challenge["seq"]})
        await websocket.send_json({"event": "hello", "data": {"server_version": "10.5"}, "broadcast": {}, "seq": 0})
        self.connected.set()
        try:
            while sent := await queue.get():
                await websocket.send(sent[""] if "" in sent else json.dumps(sent))
        finally:
            self._sockets.remove(queue)
            if not self._sockets:
                self.connected.clear()
