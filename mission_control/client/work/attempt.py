"""One task, from its worktree to its hand-in. Each step is on disk before the next, so that a crash ends nothing."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import shlex
import socket
import time

from mission_control.client import files
from mission_control.client.git import code_since
from mission_control.client.printing import plain
from mission_control.client.problems import Busy, Problem, Unreachable
from mission_control.client.tasks import GONE
from mission_control.client.work import acp, prompts, worktree
from mission_control.client.work.commands import TOO_LONG, Command
from mission_control.client.work.limits import Limits, Stopped
from mission_control.client.work.reports import Reports
from mission_control.client.work.sending import HAND_IN, outbox_of
from mission_control.client.work.session import TURN_SECONDS, AgentSession
from mission_control.client.work.task import BEGUN, ENDED, KEPT, WORKED
from mission_control.client.work.tool_calls import ToolCalls
from mission_control.client.work.usage import Usage
from mission_control.client.work.values import text_at, values_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mission_control.client.shapes import Next, Values
    from mission_control.client.work.inbox import Event, Inbox
    from mission_control.client.work.task import TaskFile
    from mission_control.client.work.worker import Worker

MOST_PROMPTS, MOST_STARTS = 6, 3
LONGEST_SUMMARY = 20_000
# What stands in place of an answer when a subscription is used up: Claude Code 2.1.332, Codex 0.171.
USED_UP = re.compile(
    r"\W*(you(.|&apos;)ve (hit|reached) your .{0,60}limit|claude (ai )?usage limit reached|credit balance is too low)",
    re.IGNORECASE,
)


class Attempt:
    """The work on a task by a program."""

    def __init__(self, worker: Worker, task: TaskFile) -> None:
        self.worker, self.task, self.program = worker, task, worker.program
        self.inbox: Inbox = queue.Queue()
        self.reports = Reports(worker, task, self.inbox)
        self.usage = Usage(worker.program, task, self.reports)
        self.limits = Limits(worker, self.usage)
        self.calls = ToolCalls(self.reports, self.inbox)
        self.session = AgentSession(worker, task, self.usage, self.inbox, self._hear)
        self.texts: list[str] = []  # of the agent, since its last call of a tool
        self.has_failed = False

    def run(self, answer: Next) -> None:
        """Do a task as it was claimed, and put its hand-in into the outbox."""
        task = self.task
        try:
            self._prepare(answer)
            if task.state != WORKED:
                self._work(answer)
                self._end_agent()
                task.save(state=WORKED)
            code = self._commit()
        except Stopped as stopped:
            self._end_agent()
            self._leave(stopped)
        except Problem as problem:
            self._end_agent()
            self._leave(Stopped(problem.text, asks=True, fails=not isinstance(problem, worktree.Suspect)))
        else:
            self._hand_in(code)
        finally:
            self._end_agent()

    # -- the worktree -------------------------------------------------------------------------------------------------

    def _prepare(self, answer: Next) -> None:
        task, repository = self.task, self.worker.repository
        with self.worker.alone():
            if not task.branch:
                base, commit, policy = worktree.begin(repository)
                task.save(base=base, commit=commit, setup=policy.setup, check=policy.check, words=policy.text)
                claimed = answer["task"]
                assert claimed is not None
                branch = worktree.branch_of(claimed["number"], claimed["title"])
                branch = worktree.make(repository, task.tree, branch, commit)
                task.save(branch=branch, top=repository.folder, is_set_up=False)
            elif not os.path.isdir(task.tree):
                worktree.add(repository, task.tree, task.tree, task.branch)
        self.reports.begin()
        if task.setup and not task.is_set_up:
            code, output = self._run_shell(task.setup)
            if code != 0:
                end = output.strip()[-2_000:]
                raise Stopped(f"`{task.setup}` ended with exit code {code}:\n\n{end}", fails=True)
        task.save(is_set_up=True)

    def _run_shell(self, command: str) -> tuple[int, str]:
        self.worker.say(f"#{self.task.number}: {command}")
        return self._run(["/bin/sh", "-c", command], self.program.environment(), worktree.COMMAND_SECONDS)

    def _run(self, words: list[str], environment: dict[str, str], seconds: float) -> tuple[int, str]:
        """Run a command in the worktree, while stops and the lease are heard; return how it ended, and its output."""
        command, end = Command(words, self.task.tree, environment, self.task.run), time.monotonic() + seconds
        try:
            while not command.is_over():
                if time.monotonic() > end:
                    return TOO_LONG, f"{command.output()}\nIt took too long."
                with contextlib.suppress(queue.Empty):
                    self._hear(self.inbox.get(timeout=0.1))
                self.limits.obey()
            return command.process.returncode, command.output()
        finally:
            command.end()

    # -- the turns of the program -------------------------------------------------------------------------------------

    def _work(self, answer: Next) -> None:
        """Have the program do the task, and mend what is found wrong with it."""
        task, complaints, turns, starts = self.task, set[str](), 0, 0
        prompt = prompts.next_prompt(answer) if task.prompted else prompts.first_prompt(answer, task)
        if task.state == ENDED:  # another worker was killed after that
            prompt = ""
        while True:
            if not prompt or turns == MOST_PROMPTS:
                prompt = self._complaint(complaints) or self._notes()
                if not prompt or turns == MOST_PROMPTS:
                    return
            try:
                if self.program.acp and self.session.agent is None:
                    starts += 1
                reason = self._turn(answer, prompt)
            except (acp.Gone, acp.Refused) as trouble:
                self._close_agent()
                self.limits.obey()
                self.reports.tell("StopFailure", error="ended", prompt_id=str(starts))
                self.worker.say(f"#{task.number}: {trouble}")
                if starts >= MOST_STARTS:
                    raise Stopped(f"The agent failed {starts} times. {plain(trouble)}", fails=True) from trouble
                complaints.clear()
                prompt = prompts.GO_ON if task.prompted else prompt
            else:
                turns += 1
                prompt = self._rest(reason)

    def _turn(self, answer: Next, prompt: str) -> str:
        """Have the program take a turn, started if it is not, and return why it ended."""
        task, knows = self.task, self.session.agent is not None
        if self.program.acp and not knows:
            knows = self.session.start()
            self.reports.begin()
        if not knows and task.prompted:
            prompt = "\n\n".join(dict.fromkeys((prompts.first_prompt(answer, task), prompts.GO_ON, prompt)))
        number = task.prompted + 1
        task.save(prompted=number, state=BEGUN)
        self.texts = []
        self.reports.tell("UserPromptSubmit", prompt=prompt, prompt_id=str(number))
        result = self.session.take_turn(prompt, self._hear_in_turn) if self.program.acp else self._run_program(prompt)
        self.reports.tell("Stop", prompt_id=str(number), last_assistant_message=self._text())
        self.usage.report_turn(result, number)
        task.save(counted=number)
        self.limits.obey()
        reason = str(result.get("stopReason") or "end_turn")
        if reason == "cancelled" and not self.session.notes:
            raise acp.Gone("The agent ended its turn without having been asked.")
        return reason

    def _run_program(self, prompt: str) -> Values:
        """Have any command do it: it reads the brief, and what it prints at its end is the summary."""
        path = os.path.join(self.task.folder, "brief.md")
        files.write(path, prompt.encode())
        words = shlex.join(self.program.acp_command())
        environment = {**self.program.environment(), "MISSION_CONTROL_BRIEF": path,
                       "MISSION_CONTROL_TASK": str(self.task.number)}  # fmt: skip
        command = ["/bin/sh", "-c", f'{words} <"$MISSION_CONTROL_BRIEF"']
        code, output = self._run(command, environment, TURN_SECONDS)
        self.texts = [output.strip()[-LONGEST_SUMMARY:]]
        if code != 0:
            raise Stopped(f"`{words}` ended with exit code {code}.\n\n{self.texts[0][-2_000:]}", fails=True)
        return {}

    def _text(self) -> str:
        return "".join(self.texts).strip()

    def _rest(self, reason: str) -> str:
        """Take what a turn ended with, and choose the next prompt; "" when the program has ended."""
        text = self._text()
        if reason == "refusal":
            raise Stopped(f"The agent refused. {text[-2_000:]}", fails=True)
        if len(text) < 400 and USED_UP.match(text):
            raise Stopped(text, fails=True)
        self.task.save(summary=text[-LONGEST_SUMMARY:] or self.task.summary)
        if rest := self._notes() or ("Go on." if reason in ("max_tokens", "max_turn_requests") else ""):
            return rest
        self.task.save(state=ENDED)
        return ""

    def _notes(self) -> str:
        with contextlib.suppress(queue.Empty):
            while True:
                self._hear(self.inbox.get_nowait())
        self.limits.obey()
        notes, self.session.notes = self.session.notes, []
        return "\n\n".join(notes)

    def _complaint(self, before: set[str]) -> str:
        """Look for what is wrong with the work, each complaint once; "" when it is to be handed in."""
        task = self.task
        if not task.summary and self._tree().has_only(task.head or task.commit):
            if "nothing" in before:
                raise Stopped("It ended without a result: nothing was changed, and nothing was said.", fails=True)
            before.add("nothing")
            return prompts.NOTHING
        if not task.check:
            return ""
        code, output = self._run_shell(task.check)
        task.save(checked=code, tests=output)
        if code == 0 or "check" in before:
            return ""
        before.add("check")
        return prompts.complaint(task.check, code, output)

    def _tree(self) -> worktree.Tree:
        return worktree.Tree(self.worker.repository, self.task.tree)

    # -- what is heard ------------------------------------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        if event.kind == "message" and event.source is self.session.agent:
            self._hear_agent(event)
        elif event.kind == "note":
            self.session.note(event.text)
        elif event.kind == "answer":
            self.session.hear_answer(event)
        elif event.kind in ("lost", "denied") or (event.kind == "stop" and self.limits.stop is None):
            self.limits.stop = Stopped(event.text, asks=event.kind == "denied")
        self.limits.look()

    def _hear_in_turn(self, event: Event) -> None:
        self._hear(event)
        if self.limits.stop is not None:
            raise self.limits.stop

    def _hear_agent(self, event: Event) -> None:
        agent, message = self.session.agent, event.message
        assert agent is not None
        if message["method"] == "session/update" and "id" not in message:
            self._hear_update(values_at(message, "params", "update"))
        elif message["method"] == "session/request_permission" and "id" in message:
            self.calls.ask(agent, message["id"], values_at(message, "params"))
        elif "id" in message:
            agent.refuse(message["id"])

    def _hear_update(self, update: Values) -> None:
        kind, is_replayed = update.get("sessionUpdate"), self.session.is_replayed
        if kind in ("tool_call", "tool_call_update"):
            if self.calls.update(update, is_replayed=is_replayed):
                self.texts = []  # what is said at last, after all calls, is the summary
        elif kind == "plan" and not is_replayed:
            self.reports.tell("Plan", plan=update.get("entries"))
        elif kind == "agent_message_chunk" and not is_replayed:
            self.texts.append(text_at(update, "content", "text"))
        elif kind == "session_info_update" and update.get("title"):
            self.usage.is_untitled = False
        elif kind == "usage_update":
            self.usage.hear_cost(update.get("cost"))

    # -- the end ------------------------------------------------------------------------------------------------------

    def _end_agent(self) -> None:
        agent = self.session.agent
        if agent is not None and self.limits.stop is not None and self.task.session:
            with contextlib.suppress(acp.Gone):
                agent.tell("session/cancel", sessionId=self.task.session)
                self.calls.cancel()
                if result := self.session.last_result():  # then it is killed
                    self.usage.report_turn(result, self.task.prompted)
        self._close_agent()

    def _close_agent(self) -> None:
        self.calls.forget_requests()
        self.session.close()

    def _commit(self) -> Values:
        task, tree = self.task, self._tree()
        tree.commit_rest(f"#{task.number} {task.title}")
        code = code_since(task.commit, tree)
        task.save(head=code["head"])
        return dict(code)

    def _hand_in(self, code: Values) -> None:
        task = self.task
        body: Values = {"fence": task.fence, "summary": task.summary or "Done, as the changes show.", "code": code}
        if task.checked is not None:
            word = "succeeds" if task.checked == 0 else f"ends with exit code {task.checked}"
            body["checked"] = f"`{task.check}` {word}."
            code["check"] = {"command": task.check[:2_000], "exit_code": task.checked}
        if task.tests:
            code["tests"] = task.tests
        outbox_of(task).put(f"{HAND_IN}hand-in-{task.fence}", "POST", f"{task.path}/completions", body, task.fence)
        self.reports.close(ended=False)

    def _leave(self, stopped: Stopped) -> None:
        """End without a hand-in. The worktree stays with all that is in it."""
        task, why = self.task, plain(stopped)
        self.worker.say(f"#{task.number}: {why} What was done stays in {task.tree}, branch {task.branch or None}.")
        error = "ended" if stopped.fails else "stopped"
        self.reports.tell("StopFailure", error=error, prompt_id=str(task.prompted))
        self.reports.close(ended=not self.worker.ends)
        if self.worker.ends:
            return
        task.save(state=KEPT, why=why)
        self.has_failed = stopped.fails
        if stopped.asks:
            try:
                self._ask_how_to_go_on(why)
            except Problem as problem:
                self.worker.say(problem.text)
        else:
            with contextlib.suppress(Problem):  # it is over already, or somebody else's
                self._give_back(why)

    def _give_back(self, why: str) -> None:
        body = {"fence": self.task.fence, "reason": why[:2_000]}
        self.worker.api.call("DELETE", f"{self.task.path}/lease", body, fence=self.task.fence)

    def _ask_how_to_go_on(self, why: str) -> None:
        """Ask people. The task waits for them without a lease, so that no worker begins it over and over."""
        task = self.task
        where = f"What was done is in the branch {task.branch}" if task.branch else "Nothing was done"
        text = f"{why[:3_000]}\n\n{where} on {socket.gethostname()}. How should it go on?"
        path, body = f"/api/v1/agent/boards/{task.board}/questions", {"content": text, "park": True}
        try:
            self.worker.api.call("POST", path, {**body, "task_id": task.task}, fence=task.fence)
        except (Unreachable, Busy):
            raise
        except Problem as problem:
            if problem.code in GONE:
                return
            self._give_back(why)
