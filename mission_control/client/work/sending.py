"""What has to arrive of a task: its usage and its hand-in go from its outbox to the server."""

from __future__ import annotations

import contextlib
import os

from mission_control.client.problems import Busy, NotSignedIn, Problem, Unreachable
from mission_control.client.tasks import GONE
from mission_control.client.work.outbox import Outbox
from mission_control.client.work.task import HANDED_IN, KEPT, WORKED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mission_control.client.work.task import TaskFile
    from mission_control.client.work.worker import Worker

AWAY_SECONDS = 2.0
HAND_IN = "2-"  # after all reports


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
        try:
            fence = worker.claim_again(task.task)["lease"]["fence"]
        except (Unreachable, Busy, NotSignedIn) as away:
            _pause(worker, AWAY_SECONDS, away.text)
            return
        except Problem as refusal:
            problem = refusal
        else:
            if fence != request["fence"]:  # else it was ours at this moment
                task.save(fence=fence)
                outbox.put(f"{HAND_IN}hand-in-{fence}", "POST", request["path"], {**body, "fence": fence}, fence)
                outbox.drop(name)
            return
    elif "code" in body:
        summary = f"{body['summary']}\n\nThe diff was refused: {problem.text}"
        shorter = {field: value for field, value in body.items() if field != "code"}
        outbox.put(name, "POST", request["path"], {**shorter, "summary": summary}, request["fence"])
        return
    outbox.drop(name)
    worker.say(f"#{task.number} was not handed in: {problem.text} Its work stays in {task.tree}.")
    task.save(state=KEPT, why=problem.text)
