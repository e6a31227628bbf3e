"""`work`: take tasks from a board, one after the other, and have a program do each in a worktree of its own."""

from __future__ import annotations

import binascii
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from functools import partial

from mission_control.client import credentials, files
from mission_control.client.api import PATIENCE_SECONDS, Api
from mission_control.client.printing import entry, line
from mission_control.client.problems import Busy, Nothing, NotSignedIn, Problem, Unreachable, Usage
from mission_control.client.program import program_for_work
from mission_control.client.tasks import GONE, HALTED, NEXT, QUIET_SECONDS, WAIT_SECONDS
from mission_control.client.work import acp, worktree
from mission_control.client.work.doing import BEGUN, ENDED, HANDED_IN, KEPT, WORKED, Doing, Kept
from mission_control.client.work.outbox import SERVERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator
    from typing import Any

    from mission_control.client.tasks import Session

PARENT = "MISSION_CONTROL_PARENT"
# What would have git work elsewhere than where it is run.
PLACES = "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"
MOST_FAILURES = 3  # of tasks in a row: then it is the worker that does not work
AWAY_SECONDS, LONGEST_AWAY, SHORT_SECONDS = 2.0, 60.0, 2.0


class Ended(Exception):
    """A person or the system ends the worker."""


def work(session: Session, given: Namespace) -> None:
    if given.install:
        from mission_control.client.work import units

        units.install(session, given)
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
        _several(given.at_most)
    else:
        worker.run()


def _several(count: int) -> None:
    """Run several workers, each a process, until all have ended; they end with this one."""
    own = [sys.executable, credentials.program()] if credentials.program() else [sys.argv[0]]
    command = [*own, *sys.argv[1:], "--at-most", "1"]
    children = [subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ, PARENT: "1"}) for _ in range(count)]

    def stop(*_: Any) -> None:
        for one in children:
            with contextlib.suppress(OSError):
                one.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    codes = [one.wait() for one in children]
    if any(codes):
        raise Problem("A worker did not end well.", "worker_failed")


