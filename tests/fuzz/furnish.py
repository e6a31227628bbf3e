"""Something of everything, so that a request finds it from the first one on."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx

Learn = Callable[[str, dict[str, str], Any], None]
ME, BOARD, GROUP = "/api/v1/organizations/me", "/api/v1/boards/{board_id}", "/api/v1/board-groups/{group_id}"
TASK, WEBHOOK = f"{BOARD}/tasks/{{task_id}}", f"{BOARD}/webhooks/{{webhook_id}}"
NOTE = {"content": "Clear sky."}


class Furnisher:
    """Somebody who makes things and tells of them."""

    def __init__(self, client: httpx.Client, learn: Learn) -> None:
        self.client, self.learn = client, learn

    def make(self, path: str, ids: dict[str, str], body: Any, **form: Any) -> Any:
        """Send what must succeed; the answer."""
        answer = self.client.post(path.format(**ids), json=body, **form).raise_for_status().json()
        self.learn(path, ids, answer)
        return answer

    def everything(self) -> None:
        """A board with all that a board can have, and what belongs to no board."""
        name = uuid4().hex
        group = self.make("/api/v1/board-groups", {}, {"name": name, "slug": ""})["id"]
        self.make(f"{GROUP}/memory", {"group_id": group}, NOTE)
        board = {"name": name, "slug": name, "description": "Look.", "board_group_id": group}
        self.board(name, {"board_id": self.make("/api/v1/boards", {}, board)["id"]})
        self.make("/api/v1/tags", {}, {"name": name})
        self.make(f"{ME}/invites", {}, {"invited_email": f"{name}@example.org"})
        self.make("/api/v1/skills/packs", {}, {"source_url": f"https://github.com/observatory/{name}"})
        self.make("/api/v1/skills/marketplace", {}, {"source_url": f"https://github.com/observatory/{name}"})
        self.learn(f"{ME}/members", {}, self.client.get(f"{ME}/members").raise_for_status().json())

    def board(self, name: str, ids: dict[str, str]) -> None:
        """What a board can have."""
        self.make(f"{ME}/custom-fields", {}, {"field_key": f"f{name}", "board_ids": [ids["board_id"]]})
        for number in range(2):
            lead = {"name": f"Agent {number}", **ids, "is_board_lead": number == 0}
            agent = self.make("/api/v1/agents", {}, lead)
            self.make("/api/v1/agents/{agent_id}/tokens", {"agent_id": agent["id"]}, {})
            self.task(ids)
        self.make(f"{BOARD}/memory", ids, NOTE)
        self.make(f"{BOARD}/group-memory", ids, NOTE)
        webhook = self.make(f"{BOARD}/webhooks", ids, {"description": "Odd."})["id"]
        self.make(WEBHOOK, {**ids, "webhook_id": webhook}, {"n": 1})
        payloads = f"{WEBHOOK}/payloads"
        told = self.client.get(payloads.format(**ids, webhook_id=webhook)).raise_for_status().json()
        self.learn(payloads, {**ids, "webhook_id": webhook}, told)

    def task(self, ids: dict[str, str]) -> None:
        """What a task can have."""
        ids = {**ids, "task_id": self.make(f"{BOARD}/tasks", ids, {"title": "Odd."})["id"]}
        self.make(f"{TASK}/comments", ids, {"message": "Odd."})
        self.make(f"{TASK}/checklist", ids, {"text": "Odd."})
        self.make(f"{TASK}/attachments", ids, None, files={"file": ("sky.txt", b"Clear.")})
        ask = {"action_type": "publish", "confidence": 80, "task_id": ids["task_id"], "lead_reasoning": "It is ready."}
        self.make(f"{BOARD}/approvals", ids, ask)
