"""The program of a task with its session by the Agent Client Protocol: how it starts, takes turns and ends."""

from __future__ import annotations

import contextlib
import os
import queue

from mission_control import __version__
from mission_control.client import clock
from mission_control.client.work import acp
from mission_control.client.work.agents import RUNNERS
from mission_control.client.work.limits import Stopped
from mission_control.client.work.values import rows_at, value_at, values_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mission_control.client.shapes import Values
    from mission_control.client.work.inbox import Event, Inbox
    from mission_control.client.work.task import TaskFile
    from mission_control.client.work.usage import Usage
    from mission_control.client.work.worker import Worker

CANCEL_SECONDS, TURN_SECONDS = 10.0, 86_400.0
ABLE = {"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False}
CLIENT = {"name": "mission-control", "title": "Mission Control", "version": __version__}


class AgentSession:
    """A session and its program, which is started anew when it has ended. What it sends of itself goes to `hear`."""

    def __init__(
        self, worker: Worker, task: TaskFile, usage: Usage, inbox: Inbox, hear: Callable[[Event], None]
    ) -> None:
        self._worker, self._task, self._usage = worker, task, usage
        self._program, self._inbox, self._hear = worker.program, inbox, hear
        self.agent: acp.Agent | None = None
        self.is_replayed = False  # what it sends: it loads what was before
        self._steers = self._is_in_turn = False
        self._steered: dict[int, str] = {}  # notes that are sent within a turn, by their requests
        self.notes: list[str] = []  # for the next prompt

    def _ask(self, method: str, **params: object) -> Values:
        assert self.agent is not None
        return self.agent.answer(self.agent.begin(method, **params), self._hear, acp.START_SECONDS)

    # -- the start ----------------------------------------------------------------------------------------------------

    def start(self) -> bool:
        """Start the program and its session; return whether it is the session from before."""
        task, program, usage = self._task, self._program, self._usage
        usage.begin_session()
        command = program.acp_command() + (["--port", str(usage.messages.port)] if usage.messages else [])
        # What these run may stand in the folder where they are started.
        folder = task.folder if os.path.basename(command[0]) in RUNNERS else task.tree
        environment = {**program.environment(), "MISSION_CONTROL_TASK": str(task.number)}
        self.agent = acp.Agent(command, folder, environment, task.run, self._inbox)
        able = self._initialize()
        takes_http = bool(value_at(able, "mcpCapabilities", "http"))
        place: Values = {"cwd": task.tree, "mcpServers": self._mcp_servers() if takes_http else []}
        session = self._load(place) if task.session and able.get("loadSession") else None
        is_loaded = session is not None
        if session is None:
            session = self._ask("session/new", **place)
            task.save(session=str(session.get("sessionId")))
        usage.report_cut()  # of a worker that was killed
        usage.is_untitled = program.lacks == "title" and not is_loaded
        if usage.is_untitled:
            title = f"#{task.number} {task.title}"[:200]
            with contextlib.suppress(acp.Refused):  # then it asks its model for one
                self._ask("session/set_title", sessionId=task.session, title=title)
                usage.is_untitled = False
        self._set_mode(values_at(session, "modes"))
        return is_loaded

    def _initialize(self) -> Values:
        hello = self._ask("initialize", protocolVersion=1, clientCapabilities=ABLE, clientInfo=CLIENT)
        info = values_at(hello, "agentInfo")
        self._steers = bool(value_at(hello, "_meta", "steering", "supported"))
        name = self._program.name if self._program.listed else info.get("name", self._program.key)
        self._task.save(version=f"{name} {info.get('version', '')}".strip()[:64])
        methods = [method.get("id") for method in rows_at(hello, "authMethods")]
        if "gemini-api-key" in methods and os.environ.get("GEMINI_API_KEY"):
            self._ask("authenticate", methodId="gemini-api-key")
        return values_at(hello, "agentCapabilities")

    def _mcp_servers(self) -> list[Values]:
        connection = self._worker.connection
        if not self._worker.given.tools:
            return []
        headers = [{"name": "Authorization", "value": f"Bearer {connection.token}"}]
        return [{"type": "http", "name": "mission-control", "url": f"{connection.url}/mcp", "headers": headers}]

    def _load(self, place: Values) -> Values | None:
        self.is_replayed = True
        try:
            return self._ask("session/load", sessionId=self._task.session, **place)
        except acp.Refused:
            return None
        finally:
            self.is_replayed = False
            self._usage.skip_replay()

    def _set_mode(self, modes: Values) -> None:
        """Have it ask before it acts. Without such a mode it is as the program itself is set up."""
        mode, names = self._program.acp_mode, [row.get("id") for row in rows_at(modes, "availableModes")]
        if mode and (mode in names or not names):
            with contextlib.suppress(acp.Refused):
                self._ask("session/set_mode", sessionId=self._task.session, modeId=mode)
                self._task.save(mode=mode)
                return
        if mode and names:
            raise Stopped(f"{self._program.key} has no mode {mode}, in which it asks.", fails=True)
        self._task.save(mode=str(modes.get("currentModeId") or ""))

    # -- turns and notes ----------------------------------------------------------------------------------------------

    def take_turn(self, text: str, hear: Callable[[Event], None]) -> Values:
        assert self.agent is not None
        turn = self.agent.begin("session/prompt", sessionId=self._task.session, prompt=[{"type": "text", "text": text}])
        self._is_in_turn = True
        result = self.agent.answer(turn, hear, TURN_SECONDS)
        self._is_in_turn = False
        return result

    def note(self, text: str) -> None:
        """Let the agent have what people wrote: at once where it takes that, else with its next prompt."""
        if self.agent is not None and self._is_in_turn and self._steers:
            words, idle = [{"type": "text", "text": text}], {"steering": {"idleBehavior": "promptRequired"}}
            with contextlib.suppress(acp.Gone):
                number = self.agent.begin("_session/steering", sessionId=self._task.session, prompt=words, _meta=idle)
                self._steered[number] = text
                return
        self.notes.append(text)

    def hear_answer(self, event: Event) -> None:
        """Keep a note that came too late for its turn for the next prompt."""
        text = self._steered.pop(event.message["id"], "") if event.source is self.agent else ""
        if text and ("error" in event.message or event.result.get("outcome") == "promptRequired"):
            self.notes.append(text)

    # -- the end ------------------------------------------------------------------------------------------------------

    def last_result(self) -> Values:
        """Wait for the result of a turn that is cancelled; {} when there is none, or none comes in time."""
        deadline = clock.monotonic() + CANCEL_SECONDS
        with contextlib.suppress(queue.Empty):
            while self._is_in_turn and (seconds := deadline - clock.monotonic()) > 0:
                event = self._inbox.get(timeout=seconds)
                if "stopReason" in event.result:
                    return event.result
                if event.kind == "closed":
                    break
        return {}

    def close(self) -> None:
        agent, self.agent = self.agent, None
        self.notes.extend(self._steered.values())
        self._steered.clear()
        self._is_in_turn = False
        if agent is not None:
            agent.close()
            self._usage.report_cut()
