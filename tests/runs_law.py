"""What must hold after every step of the machine of runs, from the rows and from the event log alone."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from mission_control.database.sql import rows
from tests import runs_oracle as oracle
from tests.runs_oracle import NEXT, Row

STATUSES = ("inbox", "in_progress", "review", "done")
FINISHING = ("task.finish", "mark_task_done", "task.complete", "complete_task")
APPROVALS = ("approval.requested", "approval.decided", "approval.reopened")
FLAGGED_AT = 5
# An ask of the run `r` of the task `t` is about work that goes on, or was handed in.
CURRENT = (
    "(r.fence = t.fence AND t.deleted_at IS NULL AND ((t.status = 'in_progress' AND r.ended_at IS NULL)"
    " OR (t.status = 'review' AND r.state = 'completed')))"
)
OF_RUN = "JOIN task_runs r ON r.id = x.run_id JOIN tasks t ON t.id = r.task_id"
# Tasks that must not be.
NEVER = (
    "SELECT l.task_id FROM approval_task_links l JOIN tasks t ON t.id = l.task_id"
    " WHERE l.is_pending AND t.deleted_at IS NOT NULL",
    f"SELECT r.task_id FROM approval_task_links x {OF_RUN} WHERE x.is_pending AND NOT {CURRENT}",
    f"SELECT r.task_id FROM approvals x {OF_RUN} WHERE x.status = 'pending' AND NOT {CURRENT}",
    f"SELECT r.task_id FROM agent_questions x {OF_RUN} WHERE x.state = 'open' AND NOT {CURRENT}",
    # Nothing is lost by a lease that ran out while people had not answered.
    "SELECT r.task_id FROM agent_questions q JOIN task_runs r ON r.id = q.run_id"
    " WHERE r.state = 'expired' AND q.closed_at IS NOT NULL AND q.closed_at >= r.ended_at",
    "SELECT task_id FROM task_runs WHERE ended_at IS NULL AND parked_at IS NOT NULL AND lease_expires_at IS NOT NULL",
    "SELECT task_id FROM task_runs WHERE ended_at IS NULL AND parked_at IS NULL AND ready_at IS NOT NULL",
    # Handed in, and nobody is asked; without an agent a person did it over, and put it there.
    "SELECT t.id AS task_id FROM tasks t JOIN task_runs r ON r.task_id = t.id AND r.fence = t.fence"
    " WHERE t.status = 'review' AND t.deleted_at IS NULL AND r.state = 'completed' AND r.summary IS NOT NULL"
    " AND t.review_agent_id IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM approval_task_links l JOIN approvals a ON a.id = l.approval_id"
    " WHERE l.task_id = t.id AND (l.is_pending OR (a.status = 'approved' AND l.asked_attempt = t.attempt)))",
)
ANY_OF_THEM = " UNION ALL ".join(f"SELECT {at} AS law, s.task_id FROM ({one}) AS s" for at, one in enumerate(NEVER))
HAND_OUTS = (
    "SELECT task_id, COUNT(*) AS runs, COUNT(DISTINCT fence) AS fences, MIN(fence) AS first, MAX(fence) AS last"
    " FROM task_runs GROUP BY task_id"
)


@dataclass
class Law:
    """The law of one board, and what was seen of it up to the last step."""

    board_id: UUID | None = None
    checked: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    fences: dict[UUID, int] = field(default_factory=dict)
    failed: dict[UUID, int] = field(default_factory=dict)
    stories: dict[str, "Story"] = field(default_factory=dict)

    async def holds(self) -> None:
        """One live run for each task in an agent's hands and for no other; fences only grow; and all the rest."""
        tasks = await oracle.tasks_of(self.board_id)
        await self._runs_hold(tasks)
        expired = await self._log_holds()
        for row in tasks:
            assert row.failed_attempts <= self.failed.get(row.id, 0) or str(row.id) in expired, (
                "an attempt counted that no lease ended"
            )
            self.failed[row.id] = row.failed_attempts
            assert not row.is_flagged or row.failed_attempts >= FLAGGED_AT
            state = row.state if row.is_there else "out of sight"
            self.reached[state] += 1
            assert state in NEXT or not row.is_there, f"nobody has a next step in {state}"
            if row.is_there and row.is_parked:
                is_right = row.is_answered == row.is_ready and (row.is_ready or row.asks)
                assert is_right, f"it waits, and nothing is asked any more: {row} {await told(row.id)}"
        for found in await rows(ANY_OF_THEM):
            raise AssertionError(f"{NEVER[found['law']]}: {await told(found['task_id'])}")

    async def _runs_hold(self, tasks: list[Row]) -> None:
        found = await rows(oracle.LIVE)
        live = {str(run["task_id"]): run for run in found}
        assert len(live) == len(found), "one live run per task"
        handed_out = {str(one["task_id"]): one for one in await rows(HAND_OUTS)}
        for row in tasks:
            assert row.fence >= self.fences.get(row.id, 0), "fences only grow"
            self.fences[row.id] = row.fence
            if (one := handed_out.get(str(row.id))) is not None or row.fence:
                assert one is not None, "every hand-out has its run"
                assert one["runs"] == one["fences"] == one["last"] == row.fence, "every hand-out has its run"
                assert one["first"] == 1
            held = live.get(str(row.id))
            is_held = row.status == "in_progress" and row.agent is not None and not row.is_deleted
            assert (held is not None) == is_held
            assert held is None or (str(held["agent_id"]), held["fence"]) == (str(row.agent), row.fence)

    async def _log_holds(self) -> set[str]:
        """Whatever is done was approved; return the tasks whose leases ended."""
        expired = set[str]()
        found = await rows(
            "SELECT seq, kind, actor_kind, task_id, data, created_at FROM events WHERE board_id = ? AND seq > ?"
            " ORDER BY seq",
            self.board_id,
            self.checked,
        )
        for row in found:
            data, kind, task_id = orjson.loads(row["data"]), row["kind"], str(row["task_id"])
            after = data if kind == "task.created" else data.get("after") or {}
            if kind in ("task.status_changed", "task.created") and after.get("status") == "done":
                self.seen["done"] += 1
                story = self.stories.get(task_id, Story(task_id))
                if not story.approved & story.asked:
                    raise AssertionError(f"done without an approval of the hand-in at {row['seq']}: {story.log}")
            for one in data["task_ids"] if kind in APPROVALS else [task_id]:
                self.stories.setdefault(str(one), Story(str(one))).tell(row, data)
            if kind == "task.lease_expired":
                expired.add(task_id)
            self.checked = int(row["seq"])
        return expired


