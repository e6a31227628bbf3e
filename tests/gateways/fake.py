"""A gateway for tests: in this process, over a real socket, with the strictness of a real one.

    async def test_something(fake_gateway):
        target = Target(fake_gateway.url, token=fake_gateway.token)
        fake_gateway.fail("agents.create", message="disk full")     # the next call only
        ...
        assert fake_gateway.sent("chat.send") == [{...}]

What a test may set is listed in `FakeGateway.__init__`; what the gateway remembers is `state`.
"""

import asyncio
import contextlib
import ssl
import time
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import orjson
import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from mission_control.gateway_agents.provisioning import gateway_agent
from tests.gateways import fake_requests
from tests.gateways.fake_state import EIGHT_FILES, FIVE_FILES, FakeDevice, FakeSession, FakeState, now_ms
from tests.gateways.fake_wire import Call, Client, Fault, converse, upgrade

NEWER_METHODS = {"approval.get", "approval.resolve", "approval.history", "question.list", "question.get"}
NEWER_METHODS |= {"question.resolve", "sessions.describe"}


def hold_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """This gateway begins turns at once, whatever its configuration does."""
    for name in ("QUIET_SECONDS", "BEGINNING_SECONDS", "MESSAGES_SECONDS"):
        monkeypatch.setattr(gateway_agent, name, 0.0)


def patch_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patches of the configuration follow each other without a pause, which a real gateway's limit would refuse."""
    monkeypatch.setattr(gateway_agent, "PAUSE_SECONDS", 0.0)


class TurnFailed(Exception):
    """What a reply raises to let its turn fail."""


type Reply = Callable[[FakeSession, str], Awaitable[str | None] | str | None]


