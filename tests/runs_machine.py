"""Agents, people, gateways and time against one board that needs approvals, in any order: what holds after every step.

The machine speaks HTTP to the application in this process and moves the test clock. What it expects of claims and of
the next step is in `runs_oracle.py`, and what must always hold in `runs_law.py`.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from typing import Any
from unittest.mock import patch
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mission_control.agents.holds.commands import end_silent_holds
from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import system
from mission_control.database.sql import as_moment, rows
from mission_control.events import commands
from mission_control.events.event_log import GENESIS, verify
from mission_control.events.models import Event
from mission_control.gateway_agents.requests import settling
from mission_control.gateway_agents.requests.calls import Asker
from mission_control.gateway_agents.requests.intake import keep_approval
from mission_control.gateway_agents.requests.reading import AskedApproval, Ended
from mission_control.gateways.connections.events import GatewayRef
from mission_control.http import lookups
from mission_control.needs.deadlines import DEADLINES, end_due
from mission_control.people.models import Organization
from mission_control.runs.claims.leases import LEASES, expire_due, take_from_silent
from mission_control.tasks.models import Task
from tests import runs_oracle as oracle
from tests.agents_on_gateways import add_gateway
from tests.cast import Answer, Cast, Program, each
from tests.runs_law import FINISHING, FLAGGED_AT, STATUSES, Law
from tests.runs_oracle import Row
from tests.things import hold

ACTIONS = (*FINISHING, "read.docs", "deploy", "send.email")
DECISIONS = ("approved", "approved", "approved", "rejected", "changes_requested")
PRIORITIES = ("urgent", "high", "medium", "low", "whenever")
FULL = 14  # tasks that are not done
WORKERS = st.integers(0, 1)
ANY = st.integers(0, 10_000)
# What a command must have left alone when it died before its commit. Notices are taken and sent beside commands.
TABLES = ("tasks", "task_runs", "approvals", "approval_task_links", "agent_questions")


class Killed(Exception):
    """The process is gone."""


@dataclass
class Ground:
    """Where the machine runs: the loop of the application, everybody, and how many steps were taken."""

    loop: asyncio.AbstractEventLoop
    cast: Cast
    gateway: GatewayRef
    grows_old: bool = False  # one board all the time, whose clock never goes back
    steps: int = 0
    claims: int = 0
    reached: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    verified: tuple[int, str] = (0, GENESIS)
    past: "Past | None" = None

    async def verify_on(self) -> None:
        """The chain holds from where it was verified last, so that a long run costs no more than its events."""
        organization_id = self.cast.organization.id
        seq, fault = await verify(organization_id, *self.verified)
        assert fault is None, fault
        self.verified = seq, (await Event.get(organization_id=organization_id, seq=seq)).hash

    async def verify_all(self) -> None:
        """The whole chain holds, from its first event on."""
        self.verified = (0, GENESIS)
        await self.verify_on()


@dataclass
class Past:
    """What a machine remembers of its board: the fences it was given, the moves it can take back, what it checked."""

    time: ExitStack = field(default_factory=ExitStack)
    known: list[tuple[int, UUID, int]] = field(default_factory=list)
    undo: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    law: Law = field(default_factory=Law)
    deeds: deque[str] = field(default_factory=lambda: deque(maxlen=100))

    @classmethod
    async def of(cls, ground: Ground) -> "Past | None":
        """What the database says of a board whose machine died with its process; nothing when that had not begun."""
        past, board_id = cls(law=Law(ground.cast.board.id, 0, ground.seen, ground.reached)), ground.cast.board.id
        if not await rows("SELECT 1 AS one FROM boards WHERE id = ? AND require_approval_for_done", board_id):
            return None
        [newest] = await rows("SELECT MAX(created_at) AS at FROM events WHERE board_id = ?", board_id)
        past.time.enter_context(times.travelled((as_moment(newest["at"]) or times.clock_now()) - times.clock_now()))
        workers = {str(ground.cast.vega.id): 0, str(ground.cast.rigel.id): 1}
        for run in await rows("SELECT agent_id, task_id, fence FROM task_runs ORDER BY started_at, id"):
            if str(run["agent_id"]) in workers:
                past.known.append((workers[str(run["agent_id"])], UUID(str(run["task_id"])), run["fence"]))
        past.law.failed = {row.id: row.failed_attempts for row in await oracle.tasks_of(board_id)}
        return past


def deed(**given: Any) -> Callable[[Callable[..., None]], Any]:
    """A rule that is counted, so that a run can show what it has seen."""

    def counted(work: Callable[..., None]) -> Any:
        @wraps(work)
        def done(self: "RunsMachine", *first: Any, **chosen: Any) -> None:
            self.ground.steps += 1
            self.ground.seen[work.__name__] += 1
            self.past.deeds.append(f"{work.__name__} {first or chosen}")
            with self.told():
                work(self, *first, **chosen)

        made: Any = rule
        return made(**given)(done)

    return counted


class RunsMachine(RuleBasedStateMachine):
    """One board from nothing to chaos; it needs an approval before a task is done."""

    ground: Ground

    def __init__(self) -> None:
        super().__init__()
        past = self.ground.past if self.ground.grows_old else None
        self.past = self.ground.past = past or Past()
        if past is None:
            self.run(self._start())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.ground.loop).result(60)

    def may(self, call: Coroutine[Any, Any, Answer], *refusals: int) -> Answer:
        answer: Answer = self.run(call)
        assert answer.status in (200, *refusals), f"{answer.status}: {answer.body}"
        return answer

    def must(self, call: Coroutine[Any, Any, Answer]) -> Any:
        return self.may(call).body

    async def _start(self) -> None:
        cast = self.cast
        await Task.all().delete()
        await rows("DELETE FROM approvals")
        await rows("DELETE FROM agent_questions")
        await rows("DELETE FROM worker_holds")
        running = {"work_state": "running", "work_state_reason": None}
        await Board.filter(id=cast.board.id).update(
            **running,
            wip_limits=None,
            only_lead_can_change_status=False,
            block_status_changes_with_pending_approval=False,
            require_approval_for_done=True,
            require_review_before_done=False,
        )
        await Agent.filter(board_id=cast.board.id).update(**running, wip_limit=None)
        await Organization.filter(id=cast.organization.id).update(**running)
        for priority in PRIORITIES[:4]:
            await cast.add_task(priority=priority)
        [row] = await rows("SELECT MAX(seq) AS seq FROM events WHERE board_id = ?", cast.board.id)
        self.past.law = Law(cast.board.id, row["seq"], self.ground.seen, self.ground.reached)

    def teardown(self) -> None:
        """The log of everything that happened holds; what came before this machine is walked once more at the end."""
        try:
            self.run(self.ground.verify_on())
        finally:
            if not self.ground.grows_old:
                self.past.time.close()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Say of a fault what came before it: no second try finds a board that has grown old as it was."""
        try:
            yield
        except Exception as error:
            print(f"{error!r} after:", *self.past.deeds, sep="\n")
            raise

    def later(self, seconds: int) -> None:
        self.past.time.enter_context(times.travelled(timedelta(seconds=seconds)))

    # Who and what

    @property
    def cast(self) -> Cast:
        return self.ground.cast

    def worker(self, number: int) -> Program:
        return (self.cast.vega, self.cast.rigel)[number]

    def table(self) -> list[Row]:
        found: list[Row] = self.run(oracle.tasks_of(self.cast.board.id))
        return found

    def refusal(self, agent: Program) -> str | None:
        """Why nothing at all may be handed to an agent now."""
        found: str | None = self.run(oracle.refusal(self.cast.board.id, agent))
        return found

    def may_have(self, agent: Program, row: Row) -> bool:
        """Whether a task may be handed to an agent that may be handed something at all."""
        return bool(self.run(oracle.may_have(self.cast.board.id, agent, row)))

    def trashed(self, number: int) -> Any:
        found = self.run(rows("SELECT id FROM tasks WHERE board_id = ? AND deleted_at IS NOT NULL", self.cast.board.id))
        return found[number % len(found)]["id"] if found else None

    def some_approval(self, number: int, status: str) -> str | None:
        """An approval by a number that means nothing."""
        linked = "EXISTS (SELECT 1 FROM approval_task_links l WHERE l.approval_id = a.id)"
        which = f"AND {linked}" if number % 4 else ""  # mostly one that is about tasks
        found = self.run(rows(f"SELECT a.id FROM approvals a WHERE a.status = ? {which} ORDER BY a.id", status))
        return str(found[number % len(found)]["id"]) if found else None

    def count_of(self, statement: str) -> int:
        return int(self.run(rows(f"SELECT COUNT(*) AS n FROM {statement}"))[0]["n"])

    def some_task(self, number: int) -> Row | None:
        """A task by a number that means nothing."""
        there = [row for row in self.table() if row.is_there and (row.status != "done" or number % 4 == 0)]
        return there[number % len(there)] if there else None

    # People and time

    @deed(priority=st.sampled_from(PRIORITIES), due_in=st.none() | st.integers(-3, 5), on=st.none() | ANY)
    def a_person_adds_a_task(self, priority: str, due_in: int | None, on: int | None) -> None:
        """A task, perhaps with a day and something it waits for."""
        if self.open_tasks() >= FULL:
            return
        wanted: dict[str, Any] = {"title": "Work", "priority": priority}
        if due_in is not None:
            wanted["due_at"] = (times.clock_now() + timedelta(days=due_in)).isoformat()
        other = self.some_task(on) if on is not None else None
        if other is not None:
            wanted["depends_on_task_ids"] = [str(other.id)]
        self.must(self.cast.ada.post(self.cast.tasks, wanted))

    @deed(seconds=st.sampled_from((1, 20, 61, 400, 4_000, 90_000)))
    def time_goes_on(self, seconds: int) -> None:
        self.later(seconds)

    @deed()
    def leases_are_swept(self) -> None:
        self.run(expire_due())
        self.run(end_silent_holds())
        for row in self.run(rows("SELECT lease_expires_at FROM task_runs WHERE ended_at IS NULL")):
            expires_at = as_moment(row["lease_expires_at"])
            assert expires_at is None or expires_at > times.clock_now()

    @deed(task=ANY)
    def a_person_clears_a_flag(self, task: int) -> None:
        if (row := self.some_task(task)) is not None:
            self.must(self.cast.ada.delete(f"{self.cast.task(row)}/flag"))

    @deed(
        worker=WORKERS,
        named=st.none() | ANY,
        question=st.booleans(),
        park=st.booleans(),
        resume=st.sampled_from(("all", "all", "any")),
        soon=st.booleans(),
        lost=st.booleans(),
    )
    def an_agent_asks_to_wait(
        self, worker: int, named: int | None, question: bool, park: bool, resume: str, soon: bool, lost: bool
    ) -> None:
        """A question or an approval, perhaps about a task of its own, perhaps with a deadline, perhaps twice."""
        if self.count_of("agent_questions WHERE state = 'open'") > 4:
            return
        agent, wanted = self.worker(worker), dict[str, Any](resume=resume, park=park)
        own = [row for row in self.table() if row.agent == agent.id and row.status == "in_progress" and row.is_there]
        if named is not None and own:
            wanted["task_id"] = str(own[named % len(own)].id)
        if soon:
            wanted |= {"decide_in": 60}
        if question:
            path, wanted = f"/agent{self.cast.home}/questions", wanted | {"content": "Which?"}
        else:
            path = self.cast.approvals
            wanted |= {"action_type": "go", "confidence": 50, "lead_reasoning": "So."}
            wanted |= {"otherwise": "send_back"} if soon else {}
        key = {"Idempotency-Key": f"ask-{self.ground.steps}-{times.clock_now()}"} if lost else {}
        answer = self.may(agent.post(path, wanted, headers=key), 409)
        if answer.status != 200:
            assert "conflicts" in str(answer.body) or answer.refused(409)["code"] == "no_run"
        elif lost:
            assert self.run(agent.post(path, wanted, headers=key)).ok()["id"] == answer.body["id"]

    @deed()
    def everything_may_go_on(self) -> None:
        """So that the machine does not spend its steps on a board that stands still, or on a full one."""
        self.run(self._let_go())
        stuck = {"flagged": self._unflag, "nobody's": self._move_back, "a person's": self._move_back}
        if self.open_tasks() > FULL // 2:
            stuck |= {"review": self._review, "blocked": self._unblock, "held": self._move_back}
        for row in self.table():
            if row.is_there and (step := stuck.get(row.state)) is not None:
                step(row, self.cast.vega)

    def open_tasks(self) -> int:
        """How many tasks are not done."""
        return sum(row.is_there and row.status != "done" for row in self.table())

    async def _let_go(self) -> None:
        cast, running = self.cast, {"state": "running"}
        for path in (f"/agents/{cast.vega.id}", f"/agents/{cast.rigel.id}", cast.home, "/organizations/me"):
            (await cast.ada.call("PUT", f"{path}/work-state", running)).ok()
        for one in self.workers():
            (await cast.ada.patch(f"/agents/{one.id}", {"wip_limit": None})).ok()
        rules = {"only_lead_can_change_status": False, "wip_limits": None}
        (await cast.ada.patch(cast.home, rules)).ok()

    @deed(
        worker=WORKERS,
        question=st.booleans(),
        parks=st.booleans(),
        meanwhile=st.sampled_from(("nothing", "lease ends", "other work", "taken over", "asks again")),
        answered=st.booleans(),
        then=st.sampled_from(("claims", "hands in", "is silent", "nothing")),
    )
    def an_agent_asks_and_leaves(
        self, worker: int, question: bool, parks: bool, meanwhile: str, answered: bool, then: str
    ) -> None:
        """Claims a task, asks about it, comes back later or not at all."""
        agent = self.worker(worker)
        if (task_id := self._claimed(worker, 30)) is None:
            return
        wanted: dict[str, Any] = {"task_id": str(task_id), "park": parks}
        if question:
            asked = self.run(agent.post(f"/agent{self.cast.home}/questions", {**wanted, "content": "Which?"}))
        else:
            wanted |= {"action_type": "go", "confidence": 50, "lead_reasoning": "So."}
            asked = self.may(agent.post(self.cast.approvals, wanted), 409)
        if asked.status != 200:
            return
        if meanwhile == "lease ends":
            self.later(31)
            self.run(expire_due())
        elif meanwhile == "other work":
            self._claimed(worker)
        elif meanwhile == "taken over":
            self.may(self.cast.cleo.patch(self.cast.task(task_id), {"assigned_agent_id": None}), 409)
        elif meanwhile == "asks again":
            again = {"task_id": str(task_id), "content": "And which?", "park": True, "resume": "any"}
            self.run(agent.post(f"/agent{self.cast.home}/questions", again)).ok()
        if answered:
            path = f"{self.cast.home}/{'questions' if question else 'approvals'}/{asked.body['id']}"
            sent = ("answers", {"answer": "So."}) if question else ("decisions", {"decision": "approved"})
            self.may(self.cast.cleo.post(f"{path}/{sent[0]}", sent[1]), 409)
        if then == "claims":
            self.an_agent_claims(worker, 900)
        elif then == "hands in":
            self._hand_in(*next(one for one in reversed(self.past.known) if one[1] == task_id), None)
        elif then == "is silent":
            self.later(4_000)
            self.silent_agents_lose_what_waits()

    @deed(worker=WORKERS)
    def a_lease_runs_out_for_the_fifth_time(self, worker: int) -> None:
        task_id = self._claimed(worker, 30)
        for row in [one for one in self.table() if one.id == task_id and not one.asks]:  # with asks it waits
            self.run(rows("UPDATE tasks SET failed_attempts = ? WHERE id = ?", FLAGGED_AT - 1, row.id))
            self.later(31)
            self.run(expire_due())

    @deed(which=ANY)
    def an_agent_parks(self, which: int) -> None:
        self._write(which, "POST", "/parking", lambda fence: {"fence": fence}, needs_run=True)

    @deed(which=ANY, withdraws=st.booleans())
    def a_question_is_settled(self, which: int, withdraws: bool) -> None:
        found = self.run(rows("SELECT id FROM agent_questions WHERE state = 'open' ORDER BY created_at, id"))
        if not found:
            return
        path = f"{self.cast.home}/questions/{found[which % len(found)]['id']}"
        if withdraws:
            self.must(self.cast.atlas.delete(f"/agent{path}"))
        else:
            self.must(self.cast.cleo.post(f"{path}/answers", {"answer": "This one."}))

    @deed(worker=WORKERS, begins=st.booleans(), then=st.sampled_from(("nothing", "goes on", "take_over", "stop")))
    def a_worker_waits_for_its_limit(self, worker: int, begins: bool, then: str) -> None:
        """With what its agent has in progress; it is a failed attempt of nobody."""
        agent = self.worker(worker)
        if begins:
            self._claimed(worker)
        own = [row for row in self.table() if row.is_there and row.status == "in_progress" and row.agent == agent.id]
        keeps = [{"id": str(row.id), "lease": {"fence": row.fence}} for row in own]
        held = self.run(hold(agent, *keeps, account=f"{worker}"))
        if then == "goes on":
            self._end_hold(held["id"])
        elif then != "nothing":
            path = f"{self.cast.home}/holds/{held['id']}/answers"
            self.may(self.cast.cleo.post(path, {"answer": then}), 409, 422)

    def _end_hold(self, hold_id: object) -> None:
        found = self.run(rows("SELECT agent_id FROM hold_workers WHERE hold_id = ?", hold_id))
        agent = next(one for one in self.workers() if str(one.id) == str(found[0]["agent_id"]))
        self.must(agent.delete(f"/agent/holds/{hold_id}"))

    @deed()
    def deadlines_end(self) -> None:
        self.run(end_due())

    @deed(worker=WORKERS)
    def an_agent_gives_a_sign(self, worker: int) -> None:
        self.run(self.worker(worker).get("/agent/inbox")).ok()

    @deed()
    def silent_agents_lose_what_waits(self) -> None:
        """What waited for an agent for longer than an hour without a sign is for anybody, and nothing else is."""
        before = {row.id: row for row in self.table()}
        self.run(take_from_silent())
        for row in self.table():
            was = before[row.id]
            if (row.status, row.agent) != (was.status, was.agent):
                assert was.state in ("ready", "rework", "blocked", "resting", "flagged"), was.state
                assert (row.status, row.agent) == ("inbox", None)

    @deed(status=st.sampled_from(("expired", "allow")))
    def a_gateway_settles(self, status: str) -> None:
        self.run(self._settle(status))

    async def _settle(self, status: str) -> None:
        for one in (await settling.pending_approvals(self.ground.gateway))[:1]:
            await settling.end_approval(one, Ended(status))

    @deed(
        closed=st.integers(0, 9).map(lambda number: number == 9),
        held=st.booleans(),
        limits=st.sampled_from((None, {"in_progress": 1}, {"in_progress": 3}, {"review": 1})),
    )
    def the_board_gets_rules(self, closed: bool, held: bool, limits: dict[str, int] | None) -> None:
        """Change rules that claims depend on; mostly the board stays open for claims."""
        changes = {
            "only_lead_can_change_status": closed,
            "block_status_changes_with_pending_approval": held,
            "wip_limits": limits,
        }
        self.must(self.cast.ada.patch(self.cast.home, changes))

    @deed(worker=WORKERS, limit=st.sampled_from((None, None, 1, 2)))
    def an_agent_gets_a_limit(self, worker: int, limit: int | None) -> None:
        self.must(self.cast.ada.patch(f"/agents/{self.worker(worker).id}", {"wip_limit": limit}))

    @deed(
        who=st.sampled_from(("agent", "board", "organization")),
        worker=WORKERS,
        state=st.sampled_from(("running",) * 8 + ("paused", "stopped")),
    )
    def a_person_pauses(self, who: str, worker: int, state: str) -> None:
        agent = self.worker(worker)
        path = {"agent": f"/agents/{agent.id}", "board": self.cast.home, "organization": "/organizations/me"}[who]
        was = self.must(self.cast.ada.get(path))["work_state"]
        self.must(self.cast.ada.call("PUT", f"{path}/work-state", {"state": state}))
        if state == "stopped" != was:  # what people start for whom they have stopped is their own decision
            whose = {row.agent for row in self.table() if row.is_there and row.status == "in_progress"}
            assert not (whose & {agent.id} if who == "agent" else whose & {a.id for a in self.workers()})

    def workers(self) -> tuple[Program, Program]:
        return self.cast.vega, self.cast.rigel

    # Agents

    @deed(worker=WORKERS, lease=st.sampled_from((30, 900, 86_400)))
    def an_agent_claims(self, worker: int, lease: int) -> None:
        """Claim the best task, if one may be claimed."""
        agent = self.worker(worker)
        self.run(expire_due())
        at = times.clock_now()
        refusal, before = self.refusal(agent), self.table()
        ready = [row for row in before if row.is_there and row.agent == agent.id and row.state == "ready"]
        halt = self.run(oracle.refusal(self.cast.board.id, agent, resuming=True)) if ready else "nothing is ready"
        fit = [row for row in before if self.may_have(agent, row) and (row.agent or agent.id not in row.gave_back)]
        answer: Answer = self.run(agent.post(f"/agent{self.cast.home}/claims", {"lease_seconds": lease}))
        if halt == "paused":
            assert answer.refused(409)["code"].endswith("paused")
            return
        if halt is None:
            [row] = [one for one in ready if str(one.id) == answer.ok()["task"]["id"]]
            assert answer.body["lease"]["fence"] == row.fence, "a run that waited goes on before everything else"
            return
        if refusal in ("paused", "claims_disabled"):
            assert answer.refused(409)["code"].endswith("paused" if refusal == "paused" else "claims_disabled")
            return
        taken = answer.ok()["task"]
        if refusal == "wip" or not fit:
            assert taken is None and answer.body["lease"] is None
            return
        assert taken is not None, "there was work that could be handed out"
        best = min(fit, key=lambda row: oracle.rank(agent, row, at))
        [got] = [row for row in fit if str(row.id) == taken["id"]]
        assert oracle.rank(agent, got, at) == oracle.rank(agent, best, at), "there was better work"
        self._handed_out(worker, got, answer.body["lease"]["fence"])

    @deed(worker=WORKERS, task=ANY)
    def an_agent_claims_by_name(self, worker: int, task: int) -> None:
        if (row := self.some_task(task)) is None:
            return
        agent = self.worker(worker)
        self.run(expire_due())
        row = next(one for one in self.table() if one.id == row.id)
        is_free = self.refusal(agent) is None and self.may_have(agent, row)
        answer = self.run(agent.post(f"/agent{self.cast.home}/claims", {"task_id": str(row.id)}))
        if is_free:
            self._handed_out(worker, row, answer.ok()["lease"]["fence"])
        elif answer.status == 200:  # its own, once more
            assert row.agent == agent.id and row.status == "in_progress"
            assert answer.body["lease"]["fence"] == row.fence
        else:
            assert answer.refused(409)["code"]

    @deed(worker=WORKERS, task=ANY)
    def an_agent_claims_as_it_used_to(self, worker: int, task: int) -> None:
        if (row := self.some_task(task)) is not None:
            agent = self.worker(worker)
            answer = self.run(agent.patch(f"/agent{self.cast.task(row)}", {"status": "in_progress"}))
            assert answer.status in (200, 403, 409), answer.body
            if answer.status == 200 and not (row.status == "in_progress" and row.agent == agent.id):
                self._handed_out(worker, row, row.fence + 1)

    def _claimed(self, worker: int, lease: int = 900) -> UUID | None:
        """What an agent is given, if anything."""
        sent = {"lease_seconds": lease}
        answer = self.may(self.worker(worker).post(f"/agent{self.cast.home}/claims", sent), 409)
        if answer.status != 200 or answer.body["task"] is None:
            return None
        self.past.known.append((worker, UUID(answer.body["task"]["id"]), answer.body["lease"]["fence"]))
        return self.past.known[-1][1]

    def _handed_out(self, worker: int, row: Row, fence: int) -> None:
        assert fence == row.fence + 1, "every hand-out raises the fence by one"
        self.ground.claims += 1
        self.past.known.append((worker, row.id, fence))

    @deed(which=ANY)
    def an_agent_extends(self, which: int) -> None:
        self._write(which, "POST", "/lease", lambda fence: {"fence": fence, "lease_seconds": 600}, needs_run=True)

    @deed(which=ANY)
    def an_agent_releases(self, which: int) -> None:
        self._write(which, "DELETE", "/lease", lambda fence: {"fence": fence, "reason": "no time"}, needs_run=True)

    @deed(which=ANY)
    def an_agent_comments(self, which: int) -> None:
        """Write in the name of an assignment."""
        self._write(which, "POST", "/comments", lambda _: {"message": "So far."}, needs_run=False)

    @deed(which=ANY)
    def an_agent_completes(self, which: int) -> None:
        wanted = {"summary": "Done.", "input_tokens": 10, "cost_usd": "0.01"}
        self._write(which, "POST", "/completions", lambda fence: {"fence": fence, **wanted}, needs_run=True)

    def _write(self, which: int, method: str, path: str, body: Any, *, needs_run: bool) -> None:
        if not self.past.known:
            return
        worker, task_id, fence = self.past.known[which % len(self.past.known)]
        agent, standing = self.worker(worker), self.run(oracle.standing(task_id, fence, self.worker(worker).id))
        whole = f"/agent{self.cast.task(task_id)}{path}"
        headers = {"X-Task-Fence": str(fence)}
        answer: Answer = self.run(agent.call(method, whole, body(fence), headers=headers))
        if standing == "gone":
            assert answer.status in (404, 409), answer.body
        elif standing == "lost":
            if path == "/completions" and answer.status == 200:  # handed in before: the same answer once more
                assert answer.body["run"]["state"] == "completed"
                return
            assert answer.refused(409)["code"] == "lease_lost"
        elif standing == "running" or not needs_run:
            held = answer.status == 409 and answer.detail["code"] != "lease_lost"
            held = held or (answer.status == 403 and self.refusal(agent) == "claims_disabled")
            assert answer.status == 200 or (held and path in ("/lease", "/completions")), answer.body

    @deed(task=ANY)
    def somebody_takes_the_next_step(self, task: int) -> None:
        """Of a task in the state where it was taken least, the one that the oracle names; what the API says fits."""
        self.run(expire_due())
        there = [one for one in self.table() if one.is_there]
        if not there:
            return
        number = task % len(there)
        row = min(there[number:] + there[:number], key=lambda one: self.ground.taken.get(one.state, 0))
        if row.status != "done":
            reasons = self.must(self.cast.ada.get(f"{self.cast.task(row)}/waiting"))["reasons"]
            kinds = {one["kind"] for one in reasons}
            assert kinds, f"nobody knows what {row.state} waits for"
            expected = {"waiting": "parked", "ready": "ready", "flagged": "flagged", "working": "lease"}.get(row.state)
            assert expected is None or expected in kinds, (row.state, kinds)
        who = next((one for one in self.workers() if one.id == row.agent), None)
        step = {
            "flagged": self._unflag,
            "waiting": self._answer,
            "ready": self._claim,
            "free": self._claim,
            "assigned": self._claim,
            "rework": self._claim,
            "working": self._go_on,
            "held": self._go_on,
            "review": self._send_back if task % 3 == 0 else self._review,
            "nobody's": self._move_back,
            "a person's": self._move_back,
        }.get(row.state)
        if step is None or step(row, who or self.worker(task % 2)):
            self.ground.taken[row.state] = self.ground.taken.get(row.state, 0) + 1

    def _unflag(self, row: Row, _: Program) -> bool:
        self.must(self.cast.cleo.delete(f"{self.cast.task(row)}/flag"))
        return True

    def _unblock(self, row: Row, _: Program) -> bool:
        self.must(self.cast.cleo.patch(self.cast.task(row), {"depends_on_task_ids": []}))
        return True

    def _answer(self, row: Row, _: Program) -> bool:
        kind, one = row.asks[0]
        if kind == "hold":
            self._end_hold(one)
        elif kind == "question":
            self.must(self.cast.cleo.post(f"{self.cast.home}/questions/{one}/answers", {"answer": "So."}))
        else:
            self.must(self.cast.cleo.post(f"{self.cast.approvals}/{one}/decisions", {"decision": "approved"}))
        return True

    def _claim(self, row: Row, agent: Program) -> bool:
        if row.agent not in (None, agent.id):
            return False
        halt = self.run(oracle.refusal(self.cast.board.id, agent, resuming=row.is_ready))
        if halt is not None or not (row.is_ready or self.may_have(agent, row)):
            return False
        answer = self.run(agent.post(f"/agent{self.cast.home}/claims", {"task_id": str(row.id)}))
        assert answer.ok()["lease"]["fence"] == row.fence + (not row.is_ready)
        self.past.known.append((self.workers().index(agent), row.id, answer.body["lease"]["fence"]))
        return True

    def _go_on(self, row: Row, agent: Program) -> bool:
        if row.agent != agent.id:  # the lead's
            return False
        path = f"/agent{self.cast.task(row)}"
        done = {"fence": row.fence, "summary": "Done."}
        return self.may(agent.post(f"{path}/completions", done), 403, 409).status == 200

    def _review(self, row: Row, _: Program) -> bool:
        sent = {"decision": "approved", "note": "So."}
        return self.may(self.cast.cleo.post(f"{self.cast.task(row)}/reviews", sent), 409).status == 200

    def _send_back(self, row: Row, _: Program) -> bool:
        sent = {"decision": "changes_requested", "note": "Not yet."}
        return self.may(self.cast.cleo.post(f"{self.cast.task(row)}/reviews", sent), 409).status == 200

    def _move_back(self, row: Row, _: Program) -> bool:
        return self.may(self.cast.cleo.patch(self.cast.task(row), {"status": "inbox"}), 409).status == 200

    # The end of the process

    @contextmanager
    def dying(self) -> Iterator[None]:
        """The process ends when the next command is about to commit: nothing of it stays."""
        before, flush = self.run(self._stored()), commands._flush

        async def die(unit: Any) -> Any:
            await flush(unit)
            raise Killed

        with patch.object(commands, "_flush", die):
            yield
        assert self.run(self._stored()) == before, "half a command stayed"

    async def _stored(self) -> list[Any]:
        found = [await rows(f"SELECT * FROM {table} ORDER BY id") for table in TABLES]
        events = await rows("SELECT seq, hash FROM events WHERE seq > ? ORDER BY seq", self.past.law.checked)
        return [str(one) for one in (*found, events)]

    @deed(deed=st.sampled_from(("ask", "claim", "answer", "decide", "hand in", "sweep", "silent", "move")), which=ANY)
    def the_process_dies(self, deed: str, which: int) -> None:
        """Before the commit; then the same is done again, or something else."""
        with self.dying():
            with suppress(Killed):
                self.run(self._deed(deed, which))

    async def _deed(self, deed: str, which: int) -> None:
        cast, agent = self.cast, self.worker(which % 2)
        there = [row for row in await oracle.tasks_of(cast.board.id) if row.is_there]
        row = there[which % len(there)] if there else None
        if deed == "ask":
            await agent.post(f"/agent{cast.home}/questions", {"content": "Which?", "park": True})
        elif deed == "claim":
            await agent.post(f"/agent{cast.home}/claims", {})
        elif deed == "sweep":
            await expire_due()
        elif deed == "silent":
            await take_from_silent()
        elif row is not None and deed == "move":
            await cast.cleo.patch(cast.task(row), {"status": STATUSES[which % 4]})
        elif row is not None and deed == "hand in":
            await agent.post(f"/agent{cast.task(row)}/completions", {"fence": row.fence, "summary": "Done."})
        elif row is not None and row.asks:
            kind, one = row.asks[0]
            if kind == "hold":
                await cast.cleo.post(f"{cast.home}/holds/{one}/answers", {"answer": "take_over"})
            elif kind == "question":
                await cast.cleo.post(f"{cast.home}/questions/{one}/answers", {"answer": "So."})
            else:
                await cast.cleo.post(f"{cast.approvals}/{one}/decisions", {"decision": "approved"})

    # As in the queue

    @deed(task=ANY, status=st.sampled_from(STATUSES), lead=st.booleans(), place=st.sampled_from((None, "top")))
    def somebody_moves_a_card(self, task: int, status: str, lead: bool, place: str | None) -> None:
        """A person or the lead, by PATCH or by dragging it."""
        if (row := self.some_task(task)) is None:
            return
        who, path = (self.cast.atlas if lead else self.cast.cleo), self.cast.task(row)
        if place is None or lead:
            self.may(who.patch(path, {"status": status}), 403, 409)
        else:
            self.may(who.post(f"{path}/moves", {"status": status, "place": place}), 409)
        self.past.undo.append((str(row.id), {"status": row.status, **_assignee(row)}))

    @deed(tasks=st.lists(ANY, min_size=1, max_size=3), status=st.sampled_from(STATUSES))
    def a_person_moves_many(self, tasks: list[int], status: str) -> None:
        found = {str(row.id): row for one in tasks if (row := self.some_task(one)) is not None}
        if found:
            self.may(self.cast.cleo.post(f"{self.cast.tasks}/changes", each(found, status=status)), 409)
            self.past.undo += [(one, {"status": row.status, **_assignee(row)}) for one, row in found.items()]

    @deed(which=ANY, many=st.booleans())
    def a_person_takes_a_move_back(self, which: int, many: bool) -> None:
        """As the toast after a move does, or that of a bulk change."""
        if not self.past.undo:
            return
        task_id, before = self.past.undo.pop(which % len(self.past.undo))
        if many:
            changes = {"changes": [{"task_id": task_id, **before}]}
            self.may(self.cast.cleo.post(f"{self.cast.tasks}/changes", changes), 409)
        else:
            self.may(self.cast.cleo.post(f"{self.cast.task(task_id)}/moves", before), 404, 409, 422)

    @deed(task=ANY, whom=st.sampled_from(("vega", "rigel", "atlas", "cleo", None)))
    def a_person_assigns(self, task: int, whom: str | None) -> None:
        """To an agent, a person or nobody."""
        if (row := self.some_task(task)) is not None:
            name = "assigned_user_id" if whom == "cleo" else "assigned_agent_id"
            value = str(getattr(self.cast, whom).id) if whom else None
            self.may(self.cast.cleo.patch(self.cast.task(row), {name: value}), 409)

    @deed(task=ANY, then=st.sampled_from(("stays", "restored", "old ones")))
    def a_person_uses_the_trash(self, task: int, then: str) -> None:
        """And perhaps thinks better of it, at once or later."""
        if then == "old ones":
            if (gone := self.trashed(task)) is not None:
                self.may(self.cast.cleo.post(f"{self.cast.task(gone)}/restorations"), 409)
        elif (row := self.some_task(task)) is not None and (then == "restored" or len(self.table()) >= 6):
            self.must(self.cast.cleo.delete(self.cast.task(row)))
            if then == "restored":
                self.may(self.cast.cleo.post(f"{self.cast.task(row)}/restorations"), 409)

    @deed(which=ANY, decision=st.sampled_from(DECISIONS), then=st.sampled_from(("inbox", "mine", "trash")))
    def a_person_decides(self, which: int, decision: str, then: str) -> None:
        if (one := self.some_approval(which, "pending")) is not None:
            sent = {"decision": decision, "note": "So.", "then": then}
            self.may(self.cast.cleo.post(f"{self.cast.approvals}/{one}/decisions", sent), 409)

    @deed(which=ANY, status=st.sampled_from(("approved", "rejected")), to=st.sampled_from(("approved", "pending")))
    def a_person_thinks_again(self, which: int, status: str, to: str) -> None:
        """About a decided approval, as clients of the predecessor do."""
        if (one := self.some_approval(which, status)) is not None:
            self.may(self.cast.ada.patch(f"{self.cast.approvals}/{one}", {"status": to}), 404, 409)

    @deed(task=ANY, decision=st.sampled_from(("approved", "changes_requested")))
    def a_person_reviews(self, task: int, decision: str) -> None:
        """With "Approve and finish", or by sending it back."""
        if (row := self.some_task(task)) is not None and row.status == "review":
            sent = {"decision": decision, "note": "So."}
            self.may(self.cast.cleo.post(f"{self.cast.task(row)}/reviews", sent), 409)

    # Handing in and asking

    @deed(which=ANY, status=st.sampled_from((None, "done", "review")))
    def an_agent_hands_in(self, which: int, status: str | None) -> None:
        """With one of the fences that were given out last."""
        if self.past.known:
            self._hand_in(*self.past.known[-1 - min(which % 4, len(self.past.known) - 1)], status)

    @deed(
        worker=WORKERS,
        asks=st.none() | st.sampled_from(ACTIONS),
        hands_in=st.booleans(),
        status=st.sampled_from((None, "done", "review")),
    )
    def an_agent_does_a_task(self, worker: int, asks: str | None, hands_in: bool, status: str | None) -> None:
        """Claims the best one, perhaps asks and gets a yes, and perhaps hands it in."""
        if (task_id := self._claimed(worker)) is None:
            return
        if asks is not None:
            wanted = {"action_type": asks, "confidence": 50, "lead_reasoning": "So.", "task_id": str(task_id)}
            asked = self.may(self.worker(worker).post(self.cast.approvals, wanted), 409)
            if asked.status == 200:
                sent = {"decision": "approved"}
                self.must(self.cast.cleo.post(f"{self.cast.approvals}/{asked.body['id']}/decisions", sent))
        if hands_in:
            self._hand_in(*self.past.known[-1], status)

    def _hand_in(self, worker: int, task_id: UUID, fence: int, status: str | None) -> None:
        sent = {"fence": fence, "summary": "Done.", **({"status": status} if status else {})}
        path = f"/agent{self.cast.task(task_id)}/completions"
        self.may(self.worker(worker).post(path, sent), 403, 404, 409)

    @deed(worker=WORKERS, task=ANY, status=st.sampled_from(STATUSES))
    def an_agent_moves_a_card(self, worker: int, task: int, status: str) -> None:
        """By PATCH, as clients of the predecessor do."""
        if (row := self.some_task(task)) is not None:
            self.may(self.worker(worker).patch(self.cast.task(row), {"status": status}), 403, 409)

    @deed(
        who=st.sampled_from(("vega", "rigel", "atlas", "cleo")),
        action=st.sampled_from(ACTIONS),
        tasks=st.lists(ANY, max_size=2),
        approved=st.booleans(),
    )
    def somebody_asks(self, who: str, action: str, tasks: list[int], approved: bool) -> None:
        """An approval of any kind, about no task, one or two."""
        ids = sorted({str(row.id) for one in tasks if (row := self.some_task(one)) is not None})
        wanted = {"action_type": action, "confidence": 50, "lead_reasoning": "So.", "task_ids": ids}
        if approved:  # counts for a person only
            wanted["status"] = "approved"
        self.may(getattr(self.cast, who).post(self.cast.approvals, wanted), 409)

    @deed(number=ANY)
    def a_gateway_asks(self, number: int) -> None:
        if self.count_of("approvals WHERE gateway_id IS NOT NULL AND status = 'pending'") >= 2:
            return
        asked = AskedApproval(f"{number}-{self.ground.steps}", None, "exec", "mc-vega", {"gateway_request": {}})
        vega = Asker(self.cast.vega.id, "Vega", "vega", self.cast.board)
        self.run(keep_approval(system(self.cast.organization.id), self.ground.gateway, vega, asked))

    # What must always hold

    @invariant()
    def everything_holds(self) -> None:
        """The law, see `runs_law.py`."""
        with self.told():
            self.run(self.past.law.holds())


async def _rest(*_: object) -> None:
    """What a loop does meanwhile."""


@contextmanager
def alone() -> Iterator[None]:
    """Only the machine ends leases, waits and deadlines: its checks read one table after the other."""
    with patch.object(LEASES, "look", _rest), patch.object(DEADLINES, "look", _rest):
        yield


async def prepare(cast: Cast, *, grows_old: bool = False) -> Ground:
    """The ground for a machine: everybody, with rights looked up anew each time, and a gateway that asks for Vega."""
    lookups.recheck_streams()
    gateway = await add_gateway(cast.organization.id)
    return Ground(asyncio.get_running_loop(), cast, GatewayRef(gateway.id, cast.organization.id), grows_old)


def _assignee(row: Row) -> dict[str, str]:
    found = {"assigned_agent_id": row.agent, "assigned_user_id": row.user}
    return {name: str(value) for name, value in found.items() if value is not None}
