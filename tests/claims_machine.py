"""Agents, people and time against one board, in any order: what must hold after every step.

The machine speaks HTTP to the application in this process and moves the test clock. What it expects of a claim is
in `claims_oracle.py`.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.database.sql import as_moment, rows
from mission_control.http import lookups
from mission_control.log.event_log import GENESIS, verify
from mission_control.log.models import Event
from mission_control.people.models import Organization
from mission_control.runs.leases import expire_due
from mission_control.tasks.models import Task
from tests import claims_oracle as oracle
from tests.cast import Answer, Cast, Program
from tests.claims_oracle import Row

PRIORITIES = ("urgent", "high", "medium", "low", "whenever")
FLAGGED_AT = 5
WORKERS = st.integers(0, 1)
ANY = st.integers(0, 10_000)


@dataclass
class Ground:
    """Where the machine runs: the loop of the application, everybody, and how many steps were taken."""

    loop: asyncio.AbstractEventLoop
    cast: Cast
    steps: int = 0
    claims: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    verified: tuple[int, str] = (0, GENESIS)

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


class ClaimsMachine(RuleBasedStateMachine):
    """One board from nothing to chaos."""

    ground: Ground

    def __init__(self) -> None:
        super().__init__()
        self.time = ExitStack()
        self.fences: dict[UUID, int] = {}
        self.known: list[tuple[int, UUID, int]] = []
        self.run(self._start())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something in the application's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.ground.loop).result(60)

    async def _start(self) -> None:
        cast = self.cast
        await Task.all().delete()
        await rows("DELETE FROM approvals")
        running = {"work_state": "running", "work_state_reason": None}
        await Board.filter(id=cast.board.id).update(
            **running,
            wip_limits=None,
            only_lead_can_change_status=False,
            block_status_changes_with_pending_approval=False,
            require_approval_for_done=False,
        )
        await Agent.filter(board_id=cast.board.id).update(**running, wip_limit=None)
        await Organization.filter(id=cast.organization.id).update(**running)
        for priority in PRIORITIES[:4]:
            await cast.add_task(priority=priority)

    def teardown(self) -> None:
        """The log of everything that happened holds; what came before this machine is walked once more at the end."""
        try:
            self.run(self.ground.verify_on())
        finally:
            self.time.close()

    # Who and what

    @property
    def cast(self) -> Cast:
        """Everybody."""
        return self.ground.cast

    def worker(self, number: int) -> Program:
        """One of the two workers."""
        return (self.cast.vega, self.cast.rigel)[number]

    def count(self, what: str) -> None:
        """Remember that something was tried, so that a run can show what it has seen."""
        self.ground.steps += 1
        self.ground.seen[what] = self.ground.seen.get(what, 0) + 1

    def table(self) -> list[Row]:
        """All tasks of the board as they are."""
        found: list[Row] = self.run(oracle.tasks_of(self.cast.board.id))
        return found

    def refusal(self, agent: Program) -> str | None:
        """Why nothing at all may be handed to an agent now."""
        found: str | None = self.run(oracle.refusal(self.cast.board.id, agent))
        return found

    def may_have(self, agent: Program, row: Row) -> bool:
        """Whether a task may be handed to an agent that may be handed something at all."""
        return bool(self.run(oracle.may_have(self.cast.board.id, agent, row)))

    def some_task(self, number: int) -> Row | None:
        """A task by a number that means nothing."""
        there = [row for row in self.table() if row.is_there]
        return there[number % len(there)] if there else None

    # People and time

    @rule(priority=st.sampled_from(PRIORITIES), due_in=st.none() | st.integers(-3, 5), on=st.none() | ANY)
    def a_person_adds_a_task(self, priority: str, due_in: int | None, on: int | None) -> None:
        """A task, perhaps with a day and something it waits for."""
        self.count("add")
        there = self.table()
        if len(there) >= 14:
            return
        wanted: dict[str, Any] = {"title": "Work", "priority": priority}
        if due_in is not None:
            wanted["due_at"] = (times.clock_now() + timedelta(days=due_in)).isoformat()
        other = self.some_task(on) if on is not None else None
        if other is not None:
            wanted["depends_on_task_ids"] = [str(other.id)]
        self.run(self.cast.ada.post(self.cast.tasks, wanted)).ok()

    @rule(seconds=st.sampled_from((1, 20, 61, 400, 4_000, 90_000)))
    def time_goes_on(self, seconds: int) -> None:
        """The test clock moves."""
        self.count("time")
        self.time.enter_context(times.travelled(timedelta(seconds=seconds)))

    @rule()
    def leases_are_swept(self) -> None:
        """What the background loop does."""
        self.count("sweep")
        self.run(expire_due())
        for row in self.run(rows("SELECT lease_expires_at FROM task_runs WHERE ended_at IS NULL")):
            expires_at = as_moment(row["lease_expires_at"])
            assert expires_at is None or expires_at > times.clock_now()

    @rule(task=ANY, status=st.sampled_from(("inbox", "in_progress", "review", "done")))
    def a_person_moves_a_card(self, task: int, status: str) -> None:
        """Wherever they like; blocked cards stay."""
        self.count("move")
        if (row := self.some_task(task)) is not None:
            answer = self.run(self.cast.ada.patch(self.cast.task(row), {"status": status}))
            assert answer.status in (200, 409), answer.body

    @rule(task=ANY, worker=st.none() | WORKERS)
    def a_person_assigns(self, task: int, worker: int | None) -> None:
        """To a worker, or to nobody."""
        self.count("assign")
        if (row := self.some_task(task)) is not None:
            agent_id = None if worker is None else str(self.worker(worker).id)
            answer = self.run(self.cast.ada.patch(self.cast.task(row), {"assigned_agent_id": agent_id}))
            assert answer.status in (200, 409), answer.body

    @rule(task=ANY, back=st.booleans())
    def a_person_deletes(self, task: int, back: bool) -> None:
        """And perhaps thinks better of it."""
        self.count("delete and restore" if back else "delete")
        if (row := self.some_task(task)) is None or (not back and len(self.table()) < 6):
            return
        self.run(self.cast.ada.delete(self.cast.task(row))).ok()
        if back:
            self.run(self.cast.ada.post(f"{self.cast.task(row)}/restorations")).ok()

    @rule(task=ANY)
    def a_person_clears_a_flag(self, task: int) -> None:
        """Whether there is one or not."""
        self.count("unflag")
        if (row := self.some_task(task)) is not None:
            self.run(self.cast.ada.delete(f"{self.cast.task(row)}/flag")).ok()

    @rule(task=ANY)
    def an_agent_asks(self, task: int) -> None:
        """An approval about a task, unless it has one."""
        self.count("ask")
        if (row := self.some_task(task)) is not None:
            wanted = {"action_type": "go", "confidence": 50, "lead_reasoning": "So.", "task_ids": [str(row.id)]}
            answer = self.run(self.cast.vega.post(self.cast.approvals, wanted))
            assert answer.status == (409 if row.is_held else 200), answer.body

    @rule(decision=st.sampled_from(("approved", "rejected")))
    def a_person_decides(self, decision: str) -> None:
        """The oldest pending approval."""
        self.count("decide")
        found = self.run(rows("SELECT id FROM approvals WHERE status = 'pending' ORDER BY created_at LIMIT 1"))
        if found:
            self.run(self.cast.ada.patch(f"{self.cast.approvals}/{found[0]['id']}", {"status": decision})).ok()

    @rule(
        closed=st.integers(0, 5).map(lambda number: number == 5),
        held=st.booleans(),
        limits=st.sampled_from((None, {"in_progress": 1}, {"in_progress": 3}, {"review": 1})),
    )
    def the_board_gets_rules(self, closed: bool, held: bool, limits: dict[str, int] | None) -> None:
        """Change rules that claims depend on; mostly the board stays open for claims."""
        self.count("rules")
        changes = {
            "only_lead_can_change_status": closed,
            "block_status_changes_with_pending_approval": held,
            "wip_limits": limits,
        }
        self.run(self.cast.ada.patch(self.cast.home, changes)).ok()

    @rule(worker=WORKERS, limit=st.sampled_from((None, None, 1, 2)))
    def an_agent_gets_a_limit(self, worker: int, limit: int | None) -> None:
        """Of tasks at once."""
        self.count("limit")
        self.run(self.cast.ada.patch(f"/agents/{self.worker(worker).id}", {"wip_limit": limit})).ok()

    @rule(
        who=st.sampled_from(("agent", "board", "organization")),
        worker=WORKERS,
        state=st.sampled_from(("running",) * 6 + ("paused", "stopped")),
    )
    def a_person_pauses(self, who: str, worker: int, state: str) -> None:
        """Or stops, or lets go on."""
        self.count("pause")
        agent = self.worker(worker)
        path = {"agent": f"/agents/{agent.id}", "board": self.cast.home, "organization": "/organizations/me"}[who]
        was = self.run(self.cast.ada.get(path)).ok()["work_state"]
        self.run(self.cast.ada.call("PUT", f"{path}/work-state", {"state": state})).ok()
        if state == "stopped" != was:  # what people start for whom they have stopped is their own decision
            whose = {row.agent for row in self.table() if row.is_there and row.status == "in_progress"}
            assert not (whose & {agent.id} if who == "agent" else whose & {a.id for a in self.workers()})

    def workers(self) -> tuple[Program, Program]:
        """Both workers."""
        return self.cast.vega, self.cast.rigel

    # Agents

    @rule(worker=WORKERS, lease=st.sampled_from((30, 900, 86_400)))
    def an_agent_claims(self, worker: int, lease: int) -> None:
        """Claim the best task, if one may be claimed."""
        self.count("claim")
        agent = self.worker(worker)
        self.run(expire_due())
        at = times.clock_now()
        refusal, before = self.refusal(agent), self.table()
        fit = [row for row in before if self.may_have(agent, row)]
        answer: Answer = self.run(agent.post(f"/agent{self.cast.home}/claims", {"lease_seconds": lease}))
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

    @rule(worker=WORKERS, task=ANY)
    def an_agent_claims_by_name(self, worker: int, task: int) -> None:
        """A named task: it gets it, or 409."""
        self.count("claim by name")
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

    @rule(worker=WORKERS, task=ANY)
    def an_agent_claims_as_it_used_to(self, worker: int, task: int) -> None:
        """By PATCH, as clients know it."""
        self.count("claim by PATCH")
        if (row := self.some_task(task)) is not None:
            agent = self.worker(worker)
            answer = self.run(agent.patch(f"/agent{self.cast.task(row)}", {"status": "in_progress"}))
            assert answer.status in (200, 403, 409), answer.body
            if answer.status == 200 and not (row.status == "in_progress" and row.agent == agent.id):
                self._handed_out(worker, row, row.fence + 1)

    def _handed_out(self, worker: int, row: Row, fence: int) -> None:
        assert fence == row.fence + 1, "every hand-out raises the fence by one"
        self.ground.claims += 1
        self.known.append((worker, row.id, fence))

    @rule(which=ANY)
    @precondition(lambda self: self.known)
    def an_agent_extends(self, which: int) -> None:
        """With a fence that it once got."""
        self.count("extend")
        self._write(which, "POST", "/lease", lambda fence: {"fence": fence, "lease_seconds": 600}, needs_run=True)

    @rule(which=ANY)
    @precondition(lambda self: self.known)
    def an_agent_releases(self, which: int) -> None:
        """The task goes back."""
        self.count("release")
        self._write(which, "DELETE", "/lease", lambda fence: {"fence": fence, "reason": "no time"}, needs_run=True)

    @rule(which=ANY)
    @precondition(lambda self: self.known)
    def an_agent_comments(self, which: int) -> None:
        """Write in the name of an assignment."""
        self.count("comment")
        self._write(which, "POST", "/comments", lambda _: {"message": "So far."}, needs_run=False)

    @rule(which=ANY)
    @precondition(lambda self: self.known)
    def an_agent_completes(self, which: int) -> None:
        """Hands in what it did."""
        self.count("complete")
        wanted = {"summary": "Done.", "input_tokens": 10, "cost_usd": "0.01"}
        self._write(which, "POST", "/completions", lambda fence: {"fence": fence, **wanted}, needs_run=True)

    def _write(self, which: int, method: str, path: str, body: Any, *, needs_run: bool) -> None:
        worker, task_id, fence = self.known[which % len(self.known)]
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

    # What must always hold

    @invariant()
    def everything_holds(self) -> None:
        """One live run for each task in an agent's hands and for no other; fences only grow."""
        self.run(self._hold())

    async def _hold(self) -> None:
        runs = await rows("SELECT task_id, agent_id, fence, state, ended_at FROM task_runs ORDER BY fence")
        live: dict[str, dict[str, Any]] = {}
        numbers: dict[str, list[int]] = {}
        for run in runs:
            numbers.setdefault(str(run["task_id"]), []).append(run["fence"])
            if run["ended_at"] is None:
                assert str(run["task_id"]) not in live, "one live lease per task"
                live[str(run["task_id"])] = run
        for row in await oracle.tasks_of(self.cast.board.id):
            assert row.fence >= self.fences.get(row.id, 0), "fences only grow"
            self.fences[row.id] = row.fence
            assert numbers.get(str(row.id), []) == list(range(1, row.fence + 1)), "every hand-out has its run"
            in_hands = row.status == "in_progress" and row.agent is not None and await self._is_live(row.id)
            held = live.get(str(row.id))
            assert (held is not None) == in_hands
            if held is not None:
                assert str(held["agent_id"]) == str(row.agent) and held["fence"] == row.fence
            if row.is_flagged:
                [kept] = await rows("SELECT failed_attempts FROM tasks WHERE id = ?", row.id)
                assert kept["failed_attempts"] >= FLAGGED_AT

    @staticmethod
    async def _is_live(task_id: UUID) -> bool:
        [row] = await rows("SELECT deleted_at FROM tasks WHERE id = ?", task_id)
        return row["deleted_at"] is None


async def prepare(cast: Cast) -> Ground:
    """The ground for a machine: everybody, with rights looked up anew each time."""
    lookups.recheck_streams()
    return Ground(asyncio.get_running_loop(), cast)
