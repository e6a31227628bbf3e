"""What has to arrive of a task: its usage and its hand-in go from its outbox to the server."""

from __future__ import annotations

import contextlib
import os
import socket

from mission_control.client.problems import Busy, NotSignedIn, Problem, Unreachable
from mission_control.client.tasks import GONE
from mission_control.client.work.outbox import Outbox
from mission_control.client.work.task import HANDED_IN, KEPT, WORKED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mission_control.client.shapes import Asked, Values
    from mission_control.client.work.task import TaskFile
    from mission_control.client.work.worker import Worker

AWAY_SECONDS = 2.0
HAND_IN = "2-"  # after all reports
DONE_NEEDS = "task_done_needs"  # a rule of the board that holds the hand-in
# What people may answer when a program ended without a result.
AGAIN, DROP = "again", "drop-without-result"
AFTER_NOTHING: tuple[Values, ...] = (
    {"id": AGAIN, "label": "Try again", "outcome": "It begins anew, in a fresh session, with what you write.",
     "recommended": True},
    {"id": DROP, "label": "Drop it", "outcome": "It is handed in unchanged, with what you write as the reason."},
)  # fmt: skip


def outbox_of(task: TaskFile) -> Outbox:
    return Outbox(os.path.join(task.folder, "outbox"))


def send_once(worker: Worker, task: TaskFile) -> None:
    """Send what waits of a task, if the server is there."""

    def away(seconds: float, why: str) -> None:
        raise Unreachable(why)

    with contextlib.suppress(Unreachable):
        outbox_of(task).send(worker.api, away, lambda name, problem: _refused(worker, task, name, problem))


def send(worker: Worker, task: TaskFile) -> None:
    """Send the hand-in of a task, however long that takes."""
    outbox_of(task).send(
        worker.api,
        lambda seconds, why: _pause(worker, seconds, why),
        lambda name, problem: _refused(worker, task, name, problem),
    )
    if task.state == WORKED:
        task.save(state=HANDED_IN)
        worker.say(f"#{task.number} is handed in.")


def _pause(worker: Worker, seconds: float, why: str) -> None:
    worker.say(f"{why} The hand-in waits on disk; trying again in {seconds:.0f} s ...")
    worker.pause(seconds)


def _refused(worker: Worker, task: TaskFile, name: str, problem: Problem) -> None:
    """Decide about a request that was refused: claim the task anew for a hand-in that came too late."""
    outbox = outbox_of(task)
    if not name.startswith(HAND_IN):
        outbox.drop(name)
        return
    request = outbox.read(name)
    body = request["body"]
    if problem.code in GONE:
        refusal = _claim_again(worker, task, name)
        if refusal is None:
            return
        problem = refusal
    elif problem.code == DONE_NEEDS:
        with contextlib.suppress(Problem):
            ask_how_to_go_on(worker, task, problem.text)
    elif "code" in body:
        summary = f"{body['summary']}\n\nThe diff was refused: {problem.text}"
        shorter = {field: value for field, value in body.items() if field != "code"}
        outbox.put(name, "POST", request["path"], {**shorter, "summary": summary}, request["fence"])
        return
    outbox.drop(name)
    worker.say(f"#{task.number} was not handed in: {problem.text} Its work stays in {task.tree}.")
    task.save(state=KEPT, why=problem.text)


def _claim_again(worker: Worker, task: TaskFile, name: str) -> Problem | None:
    """Claim a task anew whose hand-in came too late, which then is sent with the new fence; return what forbids it."""
    outbox = outbox_of(task)
    request = outbox.read(name)
    try:
        fence = worker.claim_again(task.task)["lease"]["fence"]
    except (Unreachable, Busy, NotSignedIn) as away:
        _pause(worker, AWAY_SECONDS, away.text)
    except Problem as refusal:
        return refusal
    else:
        if fence != request["fence"]:  # else it was ours at this moment
            task.save(fence=fence)
            body = {**request["body"], "fence": fence}
            outbox.put(f"{HAND_IN}hand-in-{fence}", "POST", request["path"], body, fence)
            outbox.drop(name)
    return None


def give_back(worker: Worker, task: TaskFile, why: str, *, rests: bool = True) -> None:
    body: Values = {"fence": task.fence, "reason": why[:2_000], "rests": rests}
    worker.api.call("DELETE", f"{task.path}/lease", body, fence=task.fence)


def reason_of_drop(worker: Worker, task: TaskFile) -> str:
    """Say who dropped a task that had ended without a result, and why; "" when nobody did."""
    try:
        path = f"/api/v1/boards/{task.board}/questions/{task.answered}"
        question: Asked | None = worker.api.call("GET", path) if task.answered else None
    except (Unreachable, Busy, NotSignedIn):
        raise
    except Problem:
        question = None
    if question is None or question["chosen_option_id"] != DROP:
        return ""
    by, (label, _, words) = question["answered_by"], (question["answer"] or "").partition("\n\n")
    return f"{by['name'] if by else 'Mission Control'} dropped it: {words or label}"


def ask_how_to_go_on(worker: Worker, task: TaskFile, why: str, *, is_empty: bool = False) -> None:
    """Ask people. The task waits for them without a lease, so that no worker begins it over and over."""
    where = f"What was done is in the branch {task.branch}" if task.branch else "Nothing was done"
    text = f"{why[:3_000]}\n\n{where} on {socket.gethostname()}. How should it go on?"
    path, body = f"/api/v1/agent/boards/{task.board}/questions", {"content": text, "park": True}
    try:
        worker.api.call(
            "POST",
            path,
            {**body, "options": [*AFTER_NOTHING] if is_empty else [], "task_id": task.task},
            fence=task.fence,
        )
    except (Unreachable, Busy):
        raise
    except Problem as problem:
        if problem.code in GONE:
            return
        give_back(worker, task, why)
