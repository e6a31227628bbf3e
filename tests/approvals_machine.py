"""Hand-ins, decisions and everything that people do to a task meanwhile, in any order, on a board that needs approvals.

The machine speaks HTTP and moves the test clock. What opens the gate to done is worked out from the event log alone:
no line is shared with the code that it checks.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import system
from mission_control.database.sql import rows
from mission_control.gateways.events import GatewayRef
from mission_control.home.asking import Asker
from mission_control.home.gateway_request_reading import AskedApproval
from mission_control.home.intake import keep_approval
from mission_control.http import lookups
from mission_control.runs.leases import expire_due
from mission_control.tasks.models import Task
from tests.cast import Answer, Cast, Program
from tests.gateway_agents import add_gateway

STATUSES = ("inbox", "in_progress", "review", "done")
FINISHING = ("task.finish", "mark_task_done")
ACTIONS = (*FINISHING, "task.complete", "complete_task", "read.docs", "deploy", "send.email")
DECISIONS = ("approved", "rejected", "changes_requested")
WORKERS = st.integers(0, 1)
ANY = st.integers(0, 10_000)


@dataclass
class Ground:
    """Where the machine runs, how many steps it took, and what it saw."""

    loop: asyncio.AbstractEventLoop
    cast: Cast
    gateway: GatewayRef
    steps: int = 0
    finished: int = 0
    seen: dict[str, int] = field(default_factory=dict)


async def prepare(cast: Cast) -> Ground:
    """The ground for a machine: a board that needs approvals, and a gateway that asks for Vega."""
    lookups.recheck_streams()
    gateway = await add_gateway(cast.organization.id)
    return Ground(asyncio.get_running_loop(), cast, GatewayRef(gateway.id, cast.organization.id))


class ApprovalsMachine(RuleBasedStateMachine):
    """One board that needs an approval before a task is done."""

    ground: Ground

    def __init__(self) -> None:
        super().__init__()
        self.time = ExitStack()
        self.known: list[tuple[int, str, int]] = []
        self.undo: list[tuple[str, dict[str, Any]]] = []
        self.checked = 0
        self.run(self._start())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something in the application's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.ground.loop).result(60)

    async def _start(self) -> None:
        await Task.all().delete()
        await rows("DELETE FROM approvals")
        await rows("DELETE FROM agent_questions")
        flags = {"require_review_before_done": False, "block_status_changes_with_pending_approval": False}
        await Board.filter(id=self.cast.board.id).update(require_approval_for_done=True, **flags)
        for _ in range(3):
            await self.cast.add_task()
        [row] = await rows("SELECT MAX(seq) AS seq FROM events WHERE board_id = ?", self.cast.board.id)
        self.checked = int(row["seq"])

    def teardown(self) -> None:
        """Time goes back."""
        self.time.close()

    @property
    def cast(self) -> Cast:
        """Everybody."""
        return self.ground.cast

    def count(self, what: str) -> None:
        """Remember that something was tried."""
        self.ground.steps += 1
        self.ground.seen[what] = self.ground.seen.get(what, 0) + 1

    def worker(self, number: int) -> Program:
        """One of the two workers."""
        return (self.cast.vega, self.cast.rigel)[number]

    def tasks(self, *, trashed: bool = False) -> list[Task]:
        """The tasks of the board, or those of its trash."""

        async def found() -> list[Task]:
            return await Task.filter(board_id=self.cast.board.id, deleted_at__isnull=not trashed).order_by("number")

        there: list[Task] = self.run(found())
        return there

    def some_task(self, number: int, *, trashed: bool = False) -> Task | None:
        """A task by a number that means nothing."""
        there = self.tasks(trashed=trashed)
        return there[number % len(there)] if there else None

    def some_approval(self, number: int, status: str) -> str | None:
        """An approval by a number that means nothing."""
        linked = "EXISTS (SELECT 1 FROM approval_task_links l WHERE l.approval_id = a.id)"
        which = f"AND {linked}" if number % 4 else ""  # mostly one that is about tasks
        found = self.run(rows(f"SELECT a.id FROM approvals a WHERE a.status = ? {which} ORDER BY a.id", status))
        return str(found[number % len(found)]["id"]) if found else None

    def may(self, answer: Answer, *refusals: int) -> Answer:
        """An answer that is a success, or one of these refusals."""
        assert answer.status in (200, *refusals), f"{answer.status}: {answer.body}"
        return answer

    # People and time

    @precondition(lambda self: len(self.tasks()) < 3)
    @rule()
    def a_person_adds_a_task(self) -> None:
        """So that there is always one to work on, and few enough that everything happens to the same ones."""
        self.count("add")
        self.run(self.cast.add_task())

    @rule(seconds=st.sampled_from((1, 61, 4_000)))
    def time_goes_on(self, seconds: int) -> None:
        """Leases end with it."""
        self.count("time")
        self.time.enter_context(times.travelled(timedelta(seconds=seconds)))
        self.run(expire_due())

    @rule(task=ANY, status=st.sampled_from(STATUSES), lead=st.booleans(), place=st.sampled_from((None, "top")))
    def somebody_moves_a_card(self, task: int, status: str, lead: bool, place: str | None) -> None:
        """A person or the lead, by PATCH or by dragging it."""
        self.count("lead moves" if lead else "move")
        if (row := self.some_task(task)) is None:
            return
        who, path = (self.cast.atlas if lead else self.cast.cleo), self.cast.task(row)
        if place is None or lead:
            self.may(self.run(who.patch(path, {"status": status})), 403, 409)
        else:
            self.may(self.run(who.post(f"{path}/moves", {"status": status, "place": place})), 409)
        self.undo.append((str(row.id), {"status": row.status, **_assignee(row)}))

    @rule(tasks=st.lists(ANY, min_size=1, max_size=3), status=st.sampled_from(STATUSES))
    def a_person_moves_many(self, tasks: list[int], status: str) -> None:
        """All of them or none."""
        self.count("bulk")
        found = {str(row.id): row for one in tasks if (row := self.some_task(one)) is not None}
        if found:
            wanted = {"task_ids": list(found), "move": {"status": status}}
            self.may(self.run(self.cast.cleo.post(f"{self.cast.tasks}/bulk", wanted)), 409)
            self.undo += [(one, {"status": row.status, **_assignee(row)}) for one, row in found.items()]

    @rule(which=ANY, many=st.booleans())
    def a_person_takes_a_move_back(self, which: int, many: bool) -> None:
        """As the toast after a move does, or that of a bulk change."""
        self.count("undo")
        if not self.undo:
            return
        task_id, before = self.undo.pop(which % len(self.undo))
        if many:
            changes = {"changes": [{"task_id": task_id, **before}]}
            self.may(self.run(self.cast.cleo.post(f"{self.cast.tasks}/changes", changes)), 409)
        else:
            self.may(self.run(self.cast.cleo.post(f"{self.cast.task(task_id)}/moves", before)), 404, 409, 422)

    @rule(task=ANY, whom=st.sampled_from(("vega", "rigel", "atlas", "cleo", None)))
    def a_person_assigns(self, task: int, whom: str | None) -> None:
        """To an agent, a person or nobody."""
        self.count("assign")
        if (row := self.some_task(task)) is not None:
            name = "assigned_user_id" if whom == "cleo" else "assigned_agent_id"
            value = str(getattr(self.cast, whom).id) if whom else None
            self.may(self.run(self.cast.cleo.patch(self.cast.task(row), {name: value})), 409)

    @rule(task=ANY, restores=st.booleans())
    def a_person_uses_the_trash(self, task: int, restores: bool) -> None:
        """In both directions."""
        self.count("restore" if restores else "trash")
        row = self.some_task(task, trashed=restores)
        if row is not None and restores:
            self.may(self.run(self.cast.cleo.post(f"{self.cast.task(row)}/restorations")), 409)
        elif row is not None:
            self.run(self.cast.cleo.delete(self.cast.task(row))).ok()

    @rule(which=ANY, decision=st.sampled_from(DECISIONS), then=st.sampled_from(("inbox", "mine", "trash")))
    def a_person_decides(self, which: int, decision: str, then: str) -> None:
        """A pending approval."""
        self.count("decide")
        self._decide(which, {"decision": decision, "note": "So.", "then": then})

    @rule(which=ANY)
    def a_person_approves(self, which: int) -> None:
        """One of the pending requests."""
        self.count("approve")
        self._decide(which, {"decision": "approved"})

    def _decide(self, which: int, sent: dict[str, str]) -> None:
        """A pending approval, if there is one."""
        if (one := self.some_approval(which, "pending")) is not None:
            self.may(self.run(self.cast.cleo.post(f"{self.cast.approvals}/{one}/decisions", sent)), 409)

    @rule(which=ANY, status=st.sampled_from(("approved", "rejected")), to=st.sampled_from(("approved", "pending")))
    def a_person_thinks_again(self, which: int, status: str, to: str) -> None:
        """About a decided approval, as clients of the predecessor do."""
        self.count("think again")
        if (one := self.some_approval(which, status)) is not None:
            self.may(self.run(self.cast.ada.patch(f"{self.cast.approvals}/{one}", {"status": to})), 404, 409)

    @rule(task=ANY, decision=st.sampled_from(("approved", "changes_requested")))
    def a_person_reviews(self, task: int, decision: str) -> None:
        """With "Approve and finish", or by sending it back."""
        self.count("review")
        if (row := self.some_task(task)) is not None and row.status == "review":
            sent = {"decision": decision, "note": "So."}
            self.may(self.run(self.cast.cleo.post(f"{self.cast.task(row)}/reviews", sent)), 409)

    # Agents

    @rule(worker=WORKERS, task=ANY, named=st.booleans())
    def an_agent_claims(self, worker: int, task: int, named: bool) -> None:
        """The best task, or one by its name."""
        self.count("claim")
        row = self.some_task(task) if named else None
        wanted = {"lease_seconds": 60, **({"task_id": str(row.id)} if row else {})}
        answer = self.may(self.run(self.worker(worker).post(f"/agent{self.cast.home}/claims", wanted)), 409)
        if answer.status == 200 and answer.body["task"] is not None:
            self.known.append((worker, answer.body["task"]["id"], answer.body["lease"]["fence"]))

    @rule(which=ANY, status=st.sampled_from((None, "done", "review")))
    def an_agent_hands_in(self, which: int, status: str | None) -> None:
        """With one of the fences that were given out last."""
        self.count("hand in")
        if self.known:
            self._hand_in(*self.known[-1 - min(which % 4, len(self.known) - 1)], status)

    @rule(
        worker=WORKERS,
        asks=st.none() | st.sampled_from(ACTIONS),
        hands_in=st.booleans(),
        status=st.sampled_from((None, "done", "review")),
    )
    def an_agent_does_a_task(self, worker: int, asks: str | None, hands_in: bool, status: str | None) -> None:
        """Claims the best one, perhaps asks and gets a yes, and perhaps hands it in."""
        self.count("do a task")
        answer = self.may(self.run(self.worker(worker).post(f"/agent{self.cast.home}/claims", {})), 409)
        if answer.status != 200 or answer.body["task"] is None:
            return
        self.known.append((worker, answer.body["task"]["id"], answer.body["lease"]["fence"]))
        if asks is not None:
            wanted = {"action_type": asks, "confidence": 50, "lead_reasoning": "So.", "task_id": self.known[-1][1]}
            asked = self.may(self.run(self.worker(worker).post(self.cast.approvals, wanted)), 409)
            if asked.status == 200:
                sent = {"decision": "approved"}
                self.run(self.cast.cleo.post(f"{self.cast.approvals}/{asked.body['id']}/decisions", sent)).ok()
        if hands_in:
            self._hand_in(*self.known[-1], status)

    def _hand_in(self, worker: int, task_id: str, fence: int, status: str | None) -> None:
        sent = {"fence": fence, "summary": "Done.", **({"status": status} if status else {})}
        path = f"/agent{self.cast.task(task_id)}/completions"
        self.may(self.run(self.worker(worker).post(path, sent)), 404, 409)

    @rule(which=ANY)
    def an_agent_gives_back(self, which: int) -> None:
        """A task that it once had."""
        self.count("release")
        if self.known:
            worker, task_id, fence = self.known[which % len(self.known)]
            path = f"/agent{self.cast.task(task_id)}/lease?fence={fence}"
            self.may(self.run(self.worker(worker).delete(path)), 404, 409)

    @rule(worker=WORKERS, task=ANY, status=st.sampled_from(STATUSES))
    def an_agent_moves_a_card(self, worker: int, task: int, status: str) -> None:
        """By PATCH, as clients of the predecessor do."""
        self.count("PATCH")
        if (row := self.some_task(task)) is not None:
            self.may(self.run(self.worker(worker).patch(self.cast.task(row), {"status": status})), 403, 409)

    @rule(
        who=st.sampled_from(("vega", "rigel", "atlas", "cleo")),
        action=st.sampled_from(ACTIONS),
        tasks=st.lists(ANY, max_size=2),
        approved=st.booleans(),
    )
    def somebody_asks(self, who: str, action: str, tasks: list[int], approved: bool) -> None:
        """An approval of any kind, about no task, one or two."""
        self.count("ask")
        ids = sorted({str(row.id) for one in tasks if (row := self.some_task(one)) is not None})
        wanted = {"action_type": action, "confidence": 50, "lead_reasoning": "So.", "task_ids": ids}
        if approved:  # counts for a person only
            wanted["status"] = "approved"
        self.may(self.run(getattr(self.cast, who).post(self.cast.approvals, wanted)), 409)

    def waiting(self, statement: str) -> int:
        """How many rows a statement counts."""
        return int(self.run(rows(f"SELECT COUNT(*) AS n FROM {statement}"))[0]["n"])

    @precondition(lambda self: self.waiting("approvals WHERE gateway_id IS NOT NULL AND status = 'pending'") < 2)
    @rule(number=ANY)
    def a_gateway_asks(self, number: int) -> None:
        """For Vega, about a command."""
        self.count("gateway")
        asked = AskedApproval(f"{number}-{self.ground.steps}", "exec", "mc-vega", None, {"gateway_request": {}})
        vega = Asker(self.cast.vega.id, "Vega", "vega", self.cast.board)
        self.run(keep_approval(system(self.cast.organization.id), self.ground.gateway, vega, asked))

    @precondition(lambda self: self.waiting("agent_questions WHERE state = 'open'") < 2)
    @rule(worker=WORKERS)
    def an_agent_asks_a_question(self, worker: int) -> None:
        """Which keeps its task for it."""
        self.count("question")
        self.run(self.worker(worker).post(f"/agent{self.cast.home}/questions", {"content": "Which?"})).ok()

    # What must always hold

    @invariant()
    def everything_holds(self) -> None:
        """Done needs a yes to the present hand-in, and nothing waits for a decision without an effect."""
        self.run(self._hold())

    async def _hold(self) -> None:
        found = await rows(
            "SELECT seq, kind, task_id, data FROM events WHERE board_id = ? AND seq > ? ORDER BY seq",
            self.cast.board.id,
            self.checked,
        )
        for row in found:
            data = orjson.loads(row["data"])
            if row["kind"] in ("task.status_changed", "task.created"):
                status = data["after"].get("status") if row["kind"] != "task.created" else data["status"]
                if status == "done":
                    await self._was_approved(str(row["task_id"]), int(row["seq"]))
            self.checked = int(row["seq"])
        await self._nothing_is_moot()

    async def _was_approved(self, task_id: str, at: int) -> None:
        """A person approved a request to finish it that was made since it last went back or got a new run."""
        self.ground.finished += 1
        log = await rows(
            "SELECT seq, kind, actor_kind, task_id, data, created_at FROM events WHERE board_id = ? AND seq < ?"
            " ORDER BY seq",
            self.cast.board.id,
            at,
        )
        story = _Story(task_id)
        for row in log:
            story.tell(row, orjson.loads(row["data"]))
        assert story.approved & story.asked, f"done without an approval of the present hand-in: {task_id} at {at}"

    async def _nothing_is_moot(self) -> None:
        over = "('released', 'superseded')"
        for statement in (
            "SELECT 1 AS one FROM approval_task_links l JOIN tasks t ON t.id = l.task_id"
            " WHERE l.is_pending AND t.deleted_at IS NOT NULL",
            "SELECT 1 AS one FROM approval_task_links l JOIN task_runs r ON r.id = l.run_id"
            f" WHERE l.is_pending AND r.state IN {over}",
            "SELECT 1 AS one FROM approvals a JOIN task_runs r ON r.id = a.run_id"
            f" WHERE a.status = 'pending' AND r.state IN {over}",
            "SELECT 1 AS one FROM agent_questions q JOIN task_runs r ON r.id = q.run_id"
            " JOIN tasks t ON t.id = r.task_id"
            f" WHERE q.state = 'open' AND (r.state IN {over} OR t.status = 'done' OR t.deleted_at IS NOT NULL)",
        ):
            assert not await rows(statement), statement
        assert not await rows(
            "SELECT t.id FROM tasks t JOIN task_runs r ON r.task_id = t.id AND r.fence = t.fence"
            " WHERE t.status = 'review' AND t.deleted_at IS NULL AND r.state = 'completed' AND r.summary IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM approval_task_links l JOIN approvals a ON a.id = l.approval_id"
            " WHERE l.task_id = t.id AND (l.is_pending OR (a.status = 'approved' AND l.asked_attempt = t.attempt)))"
        ), "handed in, and nobody is asked"


@dataclass
class _Story:
    """What the log says of one task: the requests to finish its present attempt, and which are approved."""

    task_id: str
    status: str = "inbox"
    agent: str | None = None
    asked: set[str] = field(default_factory=set)
    approved: set[str] = field(default_factory=set)
    returned: tuple[str, Any] | None = None  # the approval whose decision is taken back, and when

    def tell(self, row: dict[str, Any], data: dict[str, Any]) -> None:
        """Follow one event."""
        kind, approval = row["kind"], str(data.get("approval_id"))
        if kind == "approval.requested" and self.task_id in data["task_ids"]:
            if data["action_type"] in ACTIONS[:4]:
                self.asked.add(approval)
                self.approved |= {approval} if data["status"] == "approved" else set()
        elif kind in ("approval.decided", "approval.reopened"):
            yes = kind == "approval.decided" and data["decision"] == "approved" and row["actor_kind"] == "user"
            self.approved = self.approved | {approval} if yes else self.approved - {approval}
            if self.task_id in data["outcomes"]:
                self.returned = approval, row["created_at"]
        elif str(row["task_id"]) == self.task_id:
            self._change(row, data)

    def _change(self, row: dict[str, Any], data: dict[str, Any]) -> None:
        before, after = data.get("before") or {}, data.get("after") or {}
        status = after.get("status", self.status)
        self.agent = after.get("assigned_agent_id", self.agent)
        starts = row["kind"] == "task.restored" and data["status"] == "in_progress" and self.agent is not None
        is_worked_on = self.status == status == "in_progress" and before.get("assigned_agent_id") is not None
        is_taken_away = is_worked_on and "assigned_agent_id" in after
        if STATUSES.index(status) < STATUSES.index(self.status) or "fence" in after or starts or is_taken_away:
            self.asked = set()
        if self.returned is not None and self.returned[1] == row["created_at"]:
            if status == "review" or row["kind"] == "task.restored":
                self.asked.add(self.returned[0])
        self.status = status


def _assignee(task: Task) -> dict[str, str]:
    names = ("assigned_agent_id", "assigned_user_id")
    return {name: str(value) for name in names if (value := getattr(task, name)) is not None}