async def told(task_id: Any) -> str:
    found = await rows(
        "SELECT seq, kind, actor_kind, data FROM events WHERE task_id = ? ORDER BY seq DESC LIMIT 30", task_id
    )
    return "\n".join(f"{row['seq']} {row['kind']} {row['actor_kind']} {row['data']}" for row in reversed(found))


@dataclass
class Story:
    """What the log says of one task: the requests to finish its present attempt, and which are approved."""

    task_id: str
    status: str = "inbox"
    agent: str | None = None
    asked: set[str] = field(default_factory=set)
    approved: set[str] = field(default_factory=set)
    returned: tuple[str, Any] | None = None  # the approval whose decision is taken back, and when
    log: list[str] = field(default_factory=list)

    def tell(self, row: dict[str, Any], data: dict[str, Any]) -> None:
        kind, approval = row["kind"], str(data.get("approval_id"))
        if kind == "approval.requested":
            if data["action_type"] in FINISHING:
                self.asked.add(approval)
                self.approved |= {approval} if data["status"] == "approved" else set()
        elif kind in ("approval.decided", "approval.reopened"):
            yes = kind == "approval.decided" and data["decision"] == "approved" and row["actor_kind"] == "user"
            self.approved = self.approved | {approval} if yes else self.approved - {approval}
            if self.task_id in data["outcomes"]:
                self.returned = approval, row["created_at"]
        else:
            self._change(row, data)
        self.log.append(f"{row['seq']} {kind} {row['actor_kind']} {data} asked {self.asked} approved {self.approved}")

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
