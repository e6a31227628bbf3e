"""Discord's webhooks on the loopback: messages of a channel, and their edits."""

from dataclasses import dataclass, field
from typing import Any

from quart import Quart, request

from tests.channels.fake_telegram import is_url


@dataclass
class FakeDiscord:
    """`messages` by id. `fails` are the next answers: status and body."""

    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    threads: list[str] = field(default_factory=list)
    fails: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    @property
    def app(self) -> Quart:
        """The provider."""
        app = Quart("discord")

        @app.post("/api/webhooks/<int:number>/<secret>")
        async def post(number: int, secret: str) -> Any:
            sent = await request.get_json()
            if (problem := self._problem(secret, sent)) is not None:
                return problem
            name = str(len(self.messages) + 1)
            self.messages[name] = sent
            self.threads.append(request.args.get("thread_id", ""))
            return {"id": name} if request.args.get("wait") == "true" else ("", 204)

        @app.patch("/api/webhooks/<int:number>/<secret>/messages/<name>")
        async def patch(number: int, secret: str, name: str) -> Any:
            sent = await request.get_json()
            if (problem := self._problem(secret, sent)) is not None:
                return problem
            if name not in self.messages:
                return {"message": "Unknown Message", "code": 10008}, 404
            self.messages[name] |= sent
            return {"id": name}

        return app

    def _problem(self, secret: str, sent: dict[str, Any]) -> Any:
        if self.fails:
            status, body = self.fails.pop(0)
            return body, status
        if secret != "good-secret":
            return {"message": "Unknown Webhook", "code": 10015}, 404
        [embed] = sent["embeds"]
        if len(embed["title"]) > 256 or len(embed["description"]) > 4096:
            return {"embeds": ["0"]}, 400
        if "url" in embed and not is_url(embed["url"]):
            return {"embeds": ["0"]}, 400
        return None
