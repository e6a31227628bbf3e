"""Store what agents do in their sessions on gateways as activities, for those who read their boards."""

import logging
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.core import times
from mission_control.core.actor import system
from mission_control.database.records import find
from mission_control.database.sql import rows
from mission_control.fleet.gateway_agent import agent_in, mappings_in
from mission_control.fleet.session_reading import mask_of
from mission_control.fleet.transcript import Part, Run, is_running
from mission_control.gateways.connector import call
from mission_control.gateways.events import GatewayRef
from mission_control.runs.models import AgentSession
from mission_control.runs.session_reports import MOST_ITEMS, NAMED, ActivityGiven, ReportCreate, SessionGiven, report
from mission_control.runs.session_signals import announce
from mission_control.work.loops import Loop

CLIENT = "openclaw"
SOON = timedelta(milliseconds=250)
MOST_SESSIONS, MOST_FIELDS, LONGEST_VALUE, LONGEST_NAME, LONGEST_KEY = 2_000, 8, 400, 40, 255

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Waiting:
    """What is to be stored of one session; beyond what one report takes the oldest is dropped."""

    gateway: GatewayRef
    items: deque[ActivityGiven] = field(default_factory=lambda: deque(maxlen=MOST_ITEMS))


_waiting: dict[tuple[UUID, str], _Waiting] = {}


def note_begin(gateway: GatewayRef, key: str, run: Run) -> None:
    _note(gateway, key, run, "begin", "RUN_STARTED")


def note_tool(gateway: GatewayRef, key: str, run: Run, data: Mapping[str, object]) -> None:
    """Note that a tool's call began or ended, each once, and what the agent said before."""
    call_id = str(data.get("toolCallId") or "")
    part = next((one for one in run.parts if one.kind == "tool" and call_id.startswith(one.id)), None)
    if part is None:
        return
    if part.id not in run.noted:
        _note_texts(gateway, key, run)
        run.noted[part.id] = time.monotonic()
        _note(gateway, key, run, f"{part.id}:begin", "TOOL_CALL_START", part.id, _about(part, data))
    if part.is_done and f"{part.id}:end" not in run.noted:
        run.noted[f"{part.id}:end"] = now = time.monotonic()
        detail = _about(part, data) | {"seconds": round(now - run.noted[part.id], 1)}
        if part.is_error and part.result:
            detail["error"] = part.result[:LONGEST_VALUE]
        state = "failed" if part.is_error else "ok"
        _note(gateway, key, run, f"{part.id}:end", "TOOL_CALL_END", part.id, detail, state)


def note_end(gateway: GatewayRef, key: str, run: Run, failure: str) -> None:
    _note_texts(gateway, key, run)
    detail: dict[str, object] = {"error": failure[:LONGEST_VALUE]} if failure else {}
    state = "failed" if failure else None
    _note(gateway, key, run, "end", "RUN_ERROR" if failure else "RUN_FINISHED", None, detail, state)


def _note_texts(gateway: GatewayRef, key: str, run: Run) -> None:
    for index, part in enumerate(run.parts):
        if part.kind == "text" and f"text {index}" not in run.noted:
            run.noted[f"text {index}"] = 0.0
            _note(gateway, key, run, f"text {index}", "TEXT_MESSAGE_END", None, {"text": part.text[:LONGEST_VALUE]})


def _about(part: Part, data: Mapping[str, object]) -> dict[str, object]:
    given = data.get("args")
    if not isinstance(given, Mapping):
        return {"tool": part.name, "command": part.text[:LONGEST_VALUE]}
    texts = [(str(name)[:LONGEST_NAME], one[:LONGEST_VALUE]) for name, one in given.items() if isinstance(one, str)]
    return {**dict(texts[:MOST_FIELDS]), "tool": part.name}


def _note(
    gateway: GatewayRef,
    key: str,
    run: Run,
    what: str,
    kind: str,
    ref: str | None = None,
    detail: dict[str, object] | None = None,
    state: str | None = None,
) -> None:
    place = gateway.id, key
    if not agent_in(key) or (place not in _waiting and len(_waiting) >= MOST_SESSIONS):
        return
    item = ActivityGiven.model_construct(
        key=sha256(f"{run.id}:{what}".encode()).hexdigest(),
        at=times.clock_now(),
        kind=kind,
        ref=ref,
        detail=detail or {},
        state=state,
    )
    _waiting.setdefault(place, _Waiting(gateway)).items.append(item)
    FEEDING.no_later_than(times.clock_now() + SOON)


async def store_all() -> None:
    """Store what was noted since the last time, one session after the other."""
    taken = list(_waiting.items())
    _waiting.clear()
    for (_, key), one in taken:
        try:
            await _store(one.gateway, key, list(one.items))
        except Exception:
            _log.exception("storing what an agent of gateway %s did failed", one.gateway.id)


FEEDING = Loop(name="storing what agents of gateways do", look=store_all, pause=60.0, stop=store_all)


async def _store(gateway: GatewayRef, key: str, items: list[ActivityGiven]) -> None:
    agent = await Agent.get_or_none(gateway_id=gateway.id, gateway_agent_id=agent_in(key))
    if agent is None or agent.board_id is None:
        return
    mask = await mask_of(gateway.id)
    for item in items:
        item.detail = mask.value(item.detail)
    await _report(agent, external_id(key), items)


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
    found = await rows(OPEN, gateway.id, CLIENT)
    if not found:
        return
    listed = mappings_in(await call(gateway.id, "sessions.list", {"limit": MOST_SESSIONS}), "sessions")
    go_on = {external_id(str(one.get("key"))) for one in listed if is_running(one)}
    for row in found:
        if row["external_id"] in go_on:
            continue
        key = sha256(f"{row['seq']}:missed".encode()).hexdigest()
        end = ActivityGiven.model_construct(key=key, at=times.clock_now(), kind="RUN_FINISHED", title=MISSED)
        await _report(await Agent.get(id=row["agent_id"]), row["external_id"], [end])


def external_id(key: str) -> str:
    return key if len(key) <= LONGEST_KEY else sha256(key.encode()).hexdigest()


async def followed(agent: Agent, key: str) -> AgentSession | None:
    named = agent.id, agent.board_id, CLIENT, external_id(key)
    return await find(AgentSession, NAMED, *named, lock=True)
