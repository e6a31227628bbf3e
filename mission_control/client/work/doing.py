"""One task, from its worktree to its hand-in. Each step is on disk before the next, so that a crash ends nothing."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shlex
import socket
import time

from mission_control import __version__
from mission_control.client import files
from mission_control.client.commands import TOO_LONG, Command
from mission_control.client.git import code_since
from mission_control.client.printing import plain
from mission_control.client.problems import Busy, Problem, Unreachable
from mission_control.client.tasks import GONE
from mission_control.client.words import brief
from mission_control.client.work import acp, agents, worktree
from mission_control.client.work.outbox import Outbox
from mission_control.client.work.telling import Line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mission_control.client.work.loop import Worker

MOST_PROMPTS, MOST_STARTS = 6, 3
CANCEL_SECONDS, TURN_SECONDS = 10.0, 86_400.0
LONGEST_SUMMARY, AT_ONCE = 20_000, 50
# The states in which a task is kept here.
BEGUN, ENDED, WORKED, HANDED_IN, KEPT = "begun", "ended", "worked", "handed in", "kept"
NOTHING = "Nothing was changed, and you said nothing. Say why, or go on."
GO_ON = "You were interrupted. Look at what is done already, then go on, and end when the task is finished."
ENDS = (
    "Commit what belongs to the task. When you are done, end your turn with a summary for the people who asked: what"
    " you did, what you found, what you left out. Do not hand the task in or give it back: that is done for you."
)


class Stopped(Exception):
    """The work ended before its end. `asks`: people are asked how it goes on; `fails`: something did not work."""

    def __init__(self, why: str, *, asks: bool = False, fails: bool = False) -> None:
        super().__init__(why)
        self.asks, self.fails = asks or fails, fails


class Kept(dict):  # type: ignore[type-arg]
    """What is known of a task on this machine, in a file of its own."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.folder, self.path = folder, os.path.join(folder, "task.json")
        with contextlib.suppress(OSError, ValueError), open(self.path, encoding="utf-8") as file:
            self.update(json.load(file))

    def save(self, **values: Any) -> None:
        self.update(values)
        files.write(self.path, json.dumps(self).encode())

    @property
    def tree(self) -> str:
        return os.path.join(self.folder, "tree")


