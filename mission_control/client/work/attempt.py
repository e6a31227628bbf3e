"""One task, from its worktree to its hand-in. Each step is on disk before the next, so that a crash ends nothing."""

from __future__ import annotations

import contextlib
import os
import queue
import shlex
from datetime import datetime, timezone

from mission_control.client import clock, files
from mission_control.client.git import LONGEST_COMMAND, code_since
from mission_control.client.printing import plain
from mission_control.client.problems import Problem
from mission_control.client.program import TRY_LATER
from mission_control.client.work import acp, prompts, worktree
from mission_control.client.work.commands import TOO_LONG, Command
from mission_control.client.work.ends import FAULT, End, end_of, refusal_of
from mission_control.client.work.holding import SHORT_SECONDS, Held
from mission_control.client.work.limits import Limits, NoResult, Stopped
from mission_control.client.work.reports import Reports
from mission_control.client.work.sending import HAND_IN, ask_how_to_go_on, give_back, outbox_of, reason_of_drop
from mission_control.client.work.session import TURN_SECONDS, AgentSession
from mission_control.client.work.task import BEGUN, ENDED, KEPT, WORKED
from mission_control.client.work.tool_calls import ToolCalls
from mission_control.client.work.usage import Usage
from mission_control.client.work.values import text_at, value_at, values_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mission_control.client.shapes import Next, Values
    from mission_control.client.work.inbox import Event, Inbox
    from mission_control.client.work.task import TaskFile
    from mission_control.client.work.worker import Worker

