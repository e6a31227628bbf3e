"""A session of a gateway as pages show it: transcript, runs, the list, and what people write to it."""

import asyncio
from dataclasses import dataclass, field, replace
from urllib.parse import quote
from uuid import UUID, uuid5

from mission_control.agents.models import Agent
from mission_control.agents.queries import main_agent_on
from mission_control.agents.reactions import NOTICE
from mission_control.core.actor import Actor, Scope
from mission_control.core.values import JsonObject
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.models import Event
from mission_control.events.unit_of_work import deliver, record
from mission_control.gateway_agents.provisioning.gateway_agent import agent_in
from mission_control.gateway_agents.provisioning.main_agents import is_made
from mission_control.gateway_agents.sessions.following import watch_id
from mission_control.gateway_agents.sessions.reading import Reach, call_gateway, listed, main_session, mask_of
from mission_control.gateway_agents.sessions.transcript import History, Part, Run, SessionFacts, read_history
from mission_control.gateways.connections.connector import call
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.errors import GatewayError
from mission_control.gateways.protocol.identity import main_session_key
from mission_control.gateways.protocol.payload import Payload
from mission_control.gateways.queries import CONNECTED
from mission_control.web.regions import View

EVENTS = (
    Kind.named(
        "gateway.session.message_sent",
        "A person sent a message into a session of a gateway; the event has none of its words.",
        "wrote into a session of",
    ),
    Kind.named(
        "gateway.session.run_ended", "A person ended what an agent did in a session of a gateway.", "ended a run of"
    ),
)


@dataclass(slots=True)
class Received:
    """A watched session: its runs as far as signals came, and why the last one failed.

    A run that ended stays among `leaving` until the history, which shows it then, was read again.
    """

    runs: dict[str, Run] = field(default_factory=dict)
    leaving: dict[str, Run] = field(default_factory=dict)
    failure: str = ""
    number: int = 0
    history: History | None = None
    must_read: bool = False
    reading: asyncio.Task[None] | None = None

    def take(self, signal: JsonObject) -> None:
        """Take a signal; one that was taken already changes nothing."""
        if signal.get("number", 0) <= self.number:
            return
        self.number = signal["number"]
        if "runs" in signal:
            self.must_read = True
            self.leaving |= {key: run for key, run in self.runs.items() if key not in signal["runs"]}
            self.runs = {key: self.runs.get(key) or Run(key) for key in signal["runs"]}
            for key, is_whole in signal["runs"].items():
                self.runs[key].is_whole = is_whole
            self.failure = signal["failure"]
        elif (run := self.runs.get(signal["run"])) is not None:
            run.status, run.is_whole = signal["status"], signal["whole"]
            if "index" in signal:
                _put(run, signal)

    @property
    def hidden(self) -> frozenset[str]:
        """The runs that the live part of a page shows whole, so that the history leaves them out."""
        return frozenset(run.id for run in (*self.leaving.values(), *self.runs.values()) if run.is_whole)

    def put(self, history: History) -> None:
        """Take a history that was read now; one that could not be read leaves everything as it is."""
        if not history.error or self.history is None:
            self.history = history
            self.leaving.clear()

    def shown(self, run: Run) -> list[Part]:
        calls = {entry.call_id for entry in self.history.entries} if self.history is not None else set()
        return [part for part in run.parts if run.is_whole or part.kind == "text" or part.id not in calls]


def _put(run: Run, signal: JsonObject) -> None:
    while len(run.parts) <= signal["index"]:
        run.parts.append(Part("text", ""))
    part = run.parts[signal["index"]]
    part.kind, part.id = signal["kind"], signal["id"]
    part.text = part.text[: signal["at"]] + signal["text"]
    if part.kind == "tool":
        part.name, part.result = signal["name"], signal["result"]
        part.is_done, part.is_error = signal["done"], signal["error"]


_received: dict[str, Received] = {}


def received(watch: str) -> Received:
    return _received.setdefault(watch, Received())


def forget(watch: str) -> None:
    """Forget a session that no page of this process watches any longer."""
    _received.pop(watch, None)


SHOWN, MOST_SHOWN = 100, 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView(View):
    """The page of a session. Messages after `since` are in the part of the transcript that changes.

    A stream waits for no gateway: with `is_live` the history is what was read last.
    """

    gateway: Gateway
    key: str
    agent: Agent | None = None
    shown: int = SHOWN
    since: int = 0
    is_live: bool = False

    @property
    def url(self) -> str:
        return session_url(self.gateway.id, self.key)

    @property
    def watch(self) -> str:
        return watch_id(self.gateway.id, self.key)

    @property
    def is_connected(self) -> bool:
        return bool(self.gateway.state == CONNECTED)

    async def history(self) -> History:
        if self.is_live:
            return received(self.watch).history or History()
        key = ("gateway-history", self.watch, self.shown)
        return await self.reads.get(key, lambda: read_history(self.gateway.id, self.key, self.shown))


def session_url(gateway_id: UUID, key: str) -> str:
    return f"/gateways/{gateway_id}/sessions/{quote(key, safe='')}"


