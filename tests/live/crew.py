"""A board with a lead and a worker on a real server, made over its API."""

from dataclasses import dataclass
from typing import Any

from tests.live.servers import API, Server


@dataclass
class Member:
    id: str
    name: str
    token: str


@dataclass
class Crew:
    server: Server
    board_id: str
    atlas: Member
    vega: Member

    @property
    def tasks(self) -> str:
        return f"{API}/boards/{self.board_id}/tasks"

    async def add_task(self, title: str, **fields: Any) -> str:
        return str((await self.ask("POST", self.tasks, {"title": title, **fields}))["id"])

    async def task(self, task_id: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.ask("GET", f"{self.tasks}/{task_id}")
        return found

    async def ask(self, method: str, path: str, json: Any = None) -> Any:
        async with self.server.client() as owner:
            answer = await owner.request(method, path, json=json)
        assert answer.status_code == 200, answer.text
        return answer.json()


async def crew(server: Server, **rules: bool) -> Crew:
    made = Crew(server, "", Member("", "", ""), Member("", "", ""))
    fields = {"name": "Telescope", "slug": "telescope", "description": "Look up.", "require_approval_for_done": False}
    made.board_id = (await made.ask("POST", f"{API}/boards", fields | rules))["id"]
    made.atlas = await _hire(made, "Atlas", is_lead=True)
    made.vega = await _hire(made, "Vega", is_lead=False)
    return made


async def _hire(made: Crew, name: str, *, is_lead: bool) -> Member:
    wanted = {"name": name, "board_id": made.board_id, "is_board_lead": is_lead}
    agent = await made.ask("POST", f"{API}/agents", wanted)
    return Member(agent["id"], name, agent["token"])