MOST_PROMPTS, MOST_FAILURES, PAUSE_SECONDS = 6, 3, 0.5
LOOK_SECONDS = 30.0  # at what a program waits for in a turn and does not tell
LONGEST_SUMMARY = 20_000


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
        self.is_broken = False  # the turn, as the agent tells beside its end
        self._looked = clock.monotonic()
        self.has_failed = False

    def run(self, answer: Next) -> None:
        """Do a task as it was claimed, and put its hand-in into the outbox."""
        task, reason = self.task, reason_of_drop(self.worker, self.task)
        try:
            self._prepare(answer)
            if reason:
                task.save(summary=reason, state=WORKED)
            elif task.state != WORKED:
                self._work(answer)
                self._end_agent()
                task.save(state=WORKED)
            code = self._commit()
        except Held as held:
            self._end_agent()
            self._set_aside(held)
            raise
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
                task.save(
                    base=base, commit=commit, setup=policy.setup, check=policy.check, mend=policy.mend,
                    words=policy.text,
                )  # fmt: skip
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
        command, end = Command(words, self.task.tree, environment, self.task.run), clock.monotonic() + seconds
        try:
            while not command.is_over():
                if clock.monotonic() > end:
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
        task, complaints, turns, failures = self.task, dict[str, int](), 0, 0
        most = MOST_PROMPTS + task.mend
        prompt = prompts.next_prompt(answer) if task.prompted else prompts.first_prompt(answer, task)
        if task.state == ENDED:  # another worker was killed after that
            prompt = ""
        while True:
            if not prompt or turns == most:
                prompt = self._complaint(complaints) or self._notes()
                if not prompt or turns == most:
                    return
            try:
                reason = self._turn(answer, prompt)
            except Held as held:
                self._close_agent()
                if not held.is_short:
                    raise
                self._wait_shortly(held)
                prompt = prompts.GO_ON if task.prompted else prompt
            except (acp.Gone, acp.Refused) as trouble:
                self._close_agent()
                self.limits.obey()
                failures += 1
                self.reports.tell("StopFailure", error="ended", prompt_id=str(failures))
                self.worker.say(f"#{task.number}: {trouble}")
                if failures >= MOST_FAILURES:
                    raise Stopped(f"The agent failed {failures} times. {plain(trouble)}", fails=True) from trouble
                self._hear_for(PAUSE_SECONDS * 4 ** (failures - 1))
                complaints.clear()
                prompt = prompts.GO_ON if task.prompted else prompt
            else:
                turns += 1
                prompt = self._rest(reason)

    def _turn(self, answer: Next, prompt: str) -> str:
        """Have the program take a turn, started if it is not, and return why it ended."""
        task, knows = self.task, self.session.agent is not None
        self.worker.holding.obey(tries=True)
        if self.program.acp and not knows:
            knows = self.session.start()
            self.reports.begin()
        if not knows and task.prompted:
            prompt = "\n\n".join(dict.fromkeys((prompts.first_prompt(answer, task), prompts.GO_ON, prompt)))
        number = task.prompted + 1
        task.save(prompted=number, state=BEGUN)
        self.texts, self.is_broken = [], False
        self.reports.tell("UserPromptSubmit", prompt=prompt, prompt_id=str(number))
        try:
            result = self._result(prompt)
        except acp.Refused as refusal:
            raise self._held(self._end_of(refusal), refusal) from refusal
        self.reports.tell("Stop", prompt_id=str(number), last_assistant_message=self._text())
        self.usage.report_turn(result, number)
        task.save(counted=number)
        self.limits.obey()
        reason = str(result.get("stopReason") or "end_turn")
        if reason == "cancelled" and not self.session.notes:
            raise acp.Gone("The agent ended its turn without having been asked.")
        if end := refusal_of(self.program.signs, self._text(), _now()):
            raise self._held(end)
        self.worker.holding.end()
        return reason

    def _result(self, prompt: str) -> Values:
        if not self.program.acp:
            return self._run_program(prompt)
        result = self.session.take_turn(prompt, self._hear_in_turn)
        if self.is_broken:
            raise acp.Refused({"message": self._text()})
        return result

    def _end_of(self, refusal: acp.Refused) -> End:
        codes = {str(value_at(refusal.error, *path)) for path in (("code",), self.program.error_code)}
        return end_of(self.program.signs, codes, refusal.words, _now())

    def _held(self, end: End, refusal: acp.Refused | None = None) -> Exception:
        if refusal is not None and end.kind == FAULT:
            return refusal
        self.reports.tell("StopFailure", error=end.kind, prompt_id=str(self.task.prompted))
        return self.worker.holding.begin(end)

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
        if code == TRY_LATER:
            raise acp.Refused({"code": code, "message": self.texts[0][-500:]})
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

    def _complaint(self, before: dict[str, int]) -> str:
        """Look for what is wrong with the work, and was not said too often; "" when it is to be handed in."""
        task = self.task
        if not task.summary and self._tree().has_only(task.head or task.commit):
            if "nothing" in before:
                raise NoResult(prompts.NO_RESULT, fails=True)
            before["nothing"] = 1
            return prompts.NOTHING
        if not task.check:
            return ""
        code, output = self._check()
        mends = before.get("check", 0)
        if code == 0 or mends == task.mend:
            return ""
        before["check"] = mends + 1
        return prompts.complaint(task.check, code, output)

    def _check(self) -> tuple[int, str]:
        """Run the check, again where it wrote files, so that what is handed in is what was checked."""
        for _ in range(2):
            tree = self._tree().stage_rest()
            code, output = self._run_shell(self.task.check)
            self.task.save(checked=code, tests=output, checked_tree=tree)
            if code != 0 or self._tree().stage_rest() == tree:
                break
        return code, output

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
        if self.usage.messages is not None and clock.monotonic() - self._looked > LOOK_SECONDS:
            self._looked = clock.monotonic()
            if retry := self.usage.messages.retry_of(self.task.session):
                words, moment = retry
                until = datetime.fromtimestamp(moment, timezone.utc)
                if moment - clock.time() > SHORT_SECONDS:
                    raise self._held(End(end_of(self.program.signs, (), words, _now()).kind, words, until))

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
        if kind == "tool_call" and not is_replayed:
            self.worker.holding.end()
        self.is_broken = self.is_broken or (not is_replayed and self.program.has_failed(update))
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
        if not task.summary and code["head"] == code["base"]:
            raise NoResult(prompts.NO_RESULT, fails=True)
        task.save(head=code["head"])
        if task.checked is not None:
            code["check"] = {"command": task.check[:LONGEST_COMMAND], "exit_code": task.checked}
            if tree.git("rev-parse", "HEAD^{tree}") == task.checked_tree:
                code["check"]["commit"] = code["head"]
        return dict(code)

    def _hand_in(self, code: Values) -> None:
        task = self.task
        body: Values = {"fence": task.fence, "summary": task.summary or "Done, as the changes show.", "code": code}
        if task.checked is not None:
            word = "succeeds" if task.checked == 0 else f"ends with exit code {task.checked}"
            body["checked"] = f"`{task.check}` {word}."
        if task.tests:
            code["tests"] = task.tests
        outbox_of(task).put(f"{HAND_IN}hand-in-{task.fence}", "POST", f"{task.path}/completions", body, task.fence)
        self.reports.close(ended=False)

    def _wait_shortly(self, held: Held) -> None:
        """Wait in the session of the task until the hold is over, or another worker has tried."""
        self.worker.say(f"#{self.task.number} waits: {held}")
        while clock.time() < held.until and self.worker.holding.is_on():
            self._hear_for(0.5)

    def _hear_for(self, seconds: float) -> None:
        end = clock.monotonic() + seconds
        while clock.monotonic() < end:
            clock.sleep(0.1)
            while not self.inbox.empty():
                self._hear(self.inbox.get())
            self.limits.obey()

    def _set_aside(self, held: Held) -> None:
        """End for now: a task that is not begun goes back untouched, another waits with the hold."""
        task, holding = self.task, self.worker.holding
        is_untouched = not task.summary and (not task.branch or self._tree().has_only(task.commit))
        self.reports.close(ended=is_untouched)
        if self.worker.ends:
            return
        if is_untouched:
            with contextlib.suppress(Problem):
                give_back(self.worker, task, f"{held.end.words[:500]} It was not begun.", rests=False)
                task.save(state=KEPT, why=held.end.words)
                return
        holding.keep(task.task, task.fence)

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
        is_empty = isinstance(stopped, NoResult)
        if is_empty:
            task.save(session="", prompted=0, counted=0)  # the next one is a fresh session
        self.has_failed = stopped.fails
        if stopped.asks:
            try:
                ask_how_to_go_on(self.worker, task, why, is_empty=is_empty)
            except Problem as problem:
                self.worker.say(problem.text)
        else:
            with contextlib.suppress(Problem):  # it is over already, or somebody else's
                give_back(self.worker, task, why)


def _now() -> datetime:
    return datetime.fromtimestamp(clock.time()).astimezone()