class FakeGateway:
    """A gateway of the present (protocol 4), or with `is_old` one of March 2026."""

    def __init__(self, *, is_old: bool = False) -> None:
        self.is_old = is_old  # says nothing of what it grants, unless it gives a device token
        self.token = "a-shared-token-for-tests-0123456789"
        self.version = "2026.3.13" if is_old else "2026.9.6"
        self.protocol = 3 if is_old else 4
        self.capabilities: list[str] = []
        self.missing_methods: set[str] = set(NEWER_METHODS) if is_old else set()
        self.signatures: tuple[int, ...] = (2, 3)  # (2,) for a gateway that knows no v3
        self.state = FakeState(EIGHT_FILES if is_old else FIVE_FILES, has_agents_map=not is_old)
        self.needs_pairing = False  # as at every gateway that is not on the same machine
        self.waits_for_pairing = False  # offers to tell the decision on the same connection
        self.granted_scopes: list[str] | None = None  # None: what was asked for
        self.connect_error: dict[str, Any] | None = None  # the arguments of Refused, for every connect
        self.unavailable = 0  # so many upgrades are answered with 503
        self.sidecars_starting = 0  # so many connects are answered with startup-sidecars
        self.old_heartbeat: dict[str, Any] | None = None  # what agents that are created have in their entries
        self.hidden_look_ups = 0  # so many look-ups do not find a new agent yet
        self.tls: ssl.SSLContext | None = None  # before the start
        self.unique_labels = "agent"  # or "gateway"
        self.max_payload = 26_214_400
        self.tick_ms = 30_000
        self.writes_per_minute = 30
        self.now: Callable[[], float] = time.monotonic  # the clock of the limits
        self.reply: Reply = lambda session, text: f"ECHO: {text}"  # what agents answer; None: nothing at all
        self.wants_flat_answers = False  # as gateways to come do
        self.usage_is_refreshing = False  # sums of sessions are not known yet
        self.usage_of_a_run = (100, 12)  # tokens of input and output
        self.kept_paths: list[str] = []  # what is left of agents that are deleted
        self.passes_over = False  # their workspaces lie in the folder of an agent that stays
        self.running: dict[str, list[str]] = {}  # by session, what an abort ends
        self.in_progress = self.most_in_progress = 0  # requests at a time
        self.calls: list[Call] = []
        self.connects: list[dict[str, Any]] = []
        self.request_headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.clients: list[Client] = []
        self.boot_id = str(uuid.uuid4())
        self.device_id = uuid.uuid4().hex * 2  # its own, the same after every start
        self.faults: dict[str, list[Fault]] = {}
        self.writes: dict[tuple[str, str], list[float]] = {}
        self.waiting: dict[str, ServerConnection] = {}
        self._server: Server | None = None
        self._port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    # Running

    async def __aenter__(self) -> "FakeGateway":
        await self.start()
        return self

    async def __aexit__(self, *problem: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Where the gateway listens."""
        return f"{'wss' if self.tls else 'ws'}://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen, on the same port as before."""
        self.boot_id = str(uuid.uuid4())
        self._server = await serve(
            partial(converse, self),
            "127.0.0.1",
            self._port,
            process_request=partial(upgrade, self),
            ping_interval=None,
            compression=None,
            max_size=26_214_400,
            close_timeout=1,
            ssl=self.tls,
        )
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self, code: int = 1012, reason: str = "service restart") -> None:
        """Listen no longer, and close all connections."""
        for client in list(self.clients):
            await client.event("shutdown", {"reason": "gateway stopping"})
        if self._server is not None:
            self._server.close(code=code, reason=reason)
            await self._server.wait_closed()
        self._server = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def restart(self) -> None:
        """Stop and start again; what the state holds stays."""
        await self.stop()
        await self.start()

    async def drop(self, code: int = 1012) -> None:
        """Close the connections and go on listening; 1006 cuts them."""
        for client in list(self.clients):
            if code == 1006:
                client.socket.transport.abort()
            else:
                await client.socket.close(code, "service restart")

    # What tests arrange

    def fail(self, method: str, message: str = "it failed", *, times: int = 1, **error: Any) -> None:
        """Let the next calls of a method fail."""
        self._add_fault(method, Fault(times, error={"message": message, **error}))

    def break_off(self, method: str, *, after: bool = False, code: int = 1012, times: int = 1) -> None:
        """Close the connection at the next calls of a method, before or after they are done."""
        self._add_fault(method, Fault(times, closes=code, is_done_first=after))

    def ignore(self, method: str, *, times: int = 1) -> None:
        """Never answer the next calls of a method."""
        self._add_fault(method, Fault(times, is_silent=True))

    def hold(self, method: str, *, times: int = 1) -> asyncio.Event:
        """Answer the next calls of a method only when the returned event is set."""
        gate = asyncio.Event()
        self._add_fault(method, Fault(times, gate=gate))
        return gate

    def _add_fault(self, method: str, fault: Fault) -> None:
        self.faults.setdefault(method, []).append(fault)

    def sent(self, method: str) -> list[dict[str, Any]]:
        """The params of all calls of a method that were carried out."""
        return [one.params for one in self.calls if one.method == method and one.refused is None]

    def messages(self, session_key: str) -> list[str]:
        """What a session was told."""
        return [one["message"] for one in self.sent("chat.send") if one["sessionKey"] == session_key]

    async def emit(self, event: str, payload: dict[str, Any]) -> None:
        """Tell all clients something."""
        for client in list(self.clients):
            await client.event(event, payload)

    def approve(self, device_id: str | None = None) -> FakeDevice:
        """Approve the device that waits."""
        device = self._device(device_id)
        device.is_paired, device.token = True, f"device-token-{uuid.uuid4().hex}"
        self._later(self._tell_decision(device, "approved"))
        return device

    def reject(self, device_id: str | None = None, decision: str = "rejected") -> None:
        """Reject the device that waits, or let it expire."""
        device = self._device(device_id)
        del self.state.devices[device.device_id]
        self._later(self._tell_decision(device, decision))

    def _device(self, device_id: str | None) -> FakeDevice:
        waiting = [one for one in self.state.devices.values() if not one.is_paired]
        return self.state.devices[device_id] if device_id else waiting[-1]

    async def ask_approval(
        self, command: str, agent_id: str = "main", session_key: str = "", **request: Any
    ) -> dict[str, Any]:
        """Let an agent ask for an approval; only clients that take approvals are told."""
        approval = fake_requests.new_approval(command, agent_id, session_key or f"agent:{agent_id}:main")
        approval["request"] |= request
        self.state.approvals[approval["id"]] = approval
        for client in list(self.clients):
            if client.caps & {"approvals", "exec-approvals"}:
                await client.event("exec.approval.requested", approval)
        return approval

    def resolve_approval(self, approval_id: str, decision: str, *, by: str) -> None:
        """Decide an approval, as somebody at the gateway."""
        approval = self.state.approvals[approval_id]
        approval |= {"decision": decision, "resolvedBy": by}
        payload = {"id": approval_id, "decision": decision, "resolvedBy": by, "ts": now_ms()}
        self._later(self.emit("exec.approval.resolved", payload | {"request": approval["request"]}))

    def expire_approval(self, approval_id: str) -> None:
        """Let an approval end because nobody decided."""
        approval = self.state.approvals[approval_id]
        approval["expired"] = True
        payload = {"id": approval_id, "decision": "deny", "resolvedBy": None, "ts": now_ms()}
        self._later(self.emit("exec.approval.resolved", payload | {"request": approval["request"]}))

    async def ask_question(self, *questions: dict[str, Any], agent_id: str = "main") -> dict[str, Any]:
        """Let an agent ask people."""
        question = fake_requests.new_question(list(questions), agent_id, f"agent:{agent_id}:main")
        self.state.questions[question["id"]] = question
        await self.emit("question.requested", question)
        return question

    def resolve_question(self, question_id: str, status: str, answers: dict[str, Any] | None = None) -> None:
        """End a question, as somebody at the gateway."""
        question = self.state.questions[question_id]
        question |= {"status": status} | ({"answers": answers} if answers is not None else {})
        shown: dict[str, Any] = {key: question[key] for key in ("id", "status", "answers") if key in question}
        self._later(self.emit("question.resolved", shown))

    # What methods cause

    def config_changed(self) -> None:
        """Tell clients that the configuration is another one."""
        self._later(self.emit("config.changed", {"hash": self.state.config_hash, "ts": now_ms()}))

    def session_changed(self, session: FakeSession) -> None:
        """Tell clients about a session."""
        self._later(self.emit("sessions.changed", {"session": session.row()}))

    def run(self, session: FakeSession, run_id: str, text: str) -> None:
        """Let the session's agent answer a message."""
        self._later(self._run(session, run_id, text))

    async def _run(self, session: FakeSession, run_id: str, text: str) -> None:
        about = {"runId": run_id, "sessionKey": session.key, "agentId": session.agent_id}
        try:
            answer = self.reply(session, text)
            said = await answer if isinstance(answer, Awaitable) else answer
        except TurnFailed as failure:
            self.state.runs[run_id] = "error"
            session.add("assistant", str(failure), runId=run_id, idempotencyKey=f"{run_id}:terminal-error")
            await self.emit("chat", {**about, "seq": 1, "state": "error", "errorMessage": str(failure)})
            return
        if said is None:
            return
        read, wrote = self.usage_of_a_run
        session.use(read, wrote)
        message = session.add("assistant", said, runId=run_id)
        shown = {"role": "assistant", "content": message["content"], "timestamp": now_ms()}
        self.state.runs[run_id] = "ok"
        await self.emit("chat", {**about, "seq": 1, "state": "delta", "deltaText": said, "message": shown})
        data = {"phase": "end", "endedAt": now_ms()}
        await self.emit("agent", {**about, "seq": 2, "ts": now_ms(), "stream": "lifecycle", "data": data})
        await self.emit("chat", {**about, "seq": 3, "state": "final", "stopReason": "stop", "message": shown})

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_decision(self, device: FakeDevice, decision: str) -> None:
        payload = {"requestId": device.request_id, "deviceId": device.device_id, "decision": decision, "ts": now_ms()}
        await self.emit("device.pair.resolved", payload)
        if (socket := self.waiting.pop(device.device_id, None)) is not None:
            with contextlib.suppress(ConnectionClosed):
                frame = {"type": "event", "event": "device.pair.resolved", "payload": payload}
                await socket.send(orjson.dumps(frame).decode())