async def agent_of_session(gateway: Gateway, key: str) -> Agent | None:
    agent_id = agent_in(key)
    if not agent_id:
        return None
    ours = Agent.filter(organization_id=gateway.organization_id, gateway_id=gateway.id)
    if key == main_session_key(gateway.id):
        return await ours.get_or_none(board_id=None)
    return await ours.filter(gateway_agent_id=agent_id).first()


MOST = 100
LONGEST_SEARCH = 200


@dataclass(frozen=True, slots=True)
class SessionList:
    """Sessions of a gateway with their agents, the newest first; `error` says why there are none to show."""

    gateway: Gateway
    search: str = ""
    lines: tuple[tuple[SessionFacts, Agent | None, str], ...] = ()
    total: int = 0
    error: str = ""


async def sessions_list(gateway: Gateway, search: str) -> SessionList:
    search = search.strip()[:LONGEST_SEARCH]
    params = {"limit": MOST} | ({"search": search} if search else {})
    try:
        answer = await call(gateway.id, "sessions.list", params)
    except GatewayError as error:
        return SessionList(gateway, search, error=error.message)
    mask = await mask_of(gateway.id)
    ours = await Agent.filter(organization_id=gateway.organization_id, gateway_id=gateway.id)
    agents = {agent.gateway_agent_id: agent for agent in ours if agent.gateway_agent_id}
    lines = []
    for session in map(Payload.of, listed(answer, "sessions")):
        if (key := session.string("key")) is not None:
            facts = SessionFacts.of(key, session, mask)
            lines.append((facts, agents.get(facts.agent_id), session_url(gateway.id, facts.key)))
    total = Payload.of(answer).get("totalCount")
    return SessionList(gateway, search, tuple(lines), total if isinstance(total, int) else len(lines))


async def send(actor: Actor, reach: Reach, key: str, content: str, idempotency_key: str) -> None:
    """Send a message to a session, and record that, once for each key. Raises Unreachable.

    A message to a main agent that was never needed is its first reason: it waits until the agent is made.
    """
    if key == main_session_key(reach.gateway.id):
        main = await main_agent_on(reach.gateway.id)
        if main is not None and not is_made(main):
            await _leave_for_main(actor, reach, main, content)
            return
    if key == reach.main_key:
        await main_session(reach)
    params = {"sessionKey": key, "message": content, "deliver": False, "idempotencyKey": idempotency_key}
    answer = await call_gateway(reach.gateway.id, "chat.send", params)
    is_new = not isinstance(answer, dict) or answer.get("status") == "started"  # taken now, not earlier
    await _record_sent(actor, reach, key, uuid5(reach.gateway.id, idempotency_key), is_new=is_new)


async def abort(actor: Actor, reach: Reach, key: str, run_id: str | None) -> list[str]:
    """End a run of a session, or all of them, record that, and return which ended. Raises Unreachable."""
    params = {"sessionKey": key} | ({} if run_id is None else {"runId": run_id})
    answer = Payload.of(await call_gateway(reach.gateway.id, "chat.abort", params))
    ended = [str(run) for run in answer.items_of("runIds")]
    if ended:
        await _record_ended(actor, reach, key, len(ended))
    return ended


@command("gateway_session.write")
async def _leave_for_main(actor: Actor, reach: Reach, main: Agent, content: str) -> None:
    deliver(NOTICE, main.scope(), agent_id=main.id, header="MESSAGE", text=content, raw=True)
    message = f"Wrote into a session: {main.name}."
    record("gateway.session.message_sent", _scope(reach, main), message, gateway_id=reach.gateway.id)


@command("gateway_session.write")
async def _record_sent(actor: Actor, reach: Reach, key: str, event_id: UUID, *, is_new: bool) -> None:
    await Gateway.select_for_update().get_or_none(id=reach.gateway.id)  # the same message may arrive twice at once
    is_known = await Event.exists(id=event_id)
    if is_known and not is_new:
        return
    agent = await agent_of_session(reach.gateway, key)
    record(
        "gateway.session.message_sent",
        _scope(reach, agent),
        f"Wrote into a session: {_name(agent, key)}.",
        event_id=None if is_known else event_id,  # a gateway that was restarted takes the same key anew
        gateway_id=reach.gateway.id,
    )


@command("gateway_session.write")
async def _record_ended(actor: Actor, reach: Reach, key: str, runs: int) -> None:
    agent = await agent_of_session(reach.gateway, key)
    message = f"Ended a run in a session: {_name(agent, key)}."
    record("gateway.session.run_ended", _scope(reach, agent), message, gateway_id=reach.gateway.id, runs=runs)


def _name(agent: Agent | None, key: str) -> str:
    return agent.name if agent else agent_in(key) or "a session of no agent"


def _scope(reach: Reach, agent: Agent | None) -> Scope:
    scope = Scope(organization_id=reach.gateway.organization_id, subject_id=reach.gateway.id)
    return replace(scope, board_id=agent.board_id, agent_id=agent.id) if agent else scope