class Doing:
    def __init__(self, worker: Worker, kept: Kept) -> None:
        self.worker, self.kept, self.outbox = worker, kept, Outbox(os.path.join(kept.folder, "outbox"))
        self.inbox: queue.Queue[Any] = queue.Queue()
        self.program, self.began = worker.program, time.monotonic()
        self.line: Line | None = None
        self.messages: agents.Messages | None = None
        self.agent: acp.Agent | None = None
        self.session, self.said = "", list[str]()
        self.calls: dict[str, dict[str, Any]] = {}
        self.reported: set[str] = set()
        self.asking: dict[Any, Any] = {}
        self.notes, self.steered = list[str](), dict[int, str]()
        self.stop: Stopped | None = None
        self.replaying, self.steers, self.is_in_turn = False, False, False
        self.has_failed, self.is_untitled = False, False
        self.cost = self.counted = self.spent = 0.0  # as the agent tells it, what of that is reported, and all since

    @property
    def path(self) -> str:
        return f"/api/v1/agent/boards/{self.kept['board']}/tasks/{self.kept['task']}"

    def do(self, answer: dict[str, Any]) -> None:
        """Do a task as it was claimed, and put its hand-in into the outbox."""
        kept = self.kept
        try:
            self._prepare(answer)
            if kept["state"] != WORKED:
                self._work(answer)
                self._end()
                kept.save(state=WORKED)
            code, tests = self._evidence()
        except Stopped as stopped:
            self._end()
            self._leave(stopped)
        except Problem as problem:
            self._end()
            self._leave(Stopped(problem.text, asks=True, fails=not isinstance(problem, worktree.Suspect)))
        else:
            self._hand_in(kept["summary"], code, tests)
        finally:
            self._end()

    # -- the worktree -------------------------------------------------------------------------------------------------

    def _prepare(self, answer: dict[str, Any]) -> None:
        kept, task, repository = self.kept, answer["task"], self.worker.repository
        with self.worker.alone():
            if "branch" not in kept:
                base, commit, policy = worktree.begin(repository)
                kept.save(base=base, commit=commit, setup=policy.setup, check=policy.check, words=policy.text)
                branch = worktree.branch_of(task["number"], task["title"])
                branch = worktree.make(repository, kept.tree, branch, commit)
                kept.save(branch=branch, top=repository.folder, is_set_up=False)
            elif not os.path.isdir(kept.tree):
                worktree.add(repository, kept.tree, kept.tree, kept["branch"])
        self._begin_line()
        if kept["setup"] and not kept["is_set_up"]:
            code, output = self._ran(kept["setup"])
            if code != 0:
                end = output.strip()[-2_000:]
                raise Stopped(f"`{kept['setup']}` ended with exit code {code}:\n\n{end}", fails=True)
        kept.save(is_set_up=True)

    def _ran(self, command: str) -> tuple[int, str]:
        self.worker.say(f"#{self.kept['number']}: {command}")
        return self._command(["/bin/sh", "-c", command], self.program.environment(), worktree.COMMAND_SECONDS)

    def _command(self, words: list[str], environment: dict[str, str], seconds: float) -> tuple[int, str]:
        """Run a command in the worktree, while stops and the lease are heard; return how it ended, and its output."""
        command, end = Command(words, self.kept.tree, environment, self.kept["run"]), time.monotonic() + seconds
        try:
            while not command.is_over():
                if time.monotonic() > end:
                    return TOO_LONG, f"{command.output()}\nIt took too long."
                with contextlib.suppress(queue.Empty):
                    self._hear(*self.inbox.get(timeout=0.1))
                self._obey()
            return command.process.returncode, command.output()
        finally:
            command.end()

    # -- the agent ----------------------------------------------------------------------------------------------------

    def _work(self, answer: dict[str, Any]) -> None:
        """Have the program do the task, and mend what is found wrong with it."""
        kept, complaints, prompts, starts = self.kept, set[str](), 0, 0
        prompt = self._again(answer) if kept.get("prompted") else self._brief(answer)
        if kept["state"] == ENDED:  # another worker was killed after that
            prompt = ""
        while True:
            if not prompt or prompts == MOST_PROMPTS:
                prompt = self._complaint(complaints) or self._noted()
                if not prompt or prompts == MOST_PROMPTS:
                    return
            try:
                knows = self.agent is not None
                if self.program.acp and not knows:
                    starts += 1
                    knows = self._start()
                if not knows and kept.get("prompted"):
                    prompt = "\n\n".join(dict.fromkeys((self._brief(answer), GO_ON, prompt)))
                reason = self._prompt(prompt)
                if reason == "cancelled" and not self.notes:
                    raise acp.Gone("The agent ended its turn without having been asked.")
            except (acp.Gone, acp.Refused) as trouble:
                self._close_agent()
                self._obey()
                self._tell("StopFailure", error="ended", prompt_id=str(starts))
                self.worker.say(f"#{kept['number']}: {trouble}")
                if starts >= MOST_STARTS:
                    raise Stopped(f"The agent failed {starts} times. {plain(trouble)}", fails=True) from trouble
                complaints.clear()
                prompt = GO_ON if kept.get("prompted") else prompt
            else:
                prompts += 1
                prompt = self._rest(reason)

    def _rest(self, reason: str) -> str:
        said = "".join(self.said).strip()
        if reason == "refusal":
            raise Stopped(f"The agent refused. {said[-2_000:]}", fails=True)
        if agents.is_used_up(said):
            raise Stopped(said, fails=True)
        self.kept.save(summary=said[-LONGEST_SUMMARY:] or self.kept["summary"])
        if rest := self._noted() or ("Go on." if reason in ("max_tokens", "max_turn_requests") else ""):
            return rest
        self.kept.save(state=ENDED)
        return ""

    def _noted(self) -> str:
        with contextlib.suppress(queue.Empty):
            while True:
                self._hear(*self.inbox.get_nowait())
        self._obey()
        notes, self.notes = self.notes, []
        return "\n\n".join(notes)

    def _complaint(self, before: set[str]) -> str:
        """Return what is wrong with the work, each complaint once; nothing when it is to be handed in."""
        kept = self.kept
        is_empty = not kept["summary"] and self._tree().has_only(kept.get("head") or kept["commit"])
        if is_empty and "nothing" in before:
            raise Stopped("It ended without a result: nothing was changed, and nothing was said.", fails=True)
        if is_empty:
            before.add("nothing")
            return NOTHING
        if not kept["check"]:
            return ""
        code, output = self._ran(kept["check"])
        kept.save(checked=code, tests=output)
        if code == 0 or "check" in before:
            return ""
        before.add("check")
        return f"`{kept['check']}` ends with exit code {code}. Mend it.\n\n```\n{output.strip()[-6_000:]}\n```"

    def _tree(self) -> worktree.Tree:
        return worktree.Tree(self.worker.repository, self.kept.tree)

    def _start(self) -> bool:
        """Start the agent and its session; return whether it is the one from before."""
        kept, program = self.kept, self.program
        environment = {**program.environment(), "MISSION_CONTROL_TASK": str(kept["number"])}
        self.cost = self.counted = 0.0
        self.messages = agents.Messages() if program.serves else None
        command = program.acp_command() + (["--port", str(self.messages.port)] if self.messages else [])
        # What npx runs may stand in the folder where it is started.
        folder = kept.folder if os.path.basename(command[0]) == "npx" else kept.tree
        self.agent = acp.Agent(command, folder, environment, kept["run"], self.inbox)
        able = {"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False}
        info = {"name": "mission-control", "title": "Mission Control", "version": __version__}
        hello = self._asked("initialize", protocolVersion=1, clientCapabilities=able, clientInfo=info)
        agent_info, able_to = hello.get("agentInfo") or {}, hello.get("agentCapabilities") or {}
        meta = hello.get("_meta") or {}
        self.steers = bool((meta.get("steering") or {}).get("supported"))
        kept.save(version=f"{agent_info.get('name', program.key)} {agent_info.get('version', '')}".strip()[:64])
        methods = [one.get("id") for one in hello.get("authMethods") or () if isinstance(one, dict)]
        if "gemini-api-key" in methods and os.environ.get("GEMINI_API_KEY"):
            self._asked("authenticate", methodId="gemini-api-key")
        servers = self.worker.mcp_servers(bool((able_to.get("mcpCapabilities") or {}).get("http")))
        where: dict[str, Any] = {"cwd": kept.tree, "mcpServers": servers}
        found, is_loaded = {}, False
        if kept.get("session") and able_to.get("loadSession"):
            self.replaying = True
            try:
                found = self._asked("session/load", sessionId=kept["session"], **where)
                is_loaded = True
            except acp.Refused:
                pass
            finally:
                self.replaying, self.counted = False, self.cost
        if not is_loaded:
            found = self._asked("session/new", **where)
            kept.save(session=str(found.get("sessionId")))
        self.session = kept["session"]
        self._miss()  # of a worker that was killed
        self.is_untitled = program.lacks == "title" and not is_loaded
        if self.is_untitled:
            title = f"#{kept['number']} {kept['title']}"[:200]
            with contextlib.suppress(acp.Refused):  # then it asks its model for one
                self._asked("session/set_title", sessionId=self.session, title=title)
                self.is_untitled = False
        self._mode(found)
        self._begin_line()
        return is_loaded

    def _mode(self, found: dict[str, Any]) -> None:
        """Have it ask before it acts. Without such a mode it is as the program itself is set up."""
        modes = (found.get("modes") or {}).get("availableModes") or ()
        named = [one.get("id") for one in modes if isinstance(one, dict)]
        if self.program.acp_mode and (self.program.acp_mode in named or not named):
            with contextlib.suppress(acp.Refused):
                self._asked("session/set_mode", sessionId=self.session, modeId=self.program.acp_mode)
                self.kept.save(mode=self.program.acp_mode)
                return
        if self.program.acp_mode and named:
            raise Stopped(f"{self.program.key} has no mode {self.program.acp_mode}, in which it asks.", fails=True)
        self.kept.save(mode=(found.get("modes") or {}).get("currentModeId") or "")

    def _asked(self, method: str, seconds: float = acp.START_SECONDS, **params: Any) -> Any:
        assert self.agent is not None
        found = self.agent.answer(self.agent.begin(method, **params), self._hear, seconds)
        return found if isinstance(found, dict) else {}

    def _prompt(self, text: str) -> str:
        """Have the agent take a turn, and return why it ended."""
        number = int(self.kept.get("prompted") or 0) + 1
        self.kept.save(prompted=number, state=BEGUN)
        self.said = []
        self._tell("UserPromptSubmit", prompt=text, prompt_id=str(number))
        result = self._turn(text) if self.program.acp else self._run(text)
        said = "".join(self.said).strip()
        self._tell("Stop", prompt_id=str(number), last_assistant_message=said)
        self._use(result, number)
        self.kept.save(counted=number)
        self._obey()
        return str(result.get("stopReason") or "end_turn")

    def _turn(self, text: str) -> dict[str, Any]:
        assert self.agent is not None
        words = [{"type": "text", "text": text}]
        turn = self.agent.begin("session/prompt", sessionId=self.session, prompt=words)
        self.is_in_turn = True
        try:
            result = self.agent.answer(turn, self._notified_in_turn, TURN_SECONDS)
        finally:
            self.is_in_turn = False
        return result if isinstance(result, dict) else {}

    def _run(self, text: str) -> dict[str, Any]:
        """Have any command do it: it reads the brief, and what it prints at its end is the summary."""
        path = os.path.join(self.kept.folder, "brief.md")
        files.write(path, text.encode())
        words = shlex.join(self.program.acp_command())
        environment = {**self.program.environment(), "MISSION_CONTROL_BRIEF": path,
                       "MISSION_CONTROL_TASK": str(self.kept["number"])}  # fmt: skip
        command = ["/bin/sh", "-c", f'{words} <"$MISSION_CONTROL_BRIEF"']
        code, output = self._command(command, environment, TURN_SECONDS)
        self.said = [output.strip()[-LONGEST_SUMMARY:]]
        if code != 0:
            raise Stopped(f"`{words}` ended with exit code {code}.\n\n{self.said[0][-2_000:]}", fails=True)
        return {}

    def _notified_in_turn(self, kind: str, what: Any) -> None:
        self._hear(kind, what)
        if self.stop is not None:
            raise self.stop

    def _use(self, result: dict[str, Any], number: int) -> None:
        asked = self.messages.used(self.session) if self.messages else None
        used = agents.usage_of(result, f"acp:{self.session}:{number}") if asked is None else asked
        more, self.counted = max(0.0, self.cost - self.counted), self.cost
        self.spent += more
        if len(used) == 1 and asked is None:
            used[0]["cost_usd"] = round(more, 6)
        if used and (self.is_untitled or self.program.lacks == "routing"):
            self.is_untitled, used[0]["gaps"] = False, 1
        for first in range(0, len(used), AT_ONCE):
            self._report(f"usage-{number:04}-{first:04}", usage=used[first : first + AT_ONCE])

    def _miss(self) -> None:
        """Say of a turn that was cut that not all of it is counted."""
        number = int(self.kept.get("prompted") or 0)
        if self.program.acp and self.session and number > int(self.kept.get("counted") or 0):
            self.kept.save(counted=number)
            key = f"acp:{self.session}:{number}:cut"[:200]
            self._report(f"usage-{number:04}-cut", usage=[{"key": key, "source": "acp", "gaps": 1}])

    def _hear(self, kind: str, what: Any) -> None:
        """Take what comes: from the agent, from people, from the lease."""
        if kind == "message":
            agent, message = what
            if agent is self.agent:
                self._received(message)
        elif kind == "note":
            self._note(what)
        elif kind == "answer":
            self._answered(*what)
        elif kind in ("lost", "denied") or (kind == "stop" and self.stop is None):
            self.stop = Stopped(what, asks=kind == "denied")
        self._limits()

    def _limits(self) -> None:
        given = self.worker.given
        if self.stop is not None:
            return
        if self.worker.ends:
            self.stop = Stopped("This worker was ended.")
        elif given.time and time.monotonic() - self.began > given.time * 60:
            self.stop = Stopped(f"It took more than {given.time:g} minutes.", asks=True)
        elif given.budget and self.spent + self.cost - self.counted > given.budget:
            self.stop = Stopped(f"It cost more than {given.budget:g} US dollars.", asks=True)

    def _obey(self) -> None:
        self._limits()
        if self.stop is not None:
            raise self.stop

    def _received(self, message: dict[str, Any]) -> None:
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        if "id" in message:
            if message["method"] == "session/request_permission":
                self._permission(message["id"], params)
            elif self.agent is not None:
                self.agent.refuse(message["id"])
        elif message["method"] == "session/update" and isinstance(update := params.get("update"), dict):
            self._update(update)

    def _update(self, update: dict[str, Any]) -> None:
        kind = update.get("sessionUpdate")
        if kind in ("tool_call", "tool_call_update"):
            self._call(update)
        elif kind == "plan" and not self.replaying:
            self._tell("Plan", plan=update.get("entries"))
        elif kind == "agent_message_chunk" and not self.replaying:
            content = update.get("content")
            if isinstance(content, dict) and isinstance(content.get("text"), str):
                self.said.append(content["text"])
        elif kind == "session_info_update" and update.get("title"):
            self.is_untitled = False
        elif kind == "usage_update":
            cost = update.get("cost")
            amount = cost.get("amount") if isinstance(cost, dict) else cost
            if isinstance(amount, (int, float)):
                self.cost = max(self.cost, float(amount))

    def _call(self, update: dict[str, Any]) -> None:
        """A call of a tool begins, changes or ends. What a loaded session repeats is known by its id."""
        number = str(update.get("toolCallId"))
        call = self._merged(number, update)
        if self.replaying:
            self.reported.update((f"begun {number}", f"ended {number}"))
            return
        state = call.get("status")
        if state in ("in_progress", "completed", "failed"):
            self._begun(number, call)
        if state in ("completed", "failed") and f"ended {number}" not in self.reported:
            self.reported.add(f"ended {number}")
            self.said = []  # what is said at last, after all calls, is the summary
            about = self._about(number, call)
            if number in self.asking.get("refused", ()):
                self._tell("PermissionDenied", **about)
            elif agents.has_failed(call):
                self._tell("PostToolUseFailure", error=agents.output_of(call), **about)
            else:
                self._tell("PostToolUse", tool_response=agents.output_of(call), **about)

    def _merged(self, number: str, update: dict[str, Any]) -> dict[str, Any]:
        call = self.calls.setdefault(number, {})
        call.update({name: one for name, one in update.items() if one not in (None, [], {}, "")})
        return call

    def _begun(self, number: str, call: dict[str, Any]) -> None:
        if f"begun {number}" not in self.reported:
            self.reported.add(f"begun {number}")
            self._tell("PreToolUse", **self._about(number, call))

    def _about(self, number: str, call: dict[str, Any]) -> dict[str, Any]:
        return {"tool_name": agents.tool_of(call), "tool_input": agents.given_to(call), "tool_use_id": number}

    def _permission(self, request: object, params: dict[str, Any]) -> None:
        """Ask people; nothing is allowed without their answer."""
        given = params.get("toolCall")
        given = given if isinstance(given, dict) else {}
        number = str(given.get("toolCallId"))
        call = self._merged(number, given)
        options = [one for one in params.get("options") or () if isinstance(one, dict)]
        chosen = {kind: next((one.get("optionId") for one in options if one.get("kind") == kind), None)
                  for kind in ("allow_once", "reject_once")}  # fmt: skip
        agent, line = self.agent, self.line
        assert agent is not None and line is not None
        self._begun(number, call)
        self.asking[request] = agent

        def answered(found: dict[str, Any]) -> None:
            decision = found.get("decision")
            option = chosen["allow_once"] if decision == "allow-once" else chosen["reject_once"]
            outcome = {"outcome": "selected", "optionId": option} if option else {"outcome": "cancelled"}
            if self.asking.pop(request, None) is None:
                return
            if decision != "allow-once":
                self.asking.setdefault("refused", set()).add(number)
                if decision != "stop" and found.get("words"):  # before its turn may end
                    self.inbox.put(("note", str(found["words"])))
            with contextlib.suppress(acp.Gone):
                agent.reply(request, {"outcome": outcome})
            if decision == "stop":
                self.inbox.put(("denied", str(found.get("words") or "Denied and stopped.")))

        line.ask(answered, lambda: request not in self.asking or self.agent is not agent, **self._about(number, call))

    def _note(self, text: str) -> None:
        """Let the agent have what people wrote: at once where it takes that, else with its next prompt."""
        if self.agent is not None and self.is_in_turn and self.steers:
            words, idle = [{"type": "text", "text": text}], {"steering": {"idleBehavior": "promptRequired"}}
            with contextlib.suppress(acp.Gone):
                number = self.agent.begin("_session/steering", sessionId=self.session, prompt=words, _meta=idle)
                self.steered[number] = text
                return
        self.notes.append(text)

    def _answered(self, agent: acp.Agent, message: dict[str, Any]) -> None:
        """Have a note that came too late for its turn be told with the next prompt."""
        text = self.steered.pop(message["id"], "") if agent is self.agent else ""
        if text and ("error" in message or (message.get("result") or {}).get("outcome") == "promptRequired"):
            self.notes.append(text)

    # -- words --------------------------------------------------------------------------------------------------------

    def _brief(self, answer: dict[str, Any]) -> str:
        parts = [brief(answer), self.kept.get("words") or "", f"## How it ends\n\n{ENDS}"]
        if self.kept["check"]:
            parts.append(f"`{self.kept['check']}` is run when you end; it has to succeed.")
        return "\n\n".join(one for one in parts if one)

    def _again(self, answer: dict[str, Any]) -> str:
        why = answer.get("why") or {}
        if why.get("kind") == "rework":
            return f"Your work was sent back.\n\n{plain(why.get('text') or '')}\n\n{ENDS}"
        if why.get("kind") == "resume":
            return f"People answered.\n\n{plain(why.get('text') or '')}\n\n{GO_ON}"
        return GO_ON

    # -- the board ----------------------------------------------------------------------------------------------------

    def _begin_line(self) -> None:
        """Let the board know the session, as soon as it has a name."""
        kept = self.kept
        if not self.program.acp:
            kept.save(session=kept["run"])
        name = str(kept.get("session") or "")
        if self.line is not None and self.line.common["session_id"] == name:
            return
        if self.line is not None:
            self.line.over.set()
        self.session = name
        if name:
            self._describe()
        self.line = Line(self.worker.connection, self.program.key, name, kept.tree, self.inbox)
        self.line.keep(f"{self.path}/lease", kept["fence"], self.worker.given.lease)

    def _describe(self) -> None:
        kept = self.kept
        facts = {
            "external_id": kept["session"], "client": self.program.key, "client_version": kept.get("version") or "",
            "host_label": socket.gethostname()[:255], "cwd_label": os.path.basename(kept["top"])[:255],
            "branch": kept["branch"][:255], "mode": kept.get("mode") or "",
            "title": f"#{kept['number']} {kept['title']}"[:200],
        }  # fmt: skip
        with contextlib.suppress(Problem):
            self.worker.api.call("POST", "/api/v1/agent/reports", {"session": {k: v for k, v in facts.items() if v},
                                 "task_id": kept["task"], "fence": kept["fence"]}, fence=kept["fence"])  # fmt: skip

    def _report(self, name: str, **what: Any) -> None:
        """Have something of the session arrive, whatever happens."""
        kept = self.kept
        session = {"external_id": self.session, "client": self.program.key}
        models = [one["model"] for one in what.get("usage", ()) if one.get("model")]
        if models:
            session["model"] = max(models, key=models.count)
        body = {"session": session, "task_id": kept["task"], "fence": kept["fence"], **what}
        self.outbox.put(f"1-{name}-{kept['fence']}", "POST", "/api/v1/agent/reports", body)
        self.worker.send_once(kept)

    def _tell(self, name: str, **fields: Any) -> None:
        if self.line is not None and self.session:
            self.line.tell(name, **fields)

    # -- the end ------------------------------------------------------------------------------------------------------

    def _close_agent(self) -> None:
        agent, self.agent = self.agent, None
        self.notes.extend(self.steered.values())
        self.steered.clear()
        self.asking.clear()
        if agent is not None:
            agent.close()
            self._miss()

    def _end(self) -> None:
        agent = self.agent
        if agent is not None and self.stop is not None and self.session:
            with contextlib.suppress(acp.Gone, acp.Refused, queue.Empty):
                agent.tell("session/cancel", sessionId=self.session)
                for request in [one for one in self.asking if one != "refused"]:
                    self.asking.pop(request, None)
                    agent.reply(request, {"outcome": {"outcome": "cancelled"}})
                end = time.monotonic() + CANCEL_SECONDS
                while time.monotonic() < end:  # for its last words; then it is killed
                    kind, what = self.inbox.get(timeout=max(0.0, end - time.monotonic()))
                    result = (what[1].get("result") or {}) if kind == "answer" else {}
                    if "stopReason" in result:
                        self._use(result, int(self.kept.get("prompted") or 0))
                    if kind == "closed" or "stopReason" in result:
                        break
        self._close_agent()

    def _evidence(self) -> tuple[dict[str, Any], str]:
        kept = self.kept
        tree = self._tree()
        tree.commit_rest(f"#{kept['number']} {kept['title']}")
        code = code_since(kept["commit"], tree)
        kept.save(head=code["head"])
        return code, str(kept.get("tests") or "")

    def _hand_in(self, summary: str, code: dict[str, Any], tests: str) -> None:
        kept = self.kept
        body: dict[str, Any] = {"fence": kept["fence"], "summary": summary or "Done, as the changes show."}
        if kept.get("checked") is not None:
            word = "succeeds" if kept["checked"] == 0 else f"ends with exit code {kept['checked']}"
            body["checked"] = f"`{kept['check']}` {word}."
            code = {**code, "check": {"command": kept["check"][:2_000], "exit_code": kept["checked"]}}
        body["code"] = {**code, **({"tests": tests} if tests else {})}
        self.outbox.put(f"2-hand-in-{kept['fence']}", "POST", f"{self.path}/completions", body, kept["fence"])
        self._close_line(ended=False)

    def _close_line(self, *, ended: bool) -> None:
        line, self.line = self.line, None
        if line is not None:
            if ended and self.session:
                line.tell("SessionEnd")
            line.close()

    def _leave(self, stopped: Stopped) -> None:
        """End without a hand-in. The worktree stays with all that is in it."""
        kept, why = self.kept, plain(stopped)
        self.worker.say(f"#{kept['number']}: {why} What was done stays in {kept.tree}, branch {kept.get('branch')}.")
        error, prompt = "ended" if stopped.fails else "stopped", str(kept.get("prompted") or 0)
        self._tell("StopFailure", error=error, prompt_id=prompt)
        self._close_line(ended=not self.worker.ends)
        if self.worker.ends:
            return
        kept.save(state=KEPT, why=why)
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
        body = {"fence": self.kept["fence"], "reason": why[:2_000]}
        self.worker.api.call("DELETE", f"{self.path}/lease", body, fence=self.kept["fence"])

    def _ask_how_to_go_on(self, why: str) -> None:
        """Ask people. The task waits for them without a lease, so that no worker begins it over and over."""
        kept = self.kept
        where = f"What was done is in the branch {kept.get('branch')}" if kept.get("branch") else "Nothing was done"
        text = f"{why[:3_000]}\n\n{where} on {socket.gethostname()}. How should it go on?"
        path, body = f"/api/v1/agent/boards/{kept['board']}/questions", {"content": text, "park": True}
        try:
            self.worker.api.call("POST", path, {**body, "task_id": kept["task"]}, fence=kept["fence"])
        except (Unreachable, Busy):
            raise
        except Problem as problem:
            if problem.code in GONE:
                return
            self._give_back(why)
