"""Store what agents do in their sessions on gateways as activities, for those who read their boards."""

import logging
import time
from collections import deque
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from mission_control.agents.models import Agent
from mission_control.background.loops import Loop
from mission_control.core import times
from mission_control.core.actor import system
from mission_control.database.records import find
from mission_control.database.sql import rows
from mission_control.gateway_agents.provisioning.gateway_agent import agent_in
from mission_control.gateway_agents.sessions.reading import mask_of
from mission_control.gateway_agents.sessions.transcript import Part, Run, is_running
from mission_control.gateways.connections.connector import call
from mission_control.gateways.connections.events import GatewayRef
from mission_control.gateways.protocol.payload import Payload
from mission_control.runs.models import AgentSession
from mission_control.runs.sessions.reports import MOST_ITEMS, NAMED, ActivityGiven, ReportCreate, SessionGiven, report
from mission_control.runs.sessions.signals import announce

CLIENT = "openclaw"
SOON = timedelta(milliseconds=250)
MOST_SESSIONS, MOST_FIELDS, LONGEST_VALUE, LONGEST_NAME, LONGEST_KEY = 2_000, 8, 400, 40, 255

_log = logging.getLogger(__name__)


# What is to be stored of each session; beyond what one report takes the oldest is dropped.
_waiting: dict[tuple[UUID, str], tuple[GatewayRef, deque[ActivityGiven]]] = {}


def note_tool(gateway: GatewayRef, key: str, run: Run, data: Payload) -> None:
    if (part := run.tool_of(data)) is None:
        return
    detail = _detail(part, data)
    began = run.noted.get(part.id)
    if began is None:
        _note_texts(gateway, key, run)
        run.noted[part.id] = began = time.monotonic()
        note(gateway, key, run, f"{part.id}:begin", "TOOL_CALL_START", part.id, detail)
    if part.is_done and f"{part.id}:end" not in run.noted:
        run.noted[f"{part.id}:end"] = now = time.monotonic()
        detail = detail | {"seconds": round(now - began, 1)}
        if part.is_error and part.result:
            detail["error"] = part.result[:LONGEST_VALUE]
        state = "failed" if part.is_error else "ok"
        note(gateway, key, run, f"{part.id}:end", "TOOL_CALL_END", part.id, detail, state)


def _detail(part: Part, data: Payload) -> dict[str, JsonValue]:
    arguments = data.get("args")
    if not isinstance(arguments, dict):
        return {"tool": part.name, "command": part.text[:LONGEST_VALUE]}
    texts = [(str(name), text) for name, text in arguments.items() if isinstance(text, str)][:MOST_FIELDS]
    detail: dict[str, JsonValue] = {name[:LONGEST_NAME]: text[:LONGEST_VALUE] for name, text in texts}
    return detail | {"tool": part.name}


def note_end(gateway: GatewayRef, key: str, run: Run, failure: str) -> None:
    _note_texts(gateway, key, run)
    if failure:
        note(gateway, key, run, "end", "RUN_ERROR", None, {"error": failure[:LONGEST_VALUE]}, "failed")
    else:
        note(gateway, key, run, "end", "RUN_FINISHED")


def _note_texts(gateway: GatewayRef, key: str, run: Run) -> None:
    for index, part in enumerate(run.parts):
        if part.kind == "text" and f"text {index}" not in run.noted:
            run.noted[f"text {index}"] = 0.0
            note(gateway, key, run, f"text {index}", "TEXT_MESSAGE_END", None, {"text": part.text[:LONGEST_VALUE]})


def note(
    gateway: GatewayRef,
    key: str,
    run: Run,
    what: str,
    kind: str,
    ref: str | None = None,
    detail: dict[str, JsonValue] | None = None,
    state: str | None = None,
) -> None:
    """Have something stored soon that happened in a run, once for each `what`."""
    place = gateway.id, key
    if not agent_in(key) or (place not in _waiting and len(_waiting) >= MOST_SESSIONS):
        return
    item = _activity(f"{run.id}:{what}", kind, ref=ref, detail=detail or {}, state=state)
    _waiting.setdefault(place, (gateway, deque(maxlen=MOST_ITEMS)))[1].append(item)
    FEEDING.no_later_than(times.clock_now() + SOON)


def _activity(key: str, kind: str, **more: Any) -> ActivityGiven:
    key = sha256(key.encode()).hexdigest()
    return ActivityGiven.model_construct(key=key, at=times.clock_now(), kind=kind, **more)


async def store_all() -> None:
    taken = list(_waiting.items())
    _waiting.clear()
    for (_, key), (gateway, items) in taken:
        try:
            agent = await Agent.get_or_none(gateway_id=gateway.id, gateway_agent_id=agent_in(key))
            if agent is None or agent.board_id is None:
                continue
            mask = await mask_of(gateway.id)
            for item in items:
                item.detail = mask.value(item.detail)
            await _report(agent, external_id(key), list(items))
        except Exception:
            _log.exception("storing what an agent of gateway %s did failed", gateway.id)


FEEDING = Loop(name="storing what agents of gateways do", look=store_all, pause=60.0, stop=store_all)


async def _report(agent: Agent, external_id: str, items: list[ActivityGiven]) -> None:
    session = SessionGiven(external_id=external_id, client=CLIENT)
    done = await report(system(agent.organization_id), agent.id, agent, ReportCreate(session=session, items=items))
    await announce(agent.organization_id, done.session)


OPEN = (
    "SELECT s.agent_id, s.external_id, s.seq FROM agent_sessions s JOIN agents g ON g.id = s.agent_id"
    " AND g.board_id = s.board_id WHERE g.gateway_id = ? AND s.client = ? AND s.ended_at IS NULL"
    " AND s.state IN ('working', 'lost')"
)
MISSED = "The turn ended while the gateway was not connected"


async def end_missed(gateway: GatewayRef) -> None:
    """End the turns whose ends were missed: those that their gateway does not name any longer. Raises GatewayError."""
    await store_all()
    if not (open_sessions := await rows(OPEN, gateway.id, CLIENT)):
        return
    answer = Payload.of(await call(gateway.id, "sessions.list", {"limit": MOST_SESSIONS}))
    go_on = {external_id(str(session.get("key"))) for session in answer.objects("sessions") if is_running(session)}
    for row in open_sessions:
        if row["external_id"] not in go_on:
            end = _activity(f"{row['seq']}:missed", "RUN_FINISHED", title=MISSED)
            await _report(await Agent.get(id=row["agent_id"]), row["external_id"], [end])


def external_id(key: str) -> str:
    return key if len(key) <= LONGEST_KEY else sha256(key.encode()).hexdigest()


async def followed(agent: Agent, key: str) -> AgentSession | None:
    named = agent.id, agent.board_id, CLIENT, external_id(key)
    return await find(AgentSession, NAMED, *named, lock=True)