class Worker:
    """A worker for one agent of a board, in one repository."""

    def __init__(self, api: Api, given: Namespace) -> None:
        self.api, self.given, self.connection = api, given, api.connection
        self.program = program_for_work(given.agent, acp=given.acp)
        self.repository = worktree.repository(os.path.abspath(given.repository))
        self.top = self.repository.folder
        self.ends, self._is_waiting, self.known, self.failures = False, False, "continue", 0
        who = api.call("GET", "/api/v1/agent/healthz")
        if who["board_id"] is None:
            raise Problem("This agent belongs to no board.", "no_board")
        self.board = api.call("GET", f"/api/v1/agent/boards/{who['board_id']}")
        if given.board and given.board.casefold() not in (
            str(self.board["id"]), self.board["name"].casefold(), str(self.board.get("slug", "")).casefold()
        ):  # fmt: skip
            raise Usage(
                f"You are signed in for the board {self.board['name']}. For another one sign in once more:"
                f" {credentials.called()} sign-in --connection NAME --board {given.board}, then --connection NAME."
            )
        self.agent_id = str(who["agent_id"])
        mark = f"{api.connection.url} {self.agent_id} {self.top}"
        name = f"{os.path.basename(self.top)}-{binascii.crc32(mark.encode('utf-8', 'surrogateescape')):08x}"
        self.folder = os.path.join(files.folder_of("XDG_STATE_HOME", "~/.local/state"), "work", name)

    def show(self) -> None:
        base, commit, policy = worktree.begin(self.repository)
        lines = [
            f"Board {self.board['name']} at {self.connection.url}",
            f"Repository {self.top}, from {base or 'its main branch'} at {commit[:12]}",
            f"Program {' '.join(self.program.acp_command())}"
            + (f", in the mode {self.program.acp_mode}" if self.program.acp_mode else ""),
            f"Set up by {policy.setup or 'nothing'}, checked by {policy.check or 'nothing'} ({worktree.WORKFLOW})",
            f"Worktrees below {self.folder}",
            "Nothing was claimed.",
        ]
        print("\n".join(map(line, lines)))

    def say(self, text: str) -> None:
        print(entry(text), file=sys.stderr, flush=True)

    def api_of(self) -> Api:
        return Api(self.connection)

    def mcp_servers(self, takes_http: bool) -> list[dict[str, Any]]:
        if not (self.given.tools and takes_http):
            return []
        headers = [{"name": "Authorization", "value": f"Bearer {self.connection.token}"}]
        return [{"type": "http", "name": "mission-control", "url": f"{self.connection.url}/mcp", "headers": headers}]

    # -- one process at a time ----------------------------------------------------------------------------------------

    def _locked(self, name: str, *, waits: bool = False) -> Any:
        """Return an open file that this process alone holds until it is closed; None when another holds it."""
        import fcntl

        path = os.path.join(self.folder, f"{name}.lock")
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        file = open(path, "a")  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        except OSError:
            file.close()
            return None
        return file

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Let one process at a time change the worktrees of the repository, whichever agent it works for."""
        import fcntl

        shared = os.path.join(self.repository.path("--git-common-dir"), "mission-control.lock")
        with open(shared, "a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    # -- the loop -----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        self._hear_signals()
        slot, number = None, 0
        while slot is None:
            number += 1
            slot = self._locked(f"slot-{number}")
        with slot:
            self.say(f"Works on {line(self.board['name'])} with {self.program.key}, in {self.top}. Ctrl-C ends it.")
            with contextlib.suppress(Ended):
                self._loop(os.path.join(self.folder, f"slot-{number}.claim"))
        if self.ends:
            self.say("Ended. What is begun goes on when a worker starts again.")

    def _loop(self, claim: str) -> None:
        away = AWAY_SECONDS
        while True:
            try:
                is_done = self._take_up() or self._claimed(claim)
                away = AWAY_SECONDS
            except (Unreachable, Busy) as problem:
                self.say(f"{problem.text} Trying again ...")
                self.pause(away)
                away = min(away * 2, LONGEST_AWAY)
                continue
            if self.given.once:
                if not is_done:
                    raise Nothing("There is nothing to do at the moment.")
                return

    def _hear_signals(self) -> None:
        def end(*_: Any) -> None:
            self.ends = True
            if self._is_waiting:
                raise Ended

        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, end)
        if os.environ.pop(PARENT, ""):
            threading.Thread(target=self._end_with_parent, daemon=True).start()

    def _end_with_parent(self) -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    def pause(self, seconds: float, why: str = "") -> None:
        self._is_waiting = True
        try:
            if self.ends:
                raise Ended
            time.sleep(seconds)
        finally:
            self._is_waiting = False

    # -- what was begun before ----------------------------------------------------------------------------------------

    def _take_up(self) -> bool:
        """Go on with what an earlier process began, and clean up; return whether a task was done."""
        is_done = False
        for name in sorted(os.listdir(self.folder)) if os.path.isdir(self.folder) else ():
            folder = os.path.join(self.folder, name)
            if not os.path.isfile(os.path.join(folder, "task.json")):
                continue
            with contextlib.ExitStack() as held:
                lock = self._locked(name)
                if lock is None:
                    continue
                held.enter_context(lock)
                kept = Kept(folder)
                if kept.get("state") in (BEGUN, ENDED, WORKED):
                    acp.kill_leftovers(kept["run"])
                    is_done = self._go_on(kept) or is_done
                self._clean(kept)
            if is_done and self.given.once:
                break
        return is_done

    def _go_on(self, kept: Kept) -> bool:
        doing = Doing(self, kept)
        if any(name.startswith("2-") for name in doing.outbox.names()):
            return self._send(kept, doing)
        self.send_once(kept)
        wanted = {"task_id": kept["task"], "lease_seconds": self.given.lease, "known": self.known}
        try:
            answer = self.api.call("POST", NEXT, wanted)
        except (Unreachable, Busy, NotSignedIn):
            raise
        except Problem as problem:
            self.say(f"#{kept['number']} is no longer this worker's: {problem.text} Its work stays in {kept.tree}.")
            kept.save(state=KEPT, why=problem.text)
            return False
        if answer["lease"]["fence"] != kept["fence"]:
            kept.save(fence=answer["lease"]["fence"])
        return self._do(kept, doing, answer)

    def _clean(self, kept: Kept) -> None:
        """Remove the worktree of a task that is over, when it holds nothing that is not handed in; its branch stays."""
        if kept.get("state") == HANDED_IN:
            try:
                task = self.api.call("GET", f"/api/v1/boards/{kept['board']}/tasks/{kept['task']}")
            except (Unreachable, Busy, NotSignedIn):
                return
            except Problem as problem:
                if problem.code != "not_found":
                    return
            else:
                if task["status"] != "done":
                    return
        elif kept.get("state") != KEPT:
            return
        head = kept.get("head") if kept["state"] == HANDED_IN else kept.get("commit")
        if os.path.isdir(kept.tree):
            try:
                if not head or not worktree.Tree(self.repository, kept.tree).has_only(head):
                    return
            except (worktree.Suspect, Usage):
                return
            with self.alone():
                worktree.remove(self.repository, kept.tree)
        elif kept["state"] == KEPT and kept.get("branch"):
            return
        shutil.rmtree(kept.folder, ignore_errors=True)

    # -- a new task ---------------------------------------------------------------------------------------------------

    def _claimed(self, path: str) -> bool:
        """Claim a task, and do it. A claim whose answer was lost is sent again as it was, and answered the same."""
        claim = self._claim_at(path)
        seconds: float = min(claim["body"]["wait_seconds"], QUIET_SECONDS)
        is_short = self.given.once and seconds > 0  # one that a worker left which waited
        self._is_waiting = True
        try:
            if self.ends:
                raise Ended
            seconds = SHORT_SECONDS - PATIENCE_SECONDS if is_short else seconds
            answer = self.api.call("POST", NEXT, claim["body"], seconds=seconds, key=claim["key"])
        except (Unreachable, Busy, NotSignedIn):
            if is_short:
                return False
            raise
        except Problem as problem:
            if problem.code in SERVERS:
                raise Busy(problem.text, problem.code) from problem
            files.remove(path)
            if problem.code not in HALTED:
                raise
            if self.given.once:
                raise Nothing(problem.text, problem.code) from problem
            self.say(problem.text)
            time.sleep(AWAY_SECONDS)
            return False
        finally:
            self._is_waiting = False
        if answer.get("directive") != self.known:
            self.known = answer["directive"]
            self.say(answer["text"])
        if answer.get("task") is None:
            files.remove(path)
            return False
        return self._begin(answer, path)

    def _claim_at(self, path: str) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError), open(path, encoding="utf-8") as file:
            found: dict[str, Any] = json.load(file)
            return found
        wait = 0 if self.given.once else WAIT_SECONDS
        body: dict[str, Any] = {
            "lease_seconds": self.given.lease, "kinds": ["directive", "work"], "known": self.known,
            "wait_seconds": wait, "keep_alive": wait > 0, "program": self.program.key,
        }  # fmt: skip
        if self.given.tag:
            body["tags"] = self.given.tag
        claim = {"key": os.urandom(12).hex(), "body": body}
        files.write(path, json.dumps(claim).encode())
        return claim

    def _begin(self, answer: dict[str, Any], claim: str) -> bool:
        task = answer["task"]
        with contextlib.ExitStack() as held:
            lock = self._locked(task["id"], waits=True)
            held.enter_context(lock)
            kept = Kept(os.path.join(self.folder, task["id"]))
            run = kept.get("run") or os.urandom(12).hex()
            kept.save(
                task=task["id"], board=task["board_id"], number=task["number"], title=line(task["title"]), run=run,
                fence=answer["lease"]["fence"], state=BEGUN, summary="", checked=None, tests="",
            )  # fmt: skip
            files.remove(claim)
            return self._do(kept, Doing(self, kept), answer)

    def _do(self, kept: Kept, doing: Doing, answer: dict[str, Any]) -> bool:
        self.say(f"#{kept['number']} {kept['title']}: {kept.tree}")
        doing.do(answer)
        self.failures = self.failures + 1 if doing.has_failed else 0
        if self.failures >= MOST_FAILURES:
            raise Problem(f"{self.failures} tasks in a row could not be done. The last: {kept['why']}", "worker_failed")
        if self.ends and kept["state"] in (BEGUN, ENDED):
            raise Ended
        return self._send(kept, doing) if kept["state"] == WORKED else True

    # -- what has to arrive -------------------------------------------------------------------------------------------

    def send_once(self, kept: Kept) -> None:
        """Send what waits of a task, if the server is there."""

        def away(seconds: float, why: str) -> None:
            raise Unreachable(why)

        with contextlib.suppress(Unreachable):
            Doing(self, kept).outbox.send(self.api, away, partial(self._refused, kept))

    def _send(self, kept: Kept, doing: Doing) -> bool:
        """Send the hand-in of a task, however long that takes."""
        doing.outbox.send(self.api, self._away, partial(self._refused, kept))
        if kept["state"] == WORKED:
            kept.save(state=HANDED_IN)
            self.say(f"#{kept['number']} is handed in.")
        return True

    def _away(self, seconds: float, why: str) -> None:
        self.say(f"{why} The hand-in waits on disk; trying again in {seconds:.0f} s ...")
        self.pause(seconds)

    def _refused(self, kept: Kept, name: str, problem: Problem) -> None:
        """Decide about a request that was refused: claim the task anew for a hand-in that came too late."""
        box = Doing(self, kept).outbox
        entry = box.read(name)
        if name.startswith("2-") and problem.code in GONE:
            wanted = {"task_id": kept["task"], "lease_seconds": self.given.lease, "known": self.known}
            try:
                fence = self.api.call("POST", NEXT, wanted)["lease"]["fence"]
            except (Unreachable, Busy, NotSignedIn) as away:
                self._away(AWAY_SECONDS, away.text)
                return
            except Problem as refusal:
                problem = refusal
            else:
                if fence == entry["fence"]:
                    return  # it was ours at this moment
                kept.save(fence=fence)
                box.put(f"2-hand-in-{fence}", "POST", entry["path"], {**entry["body"], "fence": fence}, fence)
                box.drop(name)
                return
        elif name.startswith("2-") and "code" in entry["body"]:
            body = {one: value for one, value in entry["body"].items() if one != "code"}
            body["summary"] = f"{body['summary']}\n\nThe diff was refused: {problem.text}"
            box.put(name[: -len(".json")], "POST", entry["path"], body, entry["fence"])
            return
        box.drop(name)
        if name.startswith("2-"):
            self.say(f"#{kept['number']} was not handed in: {problem.text} Its work stays in {kept.tree}.")
            kept.save(state=KEPT, why=problem.text)
