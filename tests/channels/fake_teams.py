"""A workflow of Microsoft Teams on the loopback: it takes cards and says nothing about them."""

from dataclasses import dataclass, field
from typing import Any

from quart import Quart, request

MOST_BYTES = 28_000


@dataclass
class FakeTeams:
    """`cards` in their order. `fails` are the next answers: status and body."""

    cards: list[dict[str, Any]] = field(default_factory=list)
    fails: list[tuple[int, Any]] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """The texts of the newest card."""
        return [run["text"] for block in self.cards[-1]["body"] for run in block["inlines"]]

    @property
    def app(self) -> Quart:
        """The provider."""
        app = Quart("teams")

        @app.post("/workflows/<secret>/triggers/manual/paths/invoke")
        async def invoke(secret: str) -> Any:
            if self.fails:
                status, body = self.fails.pop(0)
                return body, status
            if secret != "good-secret":
                words = "The workflow is not found."
                return {"error": {"code": "WorkflowNotFound", "message": words}}, 404
            body = await request.get_data()
            if len(body) > MOST_BYTES:
                return {"error": {"code": "RequestEntityTooLarge", "message": "Too large."}}, 413
            [part] = (await request.get_json())["attachments"]
            self.cards.append(part["content"])
            return "", 202

        return app
