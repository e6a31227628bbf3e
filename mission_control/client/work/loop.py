"""`work`: take tasks from a board, one after the other, and have a program do each in a worktree of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys

from mission_control.client import credentials, files
from mission_control.client.api import PATIENCE_SECONDS
from mission_control.client.printing import line
from mission_control.client.problems import Busy, Nothing, NotSignedIn, Problem, Unreachable, Usage
from mission_control.client.tasks import HALTED, NEXT, QUIET_SECONDS, WAIT_SECONDS
from mission_control.client.work import acp, worktree
from mission_control.client.work.attempt import Attempt
from mission_control.client.work.holding import Held
from mission_control.client.work.outbox import SERVERS
from mission_control.client.work.sending import AWAY_SECONDS, HAND_IN, outbox_of, send, send_once
from mission_control.client.work.task import BEGUN, ENDED, HANDED_IN, KEPT, WORKED, TaskFile
from mission_control.client.work.worker import PARENT, Ended, Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from mission_control.client.shapes import Claim, Next, Task, Values
    from mission_control.client.tasks import Session


# What would have git work elsewhere than where it is run.
PLACES = "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"
MOST_FAILURES = 3  # of tasks in a row: then it is the worker that does not work
LONGEST_AWAY, SHORT_SECONDS = 60.0, 2.0


def work(session: Session, given: Namespace) -> None:
    if given.install:
        from mission_control.client.work import units

        units.install(Worker(session.api, given))
        return
    if os.name != "posix":
        raise Usage("`work` runs on Linux and macOS.")
    if os.getuid() == 0 and not os.environ.get("IS_SANDBOX"):
        raise Usage("`work` does not run as root: the programs would act as root. In a sandbox set IS_SANDBOX=1.")
    for name in PLACES:
        os.environ.pop(name, None)
    os.environ["PATH"] = os.pathsep.join(filter(os.path.isabs, os.get_exec_path()))  # nothing of where a task is done
    worker = Worker(session.api, given)
    if given.dry_run:
        worker.show()
    elif given.at_most > 1 and not given.once:
        _run_several(given.at_most)
    else:
        Loop(worker).run()


def _run_several(count: int) -> None:
    """Run several workers, each a process, until all have ended; they end with this one."""
    own = [sys.executable, credentials.program()] if credentials.program() else [sys.argv[0]]
    command = [*own, *sys.argv[1:], "--at-most", "1"]
    children = [subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ, PARENT: "1"}) for _ in range(count)]

    def stop(*_: object) -> None:
        for child in children:
            with contextlib.suppress(OSError):
                child.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    codes = [child.wait() for child in children]
    if any(codes):
        raise Problem("A worker did not end well.", "worker_failed")


class Loop:
    """What a worker does: first the tasks that it began before, then new ones."""

    def __init__(self, worker: Worker) -> None:
        self.worker, self.api, self.given, self.folder = worker, worker.api, worker.given, worker.folder
        self.failures = 0

    def run(self) -> None:
        worker, slot, number = self.worker, None, 0
        worker.hear_signals()
        while slot is None:
            number += 1
            slot = worker.locked(f"slot-{number}")
        with slot:
            name = worker.program.listed or worker.program.key
            worker.say(f"Works on {line(worker.board['name'])} with {name}, in {worker.top}. Ctrl-C ends it.")
            with contextlib.suppress(Ended):
                self._loop(os.path.join(self.folder, f"slot-{number}.claim"))
        if worker.ends:
            worker.say("Ended. What is begun goes on when a worker starts again.")

    def _loop(self, claim: str) -> None:
        away = AWAY_SECONDS
        while True:
            try:
                is_done = self._take_up() or self._claim_task(claim)
                away = AWAY_SECONDS
            except Held as held:
                self.worker.holding.wait(held)
                continue
            except (Unreachable, Busy) as problem:
                self.worker.say(f"{problem.text} Trying again ...")
                self.worker.pause(away)
                away = min(away * 2, LONGEST_AWAY)
                continue
            if self.given.once:
                if not is_done:
                    raise Nothing("There is nothing to do at the moment.")
                return

    # -- what was begun before ----------------------------------------------------------------------------------------

    def _take_up(self) -> bool:
        """Go on with what an earlier process began, and clean up; return whether a task was done."""
        is_done = False
        for name in sorted(os.listdir(self.folder)) if os.path.isdir(self.folder) else ():
            folder = os.path.join(self.folder, name)
            lock = self.worker.locked(name) if os.path.isfile(os.path.join(folder, "task.json")) else None
            if lock is None:
                continue
            with lock:
                task = TaskFile(folder)
                if task.state in (BEGUN, ENDED, WORKED):
                    acp.kill_leftovers(task.run)
                    is_done = self._go_on(task) or is_done
                self._clean(task)
            if is_done and self.given.once:
                break
        return is_done

    def _go_on(self, task: TaskFile) -> bool:
        if any(name.startswith(HAND_IN) for name in outbox_of(task).names()):
            send(self.worker, task)
            return True
        send_once(self.worker, task)
        if task.state == BEGUN:
            self._refuse_while_held(task)
        try:
            answer = self.worker.claim_again(task.task)
        except (Unreachable, Busy, NotSignedIn):
            raise
        except Problem as problem:
            self.worker.say(f"#{task.number} is no longer this worker's: {problem.text} Its work stays in {task.tree}.")
            task.save(state=KEPT, why=problem.text)
            return False
        if answer["lease"]["fence"] != task.fence:
            task.save(fence=answer["lease"]["fence"])
        self._do(task, answer)
        return True

    def _refuse_while_held(self, task: TaskFile) -> None:
        try:
            self.worker.holding.obey()
        except Held:
            self.worker.holding.keep(task.task, task.fence)
            raise

    def _clean(self, task: TaskFile) -> None:
        """Remove the worktree of a task that is over, when it holds nothing that is not handed in; its branch stays."""
        is_handed_in = task.state == HANDED_IN
        if not (task.state == KEPT or (is_handed_in and self._is_over(task))):
            return
        head = task.head if is_handed_in else task.commit
        if os.path.isdir(task.tree):
            repository = self.worker.repository
            try:
                if not head or not worktree.Tree(repository, task.tree).has_only(head):
                    return
            except (worktree.Suspect, Usage):
                return
            with self.worker.alone():
                worktree.remove(repository, task.tree)
        elif not is_handed_in and task.branch:
            return
        shutil.rmtree(task.folder, ignore_errors=True)

    def _is_over(self, task: TaskFile) -> bool:
        try:
            read: Task = self.api.call("GET", f"/api/v1/boards/{task.board}/tasks/{task.task}")
        except (Unreachable, Busy, NotSignedIn):
            return False
        except Problem as problem:
            return problem.code == "not_found"
        return read["status"] == "done"

    # -- a new task ---------------------------------------------------------------------------------------------------

    def _claim_task(self, path: str) -> bool:
        """Claim a task, and do it. A claim whose answer was lost is sent again as it was, and answered the same."""
        self.worker.holding.obey()
        worker, answer = self.worker, self._answer_to_claim(path)
        if answer is None:
            return False
        if answer.get("directive") != worker.directive:
            worker.directive = answer["directive"]
            worker.say(answer["text"])
        if answer.get("task") is None:
            files.remove(path)
            return False
        self._begin(answer, path)
        return True

    def _answer_to_claim(self, path: str) -> Next | None:
        """Send the stored claim; None when there is no work for now."""
        claim = self._stored_claim(path)
        wait = claim["body"]["wait_seconds"]
        assert isinstance(wait, int)
        is_short = self.given.once and wait > 0  # one that a worker left which waited
        seconds = SHORT_SECONDS - PATIENCE_SECONDS if is_short else min(wait, QUIET_SECONDS)
        try:
            with self.worker.waiting():
                answer: Next = self.api.call("POST", NEXT, claim["body"], seconds=seconds, key=claim["key"])
        except (Unreachable, Busy, NotSignedIn):
            if is_short:
                return None
            raise
        except Problem as problem:
            if problem.code in SERVERS:
                raise Busy(problem.text, problem.code) from problem
            files.remove(path)
            if problem.code not in HALTED:
                raise
            if self.given.once:
                raise Nothing(problem.text, problem.code) from problem
            self.worker.say(problem.text)
            self.worker.pause(AWAY_SECONDS)
            return None
        return answer

    def _stored_claim(self, path: str) -> Claim:
        with contextlib.suppress(OSError, ValueError), open(path, encoding="utf-8") as file:
            stored: Claim = json.load(file)
            return stored
        wait = 0 if self.given.once else WAIT_SECONDS
        body: Values = {
            "lease_seconds": self.given.lease, "kinds": ["directive", "work"], "known": self.worker.directive,
            "wait_seconds": wait, "keep_alive": wait > 0, "program": self.worker.program.key,
        }  # fmt: skip
        if self.given.tag:
            body["tags"] = self.given.tag
        claim: Claim = {"key": os.urandom(12).hex(), "body": body}
        files.write(path, json.dumps(claim).encode())
        return claim

    def _begin(self, answer: Next, claim: str) -> None:
        claimed = answer["task"]
        assert claimed is not None
        lock = self.worker.locked(claimed["id"], waits=True)
        assert lock is not None
        with lock:
            task = TaskFile(os.path.join(self.folder, claimed["id"]))
            resumes = (answer.get("why") or {"kind": ""})["kind"] == "resume"
            questions = [ask["id"] for ask in answer.get("asks") or () if resumes and ask["kind"] == "question"]
            task.save(
                task=claimed["id"], board=claimed["board_id"], number=claimed["number"], title=line(claimed["title"]),
                run=task.run or os.urandom(12).hex(), fence=answer["lease"]["fence"], state=BEGUN, summary="",
                checked=None, tests="", answered=questions[-1] if questions else "",
            )  # fmt: skip
            files.remove(claim)
            self._do(task, answer)

    def _do(self, task: TaskFile, answer: Next) -> None:
        self.worker.say(f"#{task.number} {task.title}: {task.tree}")
        attempt = Attempt(self.worker, task)
        attempt.run(answer)
        self.failures = self.failures + 1 if attempt.has_failed else 0
        if self.failures >= MOST_FAILURES:
            raise Problem(f"{self.failures} tasks in a row could not be done. The last: {task.why}", "worker_failed")
        if self.worker.ends and task.state in (BEGUN, ENDED):
            raise Ended
        if task.state == WORKED:
            send(self.worker, task)
