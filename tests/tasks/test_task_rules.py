"""The three rule sets: every status to every status, for everybody, blocked or not.

A cell says what happens: `same` (200, nothing changes), a name of OUTCOMES, or a refusal.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from mission_control.boards.statuses import STATUSES
from mission_control.tasks.models import Task, TaskDependency
from tests.cast import Caller, Cast, changes, head, stamp
from tests.samples import sampled

BEGUN, EARLIER = stamp(-60), stamp(-120)
JUST_NOW = timedelta(minutes=5)

# outcome: assignee, in_progress_at, previous_in_progress_at
OUTCOMES = {
    "freed": ("nobody", None, BEGUN), "reviewed": ("atlas", None, BEGUN), "started": ("kept", "now", EARLIER),
    "finished": ("kept", BEGUN, EARLIER), "claimed": ("vega", "now", EARLIER), "completed": ("vega", BEGUN, EARLIER),
    "returned": ("vega", None, BEGUN), "given": ("rigel", "now", EARLIER), "same": ("kept", BEGUN, EARLIER),
}  # fmt: skip
REFUSALS = {
    "blocked": (409, "task_blocked_cannot_transition"),
    "not_yours": (403, "task_assignee_mismatch"),
    "lead_only": (403, None),
}

TABLES = {
    # rows: from; columns: to inbox, in_progress, review, done
    "person": """
        inbox        same   started  reviewed  finished
        in_progress  freed  same     reviewed  finished
        review       freed  started  same      finished
        done         freed  started  reviewed  same""",
    "person, blocked": """
        inbox        same   blocked  blocked   blocked
        in_progress  freed  same     blocked   blocked
        review       freed  blocked  same      blocked
        done         freed  blocked  blocked   same""",
    "worker, own": """
        inbox        same   claimed  reviewed  completed
        in_progress  freed  same     reviewed  completed
        review       freed  claimed  same      completed
        done         freed  claimed  reviewed  same""",
    "worker, own, blocked": """
        inbox        same   blocked  blocked   blocked
        in_progress  freed  same     blocked   blocked
        review       freed  blocked  same      blocked
        done         freed  blocked  blocked   same""",
    "worker, unassigned": """
        inbox        same   claimed  reviewed  completed
        in_progress  freed  claimed  reviewed  completed
        review       freed  claimed  same      completed
        done         freed  claimed  reviewed  same""",
    "worker, unassigned, blocked": """
        inbox        same   blocked  blocked   blocked
        in_progress  freed  blocked  blocked   blocked
        review       freed  blocked  same      blocked
        done         freed  blocked  blocked   same""",
    "worker, another's": """
        inbox        not_yours not_yours not_yours not_yours
        in_progress  not_yours not_yours not_yours not_yours
        review       not_yours not_yours not_yours not_yours
        done         not_yours not_yours not_yours not_yours""",
    "worker, a person's": """
        inbox        not_yours not_yours not_yours not_yours
        in_progress  not_yours not_yours not_yours not_yours
        review       not_yours not_yours not_yours not_yours
        done         not_yours not_yours not_yours not_yours""",
    "lead": """
        inbox        same      lead_only  lead_only  lead_only
        in_progress  lead_only same       lead_only  lead_only
        review       returned  lead_only  same       finished
        done         lead_only lead_only  lead_only  same""",
    "lead, blocked": """
        inbox        same      blocked    blocked    blocked
        in_progress  blocked   same       blocked    blocked
        review       blocked   blocked    same       blocked
        done         blocked   blocked    blocked    same""",
    "lead, naming a worker": """
        inbox        handed    given      lead_only  lead_only
        in_progress  lead_only handed     lead_only  lead_only
        review       returned  lead_only  handed     handed
        done         lead_only lead_only  lead_only  handed""",
}  # fmt: skip
OUTCOMES["handed"] = ("rigel", BEGUN, EARLIER)

# rule: which changes it refuses besides, with which code; `sent` says that it asks what was sent, not what changes.
FLAGS: dict[str, tuple[Any, int, str | None]] = {
    "require_approval_for_done": (lambda a, z: z == "done" != a, 409, "task_approval_required"),
    "require_review_before_done": (lambda a, z: z == "done" and a not in (z, "review"), 409, "task_review_required"),
    "comment_required_for_review": (lambda a, z: z == "review" != a, 422, None),
    "block_status_changes_with_pending_approval": (lambda a, z: a != z, 409, "task_has_pending_approval"),
    "only_lead_can_change_status": (lambda a, z: True, 403, None),
}  # fmt: skip
EXEMPT = {"comment_required_for_review": ("lead",), "only_lead_can_change_status": ("lead", "person")}


@dataclass(slots=True)
class Scene:
    """Who tries to move whose task."""

    cast: Cast
    name: str

    @property
    def caller(self) -> Caller:
        """Who sends the PATCH."""
        who = {"person": self.cast.cleo, "worker": self.cast.vega, "lead": self.cast.atlas}
        return who[self.name.partition(",")[0]]

    @property
    def held_by(self) -> dict[str, Any]:
        """Who has the task before."""
        if "unassigned" in self.name:
            return {}
        if "a person's" in self.name:
            return {"assigned_user_id": self.cast.ada.id}
        return {"assigned_agent_id": self.cast.rigel.id if "another's" in self.name else self.cast.vega.id}

    async def task(self, status: str) -> Task:
        """A task in that status, worked on by Vega before."""
        made = await self.cast.add_task()
        columns = {"in_progress_at": BEGUN, "previous_in_progress_at": EARLIER, "review_agent_id": self.cast.vega.id}
        await self.cast.put(made, status=status, **self.held_by, **columns)
        if "blocked" in self.name:
            other = await self.cast.add_task()
            await TaskDependency.create(board_id=made["board_id"], task_id=made["id"], depends_on_task_id=other["id"])
        return await Task.get(id=made["id"])

    def body(self, status: str) -> dict[str, Any]:
        """What is sent."""
        named = {"assigned_agent_id": self.cast.rigel.id} if "naming a worker" in self.name else {}
        return {"status": status, **named}

    async def check(self, before: Task, to: str, cell: str) -> None:
        """Send it and look at everything."""
        written = await head(self.cast)
        answer = await self.caller.patch(self.cast.task(before), self.body(to))
        now = await Task.get(id=before.id)
        where = f"{self.name}: {before.status} -> {to}"
        if cell in REFUSALS:
            self._refused(answer, *REFUSALS[cell], where)
            assert _state(now) == _state(before), where
            return
        assert answer.status == 200, f"{where}: {answer.body}"
        assignee, begun, previous = OUTCOMES[cell]
        assert now.status == to, where
        assert (now.assigned_agent_id, now.assigned_user_id) == self._ids(assignee, before), where
        assert _moment(now.in_progress_at) == (begun, "now")[begun == "now"], where
        assert now.previous_in_progress_at == previous, where
        recorded = [kind for kind, _ in await changes(self.cast, written)]
        expected = [] if cell == "same" else ["task.updated" if to == before.status else "task.status_changed"]
        assert recorded == expected, where

    def _refused(self, answer: Any, status: int, code: str | None, where: str) -> None:
        assert answer.status == status, f"{where}: {answer.status} {answer.body}"
        detail = answer.refused(status)
        if code is None:
            assert isinstance(detail, str), where
        else:
            assert detail["code"] == code, where
            keys = {"message", "code"} if status == 403 else {"message", "code", "blocked_by_task_ids"}
            assert set(detail) == keys, where
            assert bool(detail.get("blocked_by_task_ids")) == (code == "task_blocked_cannot_transition"), where

    def _ids(self, assignee: str, before: Task) -> tuple[Any, Any]:
        if assignee == "kept":
            return before.assigned_agent_id, before.assigned_user_id
        return (None if assignee == "nobody" else getattr(self.cast, assignee).id), None


def _moment(value: Any) -> Any:
    return "now" if value is not None and stamp() - value < JUST_NOW else value


def _state(task: Task) -> dict[str, Any]:
    return {name: getattr(task, name) for name in Task._meta.fields_db_projection}


def _cells(table: str) -> list[tuple[str, str, str]]:
    rows = [line.split() for line in TABLES[table].strip().splitlines()]
    assert [row[0] for row in rows] == list(STATUSES)
    return [(row[0], to, cell) for row in rows for to, cell in zip(STATUSES, row[1:], strict=True)]


@pytest.mark.parametrize("table", TABLES)
async def test_tasks_move_freely_without_board_rules(cast: Cast, table: str) -> None:
    scene = Scene(cast, table)
    for before, to, cell in _cells(table):
        await scene.check(await scene.task(before), to, cell)


@pytest.mark.once
@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("table", sampled(TABLES, each=2))
async def test_board_rules_refuse_moves(cast: Cast, table: str, flag: str) -> None:
    scene = Scene(cast, table)
    await cast.rule(**{flag: True})
    applies, status, code = FLAGS[flag]
    role = table.partition(",")[0]
    for before, to, cell in _cells(table):
        task = await scene.task(before)
        if flag.startswith("block_status"):
            await cast.ask(cast.rigel, {"id": str(task.id)})
        refused = role not in EXEMPT.get(flag, ()) and applies(before, to)
        comes_first = cell == "not_yours" or (cell in REFUSALS and flag != "only_lead_can_change_status")
        if refused and not comes_first:
            answer = await scene.caller.patch(cast.task(task), scene.body(to))
            scene._refused(answer, status, code, f"{table}, {flag}: {before} -> {to}")
            assert _state(await Task.get(id=task.id)) == _state(task)
        else:
            await scene.check(task, to, cell)


@pytest.mark.parametrize("role", ["person", "worker, own"])
@pytest.mark.parametrize("flag", FLAGS)
async def test_conditions_that_satisfy_a_rule(cast: Cast, role: str, flag: str) -> None:
    if flag == "only_lead_can_change_status":
        role = "lead"
    await cast.rule(**{flag: True})
    scene = Scene(cast, role)
    task = await scene.task("review" if role == "lead" or flag == "require_review_before_done" else "in_progress")
    target, extra = ("review", {"comment": "Have a look."}) if flag.startswith("comment") else ("done", {})
    if "approval" in flag:
        asked = await cast.ask(cast.rigel, {"id": str(task.id)}, action_type="task.finish")
        (await cast.dan.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).refused(403)
        (await cast.cleo.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()
    body = {"status": target, **extra}
    assert (await scene.caller.patch(cast.task(task), body)).ok()["status"] == target
