"""The cast of every play: who they are, where they belong, and how they speak to the API.

Ada owns the organization, Ben is its admin, Cleo may write on one board, Dan may read it, Eve belongs elsewhere.
Atlas leads the board, Vega and Rigel work on it, Mira works on another board of the organization, Nova on Eve's.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from quart import Quart

from mission_control.agents.commands import create_agent
from mission_control.agents.schemas import AgentCreate
from mission_control.boards.commands import create_board
from mission_control.boards.models import Board
from mission_control.boards.schemas import BoardCreate
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.events.models import Event
from mission_control.http import authentication
from mission_control.http.response_cache import cache
from mission_control.people.accounts.commands import create_user
from mission_control.people.accounts.credentials import create_personal_token
from mission_control.people.audit.log_heads import sign_first_heads
from mission_control.people.models import BoardAccess, Member, Organization, User
from mission_control.tasks.models import Task

API = "/api/v1"
NO_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any
    headers: Any

    @property
    def detail(self) -> Any:
        return self.body["detail"]

    @property
    def code(self) -> str | None:
        """The word for programs: beside the sentence for people, in the object for agents."""
        word: str | None = self.body.get("code")
        return self.detail.get("code") if word is None and isinstance(self.detail, dict) else word

    def refused_as(self, status: int, code: str) -> Any:
        """The detail of an answer that must be this refusal, with this word for programs."""
        detail = self.refused(status)
        assert self.code == code, self.body
        return detail

    def ok(self) -> Any:
        """The body of an answer that must be a success."""
        assert self.status == 200, f"{self.status}: {self.body}"
        return self.body

    @property
    def plain(self) -> Any:
        """The body of an answer that must be a success, without the news that rode on it."""
        return {name: value for name, value in self.ok().items() if name != "news"}

    def refused(self, status: int) -> Any:
        """The detail of an answer that must be this refusal."""
        assert self.status == status, f"{self.status}: {self.body}"
        assert set(self.body) - {"code", "news"} == {"detail", "request_id"}
        assert self.body["request_id"] == self.headers["X-Request-Id"]
        return self.body["detail"]


@dataclass(slots=True)
class Caller:
    """Somebody at the other end of the line, known by their headers."""

    app: Quart
    headers: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, path: str, json: Any = ..., **options: Any) -> Answer:
        """Send a request; a path without a leading `/api` is one of the API."""
        headers = {**self.headers, **options.pop("headers", {})}
        if json is not ...:
            options["data"] = orjson.dumps(json, default=str)
            headers.setdefault("Content-Type", "application/json")
        whole = path if path.startswith(("/api/", "/openapi")) else API + path
        client = self.app.test_client(use_cookies=False)
        response = await client.open(whole, method=method, headers=headers, **options)
        text: Any = await response.get_data()
        body = orjson.loads(text) if response.mimetype == "application/json" else text
        return Answer(response.status_code, body, response.headers)

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.call("GET", path, **options)

    async def post(self, path: str, json: Any = ..., **options: Any) -> Answer:
        return await self.call("POST", path, json, **options)

    async def patch(self, path: str, json: Any = ..., **options: Any) -> Answer:
        return await self.call("PATCH", path, json, **options)

    async def delete(self, path: str, **options: Any) -> Answer:
        return await self.call("DELETE", path, **options)


@dataclass(slots=True)
class Person(Caller):
    id: UUID = NO_ID
    name: str = ""
    token_id: UUID = NO_ID

    async def actor(self) -> Actor:
        found = await authentication.user_actor(self.id, ("token", self.token_id))
        assert found is not None
        return found


@dataclass(slots=True)
class Program(Caller):
    id: UUID = NO_ID
    name: str = ""
    secret: str = ""

    async def actor(self) -> Actor:
        found = await authentication.agent_by_token(self.secret)
        assert found is not None
        return found


@dataclass(slots=True)
class Cast:
    app: Quart
    organization: Organization
    elsewhere: Organization
    board: Board
    other_board: Board
    foreign_board: Board
    ada: Person
    ben: Person
    cleo: Person
    dan: Person
    eve: Person
    atlas: Program
    vega: Program
    rigel: Program
    mira: Program
    nova: Program

    @property
    def nobody(self) -> Caller:
        """Somebody without credentials."""
        return Caller(self.app)

    @property
    def home(self) -> str:
        return f"/boards/{self.board.id}"

    @property
    def tasks(self) -> str:
        return f"{self.home}/tasks"

    @property
    def approvals(self) -> str:
        return f"{self.home}/approvals"

    def task(self, task: Any) -> str:
        return f"{self.tasks}/{task['id'] if isinstance(task, dict) else getattr(task, 'id', task)}"

    async def erase(self, board_id: object, who: "Person | None" = None) -> None:
        """A board is deleted for good by Ada, or by somebody else who may, and all that was on it is gone."""
        person = who or self.ada
        job: Any = (await person.post(f"/boards/{board_id}/erasures")).body
        while job["state"] == "running":
            await asyncio.sleep(0.01)
            job = (await person.get(f"/jobs/{job['id']}")).ok()
        assert job["state"] == "done", job

    async def add_task(self, by: Caller | None = None, **fields: Any) -> dict[str, Any]:
        """A task that Ada, or somebody else, puts on the board."""
        body: dict[str, Any] = (await (by or self.ada).post(self.tasks, {"title": "Write the report", **fields})).ok()
        return body

    async def ask(self, by: Caller | None = None, *tasks: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """An approval that Vega, or somebody else, asks for."""
        wanted = {"action_type": "publish", "confidence": 80, "lead_reasoning": "It is ready.", **fields}
        if tasks:
            wanted["task_ids"] = [task["id"] for task in tasks]
        body: dict[str, Any] = (await (by or self.vega).post(self.approvals, wanted)).ok()
        return body

    async def rule(self, **flags: Any) -> None:
        """Set rules of the board (without an event)."""
        await Board.filter(id=self.board.id).update(**flags)
        cache.clear()

    async def put(self, task: dict[str, Any], **columns: Any) -> None:
        """Bring a task into a state without going through the rules."""
        await Task.filter(id=task["id"]).update(**columns)
        cache.clear()  # no event says so


async def assemble(app: Quart) -> Cast:
    """Make everybody through the commands that make them in life."""
    await sign_first_heads()
    organization = await Organization.found("Observatory")
    elsewhere = await Organization.found("Elsewhere")
    ada = await _person(app, organization, "Ada", "owner")
    ben = await _person(app, organization, "Ben", "admin")
    cleo = await _person(app, organization, "Cleo", "member")
    dan = await _person(app, organization, "Dan", "member")
    eve = await _person(app, elsewhere, "Eve", "owner")
    board = await _board(ada, organization, "Telescope")
    other = await _board(ada, organization, "Dome")
    foreign = await _board(eve, elsewhere, "Cellar")
    await _only_on(board, cleo, can_write=True)
    await _only_on(board, dan, can_write=False)
    return Cast(
        app=app,
        organization=organization,
        elsewhere=elsewhere,
        board=board,
        other_board=other,
        foreign_board=foreign,
        ada=ada,
        ben=ben,
        cleo=cleo,
        dan=dan,
        eve=eve,
        atlas=await hire(app, ada, board, "Atlas", is_lead=True),
        vega=await hire(app, ada, board, "Vega"),
        rigel=await hire(app, ada, board, "Rigel Orion"),
        mira=await hire(app, ada, other, "Mira"),
        nova=await hire(app, eve, foreign, "Nova"),
    )


async def _person(app: Quart, organization: Organization, name: str, role: str) -> Person:
    email = f"{name.lower()}@example.org"
    user = await create_user(email, name, role, organization, None)
    return await as_person(app, user)


async def as_person(app: Quart, user: User) -> Person:
    actor = await authentication.user_actor(user.id, ("none", None))
    assert actor is not None
    made = await create_personal_token(actor, user, "tests")
    headers = {"Authorization": f"Bearer {made.secret}"}
    return Person(app, headers, user.id, user.display_name, made.row.id)


async def _board(by: Person, organization: Organization, name: str) -> Board:
    fields = {"name": name, "slug": name.lower(), "description": f"The {name}.", "require_approval_for_done": False}
    return await create_board(
        await by.actor(), organization.id, BoardCreate.model_validate({**fields, "max_agents": 3})
    )


async def _only_on(board: Board, person: Person, *, can_write: bool) -> None:
    member = await Member.get(user_id=person.id)
    await Member.filter(id=member.id).update(all_boards_read=False, all_boards_write=False)
    await BoardAccess.create(organization_member_id=member.id, board_id=board.id, can_write=can_write)


async def hire(app: Quart, by: Person, board: Board, name: str, *, is_lead: bool = False) -> Program:
    agent, secret = await create_agent(await by.actor(), board, AgentCreate(name=name, is_board_lead=is_lead))
    assert secret is not None
    return Program(app, {"X-Agent-Token": secret}, agent.id, agent.name, secret)


async def events(since: int = 0, **where: Any) -> list[Event]:
    return await Event.filter(seq__gt=since, **where).order_by("organization_id", "seq")


async def head(cast: Cast) -> int:
    return int((await Organization.get(id=cast.organization.id)).log_seq)


async def kinds(cast: Cast, since: int) -> list[tuple[str, UUID | None]]:
    found = await events(since, organization_id=cast.organization.id)
    return [(event.kind, event.agent_id) for event in found]


async def changes(cast: Cast, since: int) -> list[tuple[str, UUID | None]]:
    """The same without the news that agents took with their calls."""
    return [one for one in await kinds(cast, since) if not one[0].endswith("_notified")]


def apart_from_news(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer to an agent, without what rides on it."""
    return {name: value for name, value in answer.items() if name != "news"}


def everybody(cast: Cast) -> dict[str, Person | Program]:
    names = ("ada", "ben", "cleo", "dan", "eve", "atlas", "vega", "rigel", "mira", "nova")
    return {name: getattr(cast, name) for name in names}


def ids(answers: Iterable[dict[str, Any]]) -> list[str]:
    return [one["id"] for one in answers]


def each(task_ids: Iterable[str], *, atomic: bool = True, **change: Any) -> dict[str, Any]:
    """The body that changes tasks all in the same way."""
    return {"changes": [{"task_id": one, **change} for one in dict.fromkeys(task_ids)], "atomic": atomic}


def stamp(minutes: float = 0) -> datetime:
    """A moment some minutes from now, naive UTC."""
    return times.clock_now() + timedelta(minutes=minutes)
