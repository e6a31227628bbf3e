"""Simulated agents and a colleague. They know nothing but their token and the public API."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from mission_control.boards.priorities import rank
from mission_control.cli.demo import story
from mission_control.cli.demo.code import ask_permission, code_of, run_forge
from mission_control.core.values import JsonObject

LONGEST_PAUSE = 15.0
AWAY = (502, 503, 504)

_log = logging.getLogger(__name__)


class Refused(Exception):
    """The server refused the request with `status`."""

    def __init__(self, status: int, detail: object) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status


class Gone(Exception):
    """The token is invalid: the demo data was removed."""


class Api:
    def __init__(self, url: str, token: str) -> None:
        self._client = httpx2.AsyncClient(
            base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=20
        )

    async def get(self, path: str, **query: object) -> Any:
        return await self.call("GET", path, params=query)

    async def post(self, path: str, **body: object) -> Any:
        return await self.call("POST", path, json=body)

    async def patch(self, path: str, **body: object) -> Any:
        return await self.call("PATCH", path, json=body)

    async def call(self, method: str, path: str, **options: Any) -> Any:
        """Send a request and read its JSON; waits while the server is away. Raises Refused or Gone."""
        pause = 0.5
        while True:
            try:
                answer = await self._client.request(method, path, **options)
            except httpx2.TransportError as error:
                _log.info("demo.away", extra={"reason": type(error).__name__})
            else:
                if answer.is_success:
                    return answer.json()
                if answer.status_code == 401:
                    raise Gone
                if answer.status_code not in (*AWAY, 429):
                    raise Refused(answer.status_code, answer.text[:300])
                pause = max(pause, float(answer.headers.get("Retry-After", 0)))
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(pause * 2, LONGEST_PAUSE)

    async def follow(self, path: str, changed: asyncio.Event) -> None:
        """Set `changed` on every message of the stream and after each reconnection, forever."""
        pause, last = 0.5, ""
        while True:
            headers = {"Last-Event-ID": last} if last else {}
            try:
                async with self._client.stream("GET", path, headers=headers, timeout=40) as stream:
                    if stream.status_code == 401:
                        raise Gone
                    stream.raise_for_status()
                    changed.set()
                    async for line in stream.aiter_lines():
                        pause = 0.5
                        if line.startswith("id:"):
                            last = line.removeprefix("id:").strip()
                        elif line.startswith("data:"):
                            changed.set()
            except httpx2.HTTPError as error:
                _log.info("demo.stream.cut", extra={"reason": type(error).__name__})
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(pause * 2, LONGEST_PAUSE)

    async def close(self) -> None:
        await self._client.aclose()


ANEW_SECONDS = 15.0


async def perform(name: str, act: Callable[[], Awaitable[None]], speed: float) -> None:
    """Let a player act until its access has ended, whatever the visitors of the demo do.

    It begins anew, after a pause, where they took away what it was at, or where it fails.
    """
    while True:
        try:
            await act()
        except Exception as error:
            group = ExceptionGroup("", [error])
            if group.subgroup(Gone) is not None:
                return
            level = logging.WARNING if group.split(Refused)[1] is not None else logging.INFO
            _log.log(level, "demo.stumbled", extra={"player": name, "reason": repr(error)})
        await asyncio.sleep(ANEW_SECONDS / speed)


HEARTBEAT_SECONDS = 60.0
INBOX_SECONDS = 10
POLL_SECONDS = 20.0
LEASE_SECONDS = 1800
MOST_IN_REVIEW = 6  # workers start nothing new then, so that an open demo does not bury the person who left it
MODELS = ("claude-opus-5-5", "gpt-6.2-sol")  # the first tells its cost


class Agent:
    """The common part of lead and worker: a board, and what both do on it."""

    def __init__(self, api: Api, name: str, lead_name: str, speed: float, seed: int) -> None:
        self.api, self.name, self.lead_name = api, name, lead_name
        self.chance = random.Random(seed)
        self._speed = speed
        self.board: JsonObject = {}
        self.id = ""

    async def run(self) -> None:
        await self.look_around()
        await self.work()

    async def look_around(self) -> None:
        """Learn which board is its own, and how that is now."""
        me = await self.api.get("/agent/healthz")
        self.id = me["agent_id"]
        self.board = await self.api.get(f"/agent/boards/{me['board_id']}")

    async def work(self) -> None:
        raise NotImplementedError

    async def pause(self, least: float, most: float) -> None:
        await asyncio.sleep(self.chance.uniform(least, most) / self._speed)

    async def tasks(self, status: str) -> list[JsonObject]:
        found = (await self.api.get(self._path("tasks"), status=status))["items"]
        return sorted(found, key=lambda one: (-rank(one["priority"]), one["created_at"]))

    async def say(self, task: JsonObject, texts: tuple[str, ...]) -> None:
        text = self.chance.choice(texts).format(lead=self.lead_name)
        await self.api.post(self._path("tasks", task["id"], "comments"), message=text)

    def _path(self, *parts: str) -> str:
        return "/".join((f"/agent/boards/{self.board['id']}", *parts))


class Worker(Agent):
    """Waits in one place for work, says what it does, asks and leaves, and hands in."""

    has_asked = False  # for a command, which the first task does at once

    async def work(self) -> None:
        known, kinds = "continue", ["directive"]  # at first go on with what it holds
        while True:
            with suppress(Refused):  # a person changed the task: ask again
                wait = INBOX_SECONDS if "notice" in kinds else 0
                wanted = {"wait_seconds": wait, "lease_seconds": LEASE_SECONDS, "known": known}
                found = await self.api.post("/agent/next", **wanted, kinds=kinds)
                known = found["directive"]
                mine = [one["task_id"] for one in found["held"] if one["state"] != "waiting"]
                if found["task"] is None and mine and known == "continue":
                    found = await self.api.post("/agent/next", task_id=mine[0], lease_seconds=LEASE_SECONDS)
                if found["task"] is not None:
                    await self._work_on(found)
            await self.pause(0.5, 1)
            is_full = len(await self.tasks("review")) >= MOST_IN_REVIEW
            kinds = ["directive", "notice"] if is_full else ["directive", "notice", "work"]

    async def _work_on(self, found: JsonObject) -> None:
        """Carry a task on, until it is handed in, given back, or waits for an answer."""
        task, fence, why = found["task"], found["lease"]["fence"], found["why"]["kind"]
        await self.pause(2, 6)
        await self.say(
            task, {"rework": story.REWORK, "resume": story.RESUMED, "held": story.PROGRESS}.get(why, story.STARTS)
        )
        await self._ask_for_command(f"{task['id']}-{fence}")
        plan = [one["text"] for one in (*found["criteria"], *found["steps"])] or list(story.PLAN)
        for number in range(min(len(plan), 4)):
            if not await self._act(task, fence, plan, number):
                return
        fate = self.chance.random()
        if fate < 0.1:
            await self.say(task, story.BLOCKED)
            released = {"fence": fence, "reason": "Something is missing that somebody else has."}
            await self.api.call("DELETE", self._path("tasks", task["id"], "lease"), json=released)
        elif fate < 0.3 and why == "new":
            question, *options = self.chance.choice(story.QUESTIONS)
            choices = [{"label": label, "recommended": label == options[0]} for label in options]
            await self.api.post(
                self._path("questions"), content=question, options=choices, task_id=task["id"], park=True
            )
        else:
            if fate > 0.9:
                title, reason = self.chance.choice(story.FOUND)
                await self.api.post(self._path("proposals"), title=title, reason=reason, task_id=task["id"])
            await self._hand_in(task, fence)

    async def _act(self, task: JsonObject, fence: int, plan: list[str], number: int) -> bool:
        """Do one step of a plan and report it; False when people stopped the work."""
        states = ["completed"] * number + ["in_progress"] + ["pending"] * len(plan)
        tool, about = self.chance.choice(story.ACTS if self._is_coding else story.ACTS_OF_SUPPORT)
        detail = {"tool": tool, "command": about}
        about_this = {
            "task_id": task["id"],
            "fence": fence,
            "plan": [{"text": text, "state": state} for text, state in zip(plan, states, strict=False)],
        }
        ref = f"{number}-{self.chance.random()}"
        begun = {"key": f"{ref} begins", "kind": "TOOL_CALL_START", "ref": ref, "detail": detail}
        answer = await self.api.post("/agent/reports", **about_this, items=[begun])
        await self.pause(8, 24)
        if answer["directive"] == "stop":
            return False
        state = "failed" if self.chance.random() < 0.08 else "ok"
        ended = {"key": ref, "kind": "TOOL_CALL_END", "ref": ref, "state": state, "detail": detail}
        tokens = self.chance.randint(1_000, 8_000)
        model, cost_usd = self._model, round(tokens * 3e-6, 4)
        usage = {"key": ref, "model": model, "input_tokens": tokens, "output_tokens": tokens // 12}
        usage |= {"cost_usd": cost_usd} if model == MODELS[0] else {"cached_tokens": tokens // 2}  # by the price list
        await self.api.post("/agent/reports", **about_this, items=[ended], usage=usage)
        if self.chance.random() < 0.4:
            await self.say(task, story.PROGRESS)
        return True

    async def _ask_for_command(self, session: str) -> None:
        if self._is_coding and self._model == MODELS[0] and (not self.has_asked or self.chance.random() < 0.2):
            self.has_asked = True
            await ask_permission(self.api, session, self.chance)

    @property
    def _is_coding(self) -> bool:
        return bool(self.board["done_needs"])

    @property
    def _model(self) -> str:
        return MODELS[len(self.name) % 2]

    async def _hand_in(self, task: JsonObject, fence: int) -> None:
        tags = [tag["name"] for tag in task["tags"]]
        code = {"code": code_of(task["number"], task["title"], tags)} if self._is_coding else {}
        await self.api.post(
            self._path("tasks", task["id"], "completions"),
            fence=fence,
            summary=self.chance.choice(story.FINISHED),
            checked=self.chance.choice(story.CHECKED),
            confidence=self.chance.randint(68, 97),
            evidence=[{"title": "Preview", "url": f"https://preview.example.com/{task['number']}"}],
            **code,
        )


class Lead(Agent):
    """Reviews, requests approvals, and refills the inbox."""

    LEAST_OPEN = 4

    async def work(self) -> None:
        self._news = asyncio.Event()  # a notice or a decision
        stream = f"/boards/{self.board['id']}/approvals/stream"
        async with asyncio.TaskGroup() as group:
            group.create_task(self._beat())
            group.create_task(self._read())
            group.create_task(self.api.follow(stream, self._news))
            group.create_task(self._turns())

    async def _beat(self) -> None:
        while True:
            await self.api.post("/agent/heartbeat")
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _read(self) -> None:
        after = 0
        while True:
            inbox = await self.api.get("/agent/inbox", after=after, wait_seconds=INBOX_SECONDS)
            after = inbox["next"]
            if inbox["items"]:
                self._news.set()

    async def _turns(self) -> None:
        while True:
            try:
                if await self.turn():
                    continue
            except Refused:  # another agent was faster, or a person changed the task or moved it: look anew
                await self.look_around()
            with suppress(TimeoutError):  # a notice or a decision ends the wait
                await asyncio.wait_for(self._news.wait(), POLL_SECONDS / self._speed)
            self._news.clear()

    async def turn(self) -> bool:
        """Decide one task in review, else create a task."""
        verdicts = await self.verdicts()
        for task in await self.tasks("review"):
            verdict = verdicts.get(task["id"])
            if verdict is not None and verdict["status"] == "pending":
                continue
            is_fresh = verdict is not None and verdict["created_at"] >= task["updated_at"]
            await self._settle(task, verdict if is_fresh else None)
            return True
        return await self._plan()

    async def _settle(self, task: dict[str, object], verdict: dict[str, object] | None) -> None:
        await self.pause(4, 9)
        if verdict is not None and verdict["status"] == "approved":
            await self.move(task, "done")
        elif verdict is not None or self.chance.random() < 0.25:
            await self.say(task, story.SENT_BACK)
            await self.move(task, "inbox")
        else:
            await self.say(task, story.REVIEWED)
            await (self.ask(task) if self.board["require_approval_for_done"] else self.move(task, "done"))

    async def _plan(self) -> bool:
        # A worker will take these soon.
        waiting = [one for one in await self.tasks("inbox") if not (one["is_blocked"] or one["assigned_user_id"])]
        if len(waiting) >= self.LEAST_OPEN:
            return False
        await self.pause(5, 12)
        idea, known = await self._idea(), await self.api.get(self._path("tags"))
        due_at = None
        if self.chance.random() < 0.6:
            due_at = (datetime.now(UTC) + timedelta(days=self.chance.randint(0, 8))).isoformat()
        await self.api.post(
            self._path("tasks"),
            title=idea.title,
            description=idea.text,
            priority=idea.priority,
            due_at=due_at,
            tag_ids=[tag["id"] for tag in known if tag["name"] in idea.tags],
            depends_on_task_ids=[self.chance.choice(waiting)["id"]] if waiting and self.chance.random() < 0.2 else [],
        )
        return True

    async def _idea(self) -> story.Idea:
        choice = story.IDEAS.get(self.board["slug"]) or [idea for ideas in story.IDEAS.values() for idea in ideas]
        cards = (await self.api.get(self._path("tasks"), limit=200))["items"]
        present = {card["title"] for card in cards}
        opened = {card["title"] for card in cards if card["status"] != "done"}
        fresh = [one for one in choice if one.title not in present] or [
            one for one in choice if one.title not in opened
        ]
        return self.chance.choice(fresh or choice)

    async def move(self, task: JsonObject, status: str) -> JsonObject:
        moved: JsonObject = await self.api.patch(self._path("tasks", task["id"]), status=status)
        return moved

    async def ask(self, task: dict[str, object]) -> None:
        """Ask a person whether the task may be done."""
        await self.api.post(
            self._path("approvals"),
            action_type="task.finish",
            task_id=task["id"],
            confidence=self.chance.randint(68, 97),
            lead_reasoning=self.chance.choice(story.REASONS),
            rubric_scores={name: self.chance.randint(60, 99) for name in ("completeness", "clarity", "risk")},
        )

    async def verdicts(self) -> dict[str, JsonObject]:
        newest: dict[str, JsonObject] = {}
        for approval in (await self.api.get(self._path("approvals")))["items"]:
            for task_id in approval["task_ids"]:
                newest.setdefault(task_id, approval)
        return newest


LOOK_SECONDS = 5.0
PATIENCE_SECONDS = 60.0
LEFT = 3  # hand-ins and questions that wait for the person who looks at the demo
MOST_DONE = 15  # tasks in the last column of a board; older ones are archived
CLEAR_SECONDS = 60.0


async def run_colleague(api: Api, speed: float, seed: int) -> None:
    """Decide hand-ins, answer questions, archive done tasks and run the forge of all boards, forever."""
    async with asyncio.TaskGroup() as group:
        group.create_task(decide(api, speed, random.Random(seed)))
        group.create_task(_clear(api))
        group.create_task(run_forge(api, speed))


async def decide(api: Api, speed: float, chance: random.Random) -> None:
    """Decide the hand-ins and questions about tasks that wait for more than a minute, but for the newest, forever.

    What the story begins with waits from when the demo started, so that the person who opens it sees it wait.
    """
    began = datetime.now(UTC)
    while True:
        waiting = []
        for board in await _boards(api):
            pending = (await api.get(f"/boards/{board['id']}/approvals", status="pending"))["items"]
            waiting += [approval for approval in pending if approval["action_type"] == "task.finish"]
            asked = (await api.get(f"/boards/{board['id']}/questions", state="open"))["items"]
            waiting += [question for question in asked if question["task_id"]]
        waiting.sort(key=_asked_at)
        now = datetime.now(UTC)  # of all: the oldest is decided first
        for one in waiting[: max(len(waiting) - LEFT, 0)]:
            if (now - max(_asked_at(one), began)).total_seconds() * speed > PATIENCE_SECONDS:
                await _answer(api, one, chance)
        await asyncio.sleep(LOOK_SECONDS / speed)


async def _boards(api: Api) -> list[JsonObject]:
    boards: list[JsonObject] = (await api.get("/boards"))["items"]
    return boards


def _asked_at(one: JsonObject) -> datetime:
    return datetime.fromisoformat(one["created_at"])


async def _answer(api: Api, one: JsonObject, chance: random.Random) -> None:
    if "content" in one:
        with suppress(Refused):  # another person answered first
            path = f"/boards/{one['board_id']}/questions/{one['id']}/answers"
            options = [{"option_id": option["id"]} for option in one["options"]]
            await api.post(path, **chance.choice(options or [{"answer": words} for words in story.ANSWERS]))
        return
    decision = chance.choices(("approved", "changes_requested"), (84, 16))[0]
    body = {"decision": decision}
    if note := chance.choice(story.NOTES[decision]):
        body["note"] = note
    with suppress(Refused):  # another person decided first
        await api.patch(f"/boards/{one['board_id']}/approvals/{one['id']}", **body)


async def _clear(api: Api) -> None:
    while True:
        for board in await _boards(api):
            tasks = f"/boards/{board['id']}/tasks"
            done = (await api.get(tasks, status="done", sort="-updated_at", limit=200))["items"][MOST_DONE:]
            if done:
                await api.post(f"{tasks}/bulk", task_ids=[task["id"] for task in done], archive=True, atomic=False)
        await asyncio.sleep(CLEAR_SECONDS)
